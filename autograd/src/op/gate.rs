//! A value times a number between 0 and 1 that depends on it.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `x σ(x)`: a kernel, which is 0 at -∞, and so is its derivative
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Silu;

impl Pointwise<1> for Silu {
    const NAME: &'static str = "silu";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::silu(x)
    }

    /// `σ(x) (1 + x σ(-x))`, in which the factor that vanishes wins over one that is infinite.
    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.sigmoid().strong_mul((-x).sigmoid().strong_mul(x) + T::ONE)
    }
}

impl Examples for Silu {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Silu, [Domain::ALL])]
    }
}

/// `x tanh(ln(1 + eˣ))`: a kernel, one exponential instead of three
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mish;

impl Pointwise<1> for Mish {
    const NAME: &'static str = "mish";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::mish(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let softplus = x.softplus();
        g * (softplus.tanh() + softplus.sech_squared().strong_mul(x.silu()))
    }
}

impl Examples for Mish {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Mish, [Domain::ALL])]
    }
}

/// `x Φ(x)` with the normal distribution function: a kernel, which is 0 at -∞
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gelu;

impl Pointwise<1> for Gelu {
    const NAME: &'static str = "gelu";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::gelu(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * (x.normal_cdf() + x.normal_pdf().strong_mul(x))
    }
}

impl Examples for Gelu {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Gelu, [Domain::ALL])]
    }
}

/// [`Gelu`] with a hyperbolic tangent in place of the error function: a kernel, one exponential
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GeluTanh;

impl Pointwise<1> for GeluTanh {
    const NAME: &'static str = "gelu_tanh";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::gelu_tanh(x)
    }

    /// With `y = x σ(u)`: `σ(u) + x σ(u) σ(-u) u′`.
    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let [linear, cubic] = math::GELU_TANH;
        let square = x.square();
        let u = x * (square * T::from_f64(cubic) + T::from_f64(linear));
        let du = square * T::from_f64(3.0 * cubic) + T::from_f64(linear);
        let s = u.sigmoid();
        g * (s + (s * (-u).sigmoid()).strong_mul(x * du))
    }
}

impl Examples for GeluTanh {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(GeluTanh, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `x σ(x)`, element by element; also called swish.
    ///
    /// # Derivative
    /// `σ(x) (1 + x σ(-x))`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN. At most 2.5 ulp, the derivative at most
    /// 6 of the larger of its two terms; where `σ(x)` is subnormal up to `|x|` last places more.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, f64::NEG_INFINITY]]);
    /// let y = x.silu();
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.5, 0.0]);
    /// ```
    ///
    /// # References
    /// S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units", 2018.
    #[must_use]
    #[track_caller]
    pub fn silu(self) -> Self {
        self.unary(Silu)
    }

    /// `x tanh(ln(1 + eˣ))`, element by element.
    ///
    /// # Derivative
    /// `t + (1 - t²) x σ(x)` with `t = tanh(ln(1 + eˣ))`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, ∞, NaN; derivative 0, 0.6, 0.6, 1, NaN. At most 4 ulp, the derivative at most 10
    /// of the larger of its two terms; where `eˣ` is subnormal up to `|x|` last places more.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.mish();
    /// assert_eq!(y.item(), 0.0);
    /// approx::assert_relative_eq!(y.gradient(x).item(), 0.6, max_relative = 1e-15);
    /// ```
    ///
    /// # References
    /// D. Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    #[must_use]
    #[track_caller]
    pub fn mish(self) -> Self {
        self.unary(Mish)
    }

    /// `x Φ(x)`, element by element, with the distribution function `Φ` of the standard normal distribution.
    ///
    /// # Derivative
    /// `Φ(x) + x φ(x)` with the density `φ`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN. At most 7 ulp, the derivative at most 8
    /// of the larger of its two terms; where `Φ(x)` is subnormal up to `|x|` last places more.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.gelu();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 0.5));
    /// ```
    ///
    /// # References
    /// D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016.
    #[must_use]
    #[track_caller]
    pub fn gelu(self) -> Self {
        self.unary(Gelu)
    }

    /// `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`, element by element: the approximation of [`gelu`](Self::gelu) that some
    /// networks were trained with.
    ///
    /// # Derivative
    /// That of the formula, not of what it approximates.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, -0, 0, ∞, NaN; derivative 0, 0.5, 0.5, 1, NaN. With `u` twice the argument of the
    /// tangent, at most `4 + 3|u|` ulp, for its rounding counts as much; the derivative at most `8 + 3|u|` of the
    /// larger of its two terms.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.gelu_tanh();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 0.5));
    /// ```
    ///
    /// # References
    /// D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016, section 2.
    #[must_use]
    #[track_caller]
    pub fn gelu_tanh(self) -> Self {
        self.unary(GeluTanh)
    }

    /// `x + sin²(ax) / a`, element by element: for functions with a period.
    ///
    /// # Derivative
    /// `1 + sin(2ax)`.
    ///
    /// # Domain and edge cases
    /// With a frequency of 1, at -∞, -0, 0, ∞, NaN: NaN, 0, 0, NaN, NaN; derivative NaN, 1, 1, NaN, NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.snake(2.0);
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    ///
    /// # References
    /// L. Ziyin, T. Hartwig and M. Ueda, "Neural networks fail to learn periodic functions and how to fix it", 2020.
    #[must_use]
    #[track_caller]
    pub fn snake(self, a: T) -> Self {
        self + (self * a).sin().square() / a
    }

    /// The left half of the columns, weighted by the sigmoid of the right half: `a σ(b)`.
    ///
    /// # Derivative
    /// `σ(b)` by `a`, `a σ(b) σ(-b)` by `b`.
    ///
    /// # Shapes
    /// `(m, 2n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// As the product: NaN where `a` is infinite and `b` is -∞. NaN spoils its own element only. No columns stay none.
    ///
    /// # Panics
    /// If the number of columns is odd.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 0.0]]);
    /// let y = x.glu();
    /// assert_eq!(y.item(), 1.5);
    /// assert_eq!(y.gradient(x).value().as_slice(), [0.5, 0.75]);
    /// ```
    ///
    /// # References
    /// Y. Dauphin et al., "Language modeling with gated convolutional networks", 2017.
    #[must_use]
    #[track_caller]
    pub fn glu(self) -> Self {
        let (a, b) = self.halves("glu");
        a * b.sigmoid()
    }

    /// [`silu`](Self::silu) of the left half of the columns times the right half: `a σ(a) b`.
    ///
    /// # Derivative
    /// `silu′(a) b` by `a`, `silu(a)` by `b`.
    ///
    /// # Shapes
    /// `(m, 2n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// As the product: NaN where `a` is ±0 or -∞ and `b` infinite. NaN spoils its own element only. No columns stay
    /// none.
    ///
    /// # Panics
    /// If the number of columns is odd.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 3.0]]);
    /// let y = x.swiglu();
    /// assert_eq!(y.item(), 0.0);
    /// assert_eq!(y.gradient(x).value().as_slice(), [1.5, 0.0]);
    /// ```
    ///
    /// # References
    /// N. Shazeer, "GLU variants improve transformer", 2020.
    #[must_use]
    #[track_caller]
    pub fn swiglu(self) -> Self {
        let (a, b) = self.halves("swiglu");
        a.silu() * b
    }

    /// The left and the right half of the columns.
    #[track_caller]
    fn halves(self, name: &str) -> (Self, Self) {
        let (shape, half) = (self.shape(), self.cols() / 2);
        assert!(
            self.cols().is_multiple_of(2),
            "{name}: {shape}: the number of columns must be even; made at {}",
            self.site()
        );
        (self.slice(0..self.rows(), 0..half), self.slice(0..self.rows(), half..self.cols()))
    }
}
