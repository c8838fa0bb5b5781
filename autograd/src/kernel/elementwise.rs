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
        Arch::new().dispatch(Map::<T, _, N, CHEAP> { f, inputs: core::array::from_fn(|k| inputs[k].data), out });
    } else {
        let shape = broadcast_shape(inputs);
        let full: [Cow<'_, [T]>; N] = core::array::from_fn(|k| expand(inputs[k], shape));
        Arch::new().dispatch(Map::<T, _, N, CHEAP> { f, inputs: core::array::from_fn(|k| &*full[k]), out });
    }
}

/// Whether `f` holds for all numbers.
#[inline(always)]
pub(crate) fn all<T: Real>(f: impl Fn(T) -> bool, data: &[T]) -> bool {
    Arch::new().dispatch(All { f, data })
}

struct All<'a, T, F> {
    f: F,
    data: &'a [T],
}

impl<T: Real, F: Fn(T) -> bool> WithSimd for All<'_, T, F> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        // Without a way out in the middle, so that it becomes vector code.
        self.data.iter().fold(true, |all, &x| all & (self.f)(x))
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

/// Where in one slice the operands of an operation on numbers are, and its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// As many of them as the operation has operands.
    pub(crate) inputs: [u32; 3],
    pub(crate) output: u32,
}

/// `f` of numbers that lie anywhere in one slice, one operation after the other.
#[inline(always)]
pub(crate) fn map_places<T: Real, const N: usize>(f: impl Fn([T; N]) -> T, places: &[Places], numbers: &mut [T]) {
    for Places { inputs, output } in places {
        numbers[*output as usize] = f(core::array::from_fn(|k| numbers[inputs[k] as usize]));
    }
}

/// Operations on numbers that are gathered at once.
const GATHERED: usize = 64;

/// [`map_places`] where no operation reads what another writes, by a function of whole slices.
pub(crate) fn map_gathered<T: Real, const N: usize>(
    map: impl Fn(&[View<'_, T>], &mut [T]),
    places: &[Places],
    numbers: &mut [T],
) {
    let mut operands = [[T::ZERO; GATHERED]; N];
    let mut results = [T::ZERO; GATHERED];
    for places in places.chunks(GATHERED) {
        let shape = Shape::new(1, places.len());
        for (k, operand) in operands.iter_mut().enumerate() {
            for (x, place) in operand.iter_mut().zip(places) {
                *x = numbers[place.inputs[k] as usize];
            }
        }
        let views: [View<'_, T>; N] = core::array::from_fn(|k| View::new(&operands[k][..places.len()], shape));
        map(&views, &mut results[..places.len()]);
        for (result, place) in results.iter().zip(places) {
            numbers[place.output as usize] = *result;
        }
    }
}

/// Numbers that are computed at a time, if an operand is a single number: that is repeated so often first.
const CHUNK: usize = 128;

/// A loop over slices of one length, or of a single number that serves for all.
struct Map<'a, T, F, const N: usize, const CHEAP: bool> {
    f: F,
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
            _ => self.general(),
        }
    }
}

// Bounds that were checked in these loops would keep them from becoming vector code.
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

    #[inline(always)]
    fn general(self) {
        let mut repeated = [[T::ZERO; CHUNK]; N];
        let mut chunk = self.out.len().max(1);
        for (repeated, input) in repeated.iter_mut().zip(self.inputs) {
            if let [x] = input {
                chunk = CHUNK;
                repeated.fill(*x);
            }
        }
        for (i, out) in self.out.chunks_mut(chunk).enumerate() {
            let inputs: [&[T]; N] = core::array::from_fn(|k| {
                let all = if self.inputs[k].len() == 1 { &repeated[k] } else { &self.inputs[k][i * chunk..] };
                &all[..out.len()]
            });
            for (i, out) in out.iter_mut().enumerate() {
                *out = (self.f)(core::array::from_fn(|k| inputs[k][i]));
            }
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
