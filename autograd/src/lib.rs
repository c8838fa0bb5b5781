//! Automatic differentiation of scalars and matrices.

mod derive;
mod error;
mod evaluate;
mod graph;
mod kernel;
mod matrix;
mod node;
pub mod op;
mod program;
mod scalar;
mod shape;
mod var;
mod verify;

pub use derive::Sources;
pub use error::{CompileError, RunError, ShapeError};
pub use graph::Graph;
pub use matrix::Matrix;
pub use node::NodeId;
pub use op::{Axis, Op};
pub use program::Program;
pub use scalar::Real;
pub use shape::Shape;
pub use var::Var;
