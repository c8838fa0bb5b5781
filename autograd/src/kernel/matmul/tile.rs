//! The innermost loops. A tile of the result, `M` rows by `N` vectors, stays in registers while `k` runs; each
//! element is one chain of multiply-adds in the order of `k`, wherever the borders of tiles and blocks fall.

use core::array::from_fn;

use pulp::Simd;

use super::lanes::{Lanes, lanes};

/// Widest tile, in vectors.
pub(super) const MAX_VECTORS: usize = 3;

/// Steps of `k` whose bounds are checked at once.
const STEPS: usize = 4;

/// Where tiles read the left operand; row 0 and step 0 are the first of the block.
pub(super) trait Left<T>: Copy {
    /// Elements of row `row + i` at step `p + q`, as a function of `q < K` and `i < M`.
    fn steps<const M: usize, const K: usize>(self, row: usize, p: usize) -> impl Fn(usize, usize) -> T;
}

/// Stored row by row, rows `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct ByRows<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
}

impl<T: Copy> Left<T> for ByRows<'_, T> {
    #[inline(always)]
    fn steps<const M: usize, const K: usize>(self, row: usize, p: usize) -> impl Fn(usize, usize) -> T {
        let rows: [&[T; K]; M] = from_fn(|i| array(&self.data[(row + i) * self.stride + p..]));
        #[inline(always)]
        move |q, i| rows[i][q]
    }
}

/// Stored column by column, columns `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct ByColumns<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
}

impl<T: Copy> Left<T> for ByColumns<'_, T> {
    #[inline(always)]
    fn steps<const M: usize, const K: usize>(self, row: usize, p: usize) -> impl Fn(usize, usize) -> T {
        let columns: [&[T; M]; K] = from_fn(|q| array(&self.data[(p + q) * self.stride + row..]));
        #[inline(always)]
        move |q, i| columns[q][i]
    }
}

/// The first `N` elements.
#[inline(always)]
#[allow(clippy::expect_used, reason = "a slice index that fails panics as well")]
pub(super) fn array<T, const N: usize>(x: &[T]) -> &[T; N] {
    x.first_chunk().expect("an operand holds what its shape says")
}

/// `k` steps of the right operand, `width` columns wide, `stride` apart; at least so many full vectors that they
/// cover `width`.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
    pub(super) k: usize,
    pub(super) width: usize,
}

/// Rows of the result, `stride` apart, and the column at which a panel begins.
pub(super) struct Block<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) stride: usize,
    pub(super) column: usize,
    pub(super) accumulate: bool,
}

/// The product of a block of rows and a panel.
#[inline(always)]
pub(super) fn block<S: Simd, T: Lanes>(simd: S, out: Block<'_, T>, left: impl Left<T>, panel: Panel<'_, T>) {
    match panel.width.div_ceil(lanes::<S, T>()) {
        1 => tiles::<S, T, 1>(simd, out, left, panel),
        2 => tiles::<S, T, 2>(simd, out, left, panel),
        _ => tiles::<S, T, MAX_VECTORS>(simd, out, left, panel),
    }
}

#[inline(always)]
fn tiles<S: Simd, T: Lanes, const N: usize>(
    simd: S,
    mut out: Block<'_, T>,
    left: impl Left<T>,
    panel: Panel<'_, T>,
) {
    let rows = out.data.len() / out.stride;
    let many = S::REGISTER_COUNT >= 32;
    let mut row = 0;
    while row < rows {
        let out = &mut out;
        row += match rows - row {
            8.. if many || N == 1 => tile::<S, T, 8, N>(simd, out, left, panel, row),
            4.. => tile::<S, T, 4, N>(simd, out, left, panel, row),
            2.. => tile::<S, T, 2, N>(simd, out, left, panel, row),
            _ => tile::<S, T, 1, N>(simd, out, left, panel, row),
        };
    }
}

#[inline(always)]
fn tile<S: Simd, T: Lanes, const M: usize, const N: usize>(
    simd: S,
    out: &mut Block<'_, T>,
    left: impl Left<T>,
    panel: Panel<'_, T>,
    row: usize,
) -> usize {
    let lanes = lanes::<S, T>();
    let mut sums = [[T::splat(simd, T::ZERO); N]; M];
    if out.accumulate {
        for (i, sums) in sums.iter_mut().enumerate() {
            let old = &out.data[(row + i) * out.stride + out.column..][..panel.width];
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum = T::load(simd, &old[j * lanes..]);
            }
        }
    }
    let mut p = 0;
    while p + STEPS <= panel.k {
        steps::<S, T, M, N, STEPS>(simd, &mut sums, left, panel, row, p);
        p += STEPS;
    }
    while p < panel.k {
        steps::<S, T, M, N, 1>(simd, &mut sums, left, panel, row, p);
        p += 1;
    }
    for (i, sums) in sums.iter().enumerate() {
        let new = &mut out.data[(row + i) * out.stride + out.column..][..panel.width];
        if panel.width == N * lanes {
            T::vectors_mut::<S>(new).copy_from_slice(sums);
        } else {
            for (j, &sum) in sums.iter().enumerate() {
                T::store(simd, sum, &mut new[j * lanes..]);
            }
        }
    }
    M
}

/// `K` steps of `k`.
#[inline(always)]
fn steps<S: Simd, T: Lanes, const M: usize, const N: usize, const K: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; N]; M],
    left: impl Left<T>,
    panel: Panel<'_, T>,
    row: usize,
    p: usize,
) {
    let right: [&[T::Vector<S>; N]; K] =
        from_fn(|q| array(T::vectors::<S>(&panel.data[(p + q) * panel.stride..])));
    // All bounds are checked here: a check between a load and its use would keep the two from becoming one
    // broadcasting instruction.
    let left = left.steps::<M, K>(row, p);
    for (q, right) in right.iter().enumerate() {
        for (i, sums) in sums.iter_mut().enumerate() {
            let a = T::splat(simd, left(q, i));
            for (sum, &b) in sums.iter_mut().zip(*right) {
                *sum = T::mul_add(simd, a, b, *sum);
            }
        }
    }
}
