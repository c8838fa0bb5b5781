//! One wrong weight among very many.

use autograd::check::{Cause, Check, Element};

/// The parameters of a 784-512-10 network.
const N: usize = 784 * 512 + 512 + 512 * 10 + 10;

fn point(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919 % 2048) as f64 - 1024.0) / 4096.0).collect()
}

/// How strongly element `k` is bent.
fn bend(k: usize) -> f64 {
    1.0 + (k % 5) as f64
}

/// Smooth, with a gradient of many sizes: `Σ xₖ / (1 + c xₖ²) + xₖ xₖ₊₁ / 2`.
fn value(x: &[f64]) -> f64 {
    let pairs: f64 = x.windows(2).map(|pair| pair[0] * pair[1] / 2.0).sum();
    x.iter().enumerate().map(|(k, x)| x / (1.0 + bend(k) * x * x)).sum::<f64>() + pairs
}

fn gradient(x: &[f64]) -> Vec<f64> {
    let own = |k: usize, x: f64| (1.0 - bend(k) * x * x) / (1.0 + bend(k) * x * x).powi(2);
    let next = |k: usize| if k + 1 < x.len() { x[k + 1] / 2.0 } else { 0.0 };
    let last = |k: usize| if k > 0 { x[k - 1] / 2.0 } else { 0.0 };
    x.iter().enumerate().map(|(k, &x)| own(k, x) + next(k) + last(k)).collect()
}

fn network() -> Check {
    Check::new().input("w1", 784, 512).input("b1", 1, 512).input("w2", 512, 10).input("b2", 1, 10)
}

#[test]
fn a_right_gradient_of_407050_numbers_passes() {
    let report = network().gradient(value, gradient, &point(N));
    assert!(report.is_pass(), "{report}");
    assert!(report.evaluations < 450, "{report}");
}

#[test]
fn one_wrong_weight_among_407050_is_found_and_named() {
    let wrong = |x: &[f64]| {
        let mut g = gradient(x);
        g[300 * 512 + 77] *= 1.01;
        g
    };
    let report = network().gradient(value, wrong, &point(N));
    assert!(report.is_fail(), "{report}");
    let named: Vec<&Element> = report.mismatches.iter().map(|one| &one.input).collect();
    assert!(named.contains(&&Element::new("w1", &[300, 77])), "{report}");
    assert_eq!(report.cause(), Some(&Cause::OneElement), "{report}");
    assert!(report.evaluations < 900, "{report}");
}

#[test]
fn several_wrong_weights_are_found() {
    let places = [5_usize, 12_345, 49_000, 49_999];
    let wrong = |x: &[f64]| {
        let mut g = gradient(x);
        places.iter().for_each(|&k| g[k] += 0.25);
        g
    };
    let report = Check::new().gradient(value, wrong, &point(50_000));
    for k in places {
        let element = Element::new("x", &[k]);
        assert!(report.mismatches.iter().any(|one| one.input == element), "{element}: {report}");
    }
    assert!(report.evaluations < 1500, "{report}");
}

#[test]
fn a_wrong_sign_everywhere_is_not_searched_for_one_by_one() {
    let wrong = |x: &[f64]| gradient(x).iter().map(|g| -g).collect::<Vec<f64>>();
    let report = Check::new().gradient(value, wrong, &point(50_000));
    assert_eq!(report.cause(), Some(&Cause::Sign), "{report}");
    assert!(report.evaluations < 500, "{report}");
}
