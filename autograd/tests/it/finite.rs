//! Central differences with an error bar, and derivatives compared with them.
//!
//! A function of matrices is a closure that records its value in a graph. Differences are taken at steps
//! `2⁻⁵ … 2⁻⁹`, extrapolated by Richardson's rule, and the entry of the table that agrees best with its
//! neighbours is taken (C. Ridders, "Accurate computation of F′(x) and F′(x) F″(x)", 1982). The bar is twice that
//! disagreement plus what rounding may do: [`ULPS`] units in the last place of the magnitude of the function,
//! divided by the smallest step. At points and tangents that are multiples of 1/1024 the shifts are exact.

use autograd::{Graph, Matrix, Var};

use crate::support::{Verdict, close, dot, largest};

/// Units in the last place that a value may be wrong by, beyond one for each of the summed terms.
const ULPS: f64 = 16.0;
const STEPS: [f64; 5] = [1.0 / 32.0, 1.0 / 64.0, 1.0 / 128.0, 1.0 / 256.0, 1.0 / 512.0];

/// A derivative by differences, and what it may be wrong by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

/// The derivatives at 0 of functions of one number, whose values carry errors of some ulps of `magnitude`.
pub(crate) fn differences(magnitude: f64, f: impl Fn(f64) -> Vec<f64>) -> Vec<Estimate> {
    let quotients = STEPS.map(|h| {
        let (above, below) = (f(h), f(-h));
        above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * h)).collect::<Vec<f64>>()
    });
    let noise = ULPS * f64::EPSILON * magnitude / STEPS[STEPS.len() - 1];
    (0..quotients[0].len()).map(|k| extrapolate(quotients.each_ref().map(|level| level[k]), noise)).collect()
}

/// Richardson's table for errors in even powers of the step, which halves from entry to entry.
fn extrapolate(quotients: [f64; STEPS.len()], noise: f64) -> Estimate {
    let mut best = Estimate { value: f64::NAN, error: f64::INFINITY };
    let mut above: Vec<f64> = Vec::new();
    for quotient in quotients {
        let mut row = vec![quotient];
        let mut power = 1.0;
        for (j, coarse) in above.iter().enumerate() {
            power *= 4.0;
            let finer = row[j] + (row[j] - coarse) / (power - 1.0);
            let error = (finer - row[j]).abs().max((finer - coarse).abs());
            if error < best.error {
                best = Estimate { value: finer, error };
            }
            row.push(finer);
        }
        above = row;
    }
    Estimate { value: best.value, error: 2.0 * best.error + noise }
}

fn agrees(what: &str, found: f64, expected: Estimate) -> Verdict {
    let Estimate { value, error } = expected;
    if (found - value).abs() <= error {
        return Ok(());
    }
    Err(format!("{what}: {found:e}, by differences {value:e} ± {error:e}"))
}

/// `point + t direction`
fn shifted(point: &[Matrix<f64>], direction: &[Matrix<f64>], t: f64) -> Vec<Matrix<f64>> {
    let along = |(x, u): (&Matrix<f64>, &Matrix<f64>)| {
        let data = x.as_slice().iter().zip(u.as_slice()).map(|(x, u)| x + t * u).collect();
        Matrix::new(x.rows(), x.cols(), data)
    };
    point.iter().zip(direction).map(along).collect()
}

fn record<'g>(graph: &'g Graph<f64>, values: &[Matrix<f64>]) -> Vec<Var<'g, f64>> {
    values.iter().map(|value| graph.variable(value)).collect()
}

/// How large the terms are of which an element may be the sum.
fn magnitude(of: &[Matrix<f64>]) -> f64 {
    let terms: usize = of.iter().map(Matrix::len).sum();
    (1.0 + largest(of)) * f64::from(u32::try_from(terms).expect("few elements"))
}

fn flattened(matrices: Vec<Matrix<f64>>) -> Vec<f64> {
    matrices.into_iter().flat_map(Matrix::into_vec).collect()
}

/// The vector–Jacobian product of `f` has the shapes of the sources and agrees, element by element, with
/// differences of `⟨cotangent, f⟩`.
pub(crate) fn vjp_agrees(
    f: impl for<'g> Fn(&'g Graph<f64>, &[Var<'g, f64>]) -> Var<'g, f64>,
    point: &[Matrix<f64>],
    cotangent: &Matrix<f64>,
) -> Verdict {
    let graph = Graph::new();
    let x = record(&graph, point);
    let y = f(&graph, &x);
    let derivatives = y.vjp(graph.variable(cotangent), x.as_slice());
    let scale = magnitude(&[y.value()]) * (1.0 + largest([cotangent]));
    for (slot, (derivative, x)) in derivatives.iter().zip(&x).enumerate() {
        if derivative.shape() != x.shape() {
            return Err(format!("vjp {slot}: the shape is {}, not {}", derivative.shape(), x.shape()));
        }
        let derivative = derivative.value();
        for k in 0..derivative.len() {
            let mut direction: Vec<Matrix<f64>> = point.iter().map(|x| Matrix::zeros(x.rows(), x.cols())).collect();
            direction[slot].as_mut_slice()[k] = 1.0;
            let estimate = differences(scale, |t| {
                let graph = Graph::new();
                let y = f(&graph, &record(&graph, &shifted(point, &direction, t)));
                vec![dot(cotangent, &y.value())]
            });
            agrees(&format!("vjp {slot}, element {k}"), derivative.as_slice()[k], estimate[0])?;
        }
    }
    Ok(())
}

/// The gradient of the scalar `f` agrees with differences.
pub(crate) fn gradient_agrees(
    f: impl for<'g> Fn(&'g Graph<f64>, &[Var<'g, f64>]) -> Var<'g, f64>,
    point: &[Matrix<f64>],
) -> Verdict {
    vjp_agrees(f, point, &Matrix::scalar(1.0))
}

/// The Jacobian–vector product of `f` agrees with differences along the tangents.
pub(crate) fn jvp_agrees(
    f: impl for<'g> Fn(&'g Graph<f64>, &[Var<'g, f64>]) -> Var<'g, f64>,
    point: &[Matrix<f64>],
    tangents: &[Matrix<f64>],
) -> Verdict {
    let graph = Graph::new();
    let x = record(&graph, point);
    let y = f(&graph, &x);
    let derivative = y.jvp(x, record(&graph, tangents));
    if derivative.shape() != y.shape() {
        return Err(format!("jvp: the shape is {}, not {}", derivative.shape(), y.shape()));
    }
    let estimates = differences(magnitude(&[y.value()]), |t| {
        let graph = Graph::new();
        f(&graph, &record(&graph, &shifted(point, tangents, t))).value().into_vec()
    });
    for (k, (found, estimate)) in derivative.value().as_slice().iter().zip(estimates).enumerate() {
        agrees(&format!("jvp, element {k}"), *found, estimate)?;
    }
    Ok(())
}

/// The product of the Hessian of `⟨cotangent, f⟩` with `v` is the same in reverse over reverse, forward over
/// reverse and reverse over forward mode, and agrees with differences of the gradient along `v`.
pub(crate) fn second_agrees(
    f: impl for<'g> Fn(&'g Graph<f64>, &[Var<'g, f64>]) -> Var<'g, f64>,
    point: &[Matrix<f64>],
    cotangent: &Matrix<f64>,
    v: &[Matrix<f64>],
) -> Verdict {
    let graph = Graph::new();
    let x = record(&graph, point);
    let direction = record(&graph, v);
    let g = graph.variable(cotangent);
    let y = f(&graph, &x);
    let first = y.vjp(g, x.as_slice());

    let along: Var<'_, f64> = first.iter().zip(&direction).map(|(first, v)| (*first * *v).sum()).sum();
    let reverse_reverse: Vec<_> = along.gradient_or_zero(x.as_slice()).iter().map(|h| h.value()).collect();
    // A linear function has a gradient that does not depend on the point: a zero that does joins it.
    let nothing: Var<'_, f64> = x.iter().map(|x| (*x * 0.0).sum()).sum();
    let forward_reverse: Vec<_> =
        first.iter().map(|first| (*first + nothing).jvp(x.clone(), direction.clone()).value()).collect();
    let forward = (g * y.jvp(x.clone(), direction)).sum();
    let reverse_forward: Vec<_> = forward.gradient_or_zero(x.as_slice()).iter().map(|h| h.value()).collect();

    let scale = magnitude(&forward_reverse) + magnitude(&crate::support::values(&first));
    let rounding = 2.0 * ULPS * f64::EPSILON * scale;
    for slot in 0..x.len() {
        let reference = &forward_reverse[slot];
        close(&format!("reverse over reverse {slot}"), &reverse_reverse[slot], reference, rounding)?;
        close(&format!("reverse over forward {slot}"), &reverse_forward[slot], reference, rounding)?;
    }

    let estimates = differences(scale, |t| {
        let graph = Graph::new();
        let x = record(&graph, &shifted(point, v, t));
        let first = f(&graph, &x).vjp(graph.variable(cotangent), x.as_slice());
        flattened(crate::support::values(&first))
    });
    for (k, (found, estimate)) in flattened(forward_reverse).iter().zip(estimates).enumerate() {
        agrees(&format!("second derivative, element {k}"), *found, estimate)?;
    }
    Ok(())
}

fn probe() -> [Matrix<f64>; 2] {
    [Matrix::from([[0.5, -1.25], [0.75, 2.0]]), Matrix::from([[1.5, 0.25]])]
}

fn smooth<'g>(x: &[Var<'g, f64>]) -> Var<'g, f64> {
    (x[0].tanh() * x[1].exp()).sum() + (x[0].square() / x[1]).sum()
}

#[test]
fn differences_of_known_functions_hold_their_bars() {
    type Function = fn(f64) -> f64;
    let cases: [(Function, f64); 4] = [
        (|t| (1.0 + t).ln(), 1.0),
        (|t| (0.25 + t).recip(), -16.0),
        (|t| (3.0 + t).exp(), 3f64.exp()),
        (|t| (0.7 + t).sin(), 0.7f64.cos()),
    ];
    for (f, expected) in cases {
        let estimate = differences(1.0 + f(0.0).abs(), |t| vec![f(t)])[0];
        assert!((estimate.value - expected).abs() <= estimate.error, "{estimate:?} for {expected}");
        assert!(estimate.error <= 1e-9 * expected.abs(), "{estimate:?} is of no use for {expected}");
    }
}

#[test]
fn a_smooth_composition_agrees_with_differences_to_second_order() {
    let point = probe();
    let v = [Matrix::from([[0.5, 1.0], [-0.75, 0.25]]), Matrix::from([[-0.5, 0.125]])];
    gradient_agrees(|_, x| smooth(x), &point).unwrap();
    jvp_agrees(|_, x| smooth(x), &point, &v).unwrap();
    second_agrees(|_, x| smooth(x), &point, &Matrix::scalar(1.0), &v).unwrap();
}

#[test]
fn a_wrong_gradient_does_not_agree_with_differences() {
    let point = [Matrix::from([[0.5, -1.25]])];
    let missing_term = gradient_agrees(|_, x| (x[0] * x[0].detach()).sum(), &point);
    assert!(missing_term.unwrap_err().contains("by differences"));
    let slightly_wrong =
        gradient_agrees(|_, x| (x[0].square() + x[0].square().detach() * 1e-9 - x[0].square() * 1e-9).sum(), &point);
    assert!(slightly_wrong.unwrap_err().contains("by differences"));
}

#[test]
fn a_wrong_second_derivative_does_not_agree_with_differences() {
    let point = [Matrix::from([[0.5, -1.25]])];
    let v = [Matrix::from([[1.0, 0.5]])];
    // The gradient 3x² is right, but recorded as if it did not depend on x.
    fn cube<'g>(x: Var<'g, f64>) -> Var<'g, f64> {
        (x * (x.square() * 3.0).detach() - (x.powi(3) * 2.0).detach()).sum()
    }
    gradient_agrees(|_, x| cube(x[0]), &point).unwrap();
    let verdict = second_agrees(|_, x| cube(x[0]), &point, &Matrix::scalar(1.0), &v);
    assert!(verdict.unwrap_err().contains("second derivative"));
}

#[test]
fn a_gradient_that_is_not_a_number_does_not_agree() {
    assert!(agrees("x", f64::NAN, Estimate { value: 0.0, error: f64::INFINITY }).is_err());
    assert!(agrees("x", 0.0, Estimate { value: f64::NAN, error: 1.0 }).is_err());
}
