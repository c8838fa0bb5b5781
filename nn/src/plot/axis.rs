//! Axes: from numbers to pixels, and the numbers worth a tick.

use crate::error::PlotError;

/// The largest number that an axis reaches, apart from its margins.
const LARGEST: f64 = f64::MAX / 8.0;

/// How an axis spreads its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    Linear,
    Logarithmic,
}

/// An axis that maps `low ..= high` to pixels `from ..= to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    spread: Spread,
}

impl Axis {
    /// An axis over exactly this range.
    pub(super) fn new(low: f64, high: f64, pixels: (f64, f64)) -> Result<Self, PlotError> {
        if !(low < high && (high - low).is_finite()) {
            return Err(PlotError::Range { low, high });
        }
        Ok(Self { low, high, from: pixels.0, to: pixels.1, spread: Spread::Linear })
    }

    /// An axis over the finite ones of these values (positive ones, if logarithmic); `None` if there is none.
    pub(super) fn over(values: impl Iterator<Item = f64>, pixels: (f64, f64), spread: Spread) -> Option<Self> {
        let (low, high) = values
            .map(|value| spread.position(value))
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return None;
        }
        // Away from the ends of f64, so that no difference overflows.
        let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
        // A range of one value, or of two that differ by rounding alone, is widened.
        let least = 1e-9 * low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
        let margin = if high - low > least { 0.0 } else { (0.05 * high.abs()).max(0.5) };
        let (low, high) = (low - margin, high + margin);
        Some(Self { low, high, from: pixels.0, to: pixels.1, spread })
    }

    /// The same axis, a share longer at both ends.
    pub(super) fn padded(self, share: f64) -> Self {
        let margin = share * (self.high - self.low);
        Self { low: self.low - margin, high: self.high + margin, ..self }
    }

    /// The same axis, begun at 0 if that makes it at most half as long again.
    pub(super) fn with_zero(self) -> Self {
        let near = self.spread == Spread::Linear && self.low > 0.0 && self.low < (self.high - self.low) / 2.0;
        if near { Self { low: 0.0, ..self } } else { self }
    }

    /// The pixel of a value; `None` if it is not finite or, on a logarithmic axis, not positive.
    pub(super) fn pixel(&self, value: f64) -> Option<f64> {
        let share = (self.spread.position(value) - self.low) / (self.high - self.low);
        share.is_finite().then_some(self.from + share * (self.to - self.from))
    }

    /// About `count` round numbers on the axis, and how they are written. On a `whole` axis, only whole ones.
    pub(super) fn ticks(&self, count: usize, whole: bool) -> Vec<(f64, String)> {
        match self.spread {
            Spread::Linear => linear_ticks(self.low, self.high, count, whole),
            Spread::Logarithmic => logarithmic_ticks(self.low, self.high, count),
        }
    }
}

impl Spread {
    fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
#[allow(clippy::cast_possible_truncation, reason = "at most some twenty ticks")]
fn linear_ticks(low: f64, high: f64, count: usize, whole: bool) -> Vec<(f64, String)> {
    let step = round_step((high - low) / count.max(1) as f64);
    let step = if whole { step.max(1.0) } else { step };
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let scale = low.abs().max(high.abs());
    // `+ 0.0` turns −0 into 0.
    (0..=(last - first) as i64)
        .map(|i| (first + i as f64) * step + 0.0)
        .map(|tick| (tick, label(tick, step, scale)))
        .collect()
}

/// The smallest of 1, 2, 5 and 10 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|&step| step >= 0.999 * least).unwrap_or(10.0 * power)
}

/// A tick with the digits that tell it from its neighbours, on an axis of numbers up to `scale`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of digits, checked to be small")]
fn label(tick: f64, step: f64, scale: f64) -> String {
    let decimals = -(step * 1.001).log10().floor();
    if scale >= 1e6 || decimals > 5.0 {
        let digits = ((scale / step).log10().ceil() as usize).saturating_sub(1).min(15);
        return format!("{tick:.digits$e}");
    }
    format!("{tick:.*}", decimals.max(0.0) as usize)
}

/// Powers of ten; on a short axis also their double and fivefold. `low` and `high` are exponents.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "exponents of f64 lie within ±324")]
fn logarithmic_ticks(low: f64, high: f64, count: usize) -> Vec<(f64, String)> {
    let every = ((high - low) / count.max(1) as f64).ceil().max(1.0) as usize;
    let digits: &[f64] = if high - low < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let inside = |tick: &f64| (low - 1e-9..=high + 1e-9).contains(&tick.log10());
    let ticks: Vec<f64> = (low.floor() as i32..=high.ceil() as i32)
        .step_by(every)
        .flat_map(|power| digits.iter().map(move |digit| digit * 10_f64.powi(power)))
        .filter(inside)
        .collect();
    if ticks.len() < 2 {
        // Less than a factor of about two: such an axis is nearly linear.
        let (low, high) = (10_f64.powf(low), 10_f64.powf(high));
        return if low < high { linear_ticks(low, high, count, false) } else { Vec::new() };
    }
    ticks.into_iter().map(|tick| (tick, power_label(tick))).collect()
}

fn power_label(tick: f64) -> String {
    if (1e-3..1e5).contains(&tick) { format!("{}", (tick * 1e6).round() / 1e6) } else { format!("{tick:.0e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis, count: usize, whole: bool) -> Vec<String> {
        axis.ticks(count, whole).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_in_range() {
        let linear = |low, high| Axis::new(low, high, (0.0, 1.0)).unwrap();
        assert_eq!(labels(linear(0.0, 1.0), 5, false), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(linear(1.0, 5.0), 8, true), ["1", "2", "3", "4", "5"]);
        assert_eq!(labels(linear(-0.3, 0.3), 3, false), ["-0.2", "0.0", "0.2"]);
        assert_eq!(labels(linear(0.975, 0.985), 4, false), ["0.975", "0.980", "0.985"]);
        assert_eq!(labels(linear(0.0, 3e7), 3, false), ["0e0", "1e7", "2e7", "3e7"]);
        assert_eq!(labels(linear(0.0, 3e-7), 3, false), ["0e0", "1e-7", "2e-7", "3e-7"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        let axis = |low, high| Axis::over([low, high].into_iter(), (0.0, 1.0), Spread::Logarithmic).unwrap();
        assert_eq!(labels(axis(1e-4, 1.0), 6, false), ["1e-4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(axis(0.05, 2.0), 6, false), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(axis(0.31, 0.35), 4, false), ["0.31", "0.32", "0.33", "0.34", "0.35"]);
        assert_eq!(axis(1e-300, 1e300).ticks(6, false).len(), 7);
    }

    #[test]
    fn any_values_give_an_axis_that_places_them() {
        let extremes = [0.0, -0.0, 1.0, -5e-324, 1e-300, 1e300, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY];
        for a in extremes {
            for b in extremes {
                for spread in [Spread::Linear, Spread::Logarithmic] {
                    let Some(axis) = Axis::over([a, b].into_iter(), (0.0, 100.0), spread) else { continue };
                    assert!(axis.low < axis.high, "{a} {b} {axis:?}");
                    assert!(axis.padded(0.05).with_zero().ticks(6, false).len() < 30, "{a} {b} {axis:?}");
                    assert!(axis.pixel(a).is_none_or(f64::is_finite));
                }
            }
        }
    }
}
