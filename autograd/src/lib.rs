//! Automatic differentiation of scalars and matrices: any order, compiled.
//!
//! Operators and methods on [`Var`] record what is computed into a [`Graph`]. Derivatives are recorded into the same graph,
//! so they can be differentiated again. Values are computed on demand, or the graph is compiled into a [`Program`] that is
//! run many times without allocating.
//!
//! ```
//! use autograd::{Graph, Matrix};
//!
//! let graph = Graph::new();
//! let x = graph.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]); // three samples
//! let t = graph.constant([[1.0], [0.0], [1.0]]);
//! let w = graph.variable(Matrix::zeros(2, 1));
//! let loss = (x.matmul(w).sigmoid() - t).square().mean();
//! let dw = loss.gradient(w);
//! assert_eq!(loss.peek().item(), 0.25);
//! approx::assert_relative_eq!(dw.peek(), [[-0.25], [-1.0 / 3.0]].into(), max_relative = 1e-15);
//!
//! // A whole training step, compiled: w ← w - ½ dw.
//! let mut step = graph.compile(&[], &[(w, w - dw * 0.5)], &[loss])?;
//! for _ in 0..1000 {
//!     step.run(&[])?;
//! }
//! assert!(step.item(0) < 0.23);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order: [`Matrix`], [`Graph`], [`Var`], [`op`], [`Program`], the [`guide`].

#![forbid(unsafe_code)]

#[cfg(feature = "argmin")]
pub mod argmin;
pub mod check;
pub mod convert;
mod derive;
mod dispatch;
mod error;
mod evaluate;
mod function;
mod graph;
pub mod guide;
mod kernel;
mod matrix;
mod mix;
mod node;
pub mod op;
mod print;
mod program;
mod scalar;
mod shape;
mod trace;
mod var;
mod verify;

pub use derive::{Sources, per_sample_gradients};
pub use error::{CompileError, RunError, ShapeError};
pub use function::Function;
pub use graph::Graph;
pub use kernel::View;
pub use matrix::Matrix;
pub use node::NodeId;
pub use op::{Axis, Op};
pub use print::Picture;
pub use program::explain::Explanation;
pub use program::{Program, explain};
pub use scalar::Real;
pub use shape::Shape;
pub use trace::{NonFinite, TracedOperand};
pub use var::Var;
