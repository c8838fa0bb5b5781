//! Hyperbolic functions.

use super::{c, exp};
use crate::scalar::Real;

/// `tanh x = x + x³ P(x²)` for `|x| < 0.55`, `1 − 2z / (1 + z)` with `z = e^(−2|x|)` beyond.
///
/// At most 1.5 ulp; odd, so −0 at −0; ±1 at ±∞, NaN at NaN.
#[inline(always)]
pub(crate) fn tanh<T: Real>(x: T) -> T {
    let (size, square) = (x.abs(), x * x);
    let z = exp(size * c(-2.0));
    let far = T::ONE - c::<T>(2.0) * z / (T::ONE + z);
    let near = size + size * square * T::tanh_tail(square);
    (if size < c(0.55) { near } else { far }).copysign(x)
}
