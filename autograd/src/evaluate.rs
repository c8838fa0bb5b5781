//! Values on demand: only what was asked for, each node once.

use smallvec::SmallVec;

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::View;
use crate::node::NodeId;
use crate::op::{Op, custom};
use crate::scalar::Real;

/// The values that are known, one after the other.
#[derive(Debug)]
pub(crate) struct Values<T> {
    data: Vec<T>,
    /// Start and length by node; nodes beyond the end, and those at [`UNKNOWN`], have no value yet.
    place: Vec<(usize, usize)>,
}

const UNKNOWN: (usize, usize) = (usize::MAX, 0);

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { data: Vec::new(), place: Vec::new() }
    }
}

impl<T: Real> Values<T> {
    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.place.get(id.index()).is_some_and(|place| *place != UNKNOWN)
    }

    pub(crate) fn get(&self, id: NodeId) -> &[T] {
        let (start, len) = self.place[id.index()];
        &self.data[start..start + len]
    }

    pub(crate) fn put(&mut self, id: NodeId, value: &[T]) {
        let start = self.data.len();
        self.data.extend_from_slice(value);
        self.set_place(id, start, value.len());
    }

    fn set_place(&mut self, id: NodeId, start: usize, len: usize) {
        if self.place.len() <= id.index() {
            self.place.resize(id.index() + 1, UNKNOWN);
        }
        self.place[id.index()] = (start, len);
    }
}

impl<T: Real> Graph<T> {
    /// Computes the value of `target` and of all that it needs and that has none yet, without recursion.
    #[track_caller]
    pub(crate) fn compute(&self, target: NodeId) {
        if let Err(error) = self.try_compute(target) {
            panic!("value: {error}");
        }
    }

    /// [`compute`](Self::compute), with an error if an index is out of range or a matrix has no factorisation.
    #[track_caller]
    pub(crate) fn try_compute(&self, target: NodeId) -> Result<(), RunError> {
        if self.values.borrow().has(target) {
            return Ok(());
        }
        for id in self.missing(target) {
            self.compute_one(id)?;
        }
        Ok(())
    }

    /// The nodes without a value on which `target` depends, inputs before users.
    fn missing(&self, target: NodeId) -> Vec<NodeId> {
        let (nodes, values) = (self.nodes.borrow(), self.values.borrow());
        let mut order = Vec::new();
        let mut seen = vec![false; target.index() + 1];
        let mut stack = vec![(target, false)];
        while let Some((id, inputs_done)) = stack.pop() {
            if inputs_done {
                order.push(id);
            } else if !seen[id.index()] && !values.has(id) {
                seen[id.index()] = true;
                stack.push((id, true));
                stack.extend(nodes[id.index()].inputs.iter().map(|input| (*input, false)));
            }
        }
        order
    }

    #[track_caller]
    fn compute_one(&self, id: NodeId) -> Result<(), RunError> {
        let nodes = self.nodes.borrow();
        let node = &nodes[id.index()];
        assert!(
            node.op != Op::Input,
            "value: it depends on the {} input made at {}, which has a value only while a program runs",
            node.shape,
            node.site
        );
        let mut values = self.values.borrow_mut();
        let start = values.data.len();
        values.data.resize(start + node.shape.len(), T::ZERO);
        let Values { data, place } = &mut *values;
        let (known, out) = data.split_at_mut(start);
        let inputs: SmallVec<[View<'_, T>; 4]> = node
            .inputs
            .iter()
            .map(|input| {
                let (start, len) = place[input.index()];
                View::new(&known[start..start + len], nodes[input.index()].shape)
            })
            .collect();
        let result = custom::forward(&self.customs.borrow(), node.op, &inputs, out);
        drop(inputs);
        match result {
            Ok(()) => values.set_place(id, start, node.shape.len()),
            Err(_) => values.data.truncate(start),
        }
        result.map_err(|fault| fault.at(node.op.name(), node.site))
    }
}
