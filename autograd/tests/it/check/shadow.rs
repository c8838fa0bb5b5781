//! Functions of `f32`: a wrong formula is told from lost digits.

use std::sync::Arc;

use autograd::check::{BlameKind, Check, Reason, Verdict};
use autograd::op::CustomOp;
use autograd::{Axis, Matrix, Real, Shape, Var, View};

fn x() -> Matrix<f32> {
    Matrix::from([[0.5, -1.25, 2.0], [0.75, 1.5, -0.375]])
}

#[test]
fn a_healthy_network_passes_in_f32_at_the_tolerance_of_f64() {
    let (w, b) = (Matrix::from([[0.5, -0.25], [1.0, 0.75], [-1.5, 0.125]]), Matrix::from([[0.25, -0.5]]));
    let report = Check::new().named(&[("x", &x()), ("w", &w), ("b", &b)], |p: &[Var<'_, f32>]| {
        (p[0].matmul(p[1]) + p[2]).relu().log_softmax(Axis::Columns)
    });
    report.assert_pass();
    assert!(report.blame.is_empty(), "{report}");
    let shadow = report.parts.iter().find(|part| part.name == "f32 against f64").unwrap();
    assert!(shadow.passed == 14 && shadow.largest_error < 1e-5, "{report}");
}

#[test]
fn catastrophic_cancellation_is_named_with_its_line_and_is_not_taken_for_a_wrong_formula() {
    let line = line!() + 2;
    let report = Check::new().function_of(
        |[x]: [Var<'_, f32>; 1]| ((x + 4096.0) - 4096.0).square().sum(),
        [Matrix::<f32>::from([[1e-3, 2e-3]])],
    );
    let lost =
        report.blame.iter().find(|blame| blame.kind == BlameKind::Precision).unwrap_or_else(|| panic!("{report}"));
    assert_eq!((lost.op.as_str(), lost.site.as_ref().unwrap().line), ("sub", line), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("catastrophic cancellation at node")), "{report}");
    assert!(report.culprit().is_none(), "{report}");
    // The gradient has no digit left. The rules are right, and rounding explains it.
    assert_eq!(report.verdict, Verdict::Inconclusive(Reason::LostDigits), "{report}");
    let cause = report.cause().unwrap().to_string();
    assert_eq!(cause, "the formula is right, the computation loses digits", "{report}");
}

#[test]
fn a_gradient_that_vanishes_in_f32_is_found() {
    let report =
        Check::new().function_of(|[x]: [Var<'_, f32>; 1]| x.exp().sum(), [Matrix::<f32>::from([[-110.0, -120.0]])]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    assert!(report.parts.iter().any(|part| part.cause == Some(autograd::check::Cause::Precision)), "{report}");
    // Beside elements that do not vanish it does not matter.
    let report =
        Check::new().function_of(|[x]: [Var<'_, f32>; 1]| x.exp().sum(), [Matrix::<f32>::from([[-110.0, 0.5]])]);
    assert!(!report.is_fail(), "{report}");
}

/// `2x` for the derivative of `x²` in `f64`, and half of it in `f32`.
struct WrongInSingle;

impl<T: Real> CustomOp<T> for WrongInSingle {
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
        vec![Some(g * x[0] * T::from_f64(if T::NAME == "f64" { 2.0 } else { 1.0 }))]
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(Self))
    }
}

#[test]
fn a_rule_that_is_wrong_in_f32_alone_is_not_taken_for_lost_digits() {
    let report = Check::new().function_of(|[x]: [Var<'_, f32>; 1]| x.graph().custom(WrongInSingle, &[x]).sum(), [x()]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
}

#[test]
fn an_operation_without_a_form_in_f64_is_checked_in_f32_which_is_said() {
    let report = Check::new()
        .function_of(|[x]: [Var<'_, f32>; 1]| x.exp().with_gradient(&[x], |g, x, _| vec![g * x[0].exp()]).sum(), [x()]);
    report.assert_pass();
    assert!(report.notes.iter().any(|note| note.contains("with_gradient has no form in f64")), "{report}");
    let report = Check::new().function_of(
        |[x]: [Var<'_, f32>; 1]| x.exp().with_gradient(&[x], |g, x, _| vec![g * x[0].exp() * 1.1]).sum(),
        [x()],
    );
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    assert_eq!(report.blame[0].op, "with_gradient", "{report}");
}

#[test]
fn one_pre_activation_near_zero_is_no_cancellation_to_speak_of() {
    // 0.1 · 3 - 0.3 · 1 rounds to 1e-8 in f32, and the other pre-activations are of the size 1.
    let (x, w) = (Matrix::from([[0.1f32, 0.3], [0.5, -0.75]]), Matrix::from([[3.0f32, 0.5], [-1.0, 1.25]]));
    let report = Check::new().function_of(|[x, w]: [Var<'_, f32>; 2]| x.matmul(w).relu().square().sum(), [x, w]);
    report.assert_pass();
    let note = |report: &autograd::check::Report| report.notes.iter().any(|note| note.contains("cancellation"));
    assert!(!note(&report) && report.blame.is_empty(), "{report}");
    // Alone it is the whole value, which is what is asked for.
    let alone = Check::new().function_of(
        |[x, w]: [Var<'_, f32>; 2]| x.matmul(w).square().sum(),
        [Matrix::from([[0.1f32, 0.3]]), Matrix::from([[3.0f32], [-1.0]])],
    );
    assert!(note(&alone) && alone.blame.iter().any(|one| one.op == "matmul"), "{alone}");
}
