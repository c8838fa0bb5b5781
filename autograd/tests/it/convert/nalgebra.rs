//! `nalgebra`, in every layout that it knows.

use autograd::Matrix;
use nalgebra::{DMatrix, DMatrixView, DVector, Dyn, RowDVector, SMatrix};

use crate::convert::{matrices, numbered};
use crate::support::{Verdict, for_all};

/// Element by element, without any of our conversions.
fn same(matrix: &Matrix<f64>, view: DMatrixView<'_, f64, Dyn, Dyn>) -> Verdict {
    if (matrix.rows(), matrix.cols()) != view.shape() {
        return Err(format!("{} became {:?}", matrix.shape(), view.shape()));
    }
    let places = (0..matrix.rows()).flat_map(|i| (0..matrix.cols()).map(move |j| (i, j)));
    let different = places.into_iter().find(|at| matrix[*at].to_bits() != view[*at].to_bits());
    different.map_or(Ok(()), |at| Err(format!("{at:?}: {} became {}", matrix[at], view[at])))
}

#[test]
fn every_layout_keeps_its_elements() {
    let strategy = (matrices(), 0..=2usize, 0..=2usize, 0..=1usize, 0..=1usize);
    for_all(500, "nalgebra", &strategy, |(matrix, top, left, row_step, col_step)| {
        same(&matrix, matrix.as_nalgebra())?;
        let theirs = DMatrix::from_fn(matrix.rows(), matrix.cols(), |i, j| matrix[(i, j)]);
        assert_eq!((&Matrix::from(&theirs), &Matrix::from(theirs.clone())), (&matrix, &matrix));
        assert_eq!((&DMatrix::from(matrix.clone()), &matrix.as_nalgebra().into_owned()), (&theirs, &theirs));
        let (top, left) = (top.min(matrix.rows()), left.min(matrix.cols()));
        let fits = |len: usize, step: usize| len.div_ceil(step + 1);
        let (rows, cols) = (fits(matrix.rows() - top, row_step), fits(matrix.cols() - left, col_step));
        let part = theirs.view_with_steps((top, left), (rows, cols), (row_step, col_step));
        let of_ours = matrix.as_nalgebra();
        let of_ours = of_ours.view_with_steps((top, left), (rows, cols), (row_step, col_step));
        let found = Matrix::from(&part);
        assert_eq!(found, Matrix::from(&of_ours));
        same(&found, found.as_nalgebra())?;
        let expected =
            Matrix::from_fn(rows, cols, |i, j| matrix[(top + i * (row_step + 1), left + j * (col_step + 1))]);
        if found == expected { Ok(()) } else { Err(format!("{expected} became {found}")) }
    });
}

#[test]
fn views_are_of_our_memory() {
    for_all(50, "borrowed", &matrices(), |mut matrix| {
        let place = matrix.as_slice().as_ptr();
        assert_eq!((matrix.as_nalgebra().as_ptr(), matrix.as_nalgebra_mut().as_ptr()), (place, place));
        Ok(())
    });
}

#[test]
fn a_single_row_or_column_is_moved_both_ways() {
    for (rows, cols) in [(1, 4), (4, 1), (1, 1)] {
        let matrix = numbered(rows, cols);
        let place = matrix.as_slice().as_ptr();
        let theirs = DMatrix::from(matrix);
        assert_eq!((theirs.shape(), theirs.as_slice().as_ptr()), ((rows, cols), place));
        assert_eq!(Matrix::from(theirs).as_slice().as_ptr(), place);
    }
    let matrix = numbered(2, 3);
    let place = matrix.as_slice().as_ptr();
    let theirs = DMatrix::from(matrix);
    assert_eq!(theirs.as_slice(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_ne!(theirs.as_slice().as_ptr(), place);
}

#[test]
fn vectors_and_matrices_of_fixed_size_are_copied() {
    let column = DVector::from_vec(vec![1.0, 2.0]);
    let row = RowDVector::from_vec(vec![1.0, 2.0]);
    let fixed = SMatrix::<f64, 2, 3>::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
    assert_eq!(Matrix::from(&column), Matrix::from([[1.0], [2.0]]));
    assert_eq!(Matrix::from(&row), Matrix::from([[1.0, 2.0]]));
    assert_eq!(Matrix::from(&fixed), Matrix::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    assert_eq!(Matrix::from(&fixed.column(1)), Matrix::from([[2.0], [5.0]]));
}
