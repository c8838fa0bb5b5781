//! The gradient checker, checked: what is right passes, what is wrong is found and named.

mod alarm;
mod blame;
mod difference;
mod every_op;
mod faults;
mod graphs;
mod healthy;
mod hidden;
mod kinks;
mod large;
mod mutation;
mod panics;
mod power;
mod report;
mod rivals;
mod scale;
mod shadow;
