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
use crate::kernel::elementwise::Places;
use crate::op::Op;
use crate::op::custom::{self, Customs};
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
const MOST: usize = 24;

/// Most operands of an operation on whole values.
const OPERANDS: usize = 4;

/// Instructions among which those with one operation are brought together.
const WINDOW: usize = 512;

/// Linear code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scalars {
    /// What runs do, each once.
    codes: Vec<Code>,
    runs: Vec<Run>,
    /// Operands and results of operations on numbers, run after run. Operands beyond the last are the first again.
    places: Vec<Places>,
    /// Operands and results of all else.
    registers: Vec<u32>,
}

/// What an instruction does.
#[derive(Clone, Debug)]
enum Code {
    /// A pointwise operation on numbers.
    Apply(Op),
    /// The sum of so many products: a register for the result, then pairs of factors.
    Dot(usize),
    /// An operation on whole values: registers of all operands, then those of the result.
    Whole(Whole),
}

#[derive(Clone, Debug)]
struct Whole {
    op: Op,
    site: &'static Location<'static>,
    operands: SmallVec<[Shape; OPERANDS]>,
    result: Shape,
}

/// So many instructions with one code, of which none reads what another writes.
#[derive(Clone, Copy, Debug)]
struct Run {
    code: u32,
    count: u32,
}

impl Code {
    /// Entries among the registers for each instruction.
    fn registers(&self) -> usize {
        match self {
            Self::Apply(_) => 0,
            Self::Dot(products) => 2 * products + 1,
            Self::Whole(whole) => whole.operands.iter().map(|shape| shape.len()).sum::<usize>() + whole.result.len(),
        }
    }
}

impl Scalars {
    /// Runs the code.
    pub(crate) fn run<T: Real>(&self, file: &mut [T], customs: &Customs<T>) -> Result<(), RunError> {
        let (mut places, mut registers) = (self.places.as_slice(), self.registers.as_slice());
        for run in &self.runs {
            let (code, count) = (&self.codes[run.code as usize], run.count as usize);
            match code {
                Code::Apply(op) => {
                    let (now, later) = places.split_at(count);
                    T::numbers(op, now, file);
                    places = later;
                }
                Code::Dot(_) | Code::Whole(_) => {
                    let (now, later) = registers.split_at(count * code.registers());
                    match code {
                        Code::Whole(whole) => whole.run(now, file, customs)?,
                        Code::Dot(products) => dots(*products, now, file),
                        Code::Apply(_) => {}
                    }
                    registers = later;
                }
            }
        }
        Ok(())
    }

    /// How many instructions there are.
    pub(crate) fn instructions(&self) -> usize {
        self.runs.iter().map(|run| run.count as usize).sum()
    }
}

/// As the kernel of tiny products adds up.
fn dots<T: Real>(products: usize, registers: &[u32], file: &mut [T]) {
    for one in registers.chunks_exact(2 * products + 1) {
        let sum = |sum: T, pair: &[u32]| sum + file[pair[0] as usize] * file[pair[1] as usize];
        file[one[0] as usize] = one[1..].chunks_exact(2).fold(T::ZERO, sum);
    }
}

impl Whole {
    fn run<T: Real>(&self, registers: &[u32], file: &mut [T], customs: &Customs<T>) -> Result<(), RunError> {
        let mut operands = [[T::ZERO; MOST]; OPERANDS];
        let mut result = [T::ZERO; MOST];
        let mut rest = registers;
        for (shape, to) in self.operands.iter().zip(&mut operands) {
            let (now, later) = rest.split_at(shape.len());
            now.iter().zip(to).for_each(|(&from, to)| *to = file[from as usize]);
            rest = later;
        }
        let views = self.operands.iter().zip(&operands).map(|(shape, data)| View::new(&data[..shape.len()], *shape));
        let views: SmallVec<[View<'_, T>; OPERANDS]> = views.collect();
        let result = &mut result[..self.result.len()];
        custom::forward(customs, self.op, &views, result).map_err(|fault| fault.at(self.op.name(), self.site))?;
        rest.iter().zip(result).for_each(|(&to, from)| file[to as usize] = *from);
        Ok(())
    }
}

/// The schedule of a program whose values are all tiny; `None` if some are not.
pub(crate) fn schedule(terms: &[Term], outputs: &[usize], updates: &[(usize, usize)]) -> Option<Schedule> {
    let mut items = Items::of(terms)?;
    let codes = core::mem::take(&mut items.codes);
    let mut coder = Coder::new(terms, &items, codes, outputs, updates);
    let mut batches = Batches::new(items.values);
    let mut batch = Vec::new();
    for first in (0..items.codes_of.len()).step_by(WINDOW) {
        batches.enter(first..(first + WINDOW).min(items.codes_of.len()), &items, coder.codes.len());
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
    use super::{Code, Scalars};
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::op::{Exp, Op, Sin};
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
            let is = |run: &&super::Run| matches!(code.codes[run.code as usize], Code::Apply(o) if o == op);
            code.runs.iter().filter(is).map(|run| run.count).collect::<Vec<u32>>()
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
    fn a_program_with_a_larger_matrix_is_made_of_kernels() {
        let graph = Graph::<f64>::new();
        let x = graph.variable(Matrix::ones(5, 5));
        let program = graph.compile(&[x], &[], &[x.sum().exp()]).unwrap();
        assert!(!program.steps.iter().any(|step| matches!(step, Step::Scalars(_))));
    }
}
