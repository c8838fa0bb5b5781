//! Do time and memory grow in proportion to the number of nodes, and time in proportion to the batch?
//!
//! Prints a table: nanoseconds and bytes by node for chains of 10⁴ to 10⁷ operations on numbers, and microseconds by sample
//! for a training step of batches of 1 to 4096. Before a figure is printed, the derivative must be right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench that prints a table")]
#![allow(clippy::cast_precision_loss, reason = "a table of few digits")]

use std::time::Instant;

use autograd::{Graph, Var};
use benches::{classes, network, samples};
use nn::optimizer::Sgd;
use nn::{Activation, TrainingStep, loss};

fn main() {
    // `cargo bench -- --test` asks for one quick run of everything.
    let quick = std::env::args().any(|argument| argument == "--test");
    println!("nodes: ns by node (of all nodes, derivative included)                     | bytes by node");
    println!(
        "{:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>8}",
        "nodes", "record", "derive", "value", "compile", "run", "drop", "graph", "compiled"
    );
    for exponent in if quick { 4..=5 } else { 4..=7 } {
        nodes(10_usize.pow(exponent));
    }
    println!("\nbatch: us by sample of a training step of 64-64-10");
    let batches = [1, 4, 16, 64, 256, 1024, 4096];
    for batch in if quick { &batches[..3] } else { &batches } {
        batch_of(*batch);
    }
}

/// Seconds that `f` takes, and what it gives.
fn timed<R>(f: impl FnOnce() -> R) -> (f64, R) {
    let start = Instant::now();
    let result = f();
    (start.elapsed().as_secs_f64(), result)
}

/// Bytes of memory in use by this process.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    pages.unwrap_or(f64::NAN) * 4096.0
}

/// A power by a chain of products, of which two in five nodes are recorded and the others are its derivative.
fn nodes(count: usize) {
    let steps = count / 5;
    let before = resident();
    let graph = Graph::new();
    let x = graph.variable(1.0);
    let (record, y) = timed(|| (0..steps).fold(x, |y: Var<'_, f64>, _| (y * x).abs()));
    let recorded = graph.len();
    let (derive, dx) = timed(|| y.gradient(x));
    let all = graph.len();
    let (value, derivative) = timed(|| dx.item());
    assert_eq!(derivative.to_bits(), ((steps + 1) as f64).to_bits());
    let bytes_of_graph = (resident() - before) / all as f64;
    let (compile, program) = timed(|| graph.compile(&[], &[], &[y, dx]));
    let mut program = program.unwrap();
    let bytes_compiled = (resident() - before) / all as f64 - bytes_of_graph;
    program.execute().unwrap();
    let (run, _) = timed(|| program.execute().unwrap());
    assert_eq!(program.item(1).to_bits(), derivative.to_bits());
    let (dropped, ()) = timed(|| drop((graph, program)));
    let by = |seconds: f64, nodes: usize| seconds * 1e9 / nodes as f64;
    println!(
        "{all:>9} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>8.1} | {bytes_of_graph:>8.0} {bytes_compiled:>8.0}",
        by(record, recorded),
        by(derive, all - recorded),
        by(value, all),
        by(compile, all),
        by(run, all),
        by(dropped, all),
    );
}

fn batch_of(batch: usize) {
    let (model, params) = network::<f32>(&[64, 64, 10], Activation::Relu);
    let sgd = Sgd::new(0.1);
    let mut step = TrainingStep::new(&model, &loss::cross_entropy, &sgd, &params, (batch, 64, 1));
    let (x, t) = step.batch_mut();
    x.copy_from_slice(samples::<f32>(batch, 64).as_slice());
    t.copy_from_slice(classes::<f32>(batch, 10).as_slice());
    let first = step.run(0.1, &[]).unwrap();
    let runs = (1 << 14) / batch + 3;
    let best = (0..5).map(|_| timed(|| (0..runs).for_each(|_| drop(step.run(0.1, &[])))).0).fold(f64::MAX, f64::min);
    assert!(step.run(0.1, &[]).unwrap() < first);
    println!("{batch:>9} {:>8.2}", best * 1e6 / (runs * batch) as f64);
}
