//! The gradient checker, tested on derivatives that are known: right ones and wrong ones.

mod difference;
