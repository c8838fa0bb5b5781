//! Panels of the right operand, and steps of the left one, copied so that a tile reads them front to back.

use core::array::from_fn;

use pulp::{Simd, WithSimd};

use super::Operand;
use super::lanes::{Lanes, lanes};
use super::tile::{MAX_VECTORS, WIDE_VECTORS, array};

/// Side of the squares that are transposed at once.
const SIDE: usize = 8;

/// Copies one panel, padded with zeros to full vectors.
pub(super) struct Pack<'a, T> {
    pub(super) to: &'a mut [T],
    pub(super) from: &'a Operand<'a, T>,
    /// First step of `k`.
    pub(super) p: usize,
    /// Number of steps.
    pub(super) k: usize,
    /// First column.
    pub(super) column: usize,
}

impl<T: Lanes> WithSimd for Pack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let stride = self.to.len() / self.k;
        let width = stride.min(self.from.shape().cols - self.column);
        let &Operand { data, stored, order } = self.from;
        match order {
            super::Order::Plain => {
                let rows = data[self.p * stored.cols..].chunks(stored.cols).map(|row| &row[self.column..][..width]);
                let pairs = self.to.chunks_exact_mut(stride).zip(rows);
                match width / lanes::<S, T>() {
                    _ if width < stride => pairs.for_each(|(to, from)| copy(simd, from, to)),
                    1 => pairs.for_each(|(to, from)| copy_vectors::<S, T, 1>(from, to)),
                    2 => pairs.for_each(|(to, from)| copy_vectors::<S, T, 2>(from, to)),
                    MAX_VECTORS => pairs.for_each(|(to, from)| copy_vectors::<S, T, MAX_VECTORS>(from, to)),
                    WIDE_VECTORS => pairs.for_each(|(to, from)| copy_vectors::<S, T, WIDE_VECTORS>(from, to)),
                    _ => pairs.for_each(|(to, from)| to.copy_from_slice(from)),
                }
            }
            super::Order::Transposed => {
                if width < stride {
                    self.to.fill(T::ZERO);
                }
                let from = &data[self.column * stored.cols + self.p..];
                transpose(from, stored.cols, self.to, stride, width, self.k);
            }
        }
    }
}

/// Copies a left operand that is stored column by column, for tiles of `M` rows: all steps of a tile, then those of the next.
pub(super) struct CopySteps<'a, T, const M: usize> {
    /// Columns, `stride` apart, from their first row on.
    pub(super) columns: &'a [T],
    pub(super) stride: usize,
    pub(super) k: usize,
    /// `k` places for each tile.
    pub(super) copy: &'a mut [[T; M]],
}

impl<T: Lanes, const M: usize> WithSimd for CopySteps<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { columns, stride, k, copy } = self;
        for p in 0..k {
            let numbers = columns[p * stride..].as_chunks::<M>().0;
            copy[p..].iter_mut().step_by(k).zip(numbers).for_each(|(to, numbers)| *to = *numbers);
        }
    }
}

/// `N` vectors: to call a function for so few takes longer.
#[inline(always)]
fn copy_vectors<S: Simd, T: Lanes, const N: usize>(from: &[T], to: &mut [T]) {
    T::vectors_mut::<S>(to)[..N].copy_from_slice(array::<_, N>(T::vectors::<S>(from)));
}

/// `from` to the start of `to`, zeros behind it up to a full vector.
#[inline(always)]
fn copy<S: Simd, T: Lanes>(simd: S, from: &[T], to: &mut [T]) {
    let full = from.len() / lanes::<S, T>();
    let to = T::vectors_mut::<S>(to);
    to[..full].copy_from_slice(&T::vectors::<S>(from)[..full]);
    to[full] = T::load(simd, &from[full * lanes::<S, T>()..]);
}

/// `to[p][j] = from[j][p]` for `j < width`, `p < k`, by squares; the last ones overlap those before.
#[inline(always)]
fn transpose<T: Lanes>(from: &[T], from_stride: usize, to: &mut [T], to_stride: usize, width: usize, k: usize) {
    if width < SIDE || k < SIDE {
        for (j, from) in from.chunks(from_stride).take(width).enumerate() {
            to.chunks_exact_mut(to_stride).zip(&from[..k]).for_each(|(to, &x)| to[j] = x);
        }
        return;
    }
    for j in (0..width).step_by(SIDE).map(|j| j.min(width - SIDE)) {
        for p in (0..k).step_by(SIDE).map(|p| p.min(k - SIDE)) {
            square::<T, SIDE>(&from[j * from_stride + p..], from_stride, &mut to[p * to_stride + j..], to_stride);
        }
    }
}

#[inline(always)]
fn square<T: Lanes, const N: usize>(from: &[T], from_stride: usize, to: &mut [T], to_stride: usize) {
    let rows: [&[T; N]; N] = from_fn(|j| array(&from[j * from_stride..]));
    for q in 0..N {
        to[q * to_stride..][..N].copy_from_slice(&from_fn::<T, N, _>(|j| rows[j][q]));
    }
}
