//! One formula over many numbers.

use std::borrow::Cow;

use pulp::{Arch, Simd, WithSimd};

use crate::kernel::{View, structure};
use crate::scalar::Real;
use crate::shape::Shape;

/// `out[i] = f(x₀[i], x₁[i], …)`, with broadcasting, in the widest vector instructions that the processor has. If `f` is
/// cheap, there are loops for operands that are a single number.
#[inline(always)]
pub(crate) fn map<T: Real, const N: usize, const CHEAP: bool>(
    f: impl Fn([T; N]) -> T,
    inputs: &[View<'_, T>],
    out: &mut [T],
) {
    if out.len() == 1 {
        out[0] = f(core::array::from_fn(|k| inputs[k].data[0]));
    } else if inputs.iter().all(|input| input.data.len() == out.len() || input.data.len() == 1) {
        map_data::<T, _, N, CHEAP>(&f, core::array::from_fn(|k| inputs[k].data), out);
    } else {
        let shape = broadcast_shape(inputs);
        let full: [Cow<'_, [T]>; N] = core::array::from_fn(|k| expand(inputs[k], shape));
        map_data::<T, _, N, CHEAP>(&f, core::array::from_fn(|k| &*full[k]), out);
    }
}

/// Repeats operands that are a single number where there is no loop for them.
#[inline(always)]
fn map_data<T: Real, F: Fn([T; N]) -> T, const N: usize, const CHEAP: bool>(f: &F, inputs: [&[T]; N], out: &mut [T]) {
    let single = inputs.map(|input| input.len() == 1);
    let direct = match single.as_slice() {
        [false, true] | [true, false] | [false, false, true] => CHEAP,
        single => !single.contains(&true),
    };
    if direct {
        return Arch::new().dispatch(Map::<T, F, N, CHEAP> { f, inputs, out });
    }
    let repeated: [[T; CHUNK]; N] = core::array::from_fn(|k| [inputs[k].first().copied().unwrap_or(T::ZERO); CHUNK]);
    for (i, out) in out.chunks_mut(CHUNK).enumerate() {
        let now = |k: usize| if single[k] { &repeated[k] } else { &inputs[k][i * CHUNK..] };
        let inputs: [&[T]; N] = core::array::from_fn(|k| &now(k)[..out.len()]);
        Arch::new().dispatch(Map::<T, F, N, CHEAP> { f, inputs, out });
    }
}

/// [`map`] of one operand by a shorter way, which says whether it may be taken, if all numbers may; otherwise by `value`, which has
/// the same bits but does not become vector code.
#[inline(always)]
pub(crate) fn map_short<T: Real>(
    short: impl Fn(T) -> (T, bool),
    value: impl Fn(T) -> T,
    inputs: &[View<'_, T>],
    out: &mut [T],
) {
    if Arch::new().dispatch(AllShort { short: &short, data: inputs[0].data }) {
        map::<T, 1, false>(
            #[inline(always)]
            |[x]| short(x).0,
            inputs,
            out,
        );
    } else {
        map_plain::<T, 1>(|[x]| value(x), inputs, out);
    }
}

/// Whether all numbers may take the shorter way.
struct AllShort<'a, T, F> {
    short: &'a F,
    data: &'a [T],
}

impl<T: Real, F: Fn(T) -> (T, bool)> WithSimd for AllShort<'_, T, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        // Without a way out in the middle, so that it becomes vector code.
        self.data.iter().fold(true, |all, &x| all & (self.short)(x).1)
    }
}

/// [`map`] as a loop that is compiled once, for any processor.
#[inline(always)]
pub(crate) fn map_plain<T: Real, const N: usize>(f: impl Fn([T; N]) -> T, inputs: &[View<'_, T>], out: &mut [T]) {
    let shape = broadcast_shape(inputs);
    let full: [Cow<'_, [T]>; N] = core::array::from_fn(|k| expand(inputs[k], shape));
    for (i, out) in out.iter_mut().enumerate() {
        *out = f(core::array::from_fn(|k| full[k][if full[k].len() == 1 { 0 } else { i }]));
    }
}

/// `[out₀[i], out₁[i]] = finish(x, begin(x))`, like [`map`], where `x` is the sum of what stands at `i` in one or two slices.
#[inline(always)]
pub(crate) fn map_pair<T: Real, const M: usize, const N: usize>(
    begin: impl Fn(T) -> [T; N],
    finish: impl Fn(T, [T; N]) -> [T; 2],
    x: [&[T]; M],
    out: [&mut [T]; 2],
) {
    Arch::new().dispatch(MapPair { begin, finish, x, out });
}

struct MapPair<'a, T, F, G, const M: usize> {
    begin: F,
    finish: G,
    x: [&'a [T]; M],
    out: [&'a mut [T]; 2],
}

/// Numbers of which a long formula is begun while those before them are finished. Each half has fewer operations that wait for each
/// other, so that more numbers are in work at once.
const HALVED: usize = 64;

/// What has been begun. Were its vectors to lie across two lines of the cache each, all would take a quarter longer.
#[repr(align(64))]
struct Begun<T, const N: usize>([[T; HALVED]; N]);

impl<T: Real, F: Fn(T) -> [T; N], G: Fn(T, [T; N]) -> [T; 2], const M: usize, const N: usize> WithSimd
    for MapPair<'_, T, F, G, M>
{
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the compiler sees of a counted loop alone that all indices are in bounds"
    )]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { begin, finish, x, out: [first, second] } = self;
        let len = first.len();
        let (first, first_rest) = first.as_chunks_mut::<HALVED>();
        let (second, second_rest) = second[..len].as_chunks_mut::<HALVED>();
        let chunks = x.map(|x| x[..len].as_chunks::<HALVED>().0);
        let rest = x.map(|x| x[..len].as_chunks::<HALVED>().1);
        for ((i, first), second) in first_rest.iter_mut().enumerate().zip(second_rest) {
            let x = sum(rest.map(|x| x[i]));
            [*first, *second] = finish(x, begin(x));
        }
        let Some(last) = first.len().checked_sub(1) else { return };
        let Begun(begun) = &mut Begun([[T::ZERO; HALVED]; N]);
        let now = chunks.map(|x| &x[0]);
        for i in 0..HALVED {
            let values = begin(sum(now.map(|x| x[i])));
            (0..N).for_each(|k| begun[k][i] = values[k]);
        }
        for j in 0..last {
            let (now, next) = (chunks.map(|x| &x[j]), chunks.map(|x| &x[j + 1]));
            let (first, second) = (&mut first[j], &mut second[j]);
            for i in 0..HALVED {
                [first[i], second[i]] = finish(sum(now.map(|x| x[i])), core::array::from_fn(|k| begun[k][i]));
                let values = begin(sum(next.map(|x| x[i])));
                (0..N).for_each(|k| begun[k][i] = values[k]);
            }
        }
        let now = chunks.map(|x| &x[last]);
        let (first, second) = (&mut first[last], &mut second[last]);
        for i in 0..HALVED {
            [first[i], second[i]] = finish(sum(now.map(|x| x[i])), core::array::from_fn(|k| begun[k][i]));
        }
    }
}

#[inline(always)]
fn sum<T: Real, const M: usize>(x: [T; M]) -> T {
    (1..M).fold(x[0], |sum, k| sum + x[k])
}

/// A place in a slice, in as many bytes as are needed.
pub(crate) trait Index: Copy {
    fn wide(self) -> u32;
}

impl Index for u16 {
    #[inline(always)]
    fn wide(self) -> u32 {
        self.into()
    }
}

impl Index for u32 {
    #[inline(always)]
    fn wide(self) -> u32 {
        self
    }
}

/// Where in one slice the operands of an operation on numbers, or on blocks of numbers, begin, and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places<I> {
    /// As many of them as the operation has operands.
    pub(crate) inputs: [I; 3],
    pub(crate) output: I,
}

impl<I: Copy> Places<I> {
    /// The same with places of another kind.
    pub(crate) fn map<J>(self, f: impl Fn(I) -> J) -> Places<J> {
        Places { inputs: self.inputs.map(&f), output: f(self.output) }
    }
}

/// The block of `L` numbers at a place of a slice.
#[inline(always)]
pub(crate) fn block<T: Real, const L: usize>(numbers: &[T], place: u32) -> [T; L] {
    let place = place as usize;
    let mut block = [T::ZERO; L];
    block.copy_from_slice(&numbers[place..place + L]);
    block
}

/// Writes a block to a place of a slice.
#[inline(always)]
pub(crate) fn set_block<T: Real, const L: usize>(numbers: &mut [T], place: u32, block: [T; L]) {
    let place = place as usize;
    numbers[place..place + L].copy_from_slice(&block);
}

/// `f` of blocks of `L` numbers that lie anywhere in one slice, one operation after the other.
#[inline(always)]
pub(crate) fn map_places<T: Real, I: Index, const N: usize, const L: usize>(
    f: impl Fn([T; N]) -> T,
    places: &[Places<I>],
    numbers: &mut [T],
) {
    for Places { inputs, output } in places {
        let operands: [[T; L]; N] = core::array::from_fn(|k| block(numbers, inputs[k].wide()));
        let result = core::array::from_fn(|i| f(core::array::from_fn(|k| operands[k][i])));
        set_block::<T, L>(numbers, output.wide(), result);
    }
}

/// [`map_places`] where blocks stand one after the other, each operand's before those of the result, by a function of
/// whole slices. What follows the last one is computed too, up to a multiple of [`FULL`].
// Not inlined: it would be compiled for each operation.
#[inline(never)]
pub(crate) fn map_stretch<T: Real, I: Index, const N: usize, const L: usize>(
    map: OfSlices<'_, T>,
    places: &[Places<I>],
    numbers: &mut [T],
) {
    let Some(first) = places.first().map(|places| places.map(|place| place.wide() as usize)) else { return };
    let full = (L * places.len()).next_multiple_of(FULL);
    let (operands, results) = numbers.split_at_mut(first.output);
    let operand = |start: usize| View::new(&operands[start..start + full], Shape::new(1, full));
    let views: [View<'_, T>; N] = core::array::from_fn(|k| operand(first.inputs[k]));
    map(&views, &mut results[..full]);
}

/// Operations on numbers that are gathered at once.
pub(crate) const GATHERED: usize = 32;

/// Operations on numbers from which on it pays to gather them.
const FEW: usize = 3;

/// Gathered operations are filled up to a multiple of this, so that none is left over after vectors.
pub(crate) const FULL: usize = 8;

/// An operation on whole slices.
pub(crate) type OfSlices<'a, T> = &'a dyn Fn(&[View<'_, T>], &mut [T]);

/// [`map_places`] where no operation reads what another writes, by a function of whole slices, at most `most` at a time.
// Not inlined: it would be compiled for each operation.
#[inline(never)]
pub(crate) fn map_gathered<T: Real, I: Index, const N: usize>(
    map: OfSlices<'_, T>,
    most: usize,
    places: &[Places<I>],
    numbers: &mut [T],
) {
    let mut operands = [[T::ZERO; GATHERED]; N];
    let mut results = [T::ZERO; GATHERED];
    let most = if places.len() < FEW { 1 } else { most };
    for places in places.chunks(most) {
        for (k, operand) in operands.iter_mut().enumerate() {
            for (x, place) in operand.iter_mut().zip(places) {
                *x = numbers[place.inputs[k].wide() as usize];
            }
        }
        let full = places.len().next_multiple_of(FULL).min(most);
        let views: [View<'_, T>; N] = core::array::from_fn(|k| View::new(&operands[k][..full], Shape::new(1, full)));
        map(&views, &mut results[..full]);
        for (result, place) in results.iter().zip(places) {
            numbers[place.output.wide() as usize] = *result;
        }
    }
}

/// Numbers that are computed at a time, if an operand is a single number: that is repeated so often first.
const CHUNK: usize = 128;

/// A loop over slices of one length, or of a single number that serves for all.
struct Map<'a, T, F, const N: usize, const CHEAP: bool> {
    f: &'a F,
    inputs: [&'a [T]; N],
    out: &'a mut [T],
}

impl<T: Real, F: Fn([T; N]) -> T, const N: usize, const CHEAP: bool> WithSimd for Map<'_, T, F, N, CHEAP> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let single: [bool; N] = core::array::from_fn(|k| self.inputs[k].len() == 1);
        match single.as_slice() {
            [false, true] if CHEAP => self.beside_single(0, 1),
            [true, false] if CHEAP => self.beside_single(1, 0),
            [false, false, true] if CHEAP => self.before_single(),
            _ => self.full(),
        }
    }
}

// Bounds that were checked in these loops would keep them, or the last of their steps, from becoming vector code.
impl<T: Real, F: Fn([T; N]) -> T, const N: usize, const CHEAP: bool> Map<'_, T, F, N, CHEAP> {
    /// Of two operands, one is a number.
    #[inline(always)]
    fn beside_single(self, full: usize, single: usize) {
        let number = self.inputs[single][0];
        for (out, &x) in self.out.iter_mut().zip(self.inputs[full]) {
            *out = (self.f)(core::array::from_fn(|k| if k == single { number } else { x }));
        }
    }

    /// Of three operands, the last one is a number.
    #[inline(always)]
    fn before_single(self) {
        let number = self.inputs[2][0];
        for ((out, &x), &y) in self.out.iter_mut().zip(self.inputs[0]).zip(self.inputs[1]) {
            *out = (self.f)(core::array::from_fn(|k| [x, y, number][k]));
        }
    }

    /// All operands are as long as the result.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the compiler sees of a counted loop alone that all indices are in bounds"
    )]
    fn full(self) {
        let Self { f, inputs, out } = self;
        let len = out.len();
        let inputs: [&[T]; N] = core::array::from_fn(|k| &inputs[k][..len]);
        for i in 0..len {
            out[i] = f(core::array::from_fn(|k| inputs[k][i]));
        }
    }
}

/// `out[i] = bytes[i] scale`.
pub(crate) fn scale_bytes<T: Real + From<u8>>(bytes: &[u8], scale: T, out: &mut [T]) {
    assert_eq!(bytes.len(), out.len(), "scale_bytes: as many bytes as numbers");
    Arch::new().dispatch(ScaleBytes { bytes, scale, out });
}

struct ScaleBytes<'a, T> {
    bytes: &'a [u8],
    scale: T,
    out: &'a mut [T],
}

impl<T: Real + From<u8>> WithSimd for ScaleBytes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, &byte) in self.out.iter_mut().zip(self.bytes) {
            *out = T::from(byte) * self.scale;
        }
    }
}

fn broadcast_shape<T>(inputs: &[View<'_, T>]) -> Shape {
    let shape = inputs.iter().try_fold(Shape::SCALAR, |shape, input| shape.broadcast(input.shape));
    shape.unwrap_or(Shape::SCALAR)
}

fn expand<'a, T: Real>(input: View<'a, T>, shape: Shape) -> Cow<'a, [T]> {
    if input.shape == shape {
        return Cow::Borrowed(input.data);
    }
    let mut full = vec![T::ZERO; shape.len()];
    structure::broadcast(input, shape, &mut full);
    Cow::Owned(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `f` with operands of these lengths, and one by one.
    fn check<const N: usize, const CHEAP: bool>(f: impl Fn([f64; N]) -> f64, lengths: [usize; N], len: usize) {
        let data = lengths.map(|len| (0..len).map(|i| f64::from_usize(i + 3 * len) * 0.37).collect::<Vec<_>>());
        let views: [View<'_, f64>; N] = core::array::from_fn(|k| View::new(&data[k], Shape::new(1, lengths[k])));
        let mut out = vec![0.0; len];
        map::<f64, N, CHEAP>(&f, &views, &mut out);
        for (i, out) in out.iter().enumerate() {
            let expected = f(core::array::from_fn(|k| data[k][if lengths[k] == 1 { 0 } else { i }]));
            assert_eq!(out.to_bits(), expected.to_bits(), "{lengths:?}, element {i}");
        }
    }

    #[test]
    fn single_numbers_serve_for_all_elements_wherever_they_stand() {
        for len in [0, 1, 2, 127, 128, 129, 300] {
            for [a, b] in [[1, len], [len, 1], [len, len]] {
                check::<2, true>(|[x, y]| x - y, [a, b], len);
                check::<2, false>(|[x, y]| x - y, [a, b], len);
                for c in [1, len] {
                    check::<3, true>(|[x, y, z]| x - y * z, [a, b, c], len);
                    check::<3, false>(|[x, y, z]| x - y * z, [a, b, c], len);
                }
            }
        }
    }
}
