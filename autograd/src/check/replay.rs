//! A recorded graph as data: evaluated at other numbers, in its own element type or in a wider one, and with the decisions
//! that it took where it was recorded.

use core::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::{Node, NodeId, Nodes};
use crate::op::custom::Customs;
use crate::op::{CustomOp, Op};
use crate::program::Program;
use crate::scalar::Real;
use crate::var::Var;

/// What stays as it was where the graph was recorded, while numbers move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Which branch a comparison, an extreme, a rectifier, a sort took.
    pub(super) decisions: bool,
    /// The values that the user detached.
    pub(super) detached: bool,
}

impl Held {
    /// Nothing: the function itself.
    pub(super) const NOTHING: Self = Self { decisions: false, detached: false };
}

/// A copy of the nodes up to `last`, with the same ids and lines, and of the values of its leaves, in another element type.
///
/// # Errors
/// The name of an operation of the user's that `last` needs and that has no form for that type.
pub(super) fn copied<T: Real, U: Real>(graph: &Graph<T>, last: NodeId) -> Result<Graph<U>, &'static str> {
    let copy = Graph::new();
    let nodes = graph.nodes.borrow().up_to(last);
    *copy.customs.borrow_mut() = customs(&graph.customs.borrow(), &nodes, last)?;
    *copy.names.borrow_mut() = graph.names.borrow().clone();
    for (i, node) in nodes.iter().enumerate() {
        if matches!(node.op, Op::Variable | Op::Constant) {
            let value = graph.values.borrow();
            let value: Vec<U> = value.get(NodeId::new(i)).iter().map(|x| U::from_f64(x.to_f64())).collect();
            copy.values.borrow_mut().put(NodeId::new(i), &value);
        }
    }
    *copy.nodes.borrow_mut() = nodes;
    Ok(copy)
}

fn customs<T: Real, U: Real>(known: &Customs<T>, nodes: &Nodes, last: NodeId) -> Result<Customs<U>, &'static str> {
    let used = needed(nodes, &[last], &[]);
    let missing = |name| move || -> Arc<dyn CustomOp<U>> { Arc::new(Missing { name }) };
    let mut converted: Customs<U> = known.iter().map(|op| in_type(op).unwrap_or_else(missing(op.name()))).collect();
    for (_, node) in nodes.iter().enumerate().filter(|(i, _)| used[*i]) {
        if let Op::Custom(custom) = node.op
            && in_type::<T, U>(custom.of(known)).is_none()
        {
            return Err(custom.name());
        }
    }
    converted.shrink_to_fit();
    Ok(converted)
}

/// An operation of the user's for another element type.
fn in_type<T: Real, U: Real>(op: &Arc<dyn CustomOp<T>>) -> Option<Arc<dyn CustomOp<U>>> {
    let same: &dyn Any = op;
    if let Some(same) = same.downcast_ref::<Arc<dyn CustomOp<U>>>() {
        return Some(same.clone());
    }
    let wide = op.widened()?;
    let wide: &dyn Any = &wide;
    wide.downcast_ref::<Arc<dyn CustomOp<U>>>().cloned()
}

/// Stands for an operation that is not needed.
struct Missing {
    name: &'static str,
}

impl<T: Real> CustomOp<T> for Missing {
    fn name(&self) -> &'static str {
        self.name
    }

    fn shape(&self, _: &[crate::Shape]) -> Result<crate::Shape, String> {
        Err("it has no form for this element type".to_owned())
    }

    fn forward(&self, _: &[crate::View<'_, T>], out: &mut [T]) {
        out.fill(T::NAN);
    }

    fn vjp<'g>(&self, _: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        Vec::new()
    }
}

/// Which nodes `targets` are computed from, where `sources` are given.
fn needed(nodes: &Nodes, targets: &[NodeId], sources: &[NodeId]) -> Vec<bool> {
    let count = targets.iter().map(|target| target.index() + 1).max().unwrap_or(0);
    let mut needed = vec![false; count];
    targets.iter().for_each(|target| needed[target.index()] = true);
    for i in (0..count).rev() {
        if needed[i] && !sources.contains(&NodeId::new(i)) {
            nodes.get(NodeId::new(i)).inputs.iter().for_each(|input| needed[input.index()] = true);
        }
    }
    needed
}

/// The nodes that lie between some nodes and another.
pub(super) struct Reach(Vec<bool>);

impl Reach {
    pub(super) fn new(nodes: &Nodes, sources: &[NodeId], target: NodeId) -> Self {
        let mut on = vec![false; target.index() + 1];
        for source in sources.iter().filter(|source| **source <= target) {
            on[source.index()] = true;
        }
        for (i, node) in nodes.iter().enumerate().take(on.len()) {
            on[i] |= node.inputs.iter().any(|input| on[input.index()]);
        }
        let needed = needed(nodes, &[target], &[]);
        Self(on.into_iter().zip(needed).map(|(on, needed)| on && needed).collect())
    }

    pub(super) fn of(&self, id: NodeId) -> bool {
        self.0.get(id.index()) == Some(&true)
    }
}

/// A part of a graph, from some nodes to others, as a function of numbers.
pub(super) struct Replay<U: Real> {
    program: Program<U>,
    /// Where the graph was recorded.
    point: Vec<Vec<f64>>,
    /// For each element of each value the size of what cancelled in it, as far as it was measured.
    cancelled: Vec<Vec<f64>>,
    /// How often it was evaluated.
    pub(super) evaluations: usize,
}

impl<U: Real> Replay<U> {
    /// The function from `sources` to `targets`, which are nodes of `graph`.
    ///
    /// # Errors
    /// What the graph lacks: a value of an input, an index in range.
    pub(super) fn between(
        graph: &Graph<U>,
        sources: &[NodeId],
        targets: &[NodeId],
        held: Held,
    ) -> Result<Self, String> {
        let twin = Graph::new();
        let shape = |source: &NodeId| graph.nodes.borrow().kind(*source).shape;
        let inputs: Vec<_> = sources.iter().map(shape).map(|shape| twin.input(shape.rows, shape.cols)).collect();
        let outputs = Twin::new(graph, &twin, held).record(sources, &inputs, targets, Ok)?;
        Self::of(graph, &twin, sources, &inputs, &outputs)
    }

    /// The function from each operand of a node, as if they were different nodes, to its result. The operands of a pointwise
    /// operation are broadcast first, so that its Jacobian is diagonal.
    ///
    /// # Errors
    /// As [`between`](Self::between).
    pub(super) fn of_node(graph: &Graph<U>, id: NodeId, held: Held) -> Result<Self, String> {
        let twin = Graph::new();
        let nodes = graph.nodes.borrow();
        let node = nodes.get(id);
        let mut copy = Twin::new(graph, &twin, held);
        let mut inputs = Vec::new();
        for operand in node.inputs {
            let own = nodes.kind(*operand).shape;
            let shape = if node.op.is_pointwise() { node.shape } else { own };
            inputs.push(twin.input(shape.rows, shape.cols));
        }
        let output = copy.apply_to(node, &inputs)?;
        let mut replay = Self::of(graph, &twin, node.inputs, &inputs, &[output])?;
        if node.op.is_pointwise() {
            for (operand, point) in node.inputs.iter().zip(&mut replay.point) {
                let own = nodes.kind(*operand).shape;
                let (rows, cols) = (node.shape.rows, node.shape.cols);
                let at = |i: usize, j: usize| point[(i % own.rows.max(1)) * own.cols + j % own.cols.max(1)];
                let full = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect();
                *point = full;
            }
        }
        Ok(replay)
    }

    fn of(
        graph: &Graph<U>,
        twin: &Graph<U>,
        sources: &[NodeId],
        inputs: &[Var<'_, U>],
        outputs: &[Var<'_, U>],
    ) -> Result<Self, String> {
        let program = twin.compile(inputs, &[], outputs).map_err(|error| error.to_string())?;
        let point = sources.iter().map(|source| numbers(graph, *source)).collect::<Result<_, String>>()?;
        let cancelled = outputs.iter().map(|output| vec![0.0; output.shape().len()]).collect();
        Ok(Self { program, point, cancelled, evaluations: 0 })
    }

    /// The numbers of the sources where the graph was recorded.
    pub(super) fn point(&self) -> &[Vec<f64>] {
        &self.point
    }

    /// Makes another point of it, for all that comes.
    pub(super) fn set_point(&mut self, point: &[Vec<f64>]) {
        self.point = point.to_vec();
    }

    /// Evaluates at the point plus `t` times a direction; `false` if it has no value there.
    pub(super) fn move_along(&mut self, direction: &[Vec<f64>], t: f64) -> bool {
        for (k, (point, u)) in self.point.iter().zip(direction).enumerate() {
            let input = self.program.input_mut(k);
            for ((input, x), u) in input.iter_mut().zip(point).zip(u) {
                *input = U::from_f64(if *u == 0.0 { *x } else { x + t * u });
            }
        }
        self.run()
    }

    /// Evaluates at the point with one element replaced.
    pub(super) fn replace(&mut self, source: usize, element: usize, value: f64) -> bool {
        for (k, point) in self.point.iter().enumerate() {
            let input = self.program.input_mut(k);
            input.iter_mut().zip(point).for_each(|(input, x)| *input = U::from_f64(*x));
        }
        self.program.input_mut(source)[element] = U::from_f64(value);
        self.run()
    }

    /// Evaluates with the numbers of one source replaced by others.
    pub(super) fn substitute(&mut self, source: usize, values: impl Iterator<Item = f64>) -> bool {
        for (k, point) in self.point.iter().enumerate().filter(|(k, _)| *k != source) {
            let input = self.program.input_mut(k);
            input.iter_mut().zip(point).for_each(|(input, x)| *input = U::from_f64(*x));
        }
        self.program.input_mut(source).iter_mut().zip(values).for_each(|(input, x)| *input = U::from_f64(x));
        self.run()
    }

    fn run(&mut self) -> bool {
        self.evaluations += 1;
        self.program.execute().is_ok()
    }

    /// What the last evaluation gave.
    pub(super) fn output(&self, index: usize) -> impl Iterator<Item = f64> + '_ {
        self.program.output_slice(index).iter().map(|x| x.to_f64())
    }

    /// What is added to the elements of a value, so that the rounding of what cancelled in them shows in their size.
    pub(super) fn cancelled(&self, index: usize) -> &[f64] {
        &self.cancelled[index]
    }

    /// The same function with the rounding of its values [measured](super::rounding::Stretch::cancelled).
    pub(super) fn measured(self, cancelled: Vec<Vec<f64>>) -> Self {
        Self { cancelled, ..self }
    }

    /// How many values there are.
    pub(super) fn outputs(&self) -> usize {
        self.program.outputs()
    }
}

/// The value of a node, as numbers.
pub(super) fn numbers<U: Real>(graph: &Graph<U>, id: NodeId) -> Result<Vec<f64>, String> {
    if let Some(input) = unfed(graph, id) {
        return Err(format!("the input made at {input} has a value only while a program runs"));
    }
    graph.try_compute(id).map_err(|error| error.to_string())?;
    Ok(graph.values.borrow().get(id).iter().map(|x| x.to_f64()).collect())
}

/// Where an input was made that a node depends on.
fn unfed<U: Real>(graph: &Graph<U>, id: NodeId) -> Option<&'static core::panic::Location<'static>> {
    if graph.values.borrow().has(id) {
        return None;
    }
    let nodes = graph.nodes.borrow();
    let needed = needed(&nodes, &[id], &[]);
    let input = nodes.iter().enumerate().find(|(i, node)| needed.get(*i) == Some(&true) && node.op == Op::Input);
    input.map(|(_, node)| node.site)
}

/// A graph while it is copied, with its nodes that move and those that do not.
pub(super) struct Twin<'a, U: Real> {
    graph: &'a Graph<U>,
    twin: &'a Graph<U>,
    held: Held,
    moving: HashMap<NodeId, Var<'a, U>>,
    still: HashMap<NodeId, Var<'a, U>>,
}

impl<'a, U: Real> Twin<'a, U> {
    pub(super) fn new(graph: &'a Graph<U>, twin: &'a Graph<U>, held: Held) -> Self {
        *twin.customs.borrow_mut() = graph.customs.borrow().clone();
        Self { graph, twin, held, moving: HashMap::new(), still: HashMap::new() }
    }

    /// Copies the nodes from `sources`, for which `inputs` stand, to `targets`. Those through which a derivative flows are
    /// copied as `changed` gives them; others are decisions and whole numbers, such as an index.
    pub(super) fn record(
        mut self,
        sources: &[NodeId],
        inputs: &[Var<'a, U>],
        targets: &[NodeId],
        mut changed: impl FnMut(Var<'a, U>) -> Result<Var<'a, U>, String>,
    ) -> Result<Vec<Var<'a, U>>, String> {
        self.moving.extend(sources.iter().copied().zip(inputs.iter().copied()));
        let nodes = self.graph.nodes.borrow();
        let needed = needed(&nodes, targets, sources);
        let mut flowing: HashSet<NodeId> = sources.iter().copied().collect();
        for (i, node) in nodes.iter().enumerate().take(needed.len()).filter(|(i, _)| needed[*i]) {
            let id = NodeId::new(i);
            if self.moving.contains_key(&id) || !node.inputs.iter().any(|input| self.moving.contains_key(input)) {
                continue;
            }
            let mut var = self.apply(node)?;
            let flows = |(slot, x)| node.op.differentiable(slot) && flowing.contains(x);
            if node.inputs.iter().enumerate().any(flows) && !matches!(node.op, Op::Round(_)) {
                flowing.insert(id);
                var = changed(var)?;
            }
            self.moving.insert(id, var);
        }
        targets.iter().map(|target| self.moved(*target)).collect()
    }

    /// The copy of a node that moves, or the constant.
    fn moved(&mut self, id: NodeId) -> Result<Var<'a, U>, String> {
        match self.moving.get(&id) {
            Some(var) => Ok(*var),
            None => self.constant(id),
        }
    }

    pub(super) fn constant(&mut self, id: NodeId) -> Result<Var<'a, U>, String> {
        if let Some(var) = self.still.get(&id) {
            return Ok(*var);
        }
        let nodes = self.graph.nodes.borrow();
        let node = nodes.get(id);
        let (rows, cols) = (node.shape.rows, node.shape.cols);
        let var = if let Op::Fill(value) = node.op {
            self.twin.filled(rows, cols, value.get())
        } else {
            numbers(self.graph, id)?;
            let value = self.graph.values.borrow().get(id).to_vec();
            self.twin.constant(Matrix::new(rows, cols, value))
        };
        self.still.insert(id, var);
        Ok(var)
    }

    fn apply(&mut self, node: Node<'_>) -> Result<Var<'a, U>, String> {
        let x: Result<SmallVec<[_; 4]>, String> = node.inputs.iter().map(|input| self.moved(*input)).collect();
        self.apply_to(node, &x?)
    }

    /// The operation of a node, or its frozen twin, on moving operands.
    fn apply_to(&mut self, node: Node<'_>, x: &[Var<'a, U>]) -> Result<Var<'a, U>, String> {
        let mut operands: SmallVec<[Var<'a, U>; 4]> = SmallVec::from_slice(x);
        if self.held.decisions {
            let at: Result<SmallVec<[_; 4]>, String> = node.inputs.iter().map(|input| self.constant(*input)).collect();
            let at = at?;
            let frozen = if let Op::Custom(custom) = node.op {
                let custom = custom.of(&self.twin.customs.borrow()).clone();
                custom.frozen(x, &at)
            } else {
                node.op.frozen(x, &at)
            };
            if let Some(frozen) = frozen {
                return Ok(frozen.broadcast(node.shape));
            }
            for (slot, at) in at.iter().enumerate().filter(|(slot, _)| self.holds(node, *slot)) {
                operands[slot] = *at;
            }
        } else if self.held.detached && matches!(node.op, Op::Detach(_)) {
            operands[0] = self.constant(node.inputs[0])?;
        }
        self.twin.try_apply(node.op, &operands).map_err(|error| error.to_string())
    }

    /// What an operation is not differentiable by is a decision, such as an index or a flag. What the user cut is not: if the
    /// function moves with it, its derivative is not the one that the graph gives.
    fn holds(&self, node: Node<'_>, slot: usize) -> bool {
        if matches!(node.op, Op::Detach(_)) {
            return self.held.detached && !node.in_derivative;
        }
        !matches!(node.op, Op::Custom(_)) && !node.op.differentiable(slot)
    }
}
