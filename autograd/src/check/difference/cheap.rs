//! Methods of few evaluations, for functions that are slow. Their bars are estimates for functions of moderate scale.

use super::samples::{Pair, Samples};
use super::{Derivative, Difference};
use crate::check::report::Reason;

/// Weights of the central formulas on 3, 5, 7 and 9 points, for distances 1, 2 … from the point.
const WEIGHTS: [&[f64]; 4] = [
    &[1.0 / 2.0],
    &[8.0 / 12.0, -1.0 / 12.0],
    &[45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0],
    &[672.0 / 840.0, -168.0 / 840.0, 32.0 / 840.0, -3.0 / 840.0],
];

/// The weighted sum of differences, and what rounding may do to it.
fn formula(settings: &Difference, pairs: &[Pair], weights: &[f64], k: usize) -> (f64, f64) {
    let step = pairs[0].step;
    let terms = pairs.iter().zip(weights);
    let sum: f64 = terms.clone().map(|(pair, weight)| weight * (pair.right[k] - pair.left[k])).sum();
    let size: f64 = terms.map(|(pair, weight)| weight.abs() * (pair.right[k].abs() + pair.left[k].abs())).sum();
    (sum / step, settings.epsilon * settings.noise * size / step)
}

fn derivative(value: f64, error_bar: f64, step: f64) -> Derivative {
    if value.is_finite() && error_bar.is_finite() {
        Derivative { step, doubt: Some(Reason::Noise), ..Derivative::known(value, error_bar) }
    } else {
        Derivative::unknown(Reason::DomainEdge)
    }
}

/// One central difference. The error of the next larger step is about four times its own.
pub(super) fn fixed(settings: &Difference, samples: &mut Samples<'_>, step: f64) -> Vec<Derivative> {
    let outputs = samples.center().len();
    let (Some(near), Some(far)) = (samples.pair(step), samples.pair(2.0 * step)) else {
        return vec![Derivative::unknown(Reason::Noise); outputs];
    };
    let of = |k: usize| {
        let (value, rounding) = formula(settings, core::slice::from_ref(&near), WEIGHTS[0], k);
        let (larger, _) = formula(settings, core::slice::from_ref(&far), WEIGHTS[0], k);
        derivative(value, (larger - value).abs() + 2.0 * rounding, near.step)
    };
    (0..outputs).map(of).collect()
}

/// A central formula, and the next shorter one for its error.
pub(super) fn stencil(settings: &Difference, samples: &mut Samples<'_>, points: usize) -> Vec<Derivative> {
    let outputs = samples.center().len();
    let reach = (points.clamp(5, 9) - 1) / 2;
    #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "at most 9")]
    let order = (2 * reach + 1) as f64;
    let scale = samples.x().abs().max(1.0);
    let step = samples.representable(settings.step.unwrap_or(scale * settings.epsilon.powf(1.0 / order)));
    let mut pairs = Vec::with_capacity(reach);
    let mut distance = 0.0;
    for _ in 0..reach {
        distance += step;
        match samples.pair(distance) {
            Some(pair) => pairs.push(pair),
            None => return vec![Derivative::unknown(Reason::Noise); outputs],
        }
    }
    let of = |k: usize| {
        let (value, rounding) = formula(settings, &pairs, WEIGHTS[reach - 1], k);
        let (shorter, _) = formula(settings, &pairs, WEIGHTS[reach - 2], k);
        derivative(value, (shorter - value).abs() + 2.0 * rounding, step)
    };
    (0..outputs).map(of).collect()
}

/// Forward differences at halved steps: each distance between two must be half of the one before, as the first term of the
/// remainder is; then twice the last less the one before is free of it.
pub(super) fn taylor(settings: &Difference, samples: &mut Samples<'_>) -> Vec<Derivative> {
    const ROWS: usize = 4;
    const FIRST: f64 = 1e-3;
    let center = samples.center().to_vec();
    let mut step = settings.step.unwrap_or(FIRST * samples.x().abs().max(1.0));
    let mut steps = Vec::with_capacity(ROWS);
    let mut values = Vec::with_capacity(ROWS);
    for _ in 0..ROWS {
        let exact = samples.representable(step);
        steps.push(exact);
        values.push(samples.at(exact));
        step /= 2.0;
    }
    let of = |k: usize| {
        let quotients: Vec<f64> =
            values.iter().zip(&steps).map(|(value, step)| (value[k] - center[k]) / step).collect();
        let [a, b, c, d] = quotients[..] else { return Derivative::unknown(Reason::Noise) };
        let size = values.iter().map(|value| value[k].abs()).fold(center[k].abs(), f64::max);
        let rounding = 2.0 * settings.epsilon * settings.noise * size / steps[ROWS - 1];
        let rate = |far: f64, near: f64| far.abs() <= 8.0 * rounding || (far / near - 2.0).abs() <= 0.2;
        let (value, before) = (2.0 * d - c, 2.0 * c - b);
        let bar = if rate(a - b, b - c) && rate(b - c, c - d) {
            (value - before).abs() + 4.0 * rounding
        } else {
            f64::INFINITY
        };
        derivative(value, bar, steps[ROWS - 1])
    };
    (0..center.len()).map(of).collect()
}
