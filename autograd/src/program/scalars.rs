//! Programs of tiny values: linear code over one file of numbers, instead of kernels over blocks.
//!
//! Every element of every value is a number by itself, so that broadcasting, transposing and reshaping cost nothing.
//! Instructions with one operation that do not need each other stand together and are one loop: within windows of the
//! code, because a wider search would keep more numbers alive than caches hold. A register is used again after its
//! last reader.

use core::panic::Location;

use smallvec::SmallVec;

use crate::error::RunError;
use crate::kernel::View;
use crate::kernel::elementwise::{Index, Places};
use crate::kernel::reduce;
use crate::op::custom::{self, Customs};
use crate::op::{Detach, Op, SumOfProducts};
use crate::program::schedule::Schedule;
use crate::program::simplify::Term;
use crate::scalar::Real;
use crate::shape::Shape;

mod batches;
mod coder;
mod items;
mod verify;

use batches::Batches;
use coder::Coder;
use items::Items;

/// Most elements of a tiny value: from here on loops over whole values are faster.
pub(crate) const MOST: usize = 24;

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
    /// So many runs of operations on numbers.
    Numbers(usize),
    /// So many folds of one kind: for each the register of the result, then those of the operands.
    Folds(Fold, u32),
    /// One of the operations on whole values: registers of all operands, then those of the result.
    Whole(u32),
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
            Listed::Short(places) => self.run_at(places, file, customs),
            Listed::Long(places) => self.run_at(places, file, customs),
        }
    }

    fn run_at<T: Real, I: Index>(
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
                    places = Op::numbers(now, places, file);
                    runs = later;
                }
                Part::Folds(fold, count) => {
                    let (now, later) = registers.split_at(count as usize * fold.registers());
                    fold.run(now, file);
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
            Part::Folds(_, count) => *count as usize,
            Part::Whole(_) => 1,
        });
        self.places.len() + others.sum::<usize>()
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

    /// Adds up as the kernels of tiny products and of short sums do.
    fn run<T: Real>(self, registers: &[u32], file: &mut [T]) {
        let all = registers.chunks_exact(self.registers());
        match self {
            Self::Products(_) => each(all, file, |operands, number| {
                operands.as_chunks::<2>().0.iter().fold(T::ZERO, |sum, &[a, b]| sum + number(a) * number(b))
            }),
            Self::SumOfProducts(_) => each(all, file, |operands, number| {
                SumOfProducts.value(operands.as_chunks::<2>().0.iter().map(|pair| pair.map(number)))
            }),
            Self::Sum(_) => each(all, file, |operands, number| reduce::sum_of_few(operands.iter().map(|&x| number(x)))),
            Self::PlainSum(_) => {
                each(all, file, |operands, number| operands.iter().fold(T::ZERO, |sum, &x| sum + number(x)))
            }
        }
    }
}

/// Computes the number in the first register of each by a function of the other registers and of what they hold.
#[inline(always)]
fn each<'a, T: Real>(all: impl Iterator<Item = &'a [u32]>, file: &mut [T], f: impl Fn(&[u32], &dyn Fn(u32) -> T) -> T) {
    for one in all {
        if let [result, operands @ ..] = one {
            file[*result as usize] = f(operands, &|register| file[register as usize]);
        }
    }
}

impl Whole {
    /// Entries among the registers.
    fn registers(&self) -> usize {
        self.operands.iter().map(|shape| shape.len()).sum::<usize>() + self.result.len()
    }

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
    use super::Scalars;
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::op::{Axis, Exp, Op, Sin};
    use crate::program::{Program, Step};
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
        let program = graph.compile(&[x], &[], &[y]).unwrap();
        assert_eq!(code(&program).places.len(), 12);
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

    #[test]
    fn a_program_with_a_larger_matrix_is_made_of_kernels() {
        let graph = Graph::<f64>::new();
        let x = graph.variable(Matrix::ones(5, 5));
        let program = graph.compile(&[x], &[], &[x.sum().exp()]).unwrap();
        assert!(!program.steps.iter().any(|step| matches!(step, Step::Scalars(_))));
    }
}
