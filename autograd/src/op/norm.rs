//! Norms, and what is divided by them.

use crate::kernel::{Fault, View, reduce};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Pieces, Rule, one, sum_of};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `√Σ x²` of each row: a kernel, because squares overflow, or vanish, long before their root does
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Norm;

/// `x / ‖x‖`, 0 where that is 0: the subgradient of least norm.
fn direction<'g, T: Real>(at: &Applied<'g, T>) -> Var<'g, T> {
    let (x, y) = (at.inputs[0], at.output);
    let zero = y.scalar(T::ZERO);
    y.equal(zero).select(zero, x / y)
}

impl Rule for Norm {
    fn name(self) -> &'static str {
        "norm"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        Ok(Shape::new(one(inputs)?.rows, 1))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::per_row(inputs[0], out, reduce::norm);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(direction(at))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let direction = direction(at);
        sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(direction))).sum_axis(Axis::Columns)
    }

    fn by_rows(self) -> bool {
        true
    }

    fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        let zero = x[0].scalar(T::ZERO);
        Some(at[0].unary(self).equal(zero).select(zero, x[0].unary(self)))
    }

    fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
        let margin: Vec<T> = inputs[0].rows().map(reduce::norm).collect();
        let switch = margin.iter().map(|size| if *size == T::ZERO { T::ONE } else { T::ZERO }).collect();
        Some(Pieces { switch, margin })
    }
}

impl Examples for Norm {
    fn examples() -> Vec<Case> {
        [(3, 4), (1, 5), (2, 1)].map(|shape| Case::shaped(Norm, [(Domain::NON_ZERO, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The `p`-norm of all elements, `(Σ |x|ᵖ)^(1/p)`. `p = 2` is the Euclidean one; `p = ∞` the largest magnitude, -∞ the
    /// smallest; `p = 0` counts the elements that are not 0.
    ///
    /// # Derivative
    /// `sign(x) (|x| / ‖x‖)ᵖ⁻¹`; 0 where the norm is 0 and, if `p` is not 2, for every element that is 0. For `±∞` the sign
    /// of the extreme element, shared evenly between ties. 0 for `p = 0`.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 0, NaN, ∞, ∞. Numbers are scaled: neither large nor small ones make it
    /// overflow or vanish (subnormal ones do so in the derivative, unless `p` is 0, 1, 2 or infinite). The Euclidean
    /// norm is accurate to 2 units in the last place, at least for up to 32 numbers.
    ///
    /// # Panics
    /// If there is no element and `p` is neither 0, 1 nor 2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, -4.0]]);
    /// assert_eq!((x.norm(2.0).item(), x.norm(1.0).item()), (5.0, 7.0));
    /// assert_eq!(x.norm(2.0).gradient(x).value().as_slice(), [0.6, -0.8]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn norm(self, p: T) -> Self {
        self.flat().row_norms(p)
    }

    /// The `p`-norm along an axis, as [`norm`](Self::norm).
    ///
    /// # Derivative
    /// As of [`norm`](Self::norm).
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 0, NaN, ∞, ∞.
    ///
    /// # Panics
    /// If there is no element along the axis and `p` is neither 0, 1 nor 2.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 6.0], [4.0, 8.0]]);
    /// assert_eq!(x.norm_axis(Axis::Rows, 2.0).value().as_slice(), [5.0, 10.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn norm_axis(self, axis: Axis, p: T) -> Self {
        match axis {
            Axis::Columns => self.row_norms(p),
            Axis::Rows => self.transpose().row_norms(p).transpose(),
        }
    }

    #[track_caller]
    fn row_norms(self, p: T) -> Self {
        match p.to_f64() {
            0.0 => self.sign().square().sum_axis(Axis::Columns),
            1.0 => self.abs().sum_axis(Axis::Columns),
            2.0 => self.unary(Norm),
            f64::INFINITY => self.abs().max_axis(Axis::Columns),
            f64::NEG_INFINITY => self.abs().min_axis(Axis::Columns),
            _ => self.general_row_norms(p),
        }
    }

    /// The largest magnitude `s` is taken out: the norm does not depend on what is taken out, so that `s` counts as
    /// constant. Elements that are 0, and rows of zeros, are cut off before a power of 0 has an infinite derivative.
    #[track_caller]
    fn general_row_norms(self, p: T) -> Self {
        let (zero, one) = (self.scalar(T::ZERO), self.scalar(T::ONE));
        let size = self.abs();
        let largest = size.detach().max_axis(Axis::Columns);
        let scale = largest.equal(zero).select(one, largest);
        let powers = size.equal(zero).select(zero, (size / scale).powf(p));
        let sum = powers.sum_axis(Axis::Columns);
        sum.equal(zero).select(zero, sum.powf(T::ONE / p) * scale)
    }

    /// `x` divided by its `p`-norm along an axis, or by `eps` where the norm is less.
    ///
    /// # Derivative
    /// That of the quotient; a norm below `eps` counts as constant.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, 0], [NaN, NaN]. Of nothing: nothing.
    ///
    /// # Panics
    /// As [`norm_axis`](Self::norm_axis).
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 4.0], [0.0, 0.0]]);
    /// assert_eq!(x.normalize(Axis::Columns, 2.0, 1e-12).value().as_slice(), [0.6, 0.8, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn normalize(self, axis: Axis, p: T, eps: T) -> Self {
        self / self.norm_axis(axis, p).maximum(self.scalar(eps))
    }

    /// `x / √(mean x² + eps)` of each row.
    ///
    /// # Derivative
    /// That of the quotient.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [NaN, 0], [NaN, NaN]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 7.0]]);
    /// assert_eq!(x.rms_norm(0.0).value().as_slice(), [0.2, 1.4]);
    /// ```
    ///
    /// # References
    /// B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019, equation 4, with `eps` against a division by 0.
    #[must_use]
    #[track_caller]
    pub fn rms_norm(self, eps: T) -> Self {
        self / (self.square().mean_axis(Axis::Columns) + eps).sqrt()
    }
}
