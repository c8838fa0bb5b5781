//! `ndarray`: row by row like our own, unless it was transposed, sliced or made otherwise.

use ::ndarray::{Array2, ArrayBase, ArrayView2, ArrayViewMut2, Data, Ix2};

use crate::matrix::Matrix;
use crate::scalar::Real;

impl<T: Real> Matrix<T> {
    /// The same elements as an `ndarray` view, without a copy. Needs the feature `ndarray`.
    ///
    /// # Panics
    /// If it is empty and a side is above `isize::MAX`, which `ndarray` cannot represent.
    ///
    /// # Examples
    /// ```
    /// use ndarray::{Axis, array};
    /// let x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_ndarray().sum_axis(Axis(0)), array![4.0, 6.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn as_ndarray(&self) -> ArrayView2<'_, T> {
        match ArrayView2::from_shape((self.rows(), self.cols()), self.as_slice()) {
            Ok(view) => view,
            Err(error) => panic!("as_ndarray: {}: {error}", self.shape()),
        }
    }

    /// The same elements as an `ndarray` view to change them, without a copy. Needs the feature `ndarray`.
    ///
    /// # Panics
    /// As [`as_ndarray`](Self::as_ndarray).
    ///
    /// # Examples
    /// ```
    /// let mut x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// x.as_ndarray_mut().column_mut(1).fill(0.0);
    /// assert_eq!(x.as_slice(), [1.0, 0.0, 3.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn as_ndarray_mut(&mut self) -> ArrayViewMut2<'_, T> {
        let shape = self.shape();
        match ArrayViewMut2::from_shape((shape.rows, shape.cols), self.as_mut_slice()) {
            Ok(view) => view,
            Err(error) => panic!("as_ndarray_mut: {shape}: {error}"),
        }
    }
}

/// Without a copy in standard layout (row by row; what was cut off before the first element is closed up in place);
/// else a copy.
impl<T: Real> From<Array2<T>> for Matrix<T> {
    fn from(array: Array2<T>) -> Self {
        if !array.is_standard_layout() {
            return Self::from(array.view());
        }
        let (rows, cols) = array.dim();
        let (mut data, offset) = array.into_raw_vec_and_offset();
        let start = offset.unwrap_or(0);
        data.truncate(start + rows * cols);
        data.drain(..start);
        Self::new(rows, cols, data)
    }
}

/// A copy.
impl<T: Real> From<ArrayView2<'_, T>> for Matrix<T> {
    fn from(array: ArrayView2<'_, T>) -> Self {
        let (rows, cols) = array.dim();
        Self::new(rows, cols, array.iter().copied().collect())
    }
}

/// A copy.
impl<T: Real, S: Data<Elem = T>> From<&ArrayBase<S, Ix2>> for Matrix<T> {
    fn from(array: &ArrayBase<S, Ix2>) -> Self {
        Self::from(array.view())
    }
}

/// Without a copy.
///
/// # Panics
/// As [`Matrix::as_ndarray`].
impl<T: Real> From<Matrix<T>> for Array2<T> {
    #[track_caller]
    fn from(matrix: Matrix<T>) -> Self {
        let shape = matrix.shape();
        match Array2::from_shape_vec((shape.rows, shape.cols), matrix.into_vec()) {
            Ok(array) => array,
            Err(error) => panic!("Array2::from: {shape}: {error}"),
        }
    }
}
