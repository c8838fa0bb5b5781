//! Registers, and the code that uses them.

use super::items::Items;
use super::{Code, Listed, NONE, Part, Run, Scalars, small};
use crate::kernel::elementwise::Places;
use crate::op::Op;
use crate::program::plan::Span;
use crate::program::schedule::{Schedule, Step};
use crate::program::simplify::Term;

/// Instructions in a run.
const LONGEST: u16 = u16::MAX;

/// Writes the code and hands out registers.
pub(super) struct Coder<'a> {
    terms: &'a [Term],
    items: &'a Items,
    code: Scalars,
    places: Vec<Places<u32>>,
    /// By number: its register.
    register: Vec<u32>,
    /// By number: how many times it is still to be read.
    readers: Vec<u32>,
    /// Registers that hold nothing any more.
    free: Vec<u32>,
    count: u32,
}

impl<'a> Coder<'a> {
    /// Leaves have registers for the life of the program, and results from when they are computed. Those of one leaf, or of
    /// one output, stand together, because they are seen from outside.
    pub(super) fn new(
        terms: &'a [Term],
        items: &'a Items,
        code: Scalars,
        outputs: &[usize],
        updates: &[(usize, usize)],
    ) -> Self {
        let mut readers = vec![0; items.values];
        items.inputs.iter().for_each(|&value| readers[value as usize] += 1);
        let news = updates.iter().map(|(_, value)| value);
        let roots = outputs.iter().chain(news).flat_map(|&root| items.of_term(root));
        roots.for_each(|&value| readers[value as usize] += 1);
        let register = vec![NONE; items.values];
        let mut coder = Self { terms, items, code, places: Vec::new(), register, readers, free: Vec::new(), count: 0 };
        for (i, _) in terms.iter().enumerate().filter(|(_, term)| term.op.is_leaf()) {
            for &value in items.of_term(i) {
                coder.readers[value as usize] += 1;
            }
            coder.reserve(i);
        }
        outputs.iter().for_each(|&output| coder.reserve(output));
        coder
    }

    /// New registers, side by side, for those elements of a term that have none.
    fn reserve(&mut self, term: usize) {
        for &value in self.items.of_term(term) {
            if self.register[value as usize] == NONE {
                self.register[value as usize] = self.count;
                self.count += 1;
            }
        }
    }

    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }

    /// The register of an operand, which is free after its last reader.
    fn read(&mut self, value: u32) -> u32 {
        let (register, readers) = (self.register[value as usize], &mut self.readers[value as usize]);
        *readers -= 1;
        if *readers == 0 {
            self.free.push(register);
        }
        register
    }

    fn write_to(&mut self, value: u32) -> u32 {
        if self.register[value as usize] == NONE {
            self.register[value as usize] = self.take();
        }
        self.register[value as usize]
    }

    /// Computes items that do not need each other.
    pub(super) fn write(&mut self, code: u32, batch: &[usize]) {
        match self.items.codes[code as usize] {
            Code::Apply(op) => {
                for batch in batch.chunks(LONGEST.into()) {
                    self.start_run(op, u16::try_from(batch.len()).unwrap_or(LONGEST));
                    batch.iter().for_each(|&item| self.apply(item));
                }
            }
            Code::Fold(fold) => {
                self.code.parts.push(Part::Folds(fold, small(batch.len())));
                for &item in batch {
                    let result = self.code.registers.len();
                    self.code.registers.push(NONE);
                    self.read_all(item);
                    self.code.registers[result] = self.write_to(self.items.outputs_of(item)[0]);
                }
            }
            Code::Whole(index) => {
                for &item in batch {
                    self.code.parts.push(Part::Whole(index));
                    self.read_all(item);
                    for &value in self.items.outputs_of(item) {
                        let register = self.write_to(value);
                        self.code.registers.push(register);
                    }
                }
            }
        }
    }

    fn start_run(&mut self, op: u16, count: u16) {
        self.code.runs.push(Run { op, count });
        match self.code.parts.last_mut() {
            Some(Part::Numbers(runs)) => *runs += 1,
            Some(Part::Folds(..) | Part::Whole(_) | Part::Pair(..) | Part::Gathers(_)) | None => {
                self.code.parts.push(Part::Numbers(1))
            }
        }
    }

    fn apply(&mut self, item: usize) {
        let inputs = self.items.inputs_of(item);
        let mut places = [self.register[inputs[0] as usize]; 3];
        places.iter_mut().zip(inputs).for_each(|(place, &value)| *place = self.read(value));
        let output = self.write_to(self.items.outputs_of(item)[0]);
        self.places.push(Places { inputs: places, output });
    }

    fn read_all(&mut self, item: usize) {
        for &value in self.items.inputs_of(item) {
            let register = self.read(value);
            self.code.registers.push(register);
        }
    }

    /// Copies from register to register, none of which reads what another writes.
    fn copy(&mut self, copies: &[(u32, u32)]) {
        // The list of operations begins with it.
        let copy = 0;
        for copies in copies.chunks(LONGEST.into()) {
            self.start_run(copy, u16::try_from(copies.len()).unwrap_or(LONGEST));
            self.places.extend(copies.iter().map(|&(from, to)| Places { inputs: [from; 3], output: to }));
        }
    }

    /// Where a term is, if its elements stand side by side.
    fn span(&self, term: usize) -> Option<Span> {
        let registers = self.items.of_term(term).iter().map(|&value| self.register[value as usize]);
        let start = self.register[self.items.of_term(term)[0] as usize];
        let together = registers.zip(start..).all(|(register, expected)| register == expected);
        together.then(|| Span { start: start as usize, len: self.terms[term].shape.len() })
    }

    /// Assigns the new values of states. Old ones that are wanted are set aside before.
    pub(super) fn finish(mut self, outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
        let leaf = |i: usize| if self.terms[i].op.is_leaf() { self.span(i) } else { None };
        let places: Vec<Option<Span>> = (0..self.terms.len()).map(leaf).collect();
        let mut is_state = vec![false; self.items.values];
        let states = updates.iter().flat_map(|&(state, _)| self.items.of_term(state));
        states.for_each(|&value| is_state[value as usize] = true);
        let changes = |term: usize| self.items.of_term(term).iter().any(|&value| is_state[value as usize]);
        // Outputs that are not by themselves what they have to be: old states, and what is scattered.
        let mut copies = Vec::new();
        let mut spans = Vec::new();
        let mut end = self.count;
        for &output in outputs {
            let found = if changes(output) { None } else { self.span(output) };
            spans.push(found.unwrap_or_else(|| {
                let elements = self.items.of_term(output);
                let start = end;
                end += small(elements.len());
                copies.extend(elements.iter().map(|&value| self.register[value as usize]).zip(start..));
                Span { start: start as usize, len: elements.len() }
            }));
        }
        // New values that are old ones of other states.
        let mut assigned = Vec::new();
        for &(state, new) in updates {
            for (&to, &from) in self.items.of_term(state).iter().zip(self.items.of_term(new)) {
                let (to, mut register) = (self.register[to as usize], self.register[from as usize]);
                if is_state[from as usize] && register != to {
                    copies.push((register, end));
                    register = end;
                    end += 1;
                }
                if register != to {
                    assigned.push((register, to));
                }
            }
        }
        self.count = end;
        self.copy(&copies);
        self.copy(&assigned);
        let fills = self.terms.iter().zip(0..).filter_map(|(term, i): (&Term, usize)| {
            let Op::Fill(value) = term.op else { return None };
            Some((Span { start: self.register[self.items.of_term(i)[0] as usize] as usize, len: 1 }, value))
        });
        let fills = fills.collect();
        self.code.places = Listed::new(self.places, self.count);
        let steps = vec![Step::Scalars(Box::new(self.code))];
        Schedule { steps, places, outputs: spans, fills, arena: self.count as usize, groups: Vec::new() }
    }
}
