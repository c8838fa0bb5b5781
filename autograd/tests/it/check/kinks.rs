//! Points at which functions are not smooth: no false alarm, the convention is what is checked, and the kink is reported.

use autograd::check::{Check, Reason, Report, Verdict};
use autograd::op::SortOrder;
use autograd::{Axis, Matrix, Var};

use super::rivals::Random;

type Closure = fn(Var<'_, f64>) -> Var<'_, f64>;

/// Functions made of several operations, some of which have kinks.
fn compositions() -> Vec<(&'static str, Closure)> {
    vec![
        ("elu", |x| x.elu(1.5)),
        ("celu", |x| x.celu(0.5)),
        ("selu", |x| x.selu()),
        ("hardtanh", |x| x.hardtanh()),
        ("relu6", |x| x.relu6()),
        ("hardsigmoid", |x| (x * 3.0).hardsigmoid()),
        ("hardswish", |x| (x * 3.0).hardswish()),
        ("hardshrink", |x| x.hardshrink(0.5)),
        ("softshrink", |x| x.softshrink(0.5)),
        ("threshold", |x| x.threshold(0.5, -3.0)),
        ("prelu", |x| x.prelu(x.scalar(0.25))),
        ("prelu of a variable slope", |x| x.prelu(x.mean())),
        ("median", |x| x.median()),
        ("median of columns", |x| x.median_axis(Axis::Rows)),
        ("top_k", |x| x.top_k(Axis::Columns, 2).0),
        ("sort", |x| x.sort(Axis::Rows, SortOrder::Descending).0),
        ("norm 1", |x| x.norm(1.0)),
        ("norm 2", |x| x.norm_axis(Axis::Columns, 2.0)),
        ("norm 3", |x| x.norm(3.0)),
        ("norm of columns", |x| x.norm_axis(Axis::Rows, 3.0)),
        ("largest magnitude", |x| x.norm(f64::INFINITY)),
        ("smallest magnitude", |x| x.norm(f64::NEG_INFINITY)),
        ("clamp_between", |x| x.clamp_between(x.scalar(-0.5), x.mean())),
        ("max", |x| x.max()),
        ("min", |x| x.min_axis(Axis::Rows)),
        ("cummax", |x| x.cummax(Axis::Columns)),
        ("std", |x| x.std(1)),
        ("normalize", |x| x.normalize(Axis::Columns, 2.0, 1e-6)),
        ("fract", |x| x.fract()),
        ("remainder", |x| x.remainder(x.scalar(0.75))),
        ("one_hot of arg_max", |x| (x.arg_max(Axis::Columns).one_hot(3) * x).sum()),
        ("where √x", |x| x.gt(x.scalar(0.0)).select(x.sqrt(), x.scalar(0.0))),
        ("xlogy", |x| x.relu().xlogy(x.square())),
        ("cdist", |x| x.cdist(x, 2.0)),
        ("softsign", |x| x.softsign()),
        ("nan_to_num", |x| x.nan_to_num(0.0, 1.0, -1.0)),
        ("relu of relu", |x| (x.relu() - 0.5).relu()),
        ("abs of abs", |x| (x.abs() - 0.5).abs()),
    ]
}

fn points() -> Vec<Matrix<f64>> {
    vec![
        Matrix::from([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        Matrix::from([[0.5, -0.5, 0.5], [1.0, 0.0, -1.0]]),
        Matrix::from([[1.0, 1.0, 2.0], [1.0, 2.0, 2.0]]),
        Matrix::from([[0.5, 0.5, 0.5], [-0.5, 0.75, -1.5]]),
        Matrix::from([[-1.0, 0.25, -0.0], [1.5, -0.75, 1e-9]]),
    ]
}

#[test]
fn compositions_pass_on_kinks_and_ties() {
    for (name, f) in compositions() {
        for (k, point) in points().into_iter().enumerate() {
            // At 1e-9 second derivatives are differences of numbers of 1e9.
            let report = Check::new().second_order(k < 4).function(|[x]| f(x), [&point]);
            // Steps must be shorter than 1e-9 beside the kink of `x ln x` at 0, and its values are added to some of the size 1.
            let expected = if (name, k) == ("xlogy", 4) { Verdict::Inconclusive(Reason::Noise) } else { Verdict::Pass };
            assert_eq!(report.verdict, expected, "{name} at {point}:\n{report}");
        }
    }
}

fn wrong(rule: Closure, f: Closure, at: Matrix<f64>) -> Report {
    // The derivative of another function, which differs at the kink alone.
    Check::new()
        .second_order(false)
        .function(move |[x]| f(x).with_gradient(&[x], move |g, x, _| vec![rule(x[0]).vjp(g, x[0])]).sum(), [at])
}

#[test]
fn another_convention_at_a_kink_fails() {
    let cases: Vec<(&str, Closure, Closure, Matrix<f64>)> = vec![
        ("relu with ½ at 0", |x| x.maximum(x.scalar(0.0)), |x| x.relu(), Matrix::from([[1.0, 0.0, -1.0]])),
        ("relu with 1 at 0", |x| x.ge(x.scalar(0.0)).select(x, x * 0.0), |x| x.relu(), Matrix::scalar(0.0)),
        ("abs with 1 at 0", |x| x.ge(x.scalar(0.0)).select(x, -x), |x| x.abs(), Matrix::scalar(0.0)),
        (
            "leaky_relu from the right",
            |x| x.ge(x.scalar(0.0)).select(x, x * 0.1),
            |x| x.leaky_relu(0.1),
            Matrix::scalar(0.0),
        ),
        (
            "clamp with 1 at the edge",
            |x| x.lt(x.scalar(-1.0)).select(x * 0.0, x),
            |x| x.clamp(-1.0, 5.0),
            Matrix::scalar(-1.0),
        ),
        (
            "max to the first",
            |x| (x.arg_max(Axis::Columns).one_hot(2) * x).sum_axis(Axis::Columns),
            |x| x.max_axis(Axis::Columns),
            Matrix::from([[2.0, 2.0]]),
        ),
        ("floor with 1", |x| x, |x| x.floor(), Matrix::scalar(0.5)),
        ("hypot with 1 at 0", |x| x, |x| x.hypot(x.scalar(0.0)), Matrix::scalar(0.0)),
        ("norm with 1 at 0", |x| x, |x| x.norm(2.0), Matrix::scalar(0.0)),
    ];
    for (name, rule, f, at) in cases {
        let report = wrong(rule, f, at);
        assert_eq!(report.verdict, Verdict::Fail, "{name}:\n{report}");
    }
}

#[test]
fn a_kink_is_reported_with_its_operation_line_element_and_slopes() {
    let report = Check::new().function(|[x]| x.relu().sum(), [[[1.0, 0.0, -1.0]]]);
    report.assert_pass();
    let [kink] = &report.kinks[..] else { panic!("{report}") };
    assert_eq!(kink.op.as_deref(), Some("relu"));
    assert!(kink.site.as_ref().unwrap().file.ends_with("kinks.rs"));
    assert_eq!(kink.element.index, [0, 1]);
    assert_eq!((kink.margin, kink.slopes), (0.0, Some([0.0, 1.0])));

    let jump = Check::new().function(|[x]| (x.floor() + x).sum(), [2.0]);
    jump.assert_pass();
    assert_eq!(jump.kinks[0].slopes, Some([f64::INFINITY, 0.0]), "{jump}");

    let tie = Check::new().function(|[x]| x.max(), [[[3.0, 1.0, 3.0]]]);
    tie.assert_pass();
    assert_eq!(tie.kinks[0].op.as_deref(), Some("max"));
    assert!(tie.kinks[0].slopes.unwrap()[0] < tie.kinks[0].slopes.unwrap()[1], "{tie}");
}

#[test]
fn smooth_points_have_no_kinks() {
    let report = Check::new().function(|[x]| (x.relu() + x.abs() + x.floor()).sum(), [[[1.25, 0.5, -1.75]]]);
    report.assert_pass();
    assert!(report.kinks.is_empty(), "{report}");
}

/// Nearer to a kink than the smallest step, differences of a rule step over it; the second derivative of a norm is what rounding
/// leaves of two terms of the size of 1/x.
#[test]
fn a_hair_from_a_kink_no_second_derivative_is_called_wrong() {
    let norms: [(&str, Closure); 4] = [
        ("of rows", |x| x.norm_axis(Axis::Columns, 2.0)),
        ("of columns", |x| x.norm_axis(Axis::Rows, 2.0)),
        ("of all", |x| x.norm(2.0)),
        ("hypot", |x| x.hypot(x * 0.5)),
    ];
    let mut random = Random::new(12);
    for exponent in 3..60 {
        for (name, norm) in norms {
            let tiny = [(); 4].map(|()| random.normal() * 10f64.powi(-exponent));
            let at = Matrix::new(4, 1, tiny.to_vec());
            let report = Check::new().function(|[x]| norm(x), [at]);
            assert!(!report.is_fail(), "norm {name} at {tiny:?}:\n{report}");
        }
    }
}
