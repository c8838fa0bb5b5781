//! The two element types, `f32` and `f64`, behind one sealed trait.

use core::fmt::{Debug, Display, LowerExp};
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use approx::{AbsDiffEq, RelativeEq, UlpsEq};

/// What seals [`Real`], and the hooks through which code for one element type is compiled once, here.
pub(crate) mod sealed {
    /// Keeps [`Real`](super::Real) to `f32` and `f64`.
    pub trait Sealed {}
}

/// A real number: `f32` or `f64`. Sealed: no other type can implement it.
pub trait Real:
    sealed::Sealed
    + crate::kernel::math::Bits
    + crate::kernel::math::Coefficients
    + crate::dispatch::Dispatch
    + Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + AbsDiffEq<Epsilon = Self>
    + RelativeEq
    + UlpsEq
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// +∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;

    /// The nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// This number, exactly.
    fn to_f64(self) -> f64;
    /// The nearest number to `n`.
    fn from_usize(n: usize) -> Self;
    /// `|x|`.
    #[must_use]
    fn abs(self) -> Self;
    /// `√x`, correctly rounded; NaN below 0.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The largest integer that is not above `x`.
    #[must_use]
    fn floor(self) -> Self;
    /// The smallest integer that is not below `x`.
    #[must_use]
    fn ceil(self) -> Self;
    /// `x` without its fraction.
    #[must_use]
    fn trunc(self) -> Self;
    /// The integer nearest to `x`; halves go to the even one.
    #[must_use]
    fn round_ties_even(self) -> Self;
    /// What is left of `x` after a whole number of `y`, with the sign of `x`; exact.
    #[must_use]
    fn fmod(self, y: Self) -> Self;
    /// The magnitude of `self` with the sign bit of `sign`.
    #[must_use]
    fn copysign(self, sign: Self) -> Self;
    /// `self` raised to an integer power, by repeated multiplication.
    #[must_use]
    fn powi(self, n: i32) -> Self;
    /// Whether this is NaN.
    fn is_nan(self) -> bool;
    /// Whether this is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// `out[i] = bytes[i] · scale`, in the widest vector instructions that the processor has: how images that are kept as
    /// bytes become the input of a program.
    ///
    /// ```
    /// use autograd::Real;
    /// let mut out = [0.0_f32; 3];
    /// f32::scale_bytes(&[0, 1, 255], 0.5, &mut out);
    /// assert_eq!(out, [0.0, 0.5, 127.5]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    fn scale_bytes(bytes: &[u8], scale: Self, out: &mut [Self]);
}

macro_rules! real {
    ($($t:ident),*) => {$(
        impl sealed::Sealed for $t {}

        impl Real for $t {
            const NAME: &'static str = stringify!($t);
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $t::INFINITY;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            const NAN: Self = $t::NAN;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounding to nearest is what the name says")]
            fn from_f64(x: f64) -> Self { x as $t }
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "`From` is no wider than `as` here")]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            #[allow(clippy::cast_precision_loss, reason = "rounding to nearest is what the name says")]
            fn from_usize(n: usize) -> Self { n as $t }
            #[inline(always)]
            fn abs(self) -> Self { self.abs() }
            #[inline(always)]
            fn sqrt(self) -> Self { self.sqrt() }
            #[inline(always)]
            fn floor(self) -> Self { self.floor() }
            #[inline(always)]
            fn ceil(self) -> Self { self.ceil() }
            #[inline(always)]
            fn trunc(self) -> Self { self.trunc() }
            #[inline(always)]
            fn round_ties_even(self) -> Self { self.round_ties_even() }
            #[inline(always)]
            fn fmod(self, y: Self) -> Self { self % y }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self { self.copysign(sign) }
            #[inline(always)]
            fn powi(self, n: i32) -> Self { crate::kernel::math::powi(self, n) }
            #[inline(always)]
            fn is_nan(self) -> bool { self.is_nan() }
            #[inline(always)]
            fn is_finite(self) -> bool { self.is_finite() }

            fn scale_bytes(bytes: &[u8], scale: Self, out: &mut [Self]) {
                crate::kernel::elementwise::scale_bytes(bytes, scale, out);
            }
        }
    )*};
}

real!(f32, f64);
