//! Inverse trigonometric functions, in radians.

use core::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::bits::upper;
use super::c;
use super::coefficients::polynomial;
use super::logarithm::TINY_FACTOR;
use crate::scalar::Real;

/// π/2 − [`FRAC_PI_2`]: what the nearest number leaves.
const FRAC_PI_2_LOW: f64 = 6.123_233_995_736_766e-17;

/// `asin x = x + x³ P(x²)` for `|x| ≤ ½`, `π/2 − 2 asin √((1 − |x|)/2)` beyond.
///
/// At most 0.7 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; NaN outside `[−1, 1]`.
#[inline(always)]
pub(crate) fn asin<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let (size, far) = (x.abs(), x.abs() > 0.5);
    let (root, root_low, z) = half_angle(size);
    let tail = asin_tail(if far { z } else { x * x });
    let near = size + size * (x * x * tail);
    let value = (FRAC_PI_2 - 2.0 * root) + (FRAC_PI_2_LOW - 2.0 * (root_low + (root + root_low) * (z * tail)));
    c((if far { value } else { near }).copysign(x))
}

/// `acos x = π/2 − asin x` for `|x| ≤ ½`, `2 asin √((1 − x)/2)` above, `π − acos |x|` below.
///
/// At most 0.7 ulp in `f64` and 0.51 in `f32`; NaN outside `[−1, 1]`.
#[inline(always)]
pub(crate) fn acos<T: Real>(x: T) -> T {
    let x = x.to_f64();
    let far = x.abs() > 0.5;
    let (root, root_low, z) = half_angle(x.abs());
    let tail = asin_tail(if far { z } else { x * x });
    let difference = FRAC_PI_2 - x;
    let lost = (FRAC_PI_2 - difference) - x;
    let near = difference + (lost + (FRAC_PI_2_LOW - x * (x * x * tail)));
    let rest = root_low + (root + root_low) * (z * tail);
    let above = 2.0 * (root + rest);
    let below = (PI - 2.0 * root) + 2.0 * (FRAC_PI_2_LOW - rest);
    c(if !far {
        near
    } else if x > 0.0 {
        above
    } else {
        below
    })
}

/// `√((1 − size)/2)` as a number of 26 bits and the rest, and its square.
#[inline(always)]
fn half_angle(size: f64) -> (f64, f64, f64) {
    let z = 0.5 * (1.0 - size);
    let whole = z.sqrt();
    let root = upper(whole);
    let low = (z - root * root) / (whole + root);
    (root, if z > 0.0 { low } else { 0.0 }, z)
}

/// `(asin(x) − x) / x³` as a function of `z = x²`, for `x ≤ ½`: error 2⁻⁵⁸ of the arc sine.
#[inline(always)]
#[rustfmt::skip]
fn asin_tail(z: f64) -> f64 {
    polynomial!(z; 0.166_666_666_666_667_38, 0.074_999_999_999_751_82, 0.044_642_857_171_223_56,
        0.030_381_942_845_432_008, 0.022_372_211_608_968_51, 0.017_351_665_962_424_052,
        0.013_980_236_929_417_317, 0.011_403_272_517_075_604, 0.010_757_723_340_641_292,
        0.003_785_479_243_513_411, 0.021_527_499_111_890_44, -0.020_759_518_843_397_332,
        0.032_487_020_334_628_455)
}

/// `atan x`, about 0 for `|x| ≤ tan π/8`, about π/2 for `|x| ≥ 1 / tan π/8`, and about π/4 between.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`; odd, so −0 at −0; ±π/2 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn atan<T: Real>(x: T) -> T {
    let x = x.to_f64();
    c(atan_of_quotient(x.abs(), 1.0).copysign(x))
}

/// The angle of the point `(x, y)`, in `[−π, π]`.
///
/// At most 2 ulp in `f64` and 0.51 in `f32`. The special values are those of IEEE 754 and C: the sign is that of `y`,
/// also of ±0; `(±0, x)` gives ±0 or ±π by the sign of `x`, also of ±0; infinities are directions.
#[inline(always)]
pub(crate) fn atan2<T: Real>(y: T, x: T) -> T {
    let (y, x) = (y.to_f64(), x.to_f64());
    let (rise, run) = (y.abs(), x.abs());
    // Equal infinities lie on the diagonal; halves keep a sum from overflowing.
    let diagonal = (rise == f64::INFINITY) & (run == f64::INFINITY);
    let (rise, run) = if diagonal { (1.0, 1.0) } else { (rise, run) };
    let scale = if (rise > 1e300) | (run > 1e300) {
        0.25
    } else if (rise < 1e-290) & (run < 1e-290) {
        TINY_FACTOR
    } else {
        1.0
    };
    let left = x.is_sign_negative();
    let angle = atan_of_quotient(rise * scale, run * scale);
    let angle = if left { PI - (angle - 2.0 * FRAC_PI_2_LOW) } else { angle };
    let none = if left { PI } else { 0.0 };
    let value = (if rise == 0.0 { none } else { angle }).copysign(y);
    c(if x.is_nan() | y.is_nan() { f64::NAN } else { value })
}

/// `atan(rise / run)` for positive arguments.
#[inline(always)]
fn atan_of_quotient(rise: f64, run: f64) -> f64 {
    let (steep, middle) = (rise > run * STEEP, rise > run * FLAT);
    let numerator = if steep {
        -run
    } else if middle {
        rise - run
    } else {
        rise
    };
    let denominator = if steep {
        rise
    } else if middle {
        rise + run
    } else {
        run
    };
    let base = if steep {
        FRAC_PI_2
    } else if middle {
        FRAC_PI_4
    } else {
        0.0
    };
    let low = if steep {
        FRAC_PI_2_LOW
    } else if middle {
        0.5 * FRAC_PI_2_LOW
    } else {
        0.0
    };
    let f = numerator / denominator;
    let z = f * f;
    base + (f + (f * z * atan_tail(z) + low))
}

/// `tan π/8` …
const FLAT: f64 = 0.414_213_562_373_095_05;
/// … and its reciprocal.
const STEEP: f64 = 2.414_213_562_373_095;

/// `(atan(x) − x) / x³` as a function of `z = x²`, for `x ≤ tan π/8`: error 2⁻⁵⁸ of the arc tangent.
#[inline(always)]
#[rustfmt::skip]
fn atan_tail(z: f64) -> f64 {
    polynomial!(z; -0.333_333_333_333_333_3, 0.199_999_999_999_981_3, -0.142_857_142_854_338_56,
        0.111_111_110_905_530_62, -0.090_909_082_179_415, 0.076_922_842_116_798_28,
        -0.066_662_458_482_164_69, 0.058_771_902_710_402_83, -0.052_193_918_682_141_35,
        0.045_072_367_665_718_29, -0.033_553_854_512_124_115, 0.015_270_188_174_152_164)
}
