//! Rules that give no contribution, or one that has not the shape of the operand.

use super::function::{Function, matrix};
use super::{Local, catch, flowing, operand_name};
use crate::check::cause::is_not_summed;
use crate::check::difference::Derivative;
use crate::check::probe::{Compared, element, slopes_at};
use crate::check::replay::{Reach, numbers};
use crate::check::report::{Blame, BlameKind, Cause, Element, Mismatch, Reason, Verdict};
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::op::Op;
use crate::scalar::Real;
use crate::shape::Shape;

/// Contributions with more numbers are not compared with differences: their shape says enough.
const COMPARED: usize = 4096;

impl Local {
    /// The nodes between `sources` and `target` whose rule cannot be recorded: it panics, or gives no cotangent of the shape of
    /// an operand.
    pub(in crate::check) fn unrecorded<U: Real>(
        &mut self,
        graph: &Graph<U>,
        sources: &[NodeId],
        target: NodeId,
    ) -> Vec<Blame> {
        let nodes = graph.nodes.borrow().up_to(target);
        let reach = Reach::new(&nodes, sources, target);
        let all = flowing(&nodes, sources, |id| reach.of(id));
        all.filter_map(|(id, node, slots)| self.shapeless(graph, id, node, &slots)).collect()
    }

    /// What is wrong with the shapes of the contributions of a node, if something is.
    pub(super) fn shapeless<U: Real>(
        &mut self,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slots: &[usize],
    ) -> Option<Blame> {
        let random = self.draws.numbers(node.shape.len());
        let g = graph.constant(matrix::<U>(node.shape, &random));
        let (at, _, site) = graph.applied(id);
        let alone = |slot: &&usize| catch(|| graph.at(site, || graph.vjps_of(node.op, g, &at, &[**slot]))).is_err();
        let slot = *slots.iter().find(alone)?;
        let given = catch(|| {
            let Op::Custom(custom) = node.op else { return None };
            let rule = custom.of(&graph.customs.borrow()).clone();
            let part = graph.at(site, || rule.vjp(g, &at.inputs, at.output)).get(slot).copied().flatten()?;
            Some((part.shape(), numbers(graph, part.id()).ok()?))
        });
        let summed = given
            .ok()
            .flatten()
            .and_then(|(shape, part)| self.not_summed(graph, id, node, slot, &random, shape, &part));
        let (worst, cause) = summed.unwrap_or_else(|| (missing(node), Cause::Missing));
        Some(self.blame(node, id, slot, BlameKind::Shape, worst, Some(cause)))
    }

    /// Whether a contribution of another shape is right once it is summed, and where it is most wrong as it is.
    #[allow(clippy::too_many_arguments, reason = "a contribution with all that belongs to it")]
    fn not_summed<U: Real>(
        &self,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slot: usize,
        random: &[f64],
        shape: Shape,
        part: &[f64],
    ) -> Option<(Mismatch, Cause)> {
        let own = graph.nodes.borrow().kind(node.inputs[slot]).shape;
        if own.len() > COMPARED || own.is_empty() || shape.is_empty() {
            return None;
        }
        let mut function = Function::of(graph, id, node, &[slot], self.held)?;
        let source = function.groups.iter().position(|group| group.contains(&slot))?;
        let weights = [random.to_vec(), random.to_vec()];
        let sums = function.sums(&weights)?;
        let replay = &mut function.replay;
        let numeric: Vec<Derivative> = (0..own.len())
            .map(|place| {
                let x = replay.point()[source][place];
                let along =
                    |x: f64| replay.replace(source, place, x).then(|| sums.iter().map(|sum| sum.of(replay)).collect());
                super::super::probe::first(&slopes_at::<U>(&self.difference, x, along))
            })
            .collect();
        let values: Vec<f64> = numeric.iter().map(|numeric| numeric.value).collect();
        if !is_not_summed(part, [shape.rows, shape.cols], &values, [own.rows, own.cols]) {
            return None;
        }
        let first = |place: usize| part[(place / own.cols) * shape.cols + place % own.cols];
        let far = |place: &usize| (first(*place) - values[*place]).abs();
        let place = (0..own.len()).max_by(|a, b| far(a).total_cmp(&far(b)))?;
        let tolerance = self.relative * values[place].abs();
        let input = element(&operand_name(slot), own, place);
        let worst = Compared { part: "vjp", output: None, input }.judge(first(place), &numeric[place], tolerance);
        Some((Mismatch { verdict: Verdict::Fail, ..worst }, Cause::NotSummed))
    }
}

pub(super) fn missing(node: Node<'_>) -> Mismatch {
    let unknown = Derivative::unknown(Reason::NonFinite);
    Compared { part: "vjp", output: None, input: Element::new(node.op.name(), &[]) }.judge(f64::NAN, &unknown, 0.0)
}
