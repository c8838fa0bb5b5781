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

macro_rules! placeholder { ($($n:ident $e:expr;)*) => {$(
    #[inline(always)]
    pub(crate) fn $n<T: Real>(x: T) -> T { let f: fn(f64) -> f64 = $e; T::from_f64(f(x.to_f64())) }
)*} }
placeholder! {
    exp |x| x.exp();
    ln |x| x.ln();
    tanh |x| x.tanh();
    sigmoid |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
    softplus |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
    log_sigmoid |x| (-x).min(0.0).mul_add(1.0, 0.0).min(0.0) + x.min(0.0) - x.min(0.0) - ((-x).max(0.0) + (-x.abs()).exp().ln_1p()) - (-x).min(0.0);
}
pub(crate) fn powf<T: Real>(x: T, y: T) -> T {
    T::from_f64(x.to_f64().powf(y.to_f64()))
}
