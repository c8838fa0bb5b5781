//! Tests of `nn` through its public API.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod data;
mod idx;
mod init;
mod metric;
mod oracle;
mod plot;
