//! The derivatives of `autograd`, against differences, formulas written by hand and other libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod backpropagation;
mod conventions;
mod depth;
mod errors;
mod finite;
mod loops;
mod named;
mod operations;
mod oracle_ops;
mod support;
