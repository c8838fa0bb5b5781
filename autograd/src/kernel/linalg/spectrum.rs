//! What eigenvalues that rounding cannot tell apart have in common.

use crate::kernel::View;
use crate::scalar::Real;

/// Eigenvalues of an `n x n` matrix closer than this, times `n ε` and the largest magnitude, count as equal: so much may
/// each of them be off.
pub(crate) const CLOSE: f64 = 4.0;

/// The diagonal of `m`, in the basis of eigenvectors, with what belongs to equal eigenvalues averaged: NaN there unless
/// that block of `m` is a multiple of the unit matrix, because then it depends on the choice of the eigenvectors.
pub(crate) fn unsplit<T: Real>(m: View<'_, T>, values: View<'_, T>, out: &mut [T]) {
    let n = values.data.len();
    out.fill(T::ZERO);
    let slack = T::from_f64(CLOSE) * T::from_usize(n) * T::EPSILON;
    let largest = |x: &[T]| x.iter().fold(T::ZERO, |max, x| if x.abs() > max { x.abs() } else { max });
    let (gap, tolerance) = (slack * largest(values.data), slack * largest(m.data));
    let mut start = 0;
    while start < n {
        let joined = |i: &usize| (values.data[*i] - values.data[*i - 1]).abs() <= gap;
        let end = start + 1 + (start + 1..n).take_while(joined).count();
        let diagonal = (start..end).map(|i| m.data[i * n + i]);
        let mean = diagonal.sum::<T>() / T::from_usize(end - start);
        let expected = |i: usize, j: usize| if i == j { mean } else { T::ZERO };
        let one_number = (start..end)
            .flat_map(|i| (start..end).map(move |j| (i, j)))
            .all(|(i, j)| tolerance.is_finite() && (m.data[i * n + j] - expected(i, j)).abs() <= tolerance);
        let value = if one_number || end == start + 1 { mean } else { T::NAN };
        (start..end).for_each(|i| out[i * n + i] = value);
        start = end;
    }
}
