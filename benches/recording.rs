//! What does it cost to record, differentiate, compile and run once?
//!
//! A chain of 100,000 operations on numbers, by operation. The whole step of a network is timed in `micrograd.rs`, larger
//! graphs in `growth.rs`. Before timing, the derivative must agree with its formula.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::{Graph, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LENGTH: usize = 100_000;

fn chain<'g>(x: Var<'g, f64>) -> Var<'g, f64> {
    (0..LENGTH / 2).fold(x, |y, _| (y * x).tanh())
}

/// The derivative of the chain by its recurrence.
fn by_recurrence(x: f64) -> f64 {
    let step = |(y, dy): (f64, f64), _| ((y * x).tanh(), (1.0 - (y * x).tanh().powi(2)) * (dy * x + y));
    (0..LENGTH / 2).fold((x, 1.0), step).1
}

fn recording(criterion: &mut Criterion) {
    let graph = Graph::new();
    let x = graph.variable(1.5);
    let (ours, expected) = (chain(x).gradient(x).item(), by_recurrence(1.5));
    assert!((ours - expected).abs() < 1e-13, "{ours} and {expected}");
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
}

criterion_group!(benches, recording);
criterion_main!(benches);
