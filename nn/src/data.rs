//! Data: sets of samples, mini-batches, files.
//!
//! A [`Dataset`] holds features and targets and [gathers](Dataset::gather) mini-batches of them straight into the
//! inputs of a program; [`Batches`] says which samples make up which batch; [`Standardiser`] brings features to mean
//! 0 and standard deviation 1; [`Idx`] is the file format of MNIST.

mod batches;
mod columns;
mod dataset;
mod idx;
mod standardise;

pub use batches::Batches;
pub use dataset::Dataset;
pub use idx::Idx;
pub use standardise::Standardiser;
