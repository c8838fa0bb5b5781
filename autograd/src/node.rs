//! Nodes of the graph and their ids.

use core::fmt;
use core::panic::Location;

use smallvec::SmallVec;

use crate::op::Op;
use crate::shape::Shape;

/// Names a node of one graph. Inputs have smaller ids than the nodes that use them.
///
/// Unlike a [`Var`](crate::Var) it does not borrow the graph, so that programs and layers can keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The id of the node that stands at `index` in its graph.
    ///
    /// # Panics
    /// If a graph holds more than 2³² nodes.
    #[track_caller]
    pub(crate) fn new(index: usize) -> Self {
        match u32::try_from(index) {
            Ok(index) => Self(index),
            Err(_) => panic!("a graph holds at most {} nodes", u32::MAX),
        }
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

/// One operation applied to nodes that came before.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What is computed.
    pub(crate) op: Op,
    /// From which values.
    pub(crate) inputs: SmallVec<[NodeId; 2]>,
    /// The shape of the result.
    pub(crate) shape: Shape,
    /// The user's line that recorded it.
    pub(crate) site: &'static Location<'static>,
    /// Whether it was recorded by a derivative rule; `site` is then the line of the operation differentiated.
    pub(crate) in_derivative: bool,
}
