//! The matrix product.
//!
//! The right operand is cut into panels a few vectors wide, the result into bands of rows. Within a band, tiles of the
//! result stay in registers while `k` runs (`tile`). A panel is read where it lies if it can be, and copied first if
//! not (`pack`).
//!
//! Threads share out the bands, or, of a large product with few rows, the two halves of `k` (`bands`). Where the left operand has
//! zeros, groups of rows leave out steps of `k` (`zeros`, `groups`).
//!
//! Each element of the result is a sum in the order of `k`, or the sum of two such, or, where a column or a few rows are computed as
//! scalar products (`dots`) or by several steps side by side (`few_rows`), a sum in another order. Which it is, the shapes decide, and
//! where the halves meet, the zeros of the left operand: never does the number of threads change a bit.

mod bands;
mod dots;
mod few_rows;
mod groups;
mod lanes;
mod pack;
mod tile;
mod zeros;

use core::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::shape::Shape;
pub(crate) use bands::{Rows, has_bands, with_bands};
use dots::Dots;
use few_rows::FewRows;
use lanes::{Lanes, lanes};
use pack::{CopySteps, Pack};
use tile::{Block, ByColumns, ByRows, Copied, MAX_VECTORS, Panel, WIDE_VECTORS, has_many_registers};
use zeros::Zeros;

/// How the stored numbers of an operand are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they are stored.
    Plain,
    /// Stored rows are columns.
    Transposed,
}

/// An operand: row-major numbers, read as they are or transposed.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    data: &'a [T],
    stored: Shape,
    order: Order,
}

impl<'a, T> Operand<'a, T> {
    /// `data` holds a `stored` matrix row by row.
    ///
    /// # Panics
    /// If `data` does not have `stored.len()` elements.
    pub(crate) fn new(data: &'a [T], stored: Shape, order: Order) -> Self {
        assert_eq!(data.len(), stored.len(), "an operand holds what its shape says");
        Self { data, stored, order }
    }

    /// The shape as it is read.
    pub(crate) fn shape(&self) -> Shape {
        match self.order {
            Order::Plain => self.stored,
            Order::Transposed => self.stored.transposed(),
        }
    }

    /// Element `(i, j)` as it is read.
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> T
    where
        T: Copy,
    {
        match self.order {
            Order::Plain => self.data[i * self.stored.cols + j],
            Order::Transposed => self.data[j * self.stored.cols + i],
        }
    }

    /// From one row, and one column, to the next, as it is read.
    fn strides(&self) -> [usize; 2] {
        match self.order {
            Order::Plain => [self.stored.cols, 1],
            Order::Transposed => [1, self.stored.cols],
        }
    }

    /// The same numbers, read the other way round.
    fn transposed(self) -> Self {
        let order = match self.order {
            Order::Plain => Order::Transposed,
            Order::Transposed => Order::Plain,
        };
        Self { order, ..self }
    }
}

/// What becomes of the numbers that are already in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// They are replaced.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread.
    One,
    /// The threads of the current rayon pool, if the product is large enough.
    Pool,
    /// The same, but they are awake: smaller products are large enough.
    Awake,
}

/// `out = op(a) op(b)`, or `out += op(a) op(b)`, where `out` is row-major.
///
/// `0 * inf` is NaN, as everywhere. With `k = 0` the product is 0.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn product<T: Lanes>(out: &mut [T], a: Operand<'_, T>, b: Operand<'_, T>, update: Update, threads: Threads) {
    let (Shape { rows: m, cols: k }, Shape { cols: n, .. }) = (a.shape(), b.shape());
    assert_eq!(k, b.shape().rows, "matmul: left columns must equal right rows");
    assert_eq!(out.len(), m * n, "matmul: the result holds what its shape says");
    if out.is_empty() || k == 0 {
        if update == Update::Overwrite {
            out.fill(T::ZERO);
        }
    } else if m * n * k <= TINY {
        tiny(out, a, b, update);
    } else if n == 1 && m > 1 {
        // A column is a row, to which the transposed operands are multiplied the other way round.
        product(out, b.transposed(), a.transposed(), update, threads);
    } else {
        planned(out, a, b, update, threads);
    }
}

/// A product that is worth a plan.
fn planned<T: Lanes>(out: &mut [T], a: Operand<'_, T>, b: Operand<'_, T>, update: Update, threads: Threads) {
    let (Shape { rows: m, cols: k }, n) = (a.shape(), b.shape().cols);
    let plan = Plan::new(m, k, n, b.order, threads);
    let (overwrites, orders) = (update == Update::Overwrite, (a.order, b.order));
    if overwrites && !plan.parallel && orders == (Order::Transposed, Order::Plain) && is_swapped::<T>(m, k, n) {
        swapped(out, a, b, threads);
    } else if overwrites && has_bands(m, k, n) && m * n * k >= PARALLEL {
        with_bands(a, b, threads, &mut |rows| plan.each(out, plan.band * n, |i, out| rows(i * plan.band, out)));
    } else {
        Arch::new().dispatch(Product { out, a: &a, b: &b, update, plan });
    }
}

/// Whether [`swapped`] pays for one thread (it gives no bands to share out): where columns leave lanes of a vector of 64 bytes empty, or fill one, while rows fill all of a tile,
/// and the steps outweigh that all is turned round again.
fn is_swapped<T>(m: usize, k: usize, n: usize) -> bool {
    let [rows, columns] = [m, n].map(|numbers| numbers * size_of::<T>());
    n < m && (columns < VECTOR || columns == VECTOR && rows == MAX_VECTORS * VECTOR && k >= MANY_STEPS)
}

/// By the product of the transposed operands the other way round: few columns would fill few lanes of vectors, and the rows of
/// `a`, which are stored as columns, fill all.
fn swapped<T: Lanes>(out: &mut [T], a: Operand<'_, T>, b: Operand<'_, T>, threads: Threads) {
    let (m, n) = (a.shape().rows, b.shape().cols);
    let mut scratch = T::part_scratch().take();
    scratch.resize(scratch.len().max(out.len()), T::ZERO);
    let result = &mut scratch[..out.len()];
    product(result, b.transposed(), a.transposed(), Update::Overwrite, threads);
    let from = &Operand::new(result, Shape::new(n, m), Order::Transposed);
    Arch::new().dispatch(Pack { to: out, from, p: 0, k: m, column: 0 });
    T::part_scratch().set(scratch);
}

/// Element by element, before another instruction set is even chosen.
fn tiny<T: Lanes>(out: &mut [T], a: Operand<'_, T>, b: Operand<'_, T>, update: Update) {
    let Shape { rows: k, cols: n } = b.shape();
    let ([a_row, a_step], [b_step, b_column]) = (a.strides(), b.strides());
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            let old = if update == Update::Accumulate { *x } else { T::ZERO };
            let product = |p: usize| a.data[i * a_row + p * a_step] * b.data[j * b_column + p * b_step];
            *x = (0..k).fold(old, |sum, p| sum + product(p));
        }
    }
}

/// The three loops, for processors with no instruction set to choose; for rows from `first` on, over some steps of `k`.
fn loops<T: Lanes>(
    out: &mut [T],
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    first: usize,
    steps: Range<usize>,
    update: Update,
) {
    let n = b.shape().cols;
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        if update == Update::Overwrite {
            row.fill(T::ZERO);
        }
        for p in steps.clone() {
            let x = a.at(first + i, p);
            match b.order {
                Order::Plain => row.iter_mut().zip(&b.data[p * n..]).for_each(|(sum, &y)| *sum += x * y),
                Order::Transposed => row.iter_mut().enumerate().for_each(|(j, sum)| *sum += x * b.at(p, j)),
            }
        }
    }
}

/// Most multiply-adds of a tiny product, whose elements are sums in the order of `k` from 0 on.
pub(crate) const TINY: usize = 64;

/// Steps from which on a product is computed by its transpose for more than the lanes of vectors, or, of one or two rows, some
/// steps side by side.
const MANY_STEPS: usize = 64;

/// Bytes of the longest vector.
const VECTOR: usize = 64;

/// Most rows of a product that is computed as scalar products, if rows of both operands are contiguous.
const DOTS: usize = 8;

/// Steps for each row from which on a scalar product pays.
const DOTS_STEPS: usize = 12;

/// Columns that one thread takes at a time if there is one row only.
const THREAD_DOTS: usize = 64;

/// Steps of `k` for which a panel and a few rows stay in the first-level cache.
const STEPS: usize = 256;

/// Rows of the left operand that are copied together.
const TOGETHER: usize = 32;

/// Columns from which on that pays.
const COPY: usize = 128;

/// Rows that read the right operand while it stays in the second-level cache.
const BAND: usize = 128;

/// Rows that one thread takes at a time.
pub(crate) const THREAD_BAND: usize = 32;

/// Rows from which on copied panels pay.
const PACK: usize = 256;

/// Elements of the right operand that are packed at once.
const PACKED: usize = 1 << 19;

/// Multiply-adds from which on a second thread pays.
pub(crate) const PARALLEL: usize = 1 << 22;

/// The same if that thread is awake.
const PARALLEL_AWAKE: usize = 1 << 19;

/// Bytes in a line of the cache.
const LINE: usize = 64;

/// How a product is cut up: which numbers are added up in which order follows from the shapes alone.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Whether panels of the right operand are copied even where they could be read in place.
    pack: bool,
    /// Rows in a band.
    band: usize,
    /// Whether the threads of the pool take part.
    parallel: bool,
}

impl Plan {
    fn new(m: usize, k: usize, n: usize, right: Order, threads: Threads) -> Self {
        let least = match threads {
            Threads::One => usize::MAX,
            Threads::Pool => PARALLEL,
            Threads::Awake => PARALLEL_AWAKE,
        };
        let parallel = m * n * k >= least && rayon::current_num_threads() > 1;
        let pack = m >= PACK || right == Order::Transposed;
        Self { pack, band: if parallel { THREAD_BAND } else { BAND }, parallel }
    }

    /// How `n` columns are cut into panels: columns that are read in place, columns that are packed (with those that fill the
    /// last vector), columns in a panel.
    fn panels<S: Simd, T: Lanes>(&self, n: usize, zeros: Zeros) -> (usize, usize, usize) {
        let lanes = lanes::<S, T>();
        let wide = zeros == Zeros::LeftOut && has_many_registers::<S>();
        let most = if wide { WIDE_VECTORS } else { MAX_VECTORS };
        let in_place = if self.pack { 0 } else { n / lanes * lanes };
        let padded = (n - in_place).next_multiple_of(lanes);
        let vectors = in_place.max(padded) / lanes;
        (in_place, padded, vectors.div_ceil(vectors.div_ceil(most)) * lanes)
    }

    /// `f` with the index of each chunk of `x` and the chunk.
    #[inline(always)]
    fn each<T: Send>(&self, x: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        if self.parallel {
            x.par_chunks_mut(len).enumerate().for_each(|(i, x)| f(i, x));
        } else {
            x.chunks_mut(len).enumerate().for_each(|(i, x)| f(i, x));
        }
    }
}

/// A product that waits for an instruction set.
// Operands by reference: what is copied just after it was written is read back before it has reached the cache.
struct Product<'a, T> {
    out: &'a mut [T],
    a: &'a Operand<'a, T>,
    b: &'a Operand<'a, T>,
    update: Update,
    plan: Plan,
}

impl<T: Lanes> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Shape { rows: m, cols: k } = self.a.shape();
        let contiguous = m == 1 || self.a.order == Order::Plain;
        let steps_are_rows = self.a.order == Order::Transposed && self.b.order == Order::Plain;
        if S::IS_SCALAR {
            loops(self.out, *self.a, *self.b, 0, 0..k, self.update);
        } else if m <= 2 && k >= MANY_STEPS && steps_are_rows && size_of_val(self.out) <= m * VECTOR {
            let Self { out, a: Operand { data: a, .. }, b: Operand { data: b, .. }, update, .. } = self;
            if m == 1 {
                FewRows::<T, 1> { out, a, b, update }.with_simd(simd);
            } else {
                FewRows::<T, 2> { out, a, b, update }.with_simd(simd);
            }
        } else if m <= DOTS && k >= DOTS_STEPS * m && contiguous && self.b.order == Order::Transposed {
            self.dots(simd);
        } else {
            self.panels(simd);
        }
    }
}

impl<T: Lanes> Product<'_, T> {
    /// Row by row, each element a scalar product.
    #[inline(always)]
    fn dots<S: Simd>(self, simd: S) {
        let Self { out, a, b, update, plan } = self;
        let Shape { rows: n, cols: k } = b.stored;
        let len = if out.len() == n { THREAD_DOTS } else { n };
        plan.each(out, len, |i, out| {
            let (row, column) = (i * len / n, i * len % n);
            simd.vectorize(Dots { out, a: &a.data[row * k..][..k], b: &b.data[column * k..], update });
        });
    }

    /// Band by band, each made of panels.
    #[inline(always)]
    fn panels<S: Simd>(self, simd: S) {
        let Self { out, a, b, mut update, plan } = self;
        let Shape { rows: k, cols: n } = b.shape();
        let (in_place, padded, width) = plan.panels::<S, T>(n, Zeros::Unknown);
        let block = (PACKED / padded.max(1)).max(STEPS).min(k);

        let mut scratch = T::scratch().take();
        if scratch.len() < padded * block + LINE {
            scratch.resize(padded * block + LINE, T::ZERO);
        }
        let start = scratch.as_ptr().align_offset(LINE);
        for p in (0..k).step_by(block) {
            let k = block.min(k - p);
            let packed = &mut scratch[start..][..padded * k];
            plan.each(packed, width * k, |i, to| {
                simd.vectorize(Pack { to, from: b, p, k, column: in_place + i * width });
            });
            let right = Right { data: &b.data[p * n..], packed, in_place, n, k, width };
            plan.each(&mut *out, plan.band * n, |i, out| {
                Band { out, a, right: &right, row: i * plan.band, p, steps: 0..k, zeros: Zeros::Unknown, update }
                    .compute(simd);
            });
            update = Update::Accumulate;
        }
        T::scratch().set(scratch);
    }
}

/// Some steps of the right operand, cut into panels.
#[derive(Clone, Copy)]
struct Right<'a, T> {
    /// Rows as they are stored, from the first step on; read for the columns before `in_place`.
    data: &'a [T],
    /// The other columns as packed panels.
    packed: &'a [T],
    in_place: usize,
    /// Number of columns.
    n: usize,
    /// Number of steps.
    k: usize,
    /// Columns in a panel.
    width: usize,
}

impl<'a, T> Right<'a, T> {
    /// `k` steps from step `p` of the panel that begins at `column`.
    #[inline(always)]
    fn panel(&self, lanes: usize, column: usize, p: usize, k: usize) -> Panel<'a, T> {
        if column < self.in_place {
            let width = self.width.min(self.in_place - column);
            Panel { data: &self.data[p * self.n..], stride: self.n, k, column, width }
        } else {
            let width = self.width.min(self.n - column);
            let stride = width.next_multiple_of(lanes);
            let data = &self.packed[(column - self.in_place) * self.k + p * stride..];
            Panel { data, stride, k, column: 0, width }
        }
    }
}

/// How many of so many steps make a block of at most so many: as many in each, lest the last one be short.
fn equal(steps: usize, most: usize) -> usize {
    if steps <= most { steps.max(1) } else { steps.div_ceil(steps.div_ceil(most)) }
}

/// Some rows of the result. When the last of the steps is done, a panel of them is complete and still in the
/// first-level cache: the place for what rides behind a product.
struct Band<'a, T> {
    out: &'a mut [T],
    a: &'a Operand<'a, T>,
    right: &'a Right<'a, T>,
    /// The first row.
    row: usize,
    /// The step at which `right` begins.
    p: usize,
    /// The steps of `right` that are done.
    steps: Range<usize>,
    zeros: Zeros,
    update: Update,
}

impl<T: Lanes> Band<'_, T> {
    // Not inlined where there are vectors, so that neither are the innermost loops, which are functions of their own.
    #[inline(never)]
    fn compute<S: Simd>(mut self, simd: S) {
        let rows = self.out.len() / self.right.n;
        let Range { start: mut q, end } = self.steps;
        let by_groups = (self.a.order, self.zeros) == (Order::Plain, Zeros::LeftOut);
        let len = equal(end - q, if by_groups { 2 * STEPS } else { STEPS });
        if self.zeros != Zeros::Unknown {
            self.make_room_for_lists();
        }
        while q < end {
            let k = len.min(end - q);
            match (self.a.order, self.zeros) {
                (Order::Plain, Zeros::LeftOut) => self.groups(simd, q, k),
                (Order::Transposed, Zeros::LeftOut) => self.copied_groups(simd, q, k),
                (Order::Transposed, _) if self.right.in_place == 0 && self.right.n > COPY => {
                    let copied = if has_many_registers::<S>() {
                        self.copied::<S, 8>(simd, q, k)
                    } else {
                        self.copied::<S, 4>(simd, q, k)
                    };
                    self.rows(simd, copied..rows, q, k);
                }
                (Order::Plain | Order::Transposed, _) => self.rows(simd, 0..rows, q, k),
            }
            self.update = Update::Accumulate;
            q += k;
        }
    }

    /// Where a panel of some rows of the result goes.
    fn block(&mut self, rows: Range<usize>, column: usize) -> Block<'_, T> {
        let (n, accumulate) = (self.right.n, self.update == Update::Accumulate);
        Block { data: &mut self.out[rows.start * n..rows.end * n], stride: n, column, accumulate }
    }

    /// `k` steps of some rows; the left operand is read where it lies.
    fn rows<S: Simd>(&mut self, simd: S, rows: Range<usize>, q: usize, k: usize) {
        let (a, stride, row, p) = (self.a, self.a.stored.cols, self.row + rows.start, self.p + q);
        let mut column = 0;
        while column < self.right.n && !rows.is_empty() {
            let panel = self.right.panel(lanes::<S, T>(), column, q, k);
            let out = self.block(rows.clone(), column);
            column += panel.width;
            match a.order {
                Order::Plain => {
                    let left = ByRows { data: &a.data[row * stride + p..], stride };
                    if tile::has_few_steps::<S, T>(&out, left, panel) {
                        tile::few_steps(simd, out, left, panel);
                    } else {
                        tile::block(simd, out, left, panel);
                    }
                }
                Order::Transposed => {
                    tile::block(simd, out, ByColumns { data: &a.data[p * stride..], stride, first: row }, panel);
                }
            }
        }
    }

    /// `k` steps of as many rows as make tiles of `M`, whose left operand, stored column by column, is copied first: a column of
    /// it may be a page away from the next. Gives the number of rows.
    fn copied<S: Simd, const M: usize>(&mut self, simd: S, q: usize, k: usize) -> usize {
        let (n, stride, p) = (self.right.n, self.a.stored.cols, self.p + q);
        let mut scratch = T::part_scratch().take();
        scratch.resize(scratch.len().max(TOGETHER * STEPS), T::ZERO);
        let rows = self.out.len() / n / M * M;
        for first in (0..rows).step_by(TOGETHER) {
            let copy = &mut scratch.as_chunks_mut().0[..TOGETHER.min(rows - first) / M * k];
            let columns = &self.a.data[p * stride + self.row + first..];
            simd.vectorize(CopySteps::<T, M> { columns, stride, k, copy });
            let mut column = 0;
            while column < n {
                let panel = self.right.panel(lanes::<S, T>(), column, q, k);
                for (tile, copy) in copy.chunks_exact(k).enumerate() {
                    let row = first + tile * M;
                    let left = Copied { data: copy.as_flattened() };
                    tile::copied::<S, T, M>(simd, self.block(row..row + M, column), left, panel);
                }
                column += panel.width;
            }
        }
        T::part_scratch().set(scratch);
        rows
    }
}

#[cfg(test)]
mod tests;
