//! The derivative of the derivative rule of one operation.

use super::function::{isolated, matrix, settle, through};
use super::{Local, catch, flowing, operand_name};
use crate::check::probe::{Compared, element, largest, slopes_along, unresolved};
use crate::check::replay::{Reach, Replay, numbers};
use crate::check::report::{Blame, BlameKind, Mismatch, Verdict};
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::scalar::Real;
use crate::var::Var;

impl Local {
    /// The nodes between `sources` and `target` whose rule has a wrong derivative, the worst first.
    pub(in crate::check) fn second_order<U: Real>(
        &mut self,
        graph: &Graph<U>,
        sources: &[NodeId],
        target: NodeId,
    ) -> Vec<Blame> {
        let nodes = graph.nodes.borrow().up_to(target);
        let reach = Reach::new(&nodes, sources, target);
        let mut found = Vec::new();
        for (id, node, slots) in flowing(&nodes, sources, |id| reach.of(id)) {
            if let Some((slot, worst)) = self.second_of(graph, id, node, &slots) {
                found.push(self.blame(node, id, slot, BlameKind::Second, worst, None));
            }
        }
        found.sort_by(|a: &Blame, b| b.worst.severity().total_cmp(&a.worst.severity()));
        found
    }

    /// The derivative of the rule of one node, by its operands and its cotangent.
    pub(super) fn second_of<U: Real>(
        &mut self,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slots: &[usize],
    ) -> Option<(usize, Mismatch)> {
        if slots.is_empty() {
            return None;
        }
        let alone = Graph::new();
        let whole = through(node);
        let (graph, at) = if whole { (graph, graph.applied(id).0) } else { (&alone, isolated(graph, &alone, node)?) };
        let mut sources: Vec<NodeId> = Vec::new();
        for slot in slots {
            let id = at.inputs[*slot].id();
            if !sources.contains(&id) {
                sources.push(id);
            }
        }
        if whole && sources.len() > 1 {
            return None; // One may be computed from the other: the whole function is what tells.
        }
        let g = graph.variable(matrix::<U>(node.shape, &self.draws.numbers(node.shape.len())));
        sources.push(g.id());
        let parts = catch(|| graph.at(node.site, || graph.vjps_of(node.op, g, &at, slots))).ok()?;
        let targets: Vec<NodeId> = parts.iter().map(|part| part.id()).collect();
        let vars: Vec<Var<'_, U>> = sources.iter().map(|id| Var::new(graph, *id)).collect();
        let point: Result<Vec<Vec<f64>>, String> = sources.iter().map(|id| numbers(graph, *id)).collect();
        let direction = self.draws.direction(&point.ok()?);
        let tangents: Vec<Var<'_, U>> =
            vars.iter().zip(&direction).map(|(var, u)| graph.constant(matrix::<U>(var.shape(), u))).collect();
        let pushed = catch(|| graph.push_forward(&parts, &vars, &tangents)).ok()?;
        let mut replay = Replay::between(graph, &sources, &targets, self.held).ok()?;
        let all = |t: f64, replay: &mut Replay<U>| {
            let some = replay.move_along(&direction, t);
            some.then(|| (0..targets.len()).flat_map(|k| replay.output(k).collect::<Vec<f64>>()).collect::<Vec<f64>>())
        };
        let base = all(0.0, &mut replay)?;
        let moved = |t: f64| Some(settle(all(t, &mut replay)?, &base));
        let numeric = slopes_along::<U>(&self.difference, moved);
        self.evaluations += replay.evaluations;
        let mut worst: Option<(usize, Mismatch)> = None;
        let mut start = 0;
        for ((slot, part), pushed) in slots.iter().zip(&parts).zip(pushed) {
            let count = part.shape().len();
            let analytic = match pushed {
                Some(pushed) => numbers(graph, pushed.id()).ok()?,
                None => vec![0.0; count],
            };
            let floor = self.absolute * largest(&analytic).max(largest(&base)).max(1e-300) + self.noise;
            for (place, (analytic, numeric)) in analytic.iter().zip(&numeric[start..start + count]).enumerate() {
                let tolerance = floor + self.relative * analytic.abs().max(numeric.value.abs());
                let input = element(&operand_name(*slot), part.shape(), place);
                let mismatch =
                    Compared { part: "second derivative", output: None, input }.judge(*analytic, numeric, tolerance);
                if !analytic.is_finite() && (unresolved(numeric) || !base[start + place].is_finite()) {
                    continue; // It has no derivative there.
                }
                let worse = worst.as_ref().is_none_or(|(_, old)| mismatch.severity() > old.severity());
                if mismatch.verdict == Verdict::Fail && worse {
                    worst = Some((*slot, mismatch));
                }
            }
            start += count;
        }
        worst
    }
}
