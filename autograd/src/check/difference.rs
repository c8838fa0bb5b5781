//! The derivative of a function of one number from its values, with a bar that covers the error.
//!
//! Central differences at steps that halve, extrapolated to step 0 (Richardson's table), where each entry carries what
//! rounding may have done to it; the entry with the least estimated error wins, if the differences at smaller steps agree
//! with it. The first steps are large, so that functions of moderate scale are settled after about 15 evaluations; near a
//! pole, a kink or the edge of the domain the table goes on until the steps are small enough.
//!
//! # References
//! C. J. F. Ridders, *Accurate computation of F'(x) and F'(x)F''(x)*, Advances in Engineering Software 4 (1982) 75-76.
//! Beyond it: bars for rounding, measured noise, tables on one side, recognised kinks, agreement with smaller steps.

use super::report::Reason;

mod cheap;
mod complex;
mod samples;
mod stencil;
mod table;

pub use complex::{Complex, complex_step};
use samples::Samples;

/// How a derivative is computed from values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Method {
    /// Steps that shrink until the error is least: 15 to 60 evaluations, and the error bar is reliable.
    #[default]
    Adaptive,
    /// `(f(x + h) - f(x - h)) / 2h`: three evaluations. The bar is for rounding, plus the difference to
    /// the step `2h`, which takes two evaluations more.
    Fixed {
        /// The step `h`, absolute.
        step: f64,
    },
    /// The central formula on `points` points, and that on two fewer; the bar is from their difference. The step is that at
    /// which truncation and rounding of the shorter balance for a function of scale 1.
    Stencil {
        /// An odd number, 5 to 15.
        points: usize,
    },
    /// Forward differences at four halved steps, which must approach the derivative at the rate of Taylor's theorem.
    /// Free of machine constants, and coarse: the bar is about 1e-6.
    Taylor,
}

/// The element type in which a function computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Precision {
    /// `f32`.
    Single,
    /// `f64`.
    #[default]
    Double,
}

impl Precision {
    /// The distance from 1 to the next larger number.
    #[must_use]
    pub const fn epsilon(self) -> f64 {
        match self {
            Self::Single => f32::EPSILON as f64,
            Self::Double => f64::EPSILON,
        }
    }

    /// The number of this type that is nearest.
    #[must_use]
    pub fn round(self, x: f64) -> f64 {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked for")]
            Self::Single => f64::from(x as f32),
            Self::Double => x,
        }
    }
}

/// On which sides of a point a function was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Side {
    /// Both: central differences.
    Both,
    /// At smaller numbers only.
    Left,
    /// At larger numbers only.
    Right,
}

/// A derivative from values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Derivative {
    /// The derivative; at a kink the mean of the slopes on both sides; NaN if there is none.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub value: f64,
    /// By how much `value` may be off; infinite if nothing is known.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub error_bar: f64,
    /// The smallest step that went into `value`.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub step: f64,
    /// Where the function was evaluated.
    pub side: Side,
    /// At a kink: the slopes on the left and on the right.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::pair"))]
    pub slopes: Option<[f64; 2]>,
    /// The order of the jump of the slope: `slope(x, x + h) - slope(x - h, x)` goes like `h` to this power. 1 or more where
    /// the function is smooth, 0 at a kink; NaN if the jump is too small to be seen.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub jump_order: f64,
    /// What to say if the bar is too large.
    pub doubt: Option<Reason>,
}

impl Derivative {
    /// No derivative, for this reason.
    #[must_use]
    pub fn unknown(reason: Reason) -> Self {
        Self {
            value: f64::NAN,
            error_bar: f64::INFINITY,
            step: 0.0,
            side: Side::Both,
            slopes: None,
            jump_order: f64::NAN,
            doubt: Some(reason),
        }
    }

    /// A derivative that is known otherwise, with its error.
    #[must_use]
    pub fn known(value: f64, error_bar: f64) -> Self {
        Self { value, error_bar, doubt: None, ..Self::unknown(Reason::Noise) }
    }
}

/// How to compute derivatives from values.
///
/// # Examples
/// ```
/// use autograd::check::Difference;
/// // All outputs share the evaluations.
/// let both = Difference::default().outputs(|x| Some(vec![x.sin(), x.exp()]), 1.0);
/// assert!((both.outputs[0].value - 1f64.cos()).abs() <= both.outputs[0].error_bar);
/// assert!(both.outputs[1].error_bar < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Difference {
    /// The formula.
    pub method: Method,
    /// The relative precision of the function's values: `f64::EPSILON`, or `f32::EPSILON as f64` for a function that computes
    /// in `f32`, or what a simulation is worth.
    pub epsilon: f64,
    /// By how many times rounding in the values may exceed `epsilon`. Noise that shows in the values is measured anyway.
    pub noise: f64,
    /// The first step; `None`: about a quarter of `max(1, |x|)`.
    pub step: Option<f64>,
    /// To which type the points are rounded at which the function is evaluated.
    pub arguments: Precision,
}

impl Default for Difference {
    fn default() -> Self {
        Self { method: Method::Adaptive, epsilon: f64::EPSILON, noise: 1.0, step: None, arguments: Precision::Double }
    }
}

/// The derivatives of several outputs, from shared evaluations.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// One for each output; none if the function is not defined at the point.
    pub outputs: Vec<Derivative>,
    /// How often the function was called.
    pub evaluations: usize,
}

impl Difference {
    /// The derivatives at `x` of all outputs of `f`, which gives `None` where it is not defined.
    ///
    /// `f` must give the same number of outputs wherever it gives any; other values count as not defined.
    ///
    /// # Domain and edge cases
    /// Where the function is defined on one side of `x` only, differences on that side are extrapolated. An output that is
    /// not finite at `x` has no derivative. Where a kink lies nearer than the steps that rounding allows, the slopes on both sides
    /// are told; the bar is infinite where the quotients still grow at the smallest steps.
    pub fn outputs(&self, mut f: impl FnMut(f64) -> Option<Vec<f64>>, x: f64) -> Differences {
        let mut samples = Samples::new(&mut f, x, self.arguments);
        let outputs = if samples.center().is_empty() {
            Vec::new()
        } else {
            match self.method {
                Method::Adaptive => table::adaptive(self, &mut samples),
                Method::Fixed { step } => cheap::fixed(self, &mut samples, step),
                Method::Stencil { .. } => stencil::stencil(self, &mut samples, 1),
                Method::Taylor => cheap::taylor(self, &mut samples),
            }
        };
        Differences { outputs, evaluations: samples.evaluations() }
    }

    /// The derivative of a function of one number with one value.
    pub fn of(&self, mut f: impl FnMut(f64) -> f64, x: f64) -> Derivative {
        let found = self.outputs(|x| Some(vec![f(x)]), x);
        found.outputs.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
    }

    /// The derivative of order `order` by a central formula: that of [`Method::Stencil`], or on 9 points with another method.
    ///
    /// The weights are computed for the order and the number of points, which is at least `order + 3`. The step is that at
    /// which truncation and rounding balance for a function of scale 1. Bars grow with the order; on 11 points they are about
    /// 1e-12 for the first, 1e-10 for the second, 1e-8, 1e-7, 1e-5 and 1e-4 for the sixth.
    ///
    /// # Domain and edge cases
    /// Order 0 is the value. The function must be finite at all points; else the bar is infinite.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::{Difference, Method};
    /// let second = Difference { method: Method::Stencil { points: 9 }, ..Difference::default() }.of_order(2, f64::sin, 1.0);
    /// assert!((second.value + 1f64.sin()).abs() <= second.error_bar && second.error_bar < 1e-9);
    /// ```
    ///
    /// # References
    /// B. Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*, Mathematics of Computation 51 (1988)
    /// 699-706.
    pub fn of_order(&self, order: usize, mut f: impl FnMut(f64) -> f64, x: f64) -> Derivative {
        let mut values = |x: f64| Some(vec![f(x)]);
        let mut samples = Samples::new(&mut values, x, self.arguments);
        match samples.center().first() {
            Some(center) if center.is_finite() => stencil::stencil(self, &mut samples, order)[0],
            _ => Derivative::unknown(Reason::NonFinite),
        }
    }

    /// Sets the precision of the values and of the points.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { epsilon: precision.epsilon(), arguments: precision, ..self }
    }
}
