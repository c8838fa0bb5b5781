//! What a product need not compute, since the left operand is zero there: pixels at the border of all images of a batch,
//! units that are off for all its samples.
//!
//! `0 x` is 0 and changes no sum, if only `x` is finite; that is looked at first. (A sum that is -0, which only terms too small
//! for a number bring about, may keep the sign that 0 would have taken.)

use core::array::from_fn;
use core::cell::Cell;
use core::ops::Range;
use std::thread::LocalKey;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lanes;
use super::tile::array;
use super::{Operand, Order, TOGETHER};

/// Columns that are looked at together.
const COLUMNS: usize = 64;

/// Rows between looks whether there are zeros left.
const LOOK: usize = 8;

/// Columns, in two lists, for two threads.
pub(super) type Lists = [Vec<usize>; 2];

/// Lists of columns, which outlive a product as its other scratch memory does.
pub(super) fn scratch() -> &'static LocalKey<Cell<Lists>> {
    thread_local! {
        static SCRATCH: Cell<Lists> = const { Cell::new([Vec::new(), Vec::new()]) };
    }
    &SCRATCH
}

/// Lists the stored columns of `a` that are not zero throughout, if that saves an eighth of them at least.
pub(super) fn find<'a, T: Lanes>(a: Operand<'_, T>, parallel: bool, lists: &'a mut Lists) -> Option<&'a [usize]> {
    let len = a.stored.cols;
    let [list, second] = lists;
    in_halves(
        parallel,
        || Arch::new().dispatch(Find { a, columns: 0..len / 2, list }),
        || Arch::new().dispatch(Find { a, columns: len / 2..len, list: second }),
    );
    list.extend_from_slice(second);
    (list.len() <= len - len.div_ceil(8)).then_some(list)
}

/// Does both, by two threads if `parallel`.
pub(super) fn in_halves<R: Send>(parallel: bool, f: impl FnOnce() -> R + Send, g: impl FnOnce() -> R + Send) -> (R, R) {
    if parallel { rayon::join(f, g) } else { (f(), g()) }
}

struct Find<'a, T> {
    a: Operand<'a, T>,
    columns: Range<usize>,
    list: &'a mut Vec<usize>,
}

impl<T: Lanes> WithSimd for Find<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { a, columns, list } = self;
        list.clear();
        list.reserve(columns.len());
        for first in columns.clone().step_by(COLUMNS) {
            let len = COLUMNS.min(columns.end - first);
            let mut sums = [T::ZERO; COLUMNS];
            let rows = a.data.chunks_exact(a.stored.cols).map(|row| &row[first..][..len]);
            if len == COLUMNS {
                add_sizes(&mut sums, rows.map(array));
            } else {
                rows.for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.abs()));
            }
            // NaN, too, is not 0.
            list.extend((0..len).filter(|&i| sums[i] != T::ZERO).map(|i| first + i));
        }
    }
}

/// Adds the sizes of rows to `sums`, as long as one of them is 0.
#[inline(always)]
fn add_sizes<'a, T: Lanes>(sums: &mut [T; COLUMNS], mut rows: impl Iterator<Item = &'a [T; COLUMNS]>) {
    while sums.contains(&T::ZERO) {
        let mut before = *sums;
        let mut looked = 0;
        for row in rows.by_ref().take(LOOK) {
            before.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.abs());
            looked += 1;
        }
        *sums = before;
        if looked < LOOK {
            break;
        }
    }
}

/// Whether there is neither an infinity nor a NaN.
pub(super) fn all_finite<T: Lanes>(x: &[T], parallel: bool) -> bool {
    let (first, second) = x.split_at(x.len() / 2);
    let (first, second) = in_halves(parallel, || are_finite(first), || are_finite(second));
    first && second
}

fn are_finite<T: Lanes>(x: &[T]) -> bool {
    struct Finite<'a, T>(&'a [T]);
    impl<T: Lanes> WithSimd for Finite<'_, T> {
        type Output = bool;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> bool {
            let (chunks, rest) = self.0.as_chunks::<COLUMNS>();
            let mut sums = [T::ZERO; COLUMNS];
            for chunk in chunks {
                sums.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += x * T::ZERO);
            }
            rest.iter().chain(&sums).all(|x| x.is_finite())
        }
    }
    Arch::new().dispatch(Finite(x))
}

/// What is in `all` and not listed, in order; a number may be listed again and again.
fn others(all: Range<usize>, list: &[usize]) -> impl Iterator<Item = Range<usize>> {
    let starts = core::iter::once(all.start).chain(list.iter().map(|i| i + 1));
    let ends = list.iter().copied().chain([all.end]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end)
}

/// Whether the steps that are not listed may be left out of a product with `b`.
pub(super) fn can_go<T: Lanes>(b: Operand<'_, T>, parallel: bool, list: &[usize]) -> bool {
    let (steps, cols) = (b.stored.rows, b.stored.cols);
    let (first, second) = list.split_at(list.len() / 2);
    let middle = second.first().copied().unwrap_or(steps);
    let finite = |steps: Range<usize>, list: &[usize]| {
        others(steps, list).all(|gap| are_finite(&b.data[gap.start * cols..gap.end * cols]))
    };
    let both = || in_halves(parallel, || finite(0..middle, first), || finite(middle..steps, second));
    b.order == Order::Plain && both() == (true, true)
}

/// Which of some rows of the result are computed.
pub(super) struct Places {
    /// The rows that are, the last one again and again until they fill tiles.
    rows: [usize; TOGETHER],
    len: usize,
    /// How many there are.
    all: usize,
}

impl Places {
    /// All `rows`, or those of them, counted from `first`, that are listed, if they make less tiles of `M`.
    #[inline(always)]
    pub(super) fn new<const M: usize>(first: usize, rows: usize, needed: Option<&[usize]>) -> Self {
        let places = Self { rows: from_fn(|i| i), len: rows, all: rows };
        let Some(needed) = needed else { return places };
        let start = needed.partition_point(|&row| row < first);
        let mut some = [0; TOGETHER];
        let mut len = 0;
        for &row in needed[start..].iter().take_while(|row| **row < first + rows) {
            some[len] = row - first;
            len += 1;
        }
        let tiles = len.next_multiple_of(M);
        if tiles >= rows {
            return places;
        }
        let last = some[len.max(1) - 1];
        some[len..tiles].fill(last);
        Self { rows: some, len: tiles, all: rows }
    }

    /// Rows that are computed, in tiles.
    pub(super) fn rows(&self) -> &[usize] {
        &self.rows[..self.len]
    }

    /// Rows that are left out, as ranges.
    pub(super) fn others(&self) -> impl Iterator<Item = Range<usize>> {
        others(0..self.all, self.rows())
    }

    /// Copies the numbers of a step for the rows that are computed, tile by tile.
    #[inline(always)]
    fn copy<'a, T: Lanes, const M: usize>(&self, column: &[T], tiles: impl Iterator<Item = &'a mut [T; M]>) {
        if self.len == self.all {
            tiles.zip(column.as_chunks::<M>().0).for_each(|(tile, numbers)| *tile = *numbers);
        } else {
            tiles.zip(self.rows().as_chunks::<M>().0).for_each(|(tile, rows)| *tile = rows.map(|row| column[row]));
        }
    }
}

/// Copies `k` steps of the rows that are computed: all steps of a tile, then those of the next.
pub(super) struct CopyRows<'a, T, const M: usize> {
    /// The steps, `stride` apart.
    pub(super) columns: &'a [T],
    pub(super) stride: usize,
    pub(super) places: &'a Places,
    pub(super) k: usize,
    pub(super) copy: &'a mut [[T; M]],
}

impl<T: Lanes, const M: usize> WithSimd for CopyRows<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { columns, stride, places, k, copy } = self;
        for p in 0..k {
            places.copy(&columns[p * stride..][..places.all], copy[p..].iter_mut().step_by(k));
        }
    }
}
