//! Comparisons, whose results are 0 or 1, and the choice between two values.

use crate::kernel::{View, elementwise};
use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// A comparison of two numbers: 1 where it holds, 0 elsewhere. No derivative flows through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `x < y`
    Less,
    /// `x <= y`
    LessOrEqual,
    /// `x == y`
    Equal,
}

impl Pointwise<2> for Compare {
    const NAME: &'static str = "compare";
    const CHEAP: bool = true;

    #[inline(always)]
    #[allow(clippy::float_cmp, reason = "exact equality is what is asked for")]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        let holds = match self {
            Self::Less => x < y,
            Self::LessOrEqual => x <= y,
            Self::Equal => x == y,
        };
        if holds { T::ONE } else { T::ZERO }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 2], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(g.scalar(T::ZERO))
    }

    fn differentiable(self, _: usize) -> bool {
        false
    }

    /// A loop for each comparison: a choice within it would keep it from becoming vector code.
    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        match self {
            Self::Less => elementwise::map::<T, 2, true>(|x| Self::Less.value(x), inputs, out),
            Self::LessOrEqual => elementwise::map::<T, 2, true>(|x| Self::LessOrEqual.value(x), inputs, out),
            Self::Equal => elementwise::map::<T, 2, true>(|x| Self::Equal.value(x), inputs, out),
        }
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        Some((self.value([x, y]), if x == y { T::ZERO } else { (x - y).abs() }))
    }
}

impl Examples for Compare {
    fn examples() -> Vec<Case> {
        [Self::Less, Self::LessOrEqual, Self::Equal].map(|op| Case::pointwise(op, [Domain::ALL; 2])).to_vec()
    }
}

/// `x` where the flag is not 0, `y` where it is
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Select;

impl Pointwise<3> for Select {
    const NAME: &'static str = "select";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [flag, x, y]: [T; 3]) -> T {
        if flag == T::ZERO { y } else { x }
    }

    fn derivative<'g, T: Real>(
        self,
        slot: usize,
        g: Var<'g, T>,
        [flag, ..]: [Var<'g, T>; 3],
        _: Var<'g, T>,
    ) -> Var<'g, T> {
        let zero = g.scalar(T::ZERO);
        if slot == 1 { flag.select(g, zero) } else { flag.select(zero, g) }
    }

    fn differentiable(self, slot: usize) -> bool {
        slot > 0
    }

    fn is_affine(self, slot: usize) -> bool {
        slot > 0
    }
}

impl Examples for Select {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Select, [Domain::Flag, Domain::ALL, Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// 1 where `x < y`, 0 elsewhere (also where either is NaN), with broadcasting.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// -0 equals 0. Beside NaN always 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.lt(x.scalar(2.0)).value().as_slice(), [1.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn lt(self, other: Self) -> Self {
        self.binary(Compare::Less, other)
    }

    /// 1 where `x ≤ y`, 0 elsewhere (also where either is NaN), with broadcasting.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// -0 equals 0. Beside NaN always 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.le(x.scalar(2.0)).value().as_slice(), [1.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn le(self, other: Self) -> Self {
        self.binary(Compare::LessOrEqual, other)
    }

    /// 1 where `x > y`, 0 elsewhere (also where either is NaN), with broadcasting.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// -0 equals 0. Beside NaN always 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.gt(x.scalar(2.0)).value().as_slice(), [0.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gt(self, other: Self) -> Self {
        other.lt(self)
    }

    /// 1 where `x ≥ y`, 0 elsewhere (also where either is NaN), with broadcasting.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// -0 equals 0. Beside NaN always 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.ge(x.scalar(2.0)).value().as_slice(), [0.0, 1.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ge(self, other: Self) -> Self {
        other.le(self)
    }

    /// 1 where `x = y` exactly, 0 elsewhere (also where either is NaN), with broadcasting.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// -0 equals 0. Beside NaN always 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.equal(x.scalar(2.0)).value().as_slice(), [0.0, 1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn equal(self, other: Self) -> Self {
        self.binary(Compare::Equal, other)
    }

    /// `x` where this flag is not 0, `y` where it is, with broadcasting: `where` of other libraries.
    ///
    /// # Derivative
    /// That of the value that was chosen; exactly 0 to the other, even if it is infinite or NaN there.
    ///
    /// # Domain and edge cases
    /// A flag of -0 counts as 0, one of NaN as not 0. What is not chosen has no influence, NaN and ±∞ neither.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 4.0]]);
    /// let zero = x.scalar(0.0);
    /// let y = x.gt(zero).select(x.sqrt(), zero);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.25]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn select(self, x: Self, y: Self) -> Self {
        Self::nary(Select, &[self, x, y])
    }

    /// 1 where this is NaN, 0 elsewhere.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: 0, 0, 0, 0, 1; derivative none.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, f64::NAN]]);
    /// assert_eq!(x.is_nan().value().as_slice(), [0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn is_nan(self) -> Self {
        self.scalar(T::ONE) - self.equal(self)
    }

    /// `value` where the flag is not 0, `x` elsewhere, with broadcasting.
    ///
    /// # Derivative
    /// 1 where `x` was kept, exactly 0 elsewhere, even if `x` is infinite or NaN there.
    ///
    /// # Domain and edge cases
    /// A flag of -0 counts as 0, one of NaN as not 0. What is covered has no influence, NaN and ±∞ neither.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, flag) = (graph.variable([[1.0, f64::NAN]]), graph.constant([[0.0, 1.0]]));
    /// let y = x.masked_fill(flag, 7.0);
    /// assert_eq!(y.value().as_slice(), [1.0, 7.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn masked_fill(self, flag: Self, value: T) -> Self {
        flag.select(self.scalar(value), self)
    }

    /// Finite numbers in place of NaN, +∞ and -∞, element by element.
    ///
    /// # Derivative
    /// 1 where `x` is finite, 0 elsewhere.
    ///
    /// # Domain and edge cases
    /// With the numbers 0, 1 and -1, at -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, 0; derivative 0, 1, 1, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]]);
    /// let y = x.nan_to_num(0.0, 9.0, -9.0);
    /// assert_eq!(y.value().as_slice(), [0.0, 9.0, -9.0, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0, 0.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn nan_to_num(self, nan: T, positive: T, negative: T) -> Self {
        let infinity = self.scalar(T::INFINITY);
        let y = self.masked_fill(self.is_nan(), nan).masked_fill(self.equal(infinity), positive);
        y.masked_fill(self.equal(self.scalar(T::NEG_INFINITY)), negative)
    }
}
