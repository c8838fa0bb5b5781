//! Where code that is generic over the element type becomes code for `f32` and for `f64`.

use core::cell::Cell;
use core::ops::Range;
use std::thread::LocalKey;

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::matmul::{self, Operand, Rows, Threads, Update};
use crate::kernel::{Fault, View};
use crate::node::NodeId;
use crate::op::formula::Formula;
use crate::op::{Op, Pieces};
use crate::program::Program;
use crate::scalar::Real;

/// Code for one element type, compiled once in this crate and not again in every crate that uses it.
pub trait Dispatch: Sized {
    /// Computes one operation.
    #[doc(hidden)]
    fn forward(op: Op, inputs: &[View<'_, Self>], out: &mut [Self]) -> Result<(), Fault>;

    /// Computes several operations in one loop.
    #[doc(hidden)]
    fn formula(formula: Formula, operands: &[&[Self]], out: &mut [Self]);

    /// Computes a value on demand, and all that it needs.
    #[doc(hidden)]
    fn compute(graph: &Graph<Self>, target: NodeId) -> Result<(), RunError>
    where
        Self: Real;

    /// On which of its smooth pieces an operation is.
    #[doc(hidden)]
    fn pieces(op: Op, inputs: &[View<'_, Self>]) -> Option<Pieces<Self>>;

    /// Runs some steps of a program.
    #[doc(hidden)]
    fn execute(program: &mut Program<Self>, steps: Range<usize>) -> Result<(), RunError>
    where
        Self: Real;

    /// The matrix product: `out = op(a) op(b)`, or `out += op(a) op(b)`.
    #[doc(hidden)]
    fn matmul(out: &mut [Self], a: Operand<'_, Self>, b: Operand<'_, Self>, update: Update, threads: Threads);

    /// The matrix product by bands: calls `f` with a function that writes rows from a row on.
    #[doc(hidden)]
    fn with_bands(a: Operand<'_, Self>, b: Operand<'_, Self>, threads: Threads, f: &mut dyn FnMut(Rows<'_, Self>));

    /// Memory of this thread that outlives a kernel. Who uses it takes it and puts it back.
    #[doc(hidden)]
    fn workspace() -> &'static LocalKey<Cell<Vec<Self>>>;

    /// What needs a factorisation.
    #[cfg(feature = "linalg")]
    #[doc(hidden)]
    fn factorise(task: crate::kernel::linalg::Task<'_, Self>, out: &mut [Self]) -> Result<(), Fault>;
}

macro_rules! dispatch {
    ($($t:ident),*) => {$(
        impl Dispatch for $t {
            fn forward(op: Op, inputs: &[View<'_, Self>], out: &mut [Self]) -> Result<(), Fault> {
                op.forward(inputs, out)
            }

            fn formula(formula: Formula, operands: &[&[Self]], out: &mut [Self]) {
                formula.run(operands, out);
            }

            #[track_caller]
            fn compute(graph: &Graph<Self>, target: NodeId) -> Result<(), RunError> {
                graph.compute_missing(target)
            }

            fn pieces(op: Op, inputs: &[View<'_, Self>]) -> Option<Pieces<Self>> {
                op.pieces(inputs)
            }

            fn execute(program: &mut Program<Self>, steps: Range<usize>) -> Result<(), RunError> {
                program.execute_steps(steps)
            }

            fn matmul(
                out: &mut [Self],
                a: Operand<'_, Self>,
                b: Operand<'_, Self>,
                update: Update,
                threads: Threads,
            ) {
                matmul::product(out, a, b, update, threads);
            }

            fn with_bands(
                a: Operand<'_, Self>,
                b: Operand<'_, Self>,
                threads: Threads,
                f: &mut dyn FnMut(Rows<'_, Self>),
            ) {
                matmul::with_bands(a, b, threads, f);
            }

            fn workspace() -> &'static LocalKey<Cell<Vec<Self>>> {
                thread_local! {
                    static WORKSPACE: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                }
                &WORKSPACE
            }

            #[cfg(feature = "linalg")]
            fn factorise(task: crate::kernel::linalg::Task<'_, Self>, out: &mut [Self]) -> Result<(), Fault> {
                crate::kernel::linalg::run(task, out)
            }
        }
    )*};
}

dispatch!(f32, f64);
