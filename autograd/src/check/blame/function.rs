//! One operation with its operands, as a function that differences are taken of.

use smallvec::SmallVec;

use crate::check::difference::Derivative;
use crate::check::probe::{Weighted, unmoved};
use crate::check::replay::{Held, Replay, numbers};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::{Node, NodeId};
use crate::op::{Applied, Op};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// A node with its operands, as a function that differences are taken of.
pub(super) struct Function<U: Real> {
    pub(super) replay: Replay<U>,
    /// The slots that each source of the replay stands for.
    pub(super) groups: Vec<Vec<usize>>,
    /// Whether the Jacobian by each source is diagonal.
    pub(super) diagonal: bool,
}

impl<U: Real> Function<U> {
    pub(super) fn of(graph: &Graph<U>, id: NodeId, node: Node<'_>, slots: &[usize], held: Held) -> Option<Self> {
        if !through(node) {
            let replay = Replay::of_node(graph, id, held).ok()?;
            let groups = (0..node.inputs.len()).map(|slot| if slots.contains(&slot) { vec![slot] } else { vec![] });
            return Some(Self { replay, groups: groups.collect(), diagonal: node.op.is_pointwise() });
        }
        let mut sources: Vec<NodeId> = Vec::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for slot in slots {
            match sources.iter().position(|source| *source == node.inputs[*slot]) {
                Some(known) => groups[known].push(*slot),
                None => {
                    sources.push(node.inputs[*slot]);
                    groups.push(vec![*slot]);
                }
            }
        }
        let replay = Replay::between(graph, &sources, &[id], held).ok()?;
        Some(Self { replay, groups, diagonal: false })
    }

    pub(super) fn values(&mut self, direction: &[Vec<f64>], t: f64) -> Option<Vec<f64>> {
        self.replay.move_along(direction, t).then(|| self.replay.output(0).collect())
    }

    /// Whether the values are finite at the point.
    pub(super) fn is_finite(&mut self) -> bool {
        let still: Vec<Vec<f64>> = self.replay.point().iter().map(|x| vec![0.0; x.len()]).collect();
        self.values(&still, 0.0).is_some_and(|values| values.iter().all(|y| y.is_finite()))
    }

    /// The values, with 0 for those that are infinite and stay so.
    pub(super) fn moved(&mut self, direction: &[Vec<f64>], t: f64, base: &[f64]) -> Option<Vec<f64>> {
        Some(settle(self.values(direction, t)?, base))
    }

    pub(super) fn sums(&mut self, weights: &[Vec<f64>; 2]) -> Option<[Weighted; 2]> {
        let [a, b] = weights;
        Some([Weighted::new(&mut self.replay, vec![a.clone()])?, Weighted::new(&mut self.replay, vec![b.clone()])?])
    }

    /// Whether the operation is linear in a source, up to a constant.
    pub(super) fn affine(&self, node: Node<'_>, source: usize) -> bool {
        !through(node) && !matches!(node.op, Op::Custom(_)) && node.op.is_affine(self.groups[source][0])
    }

    /// The derivative of the weighted sums along a direction in which the operation is linear: exact but for rounding.
    pub(super) fn linear<V: Real>(
        &mut self,
        source: usize,
        u: &[f64],
        weights: &[Vec<f64>; 2],
    ) -> Option<Vec<Derivative>> {
        let mut at = |values: &[f64]| -> Option<Vec<f64>> {
            self.replay.substitute(source, values.iter().copied()).then(|| self.replay.output(0).collect())
        };
        let (moved, still) = (at(u)?, at(&vec![0.0; u.len()])?);
        let by_weights = weights.iter().map(|weights| {
            let terms = moved.iter().zip(&still).zip(weights).filter(|((_, still), _)| still.is_finite());
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), ((moved, still), w)| {
                (sum + w * (moved - still), size + (w * moved).abs() + (w * still).abs())
            });
            Derivative::known(sum, 16.0 * V::EPSILON.to_f64() * size)
        });
        Some(by_weights.collect())
    }
}

/// Whether what the derivative of a node belongs to is computed before it: `with_gradient`.
pub(super) fn through(node: Node<'_>) -> bool {
    matches!(node.op, Op::Custom(_)) && (0..node.inputs.len()).any(|slot| !node.op.differentiable(slot))
}

/// A node alone in a graph, with variables for operands.
pub(super) fn isolated<'a, U: Real>(graph: &Graph<U>, alone: &'a Graph<U>, node: Node<'_>) -> Option<Applied<'a, U>> {
    *alone.customs.borrow_mut() = graph.customs.borrow().clone();
    let mut inputs: SmallVec<[Var<'a, U>; 3]> = SmallVec::new();
    for (slot, input) in node.inputs.iter().enumerate() {
        let values = numbers(graph, *input).ok()?;
        let value = matrix::<U>(graph.nodes.borrow().kind(*input).shape, &values);
        inputs.push(if node.op.differentiable(slot) { alone.variable(value) } else { alone.constant(value) });
    }
    let output = alone.try_apply(node.op, &inputs).ok()?;
    Some(Applied { inputs, output, is_number: node.is_number })
}

pub(super) fn matrix<U: Real>(shape: Shape, values: &[f64]) -> Matrix<U> {
    Matrix::new(shape.rows, shape.cols, values.iter().map(|x| U::from_f64(*x)).collect())
}

pub(super) fn settle(values: Vec<f64>, base: &[f64]) -> Vec<f64> {
    values.into_iter().zip(base).map(|(y, base)| if unmoved(y, *base) { 0.0 } else { y }).collect()
}

pub(super) fn rescaled(numeric: Derivative, factor: f64) -> Derivative {
    let slopes = numeric.slopes.map(|slopes| slopes.map(|slope| slope * factor));
    Derivative { value: numeric.value * factor, error_bar: numeric.error_bar * factor.abs(), slopes, ..numeric }
}

/// The weighted slopes of a pointwise operation, summed to the shape of an operand that was broadcast.
pub(super) fn summed(slopes: &[Derivative], weights: &[f64], from: Shape, to: Shape) -> Vec<Derivative> {
    let mut sums = vec![Derivative::known(0.0, 0.0); to.len()];
    for (place, (slope, weight)) in slopes.iter().zip(weights).enumerate() {
        let (row, col) = (place / from.cols.max(1), place % from.cols.max(1));
        let sum = &mut sums[(row % to.rows.max(1)) * to.cols + col % to.cols.max(1)];
        if *weight != 0.0 {
            sum.value += slope.value * weight;
            sum.error_bar += slope.error_bar * weight.abs() + f64::EPSILON * (slope.value * weight).abs();
            sum.step = slope.step;
            sum.doubt = sum.doubt.or(slope.doubt);
        }
    }
    sums
}
