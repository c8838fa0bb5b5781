//! What does a step of the smallest network cost, compiled?
//!
//! 2-3-1 with sigmoids and a bias for each neuron, squared error, gradient descent on the four samples of XOR, in `f64`; many
//! steps without anything between them. Before timing, a step must agree with one written by hand, and 5000 steps must
//! learn XOR.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use benches::programs::Xor;
use criterion::{Criterion, criterion_group, criterion_main};

fn xor(criterion: &mut Criterion) {
    let mut ours = Xor::new();
    ours.program.execute().unwrap();
    let (loss, weights) = Xor::by_hand();
    assert!((ours.program.item(0) - loss).abs() <= 1e-15, "{} and {loss}", ours.program.item(0));
    for (ours, by_hand) in ours.weights().iter().zip(weights) {
        assert!((ours - by_hand).abs() <= 1e-15, "{ours} and {by_hand}");
    }
    for _ in 0..5000 {
        ours.program.execute().unwrap();
    }
    assert!(ours.program.item(0) < 0.01, "XOR is not learned: {}", ours.program.item(0));
    criterion.bench_function("XOR: a step of 2-3-1", |bencher| bencher.iter(|| ours.program.execute().unwrap()));
}

criterion_group!(benches, xor);
criterion_main!(benches);
