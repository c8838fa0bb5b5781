//! Many numbers to one. The order of every sum depends on the shape alone.

use pulp::{Arch, Simd, WithSimd};

use crate::kernel::{View, math};
use crate::scalar::Real;

/// Partial sums that run side by side.
const LANES: usize = 32;
/// Numbers that are summed before pairwise summation takes over.
const BLOCK: usize = 1024;
/// Rows that are summed before their sum joins the total.
const ROWS: usize = 32;

/// The sum: 32 partial sums within blocks of 1024, blocks pairwise, so that the error grows as `log n`.
pub(crate) fn sum<T: Real>(x: &[T]) -> T {
    if x.len() <= BLOCK {
        return Arch::new().dispatch(SumBlock(x));
    }
    let half = (x.len() / 2).next_multiple_of(BLOCK);
    sum(&x[..half]) + sum(&x[half..])
}

struct SumBlock<'a, T>(&'a [T]);

impl<T: Real> WithSimd for SumBlock<'_, T> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let (chunks, rest) = self.0.as_chunks::<LANES>();
        let mut lanes = [T::ZERO; LANES];
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += *x;
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += *x;
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for k in 0..width {
                let high = lanes[k + width];
                lanes[k] += high;
            }
        }
        lanes[0]
    }
}

/// The sums down the rows: rows in blocks of 32, columns in strips.
pub(crate) fn sum_rows<T: Real>(x: View<'_, T>, out: &mut [T]) {
    Arch::new().dispatch(SumRows { x: x.data, cols: x.shape.cols, out });
}

struct SumRows<'a, T> {
    x: &'a [T],
    cols: usize,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for SumRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.out.fill(T::ZERO);
        if self.cols == 0 {
            return;
        }
        for block in self.x.chunks(ROWS * self.cols) {
            for (strip, out) in self.out.chunks_mut(LANES).enumerate() {
                let mut lanes = [T::ZERO; LANES];
                for row in block.chunks_exact(self.cols) {
                    let row = &row[strip * LANES..][..out.len()];
                    if let Ok(row) = <&[T; LANES]>::try_from(row) {
                        for (lane, x) in lanes.iter_mut().zip(row) {
                            *lane += *x;
                        }
                    } else {
                        for (lane, x) in lanes.iter_mut().zip(row) {
                            *lane += *x;
                        }
                    }
                }
                for (out, lane) in out.iter_mut().zip(lanes) {
                    *out += lane;
                }
            }
        }
    }
}

/// `f` of each row.
pub(crate) fn per_row<T: Real>(x: View<'_, T>, out: &mut [T], f: impl Fn(&[T]) -> T) {
    for (out, row) in out.iter_mut().zip(x.rows()) {
        *out = f(row);
    }
}

/// `f` from each row to a row.
pub(crate) fn map_rows<T: Real>(x: View<'_, T>, out: &mut [T], f: impl Fn(&[T], &mut [T])) {
    let cols = x.shape.cols;
    for (i, row) in x.rows().enumerate() {
        f(row, &mut out[i * cols..(i + 1) * cols]);
    }
}

/// The largest element; NaN if there is one.
pub(crate) fn max<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::NEG_INFINITY, |max, &x| if x > max || x.is_nan() { x } else { max })
}

/// The smallest element; NaN if there is one.
pub(crate) fn min<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::INFINITY, |min, &x| if x < min || x.is_nan() { x } else { min })
}

/// The position of the largest element, the first of ties, or of the first NaN.
pub(crate) fn arg_max<T: Real>(x: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in x.iter().enumerate() {
        if value.is_nan() {
            return i;
        }
        if *value > x[best] {
            best = i;
        }
    }
    best
}

/// `ln Σ eˣ`.
pub(crate) fn log_sum_exp<T: Real>(x: &[T]) -> T {
    let max = max(x);
    if !max.is_finite() {
        return max;
    }
    let mut total = T::ZERO;
    let mut block = [T::ZERO; BLOCK];
    for chunk in x.chunks(BLOCK) {
        let block = &mut block[..chunk.len()];
        exp_of_difference(chunk, max, block);
        total += sum(block);
    }
    max + math::ln(total)
}

/// `eˣ / Σ eˣ`; zeros where all are -∞.
pub(crate) fn softmax<T: Real>(x: &[T], out: &mut [T]) {
    let max = max(x);
    if max == T::NEG_INFINITY {
        return out.fill(T::ZERO);
    }
    exp_of_difference(x, max, out);
    let total = sum(out);
    for out in out {
        *out /= total;
    }
}

/// `x - ln Σ eˣ`.
pub(crate) fn log_softmax<T: Real>(x: &[T], out: &mut [T]) {
    let max = max(x);
    exp_of_difference(x, max, out);
    let log = math::ln(sum(out));
    for (out, x) in out.iter_mut().zip(x) {
        *out = (*x - max) - log;
    }
}

fn exp_of_difference<T: Real>(x: &[T], shift: T, out: &mut [T]) {
    Arch::new().dispatch(ExpOfDifference { x, shift, out });
}

struct ExpOfDifference<'a, T> {
    x: &'a [T],
    shift: T,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for ExpOfDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = math::exp(*x - self.shift);
        }
    }
}
