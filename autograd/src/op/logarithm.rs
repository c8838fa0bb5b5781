//! Logarithms, and terms that are made with them.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `ln x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ln;

impl Pointwise<1> for Ln {
    const NAME: &'static str = "ln";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::ln(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::ONE) / x)
    }
}

impl Examples for Ln {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Ln, [Domain::POSITIVE])]
    }
}

/// `ln(1 + x)`: a kernel, accurate also near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ln1p;

impl Pointwise<1> for Ln1p {
    const NAME: &'static str = "ln_1p";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::ln_1p(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::ONE) / (x + T::ONE))
    }
}

impl Examples for Ln1p {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Ln1p, [Domain::between(-0.75, 3.0)])]
    }
}

/// `log₂ x`: a kernel, exact at powers of 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Log2;

impl Pointwise<1> for Log2 {
    const NAME: &'static str = "log2";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::log2(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::from_f64(core::f64::consts::LOG2_E)) / x)
    }
}

impl Examples for Log2 {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Log2, [Domain::POSITIVE])]
    }
}

/// `log₁₀ x`: a kernel, exact at powers of 10
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Log10;

impl Pointwise<1> for Log10 {
    const NAME: &'static str = "log10";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::log10(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::from_f64(core::f64::consts::LOG10_E)) / x)
    }
}

impl Examples for Log10 {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Log10, [Domain::POSITIVE])]
    }
}

/// `ln(x / (1 - x))`: a kernel, without cancellation near ½
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Logit;

impl Pointwise<1> for Logit {
    const NAME: &'static str = "logit";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::logit(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let one = x.scalar(T::ONE);
        let inside = x.ge(x.scalar(T::ZERO)) * x.le(one);
        g.strong_mul(inside.select(one / (x * (one - x)), x.scalar(T::NAN)))
    }
}

impl Examples for Logit {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Logit, [Domain::between(0.125, 0.875)])]
    }
}

/// `ln(eˣ + eʸ)`: a kernel, in which nothing overflows
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogAddExp;

impl Pointwise<2> for LogAddExp {
    const NAME: &'static str = "logaddexp";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        math::logaddexp(x, y)
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        g * x[slot].binary(SigmoidDifference, x[1 - slot])
    }
}

impl Examples for LogAddExp {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(LogAddExp, [Domain::ALL; 2])]
    }
}

/// `σ(x - y)`: no composition, for the rounding of `x - y` would count `|x - y|` times as much
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SigmoidDifference;

impl Pointwise<2> for SigmoidDifference {
    const NAME: &'static str = "sigmoid_difference";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        math::sigmoid_of_difference(x, y)
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [x, y]: [Var<'g, T>; 2], z: Var<'g, T>) -> Var<'g, T> {
        let product = g * (z * y.binary(SigmoidDifference, x));
        if slot == 0 { product } else { -product }
    }
}

impl Examples for SigmoidDifference {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(SigmoidDifference, [Domain::ALL; 2])]
    }
}

impl<T: Real> Var<'_, T> {
    /// The natural logarithm (in nats), element by element.
    ///
    /// # Derivative
    /// `1/x`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -∞, -∞, ∞, NaN; derivative -0, -∞, ∞, 0, NaN. -∞ at ±0, NaN below.
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

    /// `ln(1 + x)`, element by element, accurate also near 0.
    ///
    /// # Derivative
    /// `1 / (1 + x)`. A cotangent that is exactly 0 contributes exactly 0, also at -1.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, ∞, NaN; derivative -0, 1, 1, 0, NaN. -∞ at -1, NaN below. At most 1 ulp, the
    /// derivative at most 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1e-20, -1.0]]);
    /// let y = x.ln_1p();
    /// assert_eq!(y.value().as_slice(), [1e-20, f64::NEG_INFINITY]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, f64::INFINITY]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ln_1p(self) -> Self {
        self.unary(Ln1p)
    }

    /// The logarithm to base 2 (in bits), element by element.
    ///
    /// # Derivative
    /// `1 / (x ln 2)`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -∞, -∞, ∞, NaN; derivative -0, -∞, ∞, 0, NaN. Exact at powers of 2; -∞ at ±0, NaN
    /// below. At most 0.51 ulp, the derivative at most 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(8.0);
    /// let y = x.log2();
    /// assert_eq!((y.item(), y.gradient(x).item()), (3.0, std::f64::consts::LOG2_E / 8.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log2(self) -> Self {
        self.unary(Log2)
    }

    /// The logarithm to base 10, element by element.
    ///
    /// # Derivative
    /// `1 / (x ln 10)`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -∞, -∞, ∞, NaN; derivative -0, -∞, ∞, 0, NaN. Exact at powers of 10; -∞ at ±0, NaN
    /// below. At most 0.51 ulp, the derivative at most 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1000.0);
    /// let y = x.log10();
    /// assert_eq!((y.item(), y.gradient(x).item()), (3.0, std::f64::consts::LOG10_E / 1000.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log10(self) -> Self {
        self.unary(Log10)
    }

    /// `ln(x / (1 - x))`, element by element: the logit (in nats) of a probability, the inverse of
    /// [`sigmoid`](Self::sigmoid).
    ///
    /// # Derivative
    /// `1 / (x (1 - x))`: infinite at 0 and 1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -∞, -∞, NaN, NaN; derivative NaN, -∞, ∞, NaN, NaN. -∞ at 0, +∞ at 1; outside NaN, and
    /// so is the derivative. At most 3 ulp, the derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 0.5, 1.0]]);
    /// let y = x.logit();
    /// assert_eq!(y.value().as_slice(), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [f64::INFINITY, 4.0, f64::INFINITY]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logit(self) -> Self {
        self.unary(Logit)
    }

    /// `ln(eˣ + eʸ)`, element by element, with broadcasting: the sum of two numbers that are given by their logarithms.
    ///
    /// # Derivative
    /// `σ(x - y)` and `σ(y - x)`, which add up to 1.
    ///
    /// # Domain and edge cases
    /// Never overflows. Of two -∞, -∞ with derivatives 0; of two +∞, +∞ with derivatives ½. At most 2 ulp of the larger of the
    /// two terms `max(x, y)` and `ln(1 + e^-|x - y|)`; the derivatives at most 3 ulp, however small.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(1000.0), graph.variable(1000.0));
    /// let z = x.logaddexp(y);
    /// assert_eq!(z.item(), 1000.0 + 2f64.ln());
    /// assert_eq!(z.gradient([x, y]).map(|dx| dx.item()), [0.5, 0.5]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn logaddexp(self, other: Self) -> Self {
        self.binary(LogAddExp, other)
    }

    /// `x ln y`, element by element, with broadcasting; 0 where `x` is 0, whatever `y`.
    ///
    /// # Derivative
    /// `ln y` by `x`, but 0 where `x` is 0 and `ln y` is not finite; `x/y` by `y`. A
    /// cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// NaN for a negative `y`, unless `x` is 0. At most 2 ulp, the derivatives too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[0.0, 2.0]]), graph.variable([[0.0, 1.0]]));
    /// let z = x.xlogy(y);
    /// assert_eq!(z.value().as_slice(), [0.0, 0.0]);
    /// assert_eq!(z.sum().gradient(y).value().as_slice(), [0.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn xlogy(self, y: Self) -> Self {
        let zero = self.scalar(T::ZERO);
        let singular = y.le(zero) + y.equal(zero.scalar(T::INFINITY));
        self.strong_mul((self.equal(zero) * singular).select(zero, y.ln()))
    }

    /// `x ln(1 + y)`, element by element, with broadcasting; 0 where `x` is 0, whatever `y`.
    ///
    /// # Derivative
    /// `ln(1 + y)` by `x`, but 0 where `x` is 0 and `ln(1 + y)` is not finite; `x / (1 + y)` by
    /// `y`. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// NaN for `y < -1`, unless `x` is 0. At most 2 ulp, the derivatives at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[0.0, 2.0]]), graph.variable([[-1.0, 1e-20]]));
    /// let z = x.xlog1py(y);
    /// assert_eq!(z.value().as_slice(), [0.0, 2e-20]);
    /// assert_eq!(z.sum().gradient(y).value().as_slice(), [0.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn xlog1py(self, y: Self) -> Self {
        let zero = self.scalar(T::ZERO);
        let singular = y.le(zero.scalar(-T::ONE)) + y.equal(zero.scalar(T::INFINITY));
        self.strong_mul((self.equal(zero) * singular).select(zero, y.ln_1p()))
    }

    /// `-x ln x`, element by element: what a probability contributes to an entropy (in nats); 0 at 0.
    ///
    /// # Derivative
    /// `-ln x - 1`: +∞ at 0. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, -0, -∞, NaN; derivative NaN, ∞, ∞, NaN, NaN. NaN below 0. At most 2 ulp; the
    /// derivative at most 2 ulp of the larger of its two terms, which cancel at `1/e`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1.0]]);
    /// let y = x.entr();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [f64::INFINITY, -1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn entr(self) -> Self {
        -self.strong_mul(self.ln())
    }

    /// `x ln(x/y)`, element by element, with broadcasting: what a pair of probabilities contributes to a Kullback-Leibler
    /// divergence (in nats); 0 where `x` is 0.
    ///
    /// # Derivative
    /// `ln(x/y) + 1` by `x`, `-x/y` by `y`; 0 where both are 0.
    ///
    /// # Domain and edge cases
    /// +∞ where only `y` is 0; NaN where `x/y` is negative. At most 4 ulp, also where `x` is next to `y`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[0.0, 2.0]]), graph.variable([[0.0, 2.0]]));
    /// let z = x.rel_entr(y);
    /// assert_eq!(z.value().as_slice(), [0.0, 0.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rel_entr(self, y: Self) -> Self {
        let zero = self.scalar(T::ZERO);
        let nothing = self.equal(zero) * y.equal(zero);
        let ratio = self / y;
        // There `x - y` is exact, while the rounding of `x/y` would be all that its logarithm consists of.
        let near = ratio.ge(zero.scalar(T::from_f64(0.5))) * ratio.le(zero.scalar(T::from_f64(2.0)));
        let far = nothing.select(zero.scalar(T::ONE), ratio).ln();
        self.strong_mul(near.select(((self - y) / y).ln_1p(), far))
    }
}
