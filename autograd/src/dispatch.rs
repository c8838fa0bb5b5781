//! Where code that is generic over the element type becomes code for `f32` and for `f64`.

use crate::error::RunError;
use crate::kernel::matmul::{self, Operand, Threads, Update};
use crate::kernel::{Fault, View};
use crate::op::{Op, Pieces};
use crate::program::Program;
use crate::scalar::Real;

/// Code for one element type, compiled once in this crate and not again in every crate that uses it.
pub trait Dispatch: Sized {
    /// Computes one operation.
    #[doc(hidden)]
    fn forward(op: Op, inputs: &[View<'_, Self>], out: &mut [Self]) -> Result<(), Fault>;

    /// On which of its smooth pieces an operation is.
    #[doc(hidden)]
    fn pieces(op: Op, inputs: &[View<'_, Self>]) -> Option<Pieces<Self>>;

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

            fn pieces(op: Op, inputs: &[View<'_, Self>]) -> Option<Pieces<Self>> {
                op.pieces(inputs)
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
