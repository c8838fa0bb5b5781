//! Second derivatives of recorded functions: against differences of gradients, against each other, and their symmetry.

use super::difference::Derivative;
use super::graph::{Gradient, Session};
use super::probe::{Compared, Weighted, element, inner, largest, slopes_along};
use super::quiet::catch;
use super::replay::numbers;
use super::report::{Element, Part};
use super::rounding::Stretch;
use crate::node::NodeId;
use crate::scalar::Real;
use crate::var::Var;

/// Gradients with more elements are compared as weighted sums only.
const OUTPUTS: usize = 4096;

/// So many times what roundings of the inputs do to a second derivative is no fault of it.
const NOISE: f64 = 16.0;
/// So often they are drawn.
const ROUNDINGS: u64 = 3;

/// A product of the Hessian with a direction: a list for each input.
struct Product<'g, U: Real> {
    vars: Vec<Option<Var<'g, U>>>,
    numbers: Vec<Vec<f64>>,
    /// By how much the numbers may be off that are computed with roundings: terms may be much larger than their sum.
    noise: Vec<Vec<f64>>,
}

/// What is compared: the directions `u` and `v`, `H u` and `H v` in forward over reverse mode, `H u` in reverse over reverse mode.
struct Second<'g, U: Real> {
    directions: [Vec<Vec<f64>>; 2],
    forward: [Product<'g, U>; 2],
    reverse: Option<Product<'g, U>>,
    floor: f64,
}

impl<'g, U: Real> Session<'g, '_, U> {
    /// `H u` for a random direction in forward over reverse mode, against differences of the gradient and against reverse
    /// over reverse mode; `⟨v, H u⟩ = ⟨u, H v⟩`.
    pub(super) fn second_order(&mut self, gradient: &Gradient<'g, U>) {
        if gradient.numbers.iter().flatten().any(|g| !g.is_finite()) {
            return; // It was said.
        }
        let at = |id: &NodeId| numbers(self.graph, *id).unwrap_or_default();
        let point: Vec<Vec<f64>> = self.sources.iter().map(at).collect();
        let directions = [(); 2].map(|()| self.draws.direction(&point));
        let [u, _] = &directions;
        let products = [0, 1].map(|k| self.forward_over_reverse(gradient, &directions[k]));
        let forward = match products {
            [Ok(hu), Ok(hv)] => [hu, hv],
            [Err(message), _] | [_, Err(message)] => return self.report.panicked("second derivatives", &message),
        };
        let reverse = match self.reverse_over_reverse(gradient, u) {
            Ok(reverse) => reverse,
            Err(message) => {
                self.report.panicked("reverse over reverse mode", &message);
                None
            }
        };
        let sizes = [forward[0].numbers.iter().flatten(), gradient.numbers.iter().flatten()].map(largest);
        let floor = self.absolute * sizes[0].max(sizes[1]).max(1.0);
        let mut second = Second { directions, forward, reverse, floor };
        let before = (self.report.clone(), self.report.parts.len());
        self.compare(gradient, &second);
        let failed = self.report.parts[before.1..].iter().any(|part| part.failed > 0);
        if failed && self.shake(&mut second) {
            let evaluations = self.report.evaluations;
            *self.report = before.0;
            self.report.evaluations = evaluations;
            self.compare(gradient, &second);
        }
    }

    fn compare(&mut self, gradient: &Gradient<'g, U>, second: &Second<'g, U>) {
        self.against_differences(gradient, second);
        self.symmetry(second);
        self.against_reverse(second);
    }

    /// Measures the noise of the products; whether there is any.
    fn shake(&self, second: &mut Second<'g, U>) -> bool {
        for product in second.forward.iter_mut().chain(&mut second.reverse) {
            let targets: Vec<NodeId> = product.vars.iter().flatten().map(|var| var.id()).collect();
            let stretch = Stretch { graph: self.graph, sources: &self.sources, targets: &targets, held: self.held };
            let moves = stretch.moved_by(4.0 * U::EPSILON.to_f64(), ROUNDINGS);
            let known = product.vars.iter().zip(&mut product.noise).filter(|(var, _)| var.is_some());
            for ((_, noise), moves) in known.zip(moves) {
                *noise = moves.into_iter().map(|moves| NOISE * moves).collect();
            }
        }
        second.forward.iter().chain(&second.reverse).any(|product| product.noise.iter().flatten().any(|x| *x > 0.0))
    }

    fn product(&self, vars: Vec<Option<Var<'g, U>>>) -> Result<Product<'g, U>, String> {
        let each = vars.iter().zip(&self.sources).map(|(own, source)| match own {
            Some(own) => numbers(self.graph, own.id()),
            None => Ok(vec![0.0; self.graph.var(*source).shape().len()]),
        });
        let numbers = each.collect::<Result<Vec<_>, _>>()?;
        let noise = numbers.iter().map(|x| vec![0.0; x.len()]).collect();
        Ok(Product { vars, numbers, noise })
    }

    /// The product of the Hessian with a direction, in forward over reverse mode.
    fn forward_over_reverse(
        &self,
        gradient: &Gradient<'g, U>,
        direction: &[Vec<f64>],
    ) -> Result<Product<'g, U>, String> {
        let (x, u) = self.vars(direction);
        let known: Vec<Var<'g, U>> = gradient.vars.iter().copied().flatten().collect();
        let mut pushed = catch(|| self.graph.push_forward(&known, &x, &u))?.into_iter();
        let vars = gradient.vars.iter().map(|own| own.and_then(|_| pushed.next()).flatten()).collect();
        self.product(vars)
    }

    /// The same in reverse over reverse mode; `None` if the gradient is constant.
    fn reverse_over_reverse(
        &self,
        gradient: &Gradient<'g, U>,
        direction: &[Vec<f64>],
    ) -> Result<Option<Product<'g, U>>, String> {
        let (_, u) = self.vars(direction);
        let terms = gradient.vars.iter().zip(&u).filter_map(|(own, u)| own.map(|own| (own * *u).sum()));
        let Some(sum) = terms.reduce(|sum, term| sum + term) else { return Ok(None) };
        let one = self.graph.fill(sum.shape(), U::ONE);
        let pulled = catch(|| self.graph.cotangents(sum.id(), one, &self.sources))?;
        let vars = self.sources.iter().map(|id| pulled.get(id.index()).copied().flatten()).collect();
        self.product(vars).map(Some)
    }

    fn against_differences(&mut self, gradient: &Gradient<'g, U>, second: &Second<'g, U>) {
        let ([u, v], [hu, _]) = (&second.directions, &second.forward);
        let known = |own: &Option<Var<'g, U>>| own.map(|own| own.id());
        let targets: Vec<NodeId> = gradient.vars.iter().filter_map(known).collect();
        let present = |k: &usize| gradient.vars[*k].is_some();
        let present: Vec<usize> = (0..gradient.vars.len()).filter(present).collect();
        let Some(mut replay) = self.replay(&self.sources.clone(), &targets) else { return };
        let chosen = |all: &[Vec<f64>]| present.iter().map(|k| all[*k].clone()).collect::<Vec<Vec<f64>>>();
        let Some(sum) = Weighted::new(&mut replay, chosen(v)) else { return };
        let count: usize = present.iter().map(|k| v[*k].len()).sum();
        let along = |t: f64| {
            replay.move_along(u, t).then(|| {
                let mut all = vec![sum.of(&replay)];
                if count <= OUTPUTS {
                    let shown =
                        |k: usize| replay.output(k).zip(replay.cancelled(k)).map(|(g, cancelled)| g + cancelled);
                    (0..present.len()).for_each(|k| all.extend(shown(k)));
                }
                all
            })
        };
        let numeric = slopes_along::<U>(&self.check.difference, along);
        self.report.evaluations += replay.evaluations;
        let mut part = Part::new("second derivatives");
        let direction = Element::new("a random direction", &[]);
        let (analytic, scale) = inner(&chosen(&hu.numbers), &chosen(v));
        if let Some(numeric) = numeric.first() {
            let compared = Compared { part: "hessian", output: None, input: direction.clone() };
            let tolerance = second.floor + self.relative * scale + weighted(&chosen(&hu.noise), &chosen(v));
            self.disagreement(&mut part, compared.judge(analytic, numeric, tolerance), scale);
        }
        let mut numeric = numeric.iter().skip(1);
        for k in present {
            let (name, shape) = self.input(k);
            for (place, (own, noise)) in hu.numbers[k].iter().zip(&hu.noise[k]).enumerate() {
                let Some(numeric) = numeric.next() else { break };
                let scale = own.abs().max(numeric.value.abs());
                let output = Some(element(&name, shape, place));
                let compared = Compared { part: "hessian", output, input: direction.clone() };
                let tolerance = second.floor + self.relative * scale + noise;
                self.disagreement(&mut part, compared.judge(*own, numeric, tolerance), scale);
            }
        }
        self.report.parts.push(part);
    }

    fn symmetry(&mut self, second: &Second<'g, U>) {
        let ([u, v], [hu, hv]) = (&second.directions, &second.forward);
        let ((one, size), (other, other_size)) = (inner(&hu.numbers, v), inner(&hv.numbers, u));
        let scale = size.max(other_size);
        let mut part = Part::new("symmetry");
        let compared = Compared { part: "symmetry", output: None, input: Element::new("two random directions", &[]) };
        let noise = weighted(&hu.noise, v) + weighted(&hv.noise, u);
        let tolerance = second.floor + self.relative * scale + noise;
        self.disagreement(&mut part, compared.judge(one, &Derivative::known(other, 0.0), tolerance), scale);
        self.report.parts.push(part);
    }

    fn against_reverse(&mut self, second: &Second<'g, U>) {
        let ([forward, _], Some(reverse)) = (&second.forward, &second.reverse) else { return };
        let mut part = Part::new("reverse over reverse mode");
        for (k, numbers) in forward.numbers.iter().enumerate() {
            let (name, shape) = self.input(k);
            for (place, (own, known)) in reverse.numbers[k].iter().zip(numbers).enumerate() {
                let scale = own.abs().max(known.abs());
                let compared = Compared { part: "hessian", output: None, input: element(&name, shape, place) };
                let noise = forward.noise[k][place] + reverse.noise[k][place];
                let tolerance = second.floor + self.relative * scale + noise;
                self.disagreement(&mut part, compared.judge(*own, &Derivative::known(*known, 0.0), tolerance), scale);
            }
        }
        self.report.parts.push(part);
    }
}

/// `Σ |aᵢ bᵢ|`.
fn weighted(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a * b).abs()).sum()
}
