//! Diagonals and triangles. Diagonal `k` holds the elements in row `i` and column `i + k`.

use crate::kernel::{Fault, View, structure};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Embed, Linear, Slice, one};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub use crate::kernel::structure::Part;

/// The elements on one side of a diagonal, zeros elsewhere: a kernel, because a mask would be as large as the matrix
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Triangle {
    /// The side.
    pub part: Part,
    /// The diagonal.
    pub offset: isize,
}

impl Linear for Triangle {
    const NAME: &'static str = "triangle";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::triangle(inputs[0], self.part, self.offset, out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: &Applied<'g, T>) -> Var<'g, T> {
        g.unary(self)
    }
}

impl Examples for Triangle {
    fn examples() -> Vec<Case> {
        let case = |part, offset, shape| Case::shaped(Triangle { part, offset }, [(Domain::ALL, shape)]);
        vec![case(Part::Lower, 0, (3, 4)), case(Part::Upper, 1, (3, 4)), case(Part::Upper, -2, (4, 3))]
    }
}

/// Where diagonal `k` of an `m x n` matrix starts in its elements row by row, and how long it is.
fn diagonal(shape: Shape, k: isize) -> (usize, usize) {
    let (row, col) = if k < 0 { (k.unsigned_abs(), 0) } else { (0, k.unsigned_abs()) };
    let len = shape.rows.saturating_sub(row).min(shape.cols.saturating_sub(col));
    if len == 0 { (0, 0) } else { (row * shape.cols + col, len) }
}

/// The distance of the elements of a diagonal.
#[allow(clippy::cast_possible_wrap, reason = "no matrix has 2⁶³ columns")]
fn distance(cols: usize) -> isize {
    cols as isize + 1
}

impl<T: Real> Var<'_, T> {
    /// Diagonal `k` as a column: the elements in row `i` and column `i + k`.
    ///
    /// # Derivative
    /// The cotangent on that diagonal, 0 elsewhere.
    ///
    /// # Shapes
    /// `(m, n) → (l, 1)`, where `l` is the length of the diagonal; 0 if it lies outside.
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too; those elsewhere have no influence.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.diag_part(0).value().as_slice(), [1.0, 5.0]);
    /// assert_eq!(x.diag_part(-1).value().as_slice(), [4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diag_part(self, k: isize) -> Self {
        let (start, len) = diagonal(self.shape(), k);
        let step = (1, distance(self.cols()));
        self.flat().unary(Slice { start: (0, start), shape: Shape::new(1, len), step }).reshape(len, 1)
    }

    /// The square matrix with the elements of a row or column on diagonal `k`, zeros elsewhere.
    ///
    /// # Derivative
    /// That diagonal of the cotangent.
    ///
    /// # Shapes
    /// `(l, 1)` or `(1, l)` `→ (l + |k|, l + |k|)`
    ///
    /// # Domain and edge cases
    /// Exactly 0 elsewhere, also beside NaN and ±∞. Of nothing `|k| x |k|` zeros.
    ///
    /// # Panics
    /// If it is neither a row nor a column.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// assert_eq!(x.diag_matrix(0).value().as_slice(), [1.0, 0.0, 0.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn diag_matrix(self, k: isize) -> Self {
        let shape = self.shape();
        assert!(
            shape.rows == 1 || shape.cols == 1,
            "diag_matrix: {shape}: the operand must be a row or a column; operand made at {}",
            self.site()
        );
        let side = shape.len() + k.unsigned_abs();
        let (start, _) = diagonal(Shape::new(side, side), k);
        let whole = Shape::new(1, side * side);
        let step = (1, distance(side));
        self.flat().unary(Embed { start: (0, start), shape: whole, step }).reshape(side, side)
    }

    /// The sum of the diagonal.
    ///
    /// # Derivative
    /// 1 on the diagonal, 0 elsewhere.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`, also if it is not square
    ///
    /// # Domain and edge cases
    /// 0 of nothing. NaN and ±∞ elsewhere have no influence.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.trace().item(), 5.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn trace(self) -> Self {
        self.diag_part(0).sum()
    }

    /// The elements on and below diagonal `k`, zeros elsewhere.
    ///
    /// # Derivative
    /// The same part of the cotangent.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Exactly 0 elsewhere, also in place of NaN and ±∞. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.tril(0).value().as_slice(), [1.0, 0.0, 3.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tril(self, k: isize) -> Self {
        self.unary(Triangle { part: Part::Lower, offset: k })
    }

    /// The elements on and above diagonal `k`, zeros elsewhere.
    ///
    /// # Derivative
    /// The same part of the cotangent.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Exactly 0 elsewhere, also in place of NaN and ±∞. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.triu(1).value().as_slice(), [0.0, 2.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn triu(self, k: isize) -> Self {
        self.unary(Triangle { part: Part::Upper, offset: k })
    }
}
