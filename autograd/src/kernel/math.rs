//! Elementary functions, branch-free, so that one formula becomes a vectorised loop.

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
