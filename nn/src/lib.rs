//! Perceptrons on `autograd`.

pub mod data;
pub mod error;
mod file;
mod random;

pub use random::Random;
