//! Smooth steps and ramps: what stands between the layers of a network.

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

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g * (y * (-x).sigmoid())
    }
}

impl Examples for Sigmoid {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sigmoid, [Domain::ALL])]
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

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
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

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * (-x).sigmoid()
    }
}

impl Examples for LogSigmoid {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(LogSigmoid, [Domain::ALL])]
    }
}

/// `x - tanh x`: a kernel, without cancellation near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tanhshrink;

impl Pointwise<1> for Tanhshrink {
    const NAME: &'static str = "tanhshrink";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::tanhshrink(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.tanh().square()
    }
}

impl Examples for Tanhshrink {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Tanhshrink, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// The logistic sigmoid `σ(x) = 1 / (1 + e⁻ˣ)`, element by element.
    ///
    /// # Derivative
    /// `σ(x) σ(-x)`, which keeps its relative accuracy in both tails.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.5, 0.5, 1, NaN; derivative 0, 0.25, 0.25, 0, NaN.
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

    /// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|)`, element by element: the second form, which never overflows.
    ///
    /// # Derivative
    /// `σ(x)`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.6931, 0.6931, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN.
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
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0.6931, -0.6931, 0, NaN; derivative 1, 0.5, 0.5, 0, NaN.
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

    /// `ln(1 + e^(βx)) / β`, element by element: [`softplus`](Self::softplus) with a corner of another sharpness.
    ///
    /// # Derivative
    /// `σ(βx)`.
    ///
    /// # Domain and edge cases
    /// With `β = 2`, at -∞, -0, 0, ∞, NaN: 0, 0.3466, 0.3466, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN. Where `βx` is
    /// negative and rounded, value and derivative are off by up to `4 + |βx|` ulp.
    ///
    /// # Panics
    /// If `β` is not positive.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.softplus_with(2.0);
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.5 * 2f64.ln(), 0.5));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn softplus_with(self, beta: T) -> Self {
        assert!(beta > T::ZERO, "softplus_with: beta is {beta}: it must be positive");
        (self * beta).softplus() / beta
    }

    /// `x - tanh x`, element by element.
    ///
    /// # Derivative
    /// `tanh² x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 1, 0, 0, 1, NaN. At most 8 ulp, also near 0, where it is
    /// `x³/3`; the derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.tanhshrink();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 0.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tanhshrink(self) -> Self {
        self.unary(Tanhshrink)
    }

    /// `(x + 1) / 2`, kept between 0 and 1, element by element: the derivative of [`sparse_plus`](Self::sparse_plus).
    ///
    /// # Derivative
    /// ½ between -1 and 1, 0 elsewhere.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.5, 0.5, 1, NaN; derivative 0, 0.5, 0.5, 0, 0. At ±1 the derivative is 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-2.0, 0.5, 1.0]]);
    /// let y = x.sparse_sigmoid();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.75, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.5, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sparse_sigmoid(self) -> Self {
        self.clamp(-T::ONE, T::ONE) * T::from_f64(0.5) + T::from_f64(0.5)
    }
}
