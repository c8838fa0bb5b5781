//! Hyperbolic functions and their inverses.

use core::f64::consts::{LN_2, LOG2_E};
use core::hint::select_unpredictable;

use super::coefficients::polynomial;
use super::exponential::half_exp;
use super::logarithm::ln_1p_unit;
use super::{c, exp, ln_1p};
use crate::scalar::Real;

/// `tanh x`: the first of [`tanh_and_sech_squared`].
///
/// At most 1.5 ulp; odd, so −0 at −0; ±1 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn tanh<T: Real>(x: T) -> T {
    tanh_and_sech_squared(x)[0]
}

/// `1/cosh² x`: the second of [`tanh_and_sech_squared`].
///
/// At most 4 ulp where the result is normal; 0 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn sech_squared<T: Real>(x: T) -> T {
    tanh_and_sech_squared(x)[1]
}

/// From here on `1 − tanh |x|` is computed, and its errors count for less in the hyperbolic tangent.
const FAR: f64 = 0.65;

/// `t = tanh x` and `1/cosh² x`, the second for four operations more. With `R(w) = w coth w = 1 + w² P(w²)`, which is even and
/// needs few coefficients, `e^2w = (R + w) / (R − w)` and `tanh w = w / R`: of `−|x| = k ½ ln 2 + w` follows
/// `q = 1 − tanh |x| = 2·2^k (R + w) / ((R − w) + 2^k (R + w))` by one division, and `q (1 + t)`; for `|x| < 0.65` itself
/// `t = |x| − |x| (R − 1) / R`, and `(1 − t) (1 + t)`.
#[inline(always)]
fn tanh_and_sech_squared<T: Real>(x: T) -> [T; 2] {
    tanh_and_sech_squared_of(x, tanh_begun(x))
}

/// The first half of [`tanh_and_sech_squared`]: `w`, `4·2^k`, `R − 1`.
#[inline(always)]
pub(crate) fn tanh_begun<T: Real>(x: T) -> [T; 3] {
    let size = x.abs();
    // Beyond, 2^k is 0.
    let kept = if size > c(T::TANH_HIGH) { c(T::TANH_HIGH) } else { size };
    let shifted = T::POWER_SHIFT - kept * c(2.0 * LOG2_E);
    let k = shifted - T::POWER_SHIFT;
    let rest = (k * (T::LN_2_HIGH * c(-0.5)) - kept) - k * (T::LN_2_LOW * c(0.5));
    let w = if size < c(FAR) { size } else { rest };
    let square = w * w;
    [w, T::four_times_power(shifted), square * T::coth_tail(square)]
}

/// The other half.
#[inline(always)]
pub(crate) fn tanh_and_sech_squared_of<T: Real>(x: T, [w, power, less]: [T; 3]) -> [T; 2] {
    let size = x.abs();
    let near = size < c(FAR);
    let r = T::ONE + less;
    let (above, below) = (power * (r + w), (r - w) * c(2.0));
    // Not by `if`, of which the compiler makes two divisions.
    let q = select_unpredictable(near, less, above) / select_unpredictable(near, r, below + above * c(0.5));
    let top = if near { size } else { T::ONE };
    let t = top - top * q;
    [t.copysign(x), select_unpredictable(near, T::ONE - t, q) * (T::ONE + t)]
}

/// `x − tanh x`: `x³ P(x²)` for `|x| < 1`.
///
/// At most 8 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±∞ at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn tanhshrink<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let (size, square) = (x.abs(), x * x);
    let near = size * square * tanhshrink_tail(square);
    c((if size < 1.0 { near } else { size - tanh(size) }).copysign(x))
}

/// `(x − tanh x) / x³` as a function of `z = x²`, for `x ≤ 1`: error 2⁻⁶².
#[inline(always)]
#[rustfmt::skip]
fn tanhshrink_tail(z: f64) -> f64 {
    polynomial!(z; 0.333_333_333_333_333_3, -0.133_333_333_333_333_3, 0.053_968_253_968_251_58,
        -0.021_869_488_536_052_476, 0.008_863_235_527_571_057, -0.003_592_128_004_286_900_7,
        0.001_455_834_089_999_78, -0.000_590_025_523_139_628_6, 0.000_239_120_098_831_682_88,
        -9.688_372_680_438_706e-5, 3.919_387_711_844_552_4e-5, -1.574_578_382_777_515_3e-5,
        6.177_207_412_382_354e-6, -2.277_205_938_928_695_5e-6, 7.373_088_744_938_371e-7,
        -1.895_886_979_631_284_5e-7, 3.323_296_150_374_837e-8, -2.898_037_769_251_754_6e-9)
}

/// `ln cosh x`: `½ ln(1 + sinh² x)` for `|x| < 1`, `|x| + ln(1 + e^(−2|x|)) − ln 2` beyond.
///
/// At most 4 ulp; ∞ at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn log_cosh<T: Real>(x: T) -> T {
    let (size, sine) = (x.abs(), sinh(x));
    let near = c::<T>(0.5) * ln_1p(sine * sine);
    let far = size + (ln_1p_unit(exp(size * c(-2.0))) - c(LN_2));
    if size < T::ONE { near } else { far }
}

/// `sinh x = x + x³ P(x²)` for `|x| < 1`, `h − 1/(4h)` with `h = ½ e^|x|` beyond.
///
/// At most 1.6 ulp in `f64` and 0.51 in `f32`, no overflow before the value's own; odd, so −0 at −0; ±∞ at ±∞, NaN at
/// NaN.
#[inline(always)]
pub(crate) fn sinh<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let (size, square) = (x.abs(), x * x);
    let half = half_exp(size);
    let near = size + size * (square * sinh_tail(square));
    c((if size < 1.0 { near } else { half - 0.25 / half }).copysign(x))
}

/// `cosh x = h + 1/(4h)` with `h = ½ e^|x|`.
///
/// At most 1.6 ulp in `f64` and 0.51 in `f32`, no overflow before the value's own; ∞ at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn cosh<T: Real>(x: T) -> T {
    let half = half_exp(x.to_f64().abs());
    c(half + 0.25 / half)
}

/// `(sinh(x) − x) / x³` as a function of `z = x²`, for `x ≤ 1`: error 2⁻⁵⁶ of the hyperbolic sine.
#[inline(always)]
#[rustfmt::skip]
fn sinh_tail(z: f64) -> f64 {
    polynomial!(z; 0.166_666_666_666_666_66, 0.008_333_333_333_333_333, 0.000_198_412_698_412_695_92,
        2.755_731_922_411_931_7e-6, 2.505_210_834_582_703_5e-8, 1.605_905_068_504_881e-10,
        7.646_477_587_410_732e-13, 2.848_368_759_660_027e-15)
}

/// Beyond this size, `x² ± 1` is `x²` and `1 + x` is `x`.
const HUGE: f64 = 1e17;

/// `asinh x = ln(1 + |x| + x² / (1 + √(x² + 1)))`, `ln |x| + ln 2` for huge `|x|`.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±∞ at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn asinh<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let size = x.abs();
    let square = size * size;
    let argument = if size > HUGE { size } else { size + square / (1.0 + (square + 1.0).sqrt()) };
    c((ln_1p(argument) + if size > HUGE { LN_2 } else { 0.0 }).copysign(x))
}

/// `acosh x = ln(1 + t + √(2t + t²))` with `t = x − 1`, `ln x + ln 2` for huge `x`.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`; NaN below 1, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn acosh<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let t = x - 1.0;
    let argument = if x > HUGE { x } else { t + (t + t + t * t).sqrt() };
    let value = ln_1p(argument) + if x > HUGE { LN_2 } else { 0.0 };
    c(if x >= 1.0 { value } else { f64::NAN })
}

/// `atanh x = ½ ln(1 + 2|x| + 2x² / (1 − |x|))`, `½ ln(1 + 2|x| / (1 − |x|))` for `|x| ≥ ½`.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±∞ at ±1, NaN outside `[−1, 1]`.
#[inline(always)]
pub(crate) fn atanh<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let size = x.abs();
    let quotient = (size + size) / (1.0 - size);
    let argument = if size < 0.5 { (size + size) + size * quotient } else { quotient };
    c((0.5 * ln_1p(argument)).copysign(x))
}
