//! The guide: how it works inside.

#[doc = include_str!("guide/architecture.md")]
pub mod architecture {}

#[doc = include_str!("guide/adding_an_op.md")]
pub mod adding_an_op {}

#[doc = include_str!("guide/conventions.md")]
pub mod conventions {}

#[doc = include_str!("guide/numerics.md")]
pub mod numerics {}
