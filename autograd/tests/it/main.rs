//! Tests of the public interface: derivatives against differences, formulas written by hand and other libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]
#![allow(clippy::float_cmp, reason = "exact results are claimed where they are compared exactly")]

mod accuracy;
mod allocations;
#[cfg(feature = "argmin")]
mod argmin;
mod backpropagation;
mod check;
mod compositions;
mod conventions;
mod convert;
mod custom;
mod depth;
mod directions;
mod docs;
mod edges;
mod errors;
mod function;
mod kernels;
mod laws;
mod linalg;
mod loops;
mod named;
mod operations;
mod oracle_ops;
mod print;
mod program;
mod random_graphs;
mod recipe;
mod source;
mod sums;
mod support;
mod tails;
mod trace;
