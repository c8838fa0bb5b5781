//! Tests of `nn` through its public API.

#![allow(clippy::float_cmp, reason = "exact results are claimed where they are compared exactly")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod check;
mod checkpoint;
mod data;
mod docs;
mod idx;
mod init;
mod layer;
mod loss;
mod messages;
mod metric;
mod network;
mod optimizer;
mod oracle;
mod plot;
#[path = "../../../autograd/tests/it/source.rs"]
mod source;
mod support;
mod training;
