//! Sums that see their numbers block by block, in order, with the bits of the sums over the whole.

use pulp::{Arch, Simd, WithSimd};

use super::{BLOCK, Compensated, LANES, ROWS, STRIP, tree, two_sum};
use crate::kernel::View;
use crate::scalar::Real;

/// Rows that are summed plainly. Their sums are kept, a row for every so many rows, until [`join_rows`].
pub(crate) const ROWS_TOGETHER: usize = ROWS;

/// Numbers that are summed plainly. Their sum is kept, as two numbers, until [`join`].
pub(crate) const NUMBERS_TOGETHER: usize = BLOCK;

/// Numbers that [`add`] keeps from call to call.
pub(crate) const STATE: usize = LANES;

/// Adds `x`, rows from row `row` on, to the sums of their columns. `sums` begins with those of the first 32 rows of all; its
/// rows are `stride` apart.
pub(crate) fn add_rows<T: Real>(x: View<'_, T>, row: usize, sums: &mut [T], stride: usize) {
    if !x.data.is_empty() {
        Arch::new().dispatch(AddRows { x, row, sums, stride });
    }
}

struct AddRows<'a, T> {
    x: View<'a, T>,
    row: usize,
    sums: &'a mut [T],
    stride: usize,
}

impl<T: Real> WithSimd for AddRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let cols = self.x.shape.cols;
        let (mut rest, mut row) = (self.x.data, self.row);
        if row.is_multiple_of(ROWS) {
            let sums = &mut self.sums[row / ROWS * self.stride..];
            let done = match cols {
                2 => add_strips::<T, 2>(rest, sums, self.stride),
                4 => add_strips::<T, 4>(rest, sums, self.stride),
                _ => 0,
            };
            (rest, row) = (&rest[done * cols..], row + done);
        }
        while !rest.is_empty() {
            let rows = (ROWS - row % ROWS).min(rest.len() / cols);
            let (now, later) = rest.split_at(rows * cols);
            let sums = &mut self.sums[row / ROWS * self.stride..][..cols];
            let fresh = row.is_multiple_of(ROWS);
            if cols <= LANES {
                add_narrow(now, cols, sums, fresh);
            } else {
                if fresh {
                    sums.fill(T::ZERO);
                }
                add_wide(now, cols, sums);
            }
            (rest, row) = (later, row + rows);
        }
    }
}

/// Sums over 32 rows that are added up side by side, so that no sum waits for its own last addition.
const SIDE_BY_SIDE: usize = 3;

/// All strips of 32 rows of `N` columns, as often as there are some to be summed side by side; gives how many rows it was.
#[inline(always)]
fn add_strips<T: Real, const N: usize>(x: &[T], sums: &mut [T], stride: usize) -> usize {
    let (strips, _) = x.as_chunks::<N>().0.as_chunks::<ROWS>();
    let (groups, _) = strips.as_chunks::<SIDE_BY_SIDE>();
    for (i, strips) in groups.iter().enumerate() {
        let mut now = [[T::ZERO; N]; SIDE_BY_SIDE];
        for row in 0..ROWS {
            for (now, strip) in now.iter_mut().zip(strips) {
                now.iter_mut().zip(&strip[row]).for_each(|(sum, x)| *sum += *x);
            }
        }
        for (g, now) in now.iter().enumerate() {
            sums[(i * SIDE_BY_SIDE + g) * stride..][..N].copy_from_slice(now);
        }
    }
    groups.len() * SIDE_BY_SIDE * ROWS
}

#[inline(always)]
fn add_wide<T: Real>(x: &[T], cols: usize, sums: &mut [T]) {
    for x in x.chunks_exact(cols) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += *x);
    }
}

/// A few columns at a time, whose sums stay in registers, to the sums or, if these are `fresh`, to zeros.
#[inline(always)]
fn add_narrow<T: Real>(x: &[T], cols: usize, sums: &mut [T], fresh: bool) {
    let mut first = 0;
    first += add_columns::<T, 8>(x, cols, sums, fresh, first);
    first += add_columns::<T, 4>(x, cols, sums, fresh, first);
    first += add_columns::<T, 2>(x, cols, sums, fresh, first);
    add_columns::<T, 1>(x, cols, sums, fresh, first);
}

/// Columns from `first` on, `N` at a time, as often as there are so many; gives how many it was.
#[inline(always)]
fn add_columns<T: Real, const N: usize>(x: &[T], cols: usize, sums: &mut [T], fresh: bool, first: usize) -> usize {
    let (full, _) = sums[first..].as_chunks_mut::<N>();
    for (k, sums) in full.iter_mut().enumerate() {
        let mut now = if fresh { [T::ZERO; N] } else { *sums };
        for row in x.chunks_exact(cols) {
            if let Some(row) = row[first + k * N..].first_chunk::<N>() {
                now.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
            }
        }
        *sums = now;
    }
    full.len() * N
}

/// The sums of whole columns from those of 32 rows each.
pub(crate) fn join_rows<T: Real>(parts: View<'_, T>, out: &mut [T]) {
    let cols = parts.shape.cols;
    for (strip, out) in out.chunks_mut(STRIP).enumerate() {
        let (mut sums, mut lost) = ([T::ZERO; STRIP], [T::ZERO; STRIP]);
        for row in parts.data.chunks_exact(cols) {
            for (k, part) in row[strip * STRIP..][..out.len()].iter().enumerate() {
                let (sum, error) = two_sum(sums[k], *part);
                sums[k] = sum;
                lost[k] += error;
            }
        }
        for (out, (sum, lost)) in out.iter_mut().zip(sums.into_iter().zip(lost)) {
            *out = Compensated { sum, lost }.value();
        }
    }
}

/// Adds `x`, numbers from number `at` of `len` on, to the sums of 1024 each. `sums` begins with those of the block `first`;
/// `state` is kept from call to call.
pub(crate) fn add<T: Real>(
    mut x: &[T],
    mut at: usize,
    len: usize,
    state: &mut [T; STATE],
    (first, sums): (usize, &mut [T]),
) {
    if len < LANES {
        return add_few(x, at, sums);
    }
    while !x.is_empty() {
        let (now, later) = x.split_at(x.len().min(BLOCK - at % BLOCK));
        if at.is_multiple_of(BLOCK) {
            state.fill(T::ZERO);
        }
        Arch::new().dispatch(Add { x: now, lane: at % LANES, state });
        let block = at / BLOCK - first;
        (x, at) = (later, at + now.len());
        if at.is_multiple_of(BLOCK) || at == len {
            let Compensated { sum, lost } = tree(*state);
            sums[2 * block..2 * block + 2].copy_from_slice(&[sum, lost]);
        }
    }
}

/// Fewer numbers than there are lanes: nothing is lost of any.
fn add_few<T: Real>(x: &[T], at: usize, sums: &mut [T]) {
    let mut total = if at == 0 { Compensated::ZERO } else { Compensated { sum: sums[0], lost: sums[1] } };
    x.iter().for_each(|x| total.add(*x));
    sums.copy_from_slice(&[total.sum, total.lost]);
}

struct Add<'a, T> {
    x: &'a [T],
    lane: usize,
    state: &'a mut [T; STATE],
}

impl<T: Real> WithSimd for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (head, x) = self.x.split_at(self.x.len().min((LANES - self.lane) % LANES));
        self.state[self.lane..].iter_mut().zip(head).for_each(|(lane, x)| *lane += *x);
        let (chunks, rest) = x.as_chunks::<LANES>();
        let mut lanes = *self.state;
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += *x;
            }
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, x)| *lane += *x);
        *self.state = lanes;
    }
}

/// The sum of all from those of 1024 each.
pub(crate) fn join<T: Real>(parts: &[T]) -> T {
    let mut total = Compensated::ZERO;
    for part in parts.chunks_exact(2) {
        total.join(Compensated { sum: part[0], lost: part[1] });
    }
    total.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::reduce;
    use crate::shape::Shape;

    /// Numbers of many magnitudes and both signs.
    fn numbers(count: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let size = 2f32.powi(i32::try_from(state >> 27).unwrap() - 16);
            (f32::from(u16::try_from(state >> 9 & 0xffff).unwrap()) / 32768.0 - 1.0) * size
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn a_sum_in_pieces_has_the_bits_of_the_sum_of_all() {
        for (len, piece) in [(1, 1), (31, 7), (32, 5), (1000, 512), (1024, 512), (5000, 37), (4096, 1024), (3001, 990)]
        {
            let x = numbers(len);
            let mut sums = vec![0.0; 2 * len.div_ceil(NUMBERS_TOGETHER)];
            let mut state = [f32::NAN; STATE];
            for (i, piece_of_x) in x.chunks(piece).enumerate() {
                add(piece_of_x, i * piece, len, &mut state, (0, &mut sums));
            }
            assert_eq!(join(&sums).to_bits(), reduce::sum(&x).to_bits(), "{len} by {piece}");
        }
    }

    #[test]
    fn sums_of_columns_in_pieces_have_the_bits_of_the_sums_of_all() {
        for (rows, cols, piece) in
            [(1, 5, 1), (32, 3, 8), (33, 200, 2), (100, 17, 30), (784, 40, 12), (200, 2, 200), (250, 4, 100)]
        {
            let x = numbers(rows * cols);
            let blocks = rows.div_ceil(ROWS_TOGETHER);
            let mut sums = vec![f32::NAN; blocks * cols];
            for (i, rows) in x.chunks(piece * cols).enumerate() {
                add_rows(View::new(rows, Shape::new(rows.len() / cols, cols)), i * piece, &mut sums, cols);
            }
            let (mut joined, mut whole) = (vec![0.0; cols], vec![0.0; cols]);
            join_rows(View::new(&sums, Shape::new(blocks, cols)), &mut joined);
            reduce::sum_rows(View::new(&x, Shape::new(rows, cols)), &mut whole);
            assert_eq!(joined, whole, "{rows}x{cols} by {piece}");
        }
    }
}
