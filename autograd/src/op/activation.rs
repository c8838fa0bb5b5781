//! What stands between the layers of a network.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `σ(x) = 1 / (1 + e⁻ˣ)`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sigmoid;

impl Pointwise<1> for Sigmoid {
    const NAME: &'static str = "sigmoid";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::sigmoid(x)
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        [x]: [Var<'g, T>; 1],
        y: Var<'g, T>,
    ) -> Var<'g, T> {
        g * (y * (-x).sigmoid())
    }
}

impl Examples for Sigmoid {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sigmoid, [Domain::ALL])]
    }
}

/// `max(x, 0)`, with derivative 0 at 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relu;

impl Pointwise<1> for Relu {
    const NAME: &'static str = "relu";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        if x > T::ZERO || x.is_nan() { x } else { T::ZERO }
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        [x]: [Var<'g, T>; 1],
        _: Var<'g, T>,
    ) -> Var<'g, T> {
        x.gt(x.scalar(T::ZERO)).select(g, x.scalar(T::ZERO))
    }
}

impl Examples for Relu {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Relu, [Domain::NON_ZERO])]
    }
}

/// `ln(1 + eˣ)`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softplus;

impl Pointwise<1> for Softplus {
    const NAME: &'static str = "softplus";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::softplus(x)
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        [x]: [Var<'g, T>; 1],
        _: Var<'g, T>,
    ) -> Var<'g, T> {
        g * x.sigmoid()
    }
}

impl Examples for Softplus {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Softplus, [Domain::ALL])]
    }
}

/// `ln σ(x)`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSigmoid;

impl Pointwise<1> for LogSigmoid {
    const NAME: &'static str = "log_sigmoid";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::log_sigmoid(x)
    }

    fn derivative<'g, T: Real>(
        self,
        _: usize,
        g: Var<'g, T>,
        [x]: [Var<'g, T>; 1],
        _: Var<'g, T>,
    ) -> Var<'g, T> {
        g * (-x).sigmoid()
    }
}

impl Examples for LogSigmoid {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(LogSigmoid, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// The logistic sigmoid `σ(x) = 1 / (1 + e⁻ˣ)`, element by element.
    ///
    /// # Derivative
    /// `σ(x) σ(-x)`, which keeps its relative accuracy in both tails.
    ///
    /// # Domain and edge cases
    /// 0 at -∞, 1 at +∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.sigmoid();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.5, 0.25));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.unary(Sigmoid)
    }

    /// `max(x, 0)`, element by element.
    ///
    /// # Derivative
    /// 1 above 0, else 0; at 0 itself 0, the subgradient of least norm. What is masked contributes exactly 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.0, 0.0, 2.0]]);
    /// let y = x.relu();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # References
    /// D. Bertoin et al., "Numerical influence of ReLU'(0) on backpropagation", 2021.
    #[must_use]
    #[track_caller]
    pub fn relu(self) -> Self {
        self.unary(Relu)
    }

    /// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|)`, element by element: the second form, which never overflows.
    ///
    /// # Derivative
    /// `σ(x)`.
    ///
    /// # Domain and edge cases
    /// 0 at -∞, +∞ at +∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1000.0]]);
    /// let y = x.softplus();
    /// assert_eq!(y.value().as_slice(), [2f64.ln(), 1000.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn softplus(self) -> Self {
        self.unary(Softplus)
    }

    /// `ln σ(x) = -softplus(-x)`, element by element; never `ln` of a number that has become 0.
    ///
    /// # Derivative
    /// `σ(-x)`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1000.0, 1000.0]]);
    /// assert_eq!(x.log_sigmoid().value().as_slice(), [-1000.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_sigmoid(self) -> Self {
        self.unary(LogSigmoid)
    }
}
