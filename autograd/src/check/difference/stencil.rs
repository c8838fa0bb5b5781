//! Central formulas on equally spaced points, for derivatives of any order.

use super::samples::{Pair, Samples};
use super::{Derivative, Difference, Method};
use crate::check::report::Reason;

/// The fewest and the most points of a formula.
const POINTS: (usize, usize) = (5, 15);

/// The weights with which values at `nodes` make the derivative of order `order` at 0, exact for polynomials of a degree below
/// the number of nodes.
///
/// # References
/// B. Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*, Mathematics of Computation 51 (1988)
/// 699-706.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "orders are small")]
pub(super) fn weights(order: usize, nodes: &[f64]) -> Vec<f64> {
    // In row `i` the weights of node `i` for all orders up to `order`; each node that is taken in changes those before it.
    let mut table = vec![vec![0.0; order + 1]; nodes.len()];
    table[0][0] = 1.0;
    let mut product = 1.0;
    for i in 1..nodes.len() {
        let (own, before, mut next) = (nodes[i], nodes[i - 1], 1.0);
        let last = table[i - 1].clone();
        for j in 0..i {
            let apart = own - nodes[j];
            next *= apart;
            for k in (0..=order.min(i)).rev() {
                let lower = if k > 0 { k as f64 * table[j][k - 1] } else { 0.0 };
                table[j][k] = (own * table[j][k] - lower) / apart;
            }
        }
        for k in 0..=order.min(i) {
            let lower = if k > 0 { k as f64 * last[k - 1] } else { 0.0 };
            table[i][k] = product / next * (lower - before * last[k]);
        }
        product = next;
    }
    table.into_iter().map(|row| row[order]).collect()
}

/// The weights of the central formula for the distances 0, 1, … `reach`; those on the left are the same, or for odd orders
/// their negatives.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "at most 15 points")]
fn central(order: usize, reach: usize) -> Vec<f64> {
    let nodes: Vec<f64> = (0..=2 * reach).map(|k| k as f64 - reach as f64).collect();
    let all = weights(order, &nodes);
    let sign = if order.is_multiple_of(2) { 1.0 } else { -1.0 };
    (0..=reach).map(|d| (all[reach + d] + sign * all[reach - d]) / 2.0).collect()
}

/// The sum of the values with these weights, in units of the step, and the size of its terms.
fn formula(weights: &[f64], order: usize, center: f64, pairs: &[Pair], k: usize) -> (f64, f64) {
    let (mut sum, mut size) = (weights[0] * center, (weights[0] * center).abs());
    for (weight, pair) in weights[1..].iter().zip(pairs) {
        let (right, left) = (pair.right[k], pair.left[k]);
        sum += weight * if order.is_multiple_of(2) { right + left } else { right - left };
        size += weight.abs() * (right.abs() + left.abs());
    }
    (sum, size)
}

/// A central formula for the derivative of this order, and the next shorter one for its error.
pub(super) fn stencil(settings: &Difference, samples: &mut Samples<'_>, order: usize) -> Vec<Derivative> {
    let outputs = samples.center().len();
    let points = if let Method::Stencil { points } = settings.method { points } else { 9 };
    let (least, most) = (POINTS.0.max(order + 3), POINTS.1.max(order + 4));
    let reach = points.clamp(least, most) / 2;
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "few points")]
    let balance = (2 * reach - 1 + usize::from(order.is_multiple_of(2))) as f64; // Of the shorter one: the bar is its error.
    let scale = samples.x().abs().max(1.0);
    let step = samples.representable(settings.step.unwrap_or(scale * settings.epsilon.powf(1.0 / balance)));
    let mut pairs = Vec::with_capacity(reach);
    let mut distance = 0.0;
    for _ in 0..reach {
        distance += step;
        match samples.pair(distance) {
            Some(pair) => pairs.push(pair),
            None => return vec![Derivative::unknown(Reason::Noise); outputs],
        }
    }
    let unit = (0..order).fold(1.0, |unit, _| unit * step);
    let [long, short] = [reach, reach - 1].map(|reach| central(order, reach));
    let of = |k: usize| {
        let center = samples.center()[k];
        let (value, size) = formula(&long, order, center, &pairs, k);
        let (shorter, _) = formula(&short, order, center, &pairs, k);
        let rounding = 2.0 * settings.epsilon * settings.noise * size;
        super::cheap::derivative(value / unit, ((shorter - value).abs() + rounding) / unit, step)
    };
    (0..outputs).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn weights_are_those_of_fornbergs_table() {
        near(&central(1, 1), &[0.0, 1.0 / 2.0]);
        near(&central(1, 2), &[0.0, 2.0 / 3.0, -1.0 / 12.0]);
        near(&central(1, 3), &[0.0, 3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0]);
        near(&central(1, 4), &[0.0, 4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0]);
        near(&central(2, 2), &[-5.0 / 2.0, 4.0 / 3.0, -1.0 / 12.0]);
        near(&central(3, 2), &[0.0, -1.0, 1.0 / 2.0]);
        near(&central(4, 3), &[28.0 / 3.0, -13.0 / 2.0, 2.0, -1.0 / 6.0]);
        near(&weights(1, &[0.0, 1.0, 2.0]), &[-3.0 / 2.0, 2.0, -1.0 / 2.0]);
        near(&weights(2, &[0.0, 1.0, 2.0, 3.0]), &[2.0, -5.0, 4.0, -1.0]);
        near(&weights(0, &[-1.0, 1.0]), &[0.5, 0.5]);
    }
}
