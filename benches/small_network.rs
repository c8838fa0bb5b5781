//! What does value and gradient of a small network cost?
//!
//! 24-8-2 with `tanh`, 200 rows, squared error, `f64`: the network of SimpleChains.jl's benchmark, which publishes 5.7 µs on a
//! faster chip. Before timing, the gradient must agree with central differences of the value.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::Program;
use benches::programs::small_network;
use criterion::{Criterion, criterion_group, criterion_main};

/// The value with one weight moved.
fn moved(program: &mut Program<f64>, input: usize, at: usize, by: f64) -> f64 {
    program.input_mut(input)[at] += by;
    program.execute().unwrap();
    program.input_mut(input)[at] -= by;
    program.item(0)
}

fn bench(criterion: &mut Criterion) {
    let mut program = small_network();
    for (input, at) in [(0, 0), (0, 100), (0, 191), (1, 3), (2, 5), (2, 15), (3, 0), (3, 1)] {
        program.execute().unwrap();
        let derivative = program.output_slice(1 + input)[at];
        let step = 1e-4;
        let difference = moved(&mut program, input, at, step) - moved(&mut program, input, at, -step);
        let difference = difference / (2.0 * step);
        // The error of central differences: step² by a third derivative of at most some hundreds.
        assert!((derivative - difference).abs() <= 1e-5 * (1.0 + derivative.abs()), "{derivative} and {difference}");
    }
    criterion.bench_function("24-8-2, 200 rows: value and gradient", |bencher| {
        bencher.iter(|| program.execute().unwrap());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
