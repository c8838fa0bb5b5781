//! Hyperbolic functions and their inverses.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// The hyperbolic tangent
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tanh;

impl Pointwise<1> for Tanh {
    const NAME: &'static str = "tanh";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::tanh(x)
    }

    /// By a kernel of its own: in `(1 - y)(1 + y)` nothing is left of the tails.
    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.sech_squared()
    }
}

impl Examples for Tanh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Tanh, [Domain::ALL])]
    }
}

/// `1/cosh² x`, the derivative of the hyperbolic tangent: a kernel, one exponential and one division
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SechSquared;

impl Pointwise<1> for SechSquared {
    const NAME: &'static str = "sech_squared";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::sech_squared(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g * (y * x.tanh() * T::from_f64(-2.0))
    }
}

impl Examples for SechSquared {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(SechSquared, [Domain::ALL])]
    }
}

/// `sinh x`: a kernel, without cancellation near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sinh;

impl Pointwise<1> for Sinh {
    const NAME: &'static str = "sinh";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::sinh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.cosh())
    }
}

impl Examples for Sinh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sinh, [Domain::ALL])]
    }
}

/// `cosh x`: a kernel, without overflow before its own
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cosh;

impl Pointwise<1> for Cosh {
    const NAME: &'static str = "cosh";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::cosh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.sinh())
    }
}

impl Examples for Cosh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Cosh, [Domain::ALL])]
    }
}

/// The inverse of the hyperbolic sine: a kernel, without cancellation below 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asinh;

impl Pointwise<1> for Asinh {
    const NAME: &'static str = "asinh";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::asinh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.hypot(x.scalar(T::ONE)).recip()
    }
}

impl Examples for Asinh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Asinh, [Domain::ALL])]
    }
}

/// The inverse of the hyperbolic cosine: a kernel, accurate also near 1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acosh;

impl Pointwise<1> for Acosh {
    const NAME: &'static str = "acosh";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::acosh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(((x - T::ONE).sqrt() * (x + T::ONE).sqrt()).recip())
    }
}

impl Examples for Acosh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Acosh, [Domain::between(1.25, 3.0)])]
    }
}

/// The inverse of the hyperbolic tangent: a kernel, accurate also near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Atanh;

impl Pointwise<1> for Atanh {
    const NAME: &'static str = "atanh";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::atanh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let one = x.scalar(T::ONE);
        let inside = x.abs().le(one);
        g.strong_mul(inside.select(one / ((one - x) * (x + T::ONE)), x.scalar(T::NAN)))
    }
}

impl Examples for Atanh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Atanh, [Domain::UNIT])]
    }
}

/// `ln cosh x`: a kernel, in which nothing overflows or cancels
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogCosh;

impl Pointwise<1> for LogCosh {
    const NAME: &'static str = "log_cosh";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::log_cosh(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.tanh()
    }
}

impl Examples for LogCosh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(LogCosh, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `tanh x = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)`, element by element.
    ///
    /// # Derivative
    /// [`1/cosh² x`](Self::sech_squared), accurate also where `1 - y²` has become 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 1, 1, 0, NaN. At most 1.5 ulp, the derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.tanh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.unary(Tanh)
    }

    /// `1/cosh² x`, element by element: the derivative of [`tanh`](Self::tanh).
    ///
    /// # Derivative
    /// `-2 y tanh x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 1, 1, 0, NaN; derivative 0, 0, -0, -0, NaN. At most 4 ulp, the derivative at most 6.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 100.0]]);
    /// let y = x.sech_squared().value();
    /// assert_eq!(y[(0, 0)], 1.0);
    /// approx::assert_relative_eq!(y[(0, 1)], 4.0 * (-200f64).exp(), max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sech_squared(self) -> Self {
        self.unary(SechSquared)
    }

    /// The hyperbolic sine `½ (eˣ - e⁻ˣ)`, element by element.
    ///
    /// # Derivative
    /// `cosh x`. A cotangent that is exactly 0 contributes exactly 0, also where that overflows.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative ∞, 1, 1, ∞, NaN. At most 1.6 ulp, the derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.sinh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sinh(self) -> Self {
        self.unary(Sinh)
    }

    /// The hyperbolic cosine `½ (eˣ + e⁻ˣ)`, element by element.
    ///
    /// # Derivative
    /// `sinh x`. A cotangent that is exactly 0 contributes exactly 0, also where that overflows.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: ∞, 1, 1, ∞, NaN; derivative -∞, -0, 0, ∞, NaN. At most 1.6 ulp, the derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.cosh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (1.0, 0.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cosh(self) -> Self {
        self.unary(Cosh)
    }

    /// The inverse hyperbolic sine `ln(x + √(x² + 1))`, element by element.
    ///
    /// # Derivative
    /// `1/√(x² + 1)`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, 1, 1, 0, NaN. At most 2 ulp, the derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.asinh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn asinh(self) -> Self {
        self.unary(Asinh)
    }

    /// The inverse hyperbolic cosine `ln(x + √(x² - 1))`, element by element.
    ///
    /// # Derivative
    /// `1/√(x² - 1)`: infinite at 1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, NaN, NaN, ∞, NaN; derivative NaN, NaN, NaN, 0, NaN. NaN below 1. At most 2 ulp, the
    /// derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.acosh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, f64::INFINITY));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn acosh(self) -> Self {
        self.unary(Acosh)
    }

    /// The inverse hyperbolic tangent `½ ln((1 + x) / (1 - x))`, element by element.
    ///
    /// # Derivative
    /// `1/(1 - x²)`: infinite at ±1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, NaN, NaN; derivative NaN, 1, 1, NaN, NaN. ±∞ at ±1; outside NaN, and so is the
    /// derivative. At most 2 ulp, the derivative at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1.0]]);
    /// let y = x.atanh();
    /// assert_eq!(y.value().as_slice(), [0.0, f64::INFINITY]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, f64::INFINITY]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atanh(self) -> Self {
        self.unary(Atanh)
    }

    /// `ln cosh x`, element by element: `½ x²` near 0, `|x| - ln 2` far out.
    ///
    /// # Derivative
    /// `tanh x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: ∞, 0, 0, ∞, NaN; derivative -1, -0, 0, 1, NaN. +∞ at ±∞; no overflow before. At most 4
    /// ulp, the derivative at most 1.5.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1000.0);
    /// let y = x.log_cosh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (1000.0 - 2f64.ln(), 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_cosh(self) -> Self {
        self.unary(LogCosh)
    }
}
