//! Fourth pass: steps with their places in the arena, ready to run.

use core::panic::Location;
use std::collections::HashMap;

use smallvec::SmallVec;

use crate::op::{Bits, Op};
use crate::program::fuse::{Group, fuse};
use crate::program::fused::{Fused, Instruction, Place, Spread};
use crate::program::plan::{Allocator, Span};
use crate::program::scalars::{self, Scalars};
use crate::program::simplify::Term;
use crate::program::verify;
use crate::scalar::Real;
use crate::shape::Shape;

/// What a run does, one after the other.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A fused kernel of pointwise operations.
    Fused(Fused),
    /// Any other operation.
    Single(Single),
    /// Linear code on single numbers.
    Scalars(Scalars),
    /// A copy between places that do not overlap.
    Copy(Span, Span),
}

/// One operation that is not pointwise.
#[derive(Clone, Debug)]
pub(crate) struct Single {
    pub(crate) op: Op,
    pub(crate) site: &'static Location<'static>,
    /// Stretches of the arena, in order, none overlapping.
    pub(crate) slots: SmallVec<[Span; 8]>,
    /// Which slot holds each operand, and its shape.
    pub(crate) inputs: SmallVec<[(usize, Shape); 2]>,
    pub(crate) output: usize,
}

/// The steps of a program and the places of its leaves and results.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// The place of each term that has one.
    pub(crate) places: Vec<Option<Span>>,
    /// Where each output is found after a run.
    pub(crate) outputs: Vec<Span>,
    /// Constants to be written before the first run.
    pub(crate) fills: Vec<(Span, Bits)>,
    pub(crate) arena: usize,
}

const NEVER_DIES: usize = usize::MAX;

/// Makes steps of `terms`. `outputs` stay readable after a run; `updates` are states with their new values.
pub(crate) fn schedule<T: Real>(terms: &[Term], outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
    if let Some(tiny) = scalars::schedule(terms, outputs, updates) {
        return tiny;
    }
    let groups = fuse(terms);
    debug_assert_eq!(verify::groups(terms, &groups), Ok(()));
    let mut scheduler = Scheduler::new::<T>(terms, &groups, outputs, updates);
    for (step, group) in groups.iter().enumerate() {
        scheduler.step(step, group);
    }
    scheduler.finish(outputs, updates)
}

struct Scheduler<'a> {
    terms: &'a [Term],
    group_of: Vec<usize>,
    /// The last step that reads a term from memory.
    last_read: Vec<usize>,
    /// Terms that some other step, or the user, reads: they need a place.
    stored: Vec<bool>,
    /// New values and the states that they may overwrite at once.
    state_of: HashMap<usize, usize>,
    places: Vec<Option<Span>>,
    fills: Vec<(Span, Bits)>,
    allocator: Allocator,
    steps: Vec<Step>,
}

impl<'a> Scheduler<'a> {
    fn new<T: Real>(terms: &'a [Term], groups: &[Group], outputs: &[usize], updates: &[(usize, usize)]) -> Self {
        let mut group_of = vec![usize::MAX; terms.len()];
        for (step, group) in groups.iter().enumerate() {
            group.members.iter().for_each(|&member| group_of[member] = step);
        }
        let mut last_read = vec![0; terms.len()];
        let mut stored = vec![false; terms.len()];
        for (i, term) in terms.iter().enumerate().filter(|(_, term)| !term.op.is_leaf()) {
            for &input in &term.inputs {
                last_read[input] = last_read[input].max(group_of[i]);
                stored[input] |= group_of[input] != group_of[i];
            }
        }
        let mut readers_of_roots = vec![false; terms.len()];
        for &root in outputs.iter().chain(updates.iter().map(|(_, value)| value)) {
            stored[root] = true;
            readers_of_roots[root] = true;
        }
        let mut state_of = HashMap::new();
        for &(state, value) in updates {
            let pointwise = terms[value].op.is_pointwise();
            if pointwise && !readers_of_roots[state] && last_read[state] <= group_of[value] {
                state_of.entry(value).or_insert(state);
            }
        }
        for root in 0..terms.len() {
            if readers_of_roots[root] {
                last_read[root] = NEVER_DIES;
            }
        }
        let mut scheduler = Self {
            terms,
            group_of,
            last_read,
            stored,
            state_of,
            places: vec![None; terms.len()],
            fills: Vec::new(),
            allocator: Allocator::new::<T>(),
            steps: Vec::new(),
        };
        scheduler.place_leaves();
        scheduler
    }

    /// Leaves keep their places for the life of the program. A constant number needs one only where an operation
    /// that is not pointwise reads it, or the user does.
    fn place_leaves(&mut self) {
        let mut read_whole: Vec<bool> = self.last_read.iter().map(|&last| last == NEVER_DIES).collect();
        for term in self.terms.iter().filter(|term| !term.op.is_pointwise()) {
            term.inputs.iter().for_each(|&input| read_whole[input] = true);
        }
        for (i, term) in self.terms.iter().enumerate().filter(|(_, term)| term.op.is_leaf()) {
            let constant = if let Op::Fill(value) = term.op { Some(value) } else { None };
            if constant.is_none() || read_whole[i] {
                let place = self.allocator.take(term.shape);
                self.places[i] = Some(place);
                self.fills.extend(constant.map(|value| (place, value)));
            }
            self.last_read[i] = NEVER_DIES;
        }
    }

    fn step(&mut self, step: usize, group: &Group) {
        let mut dying = self.external_inputs(group);
        dying.retain(|&input| self.last_read[input] == step);
        let single = group.members[0];
        let step = if self.terms[single].op.is_pointwise() {
            let overwritten = self.place_outputs(group, &mut dying);
            Step::Fused(self.fused(group, &overwritten))
        } else {
            self.places[single] = Some(self.allocator.take(self.terms[single].shape));
            Step::Single(self.single(single))
        };
        self.steps.push(step);
        for input in dying {
            if let Some(place) = self.places[input] {
                self.allocator.give(place);
            }
        }
    }

    /// Terms outside of the group that it reads.
    fn external_inputs(&self, group: &Group) -> Vec<usize> {
        let own = self.group_of[group.members[0]];
        let inputs = group.members.iter().flat_map(|&member| self.terms[member].inputs.iter().copied());
        let mut inputs: Vec<usize> = inputs.filter(|&input| self.group_of[input] != own).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// Gives each stored member of a pointwise group its place: that of the state which it updates, that of an
    /// operand which dies here (taken out of `dying`), or a new one. Returns members with what they overwrite.
    fn place_outputs(&mut self, group: &Group, dying: &mut Vec<usize>) -> HashMap<usize, usize> {
        let mut overwritten = HashMap::new();
        for &member in group.members.iter().filter(|&&member| self.stored[member]) {
            let shape = self.terms[member].shape;
            let victim = match self.state_of.get(&member) {
                Some(&state) => Some(state),
                None => {
                    let full = dying.iter().position(|&input| self.terms[input].shape == shape);
                    full.map(|i| dying.swap_remove(i))
                }
            };
            self.places[member] = match victim {
                Some(victim) => {
                    overwritten.insert(member, victim);
                    self.places[victim]
                }
                None => Some(self.allocator.take(shape)),
            };
        }
        overwritten
    }

    fn single(&self, i: usize) -> Single {
        let term = &self.terms[i];
        let spans = term.inputs.iter().chain([&i]).filter_map(|&t| self.places[t]);
        let slots = sorted(spans);
        let slot_of = |t: usize| self.places[t].and_then(|span| slots.binary_search(&span).ok()).unwrap_or(0);
        let inputs = term.inputs.iter().map(|&input| (slot_of(input), self.terms[input].shape)).collect();
        Single { op: term.op, site: term.site, inputs, output: slot_of(i), slots }
    }

    fn fused(&self, group: &Group, overwritten: &HashMap<usize, usize>) -> Fused {
        let externals = self.external_inputs(group);
        let stored = group.members.iter().filter(|&&member| self.stored[member]);
        let slots = sorted(externals.iter().chain(stored.clone()).filter_map(|&t| self.places[t]));
        let slot_of = |t: usize| self.places[t].and_then(|span| slots.binary_search(&span).ok());
        let mut written: SmallVec<[bool; 8]> = slots.iter().map(|_| false).collect();
        stored.filter_map(|&member| slot_of(member)).for_each(|slot| written[slot] = true);
        let kernel = Fused {
            shape: self.terms[group.members[0]].shape,
            slots: slots.clone(),
            written,
            constants: Vec::new(),
            loads: Vec::new(),
            code: Vec::new(),
            stores: Vec::new(),
            registers: 0,
        };
        let mut coder = Coder { terms: self.terms, kernel, place_of: HashMap::new(), free: Vec::new() };
        coder.load(&externals, slot_of);
        coder.write(group, slot_of, overwritten);
        coder.kernel
    }

    /// Copies the new values of states that could not be written in place. What they replace is set aside first
    /// where it is an output, or the new value of another state.
    fn finish(mut self, outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
        let mut copies = Vec::new();
        for &(state, value) in updates {
            if self.places[state] != self.places[value] {
                let from = self.set_aside(value, updates);
                copies.push(Step::Copy(from, self.place(state)));
            }
        }
        let outputs = outputs.iter().map(|&output| self.set_aside(output, updates)).collect();
        self.steps.extend(copies);
        let arena = self.allocator.len();
        Schedule { steps: self.steps, places: self.places, outputs, fills: self.fills, arena }
    }

    /// Where the value of a term is found after the states have got their new values.
    fn set_aside(&mut self, term: usize, updates: &[(usize, usize)]) -> Span {
        let place = self.place(term);
        if !updates.iter().any(|(state, _)| *state == term) {
            return place;
        }
        let aside = self.allocator.take(self.terms[term].shape);
        self.steps.push(Step::Copy(place, aside));
        aside
    }

    fn place(&self, term: usize) -> Span {
        self.places[term].unwrap_or(Span { start: 0, len: 0 })
    }
}

fn sorted(spans: impl Iterator<Item = Span>) -> SmallVec<[Span; 8]> {
    let mut spans: SmallVec<[Span; 8]> = spans.collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// Writes the code of one fused kernel.
struct Coder<'a> {
    terms: &'a [Term],
    kernel: Fused,
    place_of: HashMap<usize, Place>,
    /// Registers that hold nothing any more.
    free: Vec<usize>,
}

impl Coder<'_> {
    fn new_register(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.kernel.registers += 1;
            self.kernel.registers - 1
        })
    }

    /// Says where operands from outside are found; smaller ones and constants get a register for good.
    fn load(&mut self, externals: &[usize], slot_of: impl Fn(usize) -> Option<usize>) {
        let mut constants: HashMap<Bits, usize> = HashMap::new();
        for &input in externals {
            let term = &self.terms[input];
            let place = match (term.op, slot_of(input)) {
                (Op::Fill(value), _) => {
                    let register = match constants.get(&value) {
                        Some(&register) => register,
                        None => self.new_register(),
                    };
                    if constants.insert(value, register).is_none() {
                        self.kernel.constants.push((register, value));
                    }
                    Place::Register(register)
                }
                (_, Some(slot)) if term.shape == self.kernel.shape => Place::Slot(slot),
                (_, slot) => {
                    let register = self.new_register();
                    let spread = match term.shape {
                        Shape::SCALAR => Spread::Scalar,
                        Shape { rows: 1, .. } => Spread::Row,
                        Shape { .. } => Spread::Column,
                    };
                    self.kernel.loads.push((register, slot.unwrap_or(0), spread));
                    Place::Register(register)
                }
            };
            self.place_of.insert(input, place);
        }
    }

    fn write(&mut self, group: &Group, slot_of: impl Fn(usize) -> Option<usize>, overwritten: &HashMap<usize, usize>) {
        let mut last_use: HashMap<usize, usize> = HashMap::new();
        for (at, &member) in group.members.iter().enumerate() {
            self.terms[member].inputs.iter().for_each(|&input| {
                last_use.insert(input, at);
            });
        }
        let loaded = self.kernel.registers;
        for (at, &member) in group.members.iter().enumerate() {
            let term = &self.terms[member];
            let inputs = term.inputs.iter().map(|input| self.place_of[input]).collect();
            let slot = slot_of(member);
            let victim = overwritten.get(&member).and_then(|victim| last_use.get(victim));
            let output = match slot {
                Some(slot) if victim.is_none_or(|&last| last < at) => Place::Slot(slot),
                _ => Place::Register(self.new_register()),
            };
            if let (Some(slot), Place::Register(register)) = (slot, output) {
                self.kernel.stores.push((register, slot));
            }
            self.kernel.code.push(Instruction { op: term.op, inputs, output });
            self.place_of.insert(member, output);
            let mut dead: SmallVec<[usize; 3]> = term.inputs.iter().copied().collect();
            dead.push(member);
            dead.sort_unstable();
            dead.dedup();
            for value in dead {
                let done = last_use.get(&value).is_none_or(|&last| last == at);
                let Place::Register(register) = self.place_of[&value] else { continue };
                if done && register >= loaded && slot_of(value).is_none() {
                    self.free.push(register);
                }
            }
        }
    }
}
