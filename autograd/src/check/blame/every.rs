//! Every rule between the inputs and the value by itself, also where the gradient is right.

use std::collections::HashMap;

use super::function::{matrix, through};
use super::trial::{Shown, Trial};
use super::{Local, catch, flowing};
use crate::check::replay::numbers;
use crate::check::report::{Blame, BlameKind, Hidden, Mismatch, Verdict};
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::scalar::Real;
use crate::var::Var;

/// So many numbers of operands and results are looked at where the whole gradient is right.
const BUDGET: usize = 1 << 23;

/// What the trials of all rules gave.
#[derive(Default)]
pub(in crate::check) struct Trials {
    /// Rules that were looked at.
    pub(in crate::check) tried: usize,
    /// And those that were not, as they would take too long.
    pub(in crate::check) left: usize,
    pub(in crate::check) found: Vec<Blame>,
}

impl Local {
    /// Tries each rule for a random cotangent, at the point and at one near by. `cotangents` are those that nodes have.
    pub(in crate::check) fn every<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        sources: &[NodeId],
        cotangents: &[Option<Var<'g, U>>],
    ) -> Trials {
        let nodes = graph.nodes.borrow().up_to(NodeId::new(cotangents.len() - 1));
        let mut trials = Trials::default();
        let mut looked = 0;
        for (id, node, slots) in flowing(&nodes, sources, |id| cotangents[id.index()].is_some()).rev() {
            let Some(own) = cotangents[id.index()].filter(|_| !node.shape.is_empty()) else { continue };
            looked +=
                node.shape.len() + slots.iter().map(|slot| nodes.kind(node.inputs[*slot]).shape.len()).sum::<usize>();
            if looked > BUDGET {
                trials.left += 1;
                continue;
            }
            trials.tried += 1;
            let found = catch(|| self.one(graph, id, node, own, &slots));
            trials.found.extend(found.unwrap_or_default());
        }
        trials.found.sort_by(|a, b| b.worst.severity().total_cmp(&a.worst.severity()));
        trials
    }

    /// Tries the rule of one node.
    fn one<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        id: NodeId,
        node: Node<'_>,
        own: Var<'g, U>,
        slots: &[usize],
    ) -> Vec<Blame> {
        let Ok(mut real) = numbers(graph, own.id()) else { return Vec::new() };
        // What came from above is not this operation's.
        real.iter_mut().filter(|g| !g.is_finite()).for_each(|g| *g = 0.0);
        let silent = real.iter().all(|g| g.abs() <= 0.0);
        let hidden = if silent { Hidden::Cotangent } else { Hidden::Whole };
        let mut trial = match Trial::new(self, graph, id, node, slots) {
            Ok(Some(trial)) => trial,
            Ok(None) => return Vec::new(),
            Err(_) => return self.shapeless(graph, id, node, slots).into_iter().collect(),
        };
        let constant = slots.len() == 1 && node.op.is_affine(slots[0]);
        let shown = trial.judge(self, (!silent).then_some(&real));
        self.evaluations += trial.evaluations();
        let found = match shown {
            Shown::Agrees => Vec::new(),
            Shown::Nothing => self.closely(graph, id, node, own, slots, None, hidden),
            // A sum of cotangents may be nothing but rounding: of a constant rule only elements count.
            Shown::Doubt(kind, mismatch) => {
                let shown = (!constant).then_some((kind, mismatch));
                self.closely(graph, id, node, own, slots, shown, hidden)
            }
        };
        if found.is_empty() && (constant || !trial.is_small()) {
            return found;
        }
        if found.is_empty() {
            return self.nearby(graph, id, node, slots, &mut trial);
        }
        // At the point itself values may be what is left of others, or a hair from a kink: a wrong rule is wrong elsewhere, too.
        let only_here = constant || !trial.is_small() || (through(node) && !trial.movable);
        if only_here || self.wrong_nearby(graph, node, slots, &mut trial) { found } else { Vec::new() }
    }

    /// What is wrong with the rule of a node at a point near by, if it is wrong at a second one, too.
    fn nearby<U: Real>(
        &mut self,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slots: &[usize],
        trial: &mut Trial<U>,
    ) -> Vec<Blame> {
        let here = trial.point();
        for point in trial.nearby(self) {
            let (kind, mismatch) = match self.shown_at(graph, node, slots, trial, &point) {
                Shown::Nothing => continue,
                Shown::Agrees => return Vec::new(),
                Shown::Doubt(kind, mismatch) => (kind, mismatch),
            };
            let mut found = if through(node) {
                self.certain(node, id, slots, kind, *mismatch, Hidden::Nearby)
            } else {
                let Some((alone, own, at)) = elsewhere(graph, node, slots, &point) else { continue };
                let nodes = alone.nodes.borrow().up_to(at);
                let moved = nodes.get(at);
                let own = Var::new(&alone, own);
                self.closely(&alone, at, moved, own, slots, Some((kind, mismatch)), Hidden::Nearby)
            };
            found.iter_mut().for_each(|blame| blame.node = id.index());
            trial.move_to(&here);
            let wrong = !found.is_empty() && self.wrong_nearby(graph, node, slots, trial);
            return if wrong { found } else { Vec::new() };
        }
        Vec::new()
    }

    /// Whether a rule is wrong for certain at a point near by.
    fn wrong_nearby<U: Real>(
        &mut self,
        graph: &Graph<U>,
        node: Node<'_>,
        slots: &[usize],
        trial: &mut Trial<U>,
    ) -> bool {
        let points = [trial.nearby(self), trial.nearby(self)];
        points.iter().flatten().any(|point| {
            let shown = self.shown_at(graph, node, slots, trial, point);
            matches!(shown, Shown::Doubt(_, mismatch) if mismatch.verdict == Verdict::Fail)
        })
    }

    /// What a trial at another point shows, with the decisions that are taken there.
    fn shown_at<U: Real>(
        &mut self,
        graph: &Graph<U>,
        node: Node<'_>,
        slots: &[usize],
        trial: &mut Trial<U>,
        point: &[Vec<f64>],
    ) -> Shown {
        if trial.movable {
            trial.move_to(point);
            let shown = trial.judge(self, None);
            if through(node) || matches!(shown, Shown::Agrees | Shown::Nothing) {
                return shown;
            }
        } else if through(node) {
            return Shown::Nothing;
        }
        let Some((alone, _, at)) = elsewhere(graph, node, slots, point) else { return Shown::Nothing };
        let nodes = alone.nodes.borrow().up_to(at);
        let moved = nodes.get(at);
        match Trial::new(self, &alone, at, moved, slots) {
            Ok(Some(mut trial)) => trial.judge(self, None),
            _ => Shown::Nothing,
        }
    }

    /// Looks at a rule element by element. If that finds nothing where a direction was wrong for certain, that counts.
    #[allow(clippy::too_many_arguments, reason = "a step of the search")]
    fn closely<'g, U: Real>(
        &mut self,
        graph: &'g Graph<U>,
        id: NodeId,
        node: Node<'_>,
        own: Var<'g, U>,
        slots: &[usize],
        shown: Option<(BlameKind, Box<Mismatch>)>,
        hidden: Hidden,
    ) -> Vec<Blame> {
        let look = |this: &mut Self| {
            let mut found = this.node(graph, id, node, own, slots, &mut HashMap::new());
            if found.is_empty() && this.second {
                let second = this.second_of(graph, id, node, slots);
                found.extend(second.map(|(slot, worst)| this.blame(node, id, slot, BlameKind::Second, worst, None)));
            }
            found
        };
        let found = look(self);
        let mut found = self.beyond_noise(graph, id, node, slots, found, look);
        found.iter_mut().for_each(|blame| blame.hidden = Some(hidden));
        match shown {
            Some((kind, mismatch)) if found.is_empty() => self.certain(node, id, slots, kind, *mismatch, hidden),
            _ => found,
        }
    }

    fn certain(
        &self,
        node: Node<'_>,
        id: NodeId,
        slots: &[usize],
        kind: BlameKind,
        mismatch: Mismatch,
        hidden: Hidden,
    ) -> Vec<Blame> {
        if mismatch.verdict != Verdict::Fail {
            return Vec::new();
        }
        vec![Blame { hidden: Some(hidden), ..self.blame(node, id, slots[0], kind, mismatch, None) }]
    }
}

/// A node alone in a graph, with other values for the operands to which derivatives flow; a constant for its cotangent.
fn elsewhere<U: Real>(
    graph: &Graph<U>,
    node: Node<'_>,
    slots: &[usize],
    point: &[Vec<f64>],
) -> Option<(Graph<U>, NodeId, NodeId)> {
    let alone = Graph::new();
    *alone.customs.borrow_mut() = graph.customs.borrow().clone();
    let (own, at) = {
        let mut inputs: Vec<Var<'_, U>> = Vec::new();
        for (slot, input) in node.inputs.iter().enumerate() {
            let shape = graph.nodes.borrow().kind(*input).shape;
            inputs.push(match slots.iter().position(|known| *known == slot) {
                Some(source) => alone.variable(matrix::<U>(shape, &point[source])),
                None => alone.constant(matrix::<U>(shape, &numbers(graph, *input).ok()?)),
            });
        }
        let g = alone.constant(matrix::<U>(node.shape, point.last()?));
        let output = alone.at(node.site, || alone.try_apply(node.op, &inputs)).ok()?;
        (g.id(), output.id())
    };
    Some((alone, own, at))
}
