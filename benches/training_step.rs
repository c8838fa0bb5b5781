//! How long is one training step (forward, backward, optimiser), by network and number of threads?
//!
//! 784-512-10 with relu, RMSprop and batches of 128 in f32 is the main job. 784-16-16-10 with sigmoid, gradient descent
//! and batches of 32 in f32, and 2-3-2 with four samples in f64, are as large as the networks of the examples `digits` and
//! `xor`. All end in cross-entropy. The main job learns images, of which four fifths are zero, and numbers of which none is; the
//! others numbers of which none is. Before timing, the loss must fall.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::{Matrix, Real};
use benches::{classes, images, network, samples};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nn::optimizer::{Optimizer, RmsProp, Sgd};
use nn::{Activation, TrainingStep, loss};

fn step<T: Real>(
    sizes: &[usize],
    activation: Activation,
    optimizer: &dyn Optimizer<T>,
    (inputs, targets): &(Matrix<T>, Matrix<T>),
) -> TrainingStep<T> {
    let (model, params) = network::<T>(sizes, activation);
    let shape = (inputs.rows(), inputs.cols(), 1);
    let mut step = TrainingStep::new(&model, &loss::cross_entropy, optimizer, &params, shape);
    let (x, t) = step.batch_mut();
    x.copy_from_slice(inputs.as_slice());
    t.copy_from_slice(targets.as_slice());
    let first = step.run(optimizer.rate(), &[]).unwrap();
    let last = (0..100).map(|_| step.run(optimizer.rate(), &[]).unwrap()).last().unwrap();
    assert!(last < first, "the loss does not fall: {first} to {last}");
    step
}

fn training_step(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut group = criterion.benchmark_group("training_step");
        let id = |name: &str| BenchmarkId::new(name, format!("{threads} threads"));
        let numbers = (samples(128, 784), classes(128, 10));
        for (name, data) in [("784-512-10", &images(128).unwrap()), ("784-512-10, no zeros", &numbers)] {
            let mut main_job = step::<f32>(&[784, 512, 10], Activation::Relu, &RmsProp::default(), data);
            group.bench_function(id(name), |bencher| {
                pool.install(|| bencher.iter(|| main_job.run(0.001, &[]).unwrap()));
            });
        }
        let numbers = (samples(32, 784), classes(32, 10));
        let mut small = step::<f32>(&[784, 16, 16, 10], Activation::Sigmoid, &Sgd::new(0.1), &numbers);
        group.bench_function(id("784-16-16-10"), |bencher| {
            pool.install(|| bencher.iter(|| small.run(0.1, &[]).unwrap()));
        });
        let mut xor = step::<f64>(&[2, 3, 2], Activation::Sigmoid, &Sgd::new(0.1), &(samples(4, 2), classes(4, 2)));
        group.bench_function(id("2-3-2"), |bencher| {
            pool.install(|| bencher.iter(|| xor.run(0.1, &[]).unwrap()));
        });
    }
}

criterion_group!(benches, training_step);
criterion_main!(benches);
