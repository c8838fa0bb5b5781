//! Values on demand: only what was asked for, each node once.

use smallvec::SmallVec;

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::View;
use crate::node::{Node, NodeId, Nodes};
use crate::op::custom::{self, Customs};
use crate::op::{Bits, Op};
use crate::scalar::Real;

/// The values that are known.
#[derive(Debug)]
pub(crate) struct Values<T> {
    /// By node; nodes beyond the end are unknown.
    state: Vec<State>,
    /// By node: its value, if that is known and a number.
    numbers: Vec<T>,
    /// The known values that are no numbers, one after the other.
    matrices: Vec<T>,
    /// By node: start and length among these.
    places: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Number,
    Matrix,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { state: Vec::new(), numbers: Vec::new(), matrices: Vec::new(), places: Vec::new() }
    }
}

impl<T: Real> Values<T> {
    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.state.get(id.index()).is_some_and(|state| matches!(state, State::Number | State::Matrix))
    }

    pub(crate) fn get(&self, id: NodeId) -> &[T] {
        slice(&self.state, &self.numbers, &self.matrices, &self.places, id)
    }

    pub(crate) fn put(&mut self, id: NodeId, value: &[T]) {
        self.make_room(id);
        if let [number] = value {
            self.numbers[id.index()] = *number;
            self.state[id.index()] = State::Number;
        } else {
            let start = self.matrices.len();
            self.matrices.extend_from_slice(value);
            self.set_place(id, start, value.len());
        }
    }

    /// Room for the numbers of all nodes up to `last`.
    fn make_room(&mut self, last: NodeId) {
        if self.state.len() <= last.index() {
            self.state.resize(last.index() + 1, State::Unknown);
            self.numbers.resize(last.index() + 1, T::ZERO);
        }
    }

    fn set_place(&mut self, id: NodeId, start: usize, len: usize) {
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, (0, 0));
        }
        self.places[id.index()] = (start, len);
        self.state[id.index()] = State::Matrix;
    }

    /// Computes one node from others that are known, unless it is known itself.
    #[track_caller]
    fn compute(&mut self, nodes: &Nodes, id: NodeId, customs: &Customs<T>) -> Result<(), RunError> {
        let node = nodes.get(id);
        if self.has(id) {
            return Ok(());
        }
        if node.is_number {
            T::numbers(&node.op, &[nodes.places(id)], &mut self.numbers);
            self.state[id.index()] = State::Number;
            return Ok(());
        }
        if let (Op::Fill(value), true) = (node.op, node.shape.is_scalar()) {
            self.put(id, &[Bits::get(value)]);
            return Ok(());
        }
        self.compute_any(nodes, node, id, customs)
    }

    #[track_caller]
    fn compute_any(&mut self, nodes: &Nodes, node: Node<'_>, id: NodeId, customs: &Customs<T>) -> Result<(), RunError> {
        assert!(
            node.op != Op::Input,
            "value: it depends on the {} input made at {}, which has a value only while a program runs",
            node.shape,
            node.site
        );
        let (start, len) = (self.matrices.len(), node.shape.len());
        let is_scalar = node.shape.is_scalar();
        self.matrices.resize(start + if is_scalar { 0 } else { len }, T::ZERO);
        let (numbers, number) = self.numbers.split_at_mut(id.index());
        let (matrices, matrix) = self.matrices.split_at_mut(start);
        let view = |input: &NodeId| {
            View::new(slice(&self.state, numbers, matrices, &self.places, *input), nodes.kind(*input).shape)
        };
        let inputs: SmallVec<[View<'_, T>; 4]> = node.inputs.iter().map(view).collect();
        let out = if is_scalar { &mut number[..1] } else { matrix };
        let result = custom::forward(customs, node.op, &inputs, out);
        drop(inputs);
        match result {
            Ok(()) if is_scalar => self.state[id.index()] = State::Number,
            Ok(()) => self.set_place(id, start, len),
            Err(_) => self.matrices.truncate(start),
        }
        result.map_err(|fault| fault.at(node.op.name(), node.site))
    }
}

fn slice<'a, T>(
    state: &[State],
    numbers: &'a [T],
    matrices: &'a [T],
    places: &[(usize, usize)],
    id: NodeId,
) -> &'a [T] {
    if state[id.index()] == State::Number {
        return core::slice::from_ref(&numbers[id.index()]);
    }
    let (start, len) = places[id.index()];
    &matrices[start..start + len]
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
        T::compute(self, target)
    }

    /// The loop over what is missing. Called through [`Dispatch`](crate::dispatch::Dispatch), so that it is compiled here.
    #[track_caller]
    pub(crate) fn compute_missing(&self, target: NodeId) -> Result<(), RunError> {
        let (nodes, customs) = (self.nodes.borrow(), self.customs.borrow());
        let values = &mut *self.values.borrow_mut();
        values.make_room(target);
        let mut waiting = vec![target];
        while let Some(&id) = waiting.last() {
            let others = waiting.len();
            for &input in nodes.get(id).inputs {
                if values.state[input.index()] == State::Unknown {
                    waiting.push(input);
                }
            }
            if waiting.len() == others {
                waiting.pop();
                values.compute(&nodes, id, &customs)?;
            }
        }
        Ok(())
    }
}
