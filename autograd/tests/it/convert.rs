//! Conversions: the same numbers at the same places in every layout, and no copy where none is promised.

use autograd::convert::RowsError;
use autograd::{Function, Matrix};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{for_all, panic_of};

#[cfg(feature = "faer")]
mod faer;
#[cfg(feature = "nalgebra")]
mod nalgebra;
#[cfg(feature = "ndarray")]
mod ndarray;

/// Matrices from `0x0` to `5x6`, whose elements are all different.
fn matrices() -> impl Strategy<Value = Matrix<f64>> {
    (0..=5usize, 0..=6usize).prop_map(|(m, n)| numbered(m, n))
}

/// `0, 1, 2, …` row by row.
fn numbered(rows: usize, cols: usize) -> Matrix<f64> {
    let mut next = -1.0;
    Matrix::from_fn(rows, cols, |_, _| {
        next += 1.0;
        next
    })
}

#[test]
fn vectors_of_arrays_are_taken_over_and_shown_without_a_copy() {
    let rows = vec![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let place = rows.as_ptr().cast::<f64>();
    let matrix = Matrix::from(rows);
    assert_eq!((matrix.rows(), matrix.cols(), matrix.as_slice().as_ptr()), (2, 3, place));
    assert_eq!(matrix.as_rows(), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert_eq!(matrix.as_rows::<3>().as_ptr().cast(), place);
    let slice: &[f64] = matrix.as_ref();
    assert_eq!(slice.as_ptr(), place);
    let elements = Vec::from(matrix);
    assert_eq!(elements.as_ptr(), place);
}

#[test]
fn arrays_come_back_if_the_shape_is_theirs() {
    let array = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let matrix = Matrix::from(&array);
    assert_eq!(matrix, Matrix::from(&array[..]));
    assert_eq!(<[[f64; 3]; 2]>::try_from(matrix.clone()), Ok(array));
    assert_eq!(<[[f64; 2]; 3]>::try_from(matrix.clone()), Err(matrix));
    assert_eq!(<[[f64; 0]; 2]>::try_from(Matrix::zeros(2, 0)), Ok([[]; 2]));
    assert_eq!(Matrix::from(vec![[0.0_f32; 0]; 4]), Matrix::zeros(4, 0));
    let text = panic_of(|| matrix_of_two_columns().as_rows::<3>().len()).message;
    assert_eq!(text, "as_rows: the matrix is 4x2, its rows have not 3 elements");
}

fn matrix_of_two_columns() -> Matrix<f64> {
    Matrix::zeros(4, 2)
}

#[test]
fn rows_of_equal_length_are_a_matrix_and_others_say_which_is_not() {
    for_all(200, "rows", &vec(vec(-9.0..9.0f64, 0..3), 0..4), |rows| {
        let expected = rows.first().map_or(0, Vec::len);
        let found = Matrix::try_from(rows.clone());
        match rows.iter().position(|row| row.len() != expected) {
            None => {
                let matrix = found.map_err(|error| error.to_string())?;
                assert_eq!((matrix.rows(), matrix.cols(), matrix.as_slice()), (rows.len(), expected, &*rows.concat()));
            }
            Some(row) => {
                let found = found.expect_err("it is ragged");
                let RowsError::Ragged { row: named, .. } = found else { return Err(format!("{found}")) };
                assert_eq!(named, row);
            }
        }
        Ok(())
    });
    let error = Matrix::try_from(vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err().to_string();
    assert_eq!(error, "row 1 has 1 elements, row 0 has 2: all rows must be of equal length");
}

#[test]
fn a_function_takes_whatever_becomes_a_matrix() {
    let f = Function::new(|[x]| x.square().sum());
    let expected = Matrix::from([[2.0, 4.0], [6.0, 8.0]]);
    let array = [[1.0, 2.0], [3.0, 4.0]];
    let found = [
        f.gradient([array]),
        f.gradient([&array]),
        f.gradient([&array[..]]),
        f.gradient([array.to_vec()]),
        f.gradient([Matrix::from(array)]),
        f.gradient([&Matrix::from(array)]),
        #[cfg(feature = "ndarray")]
        f.gradient([::ndarray::arr2(&array)]),
        #[cfg(feature = "ndarray")]
        f.gradient([&::ndarray::arr2(&array)]),
        #[cfg(feature = "nalgebra")]
        f.gradient([::nalgebra::DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 3.0, 4.0])]),
        #[cfg(feature = "nalgebra")]
        f.gradient([&::nalgebra::Matrix2::new(1.0, 2.0, 3.0, 4.0)]),
        #[cfg(feature = "faer")]
        f.gradient([::faer::mat![[1.0, 2.0], [3.0, 4.0]]]),
        #[cfg(feature = "faer")]
        f.gradient([::faer::mat![[1.0, 2.0], [3.0, 4.0]].as_ref()]),
    ];
    for gradient in found {
        assert_eq!(gradient, Ok([expected.clone()]));
    }
}
