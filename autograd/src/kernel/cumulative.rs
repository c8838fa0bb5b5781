//! Results that grow along a row, each from the one before.

use crate::kernel::math;
use crate::kernel::reduce::Compensated;
use crate::scalar::Real;

/// From which end a row is run through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the first element to the last.
    Forward,
    /// From the last element to the first.
    Backward,
}

impl Direction {
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// Calls `f` with each index and the one that came before it.
#[inline(always)]
fn run(len: usize, direction: Direction, mut f: impl FnMut(usize, Option<usize>)) {
    match direction {
        Direction::Forward => (0..len).for_each(|i| f(i, i.checked_sub(1))),
        Direction::Backward => (0..len).rev().for_each(|i| f(i, (i + 1 < len).then_some(i + 1))),
    }
}

/// Sums of all numbers so far, with what rounding lost: the chain of additions is no longer for it.
pub(crate) fn sum<T: Real>(x: &[T], direction: Direction, out: &mut [T]) {
    let mut total = Compensated::ZERO;
    run(x.len(), direction, |i, _| {
        total.add(x[i]);
        out[i] = total.value();
    });
}

/// `out[i] = x[i] + a[i] out[before i]`; the first `a` is not used.
pub(crate) fn linear<T: Real>(x: &[T], a: &[T], direction: Direction, out: &mut [T]) {
    run(x.len(), direction, |i, before| {
        out[i] = before.map_or(x[i], |before| x[i] + a[i] * out[before]);
    });
}

/// The largest number so far; NaN from the first NaN on.
pub(crate) fn max<T: Real>(x: &[T], out: &mut [T]) {
    let mut max = T::NEG_INFINITY;
    for (out, x) in out.iter_mut().zip(x) {
        if *x > max || x.is_nan() {
            max = *x;
        }
        *out = max;
    }
}

/// `ln Σ eˣ` of all numbers so far, as the largest and the sum of the others relative to it.
pub(crate) fn log_sum_exp<T: Real>(x: &[T], out: &mut [T]) {
    let (mut max, mut rest) = (T::NEG_INFINITY, T::ZERO);
    for (out, &x) in out.iter_mut().zip(x) {
        if x > max {
            // Before the first number above -∞ the rest is 0, or NaN, which stays.
            rest = if max == T::NEG_INFINITY { rest } else { (rest + T::ONE) * math::exp(max - x) };
            max = x;
        } else if x.is_nan() || max.is_finite() {
            rest += math::exp(x - max);
        }
        *out = max + math::ln_1p(rest);
    }
}
