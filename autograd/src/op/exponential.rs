//! `exp` and `ln`.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `eˣ`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exp;

impl Pointwise<1> for Exp {
    const NAME: &'static str = "exp";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::exp(x)
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        _: [Var<'g, T>; 1],
        y: Var<'g, T>,
    ) -> Var<'g, T> {
        g.strong_mul(y)
    }
}

impl Examples for Exp {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Exp, [Domain::ALL])]
    }
}

/// `ln x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ln;

impl Pointwise<1> for Ln {
    const NAME: &'static str = "ln";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::ln(x)
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        [x]: [Var<'g, T>; 1],
        _: Var<'g, T>,
    ) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::ONE) / x)
    }
}

impl Examples for Ln {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Ln, [Domain::POSITIVE])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `eˣ`, element by element.
    ///
    /// # Derivative
    /// `eˣ`. A cotangent that is exactly 0 contributes exactly 0, also where `eˣ` overflows.
    ///
    /// # Domain and edge cases
    /// 0 at -∞, +∞ at +∞ and where the result is too large.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.exp();
    /// assert_eq!((y.item(), y.gradient(x).item()), (1.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn exp(self) -> Self {
        self.unary(Exp)
    }

    /// The natural logarithm (in nats), element by element.
    ///
    /// # Derivative
    /// `1/x`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// -∞ at ±0, NaN below.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.ln();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ln(self) -> Self {
        self.unary(Ln)
    }
}
