//! Tests of the public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]
#![allow(clippy::float_cmp, reason = "exact results are claimed where they are compared exactly")]

mod program;
