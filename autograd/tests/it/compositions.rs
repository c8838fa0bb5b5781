//! Random compositions of operations: what is true of each must stay true of all together.

use std::cell::Cell;

use autograd::check::Check;
use autograd::{Axis, Matrix, Var};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Verdict, dyadic_matrix, for_all};

/// A step of a composition: which operation, of which of the values so far.
type Step = (usize, usize, usize);

/// How many kinds of step there are.
const KINDS: usize = 28;

/// A new value of two of those before. All stay of moderate size, and all are smooth, so that differences hold.
fn step<'g>(kind: usize, x: Var<'g, f64>, y: Var<'g, f64>) -> Var<'g, f64> {
    let fitted = if x.shape().broadcast(y.shape()).is_some() { y } else { y.mean() };
    match kind {
        0 => x + fitted,
        1 => x - fitted,
        2 => x.tanh() * fitted.sigmoid(),
        3 => x / (fitted.square() + 1.0),
        4 => (x.square() + 0.5).sqrt(),
        5 => x.tanh().exp(),
        6 => (x.square() + 1.0).ln(),
        7 => x.softplus() - fitted.log_sigmoid() * 0.25,
        8 => x.tanh().powi(3),
        9 => (x.sigmoid() + 0.5).powf(-1.5),
        10 => x.sum_axis(Axis::Rows).tanh(),
        11 => x.mean_axis(Axis::Columns),
        12 => x.softmax(Axis::Columns),
        13 => x.log_softmax(Axis::Rows),
        14 => x.log_sum_exp_axis(Axis::Columns),
        15 => x.transpose(),
        16 if x.cols() == y.rows() => x.tanh().matmul(y.tanh()),
        16 => x.transpose().matmul(x.tanh()).tanh(),
        17 if x.rows() == y.rows() => Var::concat(&[x, y], Axis::Columns).slice(0..x.rows(), 0..x.cols()),
        17 => x.slice(0..1, 0..x.cols()),
        18 => x.reshape(1, x.shape().len()).tanh(),
        19 => x.sin() * fitted.cos(),
        20 => x.hypot(fitted.sigmoid()),
        21 => x.logaddexp(fitted),
        22 => x.square().ln_1p() - x.asinh(),
        23 => x.gelu() + fitted.silu() * 0.5,
        24 => x.erf() * fitted.gaussian(),
        25 => (x.square() + 0.5).pow(fitted.tanh()),
        26 => x.atan2(fitted.square() + 0.5),
        _ => x * fitted.tanh() + x.detach() * 0.0,
    }
}

/// The sum of the last values of a composition, each squashed.
fn compose<'g>(sources: &[Var<'g, f64>], steps: &[Step]) -> Var<'g, f64> {
    let mut values = sources.to_vec();
    for (kind, x, y) in steps {
        let (x, y) = (values[x % values.len()], values[y % values.len()]);
        values.push(step(*kind, x, y));
    }
    values.iter().map(|value| value.tanh().sum()).sum()
}

fn compositions() -> impl Strategy<Value = (Vec<Matrix<f64>>, Vec<Matrix<f64>>, Vec<Step>)> {
    let sources = || (dyadic_matrix(2, 3), dyadic_matrix(3, 1), dyadic_matrix(1, 1), dyadic_matrix(1, 3));
    let sources = move || sources().prop_map(|(a, b, c, d)| vec![a, b, c, d]);
    (sources(), sources(), vec((0..KINDS, 0..64usize, 0..64usize), 1..12))
}

/// Fails if the checker says that a derivative is wrong, and counts how often it cannot tell.
fn judged(
    unclear: &Cell<usize>,
    point: &[Matrix<f64>],
    f: impl for<'g> Fn(&[Var<'g, f64>]) -> Var<'g, f64>,
) -> Verdict {
    let inputs: Vec<(&str, &Matrix<f64>)> = ["a", "b", "c", "d"].into_iter().zip(point).collect();
    let report = Check::new().named(&inputs, f);
    if report.is_fail() {
        return Err(report.to_string());
    }
    unclear.set(unclear.get() + usize::from(!report.is_pass()));
    Ok(())
}

#[test]
fn derivatives_of_random_compositions_agree_with_differences_to_second_order() {
    let unclear = Cell::new(0);
    for_all(200, "compositions", &compositions(), |(point, _, steps)| judged(&unclear, &point, |x| compose(x, &steps)));
    assert!(unclear.get() <= 4, "{} of 200 are unclear", unclear.get());
}

#[test]
fn third_derivatives_of_random_compositions_are_differences_of_second_ones() {
    let unclear = Cell::new(0);
    for_all(50, "compositions", &compositions(), |(point, v, steps)| {
        // The gradient along v, a scalar function of its own, whose Hessian is a third derivative.
        judged(&unclear, &point, |x| {
            let gradient = compose(x, &steps).gradient(x);
            gradient.iter().zip(&v).map(|(g, v)| (*g * g.graph().constant(v)).sum()).sum()
        })
    });
    assert!(unclear.get() <= 12, "{} of 50 are unclear", unclear.get());
}
