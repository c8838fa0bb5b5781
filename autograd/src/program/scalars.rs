//! Programs of tiny values: linear code over one file of numbers, instead of kernels.
//!
//! Every element of every value is a number by itself, so that broadcasting, transposing and reshaping cost nothing.
//! Instructions with one operation that do not need each other stand together and are one loop: within windows of the
//! code, because a wider search would keep more numbers alive than caches hold. A register is used again after its
//! last reader. Where most values are matrices, instructions compute [a few numbers each](blocks).

use core::array::from_fn;
use core::panic::Location;

use pulp::{Arch, Simd, WithSimd};
use smallvec::SmallVec;

use crate::error::RunError;
use crate::kernel::View;
use crate::kernel::elementwise::{Index, Places, block, set_block};
use crate::kernel::reduce;
use crate::op::custom::{self, Customs};
use crate::op::{Detach, Op, SumOfProducts};
use crate::program::pair::Pair;
use crate::program::schedule::Schedule;
use crate::program::simplify::Term;
use crate::scalar::Real;
use crate::shape::Shape;

mod batches;
mod blocks;
mod coder;
mod items;
mod verify;

use batches::Batches;
use coder::Coder;
use items::Items;

/// Most elements of a tiny value: from here on loops over whole values are faster.
pub(crate) const MOST: usize = 24;

/// Numbers in a block.
const BLOCK: usize = 4;

/// Most operands of an operation on whole values.
const OPERANDS: usize = 4;

/// The first of the operations of any code.
const COPY: Op = Op::Detach(Detach);

/// Instructions among which those with one operation are brought together.
const WINDOW: usize = 512;

/// Linear code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scalars {
    /// What is done, one after the other.
    parts: Vec<Part>,
    /// Operations on numbers, each once, and their runs.
    ops: Vec<Op>,
    runs: Vec<Run>,
    /// Operands and results of these, run after run. Operands beyond the last are the first again.
    places: Listed,
    /// Operations on whole values, each once.
    wholes: Vec<Whole>,
    /// Operands and results of folds and of operations on whole values.
    registers: Vec<u32>,
    /// Whether places are those of blocks.
    of_blocks: bool,
}

/// So many operations of one kind on numbers, of which none reads what another writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Which operation.
    op: u16,
    count: u16,
}

/// Places in as few bytes as the number of registers allows: long code is read from memory as fast as that can give it.
#[derive(Clone, Debug)]
enum Listed {
    Short(Vec<Places<u16>>),
    Long(Vec<Places<u32>>),
}

impl Default for Listed {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

impl Listed {
    /// `registers` are named by these places.
    #[allow(clippy::cast_possible_truncation, reason = "there are fewer registers")]
    fn new(places: Vec<Places<u32>>, registers: u32) -> Self {
        if registers > u32::from(u16::MAX) + 1 {
            return Self::Long(places);
        }
        Self::Short(places.into_iter().map(|places| places.map(|register| register as u16)).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Short(places) => places.len(),
            Self::Long(places) => places.len(),
        }
    }
}

/// A stretch of the code.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// So many runs of operations on numbers, or on blocks.
    Numbers(usize),
    /// So many folds of one kind: for each the register of the result, then those of the operands.
    Folds(Fold, u32),
    /// One of the operations on whole values: registers of all operands, then those of the result.
    Whole(u32),
    /// So many operations of a pair: the registers of the operands, of the first results, and of the second, which follow each
    /// other.
    Pair(Pair, u32),
    /// So many blocks of numbers that lie anywhere: for each its place, then those of the numbers.
    Gathers(u32),
}

/// Many numbers to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fold {
    /// The sum of so many products, whose factors stand in pairs, from 0 on.
    Products(u32),
    /// The same from the first product on.
    SumOfProducts(u32),
    /// The sum of so many numbers, of which nothing is lost.
    Sum(u32),
    /// The sum of so many numbers, plainly from the first to the last.
    PlainSum(u32),
}

/// What an instruction does.
#[derive(Clone, Copy, Debug)]
enum Code {
    /// Which pointwise operation on numbers.
    Apply(u16),
    Fold(Fold),
    /// Which operation on whole values.
    Whole(u32),
}

#[derive(Clone, Debug)]
struct Whole {
    op: Op,
    site: &'static Location<'static>,
    operands: SmallVec<[Shape; OPERANDS]>,
    result: Shape,
}

impl Scalars {
    /// Runs the code.
    pub(crate) fn run<T: Real>(&self, file: &mut [T], customs: &Customs<T>) -> Result<(), RunError> {
        match &self.places {
            Listed::Short(places) if self.of_blocks => {
                Arch::new().dispatch(OfBlocks { code: self, places, file, customs })
            }
            Listed::Short(places) => self.run_at::<T, u16, 1>(places, file, customs),
            Listed::Long(places) => self.run_at::<T, u32, 1>(places, file, customs),
        }
    }

    #[inline(always)]
    fn run_at<T: Real, I: Index, const L: usize>(
        &self,
        mut places: &[Places<I>],
        file: &mut [T],
        customs: &Customs<T>,
    ) -> Result<(), RunError> {
        let (mut runs, mut registers) = (self.runs.as_slice(), self.registers.as_slice());
        for part in &self.parts {
            match *part {
                Part::Numbers(count) => {
                    let (now, later) = runs.split_at(count);
                    let now = now.iter().map(|run| (&self.ops[usize::from(run.op)], usize::from(run.count)));
                    places =
                        if L == 1 { Op::numbers(now, places, file) } else { Op::blocks::<T, I, L>(now, places, file) };
                    runs = later;
                }
                Part::Folds(fold, count) => {
                    let (now, later) = registers.split_at(count as usize * fold.registers());
                    if L == 1 {
                        fold.run_numbers(now, file)
                    } else {
                        fold.run::<T, L>(now, file)
                    }
                    registers = later;
                }
                Part::Pair(pair, count) => {
                    let (now, later) = registers.split_at(3);
                    let [x, first, second] = from_fn(|k| now[k] as usize);
                    let (operands, results) = file.split_at_mut(first);
                    let (first, second) = results.split_at_mut(second - first);
                    let count = count as usize;
                    pair.forward([&operands[x..x + count]], [&mut first[..count], &mut second[..count]]);
                    registers = later;
                }
                Part::Gathers(count) => {
                    let (now, later) = registers.split_at(count as usize * (1 + BLOCK));
                    for &[block, ref numbers @ ..] in now.as_chunks::<{ 1 + BLOCK }>().0 {
                        set_block(file, block, numbers.map(|number| file[number as usize]));
                    }
                    registers = later;
                }
                Part::Whole(index) => {
                    let whole = &self.wholes[index as usize];
                    let (now, later) = registers.split_at(whole.registers());
                    whole.run(now, file, customs)?;
                    registers = later;
                }
            }
        }
        Ok(())
    }

    /// How many instructions there are.
    pub(crate) fn instructions(&self) -> usize {
        let others = self.parts.iter().map(|part| match part {
            Part::Numbers(_) => 0,
            Part::Folds(_, count) | Part::Gathers(count) => *count as usize,
            Part::Whole(_) | Part::Pair(..) => 1,
        });
        self.places.len() + others.sum::<usize>()
    }
}

/// Code over blocks, in the widest vector instructions that the processor has.
struct OfBlocks<'a, T: Real> {
    code: &'a Scalars,
    places: &'a [Places<u16>],
    file: &'a mut [T],
    customs: &'a Customs<T>,
}

impl<T: Real> WithSimd for OfBlocks<'_, T> {
    type Output = Result<(), RunError>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.code.run_at::<T, u16, BLOCK>(self.places, self.file, self.customs)
    }
}

impl Fold {
    fn operands(self) -> usize {
        match self {
            Self::Products(count) | Self::SumOfProducts(count) => 2 * count as usize,
            Self::Sum(count) | Self::PlainSum(count) => count as usize,
        }
    }

    /// Entries among the registers for each.
    fn registers(self) -> usize {
        1 + self.operands()
    }

    /// [`run`](Self::run) of numbers.
    // Not inlined: the loop over the parts would be slower.
    #[inline(never)]
    fn run_numbers<T: Real>(self, registers: &[u32], file: &mut [T]) {
        self.run::<T, 1>(registers, file);
    }

    /// Adds up as the kernels of tiny products and of short sums do. Of blocks, the first factor of a product is one number
    /// for all; a sum that loses nothing, and one of products that are numbers, is one of numbers.
    #[inline(always)]
    fn run<T: Real, const L: usize>(self, registers: &[u32], file: &mut [T]) {
        let of = self.operands();
        match self {
            Self::Products(_) => each(of, registers, file, |operands, file| {
                operands.as_chunks::<2>().0.iter().fold([T::ZERO; L], |sum, &[a, b]| {
                    let (a, b) = (file[a as usize], block::<T, L>(file, b));
                    from_fn(|i| sum[i] + a * b[i])
                })
            }),
            Self::Sum(_) => each(of, registers, file, |operands, file| {
                [reduce::sum_of_few(operands.iter().map(|&x| file[x as usize])); L]
            }),
            Self::PlainSum(_) => each(of, registers, file, |operands, file| {
                operands.iter().fold([T::ZERO; L], |sum, &x| {
                    let x = block::<T, L>(file, x);
                    from_fn(|i| sum[i] + x[i])
                })
            }),
            Self::SumOfProducts(_) => each(of, registers, file, |operands, file| {
                let number = |register: u32| file[register as usize];
                [SumOfProducts.value(operands.as_chunks::<2>().0.iter().map(|pair| pair.map(number))); L]
            }),
        }
    }
}

/// Computes what lies in the first register of each by a function of the other registers, so many, and of the file.
#[inline(always)]
fn each<T: Real, const L: usize>(
    operands: usize,
    mut registers: &[u32],
    file: &mut [T],
    f: impl Fn(&[u32], &[T]) -> [T; L],
) {
    while let [result, rest @ ..] = registers {
        let (now, later) = rest.split_at(operands);
        set_block(file, *result, f(now, file));
        registers = later;
    }
}

impl Whole {
    /// Entries among the registers.
    fn registers(&self) -> usize {
        self.operands.iter().map(|shape| shape.len()).sum::<usize>() + self.result.len()
    }

    #[inline(never)]
    fn run<T: Real>(&self, registers: &[u32], file: &mut [T], customs: &Customs<T>) -> Result<(), RunError> {
        let (from, to) = registers.split_at(registers.len() - self.result.len());
        let numbers: SmallVec<[T; OPERANDS * MOST]> = from.iter().map(|&register| file[register as usize]).collect();
        let mut rest = numbers.as_slice();
        let mut views: SmallVec<[View<'_, T>; OPERANDS]> = SmallVec::new();
        for &shape in &self.operands {
            let (now, later) = rest.split_at(shape.len());
            views.push(View::new(now, shape));
            rest = later;
        }
        let mut result = [T::ZERO; MOST];
        let result = &mut result[..to.len()];
        custom::forward(customs, self.op, &views, result).map_err(|fault| fault.at(self.op.name(), self.site))?;
        to.iter().zip(result).for_each(|(&to, from)| file[to as usize] = *from);
        Ok(())
    }
}

/// The schedule of a program whose values are all tiny; `None` if some are not.
pub(crate) fn schedule(terms: &[Term], outputs: &[usize], updates: &[(usize, usize)]) -> Option<Schedule> {
    let mut items = Items::of(terms)?;
    if let Some(schedule) = blocks::schedule(terms, &items, outputs, updates) {
        return Some(schedule);
    }
    let code = Scalars {
        ops: core::mem::take(&mut items.ops),
        wholes: core::mem::take(&mut items.wholes),
        ..Scalars::default()
    };
    let mut coder = Coder::new(terms, &items, code, outputs, updates);
    let mut batches = Batches::new(items.values);
    let mut batch = Vec::new();
    for first in (0..items.codes_of.len()).step_by(WINDOW) {
        batches.enter(first..(first + WINDOW).min(items.codes_of.len()), &items);
        while let Some(code) = batches.next(first, &mut batch) {
            coder.write(code, &batch);
        }
    }
    Some(coder.finish(outputs, updates))
}

/// Whether an operation costs no instruction: it only names numbers.
pub(crate) fn is_free(op: Op) -> bool {
    op.is_leaf() || matches!(op, Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape(_))
}

const NONE: u32 = u32::MAX;

/// A number that was counted not to be too large.
fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::{Part, Scalars};
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::op::{Axis, Exp, Op, Sigmoid, Sin};
    use crate::program::pair::Pair;
    use crate::program::{Program, Step};
    use crate::scalar::Real;
    use crate::var::Var;

    fn code(program: &Program<f64>) -> &Scalars {
        let [Step::Scalars(code)] = program.steps.as_slice() else { panic!("{:?}", program.steps) };
        assert_eq!(code.verify(program.arena.len()), Ok(()));
        code
    }

    #[test]
    fn numbers_alone_become_linear_code_in_few_registers() {
        let graph = Graph::new();
        let x = graph.variable(1.5);
        let y = (0..1000).fold(x, |y, _| (y * x).tanh());
        let program = graph.compile(&[x], &[], &[y]).unwrap();
        assert_eq!(code(&program).places.len(), 2000);
        assert!(program.arena.len() <= 3, "{} registers", program.arena.len());
    }

    #[test]
    fn instructions_of_one_kind_stand_together() {
        let graph = Graph::new();
        let x: Vec<Var<'_, f64>> = (0..100).map(|i| graph.variable(f64::from(i))).collect();
        let sum = x.iter().map(|x| x.exp().sin()).sum::<Var<'_, f64>>();
        let program = graph.compile(&x, &[], &[sum]).unwrap();
        let code = code(&program);
        let of = |op: Op| {
            let of_op = code.runs.iter().filter(|run| code.ops[usize::from(run.op)] == op);
            of_op.map(|run| run.count).collect::<Vec<u16>>()
        };
        assert_eq!((of(Exp.into()), of(Sin.into())), (vec![100], vec![100]));
    }

    #[test]
    fn moves_of_tiny_matrices_cost_nothing() {
        let graph = Graph::new();
        let x = graph.variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let y = (x.transpose() + 1.0).reshape(2, 3) * x.slice(0..1, 0..1).broadcast((2, 3));
        // So many single numbers that blocks are not worth it.
        let numbers = (0..20).fold(x.sum(), |y, _| y.exp());
        let program = graph.compile(&[x], &[], &[y, numbers]).unwrap();
        assert!(!code(&program).of_blocks);
        assert_eq!(code(&program).places.len(), 12 + 20);
        let y = (x.transpose() + 1.0).reshape(2, 3);
        let mut program = graph.compile(&[], &[], &[y, y.transpose(), x.transpose()]).unwrap();
        program.run(&[]).unwrap();
        assert_eq!(program.output(0), y.value());
        assert_eq!(program.output(1), y.value().transpose());
        assert_eq!(program.output(2), x.value().transpose());
    }

    #[test]
    fn states_change_places_and_outputs_are_old_values() {
        let graph = Graph::new();
        let (a, b, c) = (graph.variable([[1.0, 2.0]]), graph.variable([[3.0, 4.0]]), graph.variable(5.0));
        let outputs = [a, b, c, a + c];
        let mut program = graph.compile(&[], &[(a, b), (b, a), (c, c + 1.0)], &outputs).unwrap();
        code(&program);
        for (a, b, c) in [([1.0, 2.0], [3.0, 4.0], 5.0), ([3.0, 4.0], [1.0, 2.0], 6.0), ([1.0, 2.0], [3.0, 4.0], 7.0)] {
            program.run(&[]).unwrap();
            assert_eq!((program.output(0), program.output(1), program.item(2)), ([a].into(), [b].into(), c));
            assert_eq!(program.output(3), Matrix::from([[a[0] + c, a[1] + c]]));
        }
        assert_eq!(program.state(c.id()).unwrap(), Matrix::scalar(8.0));
    }

    #[test]
    fn sums_have_the_bits_of_the_kernels() {
        let numbers = [1e16, -0.0, 1.0, -1e16, 0.1, 1e-30, 0.3, -0.7, 3.5e15, 2.0, -0.0, 7e-9];
        for (rows, cols) in [(1, 1), (1, 12), (12, 1), (3, 4), (4, 3), (2, 2), (1, 2), (2, 1)] {
            for special in [None, Some(f64::INFINITY), Some(f64::NAN), Some(-0.0)] {
                let mut x = Matrix::from_fn(rows, cols, |i, j| numbers[i * cols + j]);
                if let Some(special) = special {
                    x.as_mut_slice().fill(special);
                }
                let graph = Graph::new();
                let x = graph.variable(x);
                let sums = [x.sum(), x.sum_axis(Axis::Rows), x.sum_axis(Axis::Columns)];
                let mut program = graph.compile(&[], &[], &sums).unwrap();
                assert!(code(&program).wholes.is_empty());
                program.run(&[]).unwrap();
                for (k, sum) in sums.iter().enumerate() {
                    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    let (ours, kernel) = (program.output(k), sum.value());
                    assert_eq!(bits(ours.as_slice()), bits(kernel.as_slice()), "{rows}x{cols}, sum {k}, {special:?}");
                }
            }
        }
    }

    /// A step of 2-3-1 on four samples.
    fn training_step(graph: &Graph<f64>) -> (Program<f64>, Vec<Var<'_, f64>>) {
        let matrix =
            |rows, cols| Matrix::from_fn(rows, cols, |i, j| f64::from_usize(3 * i + 2 * j + rows) * 0.37 - cols as f64);
        let x = graph.variable(matrix(4, 2));
        let weights = [(2, 3), (1, 3), (3, 1), (1, 1)].map(|(rows, cols)| graph.variable(matrix(rows, cols)));
        let hidden = (x.matmul(weights[0]) + weights[1]).sigmoid();
        let y = (hidden.matmul(weights[2]) + weights[3]).sigmoid();
        let loss = (y - 0.5).square().mean();
        let updates = weights.iter().zip(loss.gradient(weights)).map(|(&w, g)| (w, w - g * 2.0)).collect::<Vec<_>>();
        let values = [hidden, loss].into_iter().chain(updates.iter().map(|update| update.1)).collect();
        (graph.compile(&[x], &updates, &[hidden, loss]).unwrap(), values)
    }

    #[test]
    fn a_step_of_a_tiny_network_is_code_over_blocks_in_which_two_sigmoids_are_computed_at_once() {
        let graph = Graph::new();
        let (program, _) = training_step(&graph);
        let code = code(&program);
        assert!(code.of_blocks);
        let sigmoids = Op::from(Sigmoid);
        assert!(code.runs.iter().all(|run| code.ops[usize::from(run.op)] != sigmoids));
        let pairs = |part: &&Part| matches!(part, Part::Pair(Pair::Sigmoid, _));
        assert_eq!(code.parts.iter().filter(pairs).count(), 2);
        assert!(code.instructions() < 80, "{} instructions", code.instructions());
        assert!(program.arena.len() < 400, "{} numbers", program.arena.len());
    }

    #[test]
    fn sigmoids_of_other_shapes_are_no_pair() {
        let graph = Graph::new();
        let x = graph.variable([[0.5, -1.5, 3.0]]);
        let wide = x.broadcast((2, 3));
        for (first, second) in [(x.sigmoid(), (-wide).sigmoid()), (wide.sigmoid(), (-x).sigmoid())] {
            let mut program = graph.compile(&[], &[], &[first, second]).unwrap();
            assert!(code(&program).of_blocks);
            program.run(&[]).unwrap();
            assert_eq!((program.output(0), program.output(1)), (first.value(), second.value()));
        }
    }

    #[test]
    fn what_follows_the_numbers_of_a_block_changes_nothing() {
        let graph = Graph::new();
        let (program, values) = training_step(&graph);
        for rest in [f64::NAN, f64::INFINITY, 5e-324] {
            let mut program = program.clone();
            // No leaf is 0: all that is, is written before it is read, or does not matter.
            program.arena.all().iter_mut().filter(|number| number.abs() == 0.0).for_each(|number| *number = rest);
            program.execute().unwrap();
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            for (k, value) in values[..2].iter().enumerate() {
                assert_eq!(bits(program.output_slice(k)), bits(value.value().as_slice()), "output {k}, {rest}");
            }
            for (state, new) in program.states().into_iter().zip(&values[2..]) {
                assert_eq!(
                    bits(program.state_slice(state).unwrap()),
                    bits(new.value().as_slice()),
                    "{state:?}, {rest}"
                );
            }
        }
    }

    #[test]
    fn a_program_with_a_larger_matrix_is_made_of_kernels() {
        let graph = Graph::<f64>::new();
        let x = graph.variable(Matrix::ones(5, 5));
        let program = graph.compile(&[x], &[], &[x.sum().exp()]).unwrap();
        assert!(!program.steps.iter().any(|step| matches!(step, Step::Scalars(_))));
    }
}
