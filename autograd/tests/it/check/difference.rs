//! Errors and error bars of numeric derivatives, against derivatives of 50 digits.

use autograd::check::{Difference, Method, Precision, Reason, Verdict, judge};

use super::rivals::Random;
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

/// Functions with their derivatives of the orders 0 to 6, in closed form.
fn derivatives(name: &str, x: f64) -> [f64; 7] {
    let (sin, cos, e) = (x.sin(), x.cos(), x.exp());
    match name {
        "exp" => [e; 7],
        "sin" => [sin, cos, -sin, -cos, sin, cos, -sin],
        "1/x" => core::array::from_fn(|n| {
            let factorial: f64 = (1..=n).map(|k| -(k as f64)).product();
            factorial / x.powi(i32::try_from(n).unwrap() + 1)
        }),
        "x⁵" => [x.powi(5), 5.0 * x.powi(4), 20.0 * x.powi(3), 60.0 * x * x, 120.0 * x, 120.0, 0.0],
        _ => panic!("no function {name}"),
    }
}

#[test]
fn derivatives_of_any_order_agree_with_closed_forms_within_their_bars() {
    let functions: [(&str, Function, &[f64]); 4] = [
        ("exp", f64::exp, &[-1.0, 0.0, 0.7, 2.0]),
        ("sin", f64::sin, &[-2.0, 0.0, 0.3, 1.5]),
        ("1/x", f64::recip, &[1.5, 2.5, -3.0]),
        ("x⁵", |x| x.powi(5), &[0.0, 0.5, -1.25]),
    ];
    // The widest bar, relative to the largest derivative of that order at the points, by points and order.
    let widest = |points: usize, order: usize| -> f64 {
        let method = Difference { method: Method::Stencil { points }, ..Difference::default() };
        let mut widest = 0.0_f64;
        for (name, f, at) in functions {
            for &x in at {
                let expected = derivatives(name, x)[order];
                let found = method.of_order(order, f, x);
                let error = (found.value - expected).abs();
                assert!(error <= found.error_bar, "{name} at {x}, order {order}: {found:?}, expected {expected}");
                widest = widest.max(found.error_bar / expected.abs().max(1.0));
            }
        }
        widest
    };
    let bars = [1, 2, 3, 4, 5, 6].map(|order| [7, 9, 11, 15].map(|points| widest(points, order)));
    println!("{:?}", bars.map(|row| row.map(|bar| format!("{bar:.0e}"))));
    for (order, bar) in bars.iter().zip([1e-11, 1e-9, 1e-7, 1e-6, 1e-4, 1e-3]).enumerate() {
        assert!(bar.0[2] <= bar.1, "order {}: {:e}", order + 1, bar.0[2]);
    }
    // Order 0 is the value, order 1 what the method gives by itself; polynomials of low degree are exact but for rounding.
    let method = Difference { method: Method::Stencil { points: 7 }, ..Difference::default() };
    assert_eq!(method.of_order(0, f64::exp, 1.0).value.to_bits(), 1f64.exp().to_bits());
    let (first, same) = (method.of_order(1, f64::exp, 1.0), method.of(f64::exp, 1.0));
    assert_eq!([first.value, first.error_bar], [same.value, same.error_bar]);
    // In f32, with bars to match.
    let single = method.precision(Precision::Single);
    #[expect(clippy::cast_possible_truncation, reason = "it computes in f32")]
    let found = single.of_order(2, |x| f64::from((x as f32).sin()), 1.0);
    assert!((found.value + 1f64.sin()).abs() <= found.error_bar && found.error_bar < 0.05, "{found:?}");
    assert!(method.of_order(2, f64::sqrt, 1e-6).error_bar.is_infinite(), "a point outside of the domain");
}

/// Values that are small because larger ones cancelled are coarser than their size tells. An error beyond four bars is what
/// is called a mistake.
#[test]
fn noise_far_above_the_rounding_of_a_value_is_not_taken_for_a_feature() {
    let mut random = Random::new(71);
    for seed in 0..2000 {
        let noise = 10f64.powf(-18.0 + 2.5 * random.uniform());
        let (slope, value) = (2e-3 * random.normal(), 2e-5 * random.normal());
        let rounding = |x: f64| noise * (2.0 * Random::new(x.to_bits() ^ seed).uniform() - 1.0);
        let f = |x: f64| value + slope * (x - 1.0).sin() + 1e-3 * (x - 1.0).powi(2) + rounding(x);
        let found = Difference::default().of(f, 1.0);
        let error = (found.value - slope).abs();
        assert!(error <= 4.0 * found.error_bar, "{seed}: {error:e}, noise {noise:e}, {found:?}");
        assert!(found.error_bar <= 1e4 * noise, "{seed}: noise {noise:e}, {found:?}");
    }
}

/// A function that changes within a distance below the smallest step shows quotients that only grow: its derivative may be
/// anything, and no bar would be true.
#[test]
fn what_changes_below_the_smallest_step_has_no_slope_to_compare_with() {
    let size = 1e-30;
    let sharp: [(&str, Function, f64, f64); 5] = [
        ("a step", |x| (x / 1e-30).tanh(), 0.0, 1.0 / size),
        ("beside a step", |x| (x / 1e-30).tanh() + x.cos(), size, 1f64.cosh().powi(-2) / size),
        ("a direction", |x| x / x.hypot(1e-30), 0.0, 1.0 / size),
        ("a cube root", |x| (x + 1e-30).cbrt(), 0.0, size.powf(-2.0 / 3.0) / 3.0),
        ("against the step", |x| 2.0 * x.signum() - 1e-3 * (x / 1e-30).tanh(), 0.0, -1e-3 / size),
    ];
    for (name, f, x, slope) in sharp {
        let found = Difference::default().of(f, x);
        let verdict = judge(slope, &found, 1e-7);
        let open = matches!(verdict, Verdict::Inconclusive(Reason::NonFinite | Reason::Kink));
        assert!(open, "{name}: {verdict}, {found:?}");
    }
    let plain: [(&str, Function, f64); 4] = [
        ("a pole near by", |x| 1.0 / (x - 1e-9), 0.0),
        ("a narrow step that is resolved", |x| (x / 1e-9).tanh(), 0.0),
        ("a value that cancelled", |x| (1.0 + x) - 1.0, 1e-9),
        ("a constant", |_| 0.1, 0.3),
    ];
    for (name, f, x) in plain {
        let found = Difference::default().of(f, x);
        assert!(matches!(judge(1e30, &found, 1e-7), Verdict::Fail), "{name}: {found:?}");
    }
}

/// A kink beside the point lies between the points of most differences, and small steps see values that may be what is left of
/// larger ones: the slope is that at the point, or lies between those on both sides.
#[test]
fn a_kink_beside_the_point_is_not_taken_for_a_slope() {
    fn step(x: f64) -> f64 {
        if x > 0.0 { 1.0 } else { 0.0 }
    }
    let bent: [(&str, Function, Function); 8] = [
        ("abs", f64::abs, f64::signum),
        ("relu", |x| x.max(0.0), step),
        ("relu and a sine", |x| x.max(0.0) + (x + 1.0).sin(), |x| step(x) + (x + 1.0).cos()),
        ("leaky", |x| if x > 0.0 { x } else { 0.1 * x }, |x| 0.1 + 0.9 * step(x)),
        ("exp on one side", |x| if x > 0.0 { x.exp() } else { 1.0 - x }, |x| if x > 0.0 { x.exp() } else { -1.0 }),
        ("a cusp", |x| x.abs().sqrt(), |x| 0.5 * x.signum() / x.abs().sqrt()),
        ("x ln x", |x| x * x.abs().ln(), |x| 1.0 + x.abs().ln()),
        ("a round corner", |x| x.hypot(1e-20), |x| x / x.hypot(1e-20)),
    ];
    for (name, f, slope) in bent {
        let places = (3..40).flat_map(|e| [1.22, -3.7, 8.1, -1.22, 3.7, -8.1].map(|x| x * 10f64.powi(-e)));
        for x in places {
            let (found, slope) = (Difference::default().of(f, x), slope(x));
            let tolerance = 1e-7 * slope.abs().max(1.0);
            assert_ne!(judge(slope, &found, tolerance), Verdict::Fail, "{name} at {x:e}, {slope}: {found:?}");
            let wrong = slope + 3.0 + slope.abs();
            assert_ne!(judge(wrong, &found, tolerance), Verdict::Pass, "{name} at {x:e}: {found:?}");
            let bounded = !matches!(name, "a cusp" | "x ln x");
            let seen = !(1e-24..1e-8).contains(&x.abs());
            if bounded && seen {
                assert_eq!(judge(wrong, &found, tolerance), Verdict::Fail, "{name} at {x:e}: {found:?}");
            }
        }
    }
}

/// In `f32` a step may just pass a kink, and the few values of large steps happen to have few digits: neither means that values
/// are what is left of larger ones.
#[test]
fn a_kink_beside_the_point_is_no_slope_in_f32() {
    let single = |x: f64| Precision::Single.round(x);
    let step = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };
    for k in 0..20_000 {
        let x = single(if k % 2 == 0 { 1.0 } else { -1.0 } * 10f64.powf(-6.0 * f64::from(k) / 2e4));
        let bent: [(&str, Function, f64); 4] = [
            ("abs", f64::abs, x.signum()),
            ("relu", |x| x.max(0.0), step(x)),
            ("relu and a sine", |x| x.max(0.0) + x.sin(), step(x) + x.cos()),
            ("leaky", |x| x.max(0.1 * x), 0.1 + 0.9 * step(x)),
        ];
        for (name, f, slope) in bent {
            let found = Difference::default().precision(Precision::Single).of(|x| single(f(x)), x);
            assert_ne!(judge(slope, &found, 1e-3), Verdict::Fail, "{name} at {x:e}: {found:?}");
        }
    }
}

/// The same at an edge of the domain.
#[test]
fn an_infinite_slope_beside_an_edge_is_not_taken_for_a_finite_one() {
    for from_edge in [1e-10, 1e-13, 3e-15, 1e-16, 1e-25, 1e-60] {
        let inside = |x: f64| Some((x - 1.0) + from_edge).filter(|x| *x >= 0.0);
        let powers = |x: f64| inside(x).map(|x| vec![x.sqrt(), x.powf(0.9), x.cbrt(), x.sin()]);
        let slopes = [0.5, 0.9, 1.0 / 3.0].map(|p: f64| p * from_edge.powf(p - 1.0));
        let found = Difference::default().outputs(powers, 1.0).outputs;
        for (slope, found) in slopes.iter().zip(&found) {
            assert_ne!(judge(*slope, found, 1e-7 * slope), Verdict::Fail, "{from_edge:e}, {slope:e}: {found:?}");
        }
        assert_eq!(judge(1.0, &found[3], 1e-7), Verdict::Pass, "{from_edge:e}: {found:?}");
    }
}
