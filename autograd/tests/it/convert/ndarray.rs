//! `ndarray`, in every layout that it knows.

use autograd::Matrix;
use ndarray::{Array2, ArrayView2, Axis, ShapeBuilder, Slice};
use proptest::prelude::*;

use crate::convert::{matrices, numbered};
use crate::support::{Verdict, for_all, panic_of};

/// Element by element, without any of our conversions.
fn same(matrix: &Matrix<f64>, view: ArrayView2<'_, f64>) -> Verdict {
    let (rows, cols) = view.dim();
    if (matrix.rows(), matrix.cols()) != (rows, cols) {
        return Err(format!("{} became {rows}x{cols}", matrix.shape()));
    }
    let different = view.indexed_iter().find(|(at, x)| matrix[*at].to_bits() != x.to_bits());
    different.map_or(Ok(()), |(at, x)| Err(format!("{at:?}: {} became {x}", matrix[at])))
}

/// Arrays in standard and in column order, transposed, flipped, sliced with offsets and steps, and broadcast.
fn layouts() -> impl Strategy<Value = Array2<f64>> {
    let side = 0..=5usize;
    let part = (0..=2isize, 0..=5isize, prop_oneof![Just(1isize), Just(2), Just(-1), Just(-2)]);
    (side.clone(), side, any::<[bool; 3]>(), [part.clone(), part]).prop_map(|(m, n, [fortran, turn, cut], parts)| {
        let mut next = 0.0;
        let mut array = Array2::from_shape_simple_fn((m, n).set_f(fortran), || {
            next += 1.0;
            next
        });
        if turn {
            array = array.reversed_axes();
        }
        for (axis, (start, end, step)) in parts.into_iter().enumerate().filter(|_| cut) {
            let len = isize::try_from(array.len_of(Axis(axis))).expect("it is small");
            let (start, end) = (start.min(len), end.min(len));
            array.slice_axis_inplace(Axis(axis), Slice::new(start, Some(end.max(start)), step));
        }
        array
    })
}

#[test]
fn every_layout_keeps_its_elements() {
    for_all(500, "ndarray", &layouts(), |array| {
        let copy = Matrix::from(array.view());
        same(&copy, array.view())?;
        same(&Matrix::from(&array), array.view())?;
        same(&Matrix::from(&array.view()), array.view())?;
        same(&Matrix::from(array.clone()), array.view())?;
        same(&Matrix::from(array.t()), array.t())?;
        same(&copy, copy.as_ndarray())?;
        let back = Array2::from(copy.clone());
        same(&copy, back.view())?;
        if back == array { Ok(()) } else { Err(format!("{array} came back as {back}")) }
    });
}

#[test]
fn what_repeats_an_element_is_copied() {
    let row = ndarray::arr1(&[1.0, 2.0]);
    let view = row.broadcast((3, 2)).unwrap();
    assert_eq!(Matrix::from(view), Matrix::from([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]));
}

#[test]
fn standard_layout_is_moved_both_ways() {
    for_all(100, "moved", &matrices(), |matrix| {
        let place = matrix.as_slice().as_ptr();
        assert_eq!(matrix.as_ndarray().as_ptr(), place);
        let array = Array2::from(matrix);
        assert_eq!(array.as_ptr(), place);
        let mut matrix = Matrix::from(array);
        assert_eq!(matrix.as_ndarray_mut().as_ptr(), place);
        assert_eq!(matrix.as_slice().as_ptr(), place);
        Ok(())
    });
}

/// Rows that were cut off are given up in place: the memory of the array becomes that of the matrix.
#[test]
fn whole_rows_of_an_array_keep_its_memory() {
    let array = Array2::from(numbered(6, 3));
    let memory = array.as_ptr();
    for (start, end) in [(0, 4), (2, 6), (1, 3), (3, 3)] {
        let part = array.clone();
        let memory = part.as_ptr();
        let matrix = Matrix::from(part.slice_move(ndarray::s![start..end, ..]));
        assert_eq!(matrix.as_slice(), &numbered(6, 3).as_slice()[start * 3..end * 3]);
        if start < end {
            assert_eq!(matrix.as_slice().as_ptr(), memory);
        }
    }
    assert_eq!(Matrix::from(array).as_slice().as_ptr(), memory);
}

#[test]
fn another_layout_is_copied() {
    let array = Array2::from(numbered(2, 3));
    let place = array.as_ptr();
    let matrix = Matrix::from(array.reversed_axes());
    assert_eq!(matrix, numbered(2, 3).transpose());
    assert_ne!(matrix.as_slice().as_ptr(), place);
}

#[test]
fn an_empty_matrix_with_a_side_beyond_theirs_is_refused() {
    let huge = || Matrix::<f64>::zeros(usize::MAX, 0);
    let rest = format!("{}x0: ShapeError/Overflow: arithmetic overflow", usize::MAX);
    assert_eq!(panic_of(|| huge().as_ndarray().len()).message, format!("as_ndarray: {rest}"));
    assert_eq!(panic_of(|| huge().as_ndarray_mut().len()).message, format!("as_ndarray_mut: {rest}"));
    assert_eq!(panic_of(|| Array2::from(huge()).len()).message, format!("Array2::from: {rest}"));
}
