//! Fixed work whose instructions are counted under callgrind: see `compare` beside this file.
//!
//! `instructions NAME` does the work of that name on one thread. What is counted is what [`measured`] runs.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for the command line")]

use benches::programs::{Demo, Xor};
use benches::{classes, network, samples};
use nn::optimizer::RmsProp;
use nn::{Activation, TrainingStep, loss};

/// Callgrind collects within this function.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    std::hint::black_box(work)();
}

/// Records, differentiates and computes a network of single numbers, anew each time.
fn recorded_numbers() {
    let mut demo = Demo::new();
    let mut losses = (f64::NAN, f64::NAN);
    losses.0 = demo.step(0.5).0;
    measured(&mut || losses.1 = demo.step(0.5).0);
    assert!(losses.1 < losses.0, "{losses:?}");
}

/// Replays the step of a tiny network.
fn tiny_network() {
    let mut xor = Xor::new();
    xor.program.execute().expect("it has no index");
    let first = xor.program.item(0);
    measured(&mut || (0..1000).for_each(|_| xor.program.execute().expect("it has no index")));
    assert!(xor.program.item(0) < first);
}

/// Makes the training step of 784-128-10, and runs it.
fn training_step() {
    let (model, params) = network::<f32>(&[784, 128, 10], Activation::Relu);
    let optimizer = RmsProp::default();
    let (images, digits) = (samples::<f32>(64, 784), classes::<f32>(64, 10));
    let mut losses = Vec::new();
    measured(&mut || {
        let mut step = TrainingStep::new(&model, &loss::cross_entropy, &optimizer, &params, (64, 784, 1));
        let (x, t) = step.batch_mut();
        x.copy_from_slice(images.as_slice());
        t.copy_from_slice(digits.as_slice());
        losses = (0..10).map(|_| step.run(0.001, &[]).expect("all classes are known")).collect();
    });
    assert!(losses[9] < losses[0], "{losses:?}");
}

fn main() {
    #[cfg(target_arch = "x86_64")]
    assert!(
        is_x86_feature_detected!("fma") && !is_x86_feature_detected!("avx512f"),
        "the counts are of AVX2 code: run this under valgrind, which knows no AVX-512, on a processor with AVX2"
    );
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().expect("one thread");
    pool.install(|| match std::env::args().nth(1).as_deref() {
        Some("recorded_numbers") => recorded_numbers(),
        Some("tiny_network") => tiny_network(),
        Some("training_step") => training_step(),
        other => panic!("{other:?} is none of recorded_numbers, tiny_network, training_step"),
    });
}
