//! Nodes of the graph and their ids.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;
use core::panic::Location;

use crate::kernel::elementwise::Places;
use crate::mix::Mix;
use crate::op::{Op, Passes};
use crate::shape::Shape;

/// Names a node of one graph. Inputs have smaller ids than the nodes that use them.
///
/// Unlike a [`Var`](crate::Var) it does not borrow the graph, so that programs and layers can keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The id of no node.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The id of the node that stands at `index` in its graph.
    ///
    /// # Panics
    /// If a graph holds more than 2³¹ nodes.
    #[track_caller]
    #[inline]
    pub(crate) fn new(index: usize) -> Self {
        match u32::try_from(index) {
            Ok(index) if index < SCALAR => Self(index),
            _ => panic!("a graph holds at most {SCALAR} nodes"),
        }
    }

    /// [`index`](Self::index) in 4 bytes.
    #[inline]
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// Where the node stands in its graph.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// assert_eq!((x.id().index(), x.square().id().index()), (0, 1));
    /// ```
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What nodes have in common that differ in their operands alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// What is computed.
    pub(crate) op: Op,
    /// The shape of the result.
    pub(crate) shape: Shape,
    /// The user's line that recorded it.
    pub(crate) site: &'static Location<'static>,
    /// Whether it was recorded by a derivative rule; `site` is then the line of the operation differentiated.
    pub(crate) in_derivative: bool,
    /// Whether it computes a number from numbers: pointwise, and `1x1`.
    pub(crate) is_number: bool,
    /// How a cotangent passes back.
    pub(crate) passes: Passes,
    /// How many operands.
    arity: usize,
    /// Through which of the first operands derivatives flow.
    flows: [bool; INLINE],
}

impl Kind {
    fn new(call: &Call<'_>, arity: usize) -> Self {
        let Call { op, shape, site, in_derivative } = *call;
        let op = *op;
        let is_number = op.is_pointwise() && shape.is_scalar();
        let passes = if shape.is_scalar() { op.passes() } else { Passes::ByRule };
        let flows = core::array::from_fn(|slot| op.differentiable(slot));
        Self { op, shape, site, in_derivative, is_number, passes, arity, flows }
    }

    /// Whether a derivative flows to the operand `slot`.
    pub(crate) fn differentiable(&self, slot: usize) -> bool {
        if slot < INLINE { self.flows[slot] } else { self.op.differentiable(slot) }
    }

    fn is_of(&self, call: &Call<'_>, arity: usize) -> bool {
        core::ptr::eq(self.site, call.site)
            && self.op == *call.op
            && self.shape == call.shape
            && self.in_derivative == call.in_derivative
            && self.arity == arity
    }
}

/// What is recorded, but for its operands: see [`Kind`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) op: &'a Op,
    pub(crate) shape: Shape,
    pub(crate) site: &'static Location<'static>,
    pub(crate) in_derivative: bool,
}

impl Call<'_> {
    /// Below [`RECENT`]. Constants, which are many, do not meet the others.
    fn hash(&self) -> usize {
        let mut mix = Mix::default();
        let half = RECENT / 2;
        if let Op::Fill(value) = self.op {
            value.hash(&mut mix);
            return half + mix.top(half.ilog2());
        }
        core::mem::discriminant(self.op).hash(&mut mix);
        mix.write_usize(core::ptr::from_ref(self.site).addr() ^ self.shape.rows ^ self.shape.cols << 7);
        mix.top(half.ilog2())
    }
}

/// One operation applied to nodes that came before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    kind: &'a Kind,
    /// From which values.
    pub(crate) inputs: &'a [NodeId],
}

impl Deref for Node<'_> {
    type Target = Kind;

    fn deref(&self) -> &Kind {
        self.kind
    }
}

/// Operands that have room in a node.
const INLINE: usize = 3;

/// A node as it is kept. Operands beyond [`INLINE`] stand in a list of all such, from `inputs[0]` on.
#[derive(Clone, Copy, Debug)]
struct Compact {
    /// Where the kind is, and [`SCALAR`].
    kind: u32,
    inputs: [NodeId; INLINE],
}

/// Set in the kind of what is `1x1`.
const SCALAR: u32 = 1 << 31;

impl Compact {
    fn kind(self) -> usize {
        (self.kind & !SCALAR) as usize
    }
}

/// Kinds that are found again at once.
const RECENT: usize = 256;

/// All nodes of a graph: 16 bytes for each, and what they share once for each line that records.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    nodes: Vec<Compact>,
    kinds: Vec<Kind>,
    long: Vec<NodeId>,
    /// By hash, the last kind that had it.
    recent: [u32; RECENT],
}

impl Default for Nodes {
    fn default() -> Self {
        Self { nodes: Vec::new(), kinds: Vec::new(), long: Vec::new(), recent: [0; RECENT] }
    }
}

impl Nodes {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A copy of those up to and including `last`.
    pub(crate) fn up_to(&self, last: NodeId) -> Self {
        Self {
            nodes: self.nodes[..=last.index()].to_vec(),
            kinds: self.kinds.clone(),
            long: self.long.clone(),
            recent: self.recent,
        }
    }

    #[inline]
    pub(crate) fn kind(&self, id: NodeId) -> &Kind {
        &self.kinds[self.nodes[id.index()].kind()]
    }

    /// Whether the value is `1x1`.
    #[inline]
    pub(crate) fn is_scalar(&self, id: NodeId) -> bool {
        self.nodes[id.index()].kind & SCALAR != 0
    }

    // What it gives is put together where it is used: as a whole in memory, it would be read before it is written.
    #[inline(always)]
    pub(crate) fn get(&self, id: NodeId) -> Node<'_> {
        let node = &self.nodes[id.index()];
        let kind = &self.kinds[node.kind()];
        let inputs = match kind.arity {
            arity @ ..=INLINE => &node.inputs[..arity],
            arity => &self.long[node.inputs[0].index()..][..arity],
        };
        Node { kind, inputs }
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = Node<'_>> + ExactSizeIterator {
        (0..self.nodes.len()).map(
            #[inline(always)]
            |i| self.get(NodeId::new(i)),
        )
    }

    /// Where among the numbers of all nodes those are which a number is computed from, and itself.
    #[inline]
    pub(crate) fn places(&self, id: NodeId) -> Places<u32> {
        Places { inputs: self.nodes[id.index()].inputs.map(|input| input.0), output: id.0 }
    }

    /// Makes room for so many operands of operations that have many.
    pub(crate) fn reserve_operands(&mut self, operands: usize) {
        self.long.reserve(operands);
    }

    #[track_caller]
    pub(crate) fn push(&mut self, call: &Call<'_>, inputs: &[NodeId]) -> NodeId {
        let mut room = [NodeId(0); INLINE];
        if inputs.len() <= INLINE {
            room.iter_mut().zip(inputs).for_each(|(room, input)| *room = *input);
        } else {
            room[0] = NodeId::new(self.long.len());
            self.long.extend_from_slice(inputs);
        }
        self.push_inline(call, room, inputs.len())
    }

    /// [`push`](Self::push) for a pointwise operation on numbers, of which there are many and whose shapes need no rule;
    /// `None` if it is none.
    #[track_caller]
    pub(crate) fn push_number(&mut self, call: &Call<'_>, inputs: &[NodeId]) -> Option<NodeId> {
        let mut room = [NodeId(0); INLINE];
        let mut kinds = SCALAR;
        for (room, input) in room.iter_mut().zip(inputs) {
            *room = *input;
            kinds &= self.nodes[input.index()].kind;
        }
        (kinds & SCALAR != 0 && call.op.is_pointwise()).then(|| self.push_inline(call, room, inputs.len()))
    }

    // Inlined: operands that are handed over in memory would be read before they are written.
    #[inline(always)]
    #[track_caller]
    fn push_inline(&mut self, call: &Call<'_>, inputs: [NodeId; INLINE], arity: usize) -> NodeId {
        let id = NodeId::new(self.nodes.len());
        let kind = self.kind_of(call, arity);
        self.nodes.push(Compact { kind, inputs });
        id
    }

    /// The place of the kind. One that was not met for long is kept twice, which does no harm.
    #[inline]
    fn kind_of(&mut self, call: &Call<'_>, arity: usize) -> u32 {
        let slot = call.hash();
        for slot in [slot, slot ^ 1] {
            let recent = self.recent[slot];
            if self.kinds.get((recent & !SCALAR) as usize).is_some_and(|kind| kind.is_of(call, arity)) {
                return recent;
            }
        }
        self.new_kind(slot, call, arity)
    }

    #[cold]
    fn new_kind(&mut self, slot: usize, call: &Call<'_>, arity: usize) -> u32 {
        let scalar = if call.shape.is_scalar() { SCALAR } else { 0 };
        // Two kinds with the same hash that take turns must not drive out each other each time.
        self.recent[slot ^ 1] = self.recent[slot];
        self.recent[slot] = NodeId::new(self.kinds.len()).0 | scalar;
        self.kinds.push(Kind::new(call, arity));
        self.recent[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_with_one_hash_that_take_turns_are_kept_once() {
        let call =
            |rows| Call { op: &Op::Input, shape: Shape::new(rows, 2), site: Location::caller(), in_derivative: false };
        let slot = call(1).hash();
        let other = (2..10_000).find(|&rows| call(rows).hash() == slot).unwrap();
        let mut nodes = Nodes::default();
        for _ in 0..100 {
            nodes.push(&call(1), &[]);
            nodes.push(&call(other), &[]);
        }
        assert_eq!(nodes.kinds.len(), 2);
    }
}
