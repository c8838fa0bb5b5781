//! Where code that is generic over the element type becomes code for `f32` and for `f64`.

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::elementwise::Places;
use crate::kernel::matmul::{self, Operand, Threads, Update};
use crate::kernel::{Fault, View};
use crate::node::NodeId;
use crate::op::Op;
use crate::program::Program;
use crate::scalar::Real;

/// Code for one element type, compiled once in this crate and not again in every crate that uses it.
pub trait Dispatch: Sized {
    /// Computes one operation.
    #[doc(hidden)]
    fn forward(op: Op, inputs: &[View<'_, Self>], out: &mut [Self]) -> Result<(), Fault>;

    /// Computes one pointwise operation on numbers.
    #[doc(hidden)]
    fn numbers(op: &Op, places: &[Places], numbers: &mut [Self]);

    /// Computes a value on demand, and all that it needs.
    #[doc(hidden)]
    fn compute(graph: &Graph<Self>, target: NodeId) -> Result<(), RunError>
    where
        Self: Real;

    /// Runs a program.
    #[doc(hidden)]
    fn execute(program: &mut Program<Self>) -> Result<(), RunError>
    where
        Self: Real;

    /// The matrix product: `out = op(a) op(b)`, or `out += op(a) op(b)`.
    #[doc(hidden)]
    fn matmul(out: &mut [Self], a: Operand<'_, Self>, b: Operand<'_, Self>, update: Update, threads: Threads);

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

            fn numbers(op: &Op, places: &[Places], numbers: &mut [Self]) {
                op.numbers(places, numbers);
            }

            #[track_caller]
            fn compute(graph: &Graph<Self>, target: NodeId) -> Result<(), RunError> {
                graph.compute_missing(target)
            }

            fn execute(program: &mut Program<Self>) -> Result<(), RunError> {
                program.execute_steps()
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

            #[cfg(feature = "linalg")]
            fn factorise(task: crate::kernel::linalg::Task<'_, Self>, out: &mut [Self]) -> Result<(), Fault> {
                crate::kernel::linalg::run(task, out)
            }
        }
    )*};
}

dispatch!(f32, f64);
