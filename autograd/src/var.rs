//! The handle of a node while recording.

use core::fmt;
use core::panic::Location;

use smallvec::SmallVec;

use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::NodeId;
use crate::op::Op;
use crate::scalar::Real;
use crate::shape::Shape;

/// A value in a graph: a `Copy` handle with operators and methods that record further nodes.
///
/// Equality of *numbers* is [`equal`](Self::equal), element by element; to ask whether two handles are the same
/// node, compare [`id`](Self::id)s.
#[derive(Clone, Copy)]
pub struct Var<'g, T: Real> {
    graph: &'g Graph<T>,
    id: NodeId,
}

impl<'g, T: Real> Var<'g, T> {
    pub(crate) fn new(graph: &'g Graph<T>, id: NodeId) -> Self {
        Self { graph, id }
    }

    /// The graph it belongs to.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let y = x * x.graph().constant(3.0);
    /// assert_eq!(y.item(), 6.0);
    /// ```
    #[must_use]
    pub fn graph(self) -> &'g Graph<T> {
        self.graph
    }

    /// The node it stands for.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let y = x;
    /// assert_eq!(x.id(), y.id());
    /// ```
    #[must_use]
    pub fn id(self) -> NodeId {
        self.id
    }

    /// `rows x cols`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.variable([[1.0, 2.0]]).shape().to_string(), "1x2");
    /// ```
    #[must_use]
    pub fn shape(self) -> Shape {
        self.graph.nodes.borrow().kind(self.id).shape
    }

    /// Number of rows.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.variable([[1.0, 2.0]]).rows(), 1);
    /// ```
    #[must_use]
    pub fn rows(self) -> usize {
        self.shape().rows
    }

    /// Number of columns.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.variable([[1.0, 2.0]]).cols(), 2);
    /// ```
    #[must_use]
    pub fn cols(self) -> usize {
        self.shape().cols
    }

    /// The operation that computes it.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// assert_eq!((x.op().name(), x.exp().op().name()), ("variable", "exp"));
    /// ```
    #[must_use]
    pub fn op(self) -> Op {
        self.graph.nodes.borrow().kind(self.id).op
    }

    /// What it is computed from first, unless it is a leaf.
    pub(crate) fn first_operand(self) -> Option<Self> {
        let id = self.graph.nodes.borrow().get(self.id).inputs.first().copied();
        id.map(|id| Self::new(self.graph, id))
    }

    /// What it is computed from; nothing for a leaf.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(1.0), graph.variable(2.0));
    /// let operands = (x * y).operands();
    /// assert_eq!(operands.iter().map(|operand| operand.id()).collect::<Vec<_>>(), [x.id(), y.id()]);
    /// ```
    #[must_use]
    pub fn operands(self) -> Vec<Self> {
        let nodes = self.graph.nodes.borrow();
        nodes.get(self.id).inputs.iter().map(|id| Self::new(self.graph, *id)).collect()
    }

    /// The line that recorded it.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let (line, y) = (line!(), x.exp());
    /// assert_eq!(y.site().line(), line);
    /// ```
    #[must_use]
    pub fn site(self) -> &'static Location<'static> {
        self.graph.nodes.borrow().kind(self.id).site
    }

    /// Its number, computed on demand and remembered: for `if` and `while` on values.
    ///
    /// The graph notes that a number was read: it refuses to [`compile`](Graph::compile) for reuse if what was
    /// recorded may depend on it.
    ///
    /// # Panics
    /// If the shape is not `1x1`, or as [`value`](Self::value).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let mut x = graph.variable(100.0);
    /// while x.item() > 1.0 {
    ///     x = x.sqrt() - 0.5;
    /// }
    /// assert!(x.item() <= 1.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn item(self) -> T {
        let shape = self.shape();
        assert!(shape.is_scalar(), "item: the value is {shape}, not 1x1; made at {}", self.site());
        self.note_read(Location::caller());
        self.graph.compute(self.id);
        self.graph.values.borrow().get(self.id)[0]
    }

    /// Its numbers, computed on demand and remembered.
    ///
    /// The graph notes that numbers were read: it refuses to [`compile`](Graph::compile) for reuse if what was
    /// recorded may depend on them. [`peek`](Self::peek) does not.
    ///
    /// # Panics
    /// If it depends on an [`input`](Graph::input), which has no value, an index is out of range, or a matrix has no
    /// factorisation.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// assert_eq!(x.square().value(), autograd::Matrix::from([[1.0, 4.0]]));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn value(self) -> Matrix<T> {
        self.note_read(Location::caller());
        self.peek()
    }

    /// [`value`](Self::value) for printing: promises that nothing which is recorded depends on it.
    ///
    /// # Panics
    /// As [`value`](Self::value).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let y = x.square();
    /// println!("{}", y.peek());
    /// assert!(graph.compile(&[x], &[], &[y]).is_ok());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn peek(self) -> Matrix<T> {
        self.graph.compute(self.id);
        let shape = self.shape();
        Matrix::new(shape.rows, shape.cols, self.graph.values.borrow().get(self.id).to_vec())
    }

    /// The same value, called by this name in formulas and pictures.
    ///
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0).named("x");
    /// assert_eq!(x.square().to_string(), "x²");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        self.graph.names.borrow_mut().insert(self.id, name.to_owned());
        self
    }

    /// The name that was given to it.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// assert_eq!((x.name(), x.named("x").name()), (None, Some("x".to_owned())));
    /// ```
    #[must_use]
    pub fn name(self) -> Option<String> {
        self.graph.names.borrow().get(&self.id).cloned()
    }

    /// A constant of shape `1x1` in the same graph.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// assert_eq!(x.maximum(x.scalar(3.0)).item(), 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scalar(self, value: T) -> Self {
        self.graph.fill(Shape::SCALAR, value)
    }

    #[track_caller]
    pub(crate) fn unary(self, op: impl Into<Op>) -> Self {
        self.graph.apply(&op.into(), &[self.id])
    }

    #[track_caller]
    pub(crate) fn binary(self, op: impl Into<Op>, other: Self) -> Self {
        other.assert_of(self.graph);
        self.graph.apply(&op.into(), &[self.id, other.id])
    }

    #[track_caller]
    pub(crate) fn nary(op: impl Into<Op>, operands: &[Self]) -> Self {
        let graph = operands[0].graph;
        for operand in operands {
            operand.assert_of(graph);
        }
        let ids: SmallVec<[NodeId; 4]> = operands.iter().map(|operand| operand.id).collect();
        graph.apply(&op.into(), &ids)
    }

    #[track_caller]
    pub(crate) fn assert_of(self, graph: &Graph<T>) {
        assert!(
            core::ptr::eq(self.graph, graph),
            "the operands belong to different graphs; one was made at {}",
            self.site()
        );
    }

    fn note_read(self, site: &'static Location<'static>) {
        self.graph.reads.borrow_mut().push((self.id, site));
    }
}

impl<T: Real> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.graph.nodes.borrow();
        let node = nodes.get(self.id);
        write!(f, "{} {} {}", self.id, node.op.name(), node.shape)
    }
}
