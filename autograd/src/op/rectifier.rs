//! Ramps, steps and their kin: linear in pieces, or nearly so.

use crate::kernel::math;
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Bits, Pointwise};
use crate::scalar::Real;
use crate::var::Var;

/// `max(x, 0)`, with derivative 0 at 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relu;

impl Pointwise<1> for Relu {
    const NAME: &'static str = "relu";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        if x > T::ZERO || x.is_nan() { x } else { T::ZERO }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let zero = x.scalar(T::ZERO);
        x.gt(zero).select(g, zero)
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(at.le(at.scalar(T::ZERO)).select(at.scalar(T::ZERO), x))
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        Some((if x > T::ZERO { T::ONE } else { T::ZERO }, x.abs()))
    }
}

impl Examples for Relu {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Relu, [Domain::NON_ZERO])]
    }
}

/// `x` above 0, a slope times `x` below: for speed, one pass instead of three (0.25 ns instead of 1.1 ns an element)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeakyRelu(pub Bits);

impl Pointwise<1> for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        if x > T::ZERO { x } else { x * self.0.get() }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        x.gt(x.scalar(T::ZERO)).select(g, g * self.0.get::<T>())
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(at.le(at.scalar(T::ZERO)).select(x * self.0.get::<T>(), x))
    }

    fn piece<T: Real>(self, x: [T; 1]) -> Option<(T, T)> {
        Relu.piece(x)
    }
}

impl Examples for LeakyRelu {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(LeakyRelu(Bits::new(0.125)), [Domain::NON_ZERO])]
    }
}

/// `½ (x + √(x² + b))`: a kernel, without cancellation below 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Squareplus(pub Bits);

impl Pointwise<1> for Squareplus {
    const NAME: &'static str = "squareplus";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::squareplus(x, self.0.get())
    }

    /// `½ (1 + x/r)` with `r = √(x² + b)`, which is `y/r`.
    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        let (b, infinity) = (self.0.get::<T>(), x.scalar(T::INFINITY));
        let root = x.hypot(x.scalar(b.sqrt()));
        let limit = x.gt(x.scalar(T::ZERO));
        g * root.equal(infinity).select(limit, y / root)
    }
}

impl Examples for Squareplus {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Squareplus(Bits::new(4.0)), [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `max(x, 0)`, element by element.
    ///
    /// # Derivative
    /// 1 above 0, else 0; at 0 itself 0, the subgradient of least norm. What is masked contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0, 0, ∞, NaN; derivative 0, 0, 0, 1, 0.
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

    /// `x` above 0, `slope x` below, element by element.
    ///
    /// # Derivative
    /// 1 above 0, else the slope, also at 0 itself.
    ///
    /// # Domain and edge cases
    /// With a slope of 0.5, at -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0.5, 0.5, 0.5, 1, 0.5.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-2.0, 0.0, 2.0]]);
    /// let y = x.leaky_relu(0.25);
    /// assert_eq!(y.value().as_slice(), [-0.5, 0.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.25, 0.25, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn leaky_relu(self, slope: T) -> Self {
        self.unary(LeakyRelu(Bits::new(slope)))
    }

    /// `x` above 0, `slope x` below, element by element, with a slope that can be learnt, and broadcasts.
    ///
    /// # Derivative
    /// By `x`: 1 above 0, else the slope, also at 0 itself. By the slope: `x` below 0, else 0.
    ///
    /// # Domain and edge cases
    /// As the product up to 0: NaN at 0 with an infinite slope. NaN stays NaN, with the slope as its derivative.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, slope) = (graph.variable([[-2.0, 2.0]]), graph.variable(0.25));
    /// let y = x.prelu(slope);
    /// assert_eq!(y.value().as_slice(), [-0.5, 2.0]);
    /// assert_eq!(y.sum().gradient(slope).item(), -2.0);
    /// ```
    ///
    /// # References
    /// K. He et al., "Delving deep into rectifiers", 2015.
    #[must_use]
    #[track_caller]
    pub fn prelu(self, slope: Self) -> Self {
        self.if_positive(self * slope)
    }

    /// `x` kept between 0 and 6, element by element.
    ///
    /// # Derivative
    /// 1 strictly between 0 and 6, else 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, 6, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.0, 3.0, 6.0]]);
    /// let y = x.relu6();
    /// assert_eq!(y.value().as_slice(), [0.0, 3.0, 6.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn relu6(self) -> Self {
        self.clamp(T::ZERO, T::from_f64(6.0))
    }

    /// `x` kept between -1 and 1, element by element; other bounds: [`clamp`](Self::clamp).
    ///
    /// # Derivative
    /// 1 strictly between -1 and 1, else 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 1, 1, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.5, 1.0]]);
    /// let y = x.hardtanh();
    /// assert_eq!(y.value().as_slice(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hardtanh(self) -> Self {
        self.clamp(-T::ONE, T::ONE)
    }

    /// `x + 3`, kept between 0 and 6, over 6, element by element.
    ///
    /// # Derivative
    /// ⅙ for `-3 < x < 3`, else 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.5, 0.5, 1, NaN; derivative 0, 0.1667, 0.1667, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.0, 5.0]]);
    /// let y = x.hardsigmoid();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.5, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 1.0 / 6.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hardsigmoid(self) -> Self {
        (self + T::from_f64(3.0)).relu6() / T::from_f64(6.0)
    }

    /// `x` times [`hardsigmoid`](Self::hardsigmoid), element by element.
    ///
    /// # Derivative
    /// 0 up to -3, 1 from 3 on, `x/3 + ½` between.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.0, 3.0]]);
    /// let y = x.hardswish();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0, 3.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.5, 1.0]);
    /// ```
    ///
    /// # References
    /// A. Howard et al., "Searching for MobileNetV3", 2019.
    #[must_use]
    #[track_caller]
    pub fn hardswish(self) -> Self {
        self.hardsigmoid().strong_mul(self)
    }

    /// `x` above `threshold`, `value` elsewhere, element by element.
    ///
    /// # Derivative
    /// 1 above the threshold, else 0, also at the threshold itself.
    ///
    /// # Domain and edge cases
    /// With the threshold 1 and the value -2, at -∞, -0, 0, ∞, NaN: -2, -2, -2, ∞, NaN; derivative 0, 0, 0, 1, 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.5, 1.0, 2.0]]);
    /// let y = x.threshold(1.0, -7.0);
    /// assert_eq!(y.value().as_slice(), [-7.0, -7.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn threshold(self, threshold: T, value: T) -> Self {
        self.masked_fill(self.le(self.scalar(threshold)), value)
    }

    /// `x` above 0, `α (eˣ - 1)` below, element by element.
    ///
    /// # Derivative
    /// 1 above 0, else `α eˣ`, also at 0 itself.
    ///
    /// # Domain and edge cases
    /// With `α = 2`, at -∞, -0, 0, ∞, NaN: -2, -0, 0, ∞, NaN; derivative 0, 2, 2, 1, NaN. At most 2 ulp, the derivative
    /// too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 2.0, f64::NEG_INFINITY]]);
    /// let y = x.elu(0.5);
    /// assert_eq!(y.value().as_slice(), [0.0, 2.0, -0.5]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.5, 1.0, 0.0]);
    /// ```
    ///
    /// # References
    /// D. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential linear units", 2015.
    #[must_use]
    #[track_caller]
    pub fn elu(self, alpha: T) -> Self {
        self.if_positive(self.exp_m1() * alpha)
    }

    /// `x` above 0, `α (e^(x/α) - 1)` below, element by element: [`elu`](Self::elu) without its corner.
    ///
    /// # Derivative
    /// 1 above 0, else `e^(x/α)`.
    ///
    /// # Domain and edge cases
    /// With `α = 2`, at -∞, -0, 0, ∞, NaN: -2, -0, 0, ∞, NaN; derivative 0, 1, 1, 1, NaN. At most 4 ulp; the derivative
    /// at most `2 + |x/α|`, because the rounding of the quotient counts as much.
    ///
    /// # Panics
    /// If `α` is not positive.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 2.0, f64::NEG_INFINITY]]);
    /// let y = x.celu(0.5);
    /// assert_eq!(y.value().as_slice(), [0.0, 2.0, -0.5]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 1.0, 0.0]);
    /// ```
    ///
    /// # References
    /// J. Barron, "Continuously differentiable exponential linear units", 2017.
    #[must_use]
    #[track_caller]
    pub fn celu(self, alpha: T) -> Self {
        assert!(alpha > T::ZERO, "celu: alpha is {alpha}: it must be positive");
        self.if_positive((self / alpha).exp_m1() * alpha)
    }

    /// `λ x` above 0, `λ α (eˣ - 1)` below, element by element, with the `λ` and `α` that keep mean 0 and variance 1.
    ///
    /// # Derivative
    /// `λ` above 0, else `λ α eˣ`, also at 0 itself.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1.7581, -0, 0, ∞, NaN; derivative 0, 1.7581, 1.7581, 1.0507, NaN. At most 3 ulp, the
    /// derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1.0]]);
    /// let y = x.selu();
    /// assert_eq!(y.value().as_slice(), [0.0, 1.0507009873554805]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.7580993408473766, 1.0507009873554805]);
    /// ```
    ///
    /// # References
    /// G. Klambauer et al., "Self-normalizing neural networks", 2017, equation 14.
    #[must_use]
    #[track_caller]
    pub fn selu(self) -> Self {
        let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
        let above = self * T::from_f64(scale);
        self.gt(self.scalar(T::ZERO)).select(above, self.exp_m1() * T::from_f64(scale * alpha))
    }

    /// 0 for `|x| ≤ λ`, `x` elsewhere, element by element.
    ///
    /// # Derivative
    /// 0 for `|x| ≤ λ`, else 1.
    ///
    /// # Domain and edge cases
    /// With `λ = 1`, at -∞, -0, 0, ∞, NaN: -∞, 0, 0, ∞, NaN; derivative 1, 0, 0, 1, 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-2.0, 0.5, 1.0]]);
    /// let y = x.hardshrink(1.0);
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 0.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hardshrink(self, lambda: T) -> Self {
        self.masked_fill(self.abs().le(self.scalar(lambda)), T::ZERO)
    }

    /// `x` moved by `λ` towards 0, and 0 for `|x| ≤ λ`, element by element.
    ///
    /// # Derivative
    /// 0 for `|x| ≤ λ`, else 1.
    ///
    /// # Domain and edge cases
    /// With `λ = 1`, at -∞, -0, 0, ∞, NaN: -∞, 0, 0, ∞, NaN; derivative 1, 0, 0, 1, 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-2.0, 0.5, 1.0]]);
    /// let y = x.softshrink(1.0);
    /// assert_eq!(y.value().as_slice(), [-1.0, 0.0, 0.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # References
    /// D. Donoho, "De-noising by soft-thresholding", 1995.
    #[must_use]
    #[track_caller]
    pub fn softshrink(self, lambda: T) -> Self {
        (self - self.sign() * lambda).masked_fill(self.abs().le(self.scalar(lambda)), T::ZERO)
    }

    /// `½ (x + √(x² + b))`, element by element: a ramp with a round corner, without exponentials.
    ///
    /// # Derivative
    /// `y/√(x² + b)`.
    ///
    /// # Domain and edge cases
    /// With `b = 4`, at -∞, -0, 0, ∞, NaN: 0, 1, 1, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN. At most 4 ulp, also far
    /// below 0; the derivative at most 8.
    ///
    /// # Panics
    /// If `b` is not positive.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.squareplus(4.0);
    /// assert_eq!((y.item(), y.gradient(x).item()), (1.0, 0.5));
    /// ```
    ///
    /// # References
    /// J. Barron, "Squareplus: a softplus-like algebraic rectifier", 2021.
    #[must_use]
    #[track_caller]
    pub fn squareplus(self, b: T) -> Self {
        assert!(b > T::ZERO, "squareplus: b is {b}: it must be positive");
        self.unary(Squareplus(Bits::new(b)))
    }

    /// `x` where it is positive, `other` elsewhere, also where it is NaN.
    #[track_caller]
    fn if_positive(self, other: Self) -> Self {
        self.gt(self.scalar(T::ZERO)).select(self, other)
    }

    /// `0` up to -1, `(x + 1)²/4` between, `x` from 1 on, element by element: a ramp that is exactly 0 and exactly linear
    /// away from the bend, and smooth in it.
    ///
    /// # Derivative
    /// [`sparse_sigmoid`](Self::sparse_sigmoid)
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.25, 0.25, ∞, NaN; derivative 0, 0.5, 0.5, 1, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-2.0, 0.0, 1.0, 3.0]]);
    /// let y = x.sparse_plus();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.25, 1.0, 3.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.5, 1.0, 1.0]);
    /// ```
    ///
    /// # References
    /// A. Martins and R. Astudillo, "From softmax to sparsemax", 2016.
    #[must_use]
    #[track_caller]
    pub fn sparse_plus(self) -> Self {
        let bend = (self.clamp(-T::ONE, T::ONE) + T::ONE).square() * T::from_f64(0.25);
        self.ge(self.scalar(T::ONE)).select(self, bend)
    }
}
