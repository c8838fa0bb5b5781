//! Error and gamma functions, the normal distribution.

use crate::kernel::math;
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `e^(-x²)`: a kernel, with the square in two words, for its rounding would count as much as `x²`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gaussian;

impl Pointwise<1> for Gaussian {
    const NAME: &'static str = "gaussian";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::gaussian(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g * (y.strong_mul(x) * T::from_f64(-2.0))
    }
}

impl Examples for Gaussian {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Gaussian, [Domain::ALL])]
    }
}

/// The density of the standard normal distribution: a kernel, as [`Gaussian`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NormalPdf;

impl Pointwise<1> for NormalPdf {
    const NAME: &'static str = "normal_pdf";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::normal_pdf(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        -g * y.strong_mul(x)
    }
}

impl Examples for NormalPdf {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(NormalPdf, [Domain::ALL])]
    }
}

/// The distribution function of the standard normal distribution: a kernel, accurate in the lower tail
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NormalCdf;

impl Pointwise<1> for NormalCdf {
    const NAME: &'static str = "normal_cdf";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::normal_cdf(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * x.normal_pdf()
    }
}

impl Examples for NormalCdf {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(NormalCdf, [Domain::ALL])]
    }
}

/// The error function
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Erf;

impl Pointwise<1> for Erf {
    const NAME: &'static str = "erf";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::erf(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * (x.gaussian() * T::from_f64(core::f64::consts::FRAC_2_SQRT_PI))
    }
}

impl Examples for Erf {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Erf, [Domain::ALL])]
    }
}

/// `1 - erf x`: a kernel, accurate where that is small
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Erfc;

impl Pointwise<1> for Erfc {
    const NAME: &'static str = "erfc";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::erfc(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        -g * (x.gaussian() * T::from_f64(core::f64::consts::FRAC_2_SQRT_PI))
    }
}

impl Examples for Erfc {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Erfc, [Domain::ALL])]
    }
}

/// The inverse of the error function
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Erfinv;

impl Pointwise<1> for Erfinv {
    const NAME: &'static str = "erfinv";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::erfinv(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y.scalar(T::from_f64(1.0 / core::f64::consts::FRAC_2_SQRT_PI)) / y.gaussian())
    }
}

impl Examples for Erfinv {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Erfinv, [Domain::UNIT])]
    }
}

/// `ln |Γ(x)|`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lgamma;

impl Pointwise<1> for Lgamma {
    const NAME: &'static str = "lgamma";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::lgamma(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.digamma())
    }
}

impl Examples for Lgamma {
    fn examples() -> Vec<Case> {
        vec![
            Case::pointwise(Lgamma, [Domain::between(0.5, 4.0)]),
            Case::pointwise(Lgamma, [Domain::between(-0.75, -0.25)]),
        ]
    }
}

/// The `n`-th derivative of the digamma function
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Polygamma(pub u32);

impl Pointwise<1> for Polygamma {
    const NAME: &'static str = "polygamma";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::polygamma(self.0, x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.polygamma(self.0 + 1))
    }
}

impl Examples for Polygamma {
    fn examples() -> Vec<Case> {
        let case = |n, low, high| Case::pointwise(Polygamma(n), [Domain::between(low, high)]);
        vec![case(0, 0.75, 4.0), case(1, 1.0, 4.0), case(2, 1.0, 4.0), case(3, 1.5, 4.0), case(0, -0.625, -0.375)]
    }
}

impl<T: Real> Var<'_, T> {
    /// `e^(-x²)`, element by element.
    ///
    /// # Derivative
    /// `-2 x y`, which is 0 at ±∞.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 1, 1, 0, NaN; derivative -0, 0, -0, -0, NaN. At most 2 ulp, also far out; the
    /// derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, f64::INFINITY]]);
    /// let y = x.gaussian();
    /// assert_eq!(y.value().as_slice(), [1.0, 0.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gaussian(self) -> Self {
        self.unary(Gaussian)
    }

    /// `e^(-x²/2) / √(2π)`, element by element: the density of the standard normal distribution.
    ///
    /// # Derivative
    /// `-x y`, which is 0 at ±∞.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.3989, 0.3989, 0, NaN; derivative -0, 0, -0, -0, NaN. At most 3 ulp.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.normal_pdf();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.3989422804014327, 0.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn normal_pdf(self) -> Self {
        self.unary(NormalPdf)
    }

    /// `½ erfc(-x/√2)`, element by element: the distribution function `Φ` of the standard normal distribution.
    ///
    /// # Derivative
    /// The density [`normal_pdf`](Self::normal_pdf).
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0.5, 0.5, 1, NaN; derivative 0, 0.3989, 0.3989, 0, NaN. At most 6 ulp, also in the
    /// lower tail.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.normal_cdf();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.5, 0.3989422804014327));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn normal_cdf(self) -> Self {
        self.unary(NormalCdf)
    }

    /// The error function `2/√π ∫₀ˣ e^(-t²) dt`, element by element.
    ///
    /// # Derivative
    /// `2/√π e^(-x²)`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 1.1284, 1.1284, 0, NaN. At most 1.5 ulp, the derivative
    /// at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.erf();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, std::f64::consts::FRAC_2_SQRT_PI));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn erf(self) -> Self {
        self.unary(Erf)
    }

    /// The complementary error function `1 - erf x`, element by element, accurate where that is small.
    ///
    /// # Derivative
    /// `-2/√π e^(-x²)`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 2, 1, 1, 0, NaN; derivative -0, -1.1284, -1.1284, -0, NaN. At most 5 ulp, the derivative
    /// at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 20.0]]);
    /// let y = x.erfc().value();
    /// assert_eq!(y[(0, 0)], 1.0);
    /// approx::assert_relative_eq!(y[(0, 1)], 5.395865611607901e-176, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn erfc(self) -> Self {
        self.unary(Erfc)
    }

    /// The inverse of the error function, element by element.
    ///
    /// # Derivative
    /// `√π/2 e^(y²)`: infinite at ±1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, NaN, NaN; derivative NaN, 0.8862, 0.8862, NaN, NaN. ±∞ at ±1, NaN outside. At
    /// most 5 ulp; the derivative at most `4 + 10 y²`, because it grows with the square of `y`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1.0]]);
    /// let y = x.erfinv();
    /// assert_eq!(y.value().as_slice(), [0.0, f64::INFINITY]);
    /// assert_eq!(y.sum().gradient(x).value()[(0, 1)], f64::INFINITY);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn erfinv(self) -> Self {
        self.unary(Erfinv)
    }

    /// `ln |Γ(x)|`, element by element.
    ///
    /// # Derivative
    /// [`digamma`](Self::digamma).
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: ∞, ∞, ∞, ∞, NaN; derivative NaN, ∞, -∞, ∞, NaN. +∞ at 0, -1, -2, … and ±∞. At most 7 ulp
    /// for positive `x`; for negative `x` some 10⁻¹⁵ of the larger of the two logarithms that are subtracted.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(5.0);
    /// let y = x.lgamma();
    /// approx::assert_relative_eq!(y.item(), 24f64.ln(), max_relative = 1e-15);
    /// approx::assert_relative_eq!(y.gradient(x).item(), 1.506117668431801, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn lgamma(self) -> Self {
        self.unary(Lgamma)
    }

    /// `ψ(x) = Γ′(x) / Γ(x)`, element by element.
    ///
    /// # Derivative
    /// [`trigamma`](Self::trigamma).
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, ∞, -∞, ∞, NaN; derivative NaN, ∞, ∞, 0, NaN. ∓∞ at ±0, NaN at -1, -2, … At most 4 ulp
    /// for positive `x`; for negative `x` some 10⁻¹⁵ of the larger of the two terms that are added.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.digamma();
    /// approx::assert_relative_eq!(y.item(), -0.5772156649015329, max_relative = 1e-15);
    /// approx::assert_relative_eq!(y.gradient(x).item(), std::f64::consts::PI.powi(2) / 6.0, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn digamma(self) -> Self {
        self.polygamma(0)
    }

    /// `ψ′(x)`, the derivative of [`digamma`](Self::digamma), element by element.
    ///
    /// # Derivative
    /// `ψ″(x)`, which is [`polygamma`](Self::polygamma) of order 2.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, ∞, ∞, 0, NaN; derivative NaN, ∞, -∞, -0, NaN. +∞ at 0, -1, -2, … At most 5 ulp.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.trigamma();
    /// approx::assert_relative_eq!(y.item(), std::f64::consts::PI.powi(2) / 6.0, max_relative = 1e-15);
    /// approx::assert_relative_eq!(y.gradient(x).item(), -2.404113806319188, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trigamma(self) -> Self {
        self.polygamma(1)
    }

    /// `ψ⁽ⁿ⁾(x)`, the `n`-th derivative of [`digamma`](Self::digamma), element by element.
    ///
    /// # Derivative
    /// `ψ⁽ⁿ⁺¹⁾(x)`.
    ///
    /// # Domain and edge cases
    /// With `n = 2`, at -∞, -0, 0, ∞, NaN: NaN, ∞, -∞, -0, NaN; derivative NaN, ∞, ∞, 0, NaN. At 0, -1, -2, … +∞ for
    /// odd `n`; for even `n` NaN, but ∓∞ at ±0. For positive `x` at most `8 + 2n` ulp. NaN for `n` above 60, and so are
    /// derivatives that need it.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.polygamma(2); // -2 ζ(3)
    /// approx::assert_relative_eq!(y.item(), -2.404113806319188, max_relative = 1e-15);
    /// approx::assert_relative_eq!(y.gradient(x).item(), std::f64::consts::PI.powi(4) / 15.0, max_relative = 1e-15);
    /// ```
    ///
    /// # References
    /// M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 1964, 6.4.6, 6.4.7 and 6.4.11.
    #[must_use]
    #[track_caller]
    pub fn polygamma(self, n: u32) -> Self {
        self.unary(Polygamma(n))
    }
}
