//! Elementary functions, branch-free, so that one formula becomes a vectorised loop.
//!
//! Each function is generic over [`Real`] and always inlined: a plain loop over a slice that calls one inside
//! `pulp`'s dispatch is compiled to SSE2, AVX2 and AVX-512. (Dispatch a `WithSimd` whose method is inlined always: a
//! closure goes through a shim of the standard library, which is not inlined where the formula is long, and then the
//! loop is compiled without the wide instructions.) Three rules make that possible:
//!
//! - special cases are chosen by `if` on *values*, which becomes a blend, never by an early return;
//! - integers are made by adding a magic number and reading bits ([`Bits`]), never by a saturating `as`;
//! - plain multiplication and addition, never fused: a result has the same bits on every processor, vectorised or not.
//!
//! Polynomials are minimax fits (Remez' exchange algorithm in 50 digits, then rounded); they stand in
//! [`coefficients`]. A bound in *ulp* counts units in the last place of the exact result, subnormal results
//! included; it is the worst seen, rounded up, of nearly all `f32` arguments and of 10⁵ random `f64` arguments
//! compared with 40-digit values.

#![cfg_attr(not(test), allow(dead_code, unused_imports, reason = "the operations that call these come next"))]

mod bits;
mod coefficients;
mod exponential;
mod hyperbolic;
mod logarithm;
mod logistic;
mod power;
#[cfg(test)]
mod tests;

pub(crate) use bits::Bits;
pub(crate) use coefficients::Coefficients;
pub(crate) use exponential::{exp, exp_m1};
pub(crate) use hyperbolic::tanh;
pub(crate) use logarithm::{ln, ln_1p};
pub(crate) use logistic::{log_sigmoid, sigmoid, softplus};
pub(crate) use power::{powf, powi};

use crate::scalar::Real;

/// The number `x` in `T`: the compiler folds it.
#[inline(always)]
fn c<T: Real>(x: f64) -> T {
    T::from_f64(x)
}

/// `x` kept to `[low, high]`; NaN stays NaN.
#[inline(always)]
fn clamp<T: Real>(x: T, low: f64, high: f64) -> T {
    let x = if x > c(high) { c(high) } else { x };
    if x < c(low) { c(low) } else { x }
}
