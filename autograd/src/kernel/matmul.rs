//! The matrix product.

use crate::kernel::View;
use crate::scalar::Real;

/// `out = op(a) op(b)`.
pub(crate) fn matmul<T: Real>(ta: bool, a: View<'_, T>, tb: bool, b: View<'_, T>, out: &mut [T]) {
    let (m, k) = if ta { (a.shape.cols, a.shape.rows) } else { (a.shape.rows, a.shape.cols) };
    let n = if tb { b.shape.rows } else { b.shape.cols };
    for i in 0..m {
        for j in 0..n {
            let mut s = T::ZERO;
            for l in 0..k {
                let x = if ta { a.data[l * m + i] } else { a.data[i * k + l] };
                let y = if tb { b.data[j * k + l] } else { b.data[l * n + j] };
                s += x * y;
            }
            out[i * n + j] = s;
        }
    }
}
