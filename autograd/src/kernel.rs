//! Numbers in, numbers out: the loops. Nothing here knows a graph.

pub(crate) mod math;

/// Code for one element type, compiled once in this crate and not again in every crate that uses it.
pub trait Dispatch {}
impl Dispatch for f32 {}
impl Dispatch for f64 {}
