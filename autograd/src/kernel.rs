//! Numbers in, numbers out: the loops. Nothing here knows a graph.

pub(crate) mod math;
pub(crate) mod matmul;

use matmul::{Operand, Threads, Update};

/// Code for one element type, compiled once in this crate and not again in every crate that uses it.
pub trait Dispatch: Sized {
    /// The matrix product: `out = op(a) op(b)`, or `out += op(a) op(b)`.
    #[doc(hidden)]
    fn matmul(out: &mut [Self], a: Operand<'_, Self>, b: Operand<'_, Self>, update: Update, threads: Threads);
}

macro_rules! dispatch {
    ($($t:ident),*) => {$(
        impl Dispatch for $t {
            fn matmul(
                out: &mut [Self],
                a: Operand<'_, Self>,
                b: Operand<'_, Self>,
                update: Update,
                threads: Threads,
            ) {
                matmul::product(out, a, b, update, threads);
            }
        }
    )*};
}

dispatch!(f32, f64);
