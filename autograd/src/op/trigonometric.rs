//! Sine, cosine, tangent and their inverses. Angles are in radians.

use crate::kernel::{View, math};
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::map_short;
use crate::scalar::Real;
use crate::var::Var;

/// `sin x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sin;

impl Pointwise<1> for Sin {
    const NAME: &'static str = "sin";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::sin(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.cos())
    }

    /// For angles of moderate size.
    #[inline(always)]
    fn short<T: Real>(self, [x]: [T; 1]) -> (T, bool) {
        (math::sin_moderate(x), math::is_moderate(x))
    }

    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        map_short(self, inputs, out);
    }
}

impl Examples for Sin {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sin, [Domain::ALL])]
    }
}

/// `cos x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cos;

impl Pointwise<1> for Cos {
    const NAME: &'static str = "cos";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::cos(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        -g.strong_mul(x.sin())
    }

    /// For angles of moderate size.
    #[inline(always)]
    fn short<T: Real>(self, [x]: [T; 1]) -> (T, bool) {
        (math::cos_moderate(x), math::is_moderate(x))
    }

    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        map_short(self, inputs, out);
    }
}

impl Examples for Cos {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Cos, [Domain::ALL])]
    }
}

/// `tan x`: a kernel, one reduction of the angle instead of two
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tan;

impl Pointwise<1> for Tan {
    const NAME: &'static str = "tan";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::tan(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y.square() + T::ONE)
    }
}

impl Examples for Tan {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Tan, [Domain::between(-1.25, 1.25)])]
    }
}

/// `arcsin x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asin;

impl Pointwise<1> for Asin {
    const NAME: &'static str = "asin";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::asin(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(chord(x).recip())
    }
}

impl Examples for Asin {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Asin, [Domain::UNIT])]
    }
}

/// `arccos x`: a kernel, without cancellation near 1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acos;

impl Pointwise<1> for Acos {
    const NAME: &'static str = "acos";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::acos(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        -g.strong_mul(chord(x).recip())
    }
}

impl Examples for Acos {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Acos, [Domain::UNIT])]
    }
}

/// `√(1 - x²)` as `√((1 - x)(1 + x))`, which keeps its digits near ±1.
#[track_caller]
fn chord<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    ((x.scalar(T::ONE) - x) * (x + T::ONE)).sqrt()
}

/// `arctan x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Atan;

impl Pointwise<1> for Atan {
    const NAME: &'static str = "atan";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::atan(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * (x.square() + T::ONE).recip()
    }
}

impl Examples for Atan {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Atan, [Domain::ALL])]
    }
}

/// The angle of the point `(x, y)`: a kernel, right in all four quadrants
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Atan2;

impl Pointwise<2> for Atan2 {
    const NAME: &'static str = "atan2";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [y, x]: [T; 2]) -> T {
        math::atan2(y, x)
    }

    /// `x/r²` and `-y/r²`, the division done twice, for `r²` overflows; 0 at the origin and at infinity.
    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [y, x]: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        let r = y.hypot(x);
        let zero = r.scalar(T::ZERO);
        let nowhere = r.equal(zero) + r.equal(zero.scalar(T::INFINITY));
        let partial = if slot == 0 { x / r / r } else { -y / r / r };
        g.strong_mul(nowhere.select(zero, partial))
    }

    /// On the piece on which it is at `at`: whole turns that the moving angle is off by are taken back.
    fn frozen<'g, T: Real>(self, [y, x]: [Var<'g, T>; 2], [y_at, x_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        let (zero, turn) = (x.scalar(T::ZERO), T::from_f64(core::f64::consts::TAU));
        let (angle, start) = (y.atan2(x), y_at.atan2(x_at));
        let turns = ((angle - start) / turn).round_ties_even();
        Some((x_at.equal(zero) * y_at.equal(zero)).select(start, angle - turns * turn))
    }

    fn piece<T: Real>(self, [y, x]: [T; 2]) -> Option<(T, T)> {
        let side = if x < T::ZERO { T::ONE.copysign(y) } else { T::ZERO };
        let centre = if x == T::ZERO && y == T::ZERO { T::from_f64(2.0) } else { side };
        Some((centre, if x < T::ZERO { y.abs() } else { math::hypot(y, x) }))
    }
}

impl Examples for Atan2 {
    fn examples() -> Vec<Case> {
        vec![
            Case::pointwise(Atan2, [Domain::ALL, Domain::POSITIVE]),
            Case::pointwise(Atan2, [Domain::POSITIVE, Domain::between(-2.0, -0.5)]),
        ]
    }
}

impl<T: Real> Var<'_, T> {
    /// The sine of an angle in radians, element by element.
    ///
    /// # Derivative
    /// `cos x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, NaN, NaN; derivative NaN, 1, 1, NaN, NaN. At most 0.8 ulp for angles of any
    /// size, the derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.sin();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sin(self) -> Self {
        self.unary(Sin)
    }

    /// The cosine of an angle in radians, element by element.
    ///
    /// # Derivative
    /// `-sin x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, 1, 1, NaN, NaN; derivative NaN, 0, -0, NaN, NaN. At most 0.8 ulp for angles of any
    /// size, the derivative too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.cos();
    /// assert_eq!((y.item(), y.gradient(x).item()), (1.0, 0.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cos(self) -> Self {
        self.unary(Cos)
    }

    /// The tangent of an angle in radians, element by element.
    ///
    /// # Derivative
    /// `1 + tan² x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, NaN, NaN; derivative NaN, 1, 1, NaN, NaN. At most 2.2 ulp for angles of any
    /// size, the derivative at most 6.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.tan();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.0, 1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tan(self) -> Self {
        self.unary(Tan)
    }

    /// The angle in radians, between -π/2 and π/2, whose sine is `x`, element by element.
    ///
    /// # Derivative
    /// `1/√(1 - x²)`: infinite at ±1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, NaN, NaN; derivative NaN, 1, 1, NaN, NaN. NaN outside `[-1, 1]`. At most 0.7
    /// ulp, the derivative at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.asin();
    /// assert_eq!((y.item(), y.gradient(x).item()), (std::f64::consts::FRAC_PI_2, f64::INFINITY));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn asin(self) -> Self {
        self.unary(Asin)
    }

    /// The angle in radians, between 0 and π, whose cosine is `x`, element by element.
    ///
    /// # Derivative
    /// `-1/√(1 - x²)`: infinite at ±1. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, 1.5708, 1.5708, NaN, NaN; derivative NaN, -1, -1, NaN, NaN. NaN outside `[-1, 1]`. At
    /// most 0.7 ulp, the derivative at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// let y = x.acos();
    /// assert_eq!((y.item(), y.gradient(x).item()), (std::f64::consts::FRAC_PI_2, -1.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn acos(self) -> Self {
        self.unary(Acos)
    }

    /// The angle in radians, between -π/2 and π/2, whose tangent is `x`, element by element.
    ///
    /// # Derivative
    /// `1/(1 + x²)`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1.5708, -0, 0, 1.5708, NaN; derivative 0, 1, 1, 0, NaN. At most 2 ulp, the derivative
    /// too.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(1.0);
    /// let y = x.atan();
    /// assert_eq!((y.item(), y.gradient(x).item()), (std::f64::consts::FRAC_PI_4, 0.5));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atan(self) -> Self {
        self.unary(Atan)
    }

    /// The angle in radians, between -π and π, of the point with this ordinate and the abscissa `x`, element by element, with
    /// broadcasting.
    ///
    /// # Derivative
    /// `x/r²` by the ordinate `y`, `-y/r²` by `x`, with `r = √(x² + y²)`; 0 at the origin.
    ///
    /// # Domain and edge cases
    /// Special values are those of IEEE 754: the angle has the sign of `y`, also of ±0. At most 2 ulp, the derivatives at most 6.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (y, x) = (graph.variable(1.0), graph.variable(-1.0));
    /// let angle = y.atan2(x);
    /// assert_eq!(angle.item(), 0.75 * std::f64::consts::PI);
    /// approx::assert_relative_eq!(angle.gradient(x).item(), -0.5, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn atan2(self, x: Self) -> Self {
        self.binary(Atan2, x)
    }
}
