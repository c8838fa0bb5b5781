//! Derivatives: from a graph to more of the same graph, so that any order is free.

use core::fmt;
use core::panic::Location;

use smallvec::SmallVec;

use crate::graph::Graph;
use crate::node::{Kind, NodeId, Nodes};
use crate::op::{Applied, Op};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

mod cotangents;
mod higher;
mod jvp;
mod vjp;

pub use higher::per_sample_gradients;

/// What derivatives are taken by: one variable, an array, a slice or a vector of them; the derivatives come back
/// in the same arrangement.
pub trait Sources<'g, T: Real> {
    /// The same arrangement of derivatives.
    type Derivatives;

    /// The variables in order.
    fn vars(&self) -> &[Var<'g, T>];

    /// The derivatives, one for each variable, in that arrangement.
    fn arrange(&self, derivatives: Vec<Var<'g, T>>) -> Self::Derivatives;
}

impl<'g, T: Real> Sources<'g, T> for Var<'g, T> {
    type Derivatives = Var<'g, T>;

    fn vars(&self) -> &[Var<'g, T>] {
        core::slice::from_ref(self)
    }

    fn arrange(&self, derivatives: Vec<Var<'g, T>>) -> Var<'g, T> {
        derivatives[0]
    }
}

impl<'g, T: Real, const N: usize> Sources<'g, T> for [Var<'g, T>; N] {
    type Derivatives = [Var<'g, T>; N];

    fn vars(&self) -> &[Var<'g, T>] {
        self
    }

    fn arrange(&self, derivatives: Vec<Var<'g, T>>) -> [Var<'g, T>; N] {
        core::array::from_fn(|i| derivatives[i])
    }
}

impl<'g, T: Real> Sources<'g, T> for &[Var<'g, T>] {
    type Derivatives = Vec<Var<'g, T>>;

    fn vars(&self) -> &[Var<'g, T>] {
        self
    }

    fn arrange(&self, derivatives: Vec<Var<'g, T>>) -> Vec<Var<'g, T>> {
        derivatives
    }
}

impl<'g, T: Real> Sources<'g, T> for Vec<Var<'g, T>> {
    type Derivatives = Vec<Var<'g, T>>;

    fn vars(&self) -> &[Var<'g, T>] {
        self
    }

    fn arrange(&self, derivatives: Vec<Var<'g, T>>) -> Vec<Var<'g, T>> {
        derivatives
    }
}

/// A derivative was asked for where none is connected. It panics at the user's line with this text.
#[derive(Debug)]
struct NotConnected {
    what: &'static str,
    target: (&'static str, Shape, &'static Location<'static>),
    source: (&'static str, Shape, &'static Location<'static>),
    /// Operations on the way through which no derivative flows.
    cuts: Vec<(&'static str, &'static Location<'static>)>,
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, shape, at) = self.target;
        write!(f, "{}: no derivative flows from the {shape} {target} made at {at} ", self.what)?;
        let (source, shape, at) = self.source;
        write!(f, "to the {shape} {source} made at {at}: ")?;
        match self.cuts.as_slice() {
            [] => write!(f, "it does not depend on it")?,
            cuts => {
                write!(f, "the path is cut by ")?;
                for (i, (op, at)) in cuts.iter().enumerate() {
                    write!(f, "{}the {op} at {at}", if i == 0 { "" } else { " and " })?;
                }
            }
        }
        write!(f, "; gradient_or_zero takes such a derivative to be zero")
    }
}

/// Which nodes up to a target depend on which sources through paths that derivatives flow along.
pub(crate) struct Dependence {
    first: usize,
    depends: Vec<bool>,
}

impl Dependence {
    /// Looks at nodes up to and including `last`.
    pub(crate) fn new(nodes: &Nodes, sources: &[NodeId], last: NodeId) -> Self {
        Self::along(nodes, sources, last, Kind::differentiable, |_| ())
    }

    /// The same, and at how many places each of these nodes is used so, if it is a number.
    pub(crate) fn with_uses(nodes: &Nodes, sources: &[NodeId], last: NodeId) -> (Self, Vec<u32>) {
        let mut uses = vec![0; last.index() + 1];
        let count = |input: NodeId| uses[input.index()] += u32::from(nodes.is_scalar(input));
        let dependence = Self::along(nodes, sources, last, Kind::differentiable, count);
        (dependence, uses)
    }

    /// Calls `visit` for each operand from which something depends.
    #[inline]
    fn along(
        nodes: &Nodes,
        sources: &[NodeId],
        last: NodeId,
        flows: impl Fn(&Kind, usize) -> bool,
        mut visit: impl FnMut(NodeId),
    ) -> Self {
        let first = sources.iter().map(|id| id.index()).min().unwrap_or(0);
        let end = last.index() + 1;
        let mut depends = vec![false; end.saturating_sub(first)];
        for source in sources.iter().filter(|source| source.index() < end) {
            depends[source.index() - first] = true;
        }
        for i in first..end {
            let node = nodes.get(NodeId::new(i));
            for (slot, &input) in node.inputs.iter().enumerate() {
                if input.index() >= first && depends[input.index() - first] && flows(&node, slot) {
                    depends[i - first] = true;
                    visit(input);
                }
            }
        }
        Self { first, depends }
    }

    pub(crate) fn of(&self, id: NodeId) -> bool {
        id.index() >= self.first && self.depends.get(id.index() - self.first).copied().unwrap_or(false)
    }
}

impl<T: Real> Graph<T> {
    /// Says that no derivative flows, and where it was cut.
    #[track_caller]
    fn not_connected(&self, what: &'static str, target: NodeId, source: NodeId) -> ! {
        panic!("{}", self.why_not_connected(what, target, source));
    }

    /// That no derivative flows from `target` to `source`, and where it was cut.
    pub(crate) fn why_not_connected(&self, what: &'static str, target: NodeId, source: NodeId) -> String {
        let nodes = self.nodes.borrow();
        let describe = |id: NodeId| {
            let node = nodes.get(id);
            (node.op.name(), node.shape, node.site)
        };
        let flowing = Dependence::new(&nodes, &[source], target);
        let any = Dependence::along(&nodes, &[source], target, |_, _| true, |_| ());
        let reaches = needed(&nodes, &[target]);
        let cuts = nodes.iter().enumerate().take(target.index() + 1).filter(|(i, node)| {
            reaches[*i]
                && any.of(NodeId::new(*i))
                && !flowing.of(NodeId::new(*i))
                && node.inputs.iter().any(|input| flowing.of(*input))
        });
        let cuts = cuts.map(|(_, node)| (node.op.name(), node.site)).collect();
        NotConnected { what, target: describe(target), source: describe(source), cuts }.to_string()
    }

    /// Whether `target` is computed from `source`, along paths of any kind.
    pub(crate) fn is_computed_from(&self, target: NodeId, source: NodeId) -> bool {
        Dependence::along(&self.nodes.borrow(), &[source], target, |_, _| true, |_| ()).of(target)
    }

    /// The operation of a node with its operands, and the line that recorded it.
    #[inline]
    pub(crate) fn applied(&self, id: NodeId) -> (Applied<'_, T>, Op, &'static Location<'static>) {
        let nodes = self.nodes.borrow();
        let node = nodes.get(id);
        let mut inputs = SmallVec::new();
        for &input in node.inputs {
            inputs.push(Var::new(self, input));
        }
        (Applied { inputs, output: Var::new(self, id), is_number: node.is_number }, node.op, node.site)
    }
}

/// Which nodes `targets` are computed from, up to the last of them.
fn needed(nodes: &Nodes, targets: &[NodeId]) -> Vec<bool> {
    let count = targets.iter().map(|target| target.index() + 1).max().unwrap_or(0);
    let mut needed = vec![false; count];
    targets.iter().for_each(|target| needed[target.index()] = true);
    for i in (0..count).rev() {
        if needed[i] {
            for input in nodes.get(NodeId::new(i)).inputs {
                needed[input.index()] = true;
            }
        }
    }
    needed
}
