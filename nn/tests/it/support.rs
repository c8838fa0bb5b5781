//! What the tests share: panics as values, bits, an optimiser.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use autograd::{Matrix, Real, Var};
use nn::Params;
use nn::optimizer::{Optimizer, Step};

/// What a panic said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

thread_local! {
    static EXPECTING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs what must panic, without noise.
#[track_caller]
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> Caught {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !EXPECTING.get() {
                return usual(info);
            }
            let place = info.location().expect("a panic has a place");
            let message = info.payload_as_str().unwrap_or("no text").to_owned();
            let caught = Caught { message, file: place.file().to_owned(), line: place.line() };
            CAUGHT.set(Some(caught));
        }));
    });
    EXPECTING.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    EXPECTING.set(false);
    assert!(result.is_err(), "it did not panic");
    CAUGHT.take().expect("the hook was called")
}

/// The place and the text of a panic, where lines of `file` are written as `+n`, the n-th line after `base`.
#[track_caller]
pub(crate) fn said<R>(file: &str, base: u32, f: impl FnOnce() -> R) -> String {
    let caught = panic_of(f);
    relative(file, base, &format!("{}:{}:0: {}", caught.file, caught.line, caught.message))
}

fn relative(file: &str, base: u32, message: &str) -> String {
    let place = format!("{file}:");
    let mut parts = message.split(place.as_str());
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (line, rest) = part.split_at(end(part));
        let rest = rest.strip_prefix(':').expect("a column");
        let line: u32 = line.parse().expect("a line");
        text += &format!("+{}{}", line - base, &rest[end(rest)..]);
    }
    text
}

/// Names, shapes and bits of all parameters.
pub(crate) fn bits<T: Real>(params: &Params<T>) -> Vec<(String, String, Vec<u64>)> {
    let bits = |value: &Matrix<T>| value.as_slice().iter().map(|x| x.to_f64().to_bits()).collect();
    params.iter().map(|(name, value)| (name.to_owned(), value.shape().to_string(), bits(value))).collect()
}

/// The largest magnitude, NaN if there is one.
pub(crate) fn largest<T: Real>(matrix: &Matrix<T>) -> f64 {
    let magnitudes = matrix.as_slice().iter().map(|x| x.abs().to_f64());
    magnitudes.fold(0.0, |max, x| if x <= max { max } else { x })
}

/// RMSprop as PyTorch defines it, ε outside of the root: an optimiser from outside of the crate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TorchRmsProp {
    pub(crate) rate: f64,
    pub(crate) decay: f64,
    pub(crate) epsilon: f64,
}

impl<T: Real> Optimizer<T> for TorchRmsProp {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean_square"]
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        let g = step.gradient;
        let mean_square = step.slots[0] * T::from_f64(self.decay) + g.square() * T::from_f64(1.0 - self.decay);
        let root = mean_square.sqrt() + T::from_f64(self.epsilon);
        (step.parameter - step.rate * g / root, vec![mean_square])
    }
}
