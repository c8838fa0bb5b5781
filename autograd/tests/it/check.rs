<<<<<<< HEAD
//! The gradient checker, checked: what is right passes, what is wrong is found and named.
=======
//! The gradient checker, tested on derivatives that are known: right ones and wrong ones.
>>>>>>> check-graph

mod blame;
mod difference;
mod every_op;
mod faults;
mod graphs;
mod healthy;
mod kinks;
<<<<<<< HEAD
mod power;
mod report;
mod rivals;
mod scale;
=======
mod large;
>>>>>>> check-graph
mod shadow;
