//! Methods of few evaluations, for functions that are slow. Their bars are estimates for functions of moderate scale.

use super::samples::{Pair, Samples};
use super::{Derivative, Difference};
use crate::check::report::Reason;

/// The central difference of a pair, and what rounding may do to it.
fn quotient(settings: &Difference, pair: &Pair, k: usize) -> (f64, f64) {
    let size = (pair.right[k].abs() + pair.left[k].abs()) / 2.0;
    ((pair.right[k] - pair.left[k]) / 2.0 / pair.step, settings.epsilon * settings.noise * size / pair.step)
}

pub(super) fn derivative(value: f64, error_bar: f64, step: f64) -> Derivative {
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
        let (value, rounding) = quotient(settings, &near, k);
        let (larger, _) = quotient(settings, &far, k);
        derivative(value, (larger - value).abs() + 2.0 * rounding, near.step)
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
