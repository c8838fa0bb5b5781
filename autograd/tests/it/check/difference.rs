//! Errors and error bars of numeric derivatives, against derivatives of 50 digits.

use autograd::check::Difference;

use crate::support::{list, number, oracle, text};

type Function = fn(f64) -> f64;

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The functions of the oracle, as a user would write them.
const FUNCTIONS: &[(&str, Function)] = &[
    ("exp", f64::exp),
    ("exp2", f64::exp2),
    ("expm1", f64::exp_m1),
    ("ln", f64::ln),
    ("ln_1p", f64::ln_1p),
    ("log10", f64::log10),
    ("recip", f64::recip),
    ("sqrt", f64::sqrt),
    ("cbrt", f64::cbrt),
    ("rsqrt", |x| 1.0 / x.sqrt()),
    ("square", |x| x * x),
    ("cube", |x| x * x * x),
    ("pow2.5", |x| x.powf(2.5)),
    ("x^x", |x| x.powf(x)),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("sin(1000x)", |x| (1000.0 * x).sin()),
    ("sin(64πx)", |x| (64.0 * core::f64::consts::PI * x).sin()),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("asinh", f64::asinh),
    ("acosh", f64::acosh),
    ("atanh", f64::atanh),
    ("sigmoid", sigmoid),
    ("softplus", |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
    ("silu", |x| x * sigmoid(x)),
    ("gaussian", |x| (-x * x).exp()),
    ("log_cosh", |x| x.abs() + (-2.0 * x.abs()).exp().ln_1p() - 2f64.ln()),
    ("1e6+sin", |x| 1e6 + x.sin()),
    ("1-cos", |x| 1.0 - x.cos()),
    ("ln(exp)", |x| x.exp().ln()),
    ("runge", |x| 1.0 / (1.0 + 25.0 * x * x)),
    ("sin(1/x)", |x| (1.0 / x).sin()),
    ("tanh(1e6x)", |x| (1e6 * x).tanh()),
    ("sqrt(x²+1e-12)", |x| (x * x + 1e-12).sqrt()),
    ("softsign", |x| x / (1.0 + x.abs())),
    ("x ln x", |x| x * x.ln()),
    ("1/(x-1)²", |x| 1.0 / (x - 1.0).powi(2)),
    ("e⁻ˣ sin 50x", |x| (-x).exp() * (50.0 * x).sin()),
    ("huber", |x| if x.abs() < 1.0 { x * x / 2.0 } else { x.abs() - 0.5 }),
    ("x|x|", |x| x * x.abs()),
    ("expanded (x-1)⁶", |x| {
        x.powi(6) - 6.0 * x.powi(5) + 15.0 * x.powi(4) - 20.0 * x.powi(3) + 15.0 * x * x - 6.0 * x + 1.0
    }),
    ("1e200 exp", |x| 1e200 * x.exp()),
    ("1e-200 exp", |x| 1e-200 * x.exp()),
    ("Σ sin(kx)/k", |x| (1..=100).map(|k| (f64::from(k) * x).sin() / f64::from(k)).sum()),
    ("linear", |x| 3.0 * x + 7.0),
    ("constant", |_| 1e10),
    ("logistic(1000(x-0.3))", |x| sigmoid(1000.0 * (x - 0.3))),
];

/// Calls `each` with name, function, point and derivative.
fn for_each_point(mut each: impl FnMut(&str, Function, f64, f64)) -> usize {
    let file = oracle("slopes");
    let mut points = 0;
    for case in list(&file["functions"]) {
        let name = text(&case["name"]);
        let (_, f) = FUNCTIONS.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("no function {name}"));
        for pair in list(&case["points"]) {
            each(name, *f, number(&pair[0]), number(&pair[1]));
            points += 1;
        }
    }
    assert!(list(&file["functions"]).len() >= 40);
    points
}

#[test]
fn the_bar_covers_the_error_at_every_point_of_fifty_smooth_functions() {
    let mut failures = Vec::new();
    let mut relative = Vec::new();
    let mut calls = 0_usize;
    let points = for_each_point(|name, f, x, expected| {
        let found = Difference::default().outputs(
            |x| {
                calls += 1;
                Some(vec![f(x)])
            },
            x,
        );
        let d = found.outputs[0];
        let error = (d.value - expected).abs();
        let covered = error <= d.error_bar;
        if !covered || d.slopes.is_some() {
            failures.push(format!("{name} at {x:e}: {d:?}, expected {expected:e}, off by {error:e}"));
        }
        relative.push(d.error_bar / expected.abs().max(1e-3));
    });
    relative.sort_by(f64::total_cmp);
    let quantile = |q: usize| relative[(relative.len() - 1) * q / 100];
    println!(
        "{points} points, {} calls each; bar relative to the derivative: median {:.0e}, 90 % {:.0e}, 95 % {:.0e}",
        calls / points,
        quantile(50),
        quantile(90),
        quantile(95)
    );
    assert!(failures.is_empty(), "{} of {points}:\n{}", failures.len(), failures.join("\n"));
    assert!(quantile(50) < 1e-12 && quantile(90) < 1e-8, "the bars are wide");
}
