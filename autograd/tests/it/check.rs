//! The gradient checker, tested on derivatives that are known: right ones and wrong ones.

mod difference;
mod faults;
mod healthy;
mod power;
mod report;
mod rivals;
mod scale;
