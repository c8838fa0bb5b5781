//! Sums and products of single numbers: what reverse mode keeps until it is needed has the bits of what it takes the place of.

use autograd::{Axis, Graph, Matrix, Var, op};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Verdict, for_all};

const SPECIAL: [f64; 12] = [0.0, -0.0, 1.0, -1.0, 0.1, -3.7, 1e16, -1e16, 5e-324, 1e300, f64::INFINITY, f64::NAN];

/// The bits of a number; of all that are NaN the same.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

fn same(what: &str, found: &[f64], expected: &[f64]) -> Verdict {
    let all = |x: &[f64]| x.iter().copied().map(bits).collect::<Vec<_>>();
    if all(found) == all(expected) { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}

/// An operation on two of the values before.
type Step = (u8, prop::sample::Index, prop::sample::Index);

/// What the steps make of the leaves: it needs all of them.
fn record<'g>(leaves: &[Var<'g, f64>], steps: &[Step]) -> Var<'g, f64> {
    let mut values = leaves.to_vec();
    for (kind, i, j) in steps {
        let (x, y) = (values[i.index(values.len())], values[j.index(values.len())]);
        values.push(match kind {
            0..=2 => x + y,
            3..=6 => x * y,
            7 => x - y,
            8 => x.relu(),
            9 => x.square(),
            10 => x.maximum(y),
            _ => -x,
        });
    }
    values.into_iter().reduce(|sum, value| sum + value * leaves[0]).unwrap()
}

/// As linear code on numbers; as kernels, which a larger matrix calls for; and as kernels of tiny values.
fn compiled(numbers: &[Var<'_, f64>], expected: &[f64]) -> Verdict {
    let large = numbers[0].graph().variable(Matrix::ones(9, 9)).sum();
    let many = Var::concat(&[numbers[0]; 5], Axis::Rows);
    for others in [[].as_slice(), &[large], &[many]] {
        let outputs = [numbers, others].concat();
        let mut program = numbers[0].graph().compile(&[], &[], &outputs).map_err(|error| error.to_string())?;
        program.execute().map_err(|error| error.to_string())?;
        let found: Vec<f64> = (0..numbers.len()).map(|i| program.item(i)).collect();
        same("compiled", &found, expected)?;
    }
    Ok(())
}

/// By rows of two numbers, every product and every sum is recorded by itself.
#[test]
fn gradients_of_numbers_have_the_bits_of_those_of_rows() {
    let step = (0..12u8, any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let strategy = (vec(prop::sample::select(&SPECIAL[..]), 4), vec(step, 1..30));
    for_all(2000, "numbers", &strategy, |(leaves, steps)| {
        let (numbers, rows) = (Graph::new(), Graph::new());
        let x: Vec<_> = leaves.iter().map(|&leaf| numbers.variable(leaf)).collect();
        let xs: Vec<_> = leaves.iter().map(|&leaf| rows.variable([[leaf, leaf]])).collect();
        let (y, ys) = (record(&x, &steps), record(&xs, &steps));
        let gradient = y.gradient(x.as_slice());
        let plain = ys.vjp(rows.filled(1, 2, 1.0), xs.as_slice());
        numbers.verify()?;
        let expected: Vec<f64> = plain.iter().map(|dx| dx.peek()[(0, 1)]).collect();
        let found: Vec<f64> = gradient.iter().map(|dx| dx.peek().item()).collect();
        same("on demand", &found, &expected)?;
        compiled(&gradient, &expected)
    });
}

#[test]
fn a_sum_of_products_has_the_bits_of_its_products_and_sums() {
    let number = || prop::sample::select(&SPECIAL[..]);
    for_all(1000, "sums", &vec((number(), number()), 1..9), |pairs| {
        let graph = Graph::new();
        let pairs: Vec<_> = pairs.into_iter().map(|(x, y)| (graph.variable(x), graph.variable(y))).collect();
        let sum = Var::sum_of_products(pairs.iter().copied());
        let plain = pairs.iter().map(|&(x, y)| x * y).reduce(|sum, product| sum + product).unwrap();
        let expected = [plain.peek().item()];
        same("on demand", &[sum.peek().item()], &expected)?;
        compiled(&[sum], &expected)
    });
}

fn sum<'g>(x: &[Var<'g, f64>], pairs: &[(usize, usize)], plain: bool) -> Var<'g, f64> {
    let pairs = pairs.iter().map(|&(i, j)| (x[i], x[j]));
    if plain { pairs.map(|(x, y)| x * y).sum() } else { Var::sum_of_products(pairs) }
}

/// Of whole numbers nothing is lost, in whatever order they are added up.
#[test]
fn sums_of_products_have_the_derivatives_of_products_and_sums_to_the_third_order() {
    let number = || (-3..=3).prop_map(f64::from);
    let pairs = vec((0..4usize, 0..4usize), 2..6);
    for_all(300, "orders", &(vec(number(), 4), pairs.clone(), pairs), |(leaves, inner, outer)| {
        let orders = |plain: bool| {
            let graph = Graph::new();
            let x: Vec<_> = leaves.iter().map(|&leaf| graph.variable(leaf)).collect();
            let first = sum(&x, &inner, plain);
            let y = sum(&[first, x[1], x[2], first], &outer, plain) + first;
            let mut derivatives = vec![y];
            for order in 1..=3 {
                let seed = derivatives.iter().copied().reduce(|sum, part| sum + part * x[order % 2]).unwrap();
                derivatives = seed.gradient_or_zero(x.as_slice());
            }
            let tangent = (y * x[0]).jvp(x.as_slice(), x.as_slice());
            derivatives.iter().chain([&y, &tangent]).map(|value| value.peek().item() + 0.0).collect::<Vec<_>>()
        };
        same("derivatives", &orders(false), &orders(true))
    });
}

/// One more node is the cotangent 1 of the sum.
#[test]
fn what_arrives_at_a_number_from_many_sides_is_one_node() {
    let graph = Graph::new();
    let x = graph.variable(2.0);
    let y = (0..100).map(|i| x * graph.variable(f64::from(i))).sum::<Var<'_, f64>>();
    let before = graph.len();
    let dx = y.gradient(x);
    assert_eq!((dx.op(), graph.len() - before), (op::SumOfProducts.into(), 2));
    assert_eq!((dx.item(), dx.site().line()), (4950.0, line!() - 4));
}

#[test]
fn an_infinite_part_of_a_sum_is_traced_to_its_line() {
    let graph = Graph::new();
    let (x, large) = (graph.variable(2.0), graph.variable(1e308));
    let y = x * large * 10.0 + x * x + x * x;
    let line = line!() - 1;
    let dx = y.gradient(x);
    let found = graph.trace_non_finite(&[dx]).unwrap().unwrap();
    assert_eq!((found.op, found.site.line(), found.in_derivative), ("mul", line, true));
    let found = graph.compile(&[], &[], &[dx]).unwrap().trace_non_finite().unwrap().unwrap();
    assert_eq!((found.op, found.site.line(), found.in_derivative), ("sum_of_products", line, true));
    assert!(found.to_string().ends_with("numbers from 2.0 to 2.0; and from 2 more"), "{found}");
}
