//! Hyperbolic functions and their inverses.

use core::f64::consts::LN_2;

use super::coefficients::polynomial;
use super::exponential::{half_exp, reduce};
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

/// `t = tanh x` and `1/cosh² x`, the second for two operations more: `t = x + x³ P(x²)` and `1 − t²` for `|x| < 0.55`;
/// beyond, `t = ±(1 − q)` and `q (2 − q)` with `q = 2z / (1 + z)`, `z = e^(−2|x|)`.
#[inline(always)]
pub(crate) fn tanh_and_sech_squared<T: Real>(x: T) -> [T; 2] {
    let (size, square) = (x.abs(), x * x);
    let near = size < c(0.55);
    let power = size * c(-2.0);
    let (shifted, r, rest) = reduce(if power < c(T::EXP_LOW) { c(T::EXP_LOW) } else { power });
    let tail = T::tanh_or_exp_tail(near, if near { square } else { r });
    let z = (T::ONE + (r + (r * r * tail + rest))).scale(shifted);
    let q = c::<T>(2.0) * z / (T::ONE + z);
    let t = if near { size + size * square * tail } else { T::ONE - q };
    [t.copysign(x), if near { T::ONE - t * t } else { q * (c::<T>(2.0) - q) }]
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
