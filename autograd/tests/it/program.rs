//! Compiled programs give, bit for bit, what is computed on demand.

use autograd::{Axis, CompileError, Graph, Matrix, Program, Real, RunError, Var, op};
use proptest::prelude::*;

use crate::support::{Verdict, for_all};

/// Small deterministic choices, so that a failing seed is all there is to remember.
struct Choices(u64);

impl Choices {
    fn next(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn number(&mut self) -> f64 {
        f64::from(u32::try_from(self.next(4001)).unwrap()) / 1000.0 - 2.0
    }

    fn matrix(&mut self, rows: usize, cols: usize) -> Matrix<f64> {
        Matrix::from_fn(rows, cols, |_, _| self.number())
    }
}

/// One more value made of those before.
fn grow<'g>(choices: &mut Choices, values: &[Var<'g, f64>]) -> Option<Var<'g, f64>> {
    let x = values[choices.next(values.len())];
    let y = values[choices.next(values.len())];
    let same = || x.shape().broadcast(y.shape()).map(|_| (x, y));
    Some(match choices.next(24) {
        0 => same().map(|(x, y)| x + y)?,
        1 => same().map(|(x, y)| x - y)?,
        2 | 3 => same().map(|(x, y)| x * y)?,
        4 => same().map(|(x, y)| x / (y * y + 1.0))?,
        5 => -x,
        6 => x.square(),
        7 => x.tanh(),
        8 => x.sigmoid(),
        9 => x.relu(),
        10 => x.softplus(),
        11 => (x * 0.25).exp(),
        12 => same().map(|(x, y)| x.maximum(y))?,
        13 => same().map(|(x, y)| x.lt(y).select(x, y * 2.0))?,
        14 => x.sum(),
        15 => x.sum_axis(Axis::Rows),
        16 => x.sum_axis(Axis::Columns),
        17 => x.transpose(),
        18 if x.cols() == y.rows() => x.matmul(y),
        18 if x.cols() == y.cols() => x.matmul(y.transpose()),
        19 => x.softmax(Axis::Columns),
        20 => x.log_sum_exp_axis(Axis::Rows),
        21 => x * 1.0 + (-x) * -1.0,
        22 => x.detach() + 0.5,
        23 if x.rows() == y.rows() && x.cols() + y.cols() < 900 => Var::concat(&[x, y], Axis::Columns),
        _ => return None,
    })
}

fn assert_same_bits(compiled: &[f64], on_demand: &Matrix<f64>, what: &str) {
    for (i, (a, b)) in compiled.iter().zip(on_demand.as_slice()).enumerate() {
        assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(), "{what}, element {i}: {a:e} and {b:e}");
    }
}

fn check_random_program(seed: u64, wide: bool) -> Verdict {
    let mut choices = Choices(seed);
    let graph = Graph::new();
    let long = if wide { 700 } else { 4 };
    let shapes = [(3, long), (1, long), (3, 1), (1, 1), (3, 3)];
    let leaves: Vec<Var<'_, f64>> =
        shapes.iter().map(|&(rows, cols)| graph.variable(choices.matrix(rows, cols))).collect();
    let mut values = leaves.clone();
    for _ in 0..25 {
        values.extend(grow(&mut choices, &values));
    }
    let total = values[leaves.len()..].iter().map(|value| value.sum()).reduce(|a, b| a + b).unwrap_or(leaves[3]);
    let gradients = total.gradient_or_zero(leaves.clone());
    let second = gradients[0].square().sum().gradient_or_zero(leaves.clone());
    let updates: Vec<_> = leaves.iter().zip(&gradients).map(|(x, g)| (*x, *x - *g * 0.01)).collect();
    let mut outputs = values;
    outputs.extend(&gradients);
    outputs.extend(&second);
    graph.verify().unwrap();
    let fed = &leaves[..1];
    let mut program = graph.compile(fed, &updates[1..], &outputs).unwrap();
    program.run(&[&leaves[0].peek()]).unwrap();
    for (i, output) in outputs.iter().enumerate() {
        assert_same_bits(program.output_slice(i), &output.peek(), &format!("seed {seed}, {output:?}"));
    }
    for (state, next) in &updates[1..] {
        let value = program.state(state.id()).unwrap();
        assert_same_bits(value.as_slice(), &next.peek(), &format!("seed {seed}, state {state:?}"));
    }
    Ok(())
}

#[test]
fn a_program_gives_the_bits_of_values_on_demand() {
    for_all(400, "small", &any::<u64>(), |seed| check_random_program(seed, false));
}

#[test]
fn a_program_over_many_blocks_gives_the_bits_of_values_on_demand() {
    for_all(60, "wide", &any::<u64>(), |seed| check_random_program(seed, true));
}

/// Two thousand numbers, made by a few of the operations that work element by element.
fn check_numbers(seed: u64) -> Verdict {
    let mut choices = Choices(seed);
    let cases: Vec<op::Case> = op::cases().into_iter().filter(|case| case.op.is_pointwise()).collect();
    let cases: Vec<&op::Case> = (0..6).map(|_| &cases[choices.next(cases.len())]).collect();
    let graph = Graph::new();
    let leaves: Vec<Var<'_, f64>> = (0..40).map(|_| graph.variable(choices.number())).collect();
    let mut values = leaves.clone();
    while values.len() < 2000 {
        let case = cases[choices.next(cases.len())];
        let recent = values.len().min(300);
        let mut operand = || values[values.len() - 1 - choices.next(recent)];
        let operands: Vec<Var<'_, f64>> = case.domains.iter().map(|_| operand()).collect();
        let value = graph.try_apply(case.op, &operands).map_err(|error| error.to_string())?;
        values.push(value);
    }
    let mut outputs = values.split_off(1000);
    outputs.extend(outputs[900].gradient_or_zero(leaves.clone()));
    let updates: Vec<_> = leaves.iter().enumerate().map(|(i, x)| (*x, outputs[i])).collect();
    graph.verify()?;
    let mut program = graph.compile(&[], &updates, &outputs).unwrap();
    program.run(&[]).unwrap();
    for (i, output) in outputs.iter().enumerate() {
        assert_same_bits(program.output_slice(i), &output.peek(), &format!("seed {seed}, {output:?}"));
    }
    for (state, next) in &updates {
        let value = program.state(state.id()).unwrap();
        assert_same_bits(value.as_slice(), &next.peek(), &format!("seed {seed}, state {state:?}"));
    }
    Ok(())
}

#[test]
fn a_program_of_numbers_gives_the_bits_of_values_on_demand() {
    for_all(40, "numbers", &any::<u64>(), check_numbers);
}

/// What is computed from leaves by the operations that this seed chooses: values, and new ones for all leaves but the first.
fn tiny_matrices<'g>(seed: u64, leaves: &[Var<'g, f64>]) -> (Vec<Var<'g, f64>>, Vec<[Var<'g, f64>; 2]>) {
    let mut choices = Choices(seed);
    let graph = leaves[0].graph();
    let cases: Vec<op::Case> = op::cases().into_iter().filter(|case| case.op.is_pointwise()).collect();
    let mut values = leaves.to_vec();
    let mut outputs = Vec::new();
    for _ in 0..4 + choices.next(20) {
        let x = values[choices.next(values.len())];
        let value = match choices.next(6) {
            0 => x.reshape(x.cols(), x.rows()),
            1 => x.slice(0..1, 0..x.cols().min(2)),
            2 => {
                let case = &cases[choices.next(cases.len())];
                let y = values[choices.next(values.len())];
                let operands = [x, y, x];
                graph.try_apply(case.op, &operands[..case.domains.len()]).unwrap_or(y)
            }
            _ => grow(&mut choices, &values).unwrap_or(x),
        };
        if value.shape().len() <= 24 {
            values.push(value);
        }
        outputs.extend([value, x.transpose()].into_iter().take(choices.next(3)));
    }
    let states = &leaves[1..];
    let total = values.iter().map(|value| value.sum()).sum::<Var<'g, f64>>();
    let gradients = if choices.next(2) == 0 { total.gradient_or_zero(states.to_vec()) } else { states.to_vec() };
    let new = |(i, (&state, &gradient)): (usize, (&Var<'g, f64>, &Var<'g, f64>))| {
        let others = states.iter().chain(&values).filter(|other| other.shape() == state.shape());
        let others: Vec<Var<'g, f64>> = others.copied().collect();
        [state, if i % 2 == 0 { state - gradient * 0.125 } else { others[choices.next(others.len())] }]
    };
    let updates = states.iter().zip(&gradients).enumerate().map(new).collect();
    outputs.extend(values[values.len() - 2..].iter().chain(&gradients));
    (outputs, updates)
}

fn check_tiny_matrices(seed: u64) -> Verdict {
    const SPECIAL: [f64; 8] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, -1e-310, f64::MAX, 0.0, -0.0];
    let mut choices = Choices(seed);
    let is_special = choices.next(4) == 0;
    let number = |choices: &mut Choices| match choices.next(6) {
        0 if is_special => SPECIAL[choices.next(SPECIAL.len())],
        _ => choices.number(),
    };
    let shape = |choices: &mut Choices| (1 + choices.next(6), 1 + choices.next(6));
    let shapes: Vec<(usize, usize)> = (0..5).map(|_| shape(&mut choices)).filter(|(r, c)| r * c <= 24).collect();
    let shapes = [vec![(4, 3), (1, 3), (4, 3), (1, 1)], shapes].concat();
    let fill = |(rows, cols)| Matrix::from_fn(rows, cols, |_, _| number(&mut choices));
    let mut now: Vec<Matrix<f64>> = shapes.into_iter().map(fill).collect();
    let first = Graph::new();
    let leaves: Vec<Var<'_, f64>> = now.iter().map(|x| first.variable(x.clone())).collect();
    let (outputs, updates) = tiny_matrices(seed, &leaves);
    first.verify()?;
    let updates: Vec<_> = updates.into_iter().map(|[state, new]| (state, new)).collect();
    let mut program = first.compile(&leaves[..1], &updates, &outputs).map_err(|error| error.to_string())?;
    for run in 0..3 {
        let graph = Graph::new();
        let on_demand: Vec<Var<'_, f64>> = now.iter().map(|x| graph.variable(x.clone())).collect();
        let (outputs, updates) = tiny_matrices(seed, &on_demand);
        program.run(&[&now[0]]).map_err(|error| error.to_string())?;
        for (i, output) in outputs.iter().enumerate() {
            assert_same_bits(program.output_slice(i), &output.peek(), &format!("seed {seed}, run {run}, {output:?}"));
        }
        now.truncate(1);
        for (state, [_, next]) in leaves[1..].iter().zip(&updates) {
            let state = program.state(state.id()).unwrap_or_else(|| next.peek());
            assert_same_bits(state.as_slice(), &next.peek(), &format!("seed {seed}, run {run}, state {next:?}"));
            now.push(state);
        }
    }
    Ok(())
}

#[test]
fn a_program_of_tiny_matrices_gives_the_bits_of_values_on_demand_run_after_run() {
    for_all(1500, "tiny", &any::<u64>(), check_tiny_matrices);
}

#[test]
fn a_program_of_empty_matrices_gives_empty_matrices() {
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.input(2, 0), graph.variable(Matrix::zeros(0, 3)));
    let y = (x.exp() + x) * graph.variable([[2.0], [3.0]]);
    let product = y.matmul(w);
    let dw = product.sum().gradient(w);
    let mut program = graph.compile(&[x], &[(w, w - dw)], &[y, product, dw]).unwrap();
    program.run(&[&Matrix::zeros(2, 0)]).unwrap();
    assert_eq!(program.output(0), Matrix::zeros(2, 0));
    assert_eq!(program.output(1), Matrix::zeros(2, 3));
    assert_eq!(program.output(2), Matrix::zeros(0, 3));
    assert_eq!(program.state(w.id()).unwrap(), Matrix::zeros(0, 3));
}

#[test]
fn values_that_are_shared_or_of_one_number_are_those_of_copies() {
    let shared = std::sync::Arc::new(Matrix::from_fn(30, 20, |i, j| f64::from_usize(i) - 0.5 * f64::from_usize(j)));
    for (rows, cols) in [(30, 20), (1, 20), (1, 1)] {
        for number in [0.0, -0.0, 1.5, f64::NAN] {
            let graph = Graph::new();
            let x = graph.variable_of(&shared);
            let (a, b) =
                (graph.variable_filled(rows, cols, number), graph.variable(Matrix::filled(rows, cols, number)));
            let next = [a * 2.0 - 1.0, b * 2.0 - 1.0];
            let outputs = [x + a, x + b];
            let mut program = graph
                .compile(&[], &[(a, next[0]), (b, next[1]), (x, x * 3.0)], &[outputs[0], outputs[1], a, b])
                .unwrap();
            assert_same_bits(program.state_slice(a.id()).unwrap(), &b.value(), "at first");
            program.run(&[]).unwrap();
            for (i, output) in [outputs[1], outputs[1], b, b].iter().enumerate() {
                assert_same_bits(
                    program.output_slice(i),
                    &output.value(),
                    &format!("{rows}x{cols} of {number}, output {i}"),
                );
            }
            for state in [a, b] {
                assert_same_bits(program.state_slice(state.id()).unwrap(), &next[1].value(), "after a run");
            }
            assert_eq!(x.value(), *shared);
        }
    }
}

#[test]
fn all_updates_use_the_old_states() {
    let graph = Graph::new();
    let (a, b) = (graph.variable(1.0), graph.variable(2.0));
    let mut program = graph.compile(&[], &[(a, b), (b, a)], &[]).unwrap();
    program.run(&[]).unwrap();
    assert_eq!((program.state(a.id()).unwrap().item(), program.state(b.id()).unwrap().item()), (2.0, 1.0));
}

#[test]
fn an_update_in_place_waits_for_the_readers_of_the_old_state() {
    let graph = Graph::new();
    let w = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    let next = w * 10.0;
    let product = w.matmul(next);
    let mut program = graph.compile(&[], &[(w, next)], &[product, w]).unwrap();
    program.run(&[]).unwrap();
    assert_eq!(program.output(0).as_slice(), [70.0, 100.0, 150.0, 220.0]);
    assert_eq!(program.state(w.id()).unwrap().as_slice(), [10.0, 20.0, 30.0, 40.0]);
}

#[test]
fn gradient_descent_in_one_program_reaches_the_minimum() {
    let graph = Graph::new();
    let w = graph.variable([[3.0, -4.0]]);
    let loss = (w - graph.constant([[1.0, 2.0]])).square().sum();
    let mut program = graph.compile(&[], &[(w, w - loss.gradient(w) * 0.1)], &[loss]).unwrap();
    for _ in 0..200 {
        program.run(&[]).unwrap();
    }
    assert!(program.item(0) < 1e-30);
}

#[test]
fn programs_are_send_and_sync_and_copies_are_independent() {
    fn check<P: Send + Sync + Clone>(_: &P) {}
    let graph = Graph::new();
    let w = graph.variable(1.0);
    let mut program = graph.compile(&[], &[(w, w * 2.0)], &[]).unwrap();
    check(&program);
    let copy: Program<f64> = program.clone();
    program.run(&[]).unwrap();
    assert_eq!((program.state(w.id()).unwrap().item(), copy.state(w.id()).unwrap().item()), (2.0, 1.0));
}

#[test]
fn a_program_refuses_what_it_was_not_compiled_for() {
    let graph = Graph::<f64>::new();
    let x = graph.input(2, 3);
    let mut program = graph.compile(&[x], &[], &[x.sum()]).unwrap();
    assert_eq!(program.run(&[]), Err(RunError::InputCount { expected: 1, found: 0 }));
    let error = program.run(&[&Matrix::zeros(3, 2)]).unwrap_err();
    assert_eq!(error.to_string(), "input 0: the program was compiled for 2x3, 3x2 was given");
}

#[test]
fn an_index_out_of_range_is_an_error_of_the_run() {
    let graph = Graph::<f64>::new();
    let (x, labels) = (graph.input(2, 3), graph.input(2, 1));
    let picked = x.pick(labels);
    let mut program = graph.compile(&[x, labels], &[], &[picked]).unwrap();
    for bad in [3.0, -1.0, 0.5, f64::NAN] {
        let error = program.run(&[&Matrix::ones(2, 3), &Matrix::from([[0.0], [bad]])]).unwrap_err();
        let expected = format!("pick at {}: index 1 is {bad}, not a whole number in 0..3", picked.site());
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn compiling_refuses_what_would_be_wrong_later() {
    let graph = Graph::new();
    let (x, w) = (graph.input(1, 1), graph.variable(2.0));
    let y = x * w;
    let fails = |result: Result<Program<f64>, CompileError>| result.unwrap_err();
    assert_eq!(fails(graph.compile(&[], &[], &[y])), CompileError::UnfedInput { site: x.site() });
    assert_eq!(fails(graph.compile(&[x, x], &[], &[y])), CompileError::Twice { site: x.site() });
    assert_eq!(fails(graph.compile(&[y], &[], &[y])), CompileError::NotALeaf { op: "mul", site: y.site() });
    let wide = w + graph.constant([[1.0, 2.0]]);
    let found = fails(graph.compile(&[], &[(w, wide)], &[]));
    assert_eq!(
        found.to_string(),
        format!("compile: a 1x1 state is assigned the 1x2 value recorded at {}", wide.site())
    );
}

#[test]
fn a_branch_on_a_value_that_changes_later_is_refused() {
    let graph = Graph::new();
    let x = graph.variable(2.0);
    let y = if x.square().item() > 1.0 { x.exp() } else { x };
    let error = graph.compile(&[x], &[], &[y]).unwrap_err();
    assert!(matches!(error, CompileError::StaleBranch { variable, .. } if variable == x.site()), "{error}");
    assert!(graph.compile(&[], &[], &[y]).is_ok(), "as a constant state it cannot change");
    let other = Graph::new();
    let x = other.variable(2.0);
    assert_eq!(x.peek().item(), 2.0);
    assert!(other.compile(&[x], &[], &[x.exp()]).is_ok());
}

#[test]
fn wide_kernels_give_the_same_bits_whatever_the_number_of_threads() {
    let graph = Graph::<f32>::new();
    let x = graph.input(600, 700);
    let row = graph.variable(Matrix::from_fn(1, 700, |_, j| f32::from(u16::try_from(j).unwrap()).sin()));
    let y = ((x * row).tanh() + row).sigmoid() * x.square();
    let total = y.sum();
    let dx = total.gradient(row);
    let mut program = graph.compile(&[x], &[], &[y, total, dx]).unwrap();
    let input = Matrix::from_fn(600, 700, |i, j| f32::from(u16::try_from(i * 31 % 97 + j).unwrap()).cos());
    let mut results = Vec::new();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| program.run(&[&input])).unwrap();
        results.push([0, 1, 2].map(|i| program.output(i)));
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}
