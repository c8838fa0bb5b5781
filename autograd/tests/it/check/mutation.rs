//! Mutation tests: every fault in every rule is found, what is right raises no alarm, and rivals judge the same.
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

mod mutant;
pub(super) mod subject;

use std::collections::BTreeMap;

use autograd::check::{BlameKind, Check, Site};
use autograd::op;

use mutant::{Class, Mutant, faults};
use subject::{Derivatives, RIVALS, Subject, alone, embedded};

/// Graphs around each example of an operation.
const EMBEDDED: usize = 1;

/// One example in so many is taken; 1 takes all. `.ci/run` sets it by `AUTOGRAD_STRIDE`.
const STRIDE: usize = 9;

fn stride() -> usize {
    std::env::var("AUTOGRAD_STRIDE").map_or(STRIDE, |text| text.parse().expect("AUTOGRAD_STRIDE is a number"))
}

/// Mutants of a class, counted.
#[derive(Clone, Copy, Default)]
struct Row {
    injected: usize,
    /// Those whose rule is that of the healthy operation, as a function: they are no mutants.
    equal: usize,
    /// Of those injected, the ones whose gradient and Hessian are right at the point.
    hidden: usize,
    caught: usize,
    undecided: usize,
    named: usize,
    rivals: [usize; RIVALS.len()],
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.injected += other.injected;
        self.equal += other.equal;
        self.hidden += other.hidden;
        self.caught += other.caught;
        self.undecided += other.undecided;
        self.named += other.named;
        self.rivals.iter_mut().zip(other.rivals).for_each(|(sum, own)| *sum += own);
    }
}

/// The outcome of the whole suite.
#[derive(Default)]
struct Table {
    rows: BTreeMap<Class, Row>,
    missed: Vec<String>,
    unnamed: Vec<String>,
    skipped: usize,
}

impl Table {
    /// Puts every fault into the operation of a subject.
    fn inject(&mut self, subject: &Subject) {
        let (op, values, result) = subject.operation();
        let shapes: Vec<_> = values.iter().map(|value| value.shape()).collect();
        for slot in (0..values.len()).filter(|slot| subject.flows_to(*slot)) {
            for (class, fault) in faults(op, &shapes, slot, result) {
                let mutant = Mutant::new(op, slot, Some(fault), &values);
                if !mutant.is_other(&values, result) {
                    self.rows.entry(class).or_default().equal += 1;
                    continue;
                }
                let healthy = Derivatives::of(subject, Some(&mutant.healed())).filter(Derivatives::is_finite);
                let Some(healthy) = healthy else {
                    self.skipped += 1;
                    continue;
                };
                self.judge(subject, class, &mutant, &healthy);
            }
        }
    }

    fn judge(&mut self, subject: &Subject, class: Class, mutant: &Mutant, healthy: &Derivatives) {
        let row = self.rows.entry(class).or_default();
        let wrong = Derivatives::of(subject, Some(mutant));
        row.injected += 1;
        row.hidden += usize::from(wrong.as_ref().is_some_and(|wrong| !wrong.differ(healthy)));
        let (report, place) = subject.check::<f64>(&Check::new(), Some(mutant));
        let label = || {
            format!(
                "{class:?} {:?} in operand {} of {:?} in\n{:?}\n{report}",
                mutant.fault, mutant.slot, mutant.op, subject.recipe
            )
        };
        row.caught += usize::from(report.is_fail());
        row.undecided += usize::from(!report.is_fail() && !report.is_pass());
        if !report.is_fail() {
            self.missed.push(label());
        }
        let blame = report.blame.first().filter(|blame| blame.kind != BlameKind::Precision);
        let named = blame.is_some_and(|blame| {
            let at_line = |site: &Site| site.line == place.line && site.file.ends_with("subject.rs");
            blame.node == place.node && blame.site.as_ref().is_some_and(at_line)
        });
        row.named += usize::from(named);
        if report.is_fail() && !named {
            self.unnamed.push(label());
        }
        // What cannot be recorded at all is seen by everyone.
        let found = wrong.map_or([true; RIVALS.len()], |wrong| wrong.found_by_rivals(7));
        row.rivals.iter_mut().zip(found).for_each(|(sum, found)| *sum += usize::from(found));
    }
}

fn percent(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

#[test]
fn faults_in_every_rule_are_caught_and_named() {
    let mut table = Table::default();
    let mut state = 11;
    let all = op::cases().into_iter().filter(|case| (0..case.domains.len()).any(|slot| case.op.differentiable(slot)));
    for (k, case) in all.enumerate().step_by(stride()) {
        for on_kinks in [false, true] {
            alone(&case, &mut state, on_kinks).iter().for_each(|subject| table.inject(subject));
        }
        embedded(&case, k as u64, EMBEDDED).iter().for_each(|subject| table.inject(subject));
    }
    let mut total = Row::default();
    println!(
        "| fault | injected | caught | named | {} |\n|---|---|---|---|{}",
        RIVALS.join(" | "),
        "---|".repeat(RIVALS.len())
    );
    let line = |name: &str, row: &Row| {
        let of = |part: usize| format!("{:.2} %", percent(part, row.injected));
        let rivals = row.rivals.map(|part| format!("{:.1} %", percent(part, row.injected))).join(" | ");
        println!("| {name} | {} | {} | {} | {rivals} |", row.injected, of(row.caught), of(row.named));
    };
    for class in Class::ALL {
        let row = table.rows.get(&class).copied().unwrap_or_default();
        line(class.name(), &row);
        total.add(&row);
    }
    line("all", &total);
    println!(
        "hidden at the point: {}; undecided: {}; left out: {} equal to the healthy rule, {} where it is not finite",
        total.hidden, total.undecided, total.equal, table.skipped
    );
    let shown = |all: &[String]| all.iter().take(12).cloned().collect::<Vec<_>>().join("\n---\n");
    println!("{} missed:\n{}", table.missed.len(), shown(&table.missed));
    println!("{} not named:\n{}", table.unnamed.len(), shown(&table.unnamed));
    assert!(percent(total.caught, total.injected) >= 99.9);
    assert!(percent(total.named, total.injected) >= 99.0);
}
