//! The larger, the smaller, and numbers kept between bounds.

use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::nearer;
use crate::op::{Bits, Pointwise};
use crate::scalar::Real;
use crate::var::Var;

/// `x` where it won, else `y` where that won, else the mean of both, which are equal.
fn chosen<'g, T: Real>(won: Var<'g, T>, x: Var<'g, T>, lost: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    let half = T::from_f64(0.5);
    won.select(x, lost.select(y, x * half + y * half))
}

/// Which of two numbers is larger, and by how much.
fn order<T: Real>(x: T, y: T) -> (T, T) {
    if x == y { (T::ZERO, T::ZERO) } else { (if x > y { T::ONE } else { -T::ONE }, (x - y).abs()) }
}

/// The larger of two
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Maximum;

impl Pointwise<2> for Maximum {
    const NAME: &'static str = "maximum";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        if x > y || x.is_nan() { x } else { y }
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        let (this, other) = (x[slot], x[1 - slot]);
        g.share(this.gt(other), this.equal(other))
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(chosen(x_at.gt(y_at), x, y_at.gt(x_at), y))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some(order(x, y))
    }
}

impl Examples for Maximum {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Maximum, [Domain::Lattice { phase: 0.0 }, Domain::Lattice { phase: 0.5 }])]
    }
}

/// The smaller of two
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Minimum;

impl Pointwise<2> for Minimum {
    const NAME: &'static str = "minimum";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        if x < y || x.is_nan() { x } else { y }
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        let (this, other) = (x[slot], x[1 - slot]);
        g.share(this.lt(other), this.equal(other))
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(chosen(x_at.lt(y_at), x, y_at.lt(x_at), y))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some(order(x, y))
    }
}

impl Examples for Minimum {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Minimum, [Domain::Lattice { phase: 0.0 }, Domain::Lattice { phase: 0.5 }])]
    }
}

/// The larger of two, NaN ignored
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fmax;

impl Pointwise<2> for Fmax {
    const NAME: &'static str = "fmax";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        if x > y || y.is_nan() { x } else { y }
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        let (this, other) = (x[slot], x[1 - slot]);
        g.share(this.gt(other) + other.is_nan(), this.equal(other))
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(x_at.is_nan().select(y, y_at.is_nan().select(x, chosen(x_at.gt(y_at), x, y_at.gt(x_at), y))))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some(order(x, y))
    }
}

impl Examples for Fmax {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Fmax, [Domain::Lattice { phase: 0.0 }, Domain::Lattice { phase: 0.5 }])]
    }
}

/// The smaller of two, NaN ignored
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fmin;

impl Pointwise<2> for Fmin {
    const NAME: &'static str = "fmin";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        if x < y || y.is_nan() { x } else { y }
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        let (this, other) = (x[slot], x[1 - slot]);
        g.share(this.lt(other) + other.is_nan(), this.equal(other))
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(x_at.is_nan().select(y, y_at.is_nan().select(x, chosen(x_at.lt(y_at), x, y_at.lt(x_at), y))))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some(order(x, y))
    }
}

impl Examples for Fmin {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Fmin, [Domain::Lattice { phase: 0.0 }, Domain::Lattice { phase: 0.5 }])]
    }
}

/// `x` kept between constant bounds: no composition of [`Maximum`] and [`Minimum`], whose ties are shared
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clamp {
    /// The lower bound.
    pub low: Bits,
    /// The upper bound.
    pub high: Bits,
}

impl Pointwise<1> for Clamp {
    const NAME: &'static str = "clamp";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        let (low, high) = (self.low.get(), self.high.get());
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let (low, high): (T, T) = (self.low.get(), self.high.get());
        let above = (low > T::NEG_INFINITY).then(|| x.gt(x.scalar(low)));
        let below = (high < T::INFINITY).then(|| x.lt(x.scalar(high)));
        let zero = x.scalar(T::ZERO);
        above.into_iter().chain(below).fold(g, |g, inside| inside.select(g, zero))
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        let (low, high) = (x.scalar(self.low.get()), x.scalar(self.high.get()));
        Some(at.le(low).select(low, at.ge(high).select(high, x)))
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        let (low, high): (T, T) = (self.low.get(), self.high.get());
        let piece = if x <= low {
            -T::ONE
        } else if x >= high {
            T::ONE
        } else {
            T::ZERO
        };
        Some((piece, nearer((x - low).abs(), (x - high).abs())))
    }
}

impl Examples for Clamp {
    fn examples() -> Vec<Case> {
        let case = |low: f64, high: f64, kinks| {
            let op = Clamp { low: Bits::new(low), high: Bits::new(high) };
            Case::pointwise(op, [Domain::Range { low: -2.0, high: 2.0, kinks }])
        };
        vec![case(-1.0, 1.0, &[-1.0, 1.0]), case(0.5, f64::INFINITY, &[0.5])]
    }
}

impl<T: Real> Var<'_, T> {
    /// The larger of two, element by element, with broadcasting.
    ///
    /// # Derivative
    /// 1 to the larger, 0 to the smaller; a tie is shared, ½ each.
    ///
    /// # Domain and edge cases
    /// NaN if either is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, 5.0]]), graph.variable([[2.0, 5.0]]));
    /// let z = x.maximum(y);
    /// assert_eq!(z.value().as_slice(), [2.0, 5.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [0.0, 0.5]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn maximum(self, other: Self) -> Self {
        self.binary(Maximum, other)
    }

    /// The smaller of two, element by element, with broadcasting.
    ///
    /// # Derivative
    /// 1 to the smaller, 0 to the larger; a tie is shared, ½ each.
    ///
    /// # Domain and edge cases
    /// NaN if either is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, 5.0]]), graph.variable([[2.0, 5.0]]));
    /// let z = x.minimum(y);
    /// assert_eq!(z.value().as_slice(), [1.0, 5.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [1.0, 0.5]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn minimum(self, other: Self) -> Self {
        self.binary(Minimum, other)
    }

    /// The larger of two, element by element, with broadcasting; of a number and NaN the number.
    /// [`maximum`](Self::maximum) propagates NaN.
    ///
    /// # Derivative
    /// 1 to the larger, 0 to the smaller; a tie is shared, ½ each.
    ///
    /// # Domain and edge cases
    /// NaN if both are NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, f64::NAN]]), graph.variable([[2.0, 5.0]]));
    /// let z = x.fmax(y);
    /// assert_eq!(z.value().as_slice(), [2.0, 5.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fmax(self, other: Self) -> Self {
        self.binary(Fmax, other)
    }

    /// The smaller of two, element by element, with broadcasting; of a number and NaN the number.
    /// [`minimum`](Self::minimum) propagates NaN.
    ///
    /// # Derivative
    /// 1 to the smaller, 0 to the larger; a tie is shared, ½ each.
    ///
    /// # Domain and edge cases
    /// NaN if both are NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, f64::NAN]]), graph.variable([[2.0, 5.0]]));
    /// let z = x.fmin(y);
    /// assert_eq!(z.value().as_slice(), [1.0, 5.0]);
    /// assert_eq!(z.sum().gradient(x).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fmin(self, other: Self) -> Self {
        self.binary(Fmin, other)
    }

    /// `x` kept between two constant bounds, element by element.
    ///
    /// # Derivative
    /// 1 strictly between the bounds, 0 outside and also *at* them: the subgradient of least norm.
    ///
    /// # Domain and edge cases
    /// With the bounds -1 and 1, at -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 1, 1, 0, 0. A bound may be
    /// infinite: then there is none. NaN stays NaN.
    ///
    /// # Panics
    /// If `low` is above `high`, or either is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-3.0, 0.5, 1.0]]);
    /// let y = x.clamp(-1.0, 1.0);
    /// assert_eq!(y.value().as_slice(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn clamp(self, low: T, high: T) -> Self {
        assert!(low <= high, "clamp: {low} to {high}: the lower bound must not be above the upper");
        self.unary(Clamp { low: Bits::new(low), high: Bits::new(high) })
    }

    /// `x` kept between two bounds that are values themselves, element by element, with broadcasting:
    /// `x.maximum(low).minimum(high)`.
    ///
    /// # Derivative
    /// 1 to `x` between the bounds, else to the bound that it met; a tie is shared, ½ each.
    ///
    /// # Domain and edge cases
    /// `high` where the bounds cross. NaN if any is NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, bound) = (graph.variable([[-3.0, 0.5]]), graph.variable(1.0));
    /// let y = x.clamp_between(-bound, bound);
    /// assert_eq!(y.value().as_slice(), [-1.0, 0.5]);
    /// assert_eq!(y.sum().gradient(bound).item(), -1.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn clamp_between(self, low: Self, high: Self) -> Self {
        self.maximum(low).minimum(high)
    }

    /// The part of a cotangent that belongs to the winner of a comparison: all of it where `won` is 1, half of
    /// it where `tied` is 1.
    #[track_caller]
    pub(crate) fn share(self, won: Self, tied: Self) -> Self {
        self.strong_mul(won + tied * T::from_f64(0.5))
    }

    /// `(x + y + √((x - y)² + width²)) / 2`, element by element, with broadcasting: the larger of two, smooth where they
    /// meet. It is larger than [`maximum`](Self::maximum) by at most `width / 2`.
    ///
    /// # Derivative
    /// `(1 + d/√(d² + width²)) / 2` with `d = x - y` by `x`, the same with `d = y - x` by `y`.
    ///
    /// # Domain and edge cases
    /// NaN if both are the same infinity. For the smaller of two take `-(-x).smooth_max(-y, width)`.
    ///
    /// # Panics
    /// If the width is not positive.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(2.0), graph.variable(2.0));
    /// let z = x.smooth_max(y, 0.5);
    /// assert_eq!(z.item(), 2.25);
    /// assert_eq!(z.gradient([x, y]).map(|dx| dx.item()), [0.5, 0.5]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn smooth_max(self, other: Self, width: T) -> Self {
        assert!(width > T::ZERO, "smooth_max: the width is {width}: it must be positive");
        other + (self - other).squareplus(width * width)
    }

    /// `√(x² + width²)`, element by element: the magnitude, smooth at 0. It is larger than [`abs`](Self::abs) by at most
    /// `width`.
    ///
    /// # Derivative
    /// `x / √(x² + width²)`
    ///
    /// # Domain and edge cases
    /// +∞ at ±∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 3.0]]);
    /// let y = x.smooth_abs(4.0);
    /// assert_eq!(y.value().as_slice(), [4.0, 5.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.6]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn smooth_abs(self, width: T) -> Self {
        self.hypot(self.scalar(width))
    }
}
