//! Natural logarithms.

use super::c;
use super::power::log2_in_two_words;
use crate::scalar::Real;

/// `e ln 2 + ln(1 + f) + rest` for `√½ ≤ 1 + f < √2` and a tiny `rest`.
///
/// With `s = f / (2 + f)`: `ln(1 + f) = 2 artanh(s) = f − f²/2 + s (f²/2 + s² P(s²))`, where `f` is exact (the
/// arrangement of Sun's fdlibm).
#[inline(always)]
fn assemble<T: Real>(f: T, e: T, rest: T) -> T {
    let s = f / (f + c(2.0));
    let z = s * s;
    let half = c::<T>(0.5) * f * f;
    e * T::LN_2_HIGH + (f - (half - (s * (half + z * T::artanh_tail(z)) + (e * T::LN_2_LOW + rest))))
}

/// `ln(1 + x)` for `0 ≤ x ≤ 1`, with no reduction.
#[inline(always)]
pub(super) fn ln_1p_unit<T: Real>(x: T) -> T {
    let s = x / (x + c(2.0));
    let z = s * s;
    let half = c::<T>(0.5) * x * x;
    x - (half - s * (half + z * T::artanh_tail_wide(z)))
}

/// `ln x = e ln 2 + ln m` for `x = m 2^e`.
///
/// At most 0.9 ulp, subnormal arguments included; −∞ at ±0, NaN below 0, ∞ at ∞, 0 at 1, NaN at NaN.
#[inline(always)]
pub(crate) fn ln<T: Real>(x: T) -> T {
    let tiny = x < T::MIN_POSITIVE;
    let (m, e) = (if tiny { x * c(TINY_FACTOR) } else { x }).split();
    let e = if tiny { e - c(TINY_POWER) } else { e };
    let value = assemble(m - T::ONE, e, T::ZERO);
    positive(x, if x < T::INFINITY { value } else { x })
}

/// `ln(1 + x)`, accurate where `1 + x` is not: the rounding error of the sum, over the sum, corrects the logarithm.
///
/// At most 0.9 ulp; `x` itself where `|x|` is tiny, so −0 at −0; −∞ at −1, NaN below −1, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn ln_1p<T: Real>(x: T) -> T {
    let sum = T::ONE + x;
    let back = sum - T::ONE;
    let lost = (T::ONE - (sum - back)) + (x - back);
    let (m, e) = sum.split();
    let value = assemble(m - T::ONE, e, lost / sum);
    let value = if x.abs() < T::EPSILON * c(0.25) { x } else { value };
    positive(sum, if x < T::INFINITY { value } else { x })
}

/// `log₂ x`.
///
/// At most 0.51 ulp, subnormal arguments included; exact at powers of 2; special values as for [`ln`].
#[inline(always)]
pub(crate) fn log2<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let (high, low) = log2_in_two_words(x);
    c(positive(x, if x < f64::INFINITY { high + low } else { x }))
}

/// `log₁₀ x = log₁₀ 2 log₂ x`, in two words.
///
/// At most 0.51 ulp, subnormal arguments included; exact at powers of 10; special values as for [`ln`].
#[inline(always)]
pub(crate) fn log10<T: Real>(x: T) -> T {
    // log₁₀ 2 as 26 bits and the rest.
    const LOG10_2: [f64; 2] = [0.301_029_995_083_808_9, 5.801_722_962_879_576e-10];
    let x = x.to_f64();
    let (high, low) = log2_in_two_words(x);
    let value = high * LOG10_2[0] + (high * LOG10_2[1] + low * core::f64::consts::LOG10_2);
    c(positive(x, if x < f64::INFINITY { value } else { x }))
}

/// A logarithm's value, put right where the argument is not positive.
#[inline(always)]
fn positive<T: Real>(argument: T, value: T) -> T {
    let edge = if argument == T::ZERO { T::NEG_INFINITY } else { T::NAN };
    if argument > T::ZERO { value } else { edge }
}

/// Makes a subnormal number normal …
pub(super) const TINY_FACTOR: f64 = 18_014_398_509_481_984.0;
/// … and is 2 to this power.
pub(super) const TINY_POWER: f64 = 54.0;
