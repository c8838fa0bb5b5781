//! Where a function that was recorded is not smooth: margins of its operations, and the branches that they take.

use super::probe::Draws;
use super::replay::{Held, Reach, Replay, numbers};
use super::report::{Element, Kink, Site};
use crate::graph::Graph;
use crate::kernel::View;
use crate::node::{Node, NodeId};
use crate::op::{Op, Pieces};
use crate::scalar::Real;

/// At most so many kinks of one operation are listed.
const LISTED: usize = 4;
/// A margin within so many roundings of the operands is no margin.
const ROUNDINGS: f64 = 8.0;

/// The points at which operations between `sources` and `target` are not smooth, at the point where the graph was recorded.
pub(super) fn kinks<U: Real>(graph: &Graph<U>, sources: &[NodeId], target: NodeId) -> Vec<Kink> {
    let nodes = graph.nodes.borrow().clone();
    let reach = Reach::new(&nodes, sources, target);
    let mut found = Vec::new();
    for (i, node) in nodes.iter().enumerate().take(target.index() + 1) {
        let id = NodeId::new(i);
        if reach.of(id) && !node.in_derivative && !node.op.is_leaf() {
            found.extend(kinks_of(graph, node, id).unwrap_or_default());
        }
    }
    found
}

fn kinks_of<U: Real>(graph: &Graph<U>, node: &Node, id: NodeId) -> Option<Vec<Kink>> {
    if let (Op::Compare(_), [a, b]) = (node.op, &node.inputs[..])
        && a == b
    {
        return None; // It asks for NaN.
    }
    let pieces = pieces(graph, node)?;
    let operands: Vec<Vec<f64>> =
        node.inputs.iter().map(|input| numbers(graph, *input)).collect::<Result<_, _>>().ok()?;
    let finite = operands.iter().flatten().filter(|x| x.is_finite());
    let near = ROUNDINGS * U::EPSILON.to_f64() * finite.fold(0.0, |max: f64, x| max.max(x.abs()));
    let on = |(_, margin): &(usize, &U)| margin.to_f64().abs() <= near;
    let places: Vec<(usize, f64)> = pieces.margin.iter().enumerate().filter(on).map(|(k, m)| (k, m.to_f64())).collect();
    if places.is_empty() {
        return None;
    }
    let slopes = slopes(graph, id, node.op.is_pointwise());
    let listed = places.into_iter().take(LISTED).map(|(place, margin)| Kink {
        op: Some(node.op.name().to_owned()),
        site: Some(Site::from(node.site)),
        element: element(node, id, place),
        margin: margin.abs(),
        slopes: slopes.as_ref().and_then(|slopes| slopes.get(place).copied()),
    });
    Some(listed.collect())
}

fn element(node: &Node, id: NodeId, place: usize) -> Element {
    super::probe::element(&id.to_string(), node.shape, place)
}

/// On which pieces a node is, if it is not smooth.
pub(super) fn pieces<U: Real>(graph: &Graph<U>, node: &Node) -> Option<Pieces<U>> {
    for input in &node.inputs {
        graph.try_compute(*input).ok()?;
    }
    let nodes = graph.nodes.borrow();
    let values = graph.values.borrow();
    let views: Vec<View<'_, U>> =
        node.inputs.iter().map(|input| View::new(values.get(*input), nodes[input.index()].shape)).collect();
    if let Op::Custom(custom) = node.op {
        let margin = custom.of(&graph.customs.borrow()).margin(&views);
        return (margin.len() == node.shape.len()).then(|| Pieces { switch: Vec::new(), margin });
    }
    U::pieces(node.op, &views)
}

/// The slopes of each element of a node to the left and to the right. A pointwise operation moves along its first operand, the
/// others along a random direction. Infinite where the value jumps.
fn slopes<U: Real>(graph: &Graph<U>, id: NodeId, pointwise: bool) -> Option<Vec<[f64; 2]>> {
    let mut replay = Replay::of_node(graph, id, Held::NOTHING).ok()?;
    let mut direction: Vec<Vec<f64>> = replay.point().iter().map(|x| vec![0.0; x.len()]).collect();
    let len = direction.first()?.len();
    direction[0] = if pointwise { vec![1.0; len] } else { Draws::new(0).numbers(len) };
    let step = U::EPSILON.to_f64().sqrt();
    let mut values = |t: f64| replay.move_along(&direction, t).then(|| replay.output(0).collect::<Vec<f64>>());
    let (base, mut all) = (values(0.0)?, Vec::new());
    let sides = [-1.0, 1.0].map(|side| [step, step / 16.0].map(|h| values(side * h)));
    for (k, base) in base.iter().enumerate() {
        let slope = |side: usize| {
            let quotient = |i: usize, h: f64| {
                let sign = if side == 0 { -1.0 } else { 1.0 };
                sides[side][i].as_ref().map_or(f64::NAN, |y| (y[k] - base) / (sign * h))
            };
            let (coarse, fine) = (quotient(0, step), quotient(1, step / 16.0));
            if fine.abs() > 8.0 * coarse.abs() && fine.abs() > 1.0 { f64::INFINITY.copysign(fine) } else { coarse }
        };
        all.push([slope(0), slope(1)]);
    }
    Some(all)
}
