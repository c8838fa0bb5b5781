//! Moving numbers.

use crate::kernel::{Broken, Fault, View};
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

/// Where the numbers of a block stand in a matrix with `cols` columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) start: (usize, usize),
    pub(crate) shape: Shape,
    pub(crate) step: (isize, isize),
    pub(crate) cols: usize,
}

impl Places {
    /// Where row `i` of the block starts.
    fn row(self, i: usize) -> usize {
        moved(self.start.0, i, self.step.0) * self.cols + self.start.1
    }
}

/// `start + i step`, which shape rules keep in range.
fn moved(start: usize, i: usize, step: isize) -> usize {
    if step < 0 { start - i * step.unsigned_abs() } else { start + i * step.unsigned_abs() }
}

/// The numbers at those places.
pub(crate) fn slice<T: Real>(x: &[T], places: Places, out: &mut [T]) {
    let cols = places.shape.cols;
    if cols == 0 {
        return;
    }
    for (i, out) in out.chunks_exact_mut(cols).enumerate() {
        let from = places.row(i);
        if places.step.1 == 1 {
            out.copy_from_slice(&x[from..from + cols]);
        } else {
            out.iter_mut().enumerate().for_each(|(j, out)| *out = x[moved(from, j, places.step.1)]);
        }
    }
}

/// `x` at those places of zeros.
pub(crate) fn embed<T: Real>(x: &[T], places: Places, out: &mut [T]) {
    out.fill(T::ZERO);
    let cols = places.shape.cols;
    if cols == 0 {
        return;
    }
    for (i, row) in x.chunks_exact(cols).enumerate() {
        let to = places.row(i);
        if places.step.1 == 1 {
            out[to..to + cols].copy_from_slice(row);
        } else {
            row.iter().enumerate().for_each(|(j, x)| out[moved(to, j, places.step.1)] = *x);
        }
    }
}

/// A side of a diagonal, the diagonal included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// On and below it.
    Lower,
    /// On and above it.
    Upper,
}

/// What stands on that side of diagonal `offset`; zeros elsewhere.
pub(crate) fn triangle<T: Real>(x: View<'_, T>, part: Part, offset: isize, out: &mut [T]) {
    let cols = x.shape.cols;
    for (i, row) in x.rows().enumerate() {
        let out = &mut out[i * cols..(i + 1) * cols];
        out.fill(T::ZERO);
        let kept = match part {
            Part::Lower => 0..i.saturating_add_signed(offset.saturating_add(1)).min(cols),
            Part::Upper => i.saturating_add_signed(offset).min(cols)..cols,
        };
        out[kept.clone()].copy_from_slice(&row[kept]);
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
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range")]
#[allow(clippy::cast_precision_loss, reason = "no matrix has 2⁵³ rows")]
fn index<T: Real>(position: usize, value: T, bound: usize) -> Result<usize, Fault> {
    let value = value.to_f64();
    if value >= 0.0 && value < bound as f64 && value.fract() == 0.0 {
        return Ok(value as usize);
    }
    Err(Fault { position, value, rule: Broken::Bound(bound) })
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
pub(crate) fn segment_sum<T: Real>(x: View<'_, T>, indices: &[T], rows: usize, out: &mut [T]) -> Result<(), Fault> {
    out.fill(T::ZERO);
    for ((k, &value), row) in indices.iter().enumerate().zip(x.rows()) {
        let i = index(k, value, rows)?;
        for (sum, x) in out[i * row.len()..(i + 1) * row.len()].iter_mut().zip(row) {
            *sum += *x;
        }
    }
    Ok(())
}

/// `base` with rows replaced by number. No row may be replaced twice: the first column of `out` counts them before
/// the numbers are written.
pub(crate) fn scatter_rows<T: Real>(
    base: View<'_, T>,
    source: View<'_, T>,
    indices: &[T],
    out: &mut [T],
) -> Result<(), Fault> {
    let Shape { rows, cols } = base.shape;
    out.fill(T::ZERO);
    for (k, &value) in indices.iter().enumerate() {
        let i = index(k, value, rows)?;
        if let Some(seen) = out.get_mut(i * cols) {
            if *seen > T::ZERO {
                return Err(Fault { position: k, value: value.to_f64(), rule: Broken::Twice });
            }
            *seen = T::ONE;
        }
    }
    out.copy_from_slice(base.data);
    for ((k, &value), row) in indices.iter().enumerate().zip(source.rows()) {
        let i = index(k, value, rows)?;
        out[i * cols..(i + 1) * cols].copy_from_slice(row);
    }
    Ok(())
}

/// Elements of each row by number, as many as there are indices in that row.
pub(crate) fn pick<T: Real>(x: View<'_, T>, indices: View<'_, T>, out: &mut [T]) -> Result<(), Fault> {
    let per_row = indices.shape.cols;
    for (i, (row, indices)) in x.rows().zip(indices.rows()).enumerate() {
        for (j, &value) in indices.iter().enumerate() {
            let k = i * per_row + j;
            out[k] = row[index(k, value, row.len())?];
        }
    }
    Ok(())
}

/// Elements added by number in each row of zeros.
pub(crate) fn place<T: Real>(x: View<'_, T>, indices: &[T], cols: usize, out: &mut [T]) -> Result<(), Fault> {
    out.fill(T::ZERO);
    let per_row = x.shape.cols;
    for (k, (&value, &x)) in indices.iter().zip(x.data).enumerate() {
        out[k / per_row * cols + index(k, value, cols)?] += x;
    }
    Ok(())
}
