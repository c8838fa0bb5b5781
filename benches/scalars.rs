//! What does an instruction on one number cost in a replayed program?
//!
//! Three programs: a step of micrograd's demo (forward, backward, update), a chain in which each operation waits for the
//! last, and a million operations of few kinds on numbers far apart. Before timing, each must give what on-demand values
//! give, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use autograd::{Graph, Program, Var};
use benches::programs::{Demo, demo_program};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Operations of the programs that are not the demo.
const LENGTH: usize = 1_000_000;

/// Each operation reads the result of the one before.
fn chain<'g>(x: Var<'g, f64>) -> Var<'g, f64> {
    (0..LENGTH / 2).fold(x, |y, _| (y * x).maximum(x))
}

/// A thousand sums of a thousand products and differences.
fn wide<'g>(graph: &'g Graph<f64>) -> Var<'g, f64> {
    let x: Vec<Var<'g, f64>> = (0..1000).map(|i| graph.variable(f64::from(i) * 1e-3)).collect();
    let product = |i: usize, j: usize| (x[i] - x[j]) * x[(i + j) % 1000];
    let row = |i: usize| (0..LENGTH / 3000).map(|j| product(i, j)).sum::<Var<'g, f64>>();
    (0..1000).map(row).sum()
}

fn compiled(y: Var<'_, f64>) -> Program<f64> {
    let mut program = y.graph().compile(&[], &[], &[y]).unwrap();
    program.execute().unwrap();
    assert_eq!(program.item(0).to_bits(), y.peek().item().to_bits());
    program
}

fn scalars(criterion: &mut Criterion) {
    let mut demo = demo_program();
    demo.execute().unwrap();
    let (loss, instructions) = Demo::new().step(0.1);
    assert_eq!(demo.item(0).to_bits(), loss.to_bits());
    let chained = { compiled(chain(Graph::new().variable(0.999))) };
    let spread = { compiled(wide(&Graph::new())) };
    let mut group = criterion.benchmark_group("scalars, by instruction");
    group.sample_size(20);
    let cases =
        [("a step of micrograd's demo", demo, instructions), ("chain", chained, LENGTH), ("wide", spread, LENGTH)];
    for (name, mut program, instructions) in cases {
        group.throughput(Throughput::Elements(instructions as u64));
        group.bench_function(name, |bencher| bencher.iter(|| program.execute().unwrap()));
    }
    group.finish();
}

criterion_group!(benches, scalars);
criterion_main!(benches);
