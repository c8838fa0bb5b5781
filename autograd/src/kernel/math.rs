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

mod bits;
mod coefficients;
mod error_function;
mod exponential;
mod gamma;
mod hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod logistic;
mod polygamma;
mod power;
mod reduction;
mod root;
#[cfg(test)]
mod tests;
mod trigonometric;

pub(crate) use bits::Bits;
pub(crate) use coefficients::Coefficients;
pub(crate) use error_function::{erf, erfc, erfinv, gaussian, gelu, normal_cdf, normal_pdf};
pub(crate) use exponential::{exp, exp_m1, exp2};
pub(crate) use gamma::{digamma, lgamma, trigamma};
pub(crate) use hyperbolic::{
    acosh, asinh, atanh, cosh, log_cosh, sech_squared, sinh, tanh, tanh_and_sech_squared_of, tanh_begun, tanhshrink,
};
pub(crate) use inverse_trigonometric::{acos, asin, atan, atan2};
pub(crate) use logarithm::{ln, ln_1p, log2, log10};
pub(crate) use logistic::{
    GELU_TANH, gelu_tanh, log_sigmoid, logaddexp, logit, mish, sigmoid, sigmoid_of_difference, sigmoids_begun,
    sigmoids_of, silu, softplus,
};
pub(crate) use polygamma::polygamma;
pub(crate) use power::{powf, powf_less, powi};
pub(crate) use root::{cbrt, hypot, is_positive_normal, rsqrt, rsqrt_normal, squareplus};
pub(crate) use trigonometric::{cos, cos_moderate, is_moderate, sin, sin_moderate, tan};

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

/// `x w` for a weight that falls to 0 faster than `x` grows: 0 where it is 0, also at `x = −∞`.
#[inline(always)]
fn times_weight<T: Real>(x: T, weight: T) -> T {
    if weight == T::ZERO { weight } else { x * weight }
}
