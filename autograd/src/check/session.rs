//! A check of plain numbers being made: what is called, how often, and what it has found so far.

use core::panic::Location;
use std::cell::RefCell;

use super::Check;
use super::difference::{Derivative, Precision};
use super::engine::largest;
use super::layout::Layout;
use super::numeric::precision_of;
use super::quiet::{Panic, caught};
use super::random::SplitMix64;
use super::report::{Cause, Element, Mismatch, Part, Reason, Report, Site, Verdict};
use crate::scalar::Real;

/// A panic means that the function is not defined.
pub(super) fn guarded<R>(f: impl FnOnce() -> Option<R>) -> Option<R> {
    caught(f).unwrap_or_else(|panic| {
        LAST.set(Some(panic));
        None
    })
}

thread_local! {
    /// The panic that was caught last, until it is told.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Calls, and says why there is no result if that is a panic.
fn told<R>(notes: &mut Vec<String>, what: &str, call: impl FnOnce() -> Option<R>) -> Option<R> {
    LAST.take();
    let result = call();
    if let (None, Some(panic)) = (&result, LAST.take()) {
        let place = if panic.place.is_empty() { String::new() } else { format!(" at {}", panic.place) };
        notes.push(format!("{what} panicked{place}: {}", panic.message));
    }
    result
}

/// Calls on numbers of the checker what takes numbers of its own type.
pub(super) fn on<T: Real, R>(f: &mut impl FnMut(&[T]) -> Option<R>, x: &[f64]) -> Option<R> {
    let x: Vec<T> = x.iter().map(|&x| T::from_f64(x)).collect();
    guarded(|| f(&x))
}

pub(super) fn widened<T: Real>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// The same for two lists.
pub(super) fn on2<T: Real, R>(f: &mut impl FnMut(&[T], &[T]) -> Option<R>, x: &[f64], v: &[f64]) -> Option<R> {
    let v: Vec<T> = v.iter().map(|&v| T::from_f64(v)).collect();
    on(&mut |x: &[T]| f(x, &v), x)
}

/// A check of numbers being made: what it has found so far.
pub(super) struct Session {
    pub(super) settings: Check,
    pub(super) report: Report,
}

impl Session {
    /// A check of what takes numbers of type `T`; `values` and `claimed` are the precisions of the function and of what is said
    /// to be its derivative.
    pub(super) fn new<T: Real>(
        settings: &Check,
        subject: &str,
        [values, claimed]: [Precision; 2],
        site: &Location<'_>,
    ) -> Self {
        let mut settings = settings.clone();
        settings.difference.epsilon = settings.difference.epsilon.max(values.epsilon());
        settings.difference.arguments = precision_of::<T>();
        // What is in f32 is judged by what f32 can show, unless the settings say something else.
        let coarsest = values.epsilon().max(claimed.epsilon()).max(T::EPSILON.to_f64());
        let is = |value: f64, default: f64| value.to_bits() == default.to_bits();
        if coarsest > f64::EPSILON {
            settings.rtol = if is(settings.rtol, Check::RTOL) { Check::RTOL_SINGLE } else { settings.rtol };
            let atol = settings.rtol * (Check::ATOL_SINGLE / Check::RTOL_SINGLE);
            settings.atol = if is(settings.atol, Check::ATOL) { atol } else { settings.atol };
        }
        let mut report = Report::new(subject, settings.seed);
        report.site = Some(Site::from(site));
        report.lenient = settings.allow_inconclusive;
        Self { settings, report }
    }

    /// The values of what may change from call to call: `None`, said in the report, if there are none.
    pub(super) fn twice(
        &mut self,
        part: &str,
        expected: Option<usize>,
        mut call: impl FnMut() -> Option<Vec<f64>>,
    ) -> Option<Vec<f64>> {
        let Some(first) = told(&mut self.report.notes, part, &mut call) else {
            return self.broken(part, Cause::Missing);
        };
        let Some(second) = told(&mut self.report.notes, part, call) else {
            return self.broken(part, Cause::Missing);
        };
        if let Some(expected) = expected.filter(|&n| n != first.len()) {
            return self.broken(part, Cause::Length { expected, found: first.len() });
        }
        let size = largest(&first);
        let apart = first.iter().zip(&second).any(|(a, b)| (a - b).abs() > self.settings.rtol * size);
        if first.len() != second.len() || apart {
            return self.broken(part, Cause::Flaky);
        }
        if !same_bits(&first, &second) {
            self.report.notes.push(format!("two calls of {part} at the same point differ in the last digits"));
        }
        Some(first)
    }

    fn broken<R>(&mut self, name: &str, cause: Cause) -> Option<R> {
        let mut part = Part::new(name);
        part.failed = 1;
        part.cause = Some(cause);
        self.report.parts.push(part);
        self.report.note_verdict(Verdict::Fail);
        None
    }

    /// Whether the function itself can be checked at the point.
    pub(super) fn function_is_fine(&mut self, mut call: impl FnMut() -> Option<Vec<f64>>) -> Option<usize> {
        let first = told(&mut self.report.notes, "the function", &mut call);
        let second = call();
        self.report.evaluations += 2;
        let Some(first) = first.filter(|values| !values.is_empty() && values.iter().any(|value| value.is_finite()))
        else {
            self.report.note_verdict(Verdict::Inconclusive(Reason::NonFinite));
            self.report.notes.push("the function has no finite value at the point".to_owned());
            return None;
        };
        if !second.is_some_and(|second| same_bits(&first, &second)) {
            self.report.note_verdict(Verdict::Inconclusive(Reason::Flaky));
            self.report.notes.push("two calls of the function at the same point give different values".to_owned());
            return None;
        }
        Some(first.len())
    }

    /// If the gradient stays the same where the function's slope does not, it was computed from something else.
    pub(super) fn look_for_stale(
        &mut self,
        x: &[f64],
        claimed: &[f64],
        function: &mut dyn FnMut(&[f64]) -> Option<f64>,
        gradient: &mut dyn FnMut(&[f64]) -> Option<Vec<f64>>,
    ) {
        let mut random = SplitMix64::new(self.settings.seed ^ 0x57a1e);
        let precision = self.settings.difference.arguments;
        let moved: Vec<f64> =
            x.iter().map(|x| precision.round(x + random.weight() * 0.03 * x.abs().max(0.1))).collect();
        if largest(claimed) <= 0.0 || !gradient(&moved).is_some_and(|there| same_bits(&there, claimed)) {
            return;
        }
        let mut at = |x: &[f64], k: usize| {
            let mut y = x.to_vec();
            let along = |t: f64| {
                y[k] = t;
                function(&y).map(|value| vec![value])
            };
            let found = self.settings.difference.outputs(along, x[k]);
            found.outputs.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
        };
        let changes = (0..x.len().min(8)).any(|k| {
            let (here, there) = (at(x, k), at(&moved, k));
            (here.value - there.value).abs() > 8.0 * (here.error_bar + there.error_bar)
        });
        if changes && let Some(part) = self.report.parts.iter_mut().find(|part| part.failed > 0) {
            part.cause = Some(Cause::Stale);
        }
    }

    pub(super) fn finish(self) -> Report {
        self.report
    }
}

/// The derivatives of all outputs at a point along a direction.
type Slopes<'a> = dyn FnMut(&[f64], &[f64]) -> Option<Vec<Derivative>> + 'a;

/// What makes a product of a point and a vector.
pub(super) type Product<'a> = dyn FnMut(&[f64], &[f64]) -> Option<Vec<f64>> + 'a;

impl Session {
    /// Compares products with tangents with differences along them.
    pub(super) fn tangents(
        &mut self,
        part: &str,
        output: &str,
        x: &[f64],
        function: &mut dyn FnMut(&[f64]) -> Option<Vec<f64>>,
        product: &mut Product<'_>,
    ) {
        let Some(outputs) = self.function_is_fine(|| function(x)) else { return };
        let mut random = SplitMix64::new(self.settings.seed);
        let layout = Layout::list(output, outputs);
        for number in 1..=self.settings.directions.max(1) {
            let v: Vec<f64> = x.iter().map(|_| random.weight()).collect();
            let name = format!("{part}, direction {number}");
            let Some(claimed) = self.twice(&name, Some(outputs), || product(x, &v)) else { return };
            let settings = self.settings.clone();
            let mut calls = 0;
            let mut counted = |x: &[f64]| {
                calls += 1;
                function(x)
            };
            let numeric = settings.slopes_along(&mut counted, x, &v);
            self.report.evaluations += calls;
            let numeric = numeric.unwrap_or_else(|| vec![Derivative::unknown(Reason::NonFinite); outputs]);
            settings.compare_list(&name, &layout, &claimed, &numeric, &mut self.report);
            self.zero_and_double(&name, x, &v, &claimed, product);
            if self.report.is_fail() {
                return;
            }
        }
    }

    /// Products are linear: that of 0 is 0, and that of the double is the double, to the bit.
    pub(super) fn zero_and_double(
        &mut self,
        part: &str,
        x: &[f64],
        v: &[f64],
        claimed: &[f64],
        product: &mut Product<'_>,
    ) {
        let zero = vec![0.0; v.len()];
        let double: Vec<f64> = v.iter().map(|v| 2.0 * v).collect();
        let expected: Vec<Derivative> = claimed.iter().map(|c| Derivative::known(2.0 * c, 0.0)).collect();
        let none: Vec<Derivative> = claimed.iter().map(|_| Derivative::known(0.0, 0.0)).collect();
        let layout = Layout::list(part, claimed.len());
        let settings = self.settings.clone();
        for (name, vector, expected) in [("of zero", &zero, none), ("of the double", &double, expected)] {
            let name = format!("{part}, {name}");
            if let Some(found) = product(x, vector).filter(|found| found.len() == expected.len()) {
                settings.compare_list(&name, &layout, &found, &expected, &mut self.report);
            } else {
                self.broken::<()>(&name, Cause::Missing);
            }
        }
    }

    /// Second derivatives do not depend on the order: `⟨u, H v⟩ = ⟨v, H u⟩`.
    pub(super) fn symmetric(&mut self, part: &str, x: &[f64], along: &mut Slopes<'_>) {
        let mut random = SplitMix64::new(self.settings.seed ^ 0x5a5a);
        let [u, v] = [(); 2].map(|()| x.iter().map(|_| random.weight()).collect::<Vec<f64>>());
        let (Some(hu), Some(hv)) = (along(x, &u), along(x, &v)) else { return };
        let dot = |h: &[Derivative], w: &[f64]| h.iter().zip(w).map(|(h, w)| h.value * w).sum::<f64>();
        let bar = |h: &[Derivative], w: &[f64]| h.iter().zip(w).map(|(h, w)| h.error_bar * w.abs()).sum::<f64>();
        let size = hu.iter().chain(&hv).zip(v.iter().chain(&u)).map(|(h, w)| (h.value * w).powi(2)).sum::<f64>().sqrt();
        let numeric = Derivative::known(dot(&hu, &v), bar(&hu, &v) + bar(&hv, &u));
        let tolerance = self.settings.tolerance(size).at(size);
        let analytic = dot(&hv, &u);
        let verdict = super::compare::judge(analytic, &numeric, tolerance);
        let mut counted = Part::new(format!("{part}: ⟨u, H v⟩ = ⟨v, H u⟩"));
        let mismatch = Mismatch {
            part: part.to_owned(),
            output: Some(Element::new("⟨u, H v⟩", &[])),
            input: Element::new("⟨v, H u⟩", &[]),
            verdict,
            analytic,
            numeric: numeric.value,
            error_bar: numeric.error_bar,
            tolerance,
            step: 0.0,
        };
        self.report.add(&mut counted, mismatch, size);
        self.report.parts.push(counted);
    }
}
