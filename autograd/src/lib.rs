//! Automatic differentiation of scalars and matrices.

mod kernel;
mod matrix;
mod scalar;
mod shape;

pub use matrix::Matrix;
pub use scalar::Real;
pub use shape::Shape;
