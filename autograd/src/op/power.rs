//! Powers and roots.

use crate::kernel::{View, math};
use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::{map_short, nearer};
use crate::op::{Bits, Pointwise};
use crate::scalar::Real;
use crate::var::Var;

/// `x * x`: one operation, so that its derivative is `2 x` and not `x + x` in two terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Square;

impl Pointwise<1> for Square {
    const NAME: &'static str = "square";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        x * x
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        // In this order: of a mean, the cotangent is a constant, and so is its double.
        (g * T::from_f64(2.0)) * x
    }
}

impl Examples for Square {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Square, [Domain::ALL])]
    }
}

/// `x` to a whole power, by repeated multiplication
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Powi(pub i32);

impl Pointwise<1> for Powi {
    const NAME: &'static str = "powi";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        x.powi(self.0)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        match self.0 {
            0 => g.strong_mul(x.scalar(T::ZERO)),
            1 => g,
            n => g.strong_mul(x.powi(n - 1) * T::from_f64(f64::from(n))),
        }
    }
}

impl Examples for Powi {
    fn examples() -> Vec<Case> {
        let case = |n, domain| Case::pointwise(Powi(n), [domain]);
        let smooth = [0, 1, 2, 3, 5].map(|n| case(n, Domain::ALL));
        smooth.into_iter().chain([-1, -3].map(|n| case(n, Domain::POSITIVE))).collect()
    }
}

/// `x` to a constant real power
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Powf(pub Bits);

impl Pointwise<1> for Powf {
    const NAME: &'static str = "powf";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::powf(x, self.0.get())
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        let c: T = self.0.get();
        if c == T::ZERO {
            return g.strong_mul(x.scalar(T::ZERO));
        }
        g.strong_mul(x.powf(c - T::ONE) * c)
    }
}

impl Examples for Powf {
    fn examples() -> Vec<Case> {
        [0.0, 0.5, 1.5, -0.5, 2.0].map(|c| Case::pointwise(Powf(Bits::new(c)), [Domain::POSITIVE])).to_vec()
    }
}

/// `√x`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sqrt;

impl Pointwise<1> for Sqrt {
    const NAME: &'static str = "sqrt";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        x.sqrt()
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y.scalar(T::from_f64(0.5)) / y)
    }
}

impl Examples for Sqrt {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Sqrt, [Domain::POSITIVE])]
    }
}

/// `1/√x`: a kernel, for 16,384 numbers 1.6 times as fast as a root and a division in `f32`, 2.7 times in `f64`, and more accurate
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rsqrt;

impl Pointwise<1> for Rsqrt {
    const NAME: &'static str = "rsqrt";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::rsqrt(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y * y.square() * T::from_f64(-0.5))
    }

    /// For positive normal numbers.
    #[inline(always)]
    fn short<T: Real>(self, [x]: [T; 1]) -> (T, bool) {
        (math::rsqrt_normal(x), math::is_positive_normal(x))
    }

    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        map_short(self, inputs, out);
    }
}

impl Examples for Rsqrt {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Rsqrt, [Domain::POSITIVE])]
    }
}

/// `x` to the power `y`, both variable: a kernel, for `e^(y ln x)` loses digits, and zero and negative bases
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pow;

impl Pointwise<2> for Pow {
    const NAME: &'static str = "pow";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        math::powf(x, y)
    }

    /// `y x^(y-1)`, exactly 0 for `y = 0`, and `z ln x`, exactly 0 where `0^y` is 0 or 1. Not a choice by `y = 0`, which
    /// would lose the mixed second derivative there.
    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [x, y]: [Var<'g, T>; 2], z: Var<'g, T>) -> Var<'g, T> {
        PowLess(0).derivative(slot, g, [x, y], z)
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        let zero = x.scalar(T::ZERO);
        Some((x_at.equal(zero) * y_at.equal(zero)).select(zero.scalar(T::ONE), x.pow(y)))
    }

    fn piece<T: Real>(self, [x, y]: [T; 2]) -> Option<(T, T)> {
        let far = nearer(-x.abs(), -y.abs());
        Some((if far == T::ZERO { T::ONE } else { T::ZERO }, -far))
    }
}

impl Examples for Pow {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Pow, [Domain::POSITIVE, Domain::ALL])]
    }
}

/// `x^(y - n)`: no composition, for the rounding of `y - n` would count `y ln x` times as much
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PowLess(pub u32);

impl Pointwise<2> for PowLess {
    const NAME: &'static str = "pow_less";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        math::powf_less(x, y, self.0)
    }

    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [x, y]: [Var<'g, T>; 2], z: Var<'g, T>) -> Var<'g, T> {
        let exponent = if self.0 == 0 { y } else { y - T::from_f64(f64::from(self.0)) };
        if slot == 0 {
            return g.strong_mul(exponent.strong_mul(x.binary(PowLess(self.0 + 1), y)));
        }
        let zero = x.scalar(T::ZERO);
        let stays_zero = x.equal(zero) * exponent.ge(zero);
        g.strong_mul(z.strong_mul(stays_zero.select(zero, x.ln())))
    }
}

impl Examples for PowLess {
    fn examples() -> Vec<Case> {
        [1, 2].map(|n| Case::pointwise(PowLess(n), [Domain::POSITIVE, Domain::ALL])).to_vec()
    }
}

/// `∛x`, also of negative numbers: a kernel
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cbrt;

impl Pointwise<1> for Cbrt {
    const NAME: &'static str = "cbrt";
    const VECTORISED: bool = false;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        math::cbrt(x)
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], y: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(y.scalar(T::from_f64(1.0 / 3.0)) / y.square())
    }
}

impl Examples for Cbrt {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Cbrt, [Domain::POSITIVE]), Case::pointwise(Cbrt, [Domain::between(-3.0, -0.25)])]
    }
}

/// `√(x² + y²)`: a kernel, in which the squares do not overflow
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hypot;

impl Pointwise<2> for Hypot {
    const NAME: &'static str = "hypot";

    #[inline(always)]
    fn value<T: Real>(self, [x, y]: [T; 2]) -> T {
        math::hypot(x, y)
    }

    /// `x/r`; 0 at `r = 0`: the subgradient of least norm.
    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, [x, y]: [Var<'g, T>; 2], r: Var<'g, T>) -> Var<'g, T> {
        let zero = r.scalar(T::ZERO);
        g.strong_mul(r.equal(zero).select(zero, [x, y][slot] / r))
    }

    fn frozen<'g, T: Real>(self, [x, y]: [Var<'g, T>; 2], [x_at, y_at]: [Var<'g, T>; 2]) -> Option<Var<'g, T>> {
        let zero = x.scalar(T::ZERO);
        Some((x_at.equal(zero) * y_at.equal(zero)).select(zero, x.hypot(y)))
    }

    fn piece<T: Real>(self, x: [T; 2]) -> Option<(T, T)> {
        let r = self.value(x);
        Some((if r == T::ZERO { T::ONE } else { T::ZERO }, r))
    }
}

impl Examples for Hypot {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Hypot, [Domain::POSITIVE, Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `x²`, element by element.
    ///
    /// # Derivative
    /// `2 x`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: ∞, 0, 0, ∞, NaN; derivative -∞, -0, 0, ∞, NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0);
    /// let y = x.square();
    /// assert_eq!((y.item(), y.gradient(x).item()), (9.0, 6.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn square(self) -> Self {
        self.unary(Square)
    }

    /// `xⁿ` for a whole `n`, element by element, by repeated multiplication.
    ///
    /// # Derivative
    /// `n xⁿ⁻¹`; exactly 0 for `n = 0`. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// With `n = 3`, at -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative ∞, 0, 0, ∞, NaN. `0⁰ = 1`; a negative power of
    /// 0 is ±∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let y = x.powi(3);
    /// assert_eq!((y.item(), y.gradient(x).item()), (8.0, 12.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn powi(self, n: i32) -> Self {
        self.unary(Powi(n))
    }

    /// `x^c` for a constant real `c`, element by element.
    ///
    /// # Derivative
    /// `c x^(c-1)`; exactly 0 for `c = 0`. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// With `c = 1.5`, at -∞, -0, 0, ∞, NaN: ∞, 0, 0, ∞, NaN; derivative ∞, 0, 0, ∞, NaN. NaN for a negative `x`,
    /// unless `c` is whole. `0⁰ = 1`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(4.0);
    /// let y = x.powf(1.5);
    /// approx::assert_relative_eq!(y.item(), 8.0, max_relative = 1e-15);
    /// approx::assert_relative_eq!(y.gradient(x).item(), 3.0, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn powf(self, c: T) -> Self {
        self.unary(Powf(Bits::new(c)))
    }

    /// `√x`, element by element.
    ///
    /// # Derivative
    /// `1 / (2 √x)`: infinite at 0. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -0, 0, ∞, NaN; derivative NaN, -∞, ∞, 0, NaN. NaN below 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(4.0);
    /// let y = x.sqrt();
    /// assert_eq!((y.item(), y.gradient(x).item()), (2.0, 0.25));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sqrt(self) -> Self {
        self.unary(Sqrt)
    }

    /// `1/x`, element by element.
    ///
    /// # Derivative
    /// `-1/x²`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -0, -∞, ∞, 0, NaN; derivative -0, -∞, -∞, -0, NaN. ±∞ at ±0, with the derivative -∞. At
    /// most 1 ulp, the derivative at most 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(4.0);
    /// let y = x.recip();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.25, -0.0625));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn recip(self) -> Self {
        self.scalar(T::ONE) / self
    }

    /// `1/√x`, element by element.
    ///
    /// # Derivative
    /// `-½ x^(-3/2)`. A cotangent that is exactly 0 contributes exactly 0, also at 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: NaN, -∞, ∞, 0, NaN; derivative NaN, ∞, -∞, -0, NaN. +∞ at 0, with the derivative -∞; NaN
    /// below. At most 1.5 ulp, the derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(4.0);
    /// let y = x.rsqrt();
    /// assert_eq!((y.item(), y.gradient(x).item()), (0.5, -0.0625));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rsqrt(self) -> Self {
        self.unary(Rsqrt)
    }

    /// `∛x`, element by element.
    ///
    /// # Derivative
    /// `1 / (3 y²)`: infinite at 0. A cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative 0, ∞, ∞, 0, NaN. Odd: `∛(-x) = -∛x`. At most 1 ulp, the
    /// derivative at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(-8.0);
    /// let y = x.cbrt();
    /// assert_eq!(y.item(), -2.0);
    /// approx::assert_relative_eq!(y.gradient(x).item(), 1.0 / 12.0, max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cbrt(self) -> Self {
        self.unary(Cbrt)
    }

    /// `x^y`, element by element, with broadcasting. A constant power: [`powf`](Self::powf); a constant base `c`:
    /// `x.scalar(c).pow(x)`.
    ///
    /// # Derivative
    /// `y x^(y-1)` by `x`, exactly 0 for `y = 0`; `x^y ln x` by `y`, exactly 0 for `x = 0` and `y ≥ 0`. A cotangent that is
    /// exactly 0 contributes exactly 0.
    ///
    /// # Domain and edge cases
    /// `x⁰ = 1`, also for 0. `0^y` for `y < 0` is +∞, and its derivative by `y` -∞. A negative `x` gives NaN unless `y` is
    /// whole, and then the derivative by `y` is NaN. At most 1 ulp; the derivatives at most 4.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(3.0), graph.variable(2.0));
    /// let z = x.pow(y);
    /// assert_eq!((z.item(), z.gradient(x).item()), (9.0, 6.0));
    /// approx::assert_relative_eq!(z.gradient(y).item(), 9.0 * 3f64.ln(), max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pow(self, exponent: Self) -> Self {
        self.binary(Pow, exponent)
    }

    /// `√(x² + y²)`, element by element, with broadcasting.
    ///
    /// # Derivative
    /// `x/r` and `y/r`; 0 at the origin, the subgradient of least norm.
    ///
    /// # Domain and edge cases
    /// No square overflows or underflows. +∞ if either is infinite, even beside NaN. At most 2 ulp, the derivatives at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(3.0), graph.variable(4.0));
    /// let r = x.hypot(y);
    /// assert_eq!(r.item(), 5.0);
    /// assert_eq!(r.gradient([x, y]).map(|dx| dx.item()), [0.6, 0.8]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hypot(self, other: Self) -> Self {
        self.binary(Hypot, other)
    }
}
