//! Other arrangements of the same elements, composed of slices, blocks and repetitions.

use core::ops::Range;

use crate::matrix::Matrix;
use crate::op::{Axis, Embed, Slice};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// Widths of a frame around a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns before.
    pub left: usize,
    /// Columns after.
    pub right: usize,
}

impl<T: Real> Var<'_, T> {
    /// Every `row_step`-th of some rows and every `col_step`-th of some columns, from the first on.
    ///
    /// # Derivative
    /// The cotangent at their places, 0 elsewhere.
    ///
    /// # Shapes
    /// `(m, n) → (⌈rows.len() / row_step⌉, ⌈cols.len() / col_step⌉)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. A block may be empty.
    ///
    /// # Panics
    /// If a step is 0, or an element lies outside.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0, 4.0]]);
    /// assert_eq!(x.slice_step(0..1, 1, 0..4, 2).value().as_slice(), [1.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice_step(self, rows: Range<usize>, row_step: usize, cols: Range<usize>, col_step: usize) -> Self {
        let count = |range: &Range<usize>, step: usize| range.len().div_ceil(step.max(1));
        let shape = Shape::new(count(&rows, row_step), count(&cols, col_step));
        let step = (signed(row_step), signed(col_step));
        self.unary(Slice { start: (rows.start, cols.start), shape, step })
    }

    /// The elements along an axis from the last to the first.
    ///
    /// # Derivative
    /// The cotangent, flipped back.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.flip(Axis::Columns).value().as_slice(), [3.0, 2.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn flip(self, axis: Axis) -> Self {
        let shape = self.shape();
        let (start, step) = match axis {
            Axis::Rows => ((shape.rows.saturating_sub(1), 0), (-1, 1)),
            Axis::Columns => ((0, shape.cols.saturating_sub(1)), (1, -1)),
        };
        self.unary(Slice { start, shape, step })
    }

    /// The elements moved by `shift` places along an axis; what leaves at one end enters at the other.
    ///
    /// # Derivative
    /// The cotangent, moved back.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.roll(Axis::Columns, 1).value().as_slice(), [3.0, 1.0, 2.0]);
    /// assert_eq!(x.roll(Axis::Columns, -1).value().as_slice(), [2.0, 3.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn roll(self, axis: Axis, shift: isize) -> Self {
        let Shape { rows, cols } = self.shape();
        let len = if axis == Axis::Rows { rows } else { cols };
        if len == 0 {
            return self;
        }
        let cut = signed(len) - shift.rem_euclid(signed(len));
        let cut = cut.unsigned_abs() % len;
        match axis {
            _ if cut == 0 => self,
            Axis::Rows => Self::concat(&[self.slice(cut..rows, 0..cols), self.slice(0..cut, 0..cols)], axis),
            Axis::Columns => Self::concat(&[self.slice(0..rows, cut..cols), self.slice(0..rows, 0..cut)], axis),
        }
    }

    /// `x` repeated `rows` times downward and `cols` times to the right.
    ///
    /// # Derivative
    /// The sum of the blocks of the cotangent.
    ///
    /// # Shapes
    /// `(m, n) → (rows m, cols n)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. No times gives an empty matrix.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// assert_eq!(x.tile(2, 2).value().row(1), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn tile(self, rows: usize, cols: usize) -> Self {
        let right = if cols == 1 { self } else { self.transpose().stacked(cols).transpose() };
        right.stacked(rows)
    }

    /// `count` copies, one below the other.
    #[track_caller]
    fn stacked(self, count: usize) -> Self {
        let Shape { rows, cols } = self.shape();
        if count == 1 {
            return self;
        }
        self.flat().broadcast((count, rows * cols)).reshape(count * rows, cols)
    }

    /// Each element as a block of `rows x cols`.
    #[track_caller]
    pub(crate) fn enlarged(self, rows: usize, cols: usize) -> Self {
        let shape = self.shape();
        let wide = self.reshape(shape.len(), 1).broadcast((shape.len(), cols)).reshape(shape.rows, shape.cols * cols);
        let tall = wide.transpose().reshape(wide.shape().len(), 1).broadcast((wide.shape().len(), rows));
        tall.reshape(shape.cols * cols, shape.rows * rows).transpose()
    }

    /// `x` in a frame of `value`.
    ///
    /// # Derivative
    /// The part of the cotangent within the frame.
    ///
    /// # Shapes
    /// `(m, n) → (top + m + bottom, left + n + right)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. An empty matrix gives the frame alone.
    ///
    /// # Examples
    /// ```
    /// use autograd::op::Frame;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let y = x.pad(Frame { left: 1, bottom: 1, ..Frame::default() }, 9.0);
    /// assert_eq!(y.value().as_slice(), [9.0, 1.0, 2.0, 9.0, 9.0, 9.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pad(self, frame: Frame, value: T) -> Self {
        let Shape { rows, cols } = self.shape();
        let (start, whole) =
            ((frame.top, frame.left), Shape::new(frame.top + rows + frame.bottom, frame.left + cols + frame.right));
        let inner = self.unary(Embed::block(start, whole));
        if value == T::ZERO {
            return inner;
        }
        let within = |i, j| (start.0..start.0 + rows).contains(&i) && (start.1..start.1 + cols).contains(&j);
        let mask = Matrix::from_fn(whole.rows, whole.cols, |i, j| if within(i, j) { T::ONE } else { T::ZERO });
        self.graph().constant(mask).select(inner, self.scalar(value))
    }
}

#[allow(clippy::cast_possible_wrap, reason = "no matrix has 2⁶³ rows or columns")]
fn signed(n: usize) -> isize {
    n as isize
}
