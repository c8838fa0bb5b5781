//! Matrices from and to what others keep numbers in: slices, arrays and vectors, and the matrices of `ndarray`,
//! `nalgebra` and `faer`, each behind the feature of its name.
//!
//! A [`Matrix`] is a `Vec` of its elements, row by row. What is laid out like that is moved or borrowed,
//! and only the rest is copied:
//!
//! | neighbour | into a matrix | from a matrix | borrowed |
//! |---|---|---|---|
//! | `Vec<T>` | moved ([`Matrix::new`]) | moved ([`Matrix::into_vec`]) | [`Matrix::as_slice`] |
//! | `Vec<[T; N]>` | moved | | [`Matrix::as_rows`] |
//! | `[[T; N]; M]`, `&[[T; N]]` | copied | copied, if the shape fits | [`Matrix::as_rows`] |
//! | `Vec<Vec<T>>` | copied, if all are of equal length | | |
//! | `ndarray::Array2` | moved in standard layout, else copied | moved | `Matrix::as_ndarray` |
//! | `nalgebra::DMatrix` | transposed; moved if it has one row or column | the same | `Matrix::as_nalgebra` |
//! | `faer::Mat` | transposed | transposed | `Matrix::as_faer` |
//! | views and references of the last three | copied | | |
//!
//! All of them go where a matrix is taken (`impl Into<Matrix<T>>`): into [`Function`](crate::Function),
//! [`Graph::variable`](crate::Graph::variable) and [`Graph::constant`](crate::Graph::constant).
//!
//! ```
//! use autograd::{Function, Matrix};
//! let rows: Vec<[f64; 2]> = vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
//! let norm = Function::new(|[x]| x.square().sum());
//! let [dx] = norm.gradient([rows])?;
//! assert_eq!(dx.as_rows(), [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]]);
//! assert_eq!(Matrix::from(&dx.as_rows::<2>()[1..]), Matrix::from([[6.0, 8.0], [10.0, 12.0]]));
//! # Ok::<(), autograd::RunError>(())
//! ```
//!
//! The versions of `ndarray` and `nalgebra` may be the present ones or those before, because other crates, such as
//! `argmin-math`, still ask for these. Cargo takes the present ones; `cargo update -p nalgebra@0.35.0 --precise 0.34.2`
//! takes the others, so that all of a program speaks of the same type.

use core::fmt;

use crate::matrix::Matrix;
use crate::scalar::Real;

#[cfg(feature = "faer")]
mod faer;
#[cfg(feature = "nalgebra")]
mod nalgebra;
#[cfg(feature = "ndarray")]
mod ndarray;

/// Rows that are no matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowsError {
    /// A row is longer or shorter than the first.
    Ragged {
        /// Which row, from 0.
        row: usize,
        /// The length of the first row.
        expected: usize,
        /// The length of this row.
        found: usize,
    },
}

impl fmt::Display for RowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ragged { row, expected, found } => {
                write!(f, "row {row} has {found} elements, row 0 has {expected}: all rows must be of equal length")
            }
        }
    }
}

impl core::error::Error for RowsError {}

impl<T: Real> Matrix<T> {
    /// The rows, as arrays of `N` numbers (at least one), without a copy.
    ///
    /// # Panics
    /// If the matrix has not `N` columns.
    ///
    /// # Examples
    /// ```
    /// let x = autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let sums: Vec<f64> = x.as_rows().iter().map(|[a, b]| a + b).collect();
    /// assert_eq!(sums, [3.0, 7.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn as_rows<const N: usize>(&self) -> &[[T; N]] {
        assert!(self.cols() == N, "as_rows: the matrix is {}, its rows have not {N} elements", self.shape());
        self.as_slice().as_chunks().0
    }
}

/// The elements, row by row.
impl<T: Real> AsRef<[T]> for Matrix<T> {
    fn as_ref(&self) -> &[T] {
        self.as_slice()
    }
}

/// The elements, row by row, without a copy.
impl<T: Real> From<Matrix<T>> for Vec<T> {
    fn from(matrix: Matrix<T>) -> Self {
        matrix.into_vec()
    }
}

/// Without a copy.
impl<T: Real, const N: usize> From<Vec<[T; N]>> for Matrix<T> {
    fn from(rows: Vec<[T; N]>) -> Self {
        Self::new(rows.len(), N, rows.into_flattened())
    }
}

/// A copy.
impl<T: Real, const N: usize> From<&[[T; N]]> for Matrix<T> {
    fn from(rows: &[[T; N]]) -> Self {
        Self::new(rows.len(), N, rows.as_flattened().to_vec())
    }
}

/// A copy.
impl<T: Real, const M: usize, const N: usize> From<&[[T; N]; M]> for Matrix<T> {
    fn from(rows: &[[T; N]; M]) -> Self {
        Self::from(rows.as_slice())
    }
}

/// A copy. Another shape than `MxN` gives the matrix back.
impl<T: Real, const M: usize, const N: usize> TryFrom<Matrix<T>> for [[T; N]; M] {
    type Error = Matrix<T>;

    fn try_from(matrix: Matrix<T>) -> Result<Self, Matrix<T>> {
        if matrix.shape() == (M, N).into() {
            Ok(core::array::from_fn(|i| core::array::from_fn(|j| matrix[(i, j)])))
        } else {
            Err(matrix)
        }
    }
}

/// A copy. No rows make a `0x0` matrix.
impl<T: Real> TryFrom<Vec<Vec<T>>> for Matrix<T> {
    type Error = RowsError;

    fn try_from(rows: Vec<Vec<T>>) -> Result<Self, RowsError> {
        let expected = rows.first().map_or(0, Vec::len);
        match rows.iter().enumerate().find(|(_, row)| row.len() != expected) {
            Some((row, other)) => Err(RowsError::Ragged { row, expected, found: other.len() }),
            None => Ok(Self::new(rows.len(), expected, rows.concat())),
        }
    }
}
