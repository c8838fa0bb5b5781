//! Perceptrons on `autograd`.

pub mod data;
pub mod error;
mod file;
pub mod init;
pub mod metric;
pub mod plot;
mod random;

pub use random::Random;
