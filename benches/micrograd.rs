//! What does a step of micrograd's demo cost, recorded anew each time?
//!
//! 100 points through a 2-16-16-1 network of single numbers: recording, gradient, values, update. Before timing, loss and
//! gradient must agree with the same network made of matrices, and 60 steps must separate the points.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use benches::programs::Demo;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn check() -> usize {
    let mut demo = Demo::new();
    let (loss, gradient) = demo.by_matrices();
    let before = demo.weights.clone();
    let (ours, nodes) = demo.step(1.0);
    assert!((ours - loss).abs() <= 1e-12 * loss, "{ours} and {loss}");
    for ((old, new), g) in before.iter().zip(&demo.weights).zip(gradient) {
        assert!((old - new - g).abs() <= 1e-12 * (1.0 + old.abs()), "{} and {g}", old - new);
    }
    let mut demo = Demo::new();
    let last = (0..60).map(|_| demo.step(0.5).0).last().unwrap();
    assert!(last < 0.1, "the loss does not fall: {last}");
    nodes
}

fn micrograd(criterion: &mut Criterion) {
    let nodes = check();
    let mut demo = Demo::new();
    let mut group = criterion.benchmark_group("micrograd");
    group.sample_size(20).throughput(Throughput::Elements(nodes as u64));
    group.bench_function("a step, by node", |bencher| bencher.iter(|| demo.step(0.01)));
    group.finish();
}

criterion_group!(benches, micrograd);
criterion_main!(benches);
