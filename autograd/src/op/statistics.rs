//! Deviations from the mean, and what is made of them.

use crate::kernel::{Fault, View, reduce};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Linear, Rule, one, sum_of};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `x - mean x` of each row: a kernel, because what rounding left in the mean is taken out too, and because its
/// derivative is the same map again instead of a sum of two terms that cancel
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Center;

impl Linear for Center {
    const NAME: &'static str = "center";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::map_rows(inputs[0], out, reduce::center);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: &Applied<'g, T>) -> Var<'g, T> {
        g.unary(Center)
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for Center {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(Center, [(Domain::ALL, shape)])).to_vec()
    }
}

/// `ln (Σ eˣ / n)` of each row: a kernel, because `ln Σ eˣ - ln n` loses all digits where numbers are near 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogMeanExp;

impl Rule for LogMeanExp {
    fn name(self) -> &'static str {
        "log_mean_exp"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        Ok(Shape::new(one(inputs)?.rows, 1))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::per_row(inputs[0], out, reduce::log_mean_exp);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(at.inputs[0].softmax(Axis::Columns))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let weights = at.inputs[0].softmax(Axis::Columns);
        sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(weights))).sum_axis(Axis::Columns)
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for LogMeanExp {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(LogMeanExp, [(Domain::ALL, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// `x - mean` along an axis.
    ///
    /// # Derivative
    /// The same map of the cotangent: it is a symmetric projection.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, NaN], [NaN, NaN]. Of nothing: nothing. What rounding left in the
    /// mean is taken out by a second one: deviations are accurate where they are small beside the numbers, and exactly
    /// 0 where all numbers are equal.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 6.0]]);
    /// assert_eq!(x.center(Axis::Columns).value().as_slice(), [-2.0, -1.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn center(self, axis: Axis) -> Self {
        self.by_rows(axis, Center)
    }

    /// The variance of all elements, `Σ (x - mean)² / (n - ddof)`: `ddof` is 0 for that of the elements themselves, 1 for
    /// an unbiased estimate from a sample.
    ///
    /// # Derivative
    /// `2 (x - mean) / (n - ddof)`.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, NaN, NaN. By deviations, so that a large mean costs no digits.
    /// NaN or infinite if there are no more than `ddof` elements.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((x.var(0).item(), x.sum().item()), (1.25, 10.0));
    /// ```
    ///
    /// # References
    /// T. Chan, G. Golub, R. LeVeque, "Algorithms for computing the sample variance", 1983, equation 1.7.
    #[must_use]
    #[track_caller]
    pub fn var(self, ddof: usize) -> Self {
        self.flat().var_axis(Axis::Columns, ddof)
    }

    /// The variance along an axis, as [`var`](Self::var).
    ///
    /// # Derivative
    /// `2 (x - mean) / (n - ddof)`.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, NaN, NaN.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 5.0]]);
    /// assert_eq!(x.var_axis(Axis::Rows, 1).value().as_slice(), [2.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn var_axis(self, axis: Axis, ddof: usize) -> Self {
        self.center(axis).square().sum_axis(axis) / self.freedom(axis, ddof)
    }

    /// The standard deviation of all elements, the root of [`var`](Self::var).
    ///
    /// # Derivative
    /// `(x - mean) / ((n - ddof) std)`; 0 where all elements are equal.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, NaN, NaN. NaN or infinite if there are no more than `ddof`
    /// elements.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 1.0, 5.0, 5.0]]);
    /// assert_eq!(x.std(0).item(), 2.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn std(self, ddof: usize) -> Self {
        self.flat().std_axis(Axis::Columns, ddof)
    }

    /// The standard deviation along an axis, the root of [`var_axis`](Self::var_axis).
    ///
    /// # Derivative
    /// `(x - mean) / ((n - ddof) std)`; 0 where all elements are equal.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, NaN, NaN.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 5.0]]);
    /// assert_eq!(x.std_axis(Axis::Rows, 0).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn std_axis(self, axis: Axis, ddof: usize) -> Self {
        self.center(axis).norm_axis(axis, T::from_f64(2.0)) / self.freedom(axis, ddof).sqrt()
    }

    fn freedom(self, axis: Axis, ddof: usize) -> T {
        let count = match axis {
            Axis::Rows => self.rows(),
            Axis::Columns => self.cols(),
        };
        T::from_usize(count.saturating_sub(ddof))
    }

    /// `(x - mean) / √(variance + eps)` along an axis, with the variance of `n` and not `n - 1`. [`Axis::Columns`] is layer
    /// normalization, [`Axis::Rows`] batch normalization of a batch of rows; scale and shift follow as `* gamma + beta`.
    ///
    /// # Derivative
    /// That of the quotient.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, NaN], [NaN, NaN]. Of nothing: nothing. 0 where all elements are
    /// equal, also for `eps = 0` in value but not in derivative: keep `eps > 0`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0]]);
    /// assert_eq!(x.standardize(Axis::Columns, 0.0).value().as_slice(), [-1.0, 1.0]);
    /// ```
    ///
    /// # References
    /// J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016, equation 3; S. Ioffe, C. Szegedy, "Batch normalization",
    /// 2015, algorithm 1.
    #[must_use]
    #[track_caller]
    pub fn standardize(self, axis: Axis, eps: T) -> Self {
        let centered = self.center(axis);
        centered / (centered.square().mean_axis(axis) + eps).sqrt()
    }

    /// `ln` of the mean of `eˣ` over all elements, with the largest taken out: never overflows.
    ///
    /// # Derivative
    /// The [`softmax`](Self::softmax) of all elements.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`; NaN if there is no element.
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, ∞, ∞. -∞, with derivative 0, if all are -∞. Accurate where the
    /// numbers are near 0, and so is the result.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1000.0, 1000.0]]);
    /// assert_eq!(x.log_mean_exp().item(), 1000.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_mean_exp(self) -> Self {
        self.flat().unary(LogMeanExp)
    }

    /// `ln` of the mean of `eˣ` along an axis, as [`log_mean_exp`](Self::log_mean_exp).
    ///
    /// # Derivative
    /// The [`softmax`](Self::softmax) along the axis.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, ∞, ∞.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[7.0, 7.0], [-7.0, -7.0]]);
    /// assert_eq!(x.log_mean_exp_axis(Axis::Columns).value().as_slice(), [7.0, -7.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_mean_exp_axis(self, axis: Axis) -> Self {
        self.by_rows(axis, LogMeanExp)
    }
}
