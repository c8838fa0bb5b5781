//! Epochs of the main job: prints the seconds of each, one a line, as the scripts beside it do.
//!
//! `cargo run --release --bin epochs -- THREADS EPOCHS`
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

use std::error::Error;

use benches::network;
use nn::data::Dataset;
use nn::optimizer::RmsProp;
use nn::{Activation, Trainer, loss};

fn main() -> Result<(), Box<dyn Error>> {
    let number = |i: usize| std::env::args().nth(i).ok_or("usage: epochs THREADS EPOCHS");
    let (threads, epochs): (usize, usize) = (number(1)?.parse()?, number(2)?.parse()?);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/mnist");
    let (train, _) = Dataset::<f32>::mnist(folder)?;
    let (model, mut params) = network(&[784, 512, 10], Activation::Relu);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let trainer = Trainer::new(loss::cross_entropy, RmsProp::default()).epochs(epochs).batch(128);
    let history = pool.install(|| trainer.fit(&model, &mut params, &train))?;
    for (epoch, bound) in history.epochs.iter().zip([0.5, 0.2].into_iter().chain(std::iter::repeat(0.2))) {
        assert!(epoch.loss < bound, "it does not learn: {epoch}");
        println!("{:.4}", epoch.seconds);
    }
    Ok(())
}
