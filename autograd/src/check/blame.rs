//! Which operation is at fault: the derivative rule of every node by itself, with the numbers that it really had.
//!
//! What is checked is what the graph applied: the contributions of each node to the cotangents of its operands, for its real
//! cotangent and for a random one, against differences of that one operation with its decisions frozen. No error of another
//! node comes in, so every node that fails is at fault. Where all pass and the whole does not, it is put together wrongly.

mod every;
mod function;
mod search;
mod second;
mod shape;
mod trial;

use std::collections::HashMap;

use smallvec::SmallVec;

use function::{Function, rescaled, summed};
use trial::Trial;

use super::difference::{Derivative, Difference};
use super::probe::{Compared, Draws, element, largest, likely, scale, slopes_along, slopes_at, unresolved};
use super::quiet::catch;
use super::replay::{Held, numbers};
use super::report::{Blame, BlameKind, Cause, Element, Mismatch, Reason, Site, Verdict};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::{Node, NodeId, Nodes};
use crate::op::Applied;
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// Operands with more elements are checked along directions first.
const ELEMENTWISE: usize = 64;

/// What is checked, and how strictly.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) difference: Difference,
    pub(super) relative: f64,
    pub(super) absolute: f64,
    pub(super) held: Held,
    pub(super) draws: Draws,
    pub(super) evaluations: usize,
    /// Whether derivatives of rules are checked, too.
    pub(super) second: bool,
    /// What rounding may do to contributions for cotangents of size 1.
    pub(super) noise: f64,
}

/// Contributions to the cotangent of an operand for some cotangents of the result.
struct Contribution {
    slot: usize,
    shape: Shape,
    /// For each cotangent.
    analytic: Vec<Vec<f64>>,
}

impl Local {
    /// The nodes between `sources` and `target` whose rule is wrong, the worst first.
    pub(super) fn first_order<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        sources: &[NodeId],
        target: NodeId,
        cotangent: Var<'g, U>,
    ) -> Vec<Blame> {
        let Ok(cotangents) = catch(|| graph.cotangents(target, cotangent, sources)) else { return Vec::new() };
        let nodes = graph.nodes.borrow().up_to(target);
        let mut sums: HashMap<NodeId, (Vec<f64>, f64)> = HashMap::new();
        let mut found = Vec::new();
        for (id, node, slots) in flowing(&nodes, sources, |id| cotangents[id.index()].is_some()).rev() {
            let Some(own) = cotangents[id.index()] else { continue };
            let wrong = self.node(graph, id, node, own, &slots, &mut sums);
            found.extend(self.beyond_noise(graph, id, node, &slots, wrong, |this| {
                this.node(graph, id, node, own, &slots, &mut HashMap::new())
            }));
        }
        if let Some(seed) = cotangents[target.index()] {
            add(&mut sums, target, &numbers(graph, seed.id()).unwrap_or_default());
        }
        found.extend(accumulated(graph, &nodes, &cotangents, &sums, target));
        found.sort_by(|a, b| b.worst.severity().total_cmp(&a.worst.severity()));
        found
    }

    /// What is found of a node, again with what rounding may do to it, if something is.
    fn beyond_noise<U: Real>(
        &mut self,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slots: &[usize],
        found: Vec<Blame>,
        again: impl FnOnce(&mut Self) -> Vec<Blame>,
    ) -> Vec<Blame> {
        if found.iter().all(|blame| blame.kind == BlameKind::Shape) {
            return found;
        }
        let Ok(Some(mut trial)) = Trial::new(self, graph, id, node, slots) else { return found };
        self.noise = trial.noise(self);
        let found = if self.noise > 0.0 { again(self) } else { found };
        self.noise = 0.0;
        found
    }

    /// What is wrong with the rule of one node.
    fn node<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        id: NodeId,
        node: Node<'_>,
        own: Var<'g, U>,
        slots: &[usize],
        sums: &mut HashMap<NodeId, (Vec<f64>, f64)>,
    ) -> Vec<Blame> {
        let (at, op, site) = graph.applied(id);
        let Ok(mut real) = numbers(graph, own.id()) else { return Vec::new() };
        let mut random = self.draws.numbers(real.len());
        // Where the value is not finite there is nothing to be compared.
        let Ok(value) = numbers(graph, id) else { return Vec::new() };
        for (place, _) in value.iter().enumerate().filter(|(_, y)| !y.is_finite()) {
            (real[place], random[place]) = (f64::NAN, 0.0);
        }
        let constant = |x: &[f64]| graph.constant(function::matrix::<U>(node.shape, x));
        // What is not finite already when it arrives is not this operation's.
        let given = !real.iter().all(|g| g.is_finite());
        real.iter_mut().filter(|g| !g.is_finite()).for_each(|g| *g = 0.0);
        let finite = if given { constant(&real) } else { own };
        let all = [own, finite, constant(&random)];
        let pulled = catch(|| all.map(|g| graph.at(site, || graph.vjps_of(op, g, &at, slots))));
        let Ok([by_own, by_finite, by_random]) = pulled else {
            return self.shapeless(graph, id, node, slots).into_iter().collect();
        };
        let mut contributions = Vec::new();
        for (k, slot) in slots.iter().enumerate() {
            let [a, b, c] = [&by_own, &by_finite, &by_random].map(|parts| numbers(graph, parts[k].id()));
            let (Ok(a), Ok(b), Ok(c)) = (a, b, c) else { return Vec::new() };
            add(sums, node.inputs[*slot], &a);
            contributions.push(Contribution { slot: *slot, shape: by_own[k].shape(), analytic: vec![b, c] });
        }
        let Some(mut function) = Function::of(graph, id, node, slots, self.held) else { return Vec::new() };
        let weights = [real, random];
        let mut found = Vec::new();
        for source in 0..function.groups.len() {
            let group = function.groups[source].clone();
            let Some(merged) = merge(&contributions, &group) else { continue };
            if let Some((worst, cause)) = self.operand(node, &mut function, source, &merged, &weights) {
                found.push(self.blame(node, id, merged.slot, BlameKind::Vjp, worst, cause));
            } else if let Some(worst) = self.tangent(graph, id, node, &at, &mut function, source) {
                found.push(self.blame(node, id, merged.slot, BlameKind::Jvp, worst, None));
            }
        }
        self.evaluations += function.replay.evaluations;
        found
    }

    fn blame(
        &self,
        node: Node<'_>,
        id: NodeId,
        slot: usize,
        kind: BlameKind,
        worst: Mismatch,
        cause: Option<Cause>,
    ) -> Blame {
        let shape = [node.shape.rows, node.shape.cols];
        Blame {
            node: id.index(),
            op: node.op.name().to_owned(),
            site: Some(Site::from(node.site)),
            operand: slot,
            shape,
            kind,
            worst,
            cause,
            hidden: None,
        }
    }

    /// The worst element of the contribution to one operand, if that is wrong, and what probably happened.
    fn operand<U: Real>(
        &mut self,
        node: Node<'_>,
        function: &mut Function<U>,
        source: usize,
        given: &Contribution,
        weights: &[Vec<f64>; 2],
    ) -> Option<(Mismatch, Option<Cause>)> {
        let count = function.replay.point()[source].len();
        let finite = function.replay.point().iter().flatten().all(|x| x.is_finite());
        let tainted = !finite || !function.is_finite();
        if function.diagonal {
            let slopes = self.diagonal(function, source)?;
            let sums: Vec<Vec<Derivative>> =
                weights.iter().map(|weights| summed(&slopes, weights, node.shape, given.shape)).collect();
            return self.worst(given, &sums, weights, tainted);
        }
        let mut columns = |this: &mut Self, places: &[usize]| -> Option<Vec<Vec<Derivative>>> {
            let columns: Option<Vec<Vec<Derivative>>> =
                places.iter().map(|place| this.column(node, function, source, *place, weights)).collect();
            let columns = columns?;
            Some((0..weights.len()).map(|k| columns.iter().map(|column| column[k]).collect()).collect())
        };
        if count <= ELEMENTWISE {
            let places: Vec<usize> = (0..count).collect();
            let numeric = columns(self, &places)?;
            return self.worst(given, &numeric, weights, tainted);
        }
        let place = self.search(node, function, source, given, weights)?;
        let numeric = self.column(node, function, source, place, weights)?;
        let (mut worst, cause) = self.worst(
            &Contribution {
                slot: given.slot,
                shape: Shape::SCALAR,
                analytic: given.analytic.iter().map(|all| vec![all[place]]).collect(),
            },
            &numeric.iter().map(|one| vec![*one]).collect::<Vec<_>>(),
            weights,
            tainted,
        )?;
        worst.input = element(&operand_name(given.slot), given.shape, place);
        Some((worst, cause))
    }

    /// Compares all elements of a contribution.
    ///
    /// With `tainted` operands, which are not finite somewhere, a contribution that is not finite is no news.
    fn worst(
        &self,
        given: &Contribution,
        numeric: &[Vec<Derivative>],
        weights: &[Vec<f64>; 2],
        tainted: bool,
    ) -> Option<(Mismatch, Option<Cause>)> {
        let mut worst: Option<(Mismatch, usize)> = None;
        for (k, (analytic, numeric)) in given.analytic.iter().zip(numeric).enumerate() {
            let floor = self.absolute * largest(analytic).max(1e-300) + self.noise * largest(&weights[k]);
            for (place, (analytic, numeric)) in analytic.iter().zip(numeric).enumerate() {
                let tolerance = floor + self.relative * analytic.abs().max(numeric.value.abs());
                let input = element(&operand_name(given.slot), given.shape, place);
                let mismatch = Compared { part: "vjp", output: None, input }.judge(*analytic, numeric, tolerance);
                // Where neither the values nor the rule have a slope there is nothing to compare.
                if !analytic.is_finite() && (tainted || unresolved(numeric)) {
                    continue;
                }
                let worse = worst.as_ref().is_none_or(|(old, _)| mismatch.severity() > old.severity());
                if mismatch.verdict == Verdict::Fail && worse {
                    worst = Some((mismatch, k));
                }
            }
        }
        let (worst, _) = worst?;
        // By the random cotangent: the real one may have equal elements, or few that are not 0.
        let last = given.analytic.len() - 1;
        Some((worst, likely(&given.analytic[last], &numeric[last], &[], given.shape)))
    }

    /// The derivative of each element of the result of a pointwise operation by the element of the operand there.
    fn diagonal<U: Real>(&mut self, function: &mut Function<U>, source: usize) -> Option<Vec<Derivative>> {
        let point = function.replay.point()[source].clone();
        let scales: Vec<f64> = point.iter().map(|x| if x.is_finite() { scale(*x) } else { 0.0 }).collect();
        let mut direction: Vec<Vec<f64>> = function.replay.point().iter().map(|x| vec![0.0; x.len()]).collect();
        direction[source].clone_from(&scales);
        let base = function.values(&direction, 0.0)?;
        let found = slopes_along::<U>(&self.difference, |t| function.moved(&direction, t, &base));
        let by_element = found.into_iter().zip(&scales).map(|(numeric, scale)| match *scale {
            0.0 => Derivative::known(0.0, 0.0),
            scale => rescaled(numeric, 1.0 / scale),
        });
        Some(by_element.collect())
    }

    /// The derivative of the weighted sums of the result by one element of an operand.
    fn column<U: Real>(
        &mut self,
        node: Node<'_>,
        function: &mut Function<U>,
        source: usize,
        place: usize,
        weights: &[Vec<f64>; 2],
    ) -> Option<Vec<Derivative>> {
        let x = function.replay.point()[source][place];
        if !x.is_finite() {
            return Some(vec![Derivative::unknown(Reason::NonFinite); weights.len()]);
        }
        if function.affine(node, source) {
            let mut unit = vec![0.0; function.replay.point()[source].len()];
            unit[place] = 1.0;
            return function.linear::<U>(source, &unit, weights);
        }
        let sums = function.sums(weights)?;
        let replay = &mut function.replay;
        let along = |x: f64| replay.replace(source, place, x).then(|| sums.iter().map(|sum| sum.of(replay)).collect());
        Some(slopes_at::<U>(&self.difference, x, along))
    }

    /// The worst element of the product of the Jacobian with a tangent of one operand, if that is wrong.
    fn tangent<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        id: NodeId,
        node: Node<'_>,
        at: &Applied<'g, U>,
        function: &mut Function<U>,
        source: usize,
    ) -> Option<Mismatch> {
        let [slot] = function.groups[source][..] else { return None };
        if function.diagonal && at.inputs[slot].shape() != node.shape {
            return None; // A tangent that is broadcast: the products of the whole function cover it.
        }
        let direction = self.draws.scaled(&function.replay.point()[source]);
        let mut tangents: SmallVec<[Option<Var<'g, U>>; 2]> = SmallVec::from_elem(None, at.inputs.len());
        let shape = at.inputs[slot].shape();
        let tangent = Matrix::new(shape.rows, shape.cols, direction.iter().map(|x| U::from_f64(*x)).collect());
        tangents[slot] = Some(graph.constant(tangent));
        let pushed = catch(|| graph.at(node.site, || graph.jvp_of(node.op, &tangents, at))).ok()?;
        let analytic = numbers(graph, pushed.id()).ok()?;
        let mut all: Vec<Vec<f64>> = function.replay.point().iter().map(|x| vec![0.0; x.len()]).collect();
        all[source].clone_from(&direction);
        let base = function.values(&all, 0.0)?;
        let numeric = slopes_along::<U>(&self.difference, |t| function.moved(&all, t, &base));
        let floor = self.absolute * largest(&analytic) + self.noise;
        // Where the operation has no finite value it has no tangent.
        let known = analytic.iter().zip(&numeric).enumerate().filter(|(place, _)| base[*place].is_finite());
        let compared = known.map(|(place, (analytic, numeric))| {
            let tolerance = floor + self.relative * analytic.abs().max(numeric.value.abs());
            let output = Some(element(&id.to_string(), node.shape, place));
            let input = Element::new(operand_name(slot), &[]);
            Compared { part: "jvp", output, input }.judge(*analytic, numeric, tolerance)
        });
        let failed = compared.filter(|mismatch| mismatch.verdict == Verdict::Fail);
        failed.max_by(|a, b| a.severity().total_cmp(&b.severity()))
    }
}

/// The contributions to one source of the replay.
fn merge(contributions: &[Contribution], group: &[usize]) -> Option<Contribution> {
    let mut parts = contributions.iter().filter(|part| group.contains(&part.slot));
    let first = parts.next()?;
    let mut merged = Contribution { slot: first.slot, shape: first.shape, analytic: first.analytic.clone() };
    for part in parts {
        for (sum, part) in merged.analytic.iter_mut().flatten().zip(part.analytic.iter().flatten()) {
            *sum += part;
        }
    }
    Some(merged)
}

fn add(sums: &mut HashMap<NodeId, (Vec<f64>, f64)>, id: NodeId, part: &[f64]) {
    let (sum, size) = sums.entry(id).or_insert_with(|| (vec![0.0; part.len()], 0.0));
    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    *size += largest(part);
}

/// The nodes whose cotangent is not the sum of what their users contribute.
fn accumulated<U: Real>(
    graph: &Graph<U>,
    nodes: &Nodes,
    cotangents: &[Option<Var<'_, U>>],
    sums: &HashMap<NodeId, (Vec<f64>, f64)>,
    target: NodeId,
) -> Vec<Blame> {
    let mut found = Vec::new();
    for (id, (sum, size)) in sums.iter().filter(|(id, _)| **id != target) {
        let Some(Ok(own)) = cotangents[id.index()].map(|own| numbers(graph, own.id())) else { continue };
        let node = nodes.get(*id);
        let tolerance = 64.0 * U::EPSILON.to_f64() * size;
        let known = own.iter().zip(sum).enumerate().filter(|(_, (_, sum))| sum.is_finite());
        let places = known.map(|(place, (own, sum))| {
            let input = element(&id.to_string(), node.shape, place);
            let numeric = Derivative::known(*sum, tolerance);
            Compared { part: "accumulation", output: None, input }.judge(*own, &numeric, tolerance)
        });
        let failed = places.filter(|mismatch| mismatch.verdict == Verdict::Fail);
        if let Some(worst) = failed.max_by(|a, b| a.severity().total_cmp(&b.severity())) {
            found.push(Blame {
                node: id.index(),
                op: node.op.name().to_owned(),
                site: Some(Site::from(node.site)),
                operand: 0,
                shape: [node.shape.rows, node.shape.cols],
                kind: BlameKind::Accumulation,
                worst,
                cause: Some(Cause::Accumulation),
                hidden: None,
            });
        }
    }
    found
}

/// The operations of `nodes` through which derivatives flow to `sources`, with the operands to which they do. `on` tells whether a node
/// is on the way.
fn flowing<'n>(
    nodes: &'n Nodes,
    sources: &'n [NodeId],
    on: impl Fn(NodeId) -> bool + 'n,
) -> impl DoubleEndedIterator<Item = (NodeId, Node<'n>, Slots)> + 'n {
    nodes.iter().enumerate().filter_map(move |(i, node)| {
        let id = NodeId::new(i);
        if !on(id) || node.op.is_leaf() || sources.contains(&id) {
            return None;
        }
        let flows = |slot: &usize| node.op.differentiable(*slot) && on(node.inputs[*slot]);
        let slots: Slots = (0..node.inputs.len()).filter(flows).collect();
        (!slots.is_empty()).then_some((id, node, slots))
    })
}

/// Operands of an operation.
type Slots = SmallVec<[usize; 2]>;

fn operand_name(slot: usize) -> String {
    format!("operand {slot}")
}
