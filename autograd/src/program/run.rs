//! Running a kernel, part by part, block by block.

use smallvec::SmallVec;

use crate::error::RunError;
use crate::kernel::matmul::{self, Order, Rows, Threads, Update};
use crate::kernel::reduce::running;
use crate::kernel::{Fault, View, structure};
use crate::op::formula::MOST;
use crate::program::fuse::Tail;
use crate::program::fused::{ALIGNED, Action, BLOCK, Fused, Head, Instruction, Operand, Place, Summed};
use crate::program::pair::Pair;
use crate::program::plan::LINE;
use crate::program::threads;
use crate::scalar::Real;
use crate::shape::Shape;

/// An operand in memory while a part runs.
pub(crate) enum Slot<'a, T> {
    /// The whole, to be read.
    Read(&'a [T]),
    /// The part's own stretch, to be written (and perhaps read), and where in the whole it starts.
    Write(&'a mut [T], usize),
}

impl<T> Slot<'_, T> {
    fn read(&self, at: usize, len: usize) -> &[T] {
        match self {
            Self::Read(all) => &all[at..at + len],
            Self::Write(own, start) => &own[at - start..at - start + len],
        }
    }

    fn write(&mut self, at: usize, len: usize) -> &mut [T] {
        match self {
            Self::Read(_) => unreachable!("verified: only written slots are outputs"),
            Self::Write(own, start) => &mut own[at - *start..at - *start + len],
        }
    }
}

type Slots<'a, T> = SmallVec<[Slot<'a, T>; 8]>;

/// The slots before and after one that is written meanwhile.
// Slots stay where they are: one that was moved would be read back before its parts have reached the cache, behind all numbers
// that were written since.
#[derive(Clone, Copy)]
struct Others<'a, 'b, T> {
    before: &'a [Slot<'b, T>],
    after: &'a [Slot<'b, T>],
    /// The one that is written.
    at: usize,
}

impl<'a, 'b, T> Others<'a, 'b, T> {
    /// All of them.
    fn all(slots: &'a [Slot<'b, T>]) -> Self {
        Self { before: slots, after: &[], at: usize::MAX }
    }

    /// Slot `at`, and the others.
    fn apart(slots: &'a mut [Slot<'b, T>], at: usize) -> (&'a mut Slot<'b, T>, Self) {
        let (before, rest) = slots.split_at_mut(at);
        let (one, after) = rest.split_at_mut(1);
        (&mut one[0], Self { before, after, at })
    }

    fn get(self, slot: usize) -> &'a Slot<'b, T> {
        if slot < self.at { &self.before[slot] } else { &self.after[slot - self.at - 1] }
    }
}

impl Fused {
    /// Runs the kernel.
    pub(crate) fn run<T: Real>(&self, slots: &mut [Slot<'_, T>]) -> Result<(), RunError> {
        match &self.head {
            Some(head) if head.banded() => {
                let [left, right] = head.operands.map(|(slot, shape)| whole(&slots[slot], shape));
                let [a, b] = head.read(left, right);
                let threads = if self.parts > 1 { Threads::Pool } else { Threads::One };
                let mut result = Ok(());
                T::with_bands(a, b, threads, &mut |product| {
                    result = self.run_parts(self.parts, 0, self.units(), slots, Some(product));
                });
                result?;
            }
            Some(head) => {
                self.whole_product(head, slots);
                self.run_parts(self.parts, 0, self.units(), slots, None)?;
            }
            None => self.run_parts(self.parts, 0, self.units(), slots, None)?,
        }
        self.tails.iter().for_each(|tail| tail.join(slots));
        Ok(())
    }

    /// Numbers of rows that may be cut apart.
    fn units(&self) -> usize {
        self.rows.div_ceil(self.together)
    }

    fn whole_product<T: Real>(&self, head: &Head, slots: &mut [Slot<'_, T>]) {
        let Some(output) = head.output else { return };
        let (out, others) = Others::apart(slots, output);
        let [(left, left_shape), (right, right_shape)] = head.operands;
        let (left, right) = (whole(others.get(left), left_shape), whole(others.get(right), right_shape));
        let [a, b] = head.read(left, right);
        let threads = if threads::are_awake() { Threads::Awake } else { Threads::Pool };
        T::matmul(out.write(0, head.shape.len()), a, b, Update::Overwrite, threads);
    }

    /// Runs units `from..to` in `parts` parts, side by side where there are threads.
    fn run_parts<T: Real>(
        &self,
        parts: usize,
        from: usize,
        to: usize,
        slots: &mut [Slot<'_, T>],
        product: Option<Rows<'_, T>>,
    ) -> Result<(), RunError> {
        if parts == 1 || rayon::current_num_threads() == 1 {
            return self.run_part(from * self.together, (to * self.together).min(self.rows), slots, product);
        }
        let half = parts / 2;
        let middle = from + (to - from) * half / parts;
        let (mut left, mut right) = (Slots::new(), Slots::new());
        for (slot, stride) in slots.iter_mut().zip(&self.written) {
            match slot {
                Slot::Read(all) => {
                    left.push(Slot::Read(all));
                    right.push(Slot::Read(all));
                }
                Slot::Write(own, start) => {
                    let at = stride.map_or(0, |stride| stride.at(middle * self.together));
                    let at = at.max(*start).min(*start + own.len());
                    let (a, b) = own.split_at_mut(at - *start);
                    left.push(Slot::Write(a, *start));
                    right.push(Slot::Write(b, at));
                }
            }
        }
        let (first, second) = rayon::join(
            || self.run_parts(half, from, middle, &mut left, product),
            || self.run_parts(parts - half, middle, to, &mut right, product),
        );
        first.and(second)
    }

    fn run_part<T: Real>(
        &self,
        from: usize,
        to: usize,
        slots: &mut [Slot<'_, T>],
        product: Option<Rows<'_, T>>,
    ) -> Result<(), RunError> {
        let mut memory = T::workspace().take();
        if memory.len() < self.workspace() + LINE {
            memory.resize(self.workspace() + LINE, T::ZERO);
        }
        let start = memory.as_ptr().align_offset(LINE).min(LINE);
        let (registers, rest) = memory[start..].split_at_mut(self.registers * self.width);
        let (constants, band) = rest.split_at_mut(self.constants.len().next_multiple_of(ALIGNED));
        constants.iter_mut().zip(&self.constants).for_each(|(to, value)| *to = value.get());
        let mut part = Part { kernel: self, slots, registers, constants, band, band_row: from };
        part.prepare();
        // Without a product there is nothing to keep in the cache from band to band.
        let band = if product.is_some() { self.band() } else { (to - from).max(1) };
        let result = (from..to).step_by(band).try_for_each(|row| {
            let end = to.min(row + band);
            if let Some(product) = product {
                part.product(product, row, end);
            }
            part.rows(row, end)
        });
        T::workspace().set(memory);
        result
    }
}

fn whole<'a, T>(slot: &Slot<'a, T>, shape: Shape) -> View<'a, T> {
    match slot {
        Slot::Read(all) => View::new(all, shape),
        Slot::Write(..) => unreachable!("verified: what the product reads is not written"),
    }
}

impl Head {
    fn read<'a, T>(&self, left: View<'a, T>, right: View<'a, T>) -> [matmul::Operand<'a, T>; 2] {
        let order = |transposed| if transposed { Order::Transposed } else { Order::Plain };
        let operand = |view: View<'a, T>, transposed| matmul::Operand::new(view.data, view.shape, order(transposed));
        [operand(left, self.op.transpose_left), operand(right, self.op.transpose_right)]
    }
}

impl Summed {
    /// Makes the sum of the sums of parts.
    fn join<T: Real>(&self, slots: &mut [Slot<'_, T>]) {
        let (out, others) = Others::apart(slots, self.output);
        if let (Slot::Write(to, _), Slot::Write(parts, _)) = (out, others.get(self.parts)) {
            match self.tail {
                Tail::Total => to[0] = running::join(parts),
                Tail::Columns => running::join_rows(View::new(parts, Shape::new(parts.len() / to.len(), to.len())), to),
            }
        }
    }
}

/// Rows, and of wide ones some columns.
#[derive(Clone, Copy)]
struct Block {
    row: usize,
    rows: usize,
    wide: Option<(usize, usize, usize)>,
}

impl Block {
    /// Rows and columns of the block of a value with so many columns.
    #[inline]
    fn shape(self, cols: usize) -> Shape {
        match self.wide {
            Some((_, len, all)) if cols == all => Shape::new(1, len),
            _ => Shape::new(self.rows, cols),
        }
    }

    /// Where it starts in the value.
    #[inline]
    fn start(self, cols: usize) -> usize {
        match self.wide {
            Some((col, _, all)) if cols == all => self.row * cols + col,
            _ => self.row * cols,
        }
    }

    fn col(self) -> usize {
        self.wide.map_or(0, |(col, ..)| col)
    }

    /// The slot in which the block of an operand is found, where it begins there, and how long it is.
    #[inline]
    fn stretch(self, operand: Operand) -> Option<(usize, usize, usize)> {
        let len = self.shape(operand.cols).len();
        match operand.place {
            Place::Slot(slot) => Some((slot, self.start(operand.cols), len)),
            Place::Row(slot) => Some((slot, self.col(), len)),
            Place::Scalar(slot) => Some((slot, 0, 1)),
            Place::Register(_) | Place::Constant(_) | Place::Band => None,
        }
    }
}

/// A part at work.
struct Part<'a, 'b, T> {
    kernel: &'a Fused,
    slots: &'a mut [Slot<'b, T>],
    registers: &'a mut [T],
    constants: &'a [T],
    /// Rows of the product from `band_row` on.
    band: &'a mut [T],
    band_row: usize,
}

impl<T: Real> Part<'_, '_, T> {
    /// Fills the registers that stay the same for all blocks.
    fn prepare(&mut self) {
        let width = self.kernel.width;
        for &(register, value) in &self.kernel.fills {
            self.registers[register * width..(register + 1) * width].fill(value.get());
        }
        for &(register, slot) in &self.kernel.loads {
            let to = &mut self.registers[register * width..(register + 1) * width];
            let data: &[T] = match &self.slots[slot] {
                Slot::Read(all) => all,
                Slot::Write(own, _) => own,
            };
            repeat(data, to);
        }
    }

    /// Computes a band of the product.
    fn product(&mut self, product: Rows<'_, T>, row: usize, end: usize) {
        let Some(head) = &self.kernel.head else { return };
        let cols = head.shape.cols;
        match head.output {
            Some(slot) => product(row, self.slots[slot].write(row * cols, (end - row) * cols)),
            None => product(row, &mut self.band[..(end - row) * cols]),
        }
        self.band_row = row;
    }

    fn rows(&mut self, from: usize, to: usize) -> Result<(), RunError> {
        let Some(cols) = self.kernel.wide else {
            return (from..to)
                .step_by(self.kernel.block)
                .try_for_each(|row| self.block(Block { row, rows: self.kernel.block.min(to - row), wide: None }));
        };
        (from..to).try_for_each(|row| {
            (0..cols)
                .step_by(BLOCK)
                .try_for_each(|col| self.block(Block { row, rows: 1, wide: Some((col, BLOCK.min(cols - col), cols)) }))
        })
    }

    fn block(&mut self, block: Block) -> Result<(), RunError> {
        let kernel = self.kernel;
        for instruction in &kernel.code {
            self.step(instruction, block)?;
        }
        for tail in &kernel.tails {
            self.sum(tail, block);
        }
        for &(from, slot) in &kernel.stores {
            let Place::Register(register) = from.place else { continue };
            let len = block.shape(from.cols).len();
            let from_block = &self.registers[register * kernel.width..][..len];
            self.slots[slot].write(block.start(from.cols), len).copy_from_slice(from_block);
        }
        Ok(())
    }

    fn step(&mut self, instruction: &Instruction, block: Block) -> Result<(), RunError> {
        let (width, output) = (self.kernel.width, instruction.output);
        if let Some((pair, second)) = instruction.second {
            self.pair(pair, &instruction.inputs, [output, second], block);
            return Ok(());
        }
        let shape = block.shape(output.cols);
        let fixed = Fixed { constants: self.constants, band: &*self.band, band_row: self.band_row };
        match output.place {
            Place::Register(out) => {
                let (before, rest) = self.registers.split_at_mut(out * width);
                let (to, after) = rest.split_at_mut(width);
                let sources = Sources { before, after, out, slots: Others::all(self.slots), fixed, width };
                instruction.run(&sources, block, &mut to[..shape.len()])
            }
            Place::Slot(out) => {
                let (slot, slots) = Others::apart(self.slots, out);
                let to = slot.write(block.start(output.cols), shape.len());
                let sources = Sources { before: &*self.registers, after: &[], out: usize::MAX, slots, fixed, width };
                instruction.run(&sources, block, to)
            }
            Place::Row(_) | Place::Scalar(_) | Place::Constant(_) | Place::Band => {
                unreachable!("verified: they are only read")
            }
        }
    }

    /// Computes both results of a pair of operations, of an operand or the sum of two.
    fn pair(&mut self, pair: Pair, inputs: &[Operand], outputs: [Operand; 2], block: Block) {
        let (width, cols) = (self.kernel.width, outputs[0].cols);
        let (start, len) = (block.start(cols), block.shape(cols).len());
        let range = |operand: Option<&Operand>| match operand.map(|operand| operand.place) {
            Some(Place::Register(at)) => at * width..at * width + len,
            _ => 0..0,
        };
        let ranges = [range(inputs.first()), range(inputs.get(1)), range(outputs.first()), range(outputs.get(1))];
        let Ok([x, added, mut first, mut second]) = self.registers.get_disjoint_mut(ranges) else {
            unreachable!("verified: no operation writes over its operand, and no sum is that of a number with itself")
        };
        let fixed = Fixed { constants: self.constants, band: &*self.band, band_row: self.band_row };
        let mut operands: [&[T]; 2] = [x, added];
        let mut stretches = [None; 2];
        for ((operand, stretch), input) in operands.iter_mut().zip(&mut stretches).zip(inputs) {
            *operand = fixed.find(*input, block).unwrap_or(operand);
            *stretch = block.stretch(*input);
        }
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if outputs[0].place == Place::Slot(at) {
                first = slot.write(start, len);
            } else if outputs[1].place == Place::Slot(at) {
                second = slot.write(start, len);
            } else {
                let slot = &*slot;
                for (operand, stretch) in operands.iter_mut().zip(stretches) {
                    if let Some((_, from, len)) = stretch.filter(|(slot, ..)| *slot == at) {
                        *operand = slot.read(from, len);
                    }
                }
            }
        }
        match inputs {
            [_] => pair.forward([operands[0]], [first, second]),
            _ => pair.forward(operands, [first, second]),
        }
    }

    fn sum(&mut self, tail: &Summed, block: Block) {
        let (width, cols) = (self.kernel.width, tail.input.cols);
        let (parts, slots) = Others::apart(self.slots, tail.parts);
        let (before, rest) = self.registers.split_at_mut(tail.state * width);
        let (state, after) = rest.split_at_mut(width);
        let fixed = Fixed { constants: self.constants, band: &*self.band, band_row: self.band_row };
        let sources = Sources { before, after, out: tail.state, slots, fixed, width };
        let x = sources.view(tail.input, block);
        if let Slot::Write(sums, start) = parts {
            match tail.tail {
                Tail::Columns => {
                    let first = *start / cols * running::ROWS_TOGETHER;
                    running::add_rows(x, block.row - first, &mut sums[block.col()..], cols);
                }
                Tail::Total => {
                    let len = self.kernel.rows * cols;
                    if let Some((state, _)) = state.split_first_chunk_mut() {
                        running::add(x.data, block.start(cols), len, state, (*start / 2, sums));
                    }
                }
            }
        }
    }
}

/// Fills `to` with what is in `data`, again and again: by few copies, each as long as all before it.
fn repeat<T: Copy>(data: &[T], to: &mut [T]) {
    let mut filled = data.len().min(to.len());
    to[..filled].copy_from_slice(&data[..filled]);
    while filled < to.len() && filled > 0 {
        let more = filled.min(to.len() - filled);
        to.copy_within(..more, filled);
        filled += more;
    }
}

/// What no instruction writes.
#[derive(Clone, Copy)]
struct Fixed<'a, T> {
    constants: &'a [T],
    band: &'a [T],
    band_row: usize,
}

impl<'a, T> Fixed<'a, T> {
    fn find(self, operand: Operand, block: Block) -> Option<&'a [T]> {
        match operand.place {
            Place::Constant(i) => Some(&self.constants[i..=i]),
            Place::Band => {
                let start = block.start(operand.cols) - self.band_row * operand.cols;
                Some(&self.band[start..][..block.shape(operand.cols).len()])
            }
            Place::Register(_) | Place::Slot(_) | Place::Row(_) | Place::Scalar(_) => None,
        }
    }
}

/// Where operands are read while something is written: registers before and after that which is written.
struct Sources<'a, 'b, T> {
    before: &'a [T],
    after: &'a [T],
    out: usize,
    slots: Others<'a, 'b, T>,
    fixed: Fixed<'a, T>,
    width: usize,
}

impl<'a, T: Real> Sources<'a, '_, T> {
    fn view(&self, operand: Operand, block: Block) -> View<'a, T> {
        let single = matches!(operand.place, Place::Scalar(_) | Place::Constant(_));
        let shape = if single { Shape::SCALAR } else { block.shape(operand.cols) };
        View::new(self.find(operand, block), shape)
    }

    // Not a view, which is too large for registers: read back from memory, it waits for all that was written before.
    fn find(&self, operand: Operand, block: Block) -> &'a [T] {
        if let Some((slot, from, len)) = block.stretch(operand) {
            return self.slots.get(slot).read(from, len);
        }
        if let Place::Register(r) = operand.place {
            let (len, width) = (block.shape(operand.cols).len(), self.width);
            let (registers, r) = if r < self.out { (self.before, r) } else { (self.after, r - self.out - 1) };
            return &registers[r * width..r * width + len];
        }
        let Some(found) = self.fixed.find(operand, block) else { unreachable!("all other places are above") };
        found
    }
}

impl Instruction {
    fn run<T: Real>(&self, sources: &Sources<'_, '_, T>, block: Block, out: &mut [T]) -> Result<(), RunError> {
        let view = |k: usize| sources.view(self.inputs[k], block);
        let (op, site) = match self.action {
            Action::Apply(op, site) => (op, site),
            Action::Compute(formula) => {
                let mut operands: [&[T]; MOST] = [&[]; MOST];
                let count = self.inputs.len();
                for (operand, &input) in operands.iter_mut().zip(&self.inputs) {
                    let in_place = input.place == self.output.place;
                    *operand = if in_place { &[] } else { sources.find(input, block) };
                }
                T::formula(formula, &operands[..count], out);
                return Ok(());
            }
            Action::Spread => {
                structure::broadcast(view(0), block.shape(self.output.cols), out);
                return Ok(());
            }
        };
        let result = match self.inputs.len() {
            1 => T::forward(op, &[view(0)], out),
            2 => T::forward(op, &[view(0), view(1)], out),
            3 => T::forward(op, &[view(0), view(1), view(2)], out),
            _ => unreachable!("operations by element and by row take one to three operands"),
        };
        result.map_err(|fault| {
            let cols = self.inputs.get(1).map_or(0, |indices| indices.cols);
            Fault { position: fault.position + block.row * cols, ..fault }.at(op.name(), site)
        })
    }
}
