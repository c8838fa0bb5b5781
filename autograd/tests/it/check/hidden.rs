//! Wrong rules that the gradient does not show at the point, and right ones that look wrong there.

use autograd::check::{BlameKind, Cause, Check, Difference, Hidden, Verdict};
use autograd::op::CustomOp;
use autograd::{Axis, Matrix, Real, Shape, Var, View};

/// `x²`, with a derivative times a number.
struct Square(f64);

impl<T: Real> CustomOp<T> for Square {
    fn name(&self) -> &'static str {
        "squared"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(x[0])
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        out.iter_mut().zip(x[0].as_slice()).for_each(|(y, x)| *y = *x * *x);
    }

    fn vjp<'g>(&self, g: Var<'g, T>, x: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g * x[0] * T::from_f64(2.0 * self.0))]
    }
}

#[test]
fn a_rule_whose_cotangent_is_zero_at_the_point_is_found() {
    let line = line!() + 2;
    let report = Check::new().function(
        |[x]| (x.graph().custom(Square(0.5), &[x]) * x.graph().constant([[0.0, 0.0]])).sum() + x.sum(),
        [[[1.5, -2.0]]],
    );
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let blame = report.culprit().unwrap();
    assert_eq!((blame.op.as_str(), blame.kind), ("squared", BlameKind::Vjp), "{report}");
    assert_eq!((blame.site.as_ref().unwrap().line, blame.hidden), (line, Some(Hidden::Cotangent)), "{report}");
    assert!(report.to_string().contains("hidden at this point: its cotangent is 0 here"), "{report}");
}

#[test]
fn a_rule_whose_own_factor_is_zero_at_the_point_is_found_near_by() {
    for report in [
        Check::new().function(|[x]| x.graph().custom(Square(0.5), &[x]).sum() + x.sum(), [[[0.0, 0.0]]]),
        Check::new().function(|[x]| x.square().with_gradient(&[x], |g, x, _| vec![g * x[0]]) + x, [0.0]),
    ] {
        assert_eq!(report.verdict, Verdict::Fail, "{report}");
        assert_eq!(report.culprit().unwrap().hidden, Some(Hidden::Nearby), "{report}");
    }
    Check::new().function(|[x]| x.graph().custom(Square(1.0), &[x]).sum() + x.sum(), [[[0.0, 0.0]]]).assert_pass();
}

/// The same number, with a derivative that is NaN.
struct Broken;

impl<T: Real> CustomOp<T> for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(x[0])
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(x[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g * T::NAN)]
    }
}

#[test]
fn the_operation_in_which_nan_begins_is_blamed_and_none_below_it() {
    let report = Check::new().function(|[x]| x.graph().custom(Broken, &[x.ln() * x]).sum(), [[[0.5, 2.0]]]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let named: Vec<&str> = report.blame.iter().map(|blame| blame.op.as_str()).collect();
    assert_eq!(named, ["broken"], "{report}");
}

#[test]
fn a_contribution_that_was_not_summed_over_the_broadcast_rows_is_called_so() {
    let (x, b) = (Matrix::from([[0.5, -1.0], [2.0, 0.25], [1.0, 1.5]]), Matrix::from([[0.125, 0.5]]));
    let report =
        Check::new().function(|[x, b]| (x + b).with_gradient(&[x, b], |g, _, _| vec![g, g]).square().sum(), [x, b]);
    let [blame] = &report.blame[..] else { panic!("{report}") };
    assert_eq!((blame.operand, blame.kind, &blame.cause), (2, BlameKind::Shape, &Some(Cause::NotSummed)), "{report}");
    assert!(report.to_string().contains("not summed over the broadcast rows"), "{report}");
}

#[test]
fn moves_that_cancel_in_a_sum_cancel_at_the_smallest_steps_too() {
    // Each element counts twice; where the random weights are opposite the derivative is 0.
    let inputs = [("a", &Matrix::scalar(0.0)), ("b", &Matrix::zeros(3, 4)), ("c", &Matrix::zeros(1, 4))];
    let report = Check::new().named(&inputs, |x| {
        let [a, b, c] = x else { panic!("three") };
        let parts = [*b, *c, a.log_sigmoid(), a.broadcast((3, 2)), *a, *b, *c];
        Var::concat(&parts.map(|part| part.reshape(part.shape().len(), 1)), Axis::Rows)
    });
    report.assert_pass();
}

#[test]
fn values_that_cancelled_are_as_coarse_as_what_they_are_left_of() {
    // The logarithm is of a number near 1: steps below 1e-5 do not change it, and tell nothing.
    let f = |x: f64| {
        let p = 0.75 / (1.0 + (-30.0 * (x - x.tanh()).abs()).exp()) + 0.125;
        (p / (1.0 - p)).ln()
    };
    let slope = |x: f64| {
        let s = 1.0 / (1.0 + (-30.0 * (x - x.tanh())).exp());
        let p = 0.75 * s + 0.125;
        0.75 * s * (1.0 - s) * 30.0 * x.tanh().powi(2) / (p * (1.0 - p))
    };
    for x in [1e-2, 1e-3, 1e-4] {
        let found = Difference::default().outputs(|t| Some(vec![f(x + (t - 1.0))]), 1.0).outputs[0];
        assert!((found.value - slope(x)).abs() <= found.error_bar, "{x}: {found:?}, {:e}", slope(x));
    }
}

#[test]
fn values_that_are_left_of_a_difference_show_their_grain() {
    // With closed forms of their derivatives.
    type Function = fn(f64) -> f64;
    let functions: [(Function, Function); 4] = [
        (|x| 1.0 - (x * 0.01).cos(), |x| 0.01 * (x * 0.01).sin()),
        (|x| (1.0 + x.powi(4)).sqrt() - 1.0, |x| 2.0 * x.powi(3) / (1.0 + x.powi(4)).sqrt()),
        (|x| 100.0 + x.powi(3).sin() - 100.0, |x| 3.0 * x * x * x.powi(3).cos()),
        (
            |x| 4.0 / (1.0 + (-x.powi(5)).exp()) - 2.0,
            |x| 20.0 * x.powi(4) / ((1.0 + (-x.powi(5)).exp()) * (1.0 + x.powi(5).exp())),
        ),
    ];
    for (k, (f, slope)) in functions.iter().enumerate() {
        for x in (0..300).map(|i| 0.004 * 1.02f64.powi(i)) {
            let found = Difference::default().of(f, x);
            assert!((found.value - slope(x)).abs() <= found.error_bar, "{k}, {x}: {found:?}, {:e}", slope(x));
            let allowed = 1e-10 + 1e-7 * slope(x).abs();
            assert!(found.error_bar <= allowed, "{k}, {x}: {found:?}, {:e}", slope(x));
        }
    }
}

#[test]
fn steps_of_a_function_are_not_taken_for_the_grain_of_its_values() {
    for x in [0.3125, 0.7, -1.2, 3.1] {
        // Exact numbers of few digits, and steps between which it is constant.
        for (f, slope) in
            [((|x| x * x) as fn(f64) -> f64, 2.0 * x), (|x| (8.0 * x).floor(), 0.0), (|x| x + 1.0 - 1.0, 1.0)]
        {
            let found = Difference::default().of(f, x);
            assert!((found.value - slope).abs() <= found.error_bar && found.error_bar < 1e-11, "{x}: {found:?}");
        }
    }
}

/// What is done with `4 σ(x⁵) - 2`, which around 0.016 is 1e-9 and has the rounding of 2.
fn left_over<T: Real>(kind: usize, x: Var<'_, T>) -> Var<'_, T> {
    let number = T::from_f64;
    let small = x.powi(5).sigmoid() * number(4.0) - number(2.0);
    match kind {
        0 => small,
        1 => small * number(3.7),
        2 => (small * number(1.3)).sin(),
        3 => small * x,
        _ => small + x * number(1e-9),
    }
}

fn judge_what_is_left_over<T: Real>() {
    for kind in 0..5 {
        for (seed, x) in (0..50).flat_map(|seed| [0.004, 0.016, 0.05].map(|x| (seed, x))) {
            let x = Matrix::from([[0.0], [x], [-1.149]]).cast::<T>();
            let report = Check::new().seed(seed).named(&[("x", &x)], |x| left_over(kind, x[0]));
            assert!(report.is_pass(), "{kind}, seed {seed}: {report}");
        }
    }
}

#[test]
fn values_that_cancelled_in_a_graph_have_the_rounding_of_what_they_are_left_of_whatever_became_of_them() {
    judge_what_is_left_over::<f64>();
    judge_what_is_left_over::<f32>();
}
