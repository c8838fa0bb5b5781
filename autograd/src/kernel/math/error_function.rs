//! The error function, its complement and its inverse.

use super::bits::upper;
use super::coefficients::polynomial;
use super::{Coefficients, c, exp};
use crate::scalar::Real;

/// `erf x = 2/√π ∫₀ˣ e^(−t²) dt`: `x + x P(x²)` for `|x| < 0.84`, `1 − e^(ln erfc |x|)` with a polynomial for that
/// logarithm beyond.
///
/// At most 1.5 ulp; odd, so −0 at −0; ±1 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn erf<T: Real>(x: T) -> T {
    let size = x.abs();
    let near = size + size * T::erf_tail(x * x);
    let limit = if T::EPSILON > c(1e-10) { 4.0 } else { 5.95 };
    let far = T::ONE - exp(-T::minus_ln_erfc(super::clamp(size, 0.0, limit)));
    (if size < c(0.84) { near } else { far }).copysign(x)
}

/// `erfc x = 1 − erf x`, without cancellation where that is small: `e^(−x²) Q` for `x > 0.42`.
///
/// At most 5 ulp in `f64` and 0.51 in `f32`, subnormal results included; 2 at −∞, 0 at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn erfc<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let size = x.abs();
    let tail = upper_tail(size);
    let middle = 1.0 - (x + x * f64::erf_tail(x * x));
    let outer = if x > 0.0 { tail } else { 2.0 - tail };
    c(if (x > -0.84) & (x < 0.42) { middle } else { outer })
}

/// `erfc x` for `x ≥ 0.4`.
#[inline(always)]
fn upper_tail(x: f64) -> f64 {
    let x = super::clamp(x, 0.4, 28.0);
    let (power, correction) = exp_of_square(x, 1.0);
    power * (correction * over_gaussian(x))
}

/// `e^(x²) erfc x` for `0.4 ≤ x ≤ 28` as `G(t) / (1 + 2x)` with `t = (x − 4) / (x + 4)` (the mapping of Shepherd and
/// Laframboise, *Chebyshev approximation of (1 + 2x) exp(x²) erfc x*, 1981).
#[inline(always)]
fn over_gaussian(x: f64) -> f64 {
    scaled_tail((x - 4.0) / (x + 4.0)) / (1.0 + 2.0 * x)
}

/// `e^(−s x²)` for `0 ≤ x ≤ 40` and a power of two `s`, as a product whose first factor may be subnormal: the square in two words.
#[inline(always)]
fn exp_of_square(x: f64, s: f64) -> (f64, f64) {
    let high = upper(x);
    let rest = s * ((x - high) * (x + high));
    // e^−rest: the fourth power of the rest is below 10⁻¹⁸.
    (exp(-s * (high * high)), 1.0 - rest * (1.0 - rest * (0.5 - rest * (1.0 / 6.0))))
}

/// `e^(−x²)`.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`, subnormal results included; 0 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn gaussian<T: Real>(x: T) -> T {
    let (power, correction) = exp_of_square(super::clamp(x.to_f64().abs(), 0.0, 28.0), 1.0);
    c(power * correction)
}

/// `e^(−x²/2) / √(2π)`, the density of the standard normal distribution.
///
/// At most 3 ulp in `f64` and 0.51 in `f32`; 0 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn normal_pdf<T: Real>(x: T) -> T {
    const SCALE: f64 = 0.398_942_280_401_432_7;
    let (power, correction) = exp_of_square(super::clamp(x.to_f64().abs(), 0.0, 40.0), 0.5);
    c(power * (correction * SCALE))
}

/// `½ erfc(−x/√2)`, the distribution function of the standard normal distribution; its tail without the rounding of
/// `x/√2`, which would count as much as `x²`.
///
/// At most 6 ulp in `f64` and 0.51 in `f32`, subnormal results included; 0 at −∞, 1 at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn normal_cdf<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let size = super::clamp(x.abs(), 0.57, 38.8);
    let (power, correction) = exp_of_square(size, 0.5);
    let tail = power * (0.5 * correction * over_gaussian(size * core::f64::consts::FRAC_1_SQRT_2));
    let z = x * core::f64::consts::FRAC_1_SQRT_2;
    let middle = 0.5 + 0.5 * (z + z * f64::erf_tail(z * z));
    let outer = if x > 0.0 { 1.0 - tail } else { tail };
    c(if (x > -0.59) & (x < 1.18) { middle } else { outer })
}

/// `x Φ(x)` with [`normal_cdf`] `Φ`.
///
/// At most 7 ulp in `f64` and 0.51 in `f32` where `Φ` is a normal number; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn gelu<T: Real>(x: T) -> T {
    let x = x.to_f64();
    c(super::times_weight(x, normal_cdf(x)))
}

/// `(1 + 2x) e^(x²) erfc x` of `t = (x − 4) / (x + 4)`, for `0.4 ≤ x ≤ 27.5`: error 2⁻⁵⁴.
#[inline(always)]
#[rustfmt::skip]
fn scaled_tail(t: f64) -> f64 {
    polynomial!(t; 1.232_995_118_625_552_6, -0.139_621_116_840_562_5, 0.015_379_652_102_619_523,
        0.068_097_054_254_688_95, -0.101_039_066_036_287_82, 0.093_732_834_998_508_98,
        -0.066_330_365_812_691_08, 0.037_167_515_534_339_77, -0.016_197_734_050_960_325,
        0.005_031_970_012_364_374, -0.000_757_773_345_639_582_6, -0.000_199_256_924_299_340_98,
        0.000_150_621_972_042_246_07, -2.439_822_573_429_713e-5, -1.122_302_236_134_170_7e-5,
        5.706_921_952_432_059e-6, 2.959_597_450_081_924_4e-7, -8.201_645_216_109_199e-7,
        7.173_402_926_748_357e-8, 1.038_145_402_414_432_3e-7, -1.571_208_387_443_035e-8,
        -9.853_778_524_078_605e-9, 1.116_722_399_277_279_5e-9)
}

/// The inverse of [`erf`]: Winitzki's guess, improved by Halley's steps on [`erf`] or, beyond ½, on
/// `erfc y − (1 − |x|)`.
///
/// At most 5 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±∞ at ±1, NaN outside `[−1, 1]`.
#[inline(always)]
pub(crate) fn erfinv<T: Real>(x: T) -> T {
    let x = x.to_f64();
    c(positive_erfinv(x.abs()).copysign(x))
}

/// [`erfinv`] of a positive number.
fn positive_erfinv(x: f64) -> f64 {
    const HALF_ROOT_PI: f64 = 0.886_226_925_452_758;
    if x < 1e-8 {
        return x * HALF_ROOT_PI;
    }
    if x >= 1.0 || x.is_nan() {
        return if x > 1.0 { f64::NAN } else { x * f64::INFINITY };
    }
    let log = super::ln_1p(-x * x);
    let a = 4.331 + 0.5 * log;
    let mut y = ((a * a - log / 0.147).sqrt() - a).sqrt();
    for _ in 0..if x < 0.9 { 2 } else { 3 } {
        let error = if x < 0.5 { erf(y) - x } else { (1.0 - x) - erfc(y) };
        // Newton's step, then Halley's: f''/f' = −2y.
        let step = error * HALF_ROOT_PI * exp(y * y);
        y -= step / (1.0 + y * step);
    }
    y
}
