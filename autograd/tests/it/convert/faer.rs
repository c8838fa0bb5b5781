//! `faer`, in every layout that it knows.

use autograd::Matrix;
use faer::{Mat, MatRef};
use proptest::prelude::*;

use crate::convert::matrices;
use crate::support::{Verdict, for_all};

/// Element by element, without any of our conversions.
fn same(matrix: &Matrix<f64>, view: MatRef<'_, f64>) -> Verdict {
    if (matrix.rows(), matrix.cols()) != view.shape() {
        return Err(format!("{} became {:?}", matrix.shape(), view.shape()));
    }
    let places = (0..matrix.rows()).flat_map(|i| (0..matrix.cols()).map(move |j| (i, j)));
    let different = places.into_iter().find(|at| matrix[*at].to_bits() != view[*at].to_bits());
    different.map_or(Ok(()), |at| Err(format!("{at:?}: {} became {}", matrix[at], view[at])))
}

#[test]
fn every_layout_keeps_its_elements() {
    let strategy = (matrices(), 0..=2usize, 0..=2usize, any::<[bool; 3]>());
    for_all(500, "faer", &strategy, |(matrix, top, left, [turn, up, back])| {
        same(&matrix, matrix.as_faer())?;
        let theirs = Mat::from(&matrix);
        same(&matrix, theirs.as_ref())?;
        same(&matrix, Mat::from(matrix.clone()).as_ref())?;
        assert_eq!((&Matrix::from(&theirs), &Matrix::from(theirs.clone())), (&matrix, &matrix));
        let (top, left) = (top.min(matrix.rows()), left.min(matrix.cols()));
        for whole in [theirs.as_ref(), matrix.as_faer()] {
            let mut part = whole.submatrix(top, left, matrix.rows() - top, matrix.cols() - left);
            if turn {
                part = part.transpose();
            }
            if up {
                part = part.reverse_rows();
            }
            if back {
                part = part.reverse_cols();
            }
            same(&Matrix::from(part), part)?;
        }
        Ok(())
    });
}

#[test]
fn views_are_of_our_memory() {
    for_all(50, "borrowed", &matrices(), |mut matrix| {
        let place = matrix.as_slice().as_ptr();
        assert_eq!((matrix.as_faer().as_ptr(), matrix.as_faer_mut().as_ptr()), (place, place));
        Ok(())
    });
}

#[test]
fn what_is_written_through_a_view_stands_in_the_matrix() {
    let mut matrix = Matrix::<f32>::zeros(2, 3);
    matrix.as_faer_mut().row_mut(1).fill(1.0);
    assert_eq!(matrix, Matrix::from([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]));
}
