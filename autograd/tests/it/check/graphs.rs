//! Functions recorded in graphs, end to end.

use autograd::check::{Check, Reason, Report, Verdict};
use autograd::{Axis, Function, Matrix, Var, assert_gradient};

use crate::support::panic_of;

fn part<'a>(report: &'a Report, name: &str) -> &'a autograd::check::Part {
    report.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("no part {name} in\n{report}"))
}

fn x() -> Matrix<f64> {
    Matrix::from([[0.5, -1.25, 2.0], [0.75, 1.5, -0.375]])
}

#[test]
fn a_healthy_function_of_several_matrices_passes_in_all_parts() {
    let (w, b) = (Matrix::from([[0.5, -0.25], [1.0, 0.75], [-1.5, 0.125]]), Matrix::from([[0.25, -0.5]]));
    let report = Check::new()
        .named(&[("x", &x()), ("w", &w), ("b", &b)], |p| (p[0].matmul(p[1]) + p[2]).tanh().log_softmax(Axis::Columns));
    report.assert_pass();
    for name in ["gradient", "jvp", "jvp against vjp", "second derivatives", "symmetry", "invariants"] {
        let part = part(&report, name);
        assert!(part.passed > 0 && part.failed == 0 && part.undecided == 0, "{name}:\n{report}");
    }
    assert_eq!(part(&report, "gradient").passed, 6 + 6 + 2);
    assert!(report.blame.is_empty() && report.kinks.is_empty(), "{report}");
}

#[test]
fn a_function_can_be_checked_where_it_is_defined() {
    let f = Function::new(|[x, y]| (1.0 - x).square() + 100.0 * (y - x.square()).square());
    f.check([1.5, -0.25]).assert_pass();
    let g = Function::of(|[x]: [Var<'_, f32>; 1]| (x.exp() + 1.0).ln().sum());
    g.check([[[0.5, -2.0]]]).assert_pass();
}

#[test]
fn a_loop_over_values_is_checked_as_it_ran() {
    fn newton<'g>([a]: [Var<'g, f64>; 1]) -> Var<'g, f64> {
        let mut y = a;
        while (y.square() - a).item().abs() > 1e-12 {
            y = (y + a / y) * 0.5;
        }
        y
    }
    Check::new().function(newton, [2.0]).assert_pass();
}

#[test]
fn a_wrong_factor_is_a_failure_and_small_ones_are_too() {
    for factor in [0.5, 2.0, -1.0, 0.0, 1.001, 0.999, 1.000_01] {
        let report = Check::new()
            .function(|[x]| x.exp().with_gradient(&[x], move |g, x, _| vec![g * x[0].exp() * factor]).sum(), [x()]);
        assert_eq!(report.verdict, Verdict::Fail, "factor {factor}:\n{report}");
        assert_eq!(report.blame[0].op, "with_gradient", "{report}");
    }
}

#[test]
fn a_value_detached_by_mistake_is_a_failure_unless_it_is_said_to_be_held() {
    fn f<'g>([x]: [Var<'g, f64>; 1]) -> Var<'g, f64> {
        (x * x.detach()).sum()
    }
    let report = Check::new().function(f, [x()]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    assert!(report.blame.is_empty(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("detached")), "{report}");
    Check::new().hold_detached(true).function(f, [x()]).assert_pass();
}

#[test]
fn declared_derivatives_of_another_function_are_what_is_checked() {
    fn f<'g>([x]: [Var<'g, f64>; 1]) -> Var<'g, f64> {
        (x.sign().straight_through(x.tanh()) * x.scale_gradient(-0.5)).sum()
    }
    Check::new().function(f, [x()]).assert_pass();
}

#[test]
fn a_derivative_that_is_wrong_at_second_order_only_is_found() {
    let report = Check::new()
        .function(|[x]| x.powi(3).with_gradient(&[x], |g, x, _| vec![g * (x[0].square() * 3.0).detach()]).sum(), [x()]);
    assert_eq!(part(&report, "gradient").failed, 0, "{report}");
    assert!(part(&report, "second derivatives").failed > 0, "{report}");
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.blame[0].op, "with_gradient", "{report}");
    let first = Check::new().second_order(false);
    let first = first
        .function(|[x]| x.powi(3).with_gradient(&[x], |g, x, _| vec![g * (x[0].square() * 3.0).detach()]).sum(), [x()]);
    first.assert_pass();
}

#[test]
fn an_input_without_influence_is_no_pass_and_the_cut_is_named() {
    let report = Check::new().function(|[x, y]| (x.square() + y.gt(y.scalar(0.0))).sum(), [x(), x()]);
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("the path is cut by the compare")), "{report}");
}

#[test]
fn what_panics_is_a_failure_with_its_message() {
    let caught = Check::new().function(|[x, y]| x.matmul(y), [x(), x()]);
    assert_eq!(caught.verdict, Verdict::Fail);
    assert!(caught.notes.iter().any(|note| note.contains("left columns (3) must equal right rows (2)")), "{caught}");
    let wrong = Check::new().function(|[x]| x.exp().with_gradient(&[x], |_, _, _| vec![]), [x()]);
    assert_eq!(wrong.verdict, Verdict::Fail);
    assert!(wrong.notes.iter().any(|note| note.contains("vjp gives no cotangent to operand 1")), "{wrong}");
}

#[test]
fn what_is_not_finite_is_no_pass_and_the_first_operation_is_named() {
    let value = Check::new().function(|[x]| x.ln().sum(), [x()]);
    assert!(!value.is_pass());
    assert!(value.notes.iter().any(|note| note.contains("ln recorded at")), "{value}");
    let slope = Check::new().function(|[x]| x.sqrt().sum(), [0.0]);
    assert!(!slope.is_pass(), "{slope}");
    let nan =
        Check::new().function(|[x]| x.exp().with_gradient(&[x], |g, x, _| vec![g * x[0] * f64::NAN]).sum(), [x()]);
    assert_eq!(nan.verdict, Verdict::Fail, "{nan}");
}

#[test]
fn a_function_that_changes_from_call_to_call_is_found() {
    let calls = std::cell::Cell::new(0.0);
    let report = Check::new().function(
        |[x]| {
            calls.set(calls.get() + 1.0);
            (x * calls.get()).sum()
        },
        [x()],
    );
    assert!(!report.is_pass(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("recorded again")), "{report}");
}

#[test]
fn a_rule_that_is_not_linear_in_its_cotangent_is_found() {
    let report = Check::new().function(
        |[x]| x.square().with_gradient(&[x], |g, x, _| vec![g * x[0] * 2.0 + g.square() * 0.0 + 1.0]).sum(),
        [x()],
    );
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
}

#[test]
fn nothing_to_compare_is_no_pass() {
    let empty = Matrix::<f64>::zeros(0, 3);
    let report = Check::new().named(&[("x", &empty)], |x| x[0].sum());
    assert_eq!(report.verdict, Verdict::Inconclusive(Reason::Nothing));
}

#[test]
fn one_wrong_element_among_many_is_found_and_named() {
    let w = Matrix::from_fn(60, 50, |i, j| ((i * 7 + j * 3) % 11) as f64 / 8.0 - 0.5);
    let report = Check::new().named(&[("w", &w)], |p| {
        p[0].tanh()
            .with_gradient(&[p[0]], |g, x, _| {
                let mask =
                    g.graph().constant(Matrix::from_fn(60, 50, |i, j| if (i, j) == (41, 17) { 1.001 } else { 1.0 }));
                vec![g * x[0].sech_squared() * mask]
            })
            .sum()
    });
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let named = report.mismatches.iter().map(|m| m.input.to_string()).collect::<Vec<_>>();
    assert!(named.contains(&"w[41,17]".to_owned()), "{named:?}\n{report}");
    assert_eq!(report.blame[0].worst.input.index, [41, 17], "{report}");
}

#[test]
fn assert_pass_panics_with_the_report() {
    let caught = panic_of(|| {
        Check::new().function(|[x]| x.square().with_gradient(&[x], |g, _, _| vec![g]).sum(), [x()]).assert_pass();
    });
    assert!(caught.message.contains("with_gradient") && caught.message.contains("graphs.rs"), "{}", caught.message);
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let run = || Check::new().function(|[x]| (x.sin() * x).sum_axis(Axis::Rows), [x()]);
    assert_eq!(run().to_string(), run().to_string());
}

#[test]
fn the_macro_takes_closures_over_vars() {
    assert_gradient!(|[x]| (x.exp() * 0.5).sum(), [x()]);
    assert_gradient!(|[x, y]| (x * y).tanh(), [x(), x()], second_order = false, seed = 3);
    let caught = panic_of(|| assert_gradient!(|[x]| (x * x.detach()).sum(), [x()]));
    assert!(caught.message.contains("WRONG"), "{}", caught.message);
}

/// The report of a layer with a wrong rule, as a whole.
#[test]
fn a_report_reads_like_this() {
    let report = Check::new().second_order(false).function(
        |[x, w]| {
            let z = x.matmul(w);
            z.tanh().with_gradient(&[z], |g, z, _| vec![g * z[0].sech_squared() * 0.5]).square().mean()
        },
        [Matrix::from([[0.5, -1.25]]), Matrix::from([[0.5, 0.25], [-0.75, 1.0]])],
    );
    let text = report.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let expected = [
        "  wrong derivative rule (reverse mode): with_gradient (node #4, operand 1, 1x2)",
        "    at autograd/tests/it/check/graphs.rs:",
        "    likely cause: missing factor 2",
        "  derivative by                   your code      values say ± error    allowed",
        "  x0[0,1]                        -0.2365263       -0.4730527 ±",
    ];
    for line in expected {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
    }
}
