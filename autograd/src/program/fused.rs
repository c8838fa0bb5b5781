//! A kernel of several pointwise operations: runs over blocks small enough for the first-level cache, so that
//! values between its operations never leave it.

use smallvec::SmallVec;

use crate::kernel::{Fault, View};
use crate::op::{Bits, Op};
use crate::program::plan::Span;
use crate::scalar::Real;
use crate::shape::Shape;

/// Numbers in a block.
pub(crate) const BLOCK: usize = 512;
/// Operations on numbers that make a part worth a thread.
const PART: usize = 1 << 17;
/// Parts that a kernel is cut into at most.
const PARTS: usize = 16;

/// Where an instruction finds a block of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a register: a block of scratch memory.
    Register(usize),
    /// In memory: the block at the same position of an operand of full shape.
    Slot(usize),
}

/// One operation on a block.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) op: Op,
    pub(crate) inputs: SmallVec<[Place; 3]>,
    pub(crate) output: Place,
}

/// How an operand that is smaller than the kernel's shape is spread over a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    Scalar,
    Row,
    Column,
}

/// A fused kernel.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    pub(crate) shape: Shape,
    /// Stretches of the arena, in order, none overlapping.
    pub(crate) slots: SmallVec<[Span; 8]>,
    /// Which slots are written.
    pub(crate) written: SmallVec<[bool; 8]>,
    /// Registers that hold a constant.
    pub(crate) constants: Vec<(usize, Bits)>,
    /// Registers that hold a smaller operand: register, slot, how it is spread.
    pub(crate) loads: Vec<(usize, usize, Spread)>,
    pub(crate) code: Vec<Instruction>,
    /// Registers copied to slots at the end of each block, because something still read what stood there.
    pub(crate) stores: Vec<(usize, usize)>,
    pub(crate) registers: usize,
}

/// An operand in memory while a part runs.
pub(crate) enum Slot<'a, T> {
    /// The whole, to be read.
    Read(&'a [T]),
    /// The part's own stretch, to be written (and perhaps read).
    Write(&'a mut [T]),
}

impl<T> Default for Slot<'_, T> {
    fn default() -> Self {
        Self::Read(&[])
    }
}

type Slots<'a, T> = SmallVec<[Slot<'a, T>; 8]>;

impl Fused {
    /// Whether some operand is spread along one direction only, so that rows matter.
    fn has_rows(&self) -> bool {
        self.loads.iter().any(|(_, _, spread)| *spread != Spread::Scalar)
    }

    /// Number of units that parts consist of, and elements in a unit: rows, or blocks of elements.
    fn units(&self) -> (usize, usize) {
        if self.has_rows() { (self.shape.rows, self.shape.cols) } else { (self.shape.len().div_ceil(BLOCK), BLOCK) }
    }

    /// Numbers in a register.
    pub(crate) fn width(&self) -> usize {
        self.shape.len().min(BLOCK)
    }

    /// Parts that the kernel is cut into: by its shape and length alone, whatever the number of threads.
    pub(crate) fn parts(&self) -> usize {
        let work = self.shape.len() * self.code.len().max(1);
        (work / PART).clamp(1, PARTS).min(self.units().0.max(1))
    }

    /// Numbers of scratch memory that a run needs.
    pub(crate) fn scratch(&self) -> usize {
        self.registers * self.width() * self.parts()
    }

    /// Registers and slots exist; what is written is marked so, and only that.
    pub(crate) fn verify(&self) -> Result<(), String> {
        let exists = |place: Place| match place {
            Place::Register(register) => register < self.registers,
            Place::Slot(slot) => slot < self.slots.len(),
        };
        for instruction in &self.code {
            let mut places = instruction.inputs.iter().copied().chain([instruction.output]);
            if !places.all(exists) {
                return Err(format!("{} at a place that is none", instruction.op.name()));
            }
            if instruction.inputs.contains(&instruction.output) {
                return Err(format!("{} writes over its operand", instruction.op.name()));
            }
        }
        let to_slots = self.code.iter().filter_map(|instruction| match instruction.output {
            Place::Register(_) => None,
            Place::Slot(slot) => Some(slot),
        });
        let mut writes: Vec<usize> = to_slots.chain(self.stores.iter().map(|(_, slot)| *slot)).collect();
        writes.sort_unstable();
        let marked: Vec<usize> = (0..self.slots.len()).filter(|&slot| self.written[slot]).collect();
        if writes == marked { Ok(()) } else { Err(format!("writes to {writes:?}, marked are {marked:?}")) }
    }

    /// Runs the kernel.
    pub(crate) fn run<T: Real>(&self, slots: &mut [Slot<'_, T>], scratch: &mut [T]) -> Result<(), Fault> {
        if self.shape.is_empty() {
            return Ok(());
        }
        let (units, _) = self.units();
        self.run_parts(self.parts(), 0, units, slots, scratch)
    }

    /// Runs units `from..to` in `parts` parts, side by side where there are threads.
    fn run_parts<T: Real>(
        &self,
        parts: usize,
        from: usize,
        to: usize,
        slots: &mut [Slot<'_, T>],
        scratch: &mut [T],
    ) -> Result<(), Fault> {
        if parts == 1 {
            return self.run_part(from, to, slots, scratch);
        }
        let half = parts / 2;
        let middle = from + (to - from) * half / parts;
        let (_, size) = self.units();
        let mut left = Slots::new();
        let mut right = Slots::new();
        for slot in slots {
            match core::mem::take(slot) {
                Slot::Read(all) => {
                    left.push(Slot::Read(all));
                    right.push(Slot::Read(all));
                }
                Slot::Write(own) => {
                    let (a, b) = own.split_at_mut(((middle - from) * size).min(own.len()));
                    left.push(Slot::Write(a));
                    right.push(Slot::Write(b));
                }
            }
        }
        let (a, b) = scratch.split_at_mut(self.registers * self.width() * half);
        let (first, second) = rayon::join(
            || self.run_parts(half, from, middle, &mut left, a),
            || self.run_parts(parts - half, middle, to, &mut right, b),
        );
        first.and(second)
    }

    fn run_part<T: Real>(
        &self,
        from: usize,
        to: usize,
        slots: &mut [Slot<'_, T>],
        scratch: &mut [T],
    ) -> Result<(), Fault> {
        let (_, size) = self.units();
        let end = (to * size).min(self.shape.len());
        let mut part = Part { kernel: self, slots, scratch, width: self.width(), base: from * size };
        part.prepare();
        let cols = self.shape.cols;
        if !self.has_rows() {
            return (part.base..end).step_by(BLOCK).try_for_each(|i| part.block(i, BLOCK.min(end - i)));
        }
        if cols <= part.width {
            let rows = (part.width / cols.max(1)).max(1);
            return (from..to).step_by(rows).try_for_each(|row| {
                let rows = rows.min(to - row);
                part.spread_columns(row, rows, cols);
                part.block(row * cols, rows * cols)
            });
        }
        (from..to).try_for_each(|row| {
            part.spread_columns(row, 1, part.width);
            (0..cols).step_by(BLOCK).try_for_each(|col| {
                let len = BLOCK.min(cols - col);
                part.spread_rows(col, len);
                part.block(row * cols + col, len)
            })
        })
    }
}

/// A part at work.
struct Part<'a, 'b, T> {
    kernel: &'a Fused,
    slots: &'a mut [Slot<'b, T>],
    scratch: &'a mut [T],
    width: usize,
    /// Position of the part's first element.
    base: usize,
}

impl<T: Real> Part<'_, '_, T> {
    fn register(&mut self, register: usize) -> &mut [T] {
        &mut self.scratch[register * self.width..(register + 1) * self.width]
    }

    /// Fills the registers that stay the same for all blocks.
    fn prepare(&mut self) {
        for &(register, value) in &self.kernel.constants {
            self.register(register).fill(value.get());
        }
        let cols = self.kernel.shape.cols;
        for &(register, slot, spread) in &self.kernel.loads {
            let Slot::Read(data) = self.slots[slot] else { continue };
            match spread {
                Spread::Scalar => self.register(register).fill(data[0]),
                Spread::Row if cols <= self.width && cols > 0 => {
                    for block in self.register(register).chunks_mut(cols) {
                        block.copy_from_slice(&data[..block.len()]);
                    }
                }
                Spread::Row | Spread::Column => {}
            }
        }
    }

    /// Spreads columns over a block of whole rows (or a piece of one row).
    fn spread_columns(&mut self, row: usize, rows: usize, cols: usize) {
        for &(register, slot, spread) in &self.kernel.loads {
            let Slot::Read(data) = self.slots[slot] else { continue };
            if spread == Spread::Column {
                for (value, block) in data[row..row + rows].iter().zip(self.register(register).chunks_mut(cols)) {
                    block.fill(*value);
                }
            }
        }
    }

    /// Spreads a piece of rows that are longer than a block.
    fn spread_rows(&mut self, col: usize, len: usize) {
        for &(register, slot, spread) in &self.kernel.loads {
            let Slot::Read(data) = self.slots[slot] else { continue };
            if spread == Spread::Row {
                self.register(register)[..len].copy_from_slice(&data[col..col + len]);
            }
        }
    }

    /// Runs the code over `len` elements from position `start` of the whole.
    fn block(&mut self, start: usize, len: usize) -> Result<(), Fault> {
        let kernel = self.kernel;
        for instruction in &kernel.code {
            self.step(instruction, start, len)?;
        }
        let own = start - self.base;
        for &(register, slot) in &kernel.stores {
            if let Slot::Write(to) = &mut self.slots[slot] {
                to[own..own + len].copy_from_slice(&self.scratch[register * self.width..register * self.width + len]);
            }
        }
        Ok(())
    }

    fn step(&mut self, instruction: &Instruction, start: usize, len: usize) -> Result<(), Fault> {
        let shape = Shape::new(1, len);
        let (width, own) = (self.width, start - self.base);
        match instruction.output {
            Place::Register(out) => {
                let (before, rest) = self.scratch.split_at_mut(out * width);
                let (out_block, after) = rest.split_at_mut(width);
                let slots = &*self.slots;
                let find = |place: Place| match place {
                    Place::Register(r) if r < out => &before[r * width..r * width + len],
                    Place::Register(r) => &after[(r - out - 1) * width..(r - out - 1) * width + len],
                    Place::Slot(slot) => read(&slots[slot], start, own, len),
                };
                call(instruction, find, shape, &mut out_block[..len])
            }
            Place::Slot(out) => {
                let taken = core::mem::take(&mut self.slots[out]);
                let (slots, scratch) = (&*self.slots, &*self.scratch);
                let find = |place: Place| match place {
                    Place::Register(r) => &scratch[r * width..r * width + len],
                    Place::Slot(slot) => read(&slots[slot], start, own, len),
                };
                let Slot::Write(to) = taken else { unreachable!("verified: only written slots are outputs") };
                let result = call(instruction, find, shape, &mut to[own..own + len]);
                self.slots[out] = Slot::Write(to);
                result
            }
        }
    }
}

fn read<'a, T>(slot: &'a Slot<'_, T>, start: usize, own: usize, len: usize) -> &'a [T] {
    match slot {
        Slot::Read(all) => &all[start..start + len],
        Slot::Write(mine) => &mine[own..own + len],
    }
}

/// Runs one operation on blocks of one shape.
#[inline]
fn call<'a, T: Real>(
    instruction: &Instruction,
    find: impl Fn(Place) -> &'a [T],
    shape: Shape,
    out: &mut [T],
) -> Result<(), Fault> {
    let view = |place: Place| View::new(find(place), shape);
    match *instruction.inputs.as_slice() {
        [x] => T::forward(instruction.op, &[view(x)], out),
        [x, y] => T::forward(instruction.op, &[view(x), view(y)], out),
        [x, y, z] => T::forward(instruction.op, &[view(x), view(y), view(z)], out),
        _ => unreachable!("pointwise operations take one to three operands"),
    }
}
