//! Tests of the public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]

mod program;
