//! The innermost loops. A tile of the result, `M` rows by `N` vectors, stays in registers while `k` runs; each
//! element is one chain of multiply-adds in the order of `k`, wherever the borders of tiles and blocks fall.

use core::array::from_fn;
use core::slice::ChunksExact;

use pulp::{Simd, WithSimd};

use super::lanes::{Lanes, lanes};

/// Widest tile, in vectors.
pub(super) const MAX_VECTORS: usize = 3;

/// Vectors in a wide tile, which has four rows, if there are registers for it. The fewer rows, the more steps at which they are all
/// zero.
pub(super) const WIDE_VECTORS: usize = 6;

/// Whether there are registers for 24 vectors of sums.
pub(super) const fn has_many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

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
    pub(super) steps: &'a [u32],
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
            let p = p as usize;
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

/// All steps of a tile's rows, copied, beside packed panels.
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
        _: usize,
        p: usize,
    ) {
        let left = self.data.as_chunks::<M>().0;
        let right = T::vectors::<S>(panel.data).as_chunks::<N>().0;
        for (left, right) in left[p..].as_chunks::<K>().0.iter().zip(right[p..].as_chunks::<K>().0) {
            add::<S, T, M, N, K>(simd, sums, |i, q| left[q][i], right.each_ref());
        }
    }
}

/// The same, but only some steps, which are listed. One at a time here, too.
#[derive(Clone, Copy)]
pub(super) struct CopiedSteps<'a, T> {
    pub(super) data: &'a [T],
    pub(super) steps: &'a [u32],
}

impl<T: Lanes> Left<T> for CopiedSteps<'_, T> {
    #[inline(always)]
    fn steps(self, _: Panel<'_, T>) -> usize {
        self.steps.len()
    }

    #[inline(always)]
    fn add<S: Simd, const M: usize, const N: usize, const K: usize>(
        self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        panel: Panel<'_, T>,
        _: usize,
        p: usize,
    ) {
        let left = &self.data.as_chunks::<M>().0[p..];
        for (left, &step) in left.iter().zip(self.steps[p..].as_chunks::<K>().0.as_flattened()) {
            steps::<S, T, M, N, 1>(simd, sums, |i, _| left[i], panel, &panel.data[step as usize * panel.stride..]);
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
    /// Takes at most so many columns away from its front.
    #[inline(always)]
    pub(super) fn take(&mut self, columns: usize) -> Self {
        let taken = Self { width: columns.min(self.width), ..*self };
        self.column += taken.width;
        self.width -= taken.width;
        taken
    }

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

impl<T: Lanes> Block<'_, T> {
    /// The sums so far of rows from `row` on, `width` columns of each.
    #[inline(always)]
    fn load<S: Simd, const M: usize, const N: usize>(
        &self,
        simd: S,
        sums: &mut [[T::Vector<S>; N]; M],
        width: usize,
        row: usize,
    ) {
        let lanes = lanes::<S, T>();
        for (i, sums) in sums.iter_mut().enumerate() {
            let old = &self.data[(row + i) * self.stride + self.column..][..width];
            if width == N * lanes {
                sums.copy_from_slice(T::vectors::<S>(old));
            } else {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = T::load(simd, &old[j * lanes..]);
                }
            }
        }
    }

    /// Writes such sums.
    #[inline(always)]
    fn store<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        sums: &[[T::Vector<S>; N]; M],
        width: usize,
        row: usize,
    ) {
        let lanes = lanes::<S, T>();
        for (i, sums) in sums.iter().enumerate() {
            let new = &mut self.data[(row + i) * self.stride + self.column..][..width];
            if width == N * lanes {
                T::vectors_mut::<S>(new).copy_from_slice(sums);
            } else {
                for (j, &sum) in sums.iter().enumerate() {
                    T::store(simd, sum, &mut new[j * lanes..]);
                }
            }
        }
    }
}

/// The product of a block of rows and a panel.
#[inline(always)]
pub(super) fn block<S: Simd, T: Lanes>(simd: S, out: Block<'_, T>, left: impl Left<T>, panel: Panel<'_, T>) {
    match panel.width.div_ceil(lanes::<S, T>()) {
        1 => simd.vectorize(Tiles::<T, _, 1> { out, left, panel }),
        2 => simd.vectorize(Tiles::<T, _, 2> { out, left, panel }),
        _ => simd.vectorize(Tiles::<T, _, MAX_VECTORS> { out, left, panel }),
    }
}

/// The tiles of a block, `N` vectors wide.
// A function of its own for each kind of operand and each width: for the loops of all in one, the compiler does not find registers.
struct Tiles<'a, T, L, const N: usize> {
    out: Block<'a, T>,
    left: L,
    panel: Panel<'a, T>,
}

impl<T: Lanes, L: Left<T>, const N: usize> WithSimd for Tiles<'_, T, L, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut out, left, panel } = self;
        let rows = out.data.len() / out.stride;
        let many = has_many_registers::<S>();
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
}

/// Most steps for which a panel stays in registers.
const FEW_STEPS: usize = 8;

/// Rows whose sums run side by side while a panel stays in registers.
const SIDE_BY_SIDE: usize = 4;

/// Whether [`few_steps`] computes the product of these rows and this panel.
#[inline(always)]
pub(super) fn has_few_steps<S: Simd, T: Lanes>(out: &Block<'_, T>, left: ByRows<'_, T>, panel: Panel<'_, T>) -> bool {
    panel.k <= FEW_STEPS && panel.k == left.stride && panel.width == out.stride && panel.width <= lanes::<S, T>()
}

/// The product of a block of rows and a panel of one vector and few steps, which stays in registers while the rows run: no more
/// steps than the left operand has, no more columns than the result has.
#[inline(always)]
pub(super) fn few_steps<S: Simd, T: Lanes>(simd: S, out: Block<'_, T>, left: ByRows<'_, T>, panel: Panel<'_, T>) {
    match panel.k {
        1 => simd.vectorize(Held::<T, 1> { out, left, panel }),
        2 => simd.vectorize(Held::<T, 2> { out, left, panel }),
        3 => simd.vectorize(Held::<T, 3> { out, left, panel }),
        4 => simd.vectorize(Held::<T, 4> { out, left, panel }),
        5 => simd.vectorize(Held::<T, 5> { out, left, panel }),
        6 => simd.vectorize(Held::<T, 6> { out, left, panel }),
        7 => simd.vectorize(Held::<T, 7> { out, left, panel }),
        _ => simd.vectorize(Held::<T, FEW_STEPS> { out, left, panel }),
    }
}

/// Rows and a panel of `K` steps.
struct Held<'a, T, const K: usize> {
    out: Block<'a, T>,
    left: ByRows<'a, T>,
    panel: Panel<'a, T>,
}

impl<T: Lanes, const K: usize> WithSimd for Held<'_, T, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, left, panel } = self;
        let right = from_fn(|q| [T::vectors::<S>(&panel.data[q * panel.stride + panel.column..])[0]]);
        let (rows, _) = left.data.as_chunks::<K>();
        let (many, few) = rows[..out.data.len() / out.stride].as_chunks::<SIDE_BY_SIDE>();
        let mut outs = out.data.chunks_exact_mut(SIDE_BY_SIDE * out.stride);
        for (out_rows, rows) in (&mut outs).zip(many) {
            held_rows(simd, out_rows, out.accumulate, rows, &right);
        }
        for (out_row, row) in outs.into_remainder().chunks_exact_mut(out.stride).zip(few) {
            held_rows(simd, out_row, out.accumulate, core::array::from_ref(row), &right);
        }
    }
}

#[inline(always)]
fn held_rows<S: Simd, T: Lanes, const M: usize, const K: usize>(
    simd: S,
    out: &mut [T],
    accumulate: bool,
    rows: &[[T; K]; M],
    right: &[[T::Vector<S>; 1]; K],
) {
    let width = out.len() / M;
    let zeros = [[T::splat(simd, T::ZERO); 1]; M];
    let sums = |mut sums| {
        add::<S, T, M, 1, K>(simd, &mut sums, |i, q| rows[i][q], right.each_ref());
        sums
    };
    if width == lanes::<S, T>() {
        let Some(out) = T::vectors_mut::<S>(out).first_chunk_mut::<M>() else { return };
        let sums = sums(if accumulate { from_fn(|i| [out[i]]) } else { zeros });
        for i in 0..M {
            out[i] = sums[i][0];
        }
    } else {
        let sums = sums(if accumulate { from_fn(|i| [T::load(simd, &out[i * width..][..width])]) } else { zeros });
        match width {
            1 => store_narrow::<S, T, M, 1>(&sums, out),
            2 => store_narrow::<S, T, M, 2>(&sums, out),
            4 => store_narrow::<S, T, M, 4>(&sums, out),
            _ => (0..M).for_each(|i| T::store(simd, sums[i][0], &mut out[i * width..][..width])),
        }
    }
}

/// Writes the first `W` lanes of each vector, one beside the other: without a mask, which takes longer.
#[inline(always)]
fn store_narrow<S: Simd, T: Lanes, const M: usize, const W: usize>(sums: &[[T::Vector<S>; 1]; M], out: &mut [T]) {
    let rows = sums.map(|[sum]| T::numbers::<S>(&sum).first_chunk::<W>().copied());
    if let Some(out) = out.as_chunks_mut::<W>().0.first_chunk_mut::<M>() {
        for i in 0..M {
            out[i] = rows[i].unwrap_or(out[i]);
        }
    }
}

/// The product of `M` rows, copied, and a packed panel.
#[inline(always)]
pub(super) fn copied<S: Simd, T: Lanes, const M: usize>(
    simd: S,
    out: Block<'_, T>,
    left: Copied<'_, T>,
    panel: Panel<'_, T>,
) {
    match panel.width.div_ceil(lanes::<S, T>()) {
        1 => simd.vectorize(Tile::<T, _, M, 1> { out, left, panel }),
        2 => simd.vectorize(Tile::<T, _, M, 2> { out, left, panel }),
        _ => simd.vectorize(Tile::<T, _, M, MAX_VECTORS> { out, left, panel }),
    }
}

/// The product of `M` rows, at listed steps, and a panel, which may be wide.
#[inline(always)]
pub(super) fn listed<S: Simd, T: Lanes, const M: usize>(
    simd: S,
    out: Block<'_, T>,
    left: impl Left<T>,
    panel: Panel<'_, T>,
) {
    match panel.width.div_ceil(lanes::<S, T>()) {
        1 => simd.vectorize(Tile::<T, _, M, 1> { out, left, panel }),
        2 => simd.vectorize(Tile::<T, _, M, 2> { out, left, panel }),
        MAX_VECTORS => simd.vectorize(Tile::<T, _, M, MAX_VECTORS> { out, left, panel }),
        _ => simd.vectorize(Tile::<T, _, M, WIDE_VECTORS> { out, left, panel }),
    }
}

/// A tile of `M` rows by `N` vectors.
struct Tile<'a, T, L, const M: usize, const N: usize> {
    out: Block<'a, T>,
    left: L,
    panel: Panel<'a, T>,
}

impl<T: Lanes, L: Left<T>, const M: usize, const N: usize> WithSimd for Tile<'_, T, L, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        tile::<S, T, M, N>(simd, &mut self.out, self.left, self.panel, 0);
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
    let mut sums = [[T::splat(simd, T::ZERO); N]; M];
    if out.accumulate {
        out.load(simd, &mut sums, panel.width, row);
    }
    let mut p = 0;
    if M >= FULL {
        left.add::<S, M, N, UNROLLED>(simd, &mut sums, panel, row, 0);
        p = left.steps(panel) / UNROLLED * UNROLLED;
    }
    if p < left.steps(panel) {
        left.add::<S, M, N, 1>(simd, &mut sums, panel, row, p);
    }
    out.store(simd, &sums, panel.width, row);
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
