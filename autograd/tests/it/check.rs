//! The gradient checker, tested on derivatives that are known: right ones and wrong ones.

mod blame;
mod difference;
mod every_op;
mod graphs;
mod kinks;
mod large;
mod shadow;
