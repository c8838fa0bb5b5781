//! Roots.

use super::coefficients::polynomial;
use super::logarithm::{TINY_FACTOR, TINY_POWER};
use super::{Bits, c};
use crate::scalar::Real;

/// Steps of third order in [`rsqrt_normal`], in which an error of 1/700 becomes 7e-9, and 1e-24.
const fn cubic_steps<T>() -> usize {
    if size_of::<T>() == size_of::<f32>() { 1 } else { 2 }
}

/// `1/√x`: as [`rsqrt_normal`] for positive normal numbers, by root and division for others.
///
/// At most 1.5 ulp; ±∞ at ±0, 0 at ∞, NaN below 0 and at NaN.
#[inline(always)]
pub(crate) fn rsqrt<T: Real>(x: T) -> T {
    if is_positive_normal(x) { rsqrt_normal(x) } else { T::ONE / x.sqrt() }
}

/// Whether [`rsqrt_normal`] may be used.
#[inline(always)]
pub(crate) fn is_positive_normal<T: Real>(x: T) -> bool {
    (x >= T::MIN_POSITIVE) & (x < T::INFINITY)
}

/// [`rsqrt`], bit for bit, where [`is_positive_normal`]: a guess that halves the exponent, improved by a step like Newton's, and by
/// `y (1 - e)^(-1/2)` for `e = 1 - x y²`, as a series. That keeps the processor busy for less time than a root and a division.
#[inline(always)]
pub(crate) fn rsqrt_normal<T: Real>(x: T) -> T {
    let y = x.rsqrt_guess();
    // Newton's numbers are 1/2 and 3. Guess and second number are those of J. Kadlec, "Improving the fast inverse square root", 2010; his
    // first, 0.70395, is lowered so far that y is nowhere too large (tried with all f32 in [1, 4)): x y² is then below 1, where
    // numbers are finer.
    let mut y = y * c(0.7034) * (c::<T>(2.389_244_6) - x * y * y);
    for _ in 0..cubic_steps::<T>() {
        let e = T::ONE - x * y * y;
        y = y + y * (e * (c::<T>(0.5) + c::<T>(0.375) * e));
    }
    y
}

/// `∛x`: with `x = m 2^(3k)`, a polynomial's guess for `∛m`, improved by two of Halley's steps, of which
/// the second starts from a number of 23 bits, whose square is exact.
///
/// At most 0.8 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±∞ at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn cbrt<T: Real>(x: T) -> T {
    // 1.5·2⁵²: adding it rounds to an integer.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let x = x.to_f64();
    let size = x.abs();
    let tiny = size < f64::MIN_POSITIVE;
    let (m, e) = (if tiny { size * TINY_FACTOR } else { size }).split();
    let e = if tiny { e - TINY_POWER } else { e };
    let k = (e * (1.0 / 3.0) + SHIFT) - SHIFT;
    let left = e - 3.0 * k;
    let m = if left < 0.0 {
        m * 0.5
    } else if left > 0.0 {
        m + m
    } else {
        m
    };

    let guess = halley(cbrt_guess(m), m);
    let guess = f64::from_bits(guess.to_bits() & !((1 << 30) - 1));
    let quotient = m / (guess * guess);
    let root = guess + guess * (quotient - guess) / (guess + guess + quotient);
    let value = root.scale(k + f64::SHIFT).copysign(x);
    c(if (size > 0.0) & (size < f64::INFINITY) { value } else { x })
}

/// One of Halley's steps towards `∛m`.
#[inline(always)]
fn halley(y: f64, m: f64) -> f64 {
    let cube = y * y * y;
    y * ((cube + m + m) / (cube + cube + m))
}

/// `∛m` to 1/500 for `√2/4 ≤ m ≤ 2√2`.
#[inline(always)]
#[rustfmt::skip]
fn cbrt_guess(m: f64) -> f64 {
    polynomial!(m; 0.443_476_066_938_965_8, 0.898_647_603_851_129_1, -0.474_128_990_744_799_14,
        0.153_407_966_469_096_52, -0.019_559_436_235_457_327)
}

/// `√(x² + y²)`, as `a √(1 + (b/a)²)` with the larger size `a`: no overflow or underflow before the value's own.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`; ∞ if either is infinite, even beside NaN; otherwise NaN at NaN.
#[inline(always)]
pub(crate) fn hypot<T: Real>(x: T, y: T) -> T {
    let (x, y) = (x.to_f64().abs(), y.to_f64().abs());
    let (large, small) = if x < y { (y, x) } else { (x, y) };
    let ratio = small / large;
    let value = large * (1.0 + ratio * ratio).sqrt();
    let value = if large == 0.0 { large + small } else { value };
    c(if (x == f64::INFINITY) | (y == f64::INFINITY) { f64::INFINITY } else { value })
}

/// `½ (x + √(x² + b))` for positive `b`; for negative `x` as `½ b / (√(x² + b) − x)`.
///
/// At most 4 ulp; 0 at −∞, ∞ at ∞, NaN at NaN.
#[inline(always)]
pub(crate) fn squareplus<T: Real>(x: T, b: T) -> T {
    let half = c::<T>(0.5);
    let root = hypot(x, b.sqrt());
    if x > T::ZERO { half * x + half * root } else { half * b / (root - x) }
}
