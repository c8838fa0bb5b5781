//! Powers.

use super::bits::upper;
use super::coefficients::log2_tail;
use super::logarithm::{TINY_FACTOR, TINY_POWER};
use super::{Bits, Coefficients, exp, ln};
use crate::scalar::Real;

/// `x^n` by repeated multiplication.
#[inline(always)]
pub(crate) fn powi<T: Real>(x: T, n: i32) -> T {
    let (mut base, mut left, mut product) = (x, n.unsigned_abs(), T::ONE);
    while left > 0 {
        if left & 1 == 1 {
            product *= base;
        }
        base *= base;
        left >>= 1;
    }
    if n < 0 { T::ONE / product } else { product }
}

/// `x^y`.
///
/// At most 0.9 ulp in `f64` and 0.51 in `f32`, subnormal results included. The special values are those of IEEE 754 and C:
/// `x^0 = 1^y = 1` even for NaN, `(−1)^±∞ = 1`; otherwise NaN at NaN; a negative `x` gives NaN unless `y` is an
/// integer, whose parity gives the sign, also of `(±0)^y` and `(±∞)^y`.
#[inline(always)]
pub(crate) fn powf<T: Real>(x: T, y: T) -> T {
    let single = T::EPSILON > T::from_f64(1e-10);
    let (x, y) = (x.to_f64(), y.to_f64());
    // A larger exponent overflows or underflows like this one, whatever the base; the products below must not.
    let capped = super::clamp(y, -EXPONENT_CAP, EXPONENT_CAP);
    // f64 is a double word already where the result is f32.
    let size = if single { exp(capped * ln(x.abs())) } else { positive_power(x.abs(), capped) };
    T::from_f64(with_special_values(x, y, size))
}

/// `x^(y - n)`: what is lost when `y - n` is rounded makes up a factor `x^lost ≈ 1 + lost ln x`.
///
/// At most 2 ulp; the special values are those of [`powf`].
#[inline(always)]
pub(crate) fn powf_less<T: Real>(x: T, y: T, n: u32) -> T {
    let (x, y, n) = (x.to_f64(), y.to_f64(), f64::from(n));
    let high = y - n;
    let part = high - y;
    let lost = (y - (high - part)) - (n + part);
    let capped = super::clamp(high, -EXPONENT_CAP, EXPONENT_CAP);
    let size = positive_power(x.abs(), capped);
    let factor = lost * ln(x.abs());
    let size = if factor.abs() < 1.0 { size + size * factor } else { size };
    T::from_f64(with_special_values(x, high, size))
}

/// 2⁶⁶: the logarithm to base 2 of any number but 1 is at least 2⁻⁵³, and 2^(2¹³) is infinite.
const EXPONENT_CAP: f64 = 73_786_976_294_838_206_464.0;

/// `x^y` from `|x|^y`.
#[inline(always)]
#[allow(clippy::float_cmp, reason = "special values are exact")]
fn with_special_values(x: f64, y: f64, size: f64) -> f64 {
    let (integral, odd) = parity(y);
    let (zero, infinite) = (x == 0.0, x.abs() == f64::INFINITY);
    let edge = if infinite == (y > 0.0) { f64::INFINITY } else { 0.0 };
    let size = if zero | infinite { edge } else { size };
    let signed = if odd { size.copysign(x) } else { size };
    let value = if (x < 0.0) & !integral & !infinite { f64::NAN } else { signed };
    let value = if x.is_nan() | y.is_nan() { f64::NAN } else { value };
    if (x == 1.0) | (y == 0.0) { 1.0 } else { value }
}

/// Whether `y` is an integer, and whether an odd one.
#[inline(always)]
#[allow(clippy::float_cmp, reason = "adding and subtracting 2^52 rounds to an integer exactly")]
fn parity(y: f64) -> (bool, bool) {
    const UNIT: f64 = 4_503_599_627_370_496.0;
    let (size, half) = (y.abs(), y.abs() * 0.5);
    let integral = (size >= UNIT) | ((size + UNIT) - UNIT == size);
    let even = (half >= UNIT) | ((half + UNIT) - UNIT == half);
    (integral, integral & !even)
}

/// `x^y = 2^(y log₂ x)` for finite positive `x` and `|y| ≤ 2⁶⁶`, the exponent in two words.
#[inline(always)]
fn positive_power(x: f64, y: f64) -> f64 {
    let (log, log_low) = log2_in_two_words(x);
    let y_upper = upper(y);
    let (high, low) = (y_upper * log, (y - y_upper) * log + y * log_low);
    let (over, under) = (high + low > 1100.0, high + low < -1100.0);
    let high = if over { 1100.0 } else { high };
    let high = if under { -1100.0 } else { high };
    let low = if over | under { 0.0 } else { low };
    exp2_of_two_words(high, low)
}

/// `log₂ x` as a number of 26 bits and the rest, together good to about 2⁻⁶⁴ of the whole.
///
/// With `x = m 2^e`, `s = (m − 1) / (m + 1)`: `ln m = 2 artanh(s) = ⅔ s (3 + s² + s⁴ W(s²))`. Every product of
/// leading words is exact because each has 26 bits (the technique of Sun's fdlibm).
#[inline(always)]
pub(super) fn log2_in_two_words(x: f64) -> (f64, f64) {
    // ⅔ / ln 2 in two words.
    const SCALE: [f64; 3] = [0.961_796_693_925_975_6, 0.961_796_686_053_276_1, 7.872_699_542_894_897e-9];
    let tiny = x < f64::MIN_POSITIVE;
    let (m, e) = (if tiny { x * TINY_FACTOR } else { x }).split();
    let e = if tiny { e - TINY_POWER } else { e };

    let (f, d) = (m - 1.0, m + 1.0);
    let d_upper = upper(d);
    let d_lower = m - (d_upper - 1.0);
    let s = f / d;
    let s_upper = upper(s);
    let s_lower = ((f - s_upper * d_upper) - s_upper * d_lower) / d;

    let z = s * s;
    let (square, small) = (s_upper * s_upper, z * z * log2_tail(z) + s_lower * (s_upper + s));
    let t_upper = upper(3.0 + square + small);
    let t_lower = small - ((t_upper - 3.0) - square);

    let (high, low) = (s_upper * t_upper, s_lower * t_upper + t_lower * s);
    let p_upper = upper(high + low);
    let p_lower = low - (p_upper - high);

    let (high, low) = (SCALE[1] * p_upper, SCALE[2] * p_upper + SCALE[0] * p_lower);
    let log = upper((high + low) + e);
    (log, low - ((log - e) - high))
}

/// `2^(high + low)`, for an exact `high` of up to 53 bits and a small `low`.
#[inline(always)]
pub(super) fn exp2_of_two_words(high: f64, low: f64) -> f64 {
    const LN_2: [f64; 3] = [core::f64::consts::LN_2, 0.693_147_167_563_438_4, 1.299_650_689_388_988_9e-8];
    let shifted = (high + low) + f64::SHIFT;
    let fraction = high - (shifted - f64::SHIFT);
    let t = upper(fraction + low);
    let rest = low - (t - fraction);
    let (high, low) = (t * LN_2[1], rest * LN_2[0] + t * LN_2[2]);
    let r = high + low;
    let lost = low - (r - high);
    (1.0 + (r + (r * r * f64::exp_tail(r) + (lost + r * lost)))).scale(shifted)
}
