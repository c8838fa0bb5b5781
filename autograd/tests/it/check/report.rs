//! Reports are user interface: their text is tested to the letter.

use autograd::check::{Check, Method, Report};
use autograd::{Matrix, Var, assert_gradient};

fn least_squares() -> Report {
    // Three samples, two weights; the mean was forgotten in the gradient.
    let data = [([1.0, 2.0], 1.0), ([0.5, -1.0], 2.0), ([-1.5, 0.25], 0.5)];
    let residual = move |w: &[f64], k: usize| w[0] * data[k].0[0] + w[1] * data[k].0[1] - data[k].1;
    let loss = move |w: &[f64]| (0..3).map(|k| residual(w, k).powi(2)).sum::<f64>() / 3.0;
    let gradient = move |w: &[f64]| -> Vec<f64> {
        (0..2).map(|j| (0..3).map(|k| residual(w, k) * data[k].0[j]).sum::<f64>() / 3.0).collect()
    };
    Check::new().input("w", 2, 1).gradient(loss, gradient, &[0.5, -0.25])
}

#[test]
fn the_text_names_place_numbers_and_cause() {
    let mut report = least_squares();
    report.site = None;
    let text = report.to_string();
    println!("{text}");
    assert_eq!(
        text,
        "check of gradient FAILED
  2 wrong, 0 unclear, 0 right (32 evaluations, seed 2026)
  likely cause: missing factor 2 (gradient by w)
  derivative by                   your code      values say ± error    allowed
  w[1,0]                         -0.2760416       -0.5520833 ±1e-14       6e-8  WRONG
  w[0,0]                          0.0729166        0.1458333 ±1e-14       1e-8  WRONG"
    );
}

/// A report without what depends on the machine and on lines of this file: bars, and where calls stand.
fn settled(report: &Report) -> String {
    let line = |line: &str| -> String {
        match (line.split_once("report.rs:"), line.find('±').filter(|_| !line.contains("± error"))) {
            (Some((before, _)), _) => format!("{}report.rs", &before[..before.find("at ").unwrap() + 3]),
            (None, Some(at)) => {
                let (kept, rest) = line.split_at(at);
                format!("{kept}±…{}", rest.trim_start_matches(|c: char| !c.is_whitespace()))
            }
            (None, None) => line.to_owned(),
        }
    };
    report.to_string().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_failure_with_blame_reads_like_this() {
    let x = Matrix::from([[0.5, 1.0], [2.0, -0.25]]);
    let report = Check::new().second_order(false).directions(1).function(
        |[x, w]| {
            let y = x.matmul(w);
            y.tanh().with_gradient(&[y], |g, _, t| vec![g * (1.0 - t.square()) * 2.0]).sum()
        },
        [x, Matrix::from([[0.75], [-0.5]])],
    );
    assert_eq!(
        settled(&report),
        "check of a function of 6 numbers in f64 FAILED
  at report.rs
  8 wrong, 0 unclear, 5 right (138 evaluations, seed 2026)
  wrong derivative rule (reverse mode): with_gradient (node #4, operand 1, 2x1)
    at report.rs
    worst: operand 1[0,0] is -2.3690405, values say -1.1845202 ±…
    likely cause: factor 2 too much
  derivative by                   your code      values say ± error    allowed
  x1[1,0]                         1.8972054        0.9486027 ±…       2e-7  WRONG
  x1[0,0]                         1.5594737        0.7797368 ±…       2e-7  WRONG
  x0[0,0]                         1.4768045        0.7384022 ±…       1e-7  WRONG
  x0[0,1]                        -0.9845363       -0.4922681 ±…       1e-7  WRONG
  x0[1,0]                         0.2156015        0.1078007 ±…       2e-8  WRONG
  x0[1,1]                        -0.1437343       -0.0718671 ±…       1e-8  WRONG
  jvp, random direction           0.4911211        0.2455605 ±…       5e-8  WRONG
  gradient, random direction      0.4911211        0.2455605 ±…       3e-7  WRONG"
    );
}

#[test]
fn an_inconclusive_check_reads_like_this() {
    let f = |x: &[f64]| x[0].abs() + (x[1] - 1.0).max(0.0) + x[2];
    let report = Check::new().gradient(f, |_: &[f64]| [0.0, 0.5, 1.0], &[0.0, 1.0, 2.0]);
    assert_eq!(
        settled(&report),
        "check of gradient INCONCLUSIVE: kink
  at report.rs
  0 wrong, 2 unclear, 1 right (193 evaluations, seed 2026)
  derivative by                   your code      values say ± error    allowed
  x[0]                                    0                0 ±…      1e-10  unclear: kink
  x[1]                                  0.5              0.5 ±…       5e-8  unclear: kink
  kink: x[0]: slope -1 to the left, 1 to the right
  kink: x[1]: slope 0 to the left, 1 to the right"
    );
}

#[test]
fn a_pass_reads_like_this() {
    let report = Check::new().function(|[x]| (x.relu() * x).sum(), [[[0.5, 0.0, -2.0]]]);
    assert_eq!(
        settled(&report),
        "check of a function of 3 numbers in f64 passed
  at report.rs
  0 wrong, 0 unclear, 27 right (107 evaluations, seed 2026)
  kink of relu: #1[0,1]: slope 0 to the left, 1 to the right
    at report.rs"
    );
}

#[test]
fn likely_causes_are_printed_once() {
    // Both blocks have the same cause.
    let f = |x: &[f64]| x[0] * x[0] + x[1] * x[1];
    let report = Check::new().input("a", 1, 1).input("b", 1, 1).gradient(f, |x: &[f64]| [x[0], x[1]], &[1.5, -2.0]);
    let text = report.to_string();
    assert!(text.contains("likely cause: missing factor 2 (gradient by a, gradient by b)"), "{text}");
    assert_eq!(text.matches("likely cause").count(), 1, "{text}");
    // What is known of the operation is said, and what the whole looks like is not.
    let one = Check::new().function(
        |[x]| {
            let off = Matrix::from([[1.0, 3.0, 1.0]]);
            x.square().with_gradient(&[x], move |g, x, _| vec![g * x[0] * 2.0 * g.graph().constant(&off)])
        },
        [[[0.5, -1.5, 2.0]]],
    );
    assert!(one.parts.iter().any(|part| part.cause.is_some()), "{one}");
    assert_eq!(one.to_string().matches("likely cause").count(), 1, "{one}");
}

#[test]
fn a_report_survives_as_data_with_all_that_is_not_finite() {
    let nan = Check::new().gradient(|x: &[f64]| x[0] * x[1], |x: &[f64]| [x[1], f64::NAN], &[2.0, 3.0]);
    let jump = Check::new().function(|[x]| (x.floor() + x).sum(), [2.0]);
    let domain = Check::new().gradient(|x: &[f64]| x[0].sqrt(), |_: &[f64]| [f64::INFINITY], &[0.0]);
    let blame = Check::new().function(|[x]| x.square().with_gradient(&[x], |g, x, _| vec![g * x[0]]), [3.0]);
    for report in [least_squares(), nan, jump, domain, blame] {
        let text = serde_json::to_string(&report).unwrap();
        let again: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(again.to_string(), report.to_string());
        // NaN is not equal to itself: the data is compared as text, which has every digit.
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        let numbers = |report: &Report| -> Vec<u64> {
            let all =
                report.mismatches.iter().flat_map(|one| [one.analytic, one.numeric, one.error_bar, one.tolerance]);
            let kinks = report.kinks.iter().flat_map(|kink| kink.slopes.unwrap_or_default());
            all.chain(kinks).map(f64::to_bits).collect()
        };
        assert_eq!(numbers(&again), numbers(&report));
    }
}

#[test]
fn numeric_gradients_are_compared_by_the_traits_of_approx() {
    let x = Matrix::from([[0.5, -1.25], [2.0, 0.75]]);
    let f = |x: &[f64]| x[0].sin() * x[3] + x[1] * x[2].exp();
    let numeric: Vec<f64> = autograd::check::gradient(f, x.as_slice()).iter().map(|slope| slope.value).collect();
    let numeric = Matrix::new(2, 2, numeric);
    let graph = autograd::Graph::new();
    let v = graph.variable(&x);
    let at = |i: usize, j: usize| v.slice(i..i + 1, j..j + 1);
    let y = at(0, 0).sin() * at(1, 1) + at(0, 1) * at(1, 0).exp();
    approx::assert_relative_eq!(y.gradient(v).value(), numeric, max_relative = 1e-11);
    approx::assert_abs_diff_eq!(y.gradient(v).value(), numeric, epsilon = 1e-9);
    approx::assert_ulps_eq!(y.gradient(v).value(), numeric, max_ulps = 1 << 16);
    approx::assert_relative_ne!(y.gradient(v).value(), numeric.transpose(), max_relative = 1e-3);
}

#[test]
fn no_line_is_longer_than_100_columns() {
    let long = "a_parameter_with_quite_a_long_name_that_nobody_can_remember_not_even_its_author";
    let check = Check::new().input(long, 10, 9).elements(1000);
    let x: Vec<f64> = (0..90).map(|k| f64::from(k) * 1.234_567_8e5).collect();
    let f = |x: &[f64]| x.iter().map(|x| x.sin() + x.abs()).sum::<f64>();
    let report = check.gradient(f, |x: &[f64]| x.iter().map(|x| -1.234_567_8e-200 * x).collect::<Vec<f64>>(), &x);
    assert!(report.is_fail());
    for line in report.to_string().lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn a_report_is_an_error_that_names_the_line_that_asked() {
    let error: Box<dyn core::error::Error> = least_squares().into_result().unwrap_err();
    let line = error.to_string().lines().nth(1).unwrap().to_owned();
    assert!(line.contains("check/report.rs:"), "{line}");
}

#[test]
fn the_macro_takes_settings_and_a_message() {
    let f = |x: &[f64]| x[0] * x[1];
    assert_gradient!(f, |x: &[f64]| [x[1], x[0]], &[2.0, 3.0]);
    assert_gradient!(f, |x: &[f64]| [x[1], x[0]], &[2.0, 3.0], rtol = 1e-9, second_order = true);
    let caught = crate::support::panic_of(|| {
        assert_gradient!(f, |x: &[f64]| [x[1], 2.0 * x[0]], &[2.0, 3.0], rtol = 1e-9, "case {}", 7);
    });
    assert!(caught.message.starts_with("case 7\ncheck of gradient FAILED"), "{}", caught.message);
    assert!(caught.file.ends_with("check/report.rs"), "{}", caught.file);
}

#[test]
fn the_macro_takes_closures_with_matrices_of_any_kind() {
    let w = Matrix::from([[0.5], [-0.25]]);
    assert_gradient!(|[x, w, b]| (x.matmul(w) + b).tanh().sum(), [[[-2.0, 3.0]], &w, 0.5]);
    assert_gradient!(|[w]| w.exp().sum(), [w.clone()], second_order = false, "never {}", "seen");
    let all = [w.clone(), w];
    assert_gradient!(|[v, w]| (v * w).sum(), all, directions = 1);
    let caught = crate::support::panic_of(|| {
        assert_gradient!(|[x]| x.square().with_gradient(&[x], |g, _, _| vec![g]), [3.0], "case {}", 7);
    });
    assert!(caught.message.starts_with("case 7\ncheck of a function of 1 number in f64 FAILED"), "{}", caught.message);
    assert!(caught.file.ends_with("check/report.rs"), "{}", caught.file);
}

#[test]
fn a_long_note_is_broken_between_words() {
    let report = Check::new().function(|[x, y]| x.matmul(y), [[[0.5, -1.25, 2.0]], [[0.5, -1.25, 2.0]]]);
    let text = report.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&text).contains(&words(&report.notes[0])), "{text}");
    assert!(report.notes[0].len() > 100, "{text}");
}

#[test]
fn cheaper_methods_find_the_same_with_fewer_calls() {
    let f = |x: &[f64]| (x[0] * x[1]).sin();
    let right = |x: &[f64]| [x[1] * (x[0] * x[1]).cos(), x[0] * (x[0] * x[1]).cos()];
    let wrong = |x: &[f64]| [x[1] * (x[0] * x[1]).cos(), x[1] * (x[0] * x[1]).cos()];
    for (method, rtol, calls) in [
        (Method::Fixed { step: 1e-5 }, 1e-5, 12),
        (Method::Stencil { points: 7 }, 1e-7, 16),
        (Method::Taylor, 1e-4, 12),
    ] {
        let check = Check::new().method(method).rtol(rtol);
        let report = check.gradient(f, right, &[0.5, 1.5]);
        assert!(report.is_pass() && report.evaluations <= calls, "{method:?}: {report}");
        assert!(check.gradient(f, wrong, &[0.5, 1.5]).is_fail(), "{method:?}");
    }
}

#[cfg(feature = "proptest")]
#[test]
fn a_report_becomes_a_failure_of_a_property_test() {
    use proptest::test_runner::TestCaseError;
    assert!(matches!(least_squares().into_test_case(), Err(TestCaseError::Fail(_))));
}

#[cfg(feature = "proptest")]
#[test]
fn a_wrong_rule_in_a_property_test_shrinks_to_one_short_number() {
    use autograd::check::strategy::{Domain, Shapes, matrix};
    use proptest::test_runner::{Config, TestError, TestRunner};
    /// Of x³; it lacks the factor 3 where x is above 1.
    fn slope(x: Var<'_, f64>) -> Var<'_, f64> {
        x.square() * x.gt(x.scalar(1.0)).select(x.scalar(1.0), x.scalar(3.0))
    }
    let config = Config { failure_persistence: None, ..Config::default() };
    let wrong = |x: Matrix<f64>| {
        Check::new()
            .function(|[x]| x.powi(3).with_gradient(&[x], |g, x, _| vec![g * slope(x[0])]), [x])
            .into_test_case()
    };
    let result = TestRunner::new(config).run(&matrix(Shapes::upto(4, 5), Domain::Real), wrong);
    let Err(TestError::Fail(reason, minimal)) = result else { panic!("{result:?}") };
    let digits = |x: f64| format!("{}", x.abs()).chars().filter(char::is_ascii_digit).count();
    assert!(minimal.len() == 1 && digits(minimal.as_slice()[0]) <= 2, "{minimal}");
    assert!(reason.message().contains("with_gradient") && reason.message().contains("report.rs"), "{reason}");
}
