//! Panics of the user's code while a check looks for its domain: not printed, and told where they matter.

use std::process::Command;

use autograd::check::{Check, Report};

const ALONE: &str = "AUTOGRAD_PANICS_ALONE";

fn logarithm(x: &[f64]) -> f64 {
    assert!(x[0] > 0.0, "the logarithm of {}", x[0]);
    x[0].ln()
}

fn check(x: f64) -> Report {
    Check::new().gradient(logarithm, |x: &[f64]| [1.0 / x[0]], &[x])
}

/// Does nothing unless it is started by the next test, in a process of its own.
#[test]
fn checks_of_functions_that_panic() {
    if std::env::var_os(ALONE).is_none() {
        return;
    }
    check(1e-8).assert_pass();
    let report = Check::new().function(|[x]| x.exp().with_gradient(&[x], |_, _, _| panic!("no rule yet")), [0.5]);
    assert!(report.is_fail());
    assert!(std::panic::catch_unwind(|| panic!("mine is printed")).is_err());
}

#[test]
fn panics_of_a_check_are_not_printed_and_others_are() {
    let test = std::env::current_exe().unwrap();
    let alone = ["--exact", "check::panics::checks_of_functions_that_panic", "--nocapture", "--test-threads=1"];
    let output = Command::new(test).args(alone).env(ALONE, "1").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
    assert!(!err.contains("the logarithm of") && !err.contains("no rule yet"), "{err}");
    assert!(err.contains("mine is printed"), "{err}");
}

#[test]
fn a_panic_at_the_point_itself_is_told_with_its_line() {
    let report = check(-1.0);
    assert!(!report.is_pass() && !report.is_fail());
    let expected = format!("the function panicked at {}:10:", file!());
    assert!(report.notes[0].starts_with(&expected) && report.notes[0].ends_with("the logarithm of -1"), "{report}");
    let unwritten = |_: &[f64]| -> [f64; 1] { panic!("not written yet") };
    let report = Check::new().gradient(logarithm, unwritten, &[1.0]);
    assert!(report.is_fail() && report.notes[0].ends_with("not written yet"), "{report}");
}
