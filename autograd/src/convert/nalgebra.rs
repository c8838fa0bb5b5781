//! `nalgebra`: column by column, so that only a single row or column lies as in our own matrices.

use ::nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, Dim, Dyn, RawStorage, VecStorage};

use crate::matrix::Matrix;
use crate::scalar::Real;

impl<T: Real> Matrix<T> {
    /// The same elements as an `nalgebra` view (with strides: they stay row by row), without a copy. Needs the feature
    /// `nalgebra`.
    ///
    /// # Examples
    /// ```
    /// let x = autograd::Matrix::<f64>::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_nalgebra().column(1).sum(), 6.0);
    /// ```
    #[must_use]
    pub fn as_nalgebra(&self) -> DMatrixView<'_, T, Dyn, Dyn> {
        DMatrixView::from_slice_with_strides(self.as_slice(), self.rows(), self.cols(), self.cols(), 1)
    }

    /// The same elements as an `nalgebra` view to change them, without a copy. Needs the feature `nalgebra`.
    ///
    /// # Examples
    /// ```
    /// let mut x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// x.as_nalgebra_mut().column_mut(1).fill(0.0);
    /// assert_eq!(x.as_slice(), [1.0, 0.0, 3.0, 0.0]);
    /// ```
    #[must_use]
    pub fn as_nalgebra_mut(&mut self) -> DMatrixViewMut<'_, T, Dyn, Dyn> {
        let (rows, cols) = (self.rows(), self.cols());
        DMatrixViewMut::from_slice_with_strides_mut(self.as_mut_slice(), rows, cols, cols, 1)
    }
}

/// Without a copy if there is one row or one column; else transposed into new memory.
impl<T: Real> From<DMatrix<T>> for Matrix<T> {
    fn from(matrix: DMatrix<T>) -> Self {
        let (rows, cols) = matrix.shape();
        if rows == 1 || cols == 1 { Self::new(rows, cols, matrix.data.into()) } else { Self::from(&matrix) }
    }
}

/// A copy, of any matrix, vector or view.
impl<T: Real, R: Dim, C: Dim, S: RawStorage<T, R, C>> From<&::nalgebra::Matrix<T, R, C, S>> for Matrix<T> {
    fn from(matrix: &::nalgebra::Matrix<T, R, C, S>) -> Self {
        Self::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)])
    }
}

/// Without a copy if there is one row or one column; else transposed into new memory.
impl<T: Real> From<Matrix<T>> for DMatrix<T> {
    fn from(matrix: Matrix<T>) -> Self {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        if rows != 1 && cols != 1 {
            return matrix.as_nalgebra().into_owned();
        }
        DMatrix::from_vec_storage(VecStorage::new(Dyn(rows), Dyn(cols), matrix.into_vec()))
    }
}
