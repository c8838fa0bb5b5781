//! `+ - * /` and their kin.

use core::ops;

use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::nearer;
use crate::op::{Passes, Pointwise};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `x + y`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Add;

impl Pointwise<2> for Add {
    const NAME: &'static str = "add";
    const CHEAP: bool = true;
    const PASSES: Passes = Passes::AsItIs;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x + y
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        g
    }

    fn is_affine(self, _: usize) -> bool {
        true
    }
}

impl Examples for Add {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Add, [Domain::ALL; 2])]
    }
}

/// `x - y`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sub;

impl Pointwise<2> for Sub {
    const NAME: &'static str = "sub";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x - y
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, _: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        if slot == 0 { g } else { -g }
    }

    fn is_affine(self, _: usize) -> bool {
        true
    }
}

impl Examples for Sub {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sub, [Domain::ALL; 2])]
    }
}

/// `x * y`, element by element
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mul;

impl Pointwise<2> for Mul {
    const NAME: &'static str = "mul";
    const CHEAP: bool = true;
    const PASSES: Passes = Passes::TimesPartner;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x * y
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        g * x[1 - slot]
    }

    fn is_affine(self, _: usize) -> bool {
        true
    }
}

impl Examples for Mul {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Mul, [Domain::ALL; 2])]
    }
}

/// `x / y`, element by element
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Div;

impl Pointwise<2> for Div {
    const NAME: &'static str = "div";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x / y
    }

    /// `g (1/y)` and `-g (x/y)/y`: never over `y²`, which overflows long before the quotient does. Strong zeros in
    /// both, also where `y` is 0.
    fn derivative<'g, T: Real>(
        self,
        slot: usize,
        g: Var<'g, T>,
        [_, y]: [Var<'g, T>; 2],
        quotient: Var<'g, T>,
    ) -> Var<'g, T> {
        if slot == 0 { g.strong_mul(y.scalar(T::ONE) / y) } else { -g.strong_mul(quotient / y) }
    }

    fn is_affine(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for Div {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Div, [Domain::ALL, Domain::POSITIVE])]
    }
}

/// `-x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neg;

impl Pointwise<1> for Neg {
    const NAME: &'static str = "neg";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        -x
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        -g
    }

    fn is_affine(self, _: usize) -> bool {
        true
    }
}

impl Examples for Neg {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Neg, [Domain::ALL])]
    }
}

/// `|x|`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Abs;

impl Pointwise<1> for Abs {
    const NAME: &'static str = "abs";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        x.abs()
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.sign())
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(x * at.sign())
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        Some((Sign.value([x]), x.abs()))
    }
}

impl Examples for Abs {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Abs, [Domain::NON_ZERO])]
    }
}

/// `-1`, `0` or `1`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sign;

impl Pointwise<1> for Sign {
    const NAME: &'static str = "sign";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        if x > T::ZERO {
            T::ONE
        } else if x < T::ZERO {
            -T::ONE
        } else {
            x
        }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::ZERO))
    }

    fn frozen<'g, T: Real>(self, _: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(at.sign())
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        Some((self.value([x]), x.abs()))
    }
}

impl Examples for Sign {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sign, [Domain::NON_ZERO])]
    }
}

/// The size of `x` with the sign of `y`, also of ±0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Copysign;

impl Pointwise<2> for Copysign {
    const NAME: &'static str = "copysign";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x.copysign(y)
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [x, y]: [Var<'g, T>; 2], z: Var<'g, T>) -> Var<'g, T> {
        if slot == 0 { g.strong_mul(x.sign() * z.sign()) } else { g.strong_mul(y.scalar(T::ZERO)) }
    }

    fn frozen<'g, T: Real>(self, [x, _]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(x * x_at.sign() * y_at.scalar(T::ONE).copysign(y_at))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some((Sign.value([x]) * T::ONE.copysign(y), nearer(x.abs(), y.abs())))
    }
}

impl Examples for Copysign {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Copysign, [Domain::NON_ZERO; 2])]
    }
}

/// `g * d`, but exactly 0 where `g` is 0, whatever `d`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StrongMul;

impl Pointwise<2> for StrongMul {
    const NAME: &'static str = "strong_mul";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [g, d]: [T; 2]) -> T {
        if g == T::ZERO { T::ZERO } else { g * d }
    }

    fn derivative<'g, T: Real>(self, slot: usize, h: Var<'g, T>, [g, d]: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        if slot == 0 { h.strong_mul(d) } else { g.strong_mul(h) }
    }

    fn is_affine(self, slot: usize) -> bool {
        slot == 1
    }
}

impl Examples for StrongMul {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(StrongMul, [Domain::ALL; 2])]
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:expr) => {
        impl<'g, T: Real> ops::$trait for Var<'g, T> {
            type Output = Var<'g, T>;

            #[track_caller]
            fn $method(self, other: Self) -> Self {
                self.binary($op, other)
            }
        }

        impl<'g, T: Real> ops::$trait<T> for Var<'g, T> {
            type Output = Var<'g, T>;

            #[track_caller]
            fn $method(self, other: T) -> Self {
                self.binary($op, self.scalar(other))
            }
        }

        operator!($trait, $method, $op, f32);
        operator!($trait, $method, $op, f64);
    };
    ($trait:ident, $method:ident, $op:expr, $t:ident) => {
        impl<'g> ops::$trait<Var<'g, $t>> for $t {
            type Output = Var<'g, $t>;

            #[track_caller]
            fn $method(self, other: Var<'g, $t>) -> Var<'g, $t> {
                other.scalar(self).binary($op, other)
            }
        }
    };
}

operator!(Add, add, Add);
operator!(Sub, sub, Sub);
operator!(Mul, mul, Mul);
operator!(Div, div, Div);

impl<T: Real> ops::Neg for Var<'_, T> {
    type Output = Self;

    #[track_caller]
    fn neg(self) -> Self {
        self.unary(Neg)
    }
}

impl<T: Real> core::iter::Sum for Var<'_, T> {
    /// The sum of at least one term, as if recorded on the line of the first.
    ///
    /// # Panics
    /// If there is none: an empty sum belongs to no graph.
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        match terms.reduce(|sum, term| sum.graph().at(sum.site(), || sum + term)) {
            Some(sum) => sum,
            None => panic!("sum: there is no term, and so no graph to put a zero in"),
        }
    }
}

impl<T: Real> Var<'_, T> {
    /// `|x|`, element by element.
    ///
    /// # Derivative
    /// The [`sign`](Self::sign) of `x`: 0 at 0, the subgradient of least norm.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: ∞, 0, 0, ∞, NaN; derivative -1, -0, 0, 1, NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.0, 2.0]]);
    /// let dx = x.abs().sum().gradient(x);
    /// assert_eq!(dx.value().as_slice(), [-1.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn abs(self) -> Self {
        self.unary(Abs)
    }

    /// `-1` below 0, `1` above, element by element; ±0 and NaN stay what they are.
    ///
    /// # Derivative
    /// 0 everywhere.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.0, 2.0]]);
    /// assert_eq!(x.sign().value().as_slice(), [-1.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sign(self) -> Self {
        self.unary(Sign)
    }

    /// The size of `x` with the sign of `y`, also that of ±0, element by element, with broadcasting.
    ///
    /// # Derivative
    /// 1 by `x` where the signs agree, -1 where they do not, 0 at `x = 0`; 0 by `y`.
    ///
    /// # Domain and edge cases
    /// Of `y` the sign bit counts alone, also that of -0. ±0 at `x = ±0`; NaN stays NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[3.0, 0.0]]), graph.variable([[-2.0, -1.0]]));
    /// let z = x.copysign(y);
    /// assert_eq!(z.value().as_slice(), [-3.0, 0.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [-1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn copysign(self, sign: Self) -> Self {
        self.binary(Copysign, sign)
    }

    /// `(x - y)²`, element by element, with broadcasting.
    ///
    /// # Derivative
    /// `2 (x - y)` and `2 (y - x)`.
    ///
    /// # Domain and edge cases
    /// ∞ if one of them is infinite; NaN for `∞ - ∞` and where either is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(5.0), graph.variable(2.0));
    /// let z = x.squared_difference(y);
    /// assert_eq!((z.item(), z.gradient(x).item(), z.gradient(y).item()), (9.0, 6.0, -6.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn squared_difference(self, other: Self) -> Self {
        (self - other).square()
    }

    /// `x + weight (y - x)`, element by element, with broadcasting: from `x` at weight 0 to `y` at weight 1.
    ///
    /// # Derivative
    /// `1 - weight` by `x`, `weight` by `y`, `y - x` by the weight.
    ///
    /// # Domain and edge cases
    /// At weight 1 it is `y` up to rounding. An infinite `x` gives NaN at all weights from 0 up, an infinite `y` at
    /// weight 0; NaN in any gives NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y, weight) = (graph.variable(2.0), graph.variable(6.0), graph.variable(0.25));
    /// let z = x.lerp(y, weight);
    /// assert_eq!(z.item(), 3.0);
    /// assert_eq!(z.gradient([x, y, weight]).map(|dx| dx.item()), [0.75, 0.25, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn lerp(self, other: Self, weight: Self) -> Self {
        self + weight * (other - self)
    }

    /// `x + scale a b`, element by element, with broadcasting.
    ///
    /// # Derivative
    /// 1 by `x`, `scale b` by `a`, `scale a` by `b`.
    ///
    /// # Domain and edge cases
    /// As the product and the sum: NaN for `0 · ∞`, for `∞ - ∞`, and where any is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, a, b) = (graph.variable(1.0), graph.variable(2.0), graph.variable(3.0));
    /// let y = x.addcmul(0.5, a, b);
    /// assert_eq!(y.item(), 4.0);
    /// assert_eq!(y.gradient([x, a, b]).map(|dx| dx.item()), [1.0, 1.5, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn addcmul(self, scale: T, a: Self, b: Self) -> Self {
        self + a * b * scale
    }

    /// `x + scale a / b`, element by element, with broadcasting.
    ///
    /// # Derivative
    /// 1 by `x`, `scale / b` by `a`, `-scale a / b²` by `b`. Strong zeros, as in `a / b`.
    ///
    /// # Domain and edge cases
    /// As the quotient and the sum: ±∞ for `b = 0`, but NaN if `a` is 0 too; NaN where any is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, a, b) = (graph.variable(1.0), graph.variable(2.0), graph.variable(4.0));
    /// let y = x.addcdiv(2.0, a, b);
    /// assert_eq!(y.item(), 2.0);
    /// assert_eq!(y.gradient([x, a, b]).map(|dx| dx.item()), [1.0, 0.5, -0.25]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn addcdiv(self, scale: T, a: Self, b: Self) -> Self {
        self + a / b * scale
    }

    /// `x * d`, but exactly 0 where `x` is 0, even if `d` is infinite or NaN: the product of a cotangent with a
    /// derivative that may be singular.
    ///
    /// # Derivative
    /// That of `x * d`, with the same strong zero.
    ///
    /// # Domain and edge cases
    /// 0 and -0 make ±∞ and NaN 0; else as the product.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, d) = (graph.variable([[0.0, 2.0]]), graph.variable([[f64::INFINITY, 3.0]]));
    /// assert_eq!(x.strong_mul(d).value().as_slice(), [0.0, 6.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn strong_mul(self, d: Self) -> Self {
        self.binary(StrongMul, d)
    }

    /// Sums over what was broadcast, back to `shape`.
    #[track_caller]
    pub(crate) fn sum_to(self, shape: Shape) -> Self {
        let mut sum = self;
        if shape.rows == 1 && shape.cols == 1 && !sum.shape().is_scalar() {
            return sum.sum();
        }
        if sum.rows() != shape.rows {
            sum = sum.sum_axis(crate::op::Axis::Rows);
        }
        if sum.cols() != shape.cols {
            sum = sum.sum_axis(crate::op::Axis::Columns);
        }
        sum
    }
}
