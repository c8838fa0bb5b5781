//! Epochs of a job: prints the seconds of each, one a line, as the scripts beside it do.
//!
//! `cargo run --release --bin epochs -- THREADS EPOCHS [JOB]`, where JOB is `main` (784-512-10, relu, RMSprop, batches of
//! 128; if none is named) or `small` (784-16-16-10, sigmoid, gradient descent, batches of 32).
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

use std::error::Error;

use benches::network;
use nn::data::Dataset;
use nn::optimizer::{RmsProp, Sgd};
use nn::{Activation, Trainer, loss};

fn main() -> Result<(), Box<dyn Error>> {
    let number = |i: usize| std::env::args().nth(i).ok_or("usage: epochs THREADS EPOCHS [main | small]");
    let (threads, epochs): (usize, usize) = (number(1)?.parse()?, number(2)?.parse()?);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/mnist");
    let (train, _) = Dataset::<f32>::mnist(folder)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let small = std::env::args().nth(3).is_some_and(|job| job == "small");
    let (history, bounds) = if small {
        let (model, mut params) = network(&[784, 16, 16, 10], Activation::Sigmoid);
        let trainer = Trainer::new(loss::cross_entropy, Sgd::new(0.1)).epochs(epochs).batch(32);
        (pool.install(|| trainer.fit(&model, &mut params, &train))?, [2.5, 2.0])
    } else {
        let (model, mut params) = network(&[784, 512, 10], Activation::Relu);
        let trainer = Trainer::new(loss::cross_entropy, RmsProp::default()).epochs(epochs).batch(128);
        (pool.install(|| trainer.fit(&model, &mut params, &train))?, [0.5, 0.2])
    };
    for (epoch, bound) in history.epochs.iter().zip(bounds.into_iter().chain(std::iter::repeat(bounds[1]))) {
        assert!(epoch.loss < bound, "it does not learn: {epoch}");
        println!("{:.4}", epoch.seconds);
    }
    Ok(())
}
