//! What every check comes down to: a function of a list of numbers, a derivative that somebody claims, and differences.

use core::ops::Range;

use super::Check;
use super::cause::{Evidence, diagnose};
use super::compare::{Tolerance, judge};
use super::difference::{Derivative, Method};
use super::layout::Layout;
use super::random::SplitMix64;
use super::report::{Cause, Element, Kink, Mismatch, Part, Reason, Report, Verdict};
use super::search::{self, Goal, Residual, wrong_places};

/// So many wrong places are looked for.
const CULPRITS: usize = 8;
/// So many times a search is repeated with other signs.
const ROUNDS: usize = 4;
/// So many elements are compared one by one if a direction is wrong, before the search.
const SAMPLE: usize = 12;

/// A function with one value and the gradient claimed for it.
pub(crate) struct Subject<'a> {
    /// What the report calls the derivative.
    pub(crate) part: &'a str,
    /// What the places in the lists are.
    pub(crate) layout: &'a Layout,
    /// Where it is checked.
    pub(crate) point: &'a [f64],
    /// `None` where it is not defined.
    pub(crate) function: &'a mut dyn FnMut(&[f64]) -> Option<f64>,
    /// What is claimed.
    pub(crate) gradient: &'a [f64],
    /// Numbers of what may have been summed or averaged.
    pub(crate) counts: &'a [usize],
}

/// A function with many values and the Jacobian claimed for it, `outputs x inputs`, row by row.
pub(crate) struct JacobianSubject<'a> {
    pub(crate) part: &'a str,
    pub(crate) inputs: &'a Layout,
    pub(crate) outputs: &'a Layout,
    pub(crate) point: &'a [f64],
    pub(crate) function: &'a mut dyn FnMut(&[f64]) -> Option<Vec<f64>>,
    pub(crate) jacobian: &'a [f64],
}

/// The largest finite magnitude.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().filter(|v| v.is_finite()).fold(0.0, |max, v| v.abs().max(max))
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

impl Check {
    /// The tolerance of elements of a derivative whose largest element is `size`.
    pub(crate) fn tolerance(&self, size: f64) -> Tolerance {
        Tolerance { relative: self.rtol, absolute: self.atol * size.max(1.0) }
    }

    /// Compares a gradient: element by element if there are few, along random directions if there are many.
    pub(crate) fn compare_gradient(&self, mut subject: Subject<'_>, report: &mut Report) {
        if subject.gradient.len() > self.elements {
            let mut part = Part::new(subject.part);
            self.compare_directions(&mut subject, &mut part, report);
            report.parts.push(part);
            return;
        }
        for block in subject.layout.blocks() {
            let name = if block.flat { subject.part.to_owned() } else { format!("{} by {}", subject.part, block.name) };
            let mut part = Part::new(name);
            let places: Vec<usize> = block.range.clone().collect();
            let numeric = self.compare_elements(&mut subject, &places, &mut part, report);
            part.cause = self.cause_of(&subject, &places, &numeric, block.shape);
            report.parts.push(part);
        }
    }

    /// The derivative by one element.
    fn by_element(&self, subject: &mut Subject<'_>, k: usize, report: &mut Report) -> Derivative {
        let mut x = subject.point.to_vec();
        let function = &mut *subject.function;
        let at = |t: f64| {
            x[k] = t;
            function(&x).map(|value| vec![value])
        };
        let found = self.difference.outputs(at, subject.point[k]);
        report.evaluations += found.evaluations;
        found.outputs.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
    }

    fn compare_elements(
        &self,
        subject: &mut Subject<'_>,
        places: &[usize],
        part: &mut Part,
        report: &mut Report,
    ) -> Vec<Derivative> {
        let tolerance = self.tolerance(largest(subject.gradient));
        let mut all = Vec::with_capacity(places.len());
        for &k in places {
            let analytic = subject.gradient[k];
            let numeric = self.by_element(subject, k, report);
            let element = subject.layout.element(k);
            note_kink(&numeric, &element, report);
            let scale = larger(analytic, numeric.value);
            let claim = Claim { part: subject.part, output: None, input: element, analytic };
            report.add(part, claim.judged(&numeric, tolerance.at(scale)), scale);
            all.push(numeric);
        }
        all
    }

    fn cause_of(
        &self,
        subject: &Subject<'_>,
        places: &[usize],
        numeric: &[Derivative],
        shape: [usize; 2],
    ) -> Option<Cause> {
        let tolerance = self.tolerance(largest(subject.gradient));
        let analytic: Vec<f64> = places.iter().map(|&k| subject.gradient[k]).collect();
        let input: Vec<f64> = places.iter().map(|&k| subject.point[k]).collect();
        let values: Vec<f64> = numeric.iter().map(|d| d.value).collect();
        let each: Vec<f64> = analytic.iter().zip(numeric).map(|(&a, d)| slack(a, d, tolerance)).collect();
        let mut counts = vec![subject.gradient.len()];
        counts.extend_from_slice(subject.counts);
        diagnose(&Evidence {
            analytic: &analytic,
            numeric: &values,
            tolerance: &each,
            input: &input,
            shape,
            counts: &counts,
        })
    }

    /// The slope of the function along `u`, given as signs on `range` and 0 elsewhere.
    ///
    /// `x + t u` is rounded; what that does to the value is taken out to first order, with the gradient that is claimed: if it
    /// is right the slope is, and if it is wrong this changes the error by a part in 10⁷.
    fn along(
        &self,
        subject: &mut Subject<'_>,
        signs: &[f64],
        range: Range<usize>,
        method: Method,
        report: &mut Report,
    ) -> Derivative {
        let size = largest(&subject.point[range.clone()]);
        let first = if method == Method::Adaptive { Some(FIRST * size.max(1.0)) } else { None };
        let step = self.difference.step.or(first);
        let settings = super::Difference { method, step, ..self.difference };
        let (point, gradient, precision) = (subject.point, subject.gradient, self.difference.arguments);
        let mut x = point.to_vec();
        let function = &mut *subject.function;
        let at = |t: f64| {
            let mut rounded = 0.0;
            for k in range.clone() {
                x[k] = precision.round(point[k] + t * signs[k]);
                let lost = (x[k] - point[k]) - t * signs[k];
                if gradient[k].is_finite() {
                    rounded += gradient[k] * lost;
                }
            }
            function(&x).map(|value| vec![value - rounded])
        };
        let found = super::Difference { arguments: super::Precision::Double, ..settings }.outputs(at, 0.0);
        report.evaluations += found.evaluations;
        found.outputs.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
    }

    /// What is granted along a direction on `range`: errors of the elements add up like random ones.
    fn direction_tolerance(&self, subject: &Subject<'_>, range: Range<usize>) -> (f64, f64) {
        let scale = norm(subject.gradient[range.clone()].iter().copied().filter(|g| g.is_finite()));
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a count")]
        let root = (range.len() as f64).sqrt();
        let tolerance = self.tolerance(largest(subject.gradient));
        (tolerance.relative * scale + tolerance.absolute * root, scale)
    }

    fn compare_directions(&self, subject: &mut Subject<'_>, part: &mut Part, report: &mut Report) {
        let n = subject.gradient.len();
        let infinite: Vec<usize> = (0..n).filter(|&k| !subject.gradient[k].is_finite()).collect();
        if !infinite.is_empty() {
            let shown = &infinite[..infinite.len().min(CULPRITS)];
            self.compare_elements(subject, shown, part, report);
            part.cause = Some(Cause::NonFinite { count: infinite.len() });
            return;
        }
        let mut random = SplitMix64::new(self.seed);
        for number in 1..=self.directions.max(1) {
            let signs: Vec<f64> = (0..n).map(|_| random.sign()).collect();
            let numeric = self.along(subject, &signs, 0..n, self.difference.method, report);
            let (tolerance, scale) = self.direction_tolerance(subject, 0..n);
            let analytic = subject.gradient.iter().zip(&signs).map(|(g, u)| g * u).sum();
            let input = Element::new(format!("direction {number}"), &[]);
            note_kink(&numeric, &input, report);
            let claim = Claim { part: subject.part, output: None, input, analytic };
            let mismatch = claim.judged(&numeric, tolerance);
            let failed = mismatch.verdict == Verdict::Fail;
            report.add(part, mismatch, scale);
            if failed {
                self.locate(subject, &signs, part, report);
                return;
            }
        }
        // Large and random elements one by one: for what a direction cannot see among many.
        let sample = sample(subject.gradient, self.elements.min(SAMPLE), &mut random);
        self.compare_elements(subject, &sample, part, report);
    }

    /// Which elements make a direction wrong: all, or few that are searched for.
    fn locate(&self, subject: &mut Subject<'_>, signs: &[f64], part: &mut Part, report: &mut Report) {
        let mut random = SplitMix64::new(self.seed ^ 0x5eed);
        let sample = sample(subject.gradient, SAMPLE, &mut random);
        let before = part.failed;
        let numeric = self.compare_elements(subject, &sample, part, report);
        if part.failed - before > SAMPLE / 4 {
            part.cause = self.cause_of(subject, &sample, &numeric, [sample.len(), 1]);
            return;
        }
        let places = self.search(subject, signs, report);
        let new: Vec<usize> = places.into_iter().filter(|k| !sample.contains(k)).collect();
        let numeric = self.compare_elements(subject, &new, part, report);
        part.cause = match part.failed - before {
            1 => Some(Cause::OneElement),
            _ => self.cause_of(subject, &new, &numeric, [new.len(), 1]),
        };
    }

    /// The places that are wrong. Two that cancel under one set of signs do not under the next: what was found is put right,
    /// and the search goes on until a direction agrees.
    fn search(&self, subject: &mut Subject<'_>, signs: &[f64], report: &mut Report) -> Vec<usize> {
        let mut random = SplitMix64::new(self.seed ^ 0x5ea4c4);
        let mut corrected = subject.gradient.to_vec();
        let mut signs = signs.to_vec();
        let mut places: Vec<usize> = Vec::new();
        for _ in 0..ROUNDS {
            if places.len() >= CULPRITS {
                break;
            }
            let mut probe = Subject { function: &mut *subject.function, gradient: &corrected, ..*subject };
            let mut measure = |group, resolution| self.residual(&mut probe, &signs, group, resolution, report);
            let found = wrong_places(signs.len(), CULPRITS - places.len(), &mut measure);
            if found.is_empty() {
                break;
            }
            for k in found.into_iter().filter(|k| !places.contains(k)).collect::<Vec<usize>>() {
                corrected[k] = self.by_element(subject, k, report).value;
                places.push(k);
            }
            signs.iter_mut().for_each(|sign| *sign = random.sign());
        }
        places
    }

    /// How far the gradient is from the slope along the signs on `group`.
    fn residual(
        &self,
        subject: &mut Subject<'_>,
        signs: &[f64],
        group: Range<usize>,
        resolution: f64,
        report: &mut Report,
    ) -> Residual {
        let (tolerance, _) = self.direction_tolerance(subject, group.clone());
        let analytic = group.clone().map(|k| subject.gradient[k] * signs[k]).sum();
        let size = largest(&subject.point[group.clone()]).max(1.0);
        search::residual(&self.difference, size, Goal { analytic, tolerance, resolution }, &mut |settings| {
            self.along(subject, signs, group.clone(), settings.method, report)
        })
    }

    /// Compares a Jacobian, column by column.
    pub(crate) fn compare_jacobian(&self, subject: JacobianSubject<'_>, report: &mut Report) {
        let (m, n) = (subject.outputs.len(), subject.inputs.len());
        let mut part = Part::new(subject.part);
        let tolerance = self.tolerance(largest(subject.jacobian));
        let mut numeric = vec![Derivative::unknown(Reason::NonFinite); m * n];
        for j in 0..n {
            let mut x = subject.point.to_vec();
            let at = |t: f64| {
                x[j] = t;
                (subject.function)(&x).filter(|values| values.len() == m)
            };
            let found = self.difference.outputs(at, subject.point[j]);
            report.evaluations += found.evaluations;
            for (i, derivative) in found.outputs.into_iter().enumerate() {
                numeric[i * n + j] = derivative;
            }
        }
        for (k, derivative) in numeric.iter().enumerate() {
            let (i, j) = (k / n, k % n);
            let analytic = subject.jacobian[k];
            let (output, input) = (subject.outputs.element(i), subject.inputs.element(j));
            note_kink(derivative, &input, report);
            let scale = larger(analytic, derivative.value);
            let claim = Claim { part: subject.part, output: Some(output), input, analytic };
            report.add(&mut part, claim.judged(derivative, tolerance.at(scale)), scale);
        }
        let values: Vec<f64> = numeric.iter().map(|d| d.value).collect();
        let each: Vec<f64> = subject.jacobian.iter().zip(&numeric).map(|(&a, d)| slack(a, d, tolerance)).collect();
        part.cause = diagnose(&Evidence {
            analytic: subject.jacobian,
            numeric: &values,
            tolerance: &each,
            input: &[],
            shape: [m, n],
            counts: &[m, n],
        });
        report.parts.push(part);
    }

    /// Compares numbers with derivatives that were computed elsewhere.
    pub(crate) fn compare_list(
        &self,
        part: &str,
        layout: &Layout,
        analytic: &[f64],
        numeric: &[Derivative],
        report: &mut Report,
    ) {
        let mut counted = Part::new(part);
        let tolerance = self.tolerance(largest(analytic));
        for (k, (&analytic, numeric)) in analytic.iter().zip(numeric).enumerate() {
            let scale = larger(analytic, numeric.value);
            let claim = Claim { part, output: None, input: layout.element(k), analytic };
            report.add(&mut counted, claim.judged(numeric, tolerance.at(scale)), scale);
        }
        let values: Vec<f64> = numeric.iter().map(|d| d.value).collect();
        let each: Vec<f64> = analytic.iter().zip(numeric).map(|(&a, d)| slack(a, d, tolerance)).collect();
        let shape = match layout.blocks() {
            [block] => block.shape,
            _ => [analytic.len(), 1],
        };
        counted.cause = diagnose(&Evidence {
            analytic,
            numeric: &values,
            tolerance: &each,
            input: &[],
            shape,
            counts: &[analytic.len()],
        });
        report.parts.push(counted);
    }
}

/// See the table: a number without a short period.
const FIRST: f64 = 0.237_113_402_061_855_7;

/// What is granted when causes are sought: what was not certainly wrong counts as right.
fn slack(analytic: f64, numeric: &Derivative, tolerance: Tolerance) -> f64 {
    let bar = if numeric.error_bar.is_finite() { numeric.error_bar } else { f64::MAX };
    tolerance.at(larger(analytic, numeric.value)) + 4.0 * bar
}

fn larger(analytic: f64, numeric: f64) -> f64 {
    [analytic, numeric].into_iter().filter(|v| v.is_finite()).fold(0.0, |max, v| v.abs().max(max))
}

fn note_kink(numeric: &Derivative, element: &Element, report: &mut Report) {
    if numeric.slopes.is_some() && report.kinks.len() < Report::KEPT {
        let (op, site) = (None, None);
        report.kinks.push(Kink { op, site, element: element.clone(), margin: 0.0, slopes: numeric.slopes });
    }
}

/// Half of them those of the largest elements, half random ones.
fn sample(gradient: &[f64], count: usize, random: &mut SplitMix64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..gradient.len()).collect();
    let count = count.min(order.len());
    if count == 0 {
        return order;
    }
    let large = count / 2;
    if large > 0 {
        order.select_nth_unstable_by(large - 1, |&a, &b| gradient[b].abs().total_cmp(&gradient[a].abs()));
    }
    let mut places = order[..large].to_vec();
    while places.len() < count {
        let k = random.below(gradient.len());
        if !places.contains(&k) {
            places.push(k);
        }
    }
    places
}

/// A number that somebody claims to be a derivative.
pub(crate) struct Claim<'a> {
    pub(crate) part: &'a str,
    pub(crate) output: Option<Element>,
    pub(crate) input: Element,
    pub(crate) analytic: f64,
}

impl Claim<'_> {
    pub(crate) fn judged(self, numeric: &Derivative, tolerance: f64) -> Mismatch {
        Mismatch {
            part: self.part.to_owned(),
            output: self.output,
            input: self.input,
            verdict: judge(self.analytic, numeric, tolerance),
            analytic: self.analytic,
            numeric: numeric.value,
            error_bar: numeric.error_bar,
            tolerance,
            step: numeric.step,
        }
    }
}
