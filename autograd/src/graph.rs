//! The graph: an arena of nodes, inputs before users.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::panic::Location;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::ShapeError;
use crate::evaluate::{LARGE, Values};
use crate::matrix::Matrix;
use crate::node::{Call, NodeId, Nodes};
use crate::op::custom::Customs;
use crate::op::{Bits, Op};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// What was computed from what: an arena of nodes in which inputs stand before their users.
///
/// Recording computes nothing; [`Var::value`] computes on demand, [`compile`](Self::compile) makes a program
/// that is run many times. A graph is never global; dropping it drops all that was recorded.
///
/// ```
/// use autograd::Graph;
/// let graph = Graph::new();
/// let x = graph.variable(3.0);
/// let y = x * x + 1.0;
/// let [dx] = y.gradient([x]);
/// assert_eq!((y.item(), dx.item()), (10.0, 6.0));
/// ```
pub struct Graph<T: Real> {
    pub(crate) nodes: RefCell<Nodes>,
    pub(crate) values: RefCell<Values<T>>,
    /// While a derivative is recorded: the line of the operation that is differentiated.
    site: Cell<Option<&'static Location<'static>>>,
    /// The user's operations.
    pub(crate) customs: RefCell<Customs<T>>,
    /// What the user calls some nodes.
    pub(crate) names: RefCell<HashMap<NodeId, String>>,
    /// Values that were read by the user, and where.
    pub(crate) reads: RefCell<Vec<(NodeId, &'static Location<'static>)>>,
}

/// The most elements that a value may have: no more of 8 bytes can be addressed.
const MAX_LEN: usize = usize::MAX / 16;

impl<T: Real> Graph<T> {
    /// An empty graph.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::<f64>::new();
    /// assert!(graph.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: RefCell::new(Nodes::default()),
            values: RefCell::new(Values::default()),
            site: Cell::new(None),
            customs: RefCell::new(Vec::new()),
            names: RefCell::new(HashMap::new()),
            reads: RefCell::new(Vec::new()),
        }
    }

    /// A leaf whose value is fed at each run of a [`Program`](crate::Program). Until then it has none:
    /// [`Var::value`] of what depends on it panics.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.input(1, 2);
    /// let mut sum = graph.compile(&[x], &[], &[x.sum()])?;
    /// sum.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(sum.item(0), 3.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn input(&self, rows: usize, cols: usize) -> Var<'_, T> {
        self.push(&Op::Input, &[], Shape::new(rows, cols))
    }

    /// A leaf with a value, to be differentiated by: a parameter, a point. In a compiled program it is fed (if
    /// listed as an input) or state that lives from run to run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// assert_eq!(x.square().sum().gradient(x).value().as_slice(), [2.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn variable(&self, value: impl Into<Matrix<T>>) -> Var<'_, T> {
        self.leaf(Op::Variable, value.into())
    }

    /// A [`variable`](Self::variable) with a value that is shared, not copied.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// let weights = Arc::new(autograd::Matrix::<f64>::ones(1000, 1));
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.variable_of(&weights).sum().item(), 1000.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn variable_of(&self, value: &Arc<Matrix<T>>) -> Var<'_, T> {
        let var = self.push(&Op::Variable, &[], value.shape());
        self.values.borrow_mut().give(var.id(), Arc::clone(value), None);
        var
    }

    /// A [`variable`](Self::variable) with every element `value` at first: the state of an optimiser.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, count) = (graph.input(1, 1), graph.variable_filled(1, 2, 0.0));
    /// let mut program = graph.compile(&[x], &[(count, count + x)], &[])?;
    /// program.run(&[&2.0.into()])?;
    /// assert_eq!(program.state(count.id()).unwrap(), [[2.0, 2.0]].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn variable_filled(&self, rows: usize, cols: usize, value: T) -> Var<'_, T> {
        let var = self.push(&Op::Variable, &[], Shape::new(rows, cols));
        self.values.borrow_mut().give(var.id(), Arc::new(Matrix::filled(rows, cols, value)), Some(value));
        var
    }

    /// A leaf with a value that never changes.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let y = x.dot(graph.constant([[3.0, 4.0]]));
    /// assert_eq!((y.item(), y.gradient(x).value().as_slice()), (11.0, [3.0, 4.0].as_slice()));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn constant(&self, value: impl Into<Matrix<T>>) -> Var<'_, T> {
        let value = value.into();
        if value.shape().is_scalar() {
            return self.fill(value.shape(), value.item());
        }
        self.leaf(Op::Constant, value)
    }

    /// A constant with every element `value`, without a place in memory.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.filled(2, 3, 0.5).sum().item(), 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn filled(&self, rows: usize, cols: usize, value: T) -> Var<'_, T> {
        self.fill(Shape::new(rows, cols), value)
    }

    /// Applies an operation to operands: the one fallible door, for importers and fuzzers.
    ///
    /// # Errors
    /// If the operation does not take these shapes, or this number of operands.
    ///
    /// # Panics
    /// If an operand belongs to another graph.
    ///
    /// ```
    /// use autograd::{Graph, Matrix, op};
    /// let graph = Graph::<f64>::new();
    /// let a = graph.variable(Matrix::zeros(2, 3));
    /// let error = graph.try_apply(op::MatMul::default(), &[a, a]).unwrap_err();
    /// assert_eq!(error.rule, "left columns (3) must equal right rows (2)");
    /// ```
    #[track_caller]
    pub fn try_apply<'g>(&'g self, op: impl Into<Op>, operands: &[Var<'g, T>]) -> Result<Var<'g, T>, ShapeError> {
        let op = op.into();
        for operand in operands {
            operand.assert_of(self);
        }
        let ids: SmallVec<[NodeId; 2]> = operands.iter().map(|operand| operand.id()).collect();
        let shape = self.shape_of(&op, &ids)?;
        Ok(self.push(&op, &ids, shape))
    }

    /// Number of nodes recorded so far.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let _ = x.square();
    /// assert_eq!(graph.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.borrow().len()
    }

    /// Whether nothing was recorded yet.
    ///
    /// # Examples
    /// ```
    /// assert!(autograd::Graph::<f64>::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that was recorded, in that order: operands stand before what is computed from them.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let _y = x.sin() * x;
    /// let names: Vec<_> = graph.vars().map(|var| var.op().name()).collect();
    /// assert_eq!(names, ["variable", "sin", "mul"]);
    /// ```
    pub fn vars(&self) -> impl Iterator<Item = Var<'_, T>> {
        (0..self.len()).map(|i| Var::new(self, NodeId::new(i)))
    }

    /// The handle of a node.
    ///
    /// # Panics
    /// If the graph holds no such node.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let kept = x.id();
    /// assert_eq!(graph.var(kept).square().item(), 4.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn var(&self, id: NodeId) -> Var<'_, T> {
        assert!(id.index() < self.len(), "node {id} of a graph with {} nodes", self.len());
        Var::new(self, id)
    }

    /// Applies `op`, panicking at the user's line where its shapes do not fit.
    #[track_caller]
    pub(crate) fn apply(&self, op: &Op, ids: &[NodeId]) -> Var<'_, T> {
        let (site, in_derivative) = self.present_site();
        let number = Call { op, shape: Shape::SCALAR, site, in_derivative };
        if let Some(id) = self.nodes.borrow_mut().push_number(&number, ids) {
            return Var::new(self, id);
        }
        match self.shape_of(op, ids) {
            Ok(shape) => self.push(op, ids, shape),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    pub(crate) fn fill(&self, shape: Shape, value: T) -> Var<'_, T> {
        self.push(&Op::Fill(Bits::new(value)), &[], shape)
    }

    /// Records within `f` as if by the line `site`: derivatives belong to the line of their operation.
    pub(crate) fn at<R>(&self, site: &'static Location<'static>, f: impl FnOnce() -> R) -> R {
        let _restored = Restored { cell: &self.site, outer: self.site.replace(Some(site)) };
        f()
    }

    /// The line to which belongs what is recorded now, and whether it is part of a derivative.
    #[track_caller]
    fn present_site(&self) -> (&'static Location<'static>, bool) {
        let caller = Location::caller();
        self.site.get().map_or((caller, false), |site| (site, true))
    }

    #[track_caller]
    fn leaf(&self, op: Op, value: Matrix<T>) -> Var<'_, T> {
        let var = self.push(&op, &[], value.shape());
        let mut values = self.values.borrow_mut();
        if value.len() < LARGE {
            values.put(var.id(), value.as_slice());
        } else {
            values.give(var.id(), Arc::new(value), None);
        }
        var
    }

    /// Records an operation that gives this shape.
    #[track_caller]
    pub(crate) fn push(&self, op: &Op, inputs: &[NodeId], shape: Shape) -> Var<'_, T> {
        let (site, in_derivative) = self.present_site();
        let id = self.nodes.borrow_mut().push(&Call { op, shape, site, in_derivative }, inputs);
        Var::new(self, id)
    }

    fn shape_of(&self, op: &Op, ids: &[NodeId]) -> Result<Shape, ShapeError> {
        let nodes = self.nodes.borrow();
        let shapes: SmallVec<[Shape; 4]> = ids.iter().map(|id| nodes.kind(*id).shape).collect();
        let fits = |shape: Shape| {
            let many = || format!("the result would be {shape}, more than memory can hold");
            (shape.len() <= MAX_LEN).then_some(shape).ok_or_else(many)
        };
        self.rule(*op, &shapes).and_then(fits).map_err(|rule| ShapeError {
            op: op.name(),
            shapes: shapes.to_vec(),
            rule,
            origins: ids.iter().map(|id| nodes.kind(*id).site).collect(),
        })
    }
}

/// Puts back the line that was recorded for before, also if a rule panics.
struct Restored<'a> {
    cell: &'a Cell<Option<&'static Location<'static>>>,
    outer: Option<&'static Location<'static>>,
}

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        self.cell.set(self.outer);
    }
}

impl<T: Real> Default for Graph<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> fmt::Debug for Graph<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph<{}> of {} nodes", T::NAME, self.len())
    }
}
