//! Writes the code of one kernel: where its operands are found, registers for what is not stored.

mod formulas;

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use crate::kernel::matmul::THREAD_BAND;
use crate::kernel::reduce::running;
use crate::op::{Bits, Op};
use crate::program::fuse::{Group, Space, Tail, steps};
use crate::program::fused::{ALIGNED, Action, BLOCK, Fused, Head, Instruction, Operand, Place, Stride, Summed};
use crate::program::pair::Pair;
use crate::program::plan::Span;
use crate::program::simplify::Term;
use crate::shape::Shape;

/// Rows of a product with few rows that one part has at least: each band reads the whole right operand.
const LARGE_BAND: usize = 64;
const FEW_ROWS: usize = 256;

/// A kernel is taken to have at least so many operands and registers that share the cache. (Twice as long blocks of `f64` make a small
/// network slower.)
const STREAMS: usize = 8;

/// What the scheduler knows of a group.
pub(crate) struct Layout<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) group: &'a Group,
    /// Terms outside of the group that it reads.
    pub(crate) externals: &'a [usize],
    /// The place of each term that is in memory.
    pub(crate) places: &'a [Option<Span>],
    /// Body terms that are stored, with the external term that each overwrites.
    pub(crate) stored: &'a HashMap<usize, Option<usize>>,
    /// Places for the parts of each tail's sum.
    pub(crate) parts: &'a [Span],
    /// Numbers that have room in the first-level cache.
    pub(crate) cache: usize,
}

impl Layout<'_> {
    /// Makes the kernel. Its blocks are as long as the cache allows: neither that nor the number of registers changes a bit.
    pub(crate) fn kernel(&self) -> Fused {
        let most = self.cache / STREAMS;
        let trial = self.coded(self.form(most));
        let streams = trial.registers + trial.slots.len() + 1;
        let numbers = (self.cache / streams).min(most);
        if trial.wide.is_some() || trial.rows <= 1 || numbers == most { trial } else { self.coded(self.form(numbers)) }
    }

    fn coded(&self, form: Form) -> Fused {
        let (slots, written) = self.slots(form);
        let kernel = Fused {
            rows: form.rows,
            wide: form.wide,
            block: form.block,
            width: form.width.next_multiple_of(ALIGNED),
            together: self.together(form),
            parts: 1,
            head: None,
            slots,
            written,
            constants: Vec::new(),
            fills: Vec::new(),
            loads: Vec::new(),
            code: Vec::new(),
            tails: Vec::new(),
            stores: Vec::new(),
            registers: 0,
        };
        let (values, code, all) = (HashMap::new(), Vec::new(), Vec::new());
        let mut coder = Coder { layout: self, form, kernel, values, code, all, loaded: 0 };
        coder.head();
        coder.externals();
        coder.body();
        coder.find_formulas();
        coder.assign_places();
        Fused { parts: coder.kernel.count_parts(), ..coder.kernel }
    }

    fn shape(&self, term: usize) -> Shape {
        self.terms[term].shape
    }

    /// How the kernel runs over its rows, in blocks of so many numbers if they are not wide.
    fn form(&self, numbers: usize) -> Form {
        let computed = || self.group.head.iter().chain(&self.group.body).copied();
        let shape = computed().next().map_or(Shape::SCALAR, |first| self.shape(first));
        let constant = |term: usize| matches!(self.terms[term].op, Op::Fill(_)) || self.shape(term).is_scalar();
        let uniform = self.group.head.is_none()
            && self.group.body.iter().all(|&i| self.shape(i) == shape && self.terms[i].op.is_pointwise())
            && self.externals.iter().all(|&i| self.shape(i) == shape || constant(i))
            && self.group.tails.iter().all(|&i| Tail::of(self.terms, i) == Some(Tail::Total));
        let state = if self.group.tails.is_empty() { 0 } else { running::STATE };
        if uniform {
            let block = numbers.min(shape.len()).max(1);
            return Form { rows: shape.len(), wide: None, block, width: block.max(state), flat: true };
        }
        let space = computed().next().and_then(|first| Space::of(self.terms, first));
        if let Some(Space::Shape(Shape { rows, cols })) = space {
            return Form { rows, wide: Some(cols), block: 1, width: BLOCK, flat: false };
        }
        let rows = shape.rows;
        let after = self.group.body.iter().chain(&self.group.tails);
        let read = after.flat_map(|&i| &self.terms[i].inputs).copied();
        let cols = computed().chain(read).map(|i| self.shape(i).cols).max().unwrap_or(1);
        let block = (numbers / cols.max(1)).clamp(1, rows.max(1));
        Form { rows, wide: None, block, width: (block * cols).max(state), flat: false }
    }

    fn together(&self, form: Form) -> usize {
        let tails = self.group.tails.iter().filter_map(|&i| {
            let cols = if form.flat { 1 } else { self.shape(self.terms[i].inputs[0]).cols };
            Some(Tail::of(self.terms, i)?.rows_together(cols))
        });
        let least = match self.group.head {
            Some(_) if form.rows <= FEW_ROWS => LARGE_BAND,
            Some(_) => THREAD_BAND,
            None if form.flat => BLOCK,
            None => 1,
        };
        tails.max().unwrap_or(1).max(least)
    }

    /// Columns of a value in the kernel.
    fn cols(&self, form: Form, term: usize) -> usize {
        if form.flat { 1 } else { self.shape(term).cols }
    }

    /// All stretches of the arena that it reads or writes, in order, and how they are written.
    fn slots(&self, form: Form) -> (SmallVec<[Span; 8]>, SmallVec<[Option<Stride>; 8]>) {
        let own = self.group.members().filter(|i| self.places[*i].is_some());
        let terms = self.externals.iter().copied().chain(own);
        let mut slots: SmallVec<[Span; 8]> =
            terms.filter_map(|i| self.places[i]).chain(self.parts.iter().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        let mut written: SmallVec<[Option<Stride>; 8]> = slots.iter().map(|_| None).collect();
        let mut mark = |span: Span, stride: Stride| {
            if let Ok(slot) = slots.binary_search(&span) {
                written[slot] = Some(stride);
            }
        };
        for i in self.group.head.iter().chain(self.stored.keys()).copied() {
            if let Some(span) = self.places[i] {
                mark(span, Stride::rows(self.cols(form, i)));
            }
        }
        for (&i, &parts) in self.group.tails.iter().zip(self.parts) {
            let cols = self.cols(form, self.terms[i].inputs[0]);
            let stride = match Tail::of(self.terms, i) {
                Some(Tail::Columns) => Stride { times: 1, over: running::ROWS_TOGETHER, size: cols },
                Some(Tail::Total) | None => Stride { times: cols, over: running::NUMBERS_TOGETHER, size: 2 },
            };
            mark(parts, stride);
            if let Some(span) = self.places[i] {
                mark(span, Stride::LATER);
            }
        }
        (slots, written)
    }
}

/// How a kernel runs over its rows.
#[derive(Clone, Copy, Debug)]
struct Form {
    rows: usize,
    wide: Option<usize>,
    block: usize,
    width: usize,
    /// Elements count as rows.
    flat: bool,
}

/// An instruction on values, before they have places.
struct Virtual {
    action: Action,
    inputs: SmallVec<[usize; 3]>,
    output: usize,
    /// The value of the second operation of a pair.
    second: Option<(Pair, usize)>,
}

struct Value {
    cols: usize,
    /// Where it is, if that is known from the start.
    place: Option<Place>,
    /// Whether it is the same number, or row, everywhere, so that it fits any number of columns.
    repeated: bool,
    /// The slot in which it is stored at the end, and the value that stands there at first.
    stored: Option<(usize, Option<usize>)>,
    last_use: usize,
}

/// What a value of the code is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Term(usize),
    /// A column, repeated so many times.
    Spread(usize, usize),
}

struct Coder<'a> {
    layout: &'a Layout<'a>,
    form: Form,
    kernel: Fused,
    /// Values by what they are made of; each is an index into `all`.
    values: HashMap<Source, usize>,
    code: Vec<Virtual>,
    all: Vec<Value>,
    /// Registers that are filled once for all blocks.
    loaded: usize,
}

/// The operand that the result may overwrite while it is computed: of a formula, the first.
fn in_place(instruction: &Virtual) -> Option<usize> {
    let Action::Compute(_) = instruction.action else { return None };
    let (first, others) = instruction.inputs.split_first()?;
    (!others.contains(first)).then_some(*first)
}

impl Coder<'_> {
    fn slot_of(&self, term: usize) -> Option<usize> {
        self.layout.places[term].and_then(|span| self.kernel.slots.binary_search(&span).ok())
    }

    fn new_register(&mut self) -> usize {
        self.kernel.registers += 1;
        self.kernel.registers - 1
    }

    fn add(&mut self, source: Source, cols: usize, place: Option<Place>, repeated: bool) -> usize {
        self.values.insert(source, self.all.len());
        self.all.push(Value { cols, place, repeated, stored: None, last_use: 0 });
        self.all.len() - 1
    }

    fn head(&mut self) {
        let Some(head) = self.layout.group.head else { return };
        let term = &self.layout.terms[head];
        let Op::MatMul(op) = term.op else { return };
        let slots = &self.kernel.slots;
        let operand = |k: usize| {
            let input = term.inputs[k];
            let slot = self.layout.places[input].and_then(|span| slots.binary_search(&span).ok());
            (slot.unwrap_or(0), self.layout.shape(input))
        };
        let (output, steps) = (self.slot_of(head), steps(self.layout.terms, head));
        self.kernel.head = Some(Head { op, operands: [operand(0), operand(1)], output, shape: term.shape, steps });
        self.add(Source::Term(head), term.shape.cols, Some(output.map_or(Place::Band, Place::Slot)), false);
    }

    /// Says where operands from outside are found; rows that are repeated, and numbers for operations by row, get a register
    /// for good.
    fn externals(&mut self) {
        let terms = self.layout.terms;
        let group = self.layout.group;
        let read = |i: &usize| terms[*i].inputs.iter().copied();
        let read_by_element: HashSet<usize> = group.body.iter().chain(&group.tails).flat_map(read).collect();
        let by_rows = group.body.iter().filter(|i| !terms[**i].op.is_pointwise());
        let read_by_rows: HashSet<usize> = by_rows.flat_map(read).collect();
        let mut constants: HashMap<Bits, usize> = HashMap::new();
        for &input in self.layout.externals.iter().filter(|input| read_by_element.contains(input)) {
            let whole = read_by_rows.contains(&input);
            let (place, repeated) = match (terms[input].op, self.slot_of(input)) {
                (Op::Fill(value), _) if whole => {
                    let register = self.new_register();
                    self.kernel.fills.push((register, value));
                    (Place::Register(register), true)
                }
                (Op::Fill(value), _) => {
                    let next = self.kernel.constants.len();
                    let constant = *constants.entry(value).or_insert(next);
                    if constant == next {
                        self.kernel.constants.push(value);
                    }
                    (Place::Constant(constant), true)
                }
                (_, slot) => self.external(input, slot.unwrap_or(0), whole),
            };
            self.add(Source::Term(input), self.layout.cols(self.form, input), Some(place), repeated);
        }
        self.loaded = self.kernel.registers;
    }

    /// Where an operand in memory is found, and whether it is the same everywhere.
    fn external(&mut self, input: usize, slot: usize, whole: bool) -> (Place, bool) {
        let shape = self.layout.shape(input);
        let rows = if self.form.flat { shape.len() } else { shape.rows };
        if shape.is_scalar() && !whole && !(self.form.flat && self.form.rows == 1) {
            (Place::Scalar(slot), true)
        } else if rows == self.form.rows {
            (Place::Slot(slot), false)
        } else if self.form.wide.is_some() || self.form.block == 1 {
            (Place::Row(slot), false)
        } else {
            let register = self.new_register();
            self.kernel.loads.push((register, slot));
            (Place::Register(register), false)
        }
    }

    /// The value of an operand of a pointwise term with so many columns.
    fn spread(&mut self, term: usize, cols: usize) -> usize {
        let value = self.values[&Source::Term(term)];
        // A single number serves for all columns.
        if self.all[value].cols == cols || self.all[value].repeated || self.form.block == 1 {
            return value;
        }
        if let Some(&spread) = self.values.get(&Source::Spread(term, cols)) {
            return spread;
        }
        let spread = self.add(Source::Spread(term, cols), cols, None, false);
        let inputs = SmallVec::from_slice(&[value]);
        self.code.push(Virtual { action: Action::Spread, inputs, output: spread, second: None });
        spread
    }

    fn body(&mut self) {
        let pairs = Pair::among(self.layout.terms, self.layout.group.body.iter().copied());
        let left_out = self.left_out(&pairs);
        for &member in self.layout.group.body.iter().filter(|member| !left_out.contains(member)) {
            let term = &self.layout.terms[member];
            let cols = self.layout.cols(self.form, member);
            let pointwise = term.op.is_pointwise();
            let operand =
                |&input: &usize| if pointwise { self.spread(input, cols) } else { self.values[&Source::Term(input)] };
            let inputs = term.inputs.iter().map(operand).collect();
            let output = self.result(member, cols);
            let second = pairs.get(&member).map(|&(pair, second)| (pair, self.result(second, cols)));
            self.code.push(Virtual { action: Action::Apply(term.op, term.site), inputs, output, second });
        }
    }

    /// Members without instructions of their own: the second of each pair, and what is read by such alone.
    fn left_out(&self, pairs: &HashMap<usize, (Pair, usize)>) -> HashSet<usize> {
        let (terms, group) = (self.layout.terms, self.layout.group);
        let mut left_out: HashSet<usize> = pairs.values().map(|&(_, second)| second).collect();
        let spared = pairs.values().filter_map(|&(pair, second)| pair.spares(terms, second));
        let mut spared: Vec<usize> = spared.filter(|spared| !self.layout.stored.contains_key(spared)).collect();
        if !spared.is_empty() {
            let others = group.members().filter(|member| !left_out.contains(member));
            let read: HashSet<usize> = others.flat_map(|member| &terms[member].inputs).copied().collect();
            spared.retain(|spared| !read.contains(spared));
        }
        left_out.extend(spared);
        left_out
    }

    /// The value of a member, and where it is stored.
    fn result(&mut self, member: usize, cols: usize) -> usize {
        let output = self.add(Source::Term(member), cols, None, false);
        if let Some(victim) = self.layout.stored.get(&member) {
            let victim = victim.and_then(|victim| self.values.get(&Source::Term(victim)).copied());
            self.all[output].stored = self.slot_of(member).map(|slot| (slot, victim));
        }
        output
    }

    /// Registers and slots for all values; tails.
    fn assign_places(&mut self) {
        for (at, instruction) in self.code.iter().enumerate() {
            instruction.inputs.iter().for_each(|&input| self.all[input].last_use = at);
        }
        for input in self.summed() {
            self.all[input].last_use = usize::MAX;
        }
        let mut free: Vec<usize> = Vec::new();
        for (at, instruction) in core::mem::take(&mut self.code).into_iter().enumerate() {
            let output = self.place_result(instruction.output, in_place(&instruction), at, &mut free);
            let second = instruction.second;
            let second = second.map(|(pair, second)| (pair, self.place_result(second, None, at, &mut free)));
            let pointwise = match instruction.action {
                Action::Apply(op, _) => op.is_pointwise(),
                Action::Compute(_) => true,
                Action::Spread => false,
            };
            let fitted = pointwise.then_some(output.cols);
            let inputs = instruction.inputs.iter().map(|&input| self.operand(input, fitted)).collect();
            self.kernel.code.push(Instruction { action: instruction.action, inputs, output, second });
            self.free_registers(at, &instruction, &mut free);
        }
        self.tails();
    }

    /// The values that tails add up.
    fn summed(&self) -> SmallVec<[usize; 2]> {
        let input = |&tail: &usize| self.values[&Source::Term(self.layout.terms[tail].inputs[0])];
        self.layout.group.tails.iter().map(input).collect()
    }

    /// Gives a value its place when it is computed: its slot, if nothing still reads what stands there, or a register. The
    /// instruction itself may read `own` there.
    fn place_result(&mut self, value: usize, own: Option<usize>, at: usize, free: &mut Vec<usize>) -> Operand {
        let stored = self.all[value].stored;
        let read = |victim: usize| self.all[victim].last_use >= at + usize::from(own == Some(victim));
        let place = match stored {
            Some((slot, victim)) if !victim.is_some_and(read) => Place::Slot(slot),
            _ => Place::Register(free.pop().unwrap_or_else(|| self.new_register())),
        };
        self.all[value].place = Some(place);
        let output = self.operand(value, None);
        if let (Some((slot, _)), Place::Register(_)) = (stored, place) {
            self.kernel.stores.push((output, slot));
            self.all[value].last_use = usize::MAX;
        }
        output
    }

    /// Registers of values that are read for the last time, unless they are filled once for all blocks.
    fn free_registers(&self, at: usize, instruction: &Virtual, free: &mut Vec<usize>) {
        let mut done: SmallVec<[usize; 4]> = instruction.inputs.iter().copied().collect();
        done.push(instruction.output);
        done.extend(instruction.second.map(|(_, second)| second));
        done.sort_unstable();
        done.dedup();
        for value in done {
            let Some(Place::Register(register)) = self.all[value].place else { continue };
            if self.all[value].last_use <= at && register >= self.loaded {
                free.push(register);
            }
        }
    }

    /// Where a value is found. What is the same everywhere has as many columns as are wanted.
    fn operand(&self, value: usize, wanted: Option<usize>) -> Operand {
        let Value { cols, place, repeated, .. } = self.all[value];
        let cols = wanted.filter(|_| repeated).unwrap_or(cols);
        Operand { place: place.unwrap_or(Place::Band), cols }
    }

    fn tails(&mut self) {
        for (&tail, parts) in self.layout.group.tails.iter().zip(self.layout.parts) {
            let Some(kind) = Tail::of(self.layout.terms, tail) else { continue };
            let input = self.operand(self.values[&Source::Term(self.layout.terms[tail].inputs[0])], None);
            let parts = self.kernel.slots.binary_search(parts).unwrap_or(0);
            let output = self.slot_of(tail).unwrap_or(0);
            let state = self.new_register();
            self.kernel.tails.push(Summed { tail: kind, input, parts, output, state });
        }
    }
}
