//! The gradient checker, checked: what is right passes, what is wrong is found and named.

mod blame;
mod every_op;
mod graphs;
mod kinks;
mod shadow;
