//! The logistic function and its logarithm.

use super::logarithm::ln_1p_unit;
use super::{c, exp, ln, ln_1p, times_weight};
use crate::scalar::Real;

/// `1 / (1 + e^−x)`, as `q = z / (1 + z)` with `z = e^x` for negative `x`, so that tiny values are accurate too; and
/// as `z − z q` where `z` is small, for there the errors of the quotient count for little.
///
/// At most 1.8 ulp, subnormal results included; within `[0, 1]`; 0 at −∞, 1 at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn sigmoid<T: Real>(x: T) -> T {
    let z = exp(-x.abs());
    let negative = x < T::ZERO;
    let quotient = (if negative { z } else { T::ONE }) / (T::ONE + z);
    if negative & (z < c(0.5)) { z - z * quotient } else { quotient }
}

/// What [`sigmoids_of`] begins with: `e^−|x|`.
#[inline(always)]
pub(crate) fn sigmoids_begun<T: Real>(x: T) -> [T; 1] {
    [exp(-x.abs())]
}

/// [`sigmoid`] of `x` and of `−x`: one exponential serves both.
#[inline(always)]
pub(crate) fn sigmoids_of<T: Real>(x: T, [z]: [T; 1]) -> [T; 2] {
    let (above, quotient) = (T::ONE / (T::ONE + z), z / (T::ONE + z));
    let below = if z < c(0.5) { z - z * quotient } else { quotient };
    [if x < T::ZERO { below } else { above }, if x > T::ZERO { below } else { above }]
}

/// `1 / (1 + e^(y−x))`: what is lost when `x - y` is rounded counts as a factor `e^lost ≈ 1 + lost` where it is negative.
///
/// At most 3 ulp, subnormal results included. Of two equal infinities ½ if they are positive, else 0.
#[inline(always)]
pub(crate) fn sigmoid_of_difference<T: Real>(x: T, y: T) -> T {
    let difference = x - y;
    let part = difference - x;
    let lost = (x - (difference - part)) - (y + part);
    let weight = sigmoid(difference);
    let corrected = if (difference < T::ZERO) & (lost.abs() < T::ONE) { weight + weight * lost } else { weight };
    let tie = if x < T::ZERO { T::ZERO } else { c(0.5) };
    if (x == y) & (x.abs() == T::INFINITY) { tie } else { corrected }
}

/// `ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|)`.
///
/// At most 2 ulp, subnormal results included; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn softplus<T: Real>(x: T) -> T {
    (if x < T::ZERO { T::ZERO } else { x }) + ln_1p_unit(exp(-x.abs()))
}

/// `ln(1 / (1 + e^−x)) = min(x, 0) − ln(1 + e^−|x|)`.
///
/// At most 2 ulp, subnormal results included; −∞ at −∞, 0 at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn log_sigmoid<T: Real>(x: T) -> T {
    (if x > T::ZERO { T::ZERO } else { x }) - ln_1p_unit(exp(-x.abs()))
}

/// `ln(e^x + e^y) = max(x, y) + ln(1 + e^−|x − y|)`.
///
/// At most 2 ulp of the larger of the two terms, which cancel where the result is near 0; an infinity beside a finite
/// number, or twice, gives its own value; NaN at NaN.
#[inline(always)]
pub(crate) fn logaddexp<T: Real>(x: T, y: T) -> T {
    let (large, small) = if x < y { (y, x) } else { (x, y) };
    let difference = if large == small { T::ZERO } else { small - large };
    large + ln_1p_unit(exp(difference))
}

/// `ln(x / (1 − x))`; between ¼ and ¾ as `ln(1 + (2x − 1) / (1 − x))`, whose numerator is exact.
///
/// At most 3 ulp; −∞ at ±0, ∞ at 1, NaN outside `[0, 1]` and at NaN.
#[inline(always)]
pub(crate) fn logit<T: Real>(x: T) -> T {
    let rest = T::ONE - x;
    if (x > c(0.25)) & (x < c(0.75)) { ln_1p((x + x - T::ONE) / rest) } else { ln(x / rest) }
}

/// `x σ(x)`.
///
/// At most 2.5 ulp where `σ(x)` is a normal number; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn silu<T: Real>(x: T) -> T {
    times_weight(x, sigmoid(x))
}

/// `x tanh(ln(1 + e^x))`, as `x p / (p + 2)` with `p = z (z + 2)`, `z = e^x` for negative `x`, and as
/// `x q / (q + 2z²)` with `q = 1 + 2z`, `z = e^−x` for positive `x`.
///
/// At most 4 ulp where `e^x` is a normal number; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn mish<T: Real>(x: T) -> T {
    let z = exp(-x.abs());
    let double = z + z;
    let negative = x < T::ZERO;
    let numerator = if negative { z * z + double } else { T::ONE + double };
    let rest = if negative { c(2.0) } else { z * double };
    times_weight(x, numerator / (numerator + rest))
}

/// `½ x (1 + tanh(k (x + 0.044715 x³)))` with `k = √(2/π)`, as `x σ(2k (x + 0.044715 x³))`.
///
/// At most `4 + 3|u|` ulp for the argument `u` of `σ`; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn gelu_tanh<T: Real>(x: T) -> T {
    let [linear, cubic] = GELU_TANH;
    times_weight(x, sigmoid(x * (c::<T>(linear) + c::<T>(cubic) * (x * x))))
}

/// `2 √(2/π)`, and 0.044715 times that.
pub(crate) const GELU_TANH: [f64; 2] = [1.595_769_121_605_730_7, 0.071_354_816_272_600_25];
