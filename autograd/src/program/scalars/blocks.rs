//! Linear code over blocks: programs of a few small matrices.
//!
//! The rows of a value, or its column, are blocks of [`BLOCK`] numbers, and an instruction computes a block. What follows the
//! last number of a row is computed too, of whatever stands there, and never read. Numbers that an instruction needs side by
//! side and that do not stand so are gathered first. A place is written once in a run, the states' aside, and all that is
//! computed lies behind what it is computed from.

use core::ops::Range;
use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use super::items::Items;
use super::{BLOCK, Code, Fold, Listed, Part, Run, Scalars, small};
use crate::kernel::elementwise::{FULL, Places};
use crate::op::Op;
use crate::program::pair::Pair;
use crate::program::plan::Span;
use crate::program::schedule::{Schedule, Step};
use crate::program::simplify::Term;
use crate::shape::Shape;

/// Most numbers of a file: more would not stay in the cache beside others.
const MOST: u32 = 2048;

/// How many numbers an instruction must compute on average, or those of single numbers are faster.
const WORTH: usize = 2;

/// Places of numbers that make up a block.
type Members = SmallVec<[u32; BLOCK]>;

/// Writes the code.
struct Coder<'a> {
    terms: &'a [Term],
    items: &'a Items,
    code: Scalars,
    places: Vec<Places<u32>>,
    /// By number: its place.
    at: Vec<u32>,
    /// Where blocks start that hold one number several times.
    repeated: Vec<u32>,
    gathered: HashMap<Members, u32>,
    /// By term: what is computed with it.
    pairs: HashMap<usize, (Pair, usize)>,
    /// Terms that are computed with others, or not needed at all.
    done: HashSet<usize>,
    /// Where the file ends.
    end: u32,
}

/// The blocks of a matrix, or of a column: the index of the first number, and how many there are.
fn blocks(shape: Shape) -> impl Iterator<Item = (usize, usize)> {
    let (rows, cols) = if shape.cols == 1 { (1, shape.rows) } else { (shape.rows, shape.cols) };
    let of_row = move |row| (0..cols).step_by(BLOCK).map(move |col| (row * cols + col, BLOCK.min(cols - col)));
    (0..rows).flat_map(of_row)
}

/// The schedule of a program of tiny values, if it is short and blocks are of use.
pub(super) fn schedule(
    terms: &[Term],
    items: &Items,
    outputs: &[usize],
    updates: &[(usize, usize)],
) -> Option<Schedule> {
    let computed = || terms.iter().filter(|term| !super::is_free(term.op));
    let numbers: usize = computed().map(|term| term.shape.len()).sum();
    let instructions: usize = computed().map(|term| blocks(term.shape).count()).sum();
    if instructions * WORTH > numbers || numbers > MOST as usize {
        return None;
    }
    let code = Scalars { ops: items.ops.clone(), wholes: items.wholes.clone(), of_blocks: true, ..Scalars::default() };
    let pairs = Pair::all(terms);
    let done = beside_pairs(terms, &pairs, outputs, updates);
    let (at, repeated, gathered) = (vec![0; items.values], Vec::new(), HashMap::new());
    let mut coder = Coder { terms, items, code, places: Vec::new(), at, repeated, gathered, pairs, done, end: 0 };
    (0..terms.len()).filter(|&i| terms[i].op.is_leaf()).for_each(|leaf| coder.leaf(leaf));
    coder.write_all();
    let schedule = coder.finish(outputs, updates);
    (schedule.arena <= MOST as usize).then_some(schedule)
}

/// The seconds of pairs, and their operands that nothing else reads.
fn beside_pairs(
    terms: &[Term],
    pairs: &HashMap<usize, (Pair, usize)>,
    outputs: &[usize],
    updates: &[(usize, usize)],
) -> HashSet<usize> {
    let mut done: HashSet<usize> = pairs.values().map(|&(_, second)| second).collect();
    let others = (0..terms.len()).filter(|i| !done.contains(i)).flat_map(|i| terms[i].inputs.iter());
    let read: HashSet<usize> =
        others.chain(outputs).copied().chain(updates.iter().flat_map(|&(a, b)| [a, b])).collect();
    let operands = pairs.values().map(|&(_, second)| terms[second].inputs[0]);
    done.extend(
        operands.filter(|operand| !read.contains(operand) && !terms[*operand].op.is_leaf()).collect::<Vec<_>>(),
    );
    done
}

impl Coder<'_> {
    /// New places, so many.
    fn take(&mut self, count: usize) -> u32 {
        let start = self.end.next_multiple_of(small(BLOCK));
        self.end = start + small(count);
        start
    }

    /// Places for a matrix whose rows follow each other without gaps, and for what its last block writes behind them.
    fn take_flat(&mut self, shape: Shape) -> u32 {
        self.take(blocks(shape).last().map_or(0, |(first, _)| first + BLOCK))
    }

    fn place(&mut self, values: &[u32], start: u32) {
        values.iter().zip(start..).for_each(|(&value, place)| self.at[value as usize] = place);
    }

    /// Leaves are seen from outside.
    fn leaf(&mut self, leaf: usize) {
        let values = self.items.of_term(leaf);
        if let Op::Fill(_) = self.terms[leaf].op {
            let start = self.take(BLOCK);
            self.repeated.push(start);
            self.place(&values[..1], start);
        } else {
            let start = self.take_flat(self.terms[leaf].shape);
            self.place(values, start);
        }
    }

    /// The block of these numbers, which may have to be gathered.
    fn block(&mut self, values: impl Iterator<Item = u32>) -> u32 {
        let members: Members = values.map(|value| self.at[value as usize]).collect();
        let first = members[0];
        let is_one = members.iter().all(|&place| place == first);
        let is_there = is_one && self.repeated.contains(&first);
        if is_there || members.iter().zip(first..).all(|(&place, expected)| place == expected) {
            return first;
        }
        if let Some(&block) = self.gathered.get(&members) {
            return block;
        }
        let block = self.take(BLOCK);
        if is_one {
            self.repeated.push(block);
        }
        match self.code.parts.last_mut() {
            Some(Part::Gathers(count)) => *count += 1,
            _ => self.code.parts.push(Part::Gathers(1)),
        }
        let rest = core::iter::repeat(&first);
        self.code.registers.extend([block].iter().chain(members.iter().chain(rest).take(BLOCK)));
        self.gathered.insert(members, block);
        block
    }

    /// Instructions with one operation are one run, in which cheap ones may read what those before them wrote.
    fn run(&mut self, op: u16, places: &[Places<u32>]) {
        if places.is_empty() {
            return;
        }
        let count = u16::try_from(places.len()).unwrap_or(u16::MAX);
        self.places.extend_from_slice(places);
        let is_cheap = self.code.ops[usize::from(op)].is_cheap();
        if let (Some(Part::Numbers(_)), Some(last)) = (self.code.parts.last(), self.code.runs.last_mut())
            && last.op == op
            && is_cheap
        {
            last.count += count;
            return;
        }
        self.code.runs.push(Run { op, count });
        match self.code.parts.last_mut() {
            Some(Part::Numbers(runs)) => *runs += 1,
            Some(Part::Folds(..) | Part::Whole(_) | Part::Pair(..) | Part::Gathers(_)) | None => {
                self.code.parts.push(Part::Numbers(1));
            }
        }
    }

    /// Copies blocks from place to place, one after the other.
    fn copy(&mut self, copies: &[(u32, u32)]) {
        // The list of operations begins with it.
        let copies: Vec<Places<u32>> =
            copies.iter().map(|&(from, to)| Places { inputs: [from; 3], output: to }).collect();
        self.run(0, &copies);
    }

    /// The numbers that a term computes.
    fn items_of(&self, term: usize) -> Range<usize> {
        let ends = &self.items.item_ends;
        let first = if term == 0 { 0 } else { ends[term - 1] };
        first as usize..ends[term] as usize
    }

    /// Writes term after term, but before the next one those that do the same as the last and could be computed now.
    fn write_all(&mut self) {
        let makers = self.makers();
        let mut rest: Vec<usize> =
            (0..makers.len()).filter(|&i| makers[i] == i && !self.items_of(i).is_empty()).collect();
        let mut is_left = vec![false; makers.len()];
        rest.iter().for_each(|&term| is_left[term] = true);
        let mut last = None;
        while !rest.is_empty() {
            let code = |term: usize| Some(self.items.codes_of[self.items_of(term).start]);
            let could_be = |term: usize| self.terms[term].inputs.iter().all(|&input| !is_left[makers[input]]);
            let next = rest.iter().position(|&term| code(term) == last && could_be(term));
            let term = rest.remove(next.unwrap_or(0));
            (last, is_left[term]) = (code(term), false);
            self.write(term);
        }
    }

    /// By term: that which is to be written for it, where not itself.
    fn makers(&self) -> Vec<usize> {
        let mut makers: Vec<usize> = (0..self.terms.len()).collect();
        self.pairs.iter().for_each(|(&first, &(_, second))| makers[second] = first);
        for (i, term) in self.terms.iter().enumerate().filter(|(_, term)| !term.op.is_leaf()) {
            if self.items_of(i).is_empty() || self.done.contains(&i) && makers[i] == i {
                makers[i] = makers[term.inputs[0]];
            }
        }
        makers
    }

    fn write(&mut self, term: usize) {
        let items = self.items_of(term);
        let first = items.start;
        match self.items.codes[self.items.codes_of[first] as usize] {
            Code::Apply(op) => self.apply(op, term, first),
            Code::Fold(fold @ (Fold::Sum(_) | Fold::SumOfProducts(_))) => self.sum(fold, term, items),
            Code::Fold(fold) => self.fold(fold, term, first),
            Code::Whole(index) => self.whole(index, term, first),
        }
    }

    /// The block of operand `k` of `count` items, of which `first` is the first.
    fn operand(&mut self, (first, count): (usize, usize), k: usize) -> u32 {
        let items = self.items;
        self.block((first..first + count).map(|item| items.inputs_of(item)[k]))
    }

    fn apply(&mut self, op: u16, term: usize, first: usize) {
        let operands = self.terms[term].inputs.len();
        let spans: Vec<(usize, usize)> = blocks(self.terms[term].shape).collect();
        let mut places = Vec::with_capacity(spans.len());
        for &(start, count) in &spans {
            let mut inputs = [0; 3];
            for (k, input) in inputs.iter_mut().enumerate().take(operands) {
                *input = self.operand((first + start, count), k);
            }
            let first = inputs[0];
            inputs[operands..].fill(first);
            places.push(Places { inputs, output: 0 });
        }
        let is_one = places.len() == 1 && places[0].inputs.iter().all(|input| self.repeated.contains(input));
        let mut numbers = BLOCK * places.len();
        if !self.code.ops[usize::from(op)].is_cheap() {
            numbers = numbers.next_multiple_of(FULL);
            self.bring_together(&mut places, operands);
        }
        let output = self.take(numbers);
        let second = self.pairs.get(&term).copied();
        let second = second.map(|(pair, second)| (pair, second, self.take(numbers)));
        if is_one {
            self.repeated.push(output);
        }
        for ((place, &(start, count)), output) in places.iter_mut().zip(&spans).zip((output..).step_by(BLOCK)) {
            place.output = output;
            self.place(&self.items.of_term(term)[start..start + count], output);
        }
        match second {
            Some((pair, second, start)) => {
                let step = start - output;
                for (block, &(first, count)) in places.iter().zip(&spans) {
                    self.place(&self.items.of_term(second)[first..first + count], block.output + step);
                }
                self.code.parts.push(Part::Pair(pair, small(numbers)));
                self.code.registers.extend([places[0].inputs[0], output, start]);
            }
            None => self.run(op, &places),
        }
    }

    /// Makes each operand one stretch, and all of it, filled up, lie before what comes next.
    fn bring_together(&mut self, places: &mut [Places<u32>], operands: usize) {
        let numbers = small((BLOCK * places.len()).next_multiple_of(FULL));
        for k in 0..operands {
            let expected = || (places[0].inputs[k]..).step_by(BLOCK);
            if !places.iter().zip(expected()).all(|(place, expected)| place.inputs[k] == expected) {
                let start = self.take(numbers as usize);
                let copies: Vec<(u32, u32)> =
                    places.iter().map(|place| place.inputs[k]).zip((start..).step_by(BLOCK)).collect();
                self.copy(&copies);
                places.iter_mut().zip(&copies).for_each(|(place, &(_, to))| place.inputs[k] = to);
            }
            self.end = self.end.max(places[0].inputs[k] + numbers);
        }
        for place in places {
            let first = place.inputs[0];
            place.inputs[operands..].fill(first);
        }
    }

    /// Sums of numbers. Each fills a block, whose rest the next one overwrites.
    fn sum(&mut self, fold: Fold, term: usize, items: Range<usize>) {
        let start = self.take(items.len() + BLOCK);
        self.code.parts.push(Part::Folds(fold, small(items.len())));
        for (item, output) in items.clone().zip(start..) {
            let inputs = self.items.inputs_of(item).iter().map(|&value| self.at[value as usize]);
            self.code.registers.extend([output].into_iter().chain(inputs));
        }
        if items.len() == 1 {
            self.repeated.push(start);
        }
        self.place(self.items.of_term(term), start);
    }

    /// Products and plain sums, block by block.
    fn fold(&mut self, fold: Fold, term: usize, first: usize) {
        let mut registers = Vec::new();
        let shape = self.terms[term].shape;
        for (start, count) in blocks(shape) {
            let span = (first + start, count);
            // The result's, later.
            registers.push(0);
            match fold {
                Fold::Products(steps) => (0..steps as usize).for_each(|p| registers.extend(self.factors(span, p))),
                Fold::Sum(_) | Fold::PlainSum(_) | Fold::SumOfProducts(_) => {
                    (0..fold.operands()).for_each(|p| registers.push(self.operand(span, p)));
                }
            }
        }
        let output = self.take(BLOCK * blocks(shape).count());
        let each = registers.chunks_exact_mut(fold.registers()).zip(blocks(shape)).zip((output..).step_by(BLOCK));
        for ((registers, (start, count)), output) in each {
            registers[0] = output;
            self.place(&self.items.of_term(term)[start..start + count], output);
        }
        let count = small(blocks(shape).count());
        match self.code.parts.last_mut() {
            Some(Part::Folds(last, so_many)) if *last == fold => *so_many += count,
            _ => self.code.parts.push(Part::Folds(fold, count)),
        }
        self.code.registers.append(&mut registers);
    }

    /// Step `p` of scalar products of rows with columns: all have one row, or one column, in common, whose number comes first.
    fn factors(&mut self, (first, count): (usize, usize), p: usize) -> [u32; 2] {
        let left = self.items.inputs_of(first)[2 * p];
        let same = (first..first + count).all(|item| self.items.inputs_of(item)[2 * p] == left);
        let (number, block) = if same { (2 * p, 2 * p + 1) } else { (2 * p + 1, 2 * p) };
        let number = self.at[self.items.inputs_of(first)[number] as usize];
        [number, self.operand((first, count), block)]
    }

    fn whole(&mut self, index: u32, term: usize, item: usize) {
        let output = self.take_flat(self.terms[term].shape);
        self.place(self.items.of_term(term), output);
        self.code.parts.push(Part::Whole(index));
        let values = self.items.inputs_of(item).iter().chain(self.items.outputs_of(item));
        self.code.registers.extend(values.map(|&value| self.at[value as usize]));
    }

    /// Where a term is, if its elements stand side by side.
    fn span(&self, term: usize) -> Option<Span> {
        let values = self.items.of_term(term);
        let start = self.at[values[0] as usize];
        let together = values.iter().zip(start..).all(|(&value, expected)| self.at[value as usize] == expected);
        together.then_some(Span { start: start as usize, len: values.len() })
    }

    /// What to copy to lay a term down flat from `start` on: each block overwrites what the one before wrote too far.
    fn laid_down(&mut self, term: usize, start: u32) -> Vec<(u32, u32)> {
        let (shape, values) = (self.terms[term].shape, self.items.of_term(term));
        let block = |(first, count): (usize, usize)| {
            (self.block(values[first..first + count].iter().copied()), start + small(first))
        };
        blocks(shape).map(block).collect()
    }

    /// Assigns the new values of states. Old ones that are wanted are set aside before.
    fn finish(mut self, outputs: &[usize], updates: &[(usize, usize)]) -> Schedule {
        let places: Vec<Option<Span>> =
            (0..self.terms.len()).map(|i| self.terms[i].op.is_leaf().then(|| self.span(i)).flatten()).collect();
        let states: Vec<Span> = updates.iter().filter_map(|&(state, _)| places[state]).collect();
        let is_state =
            |place: usize| states.iter().any(|state| (state.start..state.start + state.len).contains(&place));
        let (mut copies, mut assigned, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        for &output in outputs {
            let found = self.span(output).filter(|span| !(span.start..span.start + span.len).any(is_state));
            spans.push(found.unwrap_or_else(|| {
                let start = self.take_flat(self.terms[output].shape);
                copies.extend(self.laid_down(output, start));
                Span { start: start as usize, len: self.terms[output].shape.len() }
            }));
        }
        for &(state, new) in updates.iter().filter(|(state, new)| state != new) {
            let start = self.at[self.items.of_term(state)[0] as usize];
            for (from, to) in self.laid_down(new, start) {
                if (from as usize..from as usize + BLOCK).any(is_state) {
                    let aside = self.take(BLOCK);
                    copies.push((from, aside));
                    assigned.push((aside, to));
                } else {
                    assigned.push((from, to));
                }
            }
        }
        self.copy(&copies);
        self.copy(&assigned);
        let fill = |(i, term): (usize, &Term)| {
            let Op::Fill(value) = term.op else { return None };
            Some((Span { start: self.at[self.items.of_term(i)[0] as usize] as usize, len: BLOCK }, value))
        };
        let fills = self.terms.iter().enumerate().filter_map(fill).collect();
        let arena = self.end as usize + BLOCK;
        self.code.places = Listed::new(self.places, self.end);
        let steps = vec![Step::Scalars(Box::new(self.code))];
        Schedule { steps, places, outputs: spans, fills, arena, groups: Vec::new() }
    }
}
