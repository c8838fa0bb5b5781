//! The innermost loops. A tile of the result, `M` rows by `N` vectors, stays in registers while `k` runs; each
//! element is one chain of multiply-adds in the order of `k`, wherever the borders of tiles and blocks fall.

use core::array::from_fn;
use core::slice::ChunksExact;

use pulp::Simd;

use super::lanes::{Lanes, lanes};

/// Widest tile, in vectors.
pub(super) const MAX_VECTORS: usize = 3;

/// Steps of `k` that are written out one after the other, so that adding pointers and checking bounds take few of the
/// instructions.
const UNROLLED: usize = 4;

/// Rows of a tile that is worth writing out.
const FULL: usize = 4;

/// Where tiles read the left operand.
pub(super) trait Left<T: Lanes>: Copy {
    /// Number of steps.
    #[inline(always)]
    fn steps(self, panel: Panel<'_, T>) -> usize {
        panel.k
    }

    /// Adds to the sums of the `M` rows from `row` on the steps from step `p` on, `K` at a time; a rest that is shorter
    /// is left.
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        row: usize,
        p: usize,
    );
}

/// Stored row by row, rows `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct ByRows<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
}

impl<T: Lanes> Left<T> for ByRows<'_, T> {
    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        row: usize,
        p: usize,
    ) {
        let rows: [&[[T; K]]; M] = from_fn(|i| self.data[(row + i) * self.stride + p..][..panel.k - p].as_chunks().0);
        for (group, right) in (0..rows[0].len()).zip(panel.groups(p, K)) {
            let rows: [&[T; K]; M] = from_fn(|i| &rows[i][group]);
            steps::<S, T, M, N, K>(simd, sums, |i, q| rows[i][q], panel, right);
        }
    }
}

/// The same, but only at some steps.
#[derive(Clone, Copy)]
pub(super) struct SomeSteps<'a, T> {
    pub(super) rows: ByRows<'a, T>,
    pub(super) steps: &'a [usize],
}

impl<T: Lanes> Left<T> for SomeSteps<'_, T> {
    #[inline(always)]
    fn steps(self, _: Panel<'_, T>) -> usize {
        self.steps.len()
    }

    // One at a time: pointers to more rows of the panel would leave too few registers.
    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        row: usize,
        p: usize,
    ) {
        let ByRows { data, stride } = self.rows;
        let rows: [&[T]; M] = from_fn(|i| &data[(row + i) * stride..][..panel.k]);
        for &p in self.steps[p..].as_chunks::<K>().0.as_flattened() {
            assert!(p < panel.k);
            steps::<S, T, M, N, 1>(simd, sums, |i, _| rows[i][p], panel, &panel.data[p * panel.stride..]);
        }
    }
}

/// Stored column by column, columns `stride` apart; the block begins at row `first`.
#[derive(Clone, Copy)]
pub(super) struct ByColumns<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
    pub(super) first: usize,
}

impl<T: Lanes> Left<T> for ByColumns<'_, T> {
    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        row: usize,
        p: usize,
    ) {
        let columns = self.data[p * self.stride..panel.k * self.stride].chunks_exact(K * self.stride);
        for (columns, right) in columns.zip(panel.groups(p, K)) {
            let columns: [&[T; M]; K] = from_fn(|q| array(&columns[q * self.stride + self.first + row..]));
            steps::<S, T, M, N, K>(simd, sums, |i, q| columns[q][i], panel, right);
        }
    }
}

/// Copied: all steps of a tile's rows, then those of the next tile, beside packed panels.
#[derive(Clone, Copy)]
pub(super) struct Copied<'a, T> {
    pub(super) data: &'a [T],
}

impl<T: Lanes> Left<T> for Copied<'_, T> {
    // Nothing here depends on a stride: all that is between multiply-adds takes their place.
    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        row: usize,
        p: usize,
    ) {
        let left = self.data[row * panel.k..][..M * panel.k].as_chunks::<M>().0;
        let right = T::vectors::<S>(panel.data).as_chunks::<N>().0;
        for (left, right) in left[p..].as_chunks::<K>().0.iter().zip(right[p..].as_chunks::<K>().0) {
            add::<S, T, M, N, K>(simd, sums, |i, q| left[q][i], right.each_ref());
        }
    }
}

/// The first `N` elements.
#[inline(always)]
#[allow(clippy::expect_used, reason = "a slice index that fails panics as well")]
pub(super) fn array<T, const N: usize>(x: &[T]) -> &[T; N] {
    x.first_chunk().expect("an operand holds what its shape says")
}

/// `k` steps of the right operand, `stride` apart; the `width` columns from `column` on, and as many more as fill the
/// last vector.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a, T> {
    pub(super) data: &'a [T],
    pub(super) stride: usize,
    pub(super) k: usize,
    pub(super) column: usize,
    pub(super) width: usize,
}

impl<'a, T> Panel<'a, T> {
    /// The rows from step `p` on, `steps` at a time.
    #[inline(always)]
    fn groups(&self, p: usize, steps: usize) -> ChunksExact<'a, T> {
        self.data[p * self.stride..].chunks_exact(steps * self.stride)
    }
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

/// The product of copied rows, whose places in `out` are `rows`, a multiple of `M`, and a packed panel.
#[inline(always)]
pub(super) fn copied_block<S: Simd, T: Lanes, const M: usize>(
    simd: S,
    mut out: Block<'_, T>,
    left: Copied<'_, T>,
    panel: Panel<'_, T>,
    rows: &[usize],
) {
    for (i, rows) in rows.as_chunks::<M>().0.iter().enumerate() {
        let (out, row, place) = (&mut out, i * M, |i: usize| rows[i]);
        match panel.width.div_ceil(lanes::<S, T>()) {
            1 => tile::<S, T, M, 1>(simd, out, left, panel, row, place),
            2 => tile::<S, T, M, 2>(simd, out, left, panel, row, place),
            _ => tile::<S, T, M, MAX_VECTORS>(simd, out, left, panel, row, place),
        };
    }
}

#[inline(always)]
fn tiles<S: Simd, T: Lanes, const N: usize>(simd: S, mut out: Block<'_, T>, left: impl Left<T>, panel: Panel<'_, T>) {
    let rows = out.data.len() / out.stride;
    let many = S::REGISTER_COUNT >= 32;
    let mut row = 0;
    while row < rows {
        let (out, place) = (&mut out, |i: usize| row + i);
        row += match rows - row {
            8.. if many || N == 1 => tile::<S, T, 8, N>(simd, out, left, panel, row, place),
            4.. => tile::<S, T, 4, N>(simd, out, left, panel, row, place),
            2.. => tile::<S, T, 2, N>(simd, out, left, panel, row, place),
            _ => tile::<S, T, 1, N>(simd, out, left, panel, row, place),
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
    place: impl Fn(usize) -> usize,
) -> usize {
    let lanes = lanes::<S, T>();
    let mut sums = [[T::splat(simd, T::ZERO); N]; M];
    if out.accumulate {
        for (i, sums) in sums.iter_mut().enumerate() {
            let old = &out.data[place(i) * out.stride + out.column..][..panel.width];
            if panel.width == N * lanes {
                sums.copy_from_slice(T::vectors::<S>(old));
            } else {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = T::load(simd, &old[j * lanes..]);
                }
            }
        }
    }
    let mut p = 0;
    if M >= FULL {
        left.add::<S, M, N, UNROLLED>(simd, &mut sums, panel, row, 0);
        p = left.steps(panel) / UNROLLED * UNROLLED;
    }
    left.add::<S, M, N, 1>(simd, &mut sums, panel, row, p);
    for (i, sums) in sums.iter().enumerate() {
        let new = &mut out.data[place(i) * out.stride + out.column..][..panel.width];
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

/// `K` steps: the element `(i, q)` of the left operand times row `q` of the right one, for all `i` and `q`.
#[inline(always)]
fn steps<S: Simd, T: Lanes, const M: usize, const N: usize, const K: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; N]; M],
    left: impl Fn(usize, usize) -> T,
    panel: Panel<'_, T>,
    right: &[T],
) {
    add::<S, T, M, N, K>(
        simd,
        sums,
        left,
        from_fn(|q| array(T::vectors::<S>(&right[q * panel.stride + panel.column..]))),
    );
}

#[inline(always)]
fn add<S: Simd, T: Lanes, const M: usize, const N: usize, const K: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; N]; M],
    left: impl Fn(usize, usize) -> T,
    right: [&[T::Vector<S>; N]; K],
) {
    // Nothing below can panic: otherwise a load and its use would not become one broadcasting instruction.
    for (q, right) in right.iter().enumerate() {
        for (i, sums) in sums.iter_mut().enumerate() {
            let a = T::splat(simd, left(i, q));
            for (sum, &b) in sums.iter_mut().zip(*right) {
                *sum = T::mul_add(simd, a, b, *sum);
            }
        }
    }
}
