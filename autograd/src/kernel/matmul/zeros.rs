//! What a product need not compute, since the left operand is zero there: what is white in all of a few images, units that are off
//! for a few samples.
//!
//! Rows of the result that are computed together, in a tile, leave out the steps at which the left operand is zero in all of them.
//! `0 x` is 0 and changes no sum, if only `x` is finite; that is looked at first. (A sum that is -0, which only terms too small
//! for a number bring about, may keep the sign that 0 would have taken.)

use core::array::from_fn;
use core::cell::Cell;
use core::ops::Range;
use std::thread::LocalKey;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lanes;
use super::tile::array;
use super::{Operand, Order, STEPS, TOGETHER};
use crate::shape::Shape;

/// What becomes of zeros in the left operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zeros {
    /// Nobody looked for them: they are multiplied, as other numbers are.
    Unknown,
    /// They are multiplied, since there are few, or something infinite or NaN may meet them.
    Multiplied,
    /// Steps at which there are only zeros are left out.
    LeftOut,
}

impl Zeros {
    /// What becomes of zeros of `a` in the product with `b`, and the step before which about half of the work is to be done.
    pub(super) fn of<T: Lanes>(a: Operand<'_, T>, b: Operand<'_, T>, parallel: bool) -> (Self, usize) {
        let sample = Sample::of(a);
        let half = b.shape().rows / 2;
        if !sample.are_few() || !all_finite(b.data, parallel) {
            (Self::Multiplied, half)
        } else if a.order == Order::Plain {
            (Self::LeftOut, sample.middle())
        } else {
            (Self::LeftOut, half)
        }
    }
}

/// Rows that leave out the same steps, if the left operand is stored row by row.
pub(super) const GROUP: usize = 4;

/// Columns that are looked at together.
const LOOK: usize = 64;

/// For each number 1 if it is not 0, and 0 if it is.
#[inline(always)]
fn are_not_zero<T: Lanes, const N: usize>(x: &[T; N]) -> [u8; N] {
    from_fn(|i| u8::from(x[i] != T::ZERO))
}

/// For each column 1 if there is a number in some rows, `stride` apart, that is not 0; [`LOOK`] columns at a time.
#[inline(always)]
fn needed<T: Lanes>(rows: &[T], stride: usize, columns: Range<usize>) -> impl Iterator<Item = [u8; LOOK]> {
    columns.clone().step_by(LOOK).map(move |first| {
        let mut sums = [T::ZERO; LOOK]; // of sizes: NaN, too, is not 0
        for row in rows.chunks(stride) {
            let row = &row[first..columns.end];
            match row.first_chunk::<LOOK>() {
                Some(row) => sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.abs()),
                None => sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x.abs()),
            }
        }
        are_not_zero(&sums)
    })
}

/// How many steps are needed by some of the groups of rows.
#[derive(Debug)]
pub(super) struct Sample {
    /// Of all that were looked at, those that are needed.
    needed: usize,
    all: usize,
    /// The same for each piece of the steps, if these are the columns.
    pieces: [usize; PIECES],
    /// Steps in a piece.
    len: usize,
}

/// Pieces of the steps.
const PIECES: usize = 128;

/// Steps in the smallest of them.
const PIECE: usize = 8;

/// One of so many groups is looked at.
const SAMPLED: usize = 8;

impl Sample {
    fn of<T: Lanes>(a: Operand<'_, T>) -> Self {
        Arch::new().dispatch(Look(a))
    }

    /// Whether so few steps are needed that it pays to leave out the others.
    fn are_few(&self) -> bool {
        self.needed < self.all - self.all / 8
    }

    /// The step before which about half of the work is to be done.
    fn middle(&self) -> usize {
        let mut before = 0;
        let piece = self.pieces.iter().position(|needed| {
            before += needed;
            2 * before >= self.needed
        });
        piece.map_or(0, |piece| (piece + 1) * self.len)
    }
}

struct Look<'a, T>(Operand<'a, T>);

impl<T: Lanes> WithSimd for Look<'_, T> {
    type Output = Sample;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sample {
        let Operand { data, stored: Shape { cols, .. }, order } = self.0;
        let len = PIECE * cols.div_ceil(PIECE * PIECES);
        let mut sample = Sample { needed: 0, all: 0, pieces: [0; PIECES], len };
        match order {
            Order::Plain => {
                for rows in data.chunks(GROUP * cols).step_by(SAMPLED) {
                    for (look, flags) in needed(rows, cols, 0..cols).enumerate() {
                        for (i, flags) in flags.as_chunks::<PIECE>().0.iter().enumerate() {
                            let needed = usize::from(flags.iter().sum::<u8>());
                            sample.needed += needed;
                            sample.pieces[((look * LOOK + i * PIECE) / len).min(PIECES - 1)] += needed;
                        }
                    }
                    sample.all += cols;
                }
            }
            Order::Transposed => {
                for step in data.chunks_exact(cols).step_by(SAMPLED) {
                    for look in step.as_chunks::<LOOK>().0 {
                        let flags = are_not_zero(look);
                        sample.needed += flags.as_chunks().0.iter().filter(|group| **group != [0; GROUP]).count();
                        sample.all += LOOK / GROUP;
                    }
                }
            }
        }
        sample
    }
}

/// Whether there is neither an infinity nor a NaN.
pub(super) fn all_finite<T: Lanes>(x: &[T], parallel: bool) -> bool {
    let (first, second) = x.split_at(x.len() / 2);
    let (first, second) = in_halves(parallel, || are_finite(first), || are_finite(second));
    first && second
}

/// Does both, by two threads if `parallel`.
pub(super) fn in_halves<R: Send>(parallel: bool, f: impl FnOnce() -> R + Send, g: impl FnOnce() -> R + Send) -> (R, R) {
    if parallel { rayon::join(f, g) } else { (f(), g()) }
}

fn are_finite<T: Lanes>(x: &[T]) -> bool {
    struct Finite<'a, T>(&'a [T]);
    impl<T: Lanes> WithSimd for Finite<'_, T> {
        type Output = bool;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> bool {
            let (chunks, rest) = self.0.as_chunks::<LOOK>();
            let mut sums = [T::ZERO; LOOK];
            for chunk in chunks {
                sums.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += x * T::ZERO);
            }
            rest.iter().chain(&sums).all(|x| x.is_finite())
        }
    }
    Arch::new().dispatch(Finite(x))
}

/// The steps that groups of rows need.
#[derive(Debug)]
pub(super) struct Lists {
    /// Steps of each group; it uses as many places as it needs.
    steps: Vec<u32>,
    /// How many places a group has.
    places: usize,
    /// How many steps each group needs.
    lens: Vec<usize>,
}

impl Lists {
    /// Empties them and makes room for lists of `places` steps. The memory is kept from product to product.
    pub(super) fn clear(&mut self, groups: usize, places: usize) {
        self.steps.resize(self.steps.len().max(groups * places), 0);
        self.places = places;
        self.lens.clear();
        self.lens.reserve(groups);
    }

    /// The lists of the groups, in order.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.lens.iter().zip(self.steps.chunks(self.places)).map(|(&len, steps)| &steps[..len])
    }
}

/// Lists that outlive a product, as its other scratch memory does. Who uses them takes them and puts them back.
pub(super) fn scratch() -> &'static LocalKey<Cell<Lists>> {
    thread_local! {
        static SCRATCH: Cell<Lists> = const { Cell::new(EMPTY) };
    }
    &SCRATCH
}

const EMPTY: Lists = Lists { steps: Vec::new(), places: 1, lens: Vec::new() };

impl Default for Lists {
    fn default() -> Self {
        EMPTY
    }
}

/// Lists the steps that groups of rows need, of a left operand that is stored row by row.
pub(super) struct ListSteps<'a, T> {
    /// Whole rows, `stride` long.
    pub(super) rows: &'a [T],
    pub(super) stride: usize,
    /// The steps that may be listed; they count from the first of them.
    pub(super) steps: Range<usize>,
    pub(super) lists: &'a mut Lists,
}

impl<T: Lanes> WithSimd for ListSteps<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, stride, steps, lists } = self;
        let groups = rows.chunks(GROUP * stride);
        lists.clear(groups.len(), steps.len());
        for (group, rows) in groups.enumerate() {
            let list = &mut lists.steps[group * steps.len()..][..steps.len()];
            let (mut len, mut step) = (0, 0);
            for flags in needed(rows, stride, steps.clone()) {
                for flag in flags {
                    if let Some(place) = list.get_mut(len) {
                        *place = step;
                    }
                    len += usize::from(flag);
                    step += 1;
                }
            }
            lists.lens.push(len);
        }
    }
}

/// As [`CopySteps`](super::pack::CopySteps) for groups of rows, but only the steps that a group needs, which are listed.
pub(super) struct CopyListed<'a, T> {
    pub(super) columns: &'a [T],
    pub(super) stride: usize,
    pub(super) k: usize,
    pub(super) copy: &'a mut [[T; GROUP]],
    pub(super) lists: &'a mut Lists,
}

impl<T: Lanes> WithSimd for CopyListed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { columns, stride, k, copy, lists } = self;
        let groups = copy.chunks_exact_mut(k);
        lists.clear(groups.len(), k);
        // First what reads from all over memory, so that nothing waits for it.
        let mut flags = [[0; TOGETHER]; STEPS];
        for (p, flags) in flags[..k].iter_mut().enumerate() {
            let row = &columns[p * stride..][..groups.len() * GROUP];
            *flags = match row.first_chunk() {
                Some(row) => are_not_zero(row),
                None => from_fn(|i| row.get(i).map_or(0, |x| u8::from(*x != T::ZERO))),
            };
        }
        for ((group, copy), steps) in groups.enumerate().zip(lists.steps.chunks_exact_mut(k)) {
            let (mut len, mut step) = (0, 0);
            for (p, flags) in flags[..k].iter().enumerate() {
                copy[len] = *array(&columns[p * stride + group * GROUP..]);
                steps[len] = step;
                len += usize::from(*array::<u8, GROUP>(&flags[group * GROUP..]) != [0; GROUP]);
                step += 1;
            }
            lists.lens.push(len);
        }
    }
}
