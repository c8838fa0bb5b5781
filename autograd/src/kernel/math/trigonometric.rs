//! Sine, cosine and tangent, of radians.

use super::c;
use super::coefficients::polynomial;
use super::reduction::{MODERATE, reduce, reduce_moderate};
use crate::scalar::Real;

/// An angle as a multiple of π/2 (only its last two bits matter) and a remainder in two words, at most π/4 in size.
pub(super) type Reduced = (u64, f64, f64);

/// `sin x`.
///
/// At most 0.8 ulp in `f64` and 0.51 in `f32` at any size of `x`; odd, so −0 at −0; NaN at ±∞ and NaN.
/// Not branch-free: [`sin_moderate`] is.
#[inline(always)]
pub(crate) fn sin<T: Real>(x: T) -> T {
    c(sin_of(x.to_f64(), reduce(x.to_f64())))
}

/// `cos x`, as accurate as [`sin`]; NaN at ±∞ and NaN. Not branch-free: [`cos_moderate`] is.
#[inline(always)]
pub(crate) fn cos<T: Real>(x: T) -> T {
    c(cos_of(reduce(x.to_f64())))
}

/// `tan x = sin x / cos x`.
///
/// At most 2.2 ulp in `f64` and 0.51 in `f32` at any size of `x`; odd, so −0 at −0; NaN at ±∞ and NaN.
#[inline(always)]
pub(crate) fn tan<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let (quadrant, r, rest) = reduce(x);
    let (sin, cos) = (sin_near_zero(r, rest), cos_near_zero(r, rest));
    let value = if quadrant & 1 == 1 { -cos / sin } else { sin / cos };
    c(if x.abs() < TINY { x } else { value })
}

/// Whether [`sin_moderate`] and [`cos_moderate`] may be used: `|x| ≤ 2²⁰`.
#[inline(always)]
pub(crate) fn is_moderate<T: Real>(x: T) -> bool {
    x.abs() <= c(MODERATE)
}

/// [`sin`], bit for bit and branch-free, where [`is_moderate`].
#[inline(always)]
pub(crate) fn sin_moderate<T: Real>(x: T) -> T {
    c(sin_of(x.to_f64(), reduce_moderate(x.to_f64())))
}

/// [`cos`], bit for bit and branch-free, where [`is_moderate`].
#[inline(always)]
pub(crate) fn cos_moderate<T: Real>(x: T) -> T {
    c(cos_of(reduce_moderate(x.to_f64())))
}

/// Below this size, sine and tangent are their argument.
const TINY: f64 = 1e-9;

/// `sin x` from the reduced angle.
#[inline(always)]
fn sin_of(x: f64, (quadrant, r, rest): Reduced) -> f64 {
    let value = in_quadrant(quadrant, r, rest);
    if x.abs() < TINY { x } else { value }
}

/// The cosine of the reduced angle.
#[inline(always)]
fn cos_of((quadrant, r, rest): Reduced) -> f64 {
    in_quadrant(quadrant.wrapping_add(1), r, rest)
}

/// `sin(quadrant π/2 + r + rest)`.
#[inline(always)]
fn in_quadrant(quadrant: u64, r: f64, rest: f64) -> f64 {
    let (sin, cos) = (sin_near_zero(r, rest), cos_near_zero(r, rest));
    let size = if quadrant & 1 == 1 { cos } else { sin };
    if quadrant & 2 == 2 { -size } else { size }
}

/// `sin(r + rest) = r + r³ S(r²) + rest (1 − r²/2)` for `|r| ≤ π/4`; the polynomial's error is 2⁻⁵⁷.
#[inline(always)]
#[rustfmt::skip]
fn sin_near_zero(r: f64, rest: f64) -> f64 {
    let z = r * r;
    let tail =
        polynomial!(z; -0.166_666_666_666_666_66, 0.008_333_333_333_333_323, -0.000_198_412_698_412_552_37,
        2.755_731_921_426_353_4e-6, -2.505_210_492_793_697_7e-8, 1.605_836_845_663_541e-10,
        -7.578_778_838_633_587e-13);
    r + (r * z * tail + (rest - rest * (0.5 * z)))
}

/// `cos(r + rest) = 1 − r²/2 + r⁴ C(r²) − r rest` for `|r| ≤ π/4`; the polynomial's error is 2⁻⁶⁰.
#[inline(always)]
#[rustfmt::skip]
fn cos_near_zero(r: f64, rest: f64) -> f64 {
    let z = r * r;
    let tail =
        polynomial!(z; 0.041_666_666_666_666_664, -0.001_388_888_888_888_887_9, 2.480_158_730_157_487e-5,
        -2.755_731_921_663_8e-7, 2.087_675_461_835_574e-9, -1.147_031_902_263_704_6e-11,
        4.739_166_563_151_717e-14);
    let half = 0.5 * z;
    let value = 1.0 - half;
    value + (((1.0 - value) - half) + (z * z * tail - r * rest))
}
