//! One formula over many numbers.

use std::borrow::Cow;

use pulp::{Arch, Simd, WithSimd};

use crate::kernel::{View, structure};
use crate::scalar::Real;
use crate::shape::Shape;

/// `out[i] = f(x₀[i], x₁[i], …)`, with broadcasting, in the widest vector instructions that the processor has.
#[inline(always)]
pub(crate) fn map<T: Real, const N: usize>(f: impl Fn([T; N]) -> T, inputs: &[View<'_, T>], out: &mut [T]) {
    if out.len() == 1 {
        out[0] = f(core::array::from_fn(|k| inputs[k].data[0]));
    } else if inputs.iter().all(|input| input.data.len() == out.len()) {
        Arch::new().dispatch(Map { f, inputs: core::array::from_fn(|k| inputs[k].data), out });
    } else {
        let shape = broadcast_shape(inputs);
        let full: [Cow<'_, [T]>; N] = core::array::from_fn(|k| expand(inputs[k], shape));
        Arch::new().dispatch(Map { f, inputs: core::array::from_fn(|k| &*full[k]), out });
    }
}

/// [`map`] as a loop that is compiled once, for any processor.
#[inline(always)]
pub(crate) fn map_plain<T: Real, const N: usize>(f: impl Fn([T; N]) -> T, inputs: &[View<'_, T>], out: &mut [T]) {
    let shape = broadcast_shape(inputs);
    let full: [Cow<'_, [T]>; N] = core::array::from_fn(|k| expand(inputs[k], shape));
    for (i, out) in out.iter_mut().enumerate() {
        *out = f(core::array::from_fn(|k| full[k][i]));
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

/// A loop over whole slices of one length.
struct Map<'a, T, F, const N: usize> {
    f: F,
    inputs: [&'a [T]; N],
    out: &'a mut [T],
}

impl<T: Real, F: Fn([T; N]) -> T, const N: usize> WithSimd for Map<'_, T, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let len = self.out.len();
        let inputs: [&[T]; N] = core::array::from_fn(|k| &self.inputs[k][..len]);
        for (i, out) in self.out.iter_mut().enumerate() {
            *out = (self.f)(core::array::from_fn(|k| inputs[k][i]));
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
