//! The exponential function and its kin.

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

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y)
    }
}

impl Examples for Exp {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Exp, [Domain::ALL])]
    }
}

/// `2ˣ`: a kernel, exact at integers
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exp2;

impl Pointwise<1> for Exp2 {
    const NAME: &'static str = "exp2";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::exp2(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y * T::from_f64(core::f64::consts::LN_2))
    }
}

impl Examples for Exp2 {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Exp2, [Domain::ALL])]
    }
}

/// `eˣ - 1`: a kernel, without cancellation near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExpM1;

impl Pointwise<1> for ExpM1 {
    const NAME: &'static str = "exp_m1";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::exp_m1(x)
    }

    /// `eˣ` and not `y + 1`, which is 0 far below 0.
    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.exp())
    }
}

impl Examples for ExpM1 {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(ExpM1, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `eˣ`, element by element.
    ///
    /// # Derivative
    /// `eˣ`. A cotangent that is exactly 0 contributes exactly 0, also where `eˣ` overflows.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 1, 1, ∞, NaN; derivative 0, 1, 1, ∞, NaN. 0 at -∞, +∞ at +∞ and where the result is too
    /// large.
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

    /// `2ˣ`, element by element.
    ///
    /// # Derivative
    /// `2ˣ ln 2`. A cotangent that is exactly 0 contributes exactly 0, also where `2ˣ` overflows.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 1, 1, ∞, NaN; derivative 0, 0.6931, 0.6931, ∞, NaN. Exact at integers; 0 at -∞, +∞ at
    /// +∞ and where the result is too large. At most 1 ulp, the derivative at most 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0);
    /// let y = x.exp2();
    /// assert_eq!((y.item(), y.gradient(x).item()), (8.0, 8.0 * 2f64.ln()));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn exp2(self) -> Self {
        self.unary(Exp2)
    }

    /// `eˣ - 1`, element by element, accurate also near 0.
    ///
    /// # Derivative
    /// `eˣ`. A cotangent that is exactly 0 contributes exactly 0, also where `eˣ` overflows.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, ∞, NaN; derivative 0, 1, 1, ∞, NaN. -1 at -∞, +∞ at +∞ and where the result is
    /// too large. At most 1.3 ulp, the derivative at most 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1e-20, -1000.0]]);
    /// let y = x.exp_m1();
    /// assert_eq!(y.value().as_slice(), [1e-20, -1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn exp_m1(self) -> Self {
        self.unary(ExpM1)
    }
}
