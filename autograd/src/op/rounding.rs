//! Whole numbers, and what is left over.

use core::ops;

use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::nearer;
use crate::scalar::Real;
use crate::var::Var;

/// To a whole number: a kernel
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Round {
    /// The largest that is not above.
    Floor,
    /// The smallest that is not below.
    Ceil,
    /// The nearest, halves to the even one.
    TiesEven,
    /// The nearest that is not larger in size.
    Trunc,
}

impl Pointwise<1> for Round {
    const NAME: &'static str = "round";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        match self {
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::TiesEven => x.round_ties_even(),
            Self::Trunc => x.trunc(),
        }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(x.scalar(T::ZERO))
    }

    fn frozen<'g, T: Real>(self, _: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(at.unary(self))
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        let (nearest, half) = (x.round_ties_even(), T::from_f64(0.5));
        let margin = match self {
            Self::TiesEven => half - (x - nearest).abs(),
            Self::Trunc if nearest == T::ZERO => T::ONE - x.abs(),
            Self::Floor | Self::Ceil | Self::Trunc => (x - nearest).abs(),
        };
        Some((self.value([x]), margin))
    }
}

impl Examples for Round {
    fn examples() -> Vec<Case> {
        let case = |op, kinks| Case::pointwise(op, [Domain::Range { low: -2.0, high: 2.0, kinks }]);
        let whole = [Self::Floor, Self::Ceil, Self::Trunc].map(|op| case(op, &[-2.0, -1.0, 0.0, 1.0, 2.0]));
        whole.into_iter().chain([case(Self::TiesEven, &[-1.5, -0.5, 0.5, 1.5])]).collect()
    }
}

/// `x - k y` with the whole `k` of `at`, from the rest that is left there.
fn along<'g, T: Real>(x: [Var<'g, T>; 2], at: [Var<'g, T>; 2], rest: Var<'g, T>) -> Var<'g, T> {
    let steps = ((at[0] - rest) / at[1]).round_ties_even();
    rest + (x[0] - at[0]) - steps.strong_mul(x[1] - at[1])
}

/// What is left of `x` after a whole number of `y`, with the sign of `x`: a kernel, exact
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fmod;

impl Pointwise<2> for Fmod {
    const NAME: &'static str = "fmod";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        x.fmod(y)
    }

    /// By `y` minus how many times it was taken away: a whole number, which `(x - rest) / y` is but for rounding.
    fn derivative<'g, T: Real>(
        self,
        slot: usize,
        g: Var<'g, T>,
        [x, y]: [Var<'g, T>; 2],
        rest: Var<'g, T>,
    ) -> Var<'g, T> {
        if slot == 0 { g } else { -g.strong_mul(((x - rest) / y).round_ties_even()) }
    }

    fn frozen<'g, T: Real>(self, x: [Var<'g, T>; 2], at: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(along(x, at, at[0] % at[1]))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        let rest = x.fmod(y);
        let steps = ((x - rest) / y).round_ties_even();
        // It is continuous where `x` changes its sign.
        let below = if steps == T::ZERO { T::INFINITY } else { rest.abs() };
        Some((steps, nearer(below, y.abs() - rest.abs())))
    }
}

impl Examples for Fmod {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Fmod, [Domain::between(2.2, 2.8), Domain::between(1.0, 1.05)])]
    }
}

/// What is left of `x` after a whole number of `y`, with the sign of `y`: a kernel
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remainder;

impl Pointwise<2> for Remainder {
    const NAME: &'static str = "remainder";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        let rest = x.fmod(y);
        if rest != T::ZERO && (rest < T::ZERO) != (y < T::ZERO) { rest + y } else { rest }
    }

    /// By `y` minus how many times it was taken away: a whole number, which `(x - rest) / y` is but for rounding.
    fn derivative<'g, T: Real>(
        self,
        slot: usize,
        g: Var<'g, T>,
        [x, y]: [Var<'g, T>; 2],
        rest: Var<'g, T>,
    ) -> Var<'g, T> {
        if slot == 0 { g } else { -g.strong_mul(((x - rest) / y).round_ties_even()) }
    }

    fn frozen<'g, T: Real>(self, x: [Var<'g, T>; 2], at: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        Some(along(x, at, at[0].remainder(at[1])))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        let rest = self.value([x, y]);
        Some((((x - rest) / y).round_ties_even(), nearer(rest.abs(), y.abs() - rest.abs())))
    }
}

impl Examples for Remainder {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Remainder, [Domain::between(-2.8, -2.2), Domain::between(1.0, 1.05)])]
    }
}

impl<T: Real> ops::Rem for Var<'_, T> {
    type Output = Self;

    /// What is left of `x` after a whole number of `y`, with the sign of `x`: `fmod` of other libraries. The derivative is
    /// 1 by `x` and `-trunc(x/y)` by `y`.
    #[track_caller]
    fn rem(self, other: Self) -> Self {
        self.binary(Fmod, other)
    }
}

impl<T: Real> Var<'_, T> {
    /// The largest whole number that is not above `x`, element by element.
    ///
    /// # Derivative
    /// 0 everywhere, also at the jumps.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.5, 1.5, 2.0]]);
    /// let y = x.floor();
    /// assert_eq!(y.value().as_slice(), [-2.0, 1.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0; 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn floor(self) -> Self {
        self.unary(Round::Floor)
    }

    /// The smallest whole number that is not below `x`, element by element.
    ///
    /// # Derivative
    /// 0 everywhere, also at the jumps.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.5, 1.5, 2.0]]);
    /// let y = x.ceil();
    /// assert_eq!(y.value().as_slice(), [-1.0, 2.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0; 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn ceil(self) -> Self {
        self.unary(Round::Ceil)
    }

    /// `x` without its fraction, element by element.
    ///
    /// # Derivative
    /// 0 everywhere, also at the jumps.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.5, 1.5, 2.0]]);
    /// let y = x.trunc();
    /// assert_eq!(y.value().as_slice(), [-1.0, 1.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0; 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trunc(self) -> Self {
        self.unary(Round::Trunc)
    }

    /// The whole number nearest to `x`, element by element; halves go to the even one.
    ///
    /// # Derivative
    /// 0 everywhere, also at the jumps.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, 0, 0, 0, 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.5, 0.5, 2.5]]);
    /// let y = x.round_ties_even();
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 2.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.0; 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn round_ties_even(self) -> Self {
        self.unary(Round::TiesEven)
    }

    /// `x - trunc x`, element by element: the fraction, with the sign of `x`.
    ///
    /// # Derivative
    /// 1 everywhere, also at the jumps.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, 0, 0, NaN, NaN; derivative 1, 1, 1, 1, 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[-1.25, 1.25]]);
    /// let y = x.fract();
    /// assert_eq!(y.value().as_slice(), [-0.25, 0.25]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn fract(self) -> Self {
        self - self.trunc()
    }

    /// `x - y floor(x/y)`, element by element, with broadcasting: what is left of `x` after a whole number of `y`, with the
    /// sign of `y`. `x % y` has the sign of `x`.
    ///
    /// # Derivative
    /// 1 by `x`, `-floor(x/y)` by `y`. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// NaN for `y = 0`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(-7.0), graph.variable(3.0));
    /// let z = x.remainder(y);
    /// assert_eq!((z.item(), (x % y).item()), (2.0, -1.0));
    /// assert_eq!(z.gradient([x, y]).map(|dx| dx.item()), [1.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn remainder(self, other: Self) -> Self {
        self.binary(Remainder, other)
    }
}
