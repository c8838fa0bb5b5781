//! The derivatives of `autograd`, against differences, formulas written by hand and other libraries.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod backpropagation;
mod finite;
mod operations;
mod support;
