//! Random graphs over all operations of the registry, for tests that quantify over graphs.
//!
//! A [`Recipe`] is a list of statements, operands before users. It is cooked from [`Choices`], each of which is valid
//! whatever the others are; so proptest shrinks a graph by dropping steps, and numbers towards 0. Values are kept in the
//! domains that the operations' examples state: what lies outside of one is mapped into it, what has the wrong shape is
//! made to fit. Kinks and ties are not avoided: half of the leaves are made of few numbers, which meet often.
//! A recipe prints as the Rust code that records it.

use std::fmt::{self, Write};
use std::sync::OnceLock;

use autograd::op::{self, Bits, Case, Clamp, Compare, Domain, Round, SortOrder};
use autograd::{Axis, Graph, Matrix, Op, Real, Shape, Var};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::operations::dominance;

/// What stands on a line.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// A leaf by which derivatives are taken.
    Variable(Matrix<f64>),
    /// One by which they are not.
    Constant(Matrix<f64>),
    /// An operation on the values of earlier lines.
    Apply(Op, Vec<usize>),
}

/// A graph as data.
#[derive(Clone)]
pub(crate) struct Recipe {
    statements: Vec<Statement>,
}

impl Recipe {
    /// The lines.
    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The values of the variables.
    pub(crate) fn point(&self) -> Vec<Matrix<f64>> {
        let leaf = |statement: &Statement| match statement {
            Statement::Variable(value) => Some(value.clone()),
            Statement::Constant(_) | Statement::Apply(..) => None,
        };
        self.statements.iter().filter_map(leaf).collect()
    }

    /// Of given lines.
    pub(crate) fn of(statements: Vec<Statement>) -> Self {
        Self { statements }
    }

    /// Records all lines, with `sources` in the places of the variables; the values of all lines.
    pub(crate) fn record<'g, T: Real>(&self, graph: &'g Graph<T>, sources: &[Var<'g, T>]) -> Vec<Var<'g, T>> {
        self.record_by(graph, sources, |_, op, operands| graph.try_apply(op, operands).unwrap())
    }

    /// The same with operations applied by `apply`, which is told the line.
    pub(crate) fn record_by<'g, T: Real>(
        &self,
        graph: &'g Graph<T>,
        sources: &[Var<'g, T>],
        mut apply: impl FnMut(usize, Op, &[Var<'g, T>]) -> Var<'g, T>,
    ) -> Vec<Var<'g, T>> {
        let mut sources = sources.iter();
        let mut values: Vec<Var<'g, T>> = Vec::with_capacity(self.statements.len());
        for (line, statement) in self.statements.iter().enumerate() {
            values.push(match statement {
                Statement::Variable(_) => *sources.next().expect("a source for each variable"),
                Statement::Constant(value) => graph.constant(value.cast()),
                Statement::Apply(op, operands) => {
                    let operands: Vec<_> = operands.iter().map(|operand| values[*operand]).collect();
                    apply(line, *op, &operands)
                }
            });
        }
        values
    }

    /// Whether nothing is detached.
    pub(crate) fn is_differentiable(&self) -> bool {
        !self.statements.iter().any(|statement| matches!(statement, Statement::Apply(Op::Detach(_), _)))
    }

    /// The lines whose values no other line uses.
    pub(crate) fn results(&self) -> Vec<usize> {
        let mut used = vec![false; self.statements.len()];
        for statement in &self.statements {
            if let Statement::Apply(_, operands) = statement {
                operands.iter().for_each(|operand| used[*operand] = true);
            }
        }
        (0..used.len()).filter(|line| !used[*line]).collect()
    }

    /// All that it computes in one column: the elements of the [`results`](Self::results), then those of the variables,
    /// so that it is connected to each of them.
    pub(crate) fn column<'g, T: Real>(&self, graph: &'g Graph<T>, sources: &[Var<'g, T>]) -> Var<'g, T> {
        self.joined(&self.record(graph, sources), sources)
    }

    /// The same of values that were recorded.
    pub(crate) fn joined<'g, T: Real>(&self, values: &[Var<'g, T>], sources: &[Var<'g, T>]) -> Var<'g, T> {
        let results = self.results();
        let all = results.iter().map(|line| &values[*line]).chain(sources);
        let columns: Vec<_> = all.map(|value| value.reshape(value.shape().len(), 1)).collect();
        Var::concat(&columns, Axis::Rows)
    }
}

/// Rust code: a block with `graph: &Graph<f64>` in scope, whose value is an array of the results.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{{\n    use autograd::op::*;\n    use autograd::{{Axis::*, Matrix, Op, Shape}};")?;
        writeln!(f, "    use {{Compare::*, Direction::*, Part::*, Round::*, SortOrder::*}};")?;
        writeln!(f, "    let apply = |op: Op, x: &[_]| graph.try_apply(op, x).unwrap();")?;
        for (line, statement) in self.statements.iter().enumerate() {
            write!(f, "    let x{line} = ")?;
            match statement {
                Statement::Variable(value) => writeln!(f, "graph.variable({});", literal(value))?,
                Statement::Constant(value) => writeln!(f, "graph.constant({});", literal(value))?,
                Statement::Apply(op, operands) => {
                    // All but a few leaves are a variant around the operation of the same name.
                    let op = format!("{op:?}").replace("Bits::new(inf)", "Bits::new(f64::INFINITY)");
                    writeln!(f, "apply(Op::{op}, &[{}]);", names(operands))?;
                }
            }
        }
        write!(f, "    [{}]\n}}", names(&self.results()))
    }
}

/// What proptest prints when a property fails.
impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn names(lines: &[usize]) -> String {
    lines.iter().map(|line| format!("x{line}")).collect::<Vec<_>>().join(", ")
}

fn literal(value: &Matrix<f64>) -> String {
    let number = |x: &f64| match x {
        x if x.is_nan() => "f64::NAN".to_owned(),
        x if x.is_infinite() => (if *x > 0.0 { "f64::INFINITY" } else { "f64::NEG_INFINITY" }).to_owned(),
        x => format!("{x:?}"),
    };
    let list = |numbers: &[f64]| numbers.iter().map(number).collect::<Vec<_>>().join(", ");
    match (value.rows(), value.cols()) {
        (1, 1) => number(&value.item()),
        (rows, cols) if value.is_empty() => format!("Matrix::new({rows}, {cols}, vec![])"),
        (rows, _) => {
            let mut text = String::from("[");
            for i in 0..rows {
                write!(text, "{}[{}]", if i == 0 { "" } else { ", " }, list(value.row(i))).expect("memory");
            }
            text + "]"
        }
    }
}

/// Random graphs of up to `steps` operations, with finite values throughout.
pub(crate) fn recipes(steps: usize) -> impl Strategy<Value = Recipe> {
    choices(steps).prop_map(|choices| Cook::recipe(&choices, Domains::Kept))
}

/// The same with infinities, NaN, zeros of both signs, huge and tiny numbers in the leaves, and no operand mapped into its
/// domain: derivatives mean little then, but nothing may break.
pub(crate) fn wild_recipes(steps: usize) -> impl Strategy<Value = Recipe> {
    choices(steps).prop_map(|choices| Cook::recipe(&choices, Domains::Ignored))
}

/// Random graphs in which the operation of an example is used, with the line that it stands on; `None` where its operands
/// cannot be made to fit. It has up to `before` operations above it, and as many below, the first of which uses it.
pub(crate) fn recipes_around(case: Case, before: usize) -> impl Strategy<Value = Option<(Recipe, usize)>> {
    (choices(2 * before), 0..=before).prop_map(move |(mut choices, before)| {
        let graph = Graph::new();
        let mut cook = Cook::new(&graph, Domains::Kept);
        let below = choices.steps.split_off(before.min(choices.steps.len() - 1));
        let mut pool = cook.leaves(&choices);
        choices.steps.iter().for_each(|step| cook.random_step(step, &mut pool));
        let (_, _, operands, fit) = below[0];
        let line = cook.step_from(&case, operands, fit, &pool)?;
        pool.push(line);
        for (k, step) in below.iter().enumerate() {
            let mut step = *step;
            if k == 0 {
                step.2[0] = 0;
            }
            cook.random_step(&step, &mut pool);
        }
        Some((Recipe { statements: cook.statements }, line))
    })
}

/// What a recipe is cooked from. All numbers are taken modulo what there is to choose from.
#[derive(Clone, Debug)]
struct Choices {
    /// Rows and columns of the largest leaves.
    size: (usize, usize),
    leaves: Vec<LeafChoice>,
    steps: Vec<StepChoice>,
}

/// Shape (of those that broadcast to the size, and its transpose), whether of few numbers, thousands.
type LeafChoice = (usize, bool, [i32; LEAF]);

/// Operation, example of it, operands (how far back), how they are made to fit.
type StepChoice = (usize, usize, [usize; 3], usize);

/// Elements of the largest leaf.
const LEAF: usize = 16;
/// Elements of the largest value: what is larger is dropped.
const LARGEST: usize = 64;

/// From simple to less so. The first that is no scalar is not square, so that a shrunken graph shows a missing transpose.
const SIZES: [(usize, usize); 14] = [
    (1, 1),
    (2, 3),
    (3, 2),
    (1, 3),
    (3, 1),
    (2, 4),
    (4, 3),
    (2, 2),
    (3, 3),
    (3, 4),
    (4, 4),
    // Empty ones are rare.
    (2, 0),
    (0, 3),
    (0, 0),
];
const EMPTY: usize = 11;

fn choices(steps: usize) -> impl Strategy<Value = Choices> {
    let size = prop_oneof![40 => 0..EMPTY, 1 => EMPTY..SIZES.len()].prop_map(|i| SIZES[i]);
    let numbers = proptest::array::uniform16(-2000..=2000i32);
    let leaf = (0..5usize, any::<bool>(), numbers);
    let step = (0..usize::MAX, 0..usize::MAX, proptest::array::uniform3(0..64usize), 0..64usize);
    (size, vec(leaf, 1..4), vec(step, 1..=steps)).prop_map(|(size, leaves, steps)| Choices { size, leaves, steps })
}

/// The examples of the registry, those of one operation together.
fn menu() -> &'static [Vec<Case>] {
    static MENU: OnceLock<Vec<Vec<Case>>> = OnceLock::new();
    MENU.get_or_init(|| {
        let mut menu: Vec<Vec<Case>> = Vec::new();
        for case in op::cases() {
            match menu.iter_mut().find(|cases| cases[0].op.name() == case.op.name()) {
                Some(cases) => cases.push(case),
                None => menu.push(vec![case]),
            }
        }
        menu
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Domains {
    Kept,
    Ignored,
}

/// A line while cooking.
#[derive(Clone, Copy, Debug)]
struct Line {
    shape: Shape,
    /// The least and the largest number; NaN if one is.
    range: (f64, f64),
}

/// Makes a recipe of choices, and computes its values on the way.
struct Cook<'g> {
    graph: &'g Graph<f64>,
    values: Vec<Var<'g, f64>>,
    lines: Vec<Line>,
    statements: Vec<Statement>,
    domains: Domains,
}

impl<'g> Cook<'g> {
    fn recipe(choices: &Choices, domains: Domains) -> Recipe {
        let graph = Graph::new();
        let mut cook = Cook::new(&graph, domains);
        let mut pool = cook.leaves(choices);
        choices.steps.iter().for_each(|step| cook.random_step(step, &mut pool));
        Recipe { statements: cook.statements }
    }

    fn new(graph: &'g Graph<f64>, domains: Domains) -> Self {
        Cook { graph, values: Vec::new(), lines: Vec::new(), statements: Vec::new(), domains }
    }

    fn leaves(&mut self, choices: &Choices) -> Vec<usize> {
        choices.leaves.iter().map(|leaf| self.leaf(choices.size, leaf)).collect()
    }

    fn random_step(&mut self, (operation, example, operands, fit): &StepChoice, pool: &mut Vec<usize>) {
        let cases = &menu()[operation % menu().len()];
        let line = self.step_from(&cases[example % cases.len()], *operands, *fit, pool);
        pool.extend(line);
    }

    fn step_from(&mut self, case: &Case, operands: [usize; 3], fit: usize, pool: &[usize]) -> Option<usize> {
        let back = |slot: usize| pool[pool.len() - 1 - operands[slot % 3] % pool.len()];
        self.step(case, (0..case.domains.len()).map(back).collect(), fit)
    }

    fn leaf(&mut self, (rows, cols): (usize, usize), (form, coarse, thousands): &LeafChoice) -> usize {
        const SPECIAL: [f64; 9] =
            [0.0, -0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-300, -1e300, f64::MIN_POSITIVE / 4.0];
        let shape = [(rows, cols), (1, cols), (rows, 1), (1, 1), (cols, rows)][*form];
        let number = |i: usize, j: usize| match (thousands[i * shape.1 + j], self.domains) {
            (k, Domains::Ignored) if *coarse => SPECIAL[usize::try_from(k.abs()).expect("no sign") % SPECIAL.len()],
            (k, _) if *coarse => f64::from(k / 500) / 2.0,
            (k, _) => f64::from(k) / 1000.0,
        };
        let value = Matrix::from_fn(shape.0, shape.1, number);
        let var = self.graph.variable(&value);
        self.keep(Statement::Variable(value), var).expect("a leaf is small")
    }

    /// Adds a line, unless its value is too large.
    fn keep(&mut self, statement: Statement, var: Var<'g, f64>) -> Option<usize> {
        let shape = var.shape();
        if shape.len() > LARGEST {
            return None;
        }
        let wider = |(low, high): (f64, f64), x: &f64| {
            if x.is_nan() { (*x, *x) } else { (if *x < low { *x } else { low }, if *x > high { *x } else { high }) }
        };
        let range = var.peek().as_slice().iter().fold((f64::INFINITY, f64::NEG_INFINITY), wider);
        self.statements.push(statement);
        self.values.push(var);
        self.lines.push(Line { shape, range });
        Some(self.lines.len() - 1)
    }

    fn constant(&mut self, value: Matrix<f64>) -> usize {
        let var = self.graph.constant(&value);
        self.keep(Statement::Constant(value), var).expect("constants are small")
    }

    fn try_apply(&mut self, op: impl Into<Op>, operands: &[usize]) -> Option<usize> {
        let op = op.into();
        let vars: Vec<_> = operands.iter().map(|operand| self.values[*operand]).collect();
        let var = self.graph.try_apply(op, &vars).ok()?;
        self.keep(Statement::Apply(op, operands.to_vec()), var)
    }

    fn apply(&mut self, op: impl Into<Op>, operands: &[usize]) -> usize {
        self.try_apply(op, operands).expect("it fits and is small")
    }

    /// Applies the operation of an example to operands that are made fit for it.
    fn step(&mut self, case: &Case, mut operands: Vec<usize>, fit: usize) -> Option<usize> {
        // The factorisation of a matrix that is not finite is an error, not a number; so is that of its tangent.
        if self.domains == Domains::Ignored && matches!(case.op, Op::Determinant(_) | Op::Cofactors(_)) {
            return None;
        }
        let positional =
            case.domains.iter().any(|domain| matches!(domain, Domain::Index { .. } | Domain::Order | Domain::Dominant));
        let vars: Vec<_> = operands.iter().map(|operand| self.values[*operand]).collect();
        if positional || self.graph.try_apply(case.op, &vars).is_err() {
            for slot in 0..operands.len() {
                let shape = case.shapes.get(slot).copied().unwrap_or_else(|| self.broadcasting(&operands[..slot], fit));
                operands[slot] = if slot == 0 && case.shapes.is_empty() {
                    operands[0]
                } else {
                    self.reshaped(operands[slot], shape)
                };
            }
        }
        for slot in 0..operands.len() {
            let next = operands[(slot + 1) % operands.len()];
            operands[slot] = self.in_domain(operands[slot], case.domains[slot], next, fit);
        }
        let finite = |operand: &usize| self.values[*operand].value().as_slice().iter().all(|x| x.is_finite());
        if factorises(case.op) && !operands.iter().all(finite) {
            return None;
        }
        self.try_apply(case.op, &operands)
    }

    /// A shape that broadcasts with those of `operands`.
    fn broadcasting(&self, operands: &[usize], fit: usize) -> Shape {
        let shapes = operands.iter().map(|operand| self.lines[*operand].shape);
        let full = shapes.fold(Shape::SCALAR, |full, shape| full.broadcast(shape).expect("they were made to fit"));
        [full, Shape::new(1, full.cols), Shape::new(full.rows, 1), Shape::SCALAR][fit % 4]
    }

    /// The same elements in another shape: repeated where there are too few, dropped where there are too many.
    fn reshaped(&mut self, x: usize, shape: Shape) -> usize {
        let from = self.lines[x].shape;
        if from == shape {
            return x;
        }
        if from.is_empty() {
            return self.constant(Matrix::filled(shape.rows, shape.cols, 0.5));
        }
        if from.len() == shape.len() {
            return self.apply(op::Reshape(shape), &[x]);
        }
        if from.broadcast(shape) == Some(shape) {
            return self.apply(op::Broadcast(shape), &[x]);
        }
        let column = self.reshaped(x, Shape::new(from.len(), 1));
        let indices = self.constant(Matrix::from_fn(shape.len(), 1, |i, _| whole(i % from.len())));
        let taken = self.apply(op::GatherRows, &[column, indices]);
        self.reshaped(taken, shape)
    }

    /// An operand for a domain: `x` itself if it lies in it.
    fn in_domain(&mut self, x: usize, domain: Domain, other: usize, fit: usize) -> usize {
        let Line { shape, range } = self.lines[x];
        match domain {
            Domain::Range { low, high, .. } => self.between(x, low, high, fit),
            Domain::Lattice { .. } | Domain::Distinct => self.between(x, -2.0, 2.0, fit),
            Domain::Index { bound } if self.domains == Domains::Ignored || range.0.is_nan() => {
                self.constant(Matrix::from_fn(shape.rows, shape.cols, |i, j| whole((i * shape.cols + j + fit) % bound)))
            }
            Domain::Index { bound } => {
                let scale = self.constant(Matrix::scalar(whole(bound) / 2.0));
                let magnitude = self.apply(op::Abs, &[x]);
                let scaled = self.apply(op::Mul, &[magnitude, scale]);
                let (low, high) = (Bits::new(0.0), Bits::new(whole(bound) - 1.0));
                let clamped = self.apply(Clamp { low, high }, &[scaled]);
                self.apply(Round::Floor, &[clamped])
            }
            Domain::Order => {
                let row = self.reshaped(x, Shape::new(1, shape.len()));
                let order = self.apply(op::ArgSort(SortOrder::Ascending), &[row]);
                self.reshaped(order, shape)
            }
            Domain::Flag => {
                let fits = self.lines[other].shape.broadcast(shape) == Some(shape);
                let other = if fits { other } else { self.constant(Matrix::scalar(0.25)) };
                self.apply(Compare::Less, &[x, other])
            }
            Domain::Dominant if self.domains == Domains::Ignored || range.0.is_nan() => {
                self.constant(Matrix::from_fn(shape.rows, shape.cols, |i, j| 0.25 + dominance(i, j)))
            }
            Domain::Dominant => {
                let small = self.between(x, -1.0, 1.0, fit);
                let half = self.constant(Matrix::scalar(0.5));
                let halved = self.apply(op::Mul, &[small, half]);
                let diagonal = self.constant(Matrix::from_fn(shape.rows, shape.cols, dominance));
                self.apply(op::Add, &[halved, diagonal])
            }
        }
    }

    /// `x`, mapped to the middle half of a range if it leaves the range or the domains are ignored.
    fn between(&mut self, x: usize, low: f64, high: f64, fit: usize) -> usize {
        let range = self.lines[x].range;
        if self.domains == Domains::Ignored || low <= range.0 && range.1 <= high || self.lines[x].shape.is_empty() {
            return x;
        }
        let (squashed, from) = if fit.is_multiple_of(2) {
            (self.apply(op::Sigmoid, &[x]), 0.0)
        } else {
            (self.apply(op::Sin, &[x]), -1.0)
        };
        let scale = (high - low) / (1.0 - from);
        let scale = self.constant(Matrix::scalar(scale));
        let start = self.constant(Matrix::scalar(if from < 0.0 { (low + high) / 2.0 } else { low }));
        let scaled = self.apply(op::Mul, &[squashed, scale]);
        self.apply(op::Add, &[scaled, start])
    }
}

/// Whether a number that is not finite is an error.
fn factorises(op: Op) -> bool {
    let by_elimination = matches!(op, Op::Inverse(_) | Op::Solve(_) | Op::SolveTriangular(_) | Op::Cholesky(_));
    let of_determinants = matches!(op, Op::Determinant(_) | Op::Cofactors(_) | Op::LogDeterminant(_));
    by_elimination || of_determinants || matches!(op, Op::Eigenvalues(_) | Op::Eigenvectors(_))
}

fn whole(n: usize) -> f64 {
    f64::from(u32::try_from(n).expect("a small number"))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use autograd::op::{Direction, MatMul, Part, Slice, Triangle};
    use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

    use super::*;
    use crate::support::for_all;

    fn names_of(recipe: &Recipe) -> impl Iterator<Item = &'static str> {
        recipe.statements().iter().filter_map(|statement| match statement {
            Statement::Apply(op, _) => Some(op.name()),
            Statement::Variable(_) | Statement::Constant(_) => None,
        })
    }

    #[test]
    fn every_operation_occurs_in_random_graphs() {
        let seen = RefCell::new(BTreeSet::new());
        for_all(4000, "recipes", &recipes(8), |recipe| {
            seen.borrow_mut().extend(names_of(&recipe));
            Ok(())
        });
        let all: BTreeSet<_> = op::cases().iter().map(|case| case.op.name()).collect();
        assert_eq!(all.difference(&seen.borrow()).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn random_graphs_are_finite_and_of_many_shapes() {
        let shapes = RefCell::new(BTreeSet::new());
        for_all(1000, "recipes", &recipes(8), |recipe| {
            let graph = Graph::<f64>::new();
            let sources: Vec<_> = recipe.point().iter().map(|x| graph.variable(x)).collect();
            for value in recipe.record(&graph, &sources) {
                shapes.borrow_mut().insert((value.rows(), value.cols()));
                if value.value().as_slice().iter().any(|x| !x.is_finite()) {
                    return Err(format!("{value:?} is not finite"));
                }
            }
            Ok(())
        });
        for shape in [(1, 1), (2, 3), (3, 2), (1, 4), (4, 1), (0, 3), (2, 0)] {
            assert!(shapes.borrow().contains(&shape), "no value is {shape:?}");
        }
    }

    #[test]
    fn a_failing_graph_shrinks_to_what_matters() {
        let config = Config { rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&recipes(8), |recipe| {
            let fails = names_of(&recipe).any(|name| name == "matmul");
            if fails { Err(TestCaseError::fail("a product")) } else { Ok(()) }
        });
        let Err(TestError::Fail(_, minimal)) = outcome else { panic!("no graph has a product") };
        assert_eq!(minimal.point(), [Matrix::scalar(0.0)]);
        assert_eq!(minimal.statements().len(), 2, "{minimal}");
    }

    fn varied() -> Recipe {
        let apply = |op: Op, operands: &[usize]| Statement::Apply(op, operands.to_vec());
        let (low, high) = (Bits::new(-0.5), Bits::new(f64::INFINITY));
        let slice = Slice { start: (0, 2), shape: Shape::new(2, 2), step: (1, -2) };
        Recipe {
            statements: vec![
                Statement::Variable(Matrix::from([[0.5, -1.25, 2.0], [0.0, -0.0, 1.0]])),
                Statement::Constant(Matrix::scalar(f64::NEG_INFINITY)),
                apply(Clamp { low, high }.into(), &[0]),
                apply(op::Powf(Bits::new(1.5)).into(), &[2]),
                apply(Compare::LessOrEqual.into(), &[1, 0]),
                apply(op::Select.into(), &[4, 3, 0]),
                apply(op::Sum(Some(Axis::Rows)).into(), &[5]),
                apply(MatMul { transpose_left: false, transpose_right: true }.into(), &[5, 6]),
                apply(slice.into(), &[5]),
                apply(Triangle { part: Part::Lower, offset: -1 }.into(), &[8]),
                apply(op::CumSum(Direction::Backward).into(), &[9]),
                apply(op::ArgSort(SortOrder::Descending).into(), &[7]),
                apply(Round::TiesEven.into(), &[10]),
                Statement::Constant(Matrix::zeros(0, 2)),
            ],
        }
    }

    #[allow(unused_imports, reason = "the imports serve any recipe")]
    fn printed(graph: &Graph<f64>) -> [Var<'_, f64>; 3] {
        include!("recipe/printed.rs")
    }

    #[test]
    fn a_recipe_prints_as_the_code_that_records_it() {
        let recipe = varied();
        assert_eq!(recipe.to_string(), include_str!("recipe/printed.rs").trim_end());
        let (graph, other) = (Graph::new(), Graph::new());
        let sources: Vec<_> = recipe.point().iter().map(|x| graph.variable(x)).collect();
        let values = recipe.record(&graph, &sources);
        for (line, var) in recipe.results().into_iter().zip(printed(&other)) {
            assert_eq!(values[line].value(), var.value());
        }
    }
}
