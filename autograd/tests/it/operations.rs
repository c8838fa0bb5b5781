//! Every operation of the registry, on every arrangement of shapes that it takes.

use autograd::check::Check;
use autograd::op::{self, Case, Domain};
use autograd::{Axis, Graph, Matrix, Op, Real, Shape, Var};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Verdict, broadcastable, close, corner, dot, dyadic, for_all, largest, panic_of, values};

/// Random operands, and numbers for cotangents and tangents.
#[derive(Debug)]
struct Sample {
    operands: Vec<Matrix<f64>>,
    pool: Vec<f64>,
}

/// More than any cotangent and all tangents of a sample together need.
const POOL: usize = 128;

/// An operation applied to operands, some of which are sources of derivatives.
struct Applied<'a> {
    op: Op,
    operands: &'a [Matrix<f64>],
}

impl Applied<'_> {
    /// The operands to which derivatives flow.
    fn point(&self) -> Vec<Matrix<f64>> {
        let slots = self.operands.iter().enumerate();
        slots.filter(|(slot, _)| self.op.differentiable(*slot)).map(|(_, x)| x.clone()).collect()
    }

    /// The operation on `sources` in the places of [`point`](Self::point).
    fn record<'g, T: Real>(&self, graph: &'g Graph<T>, sources: &[Var<'g, T>]) -> Var<'g, T> {
        let mut sources = sources.iter();
        let operand = |(slot, value): (usize, &Matrix<f64>)| {
            if self.op.differentiable(slot) { *sources.next().unwrap() } else { graph.variable(value.cast()) }
        };
        let operands: Vec<_> = self.operands.iter().enumerate().map(operand).collect();
        graph.try_apply(self.op, &operands).unwrap()
    }

    fn shape(&self) -> Shape {
        let graph = Graph::new();
        let sources: Vec<_> = self.point().iter().map(|x| graph.variable(x)).collect();
        self.record(&graph, &sources).shape()
    }
}

/// A cotangent of the result, and tangents of the sources with elements in -1..=1, of numbers of the pool.
fn covectors(at: &Applied<'_>, pool: &[f64]) -> (Matrix<f64>, Vec<Matrix<f64>>) {
    let mut pool = pool.iter().copied();
    let mut next = |shape: Shape, scale: f64| {
        Matrix::from_fn(shape.rows, shape.cols, |_, _| scale * pool.next().expect("the pool is large enough"))
    };
    let cotangent = next(at.shape(), 2.0);
    let tangents = at.point().iter().map(|x| next(x.shape(), 1.0)).collect();
    (cotangent, tangents)
}

/// What makes the diagonal of a small matrix, whose elements are at most 1/2 otherwise, larger than its rows, and its eigenvalues
/// at least 2 apart.
pub(crate) fn dominance(i: usize, j: usize) -> f64 {
    if i == j { 6.0 * f64::from(u32::try_from(i + 1).unwrap()) } else { 0.0 }
}

fn domain(domain: Domain, len: usize) -> BoxedStrategy<Vec<f64>> {
    match domain {
        Domain::Range { low, high, kinks } => {
            let clear =
                move |x: &f64| (low..=high).contains(x) && kinks.iter().all(|kink| (x - kink).abs() >= 1.0 / 16.0);
            vec(dyadic(-64, 64).prop_map(move |x| low + (x + 64.0) / 128.0 * (high - low)), len)
                .prop_map(|x| x.into_iter().map(|x| (x * 1024.0).round() / 1024.0).collect::<Vec<f64>>())
                .prop_filter("too near to a kink", move |x| x.iter().all(clear))
                .boxed()
        }
        Domain::Lattice { phase } => vec((-8..8).prop_map(move |k| (f64::from(k) + phase) / 4.0), len).boxed(),
        Domain::Distinct => Just((-12..12).map(|k| f64::from(k) / 8.0).collect::<Vec<f64>>())
            .prop_shuffle()
            .prop_map(move |x| x[..len].to_vec())
            .boxed(),
        Domain::Index { bound } => {
            let bound = u32::try_from(bound).unwrap();
            vec((0..bound).prop_map(f64::from), len).boxed()
        }
        Domain::Order => {
            let order: Vec<f64> = (0..u32::try_from(len).unwrap()).map(f64::from).collect();
            Just(order).prop_shuffle().boxed()
        }
        Domain::Flag => vec((0..2).prop_map(f64::from), len).boxed(),
        Domain::Dominant => {
            let side = len.isqrt();
            let element = move |(k, x): (usize, f64)| x / 2.0 + dominance(k / side, k % side);
            vec(dyadic(-1, 1), len).prop_map(move |x| x.into_iter().enumerate().map(element).collect()).boxed()
        }
    }
}

/// Operands of the shapes of the case; of a pointwise one all `m x n`.
fn samples(case: &Case) -> impl Strategy<Value = Sample> + use<> {
    let case = case.clone();
    (1..=4usize, 1..=4usize).prop_flat_map(move |(m, n)| {
        let operand = |(slot, kind): (usize, &Domain)| {
            let shape = case.shapes.get(slot).copied().unwrap_or(Shape::new(m, n));
            domain(*kind, shape.len()).prop_map(move |data| Matrix::new(shape.rows, shape.cols, data))
        };
        let operands: Vec<_> = case.domains.iter().enumerate().map(operand).collect();
        (operands, vec(dyadic(-1, 1).prop_filter("zero", |x| *x != 0.0), POOL))
            .prop_map(|(operands, pool)| Sample { operands, pool })
    })
}

/// All arrangements of the operands that broadcast.
fn arrangements(case: &Case, operands: &[Matrix<f64>]) -> Vec<Vec<Matrix<f64>>> {
    if !case.shapes.is_empty() {
        return vec![operands.to_vec()];
    }
    let shapes = broadcastable(operands[0].rows(), operands[0].cols());
    let mut all = vec![Vec::new()];
    for operand in operands {
        let extended = |chosen: &Vec<Matrix<f64>>| {
            let chosen = chosen.clone();
            shapes.iter().map(move |shape| chosen.iter().cloned().chain([corner(operand, *shape)]).collect::<Vec<_>>())
        };
        all = all.iter().flat_map(extended).collect();
    }
    all
}

/// Checks a property of all operations with random operands in all arrangements.
fn for_all_operations(count: u32, property: impl Fn(&Applied<'_>, &[f64]) -> Verdict) {
    for case in op::cases() {
        for_all(count, &format!("{:?}", case.op), &samples(&case), |sample| {
            for operands in arrangements(&case, &sample.operands) {
                let at = Applied { op: case.op, operands: &operands };
                let shapes: Vec<_> = operands.iter().map(|x| x.shape().to_string()).collect();
                property(&at, &sample.pool).map_err(|fault| format!("{}: {fault}", shapes.join(" by ")))?;
            }
            Ok(())
        });
    }
}

/// The same for those with a derivative.
fn for_all_differentiable(count: u32, property: impl Fn(&Applied<'_>, &Matrix<f64>, &[Matrix<f64>]) -> Verdict) {
    for_all_operations(count, |at, pool| {
        if at.point().is_empty() {
            return Ok(());
        }
        let (cotangent, tangents) = covectors(at, pool);
        property(at, &cotangent, &tangents)
    });
}

#[test]
fn every_operation_has_an_example_of_every_operand() {
    for case in op::cases() {
        let name = case.op.name();
        assert!(!case.domains.is_empty(), "{name} has no operand");
        assert!(!case.op.is_leaf(), "{name} is a leaf");
        assert_eq!(case.shapes.is_empty(), case.op.is_pointwise(), "{name}: shapes");
        assert!(case.shapes.is_empty() || case.shapes.len() == case.domains.len(), "{name}: operands");
    }
}

#[test]
fn derivatives_of_every_operation_agree_with_differences_in_all_arrangements() {
    for_all_differentiable(1, |at, _, _| {
        let point = at.point();
        let inputs: Vec<(&str, &Matrix<f64>)> = point.iter().map(|x| ("x", x)).collect();
        let report = Check::new().directions(1).named(&inputs, |x| at.record(x[0].graph(), x));
        if report.is_pass() { Ok(()) } else { Err(report.to_string()) }
    });
}

/// `⟨g, J u⟩ = ⟨Jᵀ g, u⟩`
#[test]
fn jvp_and_vjp_of_every_operation_are_adjoint() {
    for_all_differentiable(256, |at, cotangent, tangents| {
        let graph = Graph::new();
        let x: Vec<_> = at.point().iter().map(|x| graph.variable(x)).collect();
        let u: Vec<_> = tangents.iter().map(|u| graph.variable(u)).collect();
        let y = at.record(&graph, &x);
        let pulled = values(&y.vjp(graph.variable(cotangent), x.as_slice()));
        let pushed = y.jvp(x, u).value();

        let left = dot(cotangent, &pushed);
        let right: f64 = pulled.iter().zip(tangents).map(|(pulled, u)| dot(pulled, u)).sum();
        let terms: usize = pulled.iter().map(Matrix::len).sum::<usize>() + pushed.len();
        let size = 1.0 + largest([&pushed]) * largest([cotangent]) + largest(&pulled) * largest(tangents);
        let tolerance = 4.0 * f64::EPSILON * f64::from(u32::try_from(terms).unwrap()) * size;
        close("⟨g, J u⟩ and ⟨Jᵀ g, u⟩", &Matrix::scalar(left), &Matrix::scalar(right), tolerance)
    });
}

/// Value, products with the Jacobian and its transpose, in one element type.
fn first_order<T: Real>(at: &Applied<'_>, cotangent: &Matrix<f64>, tangents: &[Matrix<f64>]) -> Vec<Matrix<T>> {
    let graph = Graph::new();
    let x: Vec<_> = at.point().iter().map(|x| graph.variable(x.cast::<T>())).collect();
    let u: Vec<_> = tangents.iter().map(|u| graph.variable(u.cast::<T>())).collect();
    let y = at.record(&graph, &x);
    let mut all = y.vjp(graph.variable(cotangent.cast()), x.as_slice());
    all.extend([y, y.jvp(x, u)]);
    values(&all)
}

/// All numbers are exact in `f32`, so that only the operations round: each result is made of at most as many
/// roundings as there are elements, times a few, each relative to the largest term.
#[test]
fn every_operation_in_f32_agrees_with_f64() {
    for_all_differentiable(256, |at, cotangent, tangents| {
        let (short, long) = (first_order::<f32>(at, cotangent, tangents), first_order::<f64>(at, cotangent, tangents));
        let terms: usize = long.iter().map(Matrix::len).sum();
        let tolerance =
            4.0 * f64::from(f32::EPSILON) * f64::from(u32::try_from(terms).unwrap()) * (1.0 + largest(&long));
        for (short, long) in short.iter().zip(&long) {
            close("f32", short, long, tolerance)?;
        }
        Ok(())
    });
}

#[test]
fn operands_without_a_derivative_cut_the_path_by_name_and_have_zero_gradients() {
    for_all_operations(16, |at, _| {
        let graph = Graph::new();
        let operands: Vec<_> = at.operands.iter().map(|x| graph.variable(x)).collect();
        let y = graph.try_apply(at.op, &operands).unwrap();
        for (slot, x) in operands.iter().enumerate().filter(|(slot, _)| !at.op.differentiable(*slot)) {
            let caught = panic_of(|| y.sum().gradient(*x)).message;
            let name = at.op.name();
            for part in ["no derivative flows", &format!("the path is cut by the {name} at ")] {
                if !caught.contains(part) {
                    return Err(format!("slot {slot}: {part:?} is missing in {caught:?}"));
                }
            }
            let zero = y.sum().gradient_or_zero(*x).value();
            close("gradient_or_zero", &zero, &Matrix::zeros(x.rows(), x.cols()), 0.0)?;
        }
        Ok(())
    });
}

#[test]
fn pointwise_operations_on_empty_matrices_have_empty_values_and_zero_gradients() {
    for case in op::cases().into_iter().filter(|case| case.op.is_pointwise()) {
        for (m, n) in [(0, 3), (3, 0), (0, 0)] {
            let full = vec![Matrix::ones(m, n); case.domains.len()];
            let arranged = |slot: usize, shape: &Shape| {
                let mut operands = full.clone();
                operands[slot] = Matrix::ones(shape.rows, shape.cols);
                operands
            };
            let slots = 0..full.len();
            let all = slots
                .flat_map(|slot| broadcastable(m, n).iter().map(|shape| arranged(slot, shape)).collect::<Vec<_>>());
            for operands in all {
                let at = Applied { op: case.op, operands: &operands };
                let graph = Graph::new();
                let x: Vec<_> = at.point().iter().map(|x| graph.variable(x)).collect();
                let y = at.record(&graph, &x);
                let name = case.op.name();
                close(name, &y.value(), &Matrix::zeros(y.rows(), y.cols()), f64::INFINITY).unwrap();
                if x.is_empty() {
                    continue;
                }
                let g = graph.filled(y.rows(), y.cols(), 1.0);
                for (derivative, x) in y.vjp(g, x.as_slice()).iter().zip(&x) {
                    let zero = if y.shape().is_empty() { 0.0 } else { f64::INFINITY };
                    close(name, &derivative.value(), &Matrix::zeros(x.rows(), x.cols()), zero).unwrap();
                }
                let tangent = y.jvp(x.clone(), x).value();
                close(name, &tangent, &Matrix::zeros(y.rows(), y.cols()), f64::INFINITY).unwrap();
            }
        }
    }
}

#[test]
fn an_empty_sum_is_zero_and_so_is_an_inner_product_over_nothing() {
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.variable(Matrix::zeros(2, 0)), graph.variable(Matrix::zeros(0, 3)));
    let products = x.matmul(w);
    close("products", &products.value(), &Matrix::zeros(2, 3), 0.0).unwrap();
    assert_eq!(products.sum().gradient([x, w]).map(|dx| dx.value().shape()), [x.shape(), w.shape()]);
    close("sum", &x.sum().value(), &Matrix::zeros(1, 1), 0.0).unwrap();
    close("rows", &w.sum_axis(Axis::Rows).value(), &Matrix::zeros(1, 3), 0.0).unwrap();
    close("columns", &x.sum_axis(Axis::Columns).value(), &Matrix::zeros(2, 1), 0.0).unwrap();
    let nothing = Matrix::filled(2, 1, f64::NEG_INFINITY);
    close("log_sum_exp", &x.log_sum_exp_axis(Axis::Columns).value(), &nothing, 0.0).unwrap();
    assert_eq!(x.softmax(Axis::Columns).sum().gradient(x).value().shape(), x.shape());
    assert_eq!(Var::concat(&[x, x], Axis::Rows).transpose().value().shape(), Shape::new(0, 4));
}
