//! Panels of the right operand, copied so that a tile reads them front to back.

use core::array::from_fn;

use pulp::{Simd, WithSimd};

use super::Operand;
use super::lanes::{Lanes, lanes};
use super::tile::array;

/// Most columns that are copied one by one: to load a part of a vector is a call.
const FEW: usize = 4;

/// Side of the squares that are transposed at once.
const SIDE: usize = 8;

/// Copies one panel, padded with zeros to full vectors.
pub(super) struct Pack<'a, T> {
    pub(super) to: &'a mut [T],
    pub(super) from: Operand<'a, T>,
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
        let Operand { data, stored, order } = self.from;
        match order {
            super::Order::Plain => {
                let rows = data[self.p * stored.cols..].chunks(stored.cols);
                for (to, from) in self.to.chunks_exact_mut(stride).zip(rows) {
                    copy::<S, T>(simd, &from[self.column..][..width], to);
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

/// `from` to the start of `to`, zeros behind it.
#[inline(always)]
fn copy<S: Simd, T: Lanes>(simd: S, from: &[T], to: &mut [T]) {
    let lanes = lanes::<S, T>();
    if from.len() <= FEW && to.len() == lanes {
        T::vectors_mut::<S>(to)[0] = T::splat(simd, T::ZERO);
        to.iter_mut().zip(from).for_each(|(to, x)| *to = *x);
        return;
    }
    for (j, to) in T::vectors_mut::<S>(to).iter_mut().enumerate() {
        *to = match T::vectors::<S>(from).get(j) {
            Some(&full) => full,
            None => T::load(simd, from.get(j * lanes..).unwrap_or(&[])),
        };
    }
}

/// `to[p][j] = from[j][p]` for `j < width`, `p < k`.
#[inline(always)]
fn transpose<T: Lanes>(from: &[T], from_stride: usize, to: &mut [T], to_stride: usize, width: usize, k: usize) {
    let (squares_j, squares_p) = (width / SIDE * SIDE, k / SIDE * SIDE);
    for j in (0..squares_j).step_by(SIDE) {
        for p in (0..squares_p).step_by(SIDE) {
            square::<T, SIDE>(&from[j * from_stride + p..], from_stride, &mut to[p * to_stride + j..], to_stride);
        }
        for p in squares_p..k {
            for j in j..j + SIDE {
                to[p * to_stride + j] = from[j * from_stride + p];
            }
        }
    }
    for j in squares_j..width {
        let from = &from[j * from_stride..][..k];
        for (to, &x) in to.chunks_exact_mut(to_stride).zip(from) {
            to[j] = x;
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
