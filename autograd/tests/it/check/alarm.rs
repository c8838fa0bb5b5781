//! No false alarm: random graphs of all operations, on kinks and in ties, too, and what rivals say of them.
//!
//! `AUTOGRAD_GRAPHS=100000` sets how many; `.ci/run` takes 20,000.
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use autograd::check::{Check, Verdict};
use autograd::{Matrix, Real};

use super::mutation::subject::{Derivatives, RIVALS, Subject};
use crate::recipe::{Recipe, recipes};
use crate::support::for_all_from;

/// Steps of a graph.
const STEPS: usize = 8;
/// How many graphs, unless the environment says it.
const GRAPHS: u32 = 500;

fn graphs() -> u32 {
    std::env::var("AUTOGRAD_GRAPHS").map_or(GRAPHS, |text| text.parse().expect("AUTOGRAD_GRAPHS is a number"))
}

fn verdict_of<T: Real>(recipe: &Recipe) -> autograd::check::Report {
    let point: Vec<Matrix<T>> = recipe.point().iter().map(Matrix::cast).collect();
    let inputs: Vec<(&str, &Matrix<T>)> = point.iter().map(|x| ("x", x)).collect();
    Check::new().hold_detached(true).named(&inputs, |x| recipe.column(x[0].graph(), x))
}

/// Judges random graphs; how many have which verdict.
fn judge<T: Real>(seed: u64, also: impl Fn(&Recipe)) -> BTreeMap<String, u32> {
    let verdicts = RefCell::new(BTreeMap::new());
    for_all_from(seed, graphs(), "healthy graphs", &recipes(STEPS), |recipe| {
        let report = verdict_of::<T>(&recipe);
        if report.is_fail() {
            return Err(format!("a false alarm in {}:\n{report}", T::NAME));
        }
        *verdicts.borrow_mut().entry(report.verdict.to_string()).or_insert(0) += 1;
        also(&recipe);
        Ok(())
    });
    let verdicts = verdicts.into_inner();
    for (verdict, count) in &verdicts {
        println!("{}: {verdict}: {count} of {}, {:.3} %", T::NAME, graphs(), percent(*count, graphs()));
    }
    verdicts
}

fn percent(part: u32, of: u32) -> f64 {
    100.0 * f64::from(part) / f64::from(of.max(1))
}

#[test]
fn random_graphs_of_f64_raise_no_alarm_and_rivals_are_not_as_quiet() {
    let (alarms, judged) = ([const { Cell::new(0) }; RIVALS.len()], Cell::new(0));
    let verdicts = judge::<f64>(31, |recipe| {
        if !recipe.is_differentiable() {
            return; // Differences see what was detached, and only our checker can hold it.
        }
        let subject = Subject::healthy(recipe.clone());
        let finite = Derivatives::of(&subject, None).filter(Derivatives::is_finite);
        let Some(derivatives) = finite else { return };
        judged.set(judged.get() + 1);
        for (sum, found) in alarms.iter().zip(derivatives.found_by_rivals(7)) {
            sum.set(sum.get() + u32::from(found));
        }
    });
    for (name, alarms) in RIVALS.iter().zip(&alarms) {
        println!(
            "{name}: {} false alarms in {}, {:.2} %",
            alarms.get(),
            judged.get(),
            percent(alarms.get(), judged.get())
        );
    }
    assert!(verdicts.get(&Verdict::Pass.to_string()).is_some_and(|passed| percent(*passed, graphs()) > 90.0));
    assert!(alarms.iter().all(|alarms| alarms.get() > 0), "{alarms:?}");
}

#[test]
fn random_graphs_of_f32_raise_no_alarm() {
    let verdicts = judge::<f32>(32, |_| ());
    assert!(verdicts.get(&Verdict::Pass.to_string()).is_some_and(|passed| percent(*passed, graphs()) > 90.0));
}
