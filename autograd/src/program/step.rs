//! Running a step of a program.

use crate::error::RunError;
use crate::kernel::View;
use crate::op::custom::{self, Customs};
use crate::program::plan::Span;
use crate::program::run::Slot;
use crate::program::schedule::{Single, Step};
use crate::scalar::Real;

impl Step {
    pub(super) fn run<T: Real>(
        &self,
        arena: &mut [T],
        lists: &mut Lists<T>,
        customs: &Customs<T>,
    ) -> Result<(), RunError> {
        match self {
            Self::Fused(kernel) => {
                let mut slots: Vec<Slot<'_, T>> = emptied(core::mem::take(&mut lists.slots));
                let slices = disjoint(arena, &kernel.slots).zip(&kernel.written);
                slots.extend(slices.map(|(slice, written)| match written {
                    Some(_) => Slot::Write(slice, 0),
                    None => Slot::Read(slice),
                }));
                let result = kernel.run(&mut slots);
                lists.slots = emptied(slots);
                result
            }
            Self::Single(single) => single.run(arena, lists, customs),
            Self::Scalars(code) => code.run(arena, customs),
            Self::Copy(from, to) => {
                arena.copy_within(from.start..from.start + from.len, to.start);
                Ok(())
            }
        }
    }
}

impl Single {
    fn run<T: Real>(&self, arena: &mut [T], lists: &mut Lists<T>, customs: &Customs<T>) -> Result<(), RunError> {
        let mut slices: Vec<&mut [T]> = emptied(core::mem::take(&mut lists.slices));
        slices.extend(disjoint(arena, &self.slots));
        let out = core::mem::take(&mut slices[self.output]);
        let mut inputs: Vec<View<'_, T>> = emptied(core::mem::take(&mut lists.inputs));
        inputs.extend(self.inputs.iter().map(|&(slot, shape)| View::new(&*slices[slot], shape)));
        let result = custom::forward(customs, self.op, &inputs, out);
        lists.inputs = emptied(inputs);
        lists.slices = emptied(slices);
        result.map_err(|fault| fault.at(self.op.name(), self.site))
    }
}

/// Lists of operands, empty between steps. They keep their memory, so that a run allocates nothing.
pub(super) struct Lists<T: 'static> {
    slots: Vec<Slot<'static, T>>,
    slices: Vec<&'static mut [T]>,
    inputs: Vec<View<'static, T>>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), slices: Vec::new(), inputs: Vec::new() }
    }
}

impl<T> Clone for Lists<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// An empty list in the memory of another, whose elements differ in lifetime alone: the standard library collects
/// in place. (If it did not, this would allocate; the tests count that.)
fn emptied<A, B>(mut list: Vec<A>) -> Vec<B> {
    list.clear();
    list.into_iter().map(|_| -> B { unreachable!("the list is empty") }).collect()
}

/// Cuts stretches that are in order and do not overlap out of the arena.
fn disjoint<'a, T>(arena: &'a mut [T], spans: &[Span]) -> impl Iterator<Item = &'a mut [T]> {
    let mut rest = arena;
    let mut start = 0;
    spans.iter().map(move |span| {
        let (_, from) = core::mem::take(&mut rest).split_at_mut(span.start - start);
        let (slice, after) = from.split_at_mut(span.len);
        rest = after;
        start = span.start + span.len;
        slice
    })
}
