//! Second derivatives of recorded functions: against differences of gradients, against each other, and their symmetry.

use super::difference::Derivative;
use super::graph::{Gradient, Session};
use super::probe::{Compared, Weighted, element, inner, largest, slopes_along};
use super::quiet::catch;
use super::replay::numbers;
use super::report::{Element, Part};
use crate::node::NodeId;
use crate::scalar::Real;
use crate::var::Var;

/// Gradients with more elements are compared as weighted sums only.
const OUTPUTS: usize = 4096;

impl<'g, U: Real> Session<'g, '_, U> {
    /// `H u` for a random direction in forward over reverse mode, against differences of the gradient and against reverse
    /// over reverse mode; `⟨v, H u⟩ = ⟨u, H v⟩`.
    pub(super) fn second_order(&mut self, gradient: &Gradient<'g, U>) {
        if gradient.numbers.iter().flatten().any(|g| !g.is_finite()) {
            return; // It was said.
        }
        let at = |id: &NodeId| numbers(self.graph, *id).unwrap_or_default();
        let point: Vec<Vec<f64>> = self.sources.iter().map(at).collect();
        let [u, v] = [(); 2].map(|()| self.draws.direction(&point));
        let products = [&u, &v].map(|direction| self.hessian_times(gradient, direction));
        let [Ok(hu), Ok(hv)] = products else {
            let message = products.into_iter().find_map(Result::err).unwrap_or_default();
            self.report.panicked("second derivatives", &message);
            return;
        };
        let floor =
            self.absolute * largest(hu.iter().flatten()).max(largest(gradient.numbers.iter().flatten())).max(1.0);
        self.against_differences(gradient, (&u, &hu), &v, floor);
        self.symmetry([&u, &v], [&hu, &hv], floor);
        self.reverse_over_reverse(gradient, (&u, &hu), floor);
    }

    /// The product of the Hessian with a direction, in forward over reverse mode.
    fn hessian_times(&self, gradient: &Gradient<'g, U>, direction: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, String> {
        let (x, u) = self.vars(direction);
        let known: Vec<Var<'g, U>> = gradient.vars.iter().copied().flatten().collect();
        let mut pushed = catch(|| self.graph.push_forward(&known, &x, &u))?.into_iter();
        let mut products = Vec::new();
        for (own, x) in gradient.vars.iter().zip(&x) {
            let product = own.and_then(|_| pushed.next()).flatten();
            products.push(match product {
                Some(product) => numbers(self.graph, product.id())?,
                None => vec![0.0; x.shape().len()],
            });
        }
        Ok(products)
    }

    fn against_differences(
        &mut self,
        gradient: &Gradient<'g, U>,
        (u, hu): (&[Vec<f64>], &[Vec<f64>]),
        v: &[Vec<f64>],
        floor: f64,
    ) {
        let known = |own: &Option<Var<'g, U>>| own.map(|own| own.id());
        let targets: Vec<NodeId> = gradient.vars.iter().filter_map(known).collect();
        let present = |k: &usize| gradient.vars[*k].is_some();
        let present: Vec<usize> = (0..gradient.vars.len()).filter(present).collect();
        let Some(mut replay) = self.replay(&self.sources.clone(), &targets) else { return };
        let weights: Vec<Vec<f64>> = present.iter().map(|k| v[*k].clone()).collect();
        let Some(sum) = Weighted::new(&mut replay, weights) else { return };
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
        let chosen: Vec<Vec<f64>> = present.iter().map(|k| hu[*k].clone()).collect();
        let weights: Vec<Vec<f64>> = present.iter().map(|k| v[*k].clone()).collect();
        let (analytic, scale) = inner(&chosen, &weights);
        if let Some(numeric) = numeric.first() {
            let compared = Compared { part: "hessian", output: None, input: direction.clone() };
            self.disagreement(&mut part, compared.judge(analytic, numeric, floor + self.relative * scale), scale);
        }
        let mut numeric = numeric.iter().skip(1);
        for k in present {
            let (name, shape) = self.input(k);
            for (place, own) in hu[k].iter().enumerate() {
                let Some(numeric) = numeric.next() else { break };
                let scale = own.abs().max(numeric.value.abs());
                let output = Some(element(&name, shape, place));
                let compared = Compared { part: "hessian", output, input: direction.clone() };
                self.disagreement(&mut part, compared.judge(*own, numeric, floor + self.relative * scale), scale);
            }
        }
        self.report.parts.push(part);
    }

    fn symmetry(&mut self, [u, v]: [&[Vec<f64>]; 2], [hu, hv]: [&[Vec<f64>]; 2], floor: f64) {
        let ((one, size), (other, other_size)) = (inner(hu, v), inner(hv, u));
        let scale = size.max(other_size);
        let mut part = Part::new("symmetry");
        let compared = Compared { part: "symmetry", output: None, input: Element::new("two random directions", &[]) };
        let mismatch = compared.judge(one, &Derivative::known(other, 0.0), floor + self.relative * scale);
        self.disagreement(&mut part, mismatch, scale);
        self.report.parts.push(part);
    }

    fn reverse_over_reverse(&mut self, gradient: &Gradient<'g, U>, (u, hu): (&[Vec<f64>], &[Vec<f64>]), floor: f64) {
        let (_, u) = self.vars(u);
        let terms = gradient.vars.iter().zip(&u).filter_map(|(own, u)| own.map(|own| (own * *u).sum()));
        let Some(sum) = terms.reduce(|sum, term| sum + term) else { return };
        let one = self.graph.fill(sum.shape(), U::ONE);
        let pulled = match catch(|| self.graph.cotangents(sum.id(), one, &self.sources)) {
            Ok(pulled) => pulled,
            Err(message) => return self.report.panicked("reverse over reverse mode", &message),
        };
        let mut part = Part::new("reverse over reverse mode");
        for (k, forward) in hu.iter().enumerate() {
            let (name, shape) = self.input(k);
            let own = match pulled.get(self.sources[k].index()).copied().flatten() {
                Some(own) => numbers(self.graph, own.id()).unwrap_or_else(|_| vec![f64::NAN; forward.len()]),
                None => vec![0.0; forward.len()],
            };
            for (place, (own, forward)) in own.iter().zip(forward).enumerate() {
                let scale = own.abs().max(forward.abs());
                let compared = Compared { part: "hessian", output: None, input: element(&name, shape, place) };
                let known = Derivative::known(*forward, 0.0);
                self.disagreement(&mut part, compared.judge(*own, &known, floor + self.relative * scale), scale);
            }
        }
        self.report.parts.push(part);
    }
}
