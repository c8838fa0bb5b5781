//! Where does the time of a training step go, or of value and gradient of the tiny network of `small_network`? Prints a table
//! of the kernels.
//!
//! `cargo run --release --bin kernels -- THREADS [main | small | dense | tiny]`: 784-512-10 on images, 784-16-16-10 on images, 784-512-10 on
//! numbers of which none is zero, and 24-8-2.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

use std::error::Error;

use benches::{classes, network, samples};
use nn::optimizer::{Optimizer, RmsProp, Sgd};
use nn::{Activation, TrainingStep, loss};

fn main() -> Result<(), Box<dyn Error>> {
    let threads = std::env::args().nth(1).ok_or("usage: kernels THREADS [main | small | dense | tiny]")?.parse()?;
    let job = std::env::args().nth(2).unwrap_or_default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    if job == "tiny" {
        let mut program = benches::programs::small_network();
        println!("{}", pool.install(|| program.profile(5000))?);
        return Ok(());
    }
    let small = job == "small";
    let (sizes, activation, batch): (&[usize], _, usize) =
        if small { (&[784, 16, 16, 10], Activation::Sigmoid, 32) } else { (&[784, 512, 10], Activation::Relu, 128) };
    let optimizer: &dyn Optimizer<f32> = if small { &Sgd::new(0.1) } else { &RmsProp::default() };
    let (model, params) = network::<f32>(sizes, activation);
    let mut step = TrainingStep::new(&model, &loss::cross_entropy, optimizer, &params, (batch, 784, 1));
    let (x, t) = step.batch_mut();
    let (images, digits) =
        if job == "dense" { (samples(batch, 784), classes(batch, 10)) } else { benches::images::<f32>(batch)? };
    x.copy_from_slice(images.as_slice());
    t.copy_from_slice(digits.as_slice());
    let rate = optimizer.rate();
    let profile = pool.install(|| {
        step.run(rate, &[])?;
        step.profile(500)
    })?;
    println!("{profile}");
    Ok(())
}
