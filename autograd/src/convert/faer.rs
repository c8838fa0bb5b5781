//! `faer`: column by column in memory of its own, which it pads; so owned matrices are copied and views are not.

use ::faer::{Mat, MatMut, MatRef, Shape, Stride};

use crate::matrix::Matrix;
use crate::scalar::Real;

impl<T: Real> Matrix<T> {
    /// The same elements as a `faer` view (with strides: they stay row by row), without a copy. Needs the feature
    /// `faer`.
    ///
    /// # Examples
    /// ```
    /// let x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_faer().col(1).iter().copied().collect::<Vec<_>>(), [2.0, 4.0]);
    /// ```
    #[must_use]
    pub fn as_faer(&self) -> MatRef<'_, T> {
        MatRef::from_row_major_slice(self.as_slice(), self.rows(), self.cols())
    }

    /// The same elements as a `faer` view to change them, without a copy. Needs the feature `faer`.
    ///
    /// # Examples
    /// ```
    /// let mut x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// x.as_faer_mut().col_mut(1).fill(0.0);
    /// assert_eq!(x.as_slice(), [1.0, 0.0, 3.0, 0.0]);
    /// ```
    #[must_use]
    pub fn as_faer_mut(&mut self) -> MatMut<'_, T> {
        let (rows, cols) = (self.rows(), self.cols());
        MatMut::from_row_major_slice_mut(self.as_mut_slice(), rows, cols)
    }
}

/// Transposed into new memory.
impl<T: Real> From<Mat<T>> for Matrix<T> {
    fn from(matrix: Mat<T>) -> Self {
        Self::from(matrix.as_ref())
    }
}

/// Transposed into new memory.
impl<T: Real> From<&Mat<T>> for Matrix<T> {
    fn from(matrix: &Mat<T>) -> Self {
        Self::from(matrix.as_ref())
    }
}

/// A copy, whatever the strides.
impl<T: Real, R: Shape, C: Shape, RS: Stride, CS: Stride> From<MatRef<'_, T, R, C, RS, CS>> for Matrix<T> {
    fn from(matrix: MatRef<'_, T, R, C, RS, CS>) -> Self {
        let matrix = matrix.as_dyn().as_dyn_stride();
        Self::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
    }
}

/// Transposed into new memory.
impl<T: Real> From<Matrix<T>> for Mat<T> {
    fn from(matrix: Matrix<T>) -> Self {
        Self::from(&matrix)
    }
}

/// Transposed into new memory.
impl<T: Real> From<&Matrix<T>> for Mat<T> {
    fn from(matrix: &Matrix<T>) -> Self {
        Mat::from_fn(matrix.rows(), matrix.cols(), |i, j| matrix[(i, j)])
    }
}
