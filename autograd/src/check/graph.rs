//! Checks of functions that are recorded in a graph: of the whole, end to end.

use super::Check;
use super::blame::Local;
use super::branch;
use super::difference::Derivative;
use super::precision;
use super::probe::{
    Compared, Draws, Weighted, element, first, in_type, inner, largest, likely, slopes_along, slopes_at, unmoved,
};
use super::quiet::catch;
use super::replay::{Held, Replay, copied, numbers};
use super::report::{BlameKind, Cause, Element, Hidden, Mismatch, Part, Reason, Report, Site, Verdict};
use super::rounding::Stretch;
use super::search::{self, Goal, wrong_places};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::NodeId;
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// Values with more elements are compared as weighted sums only.
const OUTPUTS: usize = 4096;
/// So many wrong elements of a large gradient are looked for.
const CULPRITS: usize = 4;

impl Check {
    /// Checks the gradient of a function of matrices of `f64`, recorded in a graph: a closure as a
    /// [`Function`](crate::Function) takes it, with a value of any shape.
    ///
    /// Compared are reverse mode, forward mode, and both with each other; where asked for, second derivatives. A failure
    /// names the operations whose rule is wrong and the lines that recorded them.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let report = Check::new().function(|[x, y]| (x.exp() * y).sum(), [[[0.5, 1.0]], [[2.0, 3.0]]]);
    /// report.assert_pass();
    ///
    /// let wrong = Check::new().function(|[x]| x.square().with_gradient(&[x], |g, x, _| vec![g * x[0]]), [3.0]);
    /// assert_eq!(wrong.blame[0].op, "with_gradient");
    /// assert_eq!(wrong.cause().unwrap().to_string(), "missing factor 2");
    /// ```
    #[track_caller]
    pub fn function<const N: usize>(
        &self,
        f: impl for<'g> Fn([Var<'g, f64>; N]) -> Var<'g, f64>,
        at: [impl Into<Matrix<f64>>; N],
    ) -> Report {
        self.function_of(f, at)
    }

    /// [`function`](Self::function) of either element type. What is computed in `f32` is compared with the same in `f64`: a
    /// wrong formula is told from lost digits.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Var, check::Check};
    /// Check::new().function_of(|[x]: [Var<'_, f32>; 1]| x.exp().ln_1p(), [0.5]).assert_pass();
    /// ```
    #[track_caller]
    pub fn function_of<T: Real, const N: usize>(
        &self,
        f: impl for<'g> Fn([Var<'g, T>; N]) -> Var<'g, T>,
        at: [impl Into<Matrix<T>>; N],
    ) -> Report {
        let values = at.map(Into::into);
        let names: Vec<String> = (0..N).map(|k| if N == 1 { "x".to_owned() } else { format!("x{k}") }).collect();
        let inputs: Vec<(&str, &Matrix<T>)> = names.iter().map(String::as_str).zip(&values).collect();
        self.named(&inputs, |x| f(core::array::from_fn(|k| x[k])))
    }

    /// Checks a function of any number of matrices with names, such as the parameters of a model.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Matrix, check::Check};
    /// let (w, b) = (Matrix::from([[0.5], [-1.0]]), Matrix::from([[0.25]]));
    /// let report = Check::new().named(&[("w", &w), ("b", &b)], |p| {
    ///     let x = p[0].graph().constant([[1.0, 2.0]]);
    ///     (x.matmul(p[0]) + p[1]).sigmoid().sum()
    /// });
    /// report.assert_pass();
    /// ```
    #[track_caller]
    pub fn named<T: Real>(
        &self,
        inputs: &[(&str, &Matrix<T>)],
        f: impl for<'g> Fn(&[Var<'g, T>]) -> Var<'g, T>,
    ) -> Report {
        let count: usize = inputs.iter().map(|(_, value)| value.len()).sum();
        let plural = if count == 1 { "" } else { "s" };
        let subject = format!("a function of {count} number{plural} in {}", T::NAME);
        let mut report = Report::new(subject, self.seed);
        report.site = Some(Site::from(core::panic::Location::caller()));
        report.lenient = self.allow_inconclusive;
        let graph = Graph::new();
        let recorded = catch(|| {
            let x: Vec<Var<'_, T>> = inputs.iter().map(|(name, value)| graph.variable(*value).named(name)).collect();
            let y = f(&x);
            (x, y)
        });
        let (x, y) = match recorded {
            Ok(recorded) => recorded,
            Err(message) => {
                report.notes.push(format!("the function panicked: {message}"));
                report.note_verdict(Verdict::Fail);
                return report;
            }
        };
        if count == 0 || y.shape().is_empty() {
            report.notes.push("there is nothing to compare: no input, or a value without elements".to_owned());
            return report;
        }
        let (sources, target): (Vec<NodeId>, NodeId) = (x.iter().map(|x| x.id()).collect(), y.id());
        let cotangent = cotangent(y.shape(), self.seed);
        let session = |report: &mut Report, op: Option<&str>| match op {
            None => self.in_type::<T, f64>(&graph, &sources, target, &cotangent, report),
            Some(_) => self.in_type::<T, T>(&graph, &sources, target, &cotangent, report),
        };
        match copied::<T, f64>(&graph, target) {
            Ok(_) if self.shadow => session(&mut report, None),
            Ok(_) => session(&mut report, Some("")),
            Err(op) => {
                report.notes.push(format!("{op} has no form in f64: differences are taken in {}", T::NAME));
                session(&mut report, Some(op));
            }
        }
        super::invariants::check(&graph, inputs, &f, (&x, y), &cotangent, &mut report);
        report
    }

    /// Checks a copy of a graph in another element type.
    fn in_type<T: Real, U: Real>(
        &self,
        graph: &Graph<T>,
        sources: &[NodeId],
        target: NodeId,
        cotangent: &Matrix<f64>,
        report: &mut Report,
    ) {
        let Ok(copy) = copied::<T, U>(graph, target) else { return };
        let weights = cotangent.as_slice().to_vec();
        let single = U::EPSILON.to_f64() > f64::EPSILON;
        let mut session = Session {
            check: self,
            relative: if single { self.rtol.max(Self::RTOL_SINGLE) } else { self.rtol },
            absolute: if single { self.atol.max(Self::ATOL_SINGLE) } else { self.atol },
            graph: &copy,
            sources: sources.to_vec(),
            target,
            cotangent: copy.constant(cotangent.cast::<U>()),
            weights,
            held: Held { decisions: true, detached: self.hold_detached },
            draws: Draws::new(self.seed),
            report,
        };
        session.run();
        if T::NAME != U::NAME {
            precision::compare(self, graph, &copy, sources, target, cotangent, report);
        }
    }
}

/// Of a scalar 1, else random numbers: sums with equal weights hide errors that cancel.
fn cotangent(shape: Shape, seed: u64) -> Matrix<f64> {
    if shape.is_scalar() {
        return Matrix::scalar(1.0);
    }
    Matrix::new(shape.rows, shape.cols, Draws::new(!seed).numbers(shape.len()))
}

/// A check of one recorded function.
pub(super) struct Session<'g, 'r, U: Real> {
    pub(super) check: &'r Check,
    pub(super) relative: f64,
    pub(super) absolute: f64,
    pub(super) graph: &'g Graph<U>,
    pub(super) sources: Vec<NodeId>,
    pub(super) target: NodeId,
    pub(super) cotangent: Var<'g, U>,
    pub(super) weights: Vec<f64>,
    pub(super) held: Held,
    pub(super) draws: Draws,
    pub(super) report: &'r mut Report,
}

/// The gradient as the graph gives it.
pub(super) struct Gradient<'g, U: Real> {
    pub(super) vars: Vec<Option<Var<'g, U>>>,
    pub(super) numbers: Vec<Vec<f64>>,
    /// The cotangents of all nodes up to the value.
    cotangents: Vec<Option<Var<'g, U>>>,
    /// What errors are allowed to be however small an element is.
    pub(super) floor: f64,
}

impl<'g, U: Real> Session<'g, '_, U> {
    fn run(&mut self) {
        if !self.finite() {
            return;
        }
        let Some(gradient) = self.gradient() else { return };
        self.report.kinks = branch::kinks(self.graph, &self.sources, self.target);
        let Some(mut replay) = self.replay(&self.sources.clone(), &[self.target]) else { return };
        self.first_order(&gradient, &mut replay);
        self.report.evaluations += replay.evaluations;
        let failed = !self.report.is_pass();
        if self.check.second_order != Some(false) {
            self.second_order(&gradient);
        }
        let mut local = self.local();
        if failed {
            self.report.blame.extend(local.first_order(self.graph, &self.sources, self.target, self.cotangent));
        } else if !self.report.is_pass() {
            self.report.blame.extend(local.second_order(self.graph, &self.sources, self.target));
        }
        if self.report.culprit().is_none() {
            self.every_rule(&gradient);
        }
        if self.report.culprit().is_none() && self.report.is_fail() && !self.report.mismatches.is_empty() {
            let known = "every operation passes by itself: the error is in how the graph is put together (a value that was \
                         detached, a state that changes), not in a rule";
            self.report.notes.push(known.to_owned());
        }
    }

    /// Tries each rule by itself: the gradient may be right at this point by chance.
    fn every_rule(&mut self, gradient: &Gradient<'g, U>) {
        let trials = self.local().every(self.graph, &self.sources, &gradient.cotangents);
        if trials.left > 0 {
            let known = format!(
                "{} of {} operations were not tried by themselves: too many numbers",
                trials.left,
                trials.left + trials.tried
            );
            self.report.notes.push(known);
        }
        let shown = self.report.is_fail();
        for mut blame in trials.found {
            blame.hidden = blame.hidden.filter(|hidden| !shown || *hidden != Hidden::Whole);
            self.report.keep(blame.worst.clone());
            self.report.note_verdict(Verdict::Fail);
            self.report.blame.push(blame);
        }
        let mut part = Part::new("rules by themselves");
        part.failed = self.report.blame.len();
        part.passed = trials.tried.saturating_sub(part.failed);
        self.report.parts.push(part);
    }

    fn local(&self) -> Local {
        Local {
            difference: self.check.difference,
            relative: self.relative,
            absolute: self.absolute,
            held: self.held,
            draws: self.draws.clone(),
            evaluations: 0,
            second: self.check.second_order != Some(false),
            noise: 0.0,
        }
    }

    /// Whether the value is finite; if not, where it is not.
    fn finite(&mut self) -> bool {
        let value = match numbers(self.graph, self.target) {
            Ok(value) => value,
            Err(message) => {
                self.stop(Reason::NonFinite, format!("the function has no value: {message}"));
                return false;
            }
        };
        if value.iter().all(|y| y.is_finite()) {
            return true;
        }
        let target = self.graph.var(self.target);
        let first = self.graph.trace_non_finite(&[target]).ok().flatten();
        let where_from = first.map_or_else(String::new, |first| format!(": {first}"));
        self.stop(Reason::NonFinite, format!("the value is not finite{where_from}"));
        value.iter().any(|y| y.is_finite())
    }

    fn stop(&mut self, reason: Reason, note: String) {
        self.report.notes.push(note);
        self.report.note_verdict(Verdict::Inconclusive(reason));
    }

    /// The gradient, with zeros where none flows, which is said.
    fn gradient(&mut self) -> Option<Gradient<'g, U>> {
        let pulled = catch(|| self.graph.cotangents(self.target, self.cotangent, &self.sources));
        let pulled = match pulled {
            Ok(pulled) => pulled,
            Err(message) => {
                self.report.notes.push(format!("the gradient cannot be recorded: {message}"));
                self.report.note_verdict(Verdict::Fail);
                let found = self.local().unrecorded(self.graph, &self.sources, self.target);
                self.report.blame.extend(found);
                return None;
            }
        };
        let (mut vars, mut all) = (Vec::new(), Vec::new());
        for source in self.sources.clone() {
            let own = pulled.get(source.index()).copied().flatten();
            let shape = self.graph.var(source).shape();
            match own {
                Some(own) => all.push(numbers(self.graph, own.id()).unwrap_or_else(|_| vec![f64::NAN; shape.len()])),
                None => {
                    let why = self.graph.why_not_connected("gradient", self.target, source);
                    self.report.notes.push(why);
                    let mut part = Part::new(format!("gradient by {}", self.input(vars.len()).0));
                    (part.failed, part.cause) = (1, Some(Cause::Zero));
                    self.report.parts.push(part);
                    self.report.note_verdict(Verdict::Fail);
                    all.push(vec![0.0; shape.len()]);
                }
            }
            vars.push(own);
        }
        self.note_non_finite(&vars, &all);
        let known = numbers(self.graph, self.target).is_ok_and(|y| y.iter().all(|y| y.is_finite()));
        if !known && !all.iter().flatten().all(|g| g.is_finite()) {
            return None; // Where the value is not finite the gradient need not be: that was said.
        }
        let norm = largest(all.iter().flatten().filter(|g| g.is_finite()));
        Some(Gradient { vars, numbers: all, cotangents: pulled, floor: self.absolute * norm.max(1.0) })
    }

    fn note_non_finite(&mut self, vars: &[Option<Var<'g, U>>], all: &[Vec<f64>]) {
        if all.iter().flatten().all(|g| g.is_finite()) {
            return;
        }
        let known: Vec<Var<'_, U>> = vars.iter().copied().flatten().collect();
        if let Ok(Some(first)) = self.graph.trace_non_finite(&known) {
            self.report.notes.push(format!("the gradient is not finite: {first}"));
        }
        self.report.note_verdict(Verdict::Inconclusive(Reason::NonFinite));
    }

    pub(super) fn replay(&mut self, sources: &[NodeId], targets: &[NodeId]) -> Option<Replay<U>> {
        match Replay::between(self.graph, sources, targets, self.held) {
            Ok(replay) => {
                let stretch = Stretch { graph: self.graph, sources, targets, held: self.held };
                Some(replay.measured(stretch.cancelled()))
            }
            Err(message) => {
                self.stop(Reason::NonFinite, format!("it cannot be evaluated elsewhere: {message}"));
                None
            }
        }
    }

    /// The name and shape of an input.
    pub(super) fn input(&self, source: usize) -> (String, Shape) {
        let var = self.graph.var(self.sources[source]);
        (var.name().unwrap_or_else(|| var.id().to_string()), var.shape())
    }

    fn first_order(&mut self, gradient: &Gradient<'g, U>, replay: &mut Replay<U>) {
        let Some(sum) = Weighted::new(replay, vec![self.weights.clone()]) else { return };
        let count: usize = gradient.numbers.iter().map(Vec::len).sum();
        if count <= self.check.elements {
            let mut part = Part::new("gradient");
            for (source, own) in gradient.numbers.iter().enumerate() {
                self.elements(gradient, replay, &sum, source, &(0..own.len()).collect::<Vec<_>>(), &mut part);
            }
            self.report.parts.push(part);
        }
        let mut parts = ["gradient along directions", "jvp", "jvp against vjp"].map(Part::new);
        for _ in 0..self.check.directions.max(1) {
            let direction = self.draws.direction(replay.point());
            self.direction(gradient, replay, &sum, &direction, &mut parts);
        }
        let [along, ..] = &parts;
        let search = count > self.check.elements && along.failed > 0;
        self.report.parts.extend(parts);
        if search {
            self.search(gradient, replay, &sum);
        }
    }

    /// Compares elements of the gradient by one input, one by one.
    fn elements(
        &mut self,
        gradient: &Gradient<'g, U>,
        replay: &mut Replay<U>,
        sum: &Weighted,
        source: usize,
        places: &[usize],
        part: &mut Part,
    ) {
        let (name, shape) = self.input(source);
        let (mut analytic, mut numeric, mut failed) = (Vec::new(), Vec::new(), false);
        for &place in places {
            let x = replay.point()[source][place];
            let along = |x: f64| replay.replace(source, place, x).then(|| vec![sum.of(replay)]);
            let found = first(&slopes_at::<U>(&self.check.difference, x, along));
            let own = gradient.numbers[source][place];
            let scale = own.abs().max(found.value.abs());
            let tolerance = gradient.floor + self.relative * scale;
            let compared = Compared { part: "gradient", output: None, input: element(&name, shape, place) };
            let mismatch = compared.judge(own, &found, tolerance);
            failed |= mismatch.verdict == Verdict::Fail;
            self.report.add(part, mismatch, scale);
            analytic.push(own);
            numeric.push(found);
        }
        if failed && part.cause.is_none() && places.len() == shape.len() {
            part.cause = likely(&analytic, &numeric, &replay.point()[source], shape);
        }
    }

    /// Compares both modes with differences along a direction, and with each other.
    fn direction(
        &mut self,
        gradient: &Gradient<'g, U>,
        replay: &mut Replay<U>,
        sum: &Weighted,
        direction: &[Vec<f64>],
        parts: &mut [Part; 3],
    ) {
        let base = &sum.base()[0];
        let each = base.len() <= OUTPUTS;
        let along = |t: f64| {
            replay.move_along(direction, t).then(|| {
                let own = replay.output(0).zip(base).zip(replay.cancelled(0)).filter(|_| each);
                let own = own.map(|((y, base), cancelled)| if unmoved(y, *base) { 0.0 } else { y + cancelled });
                core::iter::once(sum.of(replay)).chain(own).collect()
            })
        };
        let numeric = slopes_along::<U>(&self.check.difference, along);
        let (analytic, scale) = inner(&gradient.numbers, direction);
        let input = Element::new("a random direction", &[]);
        if let Some(numeric) = numeric.first() {
            let compared = Compared { part: "gradient", output: None, input: input.clone() };
            let mismatch = compared.judge(analytic, numeric, gradient.floor + self.relative * scale);
            self.report.add(&mut parts[0], mismatch, scale);
        }
        let tangent = match self.tangent(direction) {
            Ok(Some(tangent)) => tangent,
            Ok(None) => return,
            Err(message) => {
                self.report.notes.push(format!("forward mode: {message}"));
                self.report.note_verdict(Verdict::Fail);
                return;
            }
        };
        let floor = self.absolute * largest(tangent.iter().filter(|dy| dy.is_finite())).max(1.0);
        let shape = self.graph.var(self.target).shape();
        let known =
            tangent.iter().zip(numeric.iter().skip(1)).enumerate().filter(|(place, _)| base[*place].is_finite());
        for (place, (own, numeric)) in known {
            let scale = own.abs().max(numeric.value.abs());
            let output = (!shape.is_scalar()).then(|| element("value", shape, place));
            let compared = Compared { part: "jvp", output, input: input.clone() };
            let mismatch = compared.judge(*own, numeric, floor + self.relative * scale);
            self.report.add(&mut parts[1], mismatch, scale);
        }
        let (pushed, size) = inner(&[tangent], core::slice::from_ref(&self.weights));
        let scale = scale.max(size);
        let known = Derivative::known(pushed, 0.0);
        let compared = Compared { part: "jvp against vjp", output: None, input };
        let mismatch = compared.judge(analytic, &known, gradient.floor + self.relative * scale);
        self.report.add(&mut parts[2], mismatch, scale);
    }

    /// The tangent of the value along a direction, in forward mode.
    fn tangent(&self, direction: &[Vec<f64>]) -> Result<Option<Vec<f64>>, String> {
        let (x, u) = self.vars(direction);
        let target = self.graph.var(self.target);
        let pushed = catch(|| self.graph.push_forward(&[target], &x, &u))?;
        pushed[0].map(|dy| numbers(self.graph, dy.id())).transpose()
    }

    /// The sources, and a direction as constants.
    pub(super) fn vars(&self, direction: &[Vec<f64>]) -> (Vec<Var<'g, U>>, Vec<Var<'g, U>>) {
        let x: Vec<Var<'g, U>> = self.sources.iter().map(|id| self.graph.var(*id)).collect();
        let constant = |(x, u): (&Var<'g, U>, &Vec<f64>)| {
            let u = u.iter().map(|u| U::from_f64(*u)).collect();
            self.graph.constant(Matrix::new(x.rows(), x.cols(), u))
        };
        let u = x.iter().zip(direction).map(constant).collect();
        (x, u)
    }

    /// Finds wrong elements of a large gradient.
    fn search(&mut self, gradient: &Gradient<'g, U>, replay: &mut Replay<U>, sum: &Weighted) {
        let direction = self.draws.direction(replay.point());
        let count = direction.iter().map(Vec::len).sum();
        let mut part: Vec<Vec<f64>> = direction.iter().map(|u| vec![0.0; u.len()]).collect();
        let settings = in_type::<U>(&self.check.difference);
        let still = sum.at_point();
        let places = wrong_places(count, CULPRITS, &mut |range, resolution| {
            for (place, (part, u)) in part.iter_mut().flatten().zip(direction.iter().flatten()).enumerate() {
                *part = if range.contains(&place) { *u } else { 0.0 };
            }
            let (analytic, scale) = inner(&gradient.numbers, &part);
            let goal = Goal { analytic, tolerance: gradient.floor + self.relative * scale, resolution };
            search::residual(&settings, 1.0, goal, &mut |settings| {
                let mut moved = |t: f64| replay.move_along(&part, t).then(|| vec![sum.of(replay)]);
                let along = |t: f64| if t == 0.0 { Some(vec![still]) } else { moved(t) };
                first(&slopes_along::<U>(settings, along))
            })
        });
        let mut part = Part::new("worst element");
        for place in places {
            let (mut source, mut place) = (0, place);
            while place >= direction[source].len() {
                place -= direction[source].len();
                source += 1;
            }
            self.elements(gradient, replay, sum, source, &[place], &mut part);
        }
        if part.passed + part.failed + part.undecided > 0 {
            self.report.parts.push(part);
        }
    }

    pub(super) fn disagreement(&mut self, part: &mut Part, mismatch: Mismatch, scale: f64) {
        self.report.add(part, mismatch, scale);
    }
}

impl Report {
    /// The operation that is most at fault, if one is.
    #[must_use]
    pub fn culprit(&self) -> Option<&super::report::Blame> {
        self.blame.iter().find(|blame| blame.kind != BlameKind::Precision)
    }

    pub(super) fn panicked(&mut self, what: &str, message: &str) {
        self.notes.push(format!("{what}: {message}"));
        let mut part = Part::new(what);
        part.failed = 1;
        part.cause = Some(Cause::Missing);
        self.parts.push(part);
        self.note_verdict(Verdict::Fail);
    }
}
