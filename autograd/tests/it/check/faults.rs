//! Wrong gradients of every kind, planted by hand: each is caught, and its cause named.

use autograd::check::{Cause, Check, Report};

/// `f = Σᵢⱼ sin(aᵢⱼ) (1 + i + 2j) + λ/2 Σ a²` on a 3x4 matrix.
const ROWS: usize = 3;
const COLS: usize = 4;
const LAMBDA: f64 = 0.125;

fn weight(k: usize) -> f64 {
    1.0 + (k / COLS) as f64 + 2.0 * (k % COLS) as f64
}

fn value(x: &[f64]) -> f64 {
    x.iter().enumerate().map(|(k, x)| x.sin() * weight(k) + LAMBDA / 2.0 * x * x).sum()
}

fn right(x: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(k, x)| x.cos() * weight(k) + LAMBDA * x).collect()
}

fn point() -> Vec<f64> {
    (0..ROWS * COLS).map(|k| 0.125 + 0.0625 * ((k * 7) % 12) as f64).collect()
}

fn check(gradient: impl FnMut(&[f64]) -> Vec<f64>) -> Report {
    Check::new().input("a", ROWS, COLS).gradient(value, gradient, &point())
}

#[test]
fn every_planted_fault_is_caught_and_its_cause_named() {
    type Fault = (&'static str, fn(Vec<f64>) -> Vec<f64>, Cause);
    let n = (ROWS * COLS) as f64;
    let times = |factor: f64| move |g: Vec<f64>| -> Vec<f64> { g.iter().map(|g| g * factor).collect() };
    for (factor, cause) in [
        (-1.0, Cause::Sign),
        (0.5, Cause::Factor { ratio: 0.5 }),
        (2.0, Cause::Factor { ratio: 2.0 }),
        (n, Cause::MeanOrSum { count: 12, too_large: true }),
        (1.0 / n, Cause::MeanOrSum { count: 12, too_large: false }),
        (0.0, Cause::Zero),
    ] {
        let report = check(|x| times(factor)(right(x)));
        let found = report.cause();
        let same = match (&cause, found) {
            (Cause::Factor { ratio }, Some(Cause::Factor { ratio: seen })) => (ratio - seen).abs() < 1e-9,
            _ => found == Some(&cause),
        };
        assert!(report.is_fail() && same, "times {factor}: {report}");
    }
    for factor in [1.0 + 1e-3, 1.0 - 1e-3, 1.0 + 1e-6] {
        let report = check(|x| times(factor)(right(x)));
        assert!(report.is_fail() && matches!(report.cause(), Some(Cause::Factor { .. })), "times {factor}: {report}");
    }
    let faults: [Fault; 8] = [
        ("transposed", |g| (0..12).map(|k| g[(k % ROWS) * COLS + k / ROWS]).collect(), Cause::Transposed),
        ("rotated", |g| (0..12).map(|k| g[(k + 11) % 12]).collect(), Cause::Permuted { shift: Some(1) }),
        (
            "off by one",
            |g| (0..12).map(|k| if k + 1 < 12 { g[k + 1] } else { 0.0 }).collect(),
            Cause::Permuted { shift: Some(-1) },
        ),
        ("reversed", |g| g.into_iter().rev().collect(), Cause::Permuted { shift: None }),
        (
            "one zero",
            |mut g| {
                g[5] = 0.0;
                g
            },
            Cause::SomeZero { count: 1 },
        ),
        (
            "one wrong",
            |mut g| {
                g[5] *= 1.0 + 1e-5;
                g
            },
            Cause::OneElement,
        ),
        (
            "NaN",
            |mut g| {
                g[2] = f64::NAN;
                g[3] = f64::INFINITY;
                g
            },
            Cause::NonFinite { count: 2 },
        ),
        (
            "too short",
            |mut g| {
                g.pop();
                g
            },
            Cause::Length { expected: 12, found: 11 },
        ),
    ];
    for (name, fault, cause) in faults {
        let report = check(|x| fault(right(x)));
        assert!(report.is_fail() && report.cause() == Some(&cause), "{name}: {report}");
    }
}

#[test]
fn a_dropped_term_is_described() {
    let report = check(|x| right(x).iter().zip(x).map(|(g, x)| g - LAMBDA * x).collect());
    let Some(Cause::Term { offset: None, of_input: Some(part) }) = report.cause() else { panic!("{report}") };
    assert!((part + LAMBDA).abs() < 1e-6);
    let report = check(|x| right(x).iter().map(|g| g + 0.25).collect());
    assert!(matches!(report.cause(), Some(Cause::Term { offset: Some(_), .. })), "{report}");
    let report = check(|x| right(x).iter().zip(x).map(|(g, x)| g - x.exp() / 7.0).collect());
    assert!(report.cause() == Some(&Cause::Term { offset: None, of_input: None }), "{report}");
}

#[test]
fn a_stale_gradient_is_recognised() {
    let elsewhere: Vec<f64> = point().iter().map(|x| x + 0.25).collect();
    let report = check(|_| right(&elsewhere));
    assert_eq!(report.cause(), Some(&Cause::Stale), "{report}");
}

#[test]
fn what_changes_from_call_to_call_does_not_pass() {
    let mut calls = 0.0;
    let report = check(|x| {
        calls += 1.0;
        right(x).iter().map(|g| g * calls).collect()
    });
    assert_eq!(report.cause(), Some(&Cause::Flaky), "{report}");
    let mut calls = 0.0;
    let report = Check::new().gradient(
        |x: &[f64]| {
            calls += 1.0;
            x[0] + calls
        },
        |_: &[f64]| [1.0],
        &[0.5],
    );
    assert!(!report.is_pass() && !report.is_fail(), "{report}");
}

#[test]
fn what_fails_to_give_a_gradient_has_failed() {
    let none = |_: &[f64]| -> Result<Vec<f64>, String> { Err("not written yet".to_owned()) };
    let report = Check::new().gradient(value, none, &point());
    assert!(report.is_fail() && report.cause() == Some(&Cause::Missing), "{report}");
    let report = Check::new().gradient(|x: &[f64]| x[0].ln(), |x: &[f64]| [1.0 / x[0]], &[-1.0]);
    assert!(!report.is_pass() && !report.is_fail(), "{report}");
}

#[test]
fn jacobians_hessians_and_products_are_checked() {
    let x = [0.5, -1.25, 2.0];
    let f = |x: &[f64]| [x[0] * x[1], x[1].sin() * x[2]];
    let jacobian = |x: &[f64]| [x[1], x[0], 0.0, 0.0, x[1].cos() * x[2], x[1].sin()];
    assert!(Check::new().jacobian(f, jacobian, &x).is_pass());
    let transposed = |x: &[f64]| [x[1], 0.0, x[0], x[1].cos() * x[2], 0.0, x[1].sin()];
    assert_eq!(Check::new().jacobian(f, transposed, &x).cause(), Some(&Cause::Transposed));
    let vjp = |x: &[f64], g: &[f64]| [g[0] * x[1], g[0] * x[0] + g[1] * x[1].cos() * x[2], g[1] * x[1].sin()];
    assert!(Check::new().vjp(f, vjp, &x).is_pass());
    let jvp = |x: &[f64], v: &[f64]| [v[0] * x[1] + x[0] * v[1], v[1] * x[1].cos() * x[2] + x[1].sin() * v[2]];
    assert!(Check::new().jvp(f, jvp, &x).is_pass());
    let dropped = |x: &[f64], v: &[f64]| [v[0] * x[1] + x[0] * v[1], v[1] * x[1].cos() * x[2]];
    assert!(Check::new().jvp(f, dropped, &x).is_fail());
    let affine = |x: &[f64], v: &[f64]| [v[0] * x[1] + x[0] * v[1] + 1.0, v[1] * x[1].cos() * x[2] + x[1].sin() * v[2]];
    assert!(Check::new().jvp(f, affine, &x).is_fail());
    // f = x² y + sin z
    let gradient = |x: &[f64]| [2.0 * x[0] * x[1], x[0] * x[0], x[2].cos()];
    let hessian = |x: &[f64]| [2.0 * x[1], 2.0 * x[0], 0.0, 2.0 * x[0], 0.0, 0.0, 0.0, 0.0, -x[2].sin()];
    assert!(Check::new().hessian(gradient, hessian, &x).is_pass());
    let product = |x: &[f64], v: &[f64]| [2.0 * (x[1] * v[0] + x[0] * v[1]), 2.0 * x[0] * v[0], -x[2].sin() * v[2]];
    assert!(Check::new().hessian_vector(gradient, product, &x).is_pass());
    let half = |x: &[f64], v: &[f64]| [x[1] * v[0] + 2.0 * x[0] * v[1], 2.0 * x[0] * v[0], -x[2].sin() * v[2]];
    assert!(Check::new().hessian_vector(gradient, half, &x).is_fail());
}
