//! Right gradients never fail: smooth functions pass, kinks and edges are said to be what they are.

use autograd::check::{self, Check, Reason, Side, Verdict};

use super::rivals::Random;

/// A smooth function of one number and its derivative; `kind` 6 and 7 have a kink at 0.
fn piece(kind: usize, x: f64) -> (f64, f64) {
    match kind {
        0 => (x.sin(), x.cos()),
        1 => (x.tanh(), 1.0 / (x.cosh() * x.cosh())),
        2 => (x.exp(), x.exp()),
        3 => (x * x * x, 3.0 * x * x),
        4 => ((1.0 + x * x).ln(), 2.0 * x / (1.0 + x * x)),
        5 => ((x * x + 0.5).sqrt(), x / (x * x + 0.5).sqrt()),
        6 => (x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
        _ => (
            x.abs(),
            if x > 0.0 {
                1.0
            } else if x < 0.0 {
                -1.0
            } else {
                0.0
            },
        ),
    }
}

/// `Σ wₖ pₖ(xₖ) + c Πₖ sin(xₖ)`, of up to three numbers.
fn run(random: &mut Random, kinds: usize, on_kinks: bool) -> autograd::check::Report {
    let n = 1 + random.below(3);
    let kind: Vec<usize> = (0..n).map(|_| random.below(kinds)).collect();
    let w: Vec<f64> = (0..n).map(|_| random.normal() * 10f64.powf(4.0 * random.uniform() - 2.0)).collect();
    let spread = 10f64.powf(2.0 * random.uniform() - 1.5);
    let x: Vec<f64> =
        (0..n).map(|_| if on_kinks && random.below(2) == 0 { 0.0 } else { spread * random.normal() }).collect();
    let f = |x: &[f64]| -> f64 {
        let sum: f64 = x.iter().zip(&kind).zip(&w).map(|((x, kind), w)| w * piece(*kind, *x).0).sum();
        sum + x.iter().map(|x| x.sin()).product::<f64>()
    };
    let gradient = |x: &[f64]| -> Vec<f64> {
        (0..n)
            .map(|k| {
                let others: f64 = (0..n).filter(|&j| j != k).map(|j| x[j].sin()).product();
                w[k] * piece(kind[k], x[k]).1 + others * x[k].cos()
            })
            .collect()
    };
    Check::new().gradient(f, gradient, &x)
}

#[test]
fn ten_thousand_healthy_gradients_raise_no_alarm() {
    let mut random = Random::new(1);
    let mut passed = 0;
    for case in 0..8000 {
        let report = run(&mut random, 6, false);
        assert!(!report.is_fail(), "case {case}: {report}");
        passed += u32::from(report.is_pass());
    }
    println!("smooth: {passed} of 8000 pass");
    assert!(passed >= 7920, "{passed}");
    let mut kinks = 0;
    for case in 0..4000 {
        let report = run(&mut random, 8, true);
        assert!(!report.is_fail(), "case {case}: {report}");
        if let Verdict::Inconclusive(reason) = report.verdict {
            kinks += u32::from(reason == Reason::Kink);
            assert!(reason == Reason::Kink || report.kinks.is_empty(), "{report}");
        }
    }
    assert!(kinks > 500, "{kinks}");
}

#[test]
fn edges_of_domains_are_checked_from_one_side() {
    let d = check::derivative(|x: f64| (x >= 1.0).then_some(x * x), 1.0);
    assert_eq!(d.side, Side::Right);
    assert!((d.value - 2.0).abs() <= d.error_bar && d.error_bar < 1e-9, "{d:?}");
    let report = Check::new().gradient(|x: &[f64]| (x[0] <= 2.0).then(|| x[0].powi(3)), |_: &[f64]| [12.0], &[2.0]);
    assert!(report.is_pass(), "{report}");
    let report = Check::new().gradient(|x: &[f64]| x[0].sqrt(), |x: &[f64]| [0.5 / x[0].sqrt()], &[0.0]);
    assert!(!report.is_fail() && !report.is_pass(), "{report}");
    let report = Check::new().gradient(
        |x: &[f64]| {
            assert!(x[0] > 0.0);
            x[0].ln()
        },
        |x: &[f64]| [1.0 / x[0]],
        &[1e-8],
    );
    assert!(report.is_pass(), "{report}");
}

#[test]
fn functions_of_f32_are_judged_by_what_f32_shows() {
    let f = |x: &[f32]| x[0].sin() * x[1].exp() + 3.0 * x[0];
    let right = |x: &[f32]| [x[0].cos() * x[1].exp() + 3.0, x[0].sin() * x[1].exp()];
    let wrong = |x: &[f32]| [x[0].cos() * x[1].exp() + 3.0, 1.01 * x[0].sin() * x[1].exp()];
    let report = Check::new().gradient(f, right, &[0.7, -0.3]);
    assert!(report.is_pass(), "{report}");
    assert!(Check::new().gradient(f, wrong, &[0.7, -0.3]).is_fail());
    for x in [0.1_f32, 0.7, 2.5, -1.25, 10.0] {
        let d = check::gradient(|x: &[f32]| x[0].sin() + 2.0, &[x])[0];
        let error = (d.value - f64::from(x).cos()).abs();
        assert!(error <= d.error_bar && d.error_bar < 1e-3, "{x}: {d:?}");
    }
}
