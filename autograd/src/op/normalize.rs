//! Rows of numbers to probabilities.

use crate::kernel::{Fault, View, reduce};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Rule, one, sum_of};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `eˣ / Σ eˣ` of each row
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softmax;

/// `J d` and, since the Jacobian `diag(y) - y yᵀ` is symmetric, also `Jᵀ d`.
fn softmax_derivative<'g, T: Real>(d: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    y * (d - (d * y).sum_axis(Axis::Columns))
}

impl Rule for Softmax {
    fn name(self) -> &'static str {
        "softmax"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::softmax_rows(inputs[0], out);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        softmax_derivative(g, at.output)
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        sum_of(tangents.iter().flatten().map(|dx| softmax_derivative(*dx, at.output)))
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for Softmax {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(Softmax, [(Domain::ALL, shape)])).to_vec()
    }
}

/// `x - ln Σ eˣ` of each row
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSoftmax;

impl Rule for LogSoftmax {
    fn name(self) -> &'static str {
        "log_softmax"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::log_softmax_rows(inputs[0], out);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g - at.inputs[0].softmax(Axis::Columns) * g.sum_axis(Axis::Columns)
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let weights = at.inputs[0].softmax(Axis::Columns);
        sum_of(tangents.iter().flatten().map(|dx| *dx - (weights * *dx).sum_axis(Axis::Columns)))
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for LogSoftmax {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(LogSoftmax, [(Domain::ALL, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// `eˣ / Σ eˣ` along an axis: probabilities that add up to 1. Rows of logits: `Axis::Columns`.
    ///
    /// # Derivative
    /// `g ↦ y (g - Σ g y)`.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, NaN], [NaN, NaN]. Of nothing: nothing. Never overflows. Where
    /// all are -∞ there is no largest, and all results are 0.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 3f64.ln()]]);
    /// let y = x.softmax(Axis::Columns).value();
    /// approx::assert_relative_eq!(y, [[0.25, 0.75]].into(), max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn softmax(self, axis: Axis) -> Self {
        self.by_rows(axis, Softmax)
    }

    /// `e⁻ˣ / Σ e⁻ˣ` along an axis: the [`softmax`](Self::softmax) of `-x`.
    ///
    /// # Derivative
    /// `g ↦ -y (g - Σ g y)`.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [0, 1], [NaN, NaN]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3f64.ln(), 0.0]]);
    /// let y = x.softmin(Axis::Columns).value();
    /// approx::assert_relative_eq!(y, [[0.25, 0.75]].into(), max_relative = 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn softmin(self, axis: Axis) -> Self {
        (-self).softmax(axis)
    }

    /// `x - ln Σ eˣ` along an axis: the logarithm of [`softmax`](Self::softmax), accurate where that has become 0.
    ///
    /// # Derivative
    /// `g ↦ g - softmax(x) Σ g`.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, -∞], [NaN, -∞]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.0, 1000.0]]);
    /// assert_eq!(x.log_softmax(Axis::Columns).value().as_slice(), [-1000.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_softmax(self, axis: Axis) -> Self {
        self.by_rows(axis, LogSoftmax)
    }
}
