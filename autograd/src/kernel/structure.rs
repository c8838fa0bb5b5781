//! Moving numbers.

use crate::kernel::{Fault, View};
use crate::scalar::Real;
use crate::shape::Shape;

/// `out = xᵀ`, in tiles so that both sides stay in the cache.
pub(crate) fn transpose<T: Real>(x: View<'_, T>, out: &mut [T]) {
    const TILE: usize = 16;
    let (rows, cols) = (x.shape.rows, x.shape.cols);
    for i0 in (0..rows).step_by(TILE) {
        for j0 in (0..cols).step_by(TILE) {
            for i in i0..rows.min(i0 + TILE) {
                for j in j0..cols.min(j0 + TILE) {
                    out[j * rows + i] = x.data[i * cols + j];
                }
            }
        }
    }
}

/// `x` repeated to `shape`.
pub(crate) fn broadcast<T: Real>(x: View<'_, T>, shape: Shape, out: &mut [T]) {
    if shape.is_empty() {
        return;
    }
    for (i, row) in out.chunks_exact_mut(shape.cols).enumerate() {
        let from = if x.shape.rows == 1 { 0 } else { i };
        if x.shape.cols == 1 {
            row.fill(x.data[from]);
        } else {
            row.copy_from_slice(&x.data[from * shape.cols..(from + 1) * shape.cols]);
        }
    }
}

/// The block of `shape` that starts at `start`.
pub(crate) fn slice<T: Real>(x: View<'_, T>, start: (usize, usize), shape: Shape, out: &mut [T]) {
    for i in 0..shape.rows {
        let from = (start.0 + i) * x.shape.cols + start.1;
        out[i * shape.cols..(i + 1) * shape.cols].copy_from_slice(&x.data[from..from + shape.cols]);
    }
}

/// `x` as a block of zeros of `shape`.
pub(crate) fn embed<T: Real>(x: View<'_, T>, start: (usize, usize), shape: Shape, out: &mut [T]) {
    out.fill(T::ZERO);
    for (i, row) in x.rows().enumerate() {
        let to = (start.0 + i) * shape.cols + start.1;
        out[to..to + row.len()].copy_from_slice(row);
    }
}

/// The parts one below the other.
pub(crate) fn below<T: Real>(parts: &[View<'_, T>], out: &mut [T]) {
    let mut start = 0;
    for part in parts {
        out[start..start + part.data.len()].copy_from_slice(part.data);
        start += part.data.len();
    }
}

/// The parts side by side.
pub(crate) fn beside<T: Real>(parts: &[View<'_, T>], out: &mut [T]) {
    let cols: usize = parts.iter().map(|part| part.shape.cols).sum();
    let mut start = 0;
    for part in parts {
        for (i, row) in part.rows().enumerate() {
            out[i * cols + start..i * cols + start + row.len()].copy_from_slice(row);
        }
        start += part.shape.cols;
    }
}

/// A number as an index below `bound`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
#[allow(clippy::cast_precision_loss, reason = "no matrix has 2⁵³ rows")]
fn index<T: Real>(position: usize, value: T, bound: usize) -> Result<usize, Fault> {
    let value = value.to_f64();
    if value >= 0.0 && value < bound as f64 && value.fract() == 0.0 {
        return Ok(value as usize);
    }
    Err(Fault { position, value, bound })
}

/// Rows of `x` by number.
pub(crate) fn gather_rows<T: Real>(x: View<'_, T>, indices: &[T], out: &mut [T]) -> Result<(), Fault> {
    let cols = x.shape.cols;
    for (k, &value) in indices.iter().enumerate() {
        let i = index(k, value, x.shape.rows)?;
        out[k * cols..(k + 1) * cols].copy_from_slice(&x.data[i * cols..(i + 1) * cols]);
    }
    Ok(())
}

/// Rows of `x` added to zeros by number.
pub(crate) fn scatter_rows<T: Real>(
    x: View<'_, T>,
    indices: &[T],
    rows: usize,
    out: &mut [T],
) -> Result<(), Fault> {
    out.fill(T::ZERO);
    for ((k, &value), row) in indices.iter().enumerate().zip(x.rows()) {
        let i = index(k, value, rows)?;
        for (sum, x) in out[i * row.len()..(i + 1) * row.len()].iter_mut().zip(row) {
            *sum += *x;
        }
    }
    Ok(())
}

/// One element of each row.
pub(crate) fn pick<T: Real>(x: View<'_, T>, indices: &[T], out: &mut [T]) -> Result<(), Fault> {
    for ((i, &value), row) in indices.iter().enumerate().zip(x.rows()) {
        out[i] = row[index(i, value, row.len())?];
    }
    Ok(())
}

/// One element in each row of zeros.
pub(crate) fn place<T: Real>(x: &[T], indices: &[T], cols: usize, out: &mut [T]) -> Result<(), Fault> {
    out.fill(T::ZERO);
    for ((i, &value), &x) in indices.iter().enumerate().zip(x) {
        out[i * cols + index(i, value, cols)?] = x;
    }
    Ok(())
}
