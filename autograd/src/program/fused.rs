//! A kernel: a product, operations that follow it row by row, and sums. It runs over blocks small enough for the first-level
//! cache, so that values between its operations never leave it.

use core::panic::Location;

use smallvec::SmallVec;

use crate::kernel::matmul::{self, PARALLEL};
use crate::op::formula::Formula;
use crate::op::{Bits, MatMul, Op};
use crate::program::fuse::Tail;
use crate::program::pair::Pair;
use crate::program::plan::Span;
use crate::shape::Shape;

/// Numbers in a block of a row that is cut into several.
pub(crate) const BLOCK: usize = 1024;
/// Operations on numbers that make a part worth a thread.
const PART: usize = 1 << 17;
/// Parts that a kernel is cut into at most.
const PARTS: usize = 32;
/// Multiply-adds that take as long as an operation.
const MULTIPLY_ADDS: usize = 8;
/// Registers are as long as a multiple of this, so that each begins at a cache line.
pub(crate) const ALIGNED: usize = 16;
/// Elements of a product that stays in the cache until it is whole.
const WHOLE: usize = 1 << 14;

/// Where an instruction finds a block of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a register: a block of the thread's memory.
    Register(usize),
    /// In the arena: the rows of the block of an operand.
    Slot(usize),
    /// In the arena: a row that serves for all rows.
    Row(usize),
    /// In the arena: a number that serves for all.
    Scalar(usize),
    /// A constant.
    Constant(usize),
    /// In the thread's memory: the rows of the block of the product.
    Band,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Applies an operation recorded at this line.
    Apply(Op, &'static Location<'static>),
    /// Computes several operations in one loop.
    Compute(Formula),
    /// Repeats the single number of each row.
    Spread,
}

/// A block of numbers: where it is and the columns of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) place: Place,
    pub(crate) cols: usize,
}

/// Something done to a block.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) action: Action,
    pub(crate) inputs: SmallVec<[Operand; 3]>,
    pub(crate) output: Operand,
    /// A pair, and the result of its second operation.
    pub(crate) second: Option<(Pair, Operand)>,
}

impl Instruction {
    fn outputs(&self) -> impl Iterator<Item = &Operand> {
        core::iter::once(&self.output).chain(self.second.iter().map(|(_, second)| second))
    }
}

/// How the stretch of a slot that a part writes follows from its rows: it begins at `row · times / over · size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stride {
    pub(crate) times: usize,
    pub(crate) over: usize,
    pub(crate) size: usize,
}

impl Stride {
    /// Rows of so many columns.
    pub(crate) fn rows(cols: usize) -> Self {
        Self { times: cols, over: 1, size: 1 }
    }

    /// Written after all parts.
    pub(crate) const LATER: Self = Self { times: 0, over: 1, size: 1 };

    pub(crate) fn at(self, row: usize) -> usize {
        row * self.times / self.over * self.size
    }
}

/// The product at the head of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) op: MatMul,
    /// Slot and stored shape of each operand.
    pub(crate) operands: [(usize, Shape); 2],
    /// The slot of the result, if it is kept or computed at once.
    pub(crate) output: Option<usize>,
    pub(crate) shape: Shape,
    /// Multiply-adds for each element.
    pub(crate) steps: usize,
}

impl Head {
    /// Whether it is computed band by band; as a whole otherwise, before the rest.
    pub(crate) fn is_banded(shape: Shape, steps: usize) -> bool {
        shape.len() > WHOLE && matmul::has_bands(shape.rows, steps, shape.cols)
    }

    pub(crate) fn banded(&self) -> bool {
        Self::is_banded(self.shape, self.steps)
    }
}

/// A sum at the end of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Summed {
    pub(crate) tail: Tail,
    pub(crate) input: Operand,
    /// The slot of sums over some rows each.
    pub(crate) parts: usize,
    /// The slot of the result.
    pub(crate) output: usize,
    /// The register that is kept from block to block.
    pub(crate) state: usize,
}

/// A kernel.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    /// Rows that it runs over. Where rows play no part, elements count as rows.
    pub(crate) rows: usize,
    /// Columns of all values, if they are cut into blocks, one row at a time.
    pub(crate) wide: Option<usize>,
    /// Rows in a block.
    pub(crate) block: usize,
    /// Numbers in a register.
    pub(crate) width: usize,
    /// Rows that are not cut apart, a power of 2.
    pub(crate) together: usize,
    /// Parts that the kernel is cut into: by shapes and length alone, whatever the number of threads.
    pub(crate) parts: usize,
    pub(crate) head: Option<Head>,
    /// Stretches of the arena, in order, none overlapping.
    pub(crate) slots: SmallVec<[Span; 8]>,
    /// Which slots are written, and how.
    pub(crate) written: SmallVec<[Option<Stride>; 8]>,
    pub(crate) constants: Vec<Bits>,
    /// Registers that hold a constant, repeated.
    pub(crate) fills: Vec<(usize, Bits)>,
    /// Registers that hold a scalar or a row, repeated: register and slot.
    pub(crate) loads: Vec<(usize, usize)>,
    pub(crate) code: Vec<Instruction>,
    pub(crate) tails: Vec<Summed>,
    /// Registers copied to slots at the end of each block, because something still read what stood there.
    pub(crate) stores: Vec<(Operand, usize)>,
    pub(crate) registers: usize,
}

impl Fused {
    /// Columns of the widest value.
    pub(crate) fn cols(&self) -> usize {
        self.wide.unwrap_or(self.width / self.block.max(1))
    }

    /// See [`parts`](Self::parts), once all else is known.
    pub(crate) fn count_parts(&self) -> usize {
        let code = self.rows * self.cols() * (self.code.len() + self.tails.len()).max(1);
        let product = self.head.as_ref().filter(|head| head.banded()).map_or(0, |head| head.shape.len() * head.steps);
        let product = if product < PARALLEL { 0 } else { product / MULTIPLY_ADDS };
        let units = self.rows.div_ceil(self.together);
        ((code + product) / PART).clamp(1, PARTS).min(units.max(1))
    }

    /// Rows of the product that are computed at once.
    pub(crate) fn band(&self) -> usize {
        if self.head.is_some() { self.together } else { self.rows.max(1) }
    }

    /// Numbers that each thread keeps for it.
    pub(crate) fn workspace(&self) -> usize {
        let kept = |head: &&Head| head.banded() && head.output.is_none();
        let band = self.head.as_ref().filter(kept).map_or(0, |head| self.band().min(head.shape.rows) * head.shape.cols);
        self.registers * self.width + self.constants.len().next_multiple_of(ALIGNED) + band
    }

    /// Registers and slots exist; what is written is marked so, and only that; nothing but a formula writes over its own
    /// operand.
    pub(crate) fn verify(&self) -> Result<(), String> {
        let exists = |operand: &Operand| match operand.place {
            Place::Register(register) => register < self.registers,
            Place::Slot(slot) | Place::Row(slot) | Place::Scalar(slot) => slot < self.slots.len(),
            Place::Constant(constant) => constant < self.constants.len(),
            Place::Band => self.head.as_ref().is_some_and(|head| head.banded() && head.output.is_none()),
        };
        for instruction in &self.code {
            let name = match instruction.action {
                Action::Apply(op, _) => op.name(),
                Action::Compute(_) => "a formula",
                Action::Spread => "spread",
            };
            if !instruction.inputs.iter().chain(instruction.outputs()).all(exists) {
                return Err(format!("{name} at a place that is none"));
            }
            // A formula may: its first operand.
            let own = usize::from(matches!(instruction.action, Action::Compute(_)));
            let over = |output: &Operand| instruction.inputs[own..].iter().any(|input| input.place == output.place);
            if instruction.outputs().any(over)
                || instruction.second.is_some_and(|(_, second)| second.place == instruction.output.place)
            {
                return Err(format!("{name} writes over its operand"));
            }
            let numbers = if self.wide.is_some() { BLOCK } else { self.block * instruction.output.cols };
            if matches!(instruction.output.place, Place::Register(_)) && numbers > self.width {
                return Err(format!("{name}: a register holds {} numbers, not {numbers}", self.width));
            }
        }
        if let Some(tail) = self.tails.iter().find(|tail| !exists(&tail.input) || tail.state >= self.registers) {
            return Err(format!("{tail:?} at a place that is none"));
        }
        self.verify_writes()
    }

    fn verify_writes(&self) -> Result<(), String> {
        let to_slots = self.code.iter().flat_map(Instruction::outputs).filter_map(|output| match output.place {
            Place::Register(_) | Place::Row(_) | Place::Scalar(_) | Place::Constant(_) | Place::Band => None,
            Place::Slot(slot) => Some(slot),
        });
        let tails = self.tails.iter().flat_map(|tail| [tail.parts, tail.output]);
        let head = self.head.iter().filter_map(|head| head.output);
        let mut writes: Vec<usize> =
            to_slots.chain(self.stores.iter().map(|(_, slot)| *slot)).chain(tails).chain(head).collect();
        writes.sort_unstable();
        let marked: Vec<usize> = (0..self.slots.len()).filter(|&slot| self.written[slot].is_some()).collect();
        if writes != marked {
            return Err(format!("writes to {writes:?}, marked are {marked:?}"));
        }
        let operands = self.head.iter().flat_map(|head| head.operands);
        match operands.into_iter().find(|(slot, _)| self.written[*slot].is_some()) {
            Some((slot, _)) => Err(format!("writes over slot {slot}, which the product reads")),
            None => Ok(()),
        }
    }
}
