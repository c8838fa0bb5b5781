//! Distances of rows.

use crate::kernel::View;
use crate::scalar::Real;

/// Partial sums that run side by side.
const LANES: usize = 8;

/// `Σ (x - y)²` of each row of `x` and each of `y`.
pub(crate) fn squared<T: Real>(x: View<'_, T>, y: View<'_, T>, out: &mut [T]) {
    let count = y.shape.rows;
    for (i, x) in x.rows().enumerate() {
        for (out, y) in out[i * count..(i + 1) * count].iter_mut().zip(y.rows()) {
            *out = squared_distance(x, y);
        }
    }
}

fn squared_distance<T: Real>(x: &[T], y: &[T]) -> T {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut lanes = [T::ZERO; LANES];
    for (x, y) in x.iter().zip(y) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += (*x - *y) * (*x - *y);
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(x, y)| (*x - *y) * (*x - *y));
    lanes.into_iter().sum::<T>() + rest.sum::<T>()
}
