//! Derivatives of any order of the digamma function.

use super::gamma::{cos_pi, sin_pi};
use super::{c, digamma, powi, trigamma};
use crate::scalar::Real;

/// The largest order for which a value is computed.
const HIGHEST: u32 = 60;

/// `B₂ … B₂₀`, Bernoulli's numbers.
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174_611.0 / 330.0,
];

/// `ψ⁽ⁿ⁾(x)`: the recurrence `ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + 1) - (-1)ⁿ n! / xⁿ⁺¹` up to the asymptotic series from `12 + n` on;
/// the reflection `(-1)ⁿ ψ⁽ⁿ⁾(1 - x) - ψ⁽ⁿ⁾(x) = dⁿ/dxⁿ π cot πx` for negative `x`.
///
/// At most `8 + 2n` ulp in `f64` for positive `x`. At 0, -1, -2, …: ∞ for odd `n`; for even `n` NaN, but ∓∞ at ±0.
/// 0 at ∞, NaN at -∞ and NaN, and for `n` above 60.
#[inline(always)]
pub(crate) fn polygamma<T: Real>(n: u32, x: T) -> T {
    match n {
        0 => digamma(x),
        1 => trigamma(x),
        _ if n > HIGHEST || x.is_nan() => T::NAN,
        _ => c(polygamma_f64(n, x.to_f64())),
    }
}

fn polygamma_f64(n: u32, x: f64) -> f64 {
    let even = n.is_multiple_of(2);
    if x > 0.0 {
        return if even { -size(n, x) } else { size(n, x) };
    }
    if x == 0.0 {
        return if even { f64::INFINITY.copysign(-x) } else { f64::INFINITY };
    }
    let sine = sin_pi(x);
    if sine == 0.0 || x.is_infinite() {
        return if even || x.is_infinite() { f64::NAN } else { f64::INFINITY };
    }
    // With its sign: (-1)ⁿ ψ⁽ⁿ⁾(1 - x) is negative.
    -size(n, 1.0 - x) - derivative_of_cotangent(n, cos_pi(x) / sine)
}

/// `|ψ⁽ⁿ⁾(x)| = n! Σ 1/(x + k)ⁿ⁺¹` for positive `x` and `n ≥ 1`.
fn size(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    let power = n.cast_signed();
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 + order {
        sum += powi(x, -(power + 1));
        x += 1.0;
    }
    // (n - 1)!/xⁿ (1 + n/2x + Σ B₂ₖ (2k + n - 1)! / ((2k)! (n - 1)!) / x²ᵏ)
    let (mut term, mut series) = (1.0, 1.0 + 0.5 * order / x);
    for (k, bernoulli) in (1_u32..).zip(BERNOULLI) {
        let even = f64::from(2 * k);
        term *= (even + order - 2.0) * (even + order - 1.0) / ((even - 1.0) * even * (x * x));
        series += bernoulli * term;
    }
    let factorial: f64 = (1..n).map(f64::from).product();
    factorial * (order * sum + powi(x, -power) * series)
}

/// `dⁿ/dxⁿ π cot πx` for a cotangent `t`: with `u = πx`, each derivative of a polynomial `P(cot u)` is
/// `-(1 + t²) P′(t)`, whose coefficients all have one sign.
fn derivative_of_cotangent(n: u32, t: f64) -> f64 {
    let mut polynomial = [0.0; HIGHEST as usize + 2];
    polynomial[1] = 1.0;
    for _ in 0..n {
        let mut next = [0.0; HIGHEST as usize + 2];
        for (k, coefficient) in (0_u32..).zip(polynomial).skip(1) {
            let slope = f64::from(k) * coefficient;
            let below = k as usize - 1;
            next[below] -= slope;
            if slope != 0.0 {
                next[below + 2] -= slope;
            }
        }
        polynomial = next;
    }
    let value = polynomial.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient);
    powi(core::f64::consts::PI, n.cast_signed() + 1) * value
}
