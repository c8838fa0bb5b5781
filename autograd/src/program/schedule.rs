//! Fourth pass: steps with their places in the arena, ready to run.

use core::panic::Location;
use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use crate::kernel::reduce::running;
use crate::op::{Bits, Op};
use crate::program::code::Layout;
use crate::program::fuse::{Group, Tail, fuse, steps};
use crate::program::fused::{Fused, Head};
use crate::program::plan::{Allocator, Span};
use crate::program::scalars::{self, Scalars};
use crate::program::simplify::Term;
use crate::program::verify;
use crate::scalar::Real;
use crate::shape::Shape;

/// What a run does, one after the other.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A kernel of one pass over rows.
    Fused(Box<Fused>),
    /// Any other operation.
    Single(Box<Single>),
    /// Linear code on single numbers.
    Scalars(Box<Scalars>),
    /// A copy between places that do not overlap.
    Copy(Span, Span),
}

/// One operation that is computed by itself.
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
    /// What each step but copies computes. There are none if linear code computes all.
    pub(crate) groups: Vec<Group>,
}

const NEVER_DIES: usize = usize::MAX;

/// Bytes that blocks may take up. More than most first-level caches have: what does not fit waits in the next one, which costs less
/// than to find each operation twice as often.
const CACHE: usize = 64 << 10;

/// Makes steps of `terms`. `outputs` stay readable after a run; `updates` are states with their new values.
pub(crate) fn schedule<T: Real>(terms: &[Term], outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
    if let Some(tiny) = scalars::schedule(terms, outputs, updates) {
        return tiny;
    }
    let groups = fuse(terms, outputs.iter().copied().chain(updates.iter().map(|(_, value)| *value)));
    debug_assert_eq!(verify::groups(terms, &groups), Ok(()));
    let mut scheduler = Scheduler::new::<T>(terms, &groups, outputs, updates);
    for (step, group) in groups.iter().enumerate() {
        scheduler.step(step, group);
    }
    let schedule = scheduler.finish(outputs, updates);
    Schedule { groups, ..schedule }
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
    /// Numbers that have room in the first-level cache.
    cache: usize,
}

impl<'a> Scheduler<'a> {
    fn new<T: Real>(terms: &'a [Term], groups: &[Group], outputs: &[usize], updates: &[(usize, usize)]) -> Self {
        let mut group_of = vec![usize::MAX; terms.len()];
        for (step, group) in groups.iter().enumerate() {
            group.members().for_each(|member| group_of[member] = step);
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
            let group = groups.get(group_of[value]);
            let body = group.is_some_and(|group| terms[value].op.is_pointwise() && group.body.contains(&value));
            let head = group.and_then(|group| group.head).is_some_and(|head| terms[head].inputs.contains(&state));
            if body && !head && !readers_of_roots[state] && last_read[state] <= group_of[value] {
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
            cache: CACHE / size_of::<T>(),
        };
        scheduler.place_leaves(groups);
        scheduler
    }

    /// Leaves keep their places for the life of the program. A constant number needs one only where a product or an
    /// operation that is computed by itself reads it, or the user does.
    fn place_leaves(&mut self, groups: &[Group]) {
        let mut read_whole: Vec<bool> = self.last_read.iter().map(|&last| last == NEVER_DIES).collect();
        for whole in groups.iter().filter_map(|group| group.head.or(group.single(self.terms))) {
            self.terms[whole].inputs.iter().for_each(|&input| read_whole[input] = true);
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
        let step = match group.single(self.terms) {
            Some(single) => {
                self.places[single] = Some(self.allocator.take(self.terms[single].shape));
                Step::Single(Box::new(self.single(single)))
            }
            None => Step::Fused(Box::new(self.fused(group, &mut dying))),
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
        let Some(own) = group.members().next().map(|member| self.group_of[member]) else { return Vec::new() };
        let inputs = group.members().flat_map(|member| self.terms[member].inputs.iter().copied());
        let mut inputs: Vec<usize> = inputs.filter(|&input| self.group_of[input] != own).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// Makes a kernel, with places for what it writes; what dies with it and is not written over stays in `dying`.
    fn fused(&mut self, group: &Group, dying: &mut Vec<usize>) -> Fused {
        let externals = self.external_inputs(group);
        let head = group
            .head
            .filter(|&head| self.stored[head] || !Head::is_banded(self.terms[head].shape, steps(self.terms, head)));
        if let Some(head) = head {
            self.places[head] = Some(self.allocator.take(self.terms[head].shape));
        }
        let stored = self.place_body(group, dying);
        let parts: Vec<Span> = group.tails.iter().map(|&tail| self.place_tail(tail)).collect();
        let layout = Layout {
            terms: self.terms,
            group,
            externals: &externals,
            places: &self.places,
            stored: &stored,
            parts: &parts,
            cache: self.cache,
        };
        let kernel = layout.kernel();
        parts.into_iter().for_each(|part| self.allocator.give(part));
        dying.extend(head.filter(|&head| !self.stored[head]));
        kernel
    }

    /// Gives each stored member of a body its place: that of the state which it updates, that of an operand which dies
    /// here (taken out of `dying`) and which no product reads, or a new one. Returns members with what they overwrite.
    fn place_body(&mut self, group: &Group, dying: &mut Vec<usize>) -> HashMap<usize, Option<usize>> {
        let mut overwritten = HashMap::new();
        for &member in group.body.iter().filter(|&&member| self.stored[member]) {
            let shape = self.terms[member].shape;
            let multiplied = |input: &usize| group.head.is_some_and(|head| self.terms[head].inputs.contains(input));
            let victim = match self.state_of.get(&member) {
                Some(&state) => Some(state),
                None => {
                    let fits = |input: &usize| self.terms[*input].shape == shape && !multiplied(input);
                    dying.iter().position(fits).map(|i| dying.swap_remove(i))
                }
            };
            overwritten.insert(member, victim);
            self.places[member] = match victim {
                Some(victim) => self.places[victim],
                None => Some(self.allocator.take(shape)),
            };
        }
        overwritten
    }

    /// Gives a sum its place, and one to the sums of its parts.
    fn place_tail(&mut self, tail: usize) -> Span {
        self.places[tail] = Some(self.allocator.take(self.terms[tail].shape));
        let shape = self.terms[self.terms[tail].inputs[0]].shape;
        self.allocator.take(match Tail::of(self.terms, tail) {
            Some(Tail::Columns) => Shape::new(shape.rows.div_ceil(running::ROWS_TOGETHER), shape.cols),
            Some(Tail::Total) | None => Shape::new(shape.len().div_ceil(running::NUMBERS_TOGETHER), 2),
        })
    }

    fn single(&self, i: usize) -> Single {
        let term = &self.terms[i];
        let spans = term.inputs.iter().chain([&i]).filter_map(|&t| self.places[t]);
        let slots = sorted(spans);
        let slot_of = |t: usize| self.places[t].and_then(|span| slots.binary_search(&span).ok()).unwrap_or(0);
        let inputs = term.inputs.iter().map(|&input| (slot_of(input), self.terms[input].shape)).collect();
        Single { op: term.op, site: term.site, inputs, output: slot_of(i), slots }
    }

    /// Copies the new values of states that could not be written in place. What they replace is set aside first
    /// where it is an output, or the new value of another state.
    fn finish(mut self, outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
        let mut copies = Vec::new();
        let states: HashSet<usize> = updates.iter().map(|(state, _)| *state).collect();
        for &(state, value) in updates {
            if self.places[state] != self.places[value] {
                let from = self.set_aside(value, &states);
                copies.push(Step::Copy(from, self.place(state)));
            }
        }
        let outputs = outputs.iter().map(|&output| self.set_aside(output, &states)).collect();
        self.steps.extend(copies);
        let arena = self.allocator.len();
        Schedule { steps: self.steps, places: self.places, outputs, fills: self.fills, arena, groups: Vec::new() }
    }

    /// Where the value of a term is found after the states have got their new values.
    fn set_aside(&mut self, term: usize, states: &HashSet<usize>) -> Span {
        let place = self.place(term);
        if !states.contains(&term) {
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
