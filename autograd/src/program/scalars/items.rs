//! From terms to what is computed number by number.

use core::hash::BuildHasherDefault;
use std::collections::HashMap;

use smallvec::SmallVec;

use super::{COPY, Code, Fold, MOST, OPERANDS, Whole, small};
use crate::kernel::matmul::TINY;
use crate::kernel::reduce::FewRows;
use crate::mix::Mix;
use crate::op::{Axis, MatMul, Op, Sum};
use crate::program::simplify::Term;
use crate::shape::Shape;

/// What is to be computed, number by number; numbers are named in the order of their making.
#[derive(Default)]
pub(super) struct Items {
    pub(super) codes: Vec<Code>,
    pub(super) ops: Vec<Op>,
    pub(super) wholes: Vec<Whole>,
    known: HashMap<Op, u32, BuildHasherDefault<Mix>>,
    known_folds: HashMap<Fold, u32, BuildHasherDefault<Mix>>,
    /// By item: its code, and where its operands end, and its results.
    pub(super) codes_of: Vec<u32>,
    /// By term: where its items end.
    pub(super) item_ends: Vec<u32>,
    input_ends: Vec<u32>,
    output_ends: Vec<u32>,
    pub(super) inputs: Vec<u32>,
    outputs: Vec<u32>,
    /// How many numbers there are.
    pub(super) values: usize,
    /// By term: where its elements start; then the numbers that these are.
    starts: Vec<usize>,
    elements: Vec<u32>,
}

/// Numbers that a tiny term reads, at most.
fn most_inputs(term: &Term) -> usize {
    4 * MOST * MOST + term.inputs.len()
}

impl Items {
    pub(super) fn of(terms: &[Term]) -> Option<Self> {
        let mut items = Self { ops: vec![COPY], ..Self::default() };
        for term in terms {
            items.starts.push(items.elements.len());
            let len = term.shape.len();
            if len == 0 || len > MOST || u32::try_from(items.inputs.len() + items.values + most_inputs(term)).is_err() {
                return None;
            }
            items.add(terms, term)?;
            items.item_ends.push(small(items.codes_of.len()));
        }
        items.starts.push(items.elements.len());
        Some(items)
    }

    pub(super) fn of_term(&self, term: usize) -> &[u32] {
        &self.elements[self.starts[term]..self.starts[term + 1]]
    }

    fn new_value(&mut self) -> u32 {
        self.values += 1;
        small(self.values - 1)
    }

    /// The number at a place of a term, or of what it is broadcast to.
    fn at(&self, terms: &[Term], term: usize, (row, col): (usize, usize)) -> u32 {
        let shape = terms[term].shape;
        let row = if shape.rows == 1 { 0 } else { row };
        let col = if shape.cols == 1 { 0 } else { col };
        self.element(terms, term, (row, col))
    }

    fn end(&mut self, code: u32) {
        self.codes_of.push(code);
        self.input_ends.push(small(self.inputs.len()));
        self.output_ends.push(small(self.outputs.len()));
    }

    pub(super) fn inputs_of(&self, item: usize) -> &[u32] {
        let start = if item == 0 { 0 } else { self.input_ends[item - 1] };
        &self.inputs[start as usize..self.input_ends[item] as usize]
    }

    pub(super) fn outputs_of(&self, item: usize) -> &[u32] {
        let start = if item == 0 { 0 } else { self.output_ends[item - 1] };
        &self.outputs[start as usize..self.output_ends[item] as usize]
    }

    /// A new number, the result of the item that ends with it.
    fn result(&mut self) {
        let value = self.new_value();
        self.outputs.push(value);
        self.elements.push(value);
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "all others are computed as they are elsewhere")]
    fn add(&mut self, terms: &[Term], term: &Term) -> Option<()> {
        let Shape { rows, cols } = term.shape;
        let places = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        match term.op {
            Op::Fill(_) => {
                let value = self.new_value();
                self.elements.extend(places.map(|_| value));
            }
            op if op.is_leaf() => places.for_each(|_| {
                let value = self.new_value();
                self.elements.push(value);
            }),
            op if op.is_pointwise() => {
                let code = self.code_of(op)?;
                for place in places {
                    for &input in &term.inputs {
                        let value = self.at(terms, input, place);
                        self.inputs.push(value);
                    }
                    self.result();
                    self.end(code);
                }
            }
            Op::Transpose(_) => places.for_each(|(i, j)| {
                let value = self.at(terms, term.inputs[0], (j, i));
                self.elements.push(value);
            }),
            Op::Broadcast(_) => places.for_each(|place| {
                let value = self.at(terms, term.inputs[0], place);
                self.elements.push(value);
            }),
            Op::Reshape(_) => self.same(term.inputs[0]),
            Op::MatMul(op) => self.product(terms, term, op)?,
            Op::Sum(Sum(axis)) => self.sum(terms, term, axis),
            Op::SumOfProducts(_) => {
                for &factor in &term.inputs {
                    let factor = self.element(terms, factor, (0, 0));
                    self.inputs.push(factor);
                }
                let code = self.fold_of(Fold::SumOfProducts(small(term.inputs.len() / 2)));
                self.result();
                self.end(code);
            }
            op => self.whole(terms, term, op)?,
        }
        Some(())
    }

    /// A matrix product, element by element; `None` if the kernel would add up in another order.
    fn product(&mut self, terms: &[Term], term: &Term, op: MatMul) -> Option<()> {
        let (a, b) = (term.inputs[0], term.inputs[1]);
        let steps = if op.transpose_left { terms[a].shape.rows } else { terms[a].shape.cols };
        if term.shape.len() * steps > TINY {
            return None;
        }
        let code = self.fold_of(Fold::Products(small(steps)));
        for i in 0..term.shape.rows {
            for j in 0..term.shape.cols {
                for p in 0..steps {
                    let left = if op.transpose_left { (p, i) } else { (i, p) };
                    let right = if op.transpose_right { (j, p) } else { (p, j) };
                    let factors = [self.element(terms, a, left), self.element(terms, b, right)];
                    self.inputs.extend(factors);
                }
                self.result();
                self.end(code);
            }
        }
        Some(())
    }

    fn element(&self, terms: &[Term], term: usize, (row, col): (usize, usize)) -> u32 {
        self.elements[self.starts[term] + row * terms[term].shape.cols + col]
    }

    /// A sum, whole or along an axis, in the order of the kernels of short sums.
    fn sum(&mut self, terms: &[Term], term: &Term, axis: Option<Axis>) {
        let x = term.inputs[0];
        let Shape { rows, cols } = terms[x].shape;
        let fold = |items: &mut Self, fold: fn(u32) -> Fold, places: &mut dyn Iterator<Item = (usize, usize)>| {
            let start = items.inputs.len();
            for place in places {
                let value = items.element(terms, x, place);
                items.inputs.push(value);
            }
            let code = items.fold_of(fold(small(items.inputs.len() - start)));
            items.result();
            items.end(code);
        };
        match (axis, FewRows::of(terms[x].shape)) {
            (None, _) => fold(self, Fold::Sum, &mut (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)))),
            (Some(Axis::Columns), _) => {
                (0..rows).for_each(|i| fold(self, Fold::Sum, &mut (0..cols).map(|j| (i, j))));
            }
            (Some(Axis::Rows), FewRows::Row) => self.same(x),
            (Some(Axis::Rows), FewRows::Compensated) => fold(self, Fold::Sum, &mut (0..rows).map(|i| (i, 0))),
            (Some(Axis::Rows), FewRows::Plain) => {
                (0..cols).for_each(|j| fold(self, Fold::PlainSum, &mut (0..rows).map(|i| (i, j))));
            }
        }
    }

    /// The elements of another term.
    fn same(&mut self, term: usize) {
        self.elements.extend_from_within(self.starts[term]..self.starts[term + 1]);
    }

    /// `None` if there are too many operations.
    fn code_of(&mut self, op: Op) -> Option<u32> {
        let next = small(self.codes.len());
        let code = *self.known.entry(op).or_insert(next);
        if code == next {
            self.codes.push(Code::Apply(u16::try_from(self.ops.len()).ok()?));
            self.ops.push(op);
        }
        Some(code)
    }

    fn fold_of(&mut self, fold: Fold) -> u32 {
        let next = small(self.codes.len());
        let code = *self.known_folds.entry(fold).or_insert(next);
        if code == next {
            self.codes.push(Code::Fold(fold));
        }
        code
    }

    fn whole(&mut self, terms: &[Term], term: &Term, op: Op) -> Option<()> {
        let operands: SmallVec<[Shape; OPERANDS]> = term.inputs.iter().map(|&input| terms[input].shape).collect();
        if operands.len() > OPERANDS {
            return None;
        }
        for &input in &term.inputs {
            let elements = self.starts[input]..self.starts[input + 1];
            self.inputs.extend_from_slice(&self.elements[elements]);
        }
        (0..term.shape.len()).for_each(|_| self.result());
        let code = small(self.codes.len());
        self.codes.push(Code::Whole(small(self.wholes.len())));
        self.wholes.push(Whole { op, site: term.site, operands, result: term.shape });
        self.end(code);
        Some(())
    }
}
