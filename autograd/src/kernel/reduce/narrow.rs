//! Reductions of rows that are too short to be worth vectors of their own: 32 rows side by side, each in its own lane, with
//! the bits of one row after the other.

use pulp::{Arch, Simd, WithSimd};

use super::{Compensated, LANES, two_sum};
use crate::kernel::{View, math};
use crate::scalar::Real;

/// Rows with fewer numbers than this are narrow.
const NARROW: usize = LANES;

/// Whether rows are read side by side.
pub(super) fn is_narrow<T>(x: View<'_, T>) -> bool {
    x.shape.cols < NARROW && x.shape.cols > 1 && x.shape.rows > 1
}

/// What is computed of each row.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Sum,
    LogSumExp,
    Softmax,
    LogSoftmax,
}

/// Reduces narrow rows.
pub(super) fn reduce<T: Real>(x: View<'_, T>, wanted: Wanted, out: &mut [T]) {
    Arch::new().dispatch(Narrow { x, wanted, out });
}

/// A number of each of some rows.
type Lane<T> = [T; LANES];

struct Narrow<'a, T> {
    x: View<'a, T>,
    wanted: Wanted,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Narrow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let cols = self.x.shape.cols;
        let width = self.out.len() / self.x.shape.rows;
        let mut tile = [[T::ZERO; LANES]; NARROW];
        let tile = &mut tile[..cols];
        for (x, out) in self.x.data.chunks(LANES * cols).zip(self.out.chunks_mut(LANES * width)) {
            for (i, row) in x.chunks_exact(cols).enumerate() {
                tile.iter_mut().zip(row).for_each(|(lane, x)| lane[i] = *x);
            }
            match self.wanted {
                Wanted::Sum => out.copy_from_slice(&sums(tile)[..out.len()]),
                Wanted::LogSumExp => out.copy_from_slice(&log_sum_exp(tile)[..out.len()]),
                Wanted::Softmax => {
                    softmax(tile);
                    back(tile, out);
                }
                Wanted::LogSoftmax => {
                    log_softmax(tile);
                    back(tile, out);
                }
            }
        }
    }
}

/// Lanes to rows.
#[inline(always)]
fn back<T: Real>(tile: &[Lane<T>], out: &mut [T]) {
    for (i, row) in out.chunks_exact_mut(tile.len()).enumerate() {
        row.iter_mut().zip(tile).for_each(|(out, lane)| *out = lane[i]);
    }
}

#[inline(always)]
fn sums<T: Real>(tile: &[Lane<T>]) -> Lane<T> {
    let (mut sums, mut lost) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    for lane in tile {
        for k in 0..LANES {
            let (sum, error) = two_sum(sums[k], lane[k]);
            sums[k] = sum;
            lost[k] += error;
        }
    }
    for k in 0..LANES {
        sums[k] = Compensated { sum: sums[k], lost: lost[k] }.value();
    }
    sums
}

#[inline(always)]
fn maxima<T: Real>(tile: &[Lane<T>]) -> Lane<T> {
    let mut best = [T::NEG_INFINITY; LANES];
    for lane in tile {
        for k in 0..LANES {
            best[k] = if lane[k] > best[k] || lane[k].is_nan() { lane[k] } else { best[k] };
        }
    }
    best
}

/// `e^(x - max)`.
#[inline(always)]
fn exponentials<T: Real>(tile: &mut [Lane<T>], max: &Lane<T>) {
    for lane in tile {
        for k in 0..LANES {
            lane[k] = math::exp(lane[k] - max[k]);
        }
    }
}

/// The same, but 0 in place of the first that is as large as the maximum.
#[inline(always)]
fn exponentials_of_rest<T: Real>(tile: &mut [Lane<T>], max: &Lane<T>) {
    let mut found = [T::ZERO; LANES];
    for lane in tile {
        for k in 0..LANES {
            let first = lane[k] >= max[k] && found[k] == T::ZERO;
            found[k] = if first { T::ONE } else { found[k] };
            lane[k] = if first { T::ZERO } else { math::exp(lane[k] - max[k]) };
        }
    }
}

#[inline(always)]
fn log_sum_exp<T: Real>(tile: &mut [Lane<T>]) -> Lane<T> {
    let max = maxima(tile);
    exponentials_of_rest(tile, &max);
    let rest = sums(tile);
    core::array::from_fn(|k| if max[k].is_finite() { max[k] + math::ln_1p(rest[k]) } else { max[k] })
}

#[inline(always)]
fn softmax<T: Real>(tile: &mut [Lane<T>]) {
    let max = maxima(tile);
    exponentials(tile, &max);
    let total = sums(tile);
    for lane in tile {
        for k in 0..LANES {
            lane[k] = if max[k] == T::NEG_INFINITY { T::ZERO } else { lane[k] / total[k] };
        }
    }
}

#[inline(always)]
fn log_softmax<T: Real>(tile: &mut [Lane<T>]) {
    let mut shifted = [[T::ZERO; LANES]; NARROW];
    let max = maxima(tile);
    for (shifted, lane) in shifted.iter_mut().zip(tile.iter()) {
        for k in 0..LANES {
            shifted[k] = lane[k] - max[k];
        }
    }
    exponentials_of_rest(tile, &max);
    let rest = sums(tile);
    let log: Lane<T> = core::array::from_fn(|k| math::ln_1p(rest[k]));
    for (lane, shifted) in tile.iter_mut().zip(&shifted) {
        for k in 0..LANES {
            lane[k] = shifted[k] - log[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::{View, reduce};
    use crate::shape::Shape;

    /// A row by itself, and the same rows side by side.
    fn both(rows: &[Vec<f32>], width: usize, f: fn(View<'_, f32>, &mut [f32])) -> [Vec<u32>; 2] {
        let cols = rows[0].len();
        let mut apart = Vec::new();
        for row in rows {
            let mut out = vec![0.0; width];
            f(View::new(row, Shape::new(1, cols)), &mut out);
            apart.extend(out);
        }
        let mut together = vec![0.0; rows.len() * width];
        f(View::new(&rows.concat(), Shape::new(rows.len(), cols)), &mut together);
        [apart, together].map(|x| x.iter().map(|x| if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }).collect())
    }

    #[test]
    fn rows_side_by_side_have_the_bits_of_one_after_the_other() {
        let special = [0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e30, -1e30, 1e-40, 88.0];
        for cols in [2, 3, 10, 31] {
            let mut state = 7_u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap()) / 4096.0 - 8.0
            };
            let mut rows: Vec<Vec<f32>> = (0..45).map(|_| (0..cols).map(|_| next()).collect()).collect();
            for (i, row) in rows.iter_mut().enumerate().skip(20) {
                row[i % cols] = special[i % special.len()];
                row[(i / 3) % cols] = special[i / 2 % special.len()];
            }
            rows[44].fill(f32::NEG_INFINITY);
            rows[43].fill(2.5);
            let [apart, together] = both(&rows, 1, reduce::sum_columns);
            assert_eq!(apart, together, "sums of {cols}");
            let [apart, together] = both(&rows, 1, reduce::log_sum_exp_rows);
            assert_eq!(apart, together, "log_sum_exp of {cols}");
            let [apart, together] = both(&rows, cols, reduce::softmax_rows);
            assert_eq!(apart, together, "softmax of {cols}");
            let [apart, together] = both(&rows, cols, reduce::log_softmax_rows);
            assert_eq!(apart, together, "log_softmax of {cols}");
        }
    }
}
