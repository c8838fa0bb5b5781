//! What does it cost to trace, differentiate and compile a training step?
//!
//! 784-512-10 with relu, cross-entropy, RMSprop and batches of 128; before timing, the step must reduce the loss. And the
//! compiler alone, for a step of micrograd's demo, by node.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::{Graph, Var};
use benches::programs::Demo;
use benches::{classes, network, samples};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nn::optimizer::RmsProp;
use nn::{Activation, TrainingStep, loss};

const SIZES: (usize, usize, usize) = (128, 784, 1);

fn training_step(criterion: &mut Criterion) {
    let (model, params) = network::<f32>(&[784, 512, 10], Activation::Relu);
    let optimizer = RmsProp::default();
    let make = || TrainingStep::new(&model, &loss::cross_entropy, &optimizer, &params, SIZES);
    let mut step = make();
    let (x, t) = step.batch_mut();
    x.copy_from_slice(samples::<f32>(128, 784).as_slice());
    t.copy_from_slice(classes::<f32>(128, 10).as_slice());
    let losses: Vec<f32> = (0..20).map(|_| step.run(0.001, &[]).unwrap()).collect();
    assert!(losses[19] < losses[0]);
    criterion.bench_function("trace, derive and compile the training step of 784-512-10", |bencher| {
        bencher.iter(make);
    });
}

fn numbers(criterion: &mut Criterion) {
    let demo = Demo::new();
    let graph = Graph::new();
    let weights: Vec<Var<'_, f64>> = demo.weights.iter().map(|&w| graph.variable(w)).collect();
    let loss = demo.loss(&graph, &weights);
    let outputs = loss.gradient(weights.as_slice());
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(20).throughput(Throughput::Elements(graph.len() as u64));
    group.bench_function("the gradient of micrograd's demo, by node", |bencher| {
        bencher.iter(|| graph.compile(&[], &[], &outputs).unwrap());
    });
    group.finish();
}

criterion_group!(benches, training_step, numbers);
criterion_main!(benches);
