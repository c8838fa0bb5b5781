//! What does it cost to record, differentiate, compile and run once?
//!
//! A chain of 100,000 scalar operations, by node; and the training step of 784-512-10.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::{Graph, Var};
use benches::network;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nn::optimizer::RmsProp;
use nn::{Activation, TrainingStep, loss};

const LENGTH: usize = 100_000;

fn chain<'g>(x: Var<'g, f64>) -> Var<'g, f64> {
    (0..LENGTH / 2).fold(x, |y, _| (y * x).tanh())
}

fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recording");
    group.sample_size(20).throughput(Throughput::Elements(LENGTH as u64));
    group.bench_function("record", |bencher| {
        bencher.iter(|| {
            let graph = Graph::new();
            let y = chain(graph.variable(1.5));
            assert_eq!(y.id().index(), LENGTH);
        });
    });
    group.bench_function("record, differentiate, value of the gradient", |bencher| {
        bencher.iter(|| {
            let graph = Graph::new();
            let x = graph.variable(1.5);
            let dx = chain(x).gradient(x).item();
            assert!(dx.is_finite());
        });
    });
    let graph = Graph::new();
    let x = graph.variable(1.5);
    let y = chain(x);
    group.bench_function("compile", |bencher| {
        bencher.iter(|| graph.compile(&[x], &[], &[y]).unwrap());
    });
    let mut program = graph.compile(&[x], &[], &[y]).unwrap();
    group.bench_function("replay", |bencher| {
        bencher.iter(|| {
            program.execute().unwrap();
            assert!(program.item(0).is_finite());
        });
    });
    group.finish();
    criterion.bench_function("trace, derive and compile the training step of 784-512-10", |bencher| {
        let (model, params) = network::<f32>(&[784, 512, 10], Activation::Relu);
        bencher.iter(|| {
            let sizes = (128, 784, 1);
            TrainingStep::new(&model, &loss::cross_entropy, &RmsProp::default(), &params, sizes)
        });
    });
}

criterion_group!(benches, recording);
criterion_main!(benches);
