//! Reports are user interface: their text is tested to the letter.

use autograd::check::{Check, Method, Report};
use autograd::{Matrix, assert_gradient};

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
