//! Values on demand: only what was asked for, each node once.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::View;
use crate::kernel::elementwise::Places;
use crate::matrix::Matrix;
use crate::node::{Node, NodeId, Nodes};
use crate::op::custom::{self, Customs};
use crate::op::{Bits, Op};
use crate::scalar::Real;

/// If more than one in so many nodes is visited one by one, all are computed in order.
const MANY: usize = 16;

/// Numbers that are computed at once.
const BATCH: usize = 512;

/// The values that are known.
#[derive(Debug)]
pub(crate) struct Values<T: Real> {
    /// By node; nodes beyond the end are unknown.
    state: Vec<State>,
    /// By node: its value, if that is known and a number.
    numbers: Vec<T>,
    /// The known values that are no numbers, one after the other.
    matrices: Vec<T>,
    /// By node: start and length among these, or which of those that were given.
    places: Vec<(usize, usize)>,
    /// Values of large leaves, which are not copied.
    given: Vec<Given<T>>,
}

#[derive(Debug)]
struct Given<T: Real> {
    value: Arc<Matrix<T>>,
    /// If all elements were said to be one number. That of zeros costs no memory until it is read.
    filled: Option<T>,
}

/// Numbers from which on a value that is given is not copied.
pub(crate) const LARGE: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unknown,
    Number,
    Matrix,
    Given,
}

impl<T: Real> Default for Values<T> {
    fn default() -> Self {
        Self { state: Vec::new(), numbers: Vec::new(), matrices: Vec::new(), places: Vec::new(), given: Vec::new() }
    }
}

impl<T: Real> Values<T> {
    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.state.get(id.index()).is_some_and(|state| !matches!(state, State::Unknown))
    }

    pub(crate) fn get(&self, id: NodeId) -> &[T] {
        slice(&self.state, &self.numbers, &self.matrices, &self.places, &self.given, id)
    }

    /// Copies a value to where all is 0: a part of new memory that stays so costs nothing until it is read.
    pub(crate) fn write_over_zeros(&self, id: NodeId, out: &mut [T]) {
        let is_given = self.state[id.index()] == State::Given;
        let filled = if is_given { self.given[self.places[id.index()].0].filled } else { None };
        match filled {
            Some(number) if number.to_f64().to_bits() == 0 => {}
            Some(number) => out.fill(number),
            None => out.copy_from_slice(self.get(id)),
        }
    }

    /// Keeps the value of a leaf, if that is large.
    pub(crate) fn give(&mut self, id: NodeId, value: Arc<Matrix<T>>, filled: Option<T>) {
        if value.len() < LARGE {
            return self.put(id, value.as_slice());
        }
        self.make_room(id);
        self.set_place(id, self.given.len(), 0);
        self.state[id.index()] = State::Given;
        self.given.push(Given { value, filled });
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
            Op::numbers([(&node.op, 1)].into_iter(), &[nodes.places(id)], &mut self.numbers);
            self.state[id.index()] = State::Number;
            return Ok(());
        }
        if let Op::SumOfProducts(sum) = node.op {
            let pairs = node.inputs.as_chunks::<2>().0.iter();
            let sum = sum.value(pairs.map(|pair| pair.map(|factor| self.numbers[factor.index()])));
            self.numbers[id.index()] = sum;
            self.state[id.index()] = State::Number;
            return Ok(());
        }
        if let (Op::Fill(value), true) = (node.op, node.shape.is_scalar()) {
            self.put(id, &[Bits::get(value)]);
            return Ok(());
        }
        self.compute_any(nodes, node, id, customs)
    }

    /// Computes what is missing for `target` in the order of the nodes, which are looked at down to the first one missing.
    #[track_caller]
    fn compute_all(&mut self, nodes: &Nodes, target: NodeId, customs: &Customs<T>) -> Result<(), RunError> {
        let mut wanted = vec![false; target.index() + 1];
        wanted[target.index()] = true;
        let (mut first, mut open) = (target.index() + 1, 1);
        while open > 0 {
            first -= 1;
            if wanted[first] {
                open -= 1;
                for &input in nodes.get(NodeId::new(first)).inputs {
                    if self.state[input.index()] == State::Unknown && !wanted[input.index()] {
                        wanted[input.index()] = true;
                        open += 1;
                    }
                }
            }
        }
        let (mut batch, mut places) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        for id in (first..=target.index()).map(NodeId::new).filter(|id| wanted[id.index()]) {
            let kind = nodes.kind(id);
            if kind.is_number {
                batch.push(id);
                places.push(nodes.places(id));
            }
            if !kind.is_number || batch.len() == BATCH {
                self.compute_numbers(nodes, &batch, &places);
                batch.clear();
                places.clear();
            }
            if !kind.is_number {
                self.compute(nodes, id, customs)?;
            }
        }
        self.compute_numbers(nodes, &batch, &places);
        Ok(())
    }

    /// Computes numbers from others that are known, or that are computed before.
    fn compute_numbers(&mut self, nodes: &Nodes, batch: &[NodeId], places: &[Places<u32>]) {
        Op::numbers(batch.iter().map(|&id| (&nodes.kind(id).op, 1)), places, &mut self.numbers);
        batch.iter().for_each(|id| self.state[id.index()] = State::Number);
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
            View::new(
                slice(&self.state, numbers, matrices, &self.places, &self.given, *input),
                nodes.kind(*input).shape,
            )
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

fn slice<'a, T: Real>(
    state: &[State],
    numbers: &'a [T],
    matrices: &'a [T],
    places: &[(usize, usize)],
    given: &'a [Given<T>],
    id: NodeId,
) -> &'a [T] {
    match state[id.index()] {
        State::Number => core::slice::from_ref(&numbers[id.index()]),
        State::Given => given[places[id.index()].0].value.as_slice(),
        State::Matrix | State::Unknown => {
            let (start, len) = places[id.index()];
            &matrices[start..start + len]
        }
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
        T::compute(self, target)
    }

    /// The loop over what is missing. Called through [`Dispatch`](crate::dispatch::Dispatch), so that it is compiled here.
    #[track_caller]
    pub(crate) fn compute_missing(&self, target: NodeId) -> Result<(), RunError> {
        let (nodes, customs) = (self.nodes.borrow(), self.customs.borrow());
        let values = &mut *self.values.borrow_mut();
        values.make_room(target);
        let mut waiting = vec![target];
        let mut visits = target.index() / MANY;
        while let Some(&id) = waiting.last() {
            if visits == 0 {
                return values.compute_all(&nodes, target, &customs);
            }
            visits -= 1;
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

#[cfg(test)]
mod tests {
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::var::Var;

    #[test]
    fn many_missing_values_are_computed_in_order_and_nothing_else() {
        let graph = Graph::new();
        let x = graph.variable(1.0);
        let m = graph.variable(Matrix::from([[1.0, 2.0], [3.0, 4.0]]));
        let unfed = graph.input(1, 1) + 1.0;
        let y =
            (0..2000).fold(x, |y: Var<'_, f64>, i| if i % 100 == 0 { (y + m).sum() - 10.0 - 3.0 * y } else { y * x });
        assert_eq!(y.item().to_bits(), 1f64.to_bits());
        assert!(!graph.values.borrow().has(unfed.id()));
        let z = (0..2000).fold(y, |z, _| z + x);
        assert_eq!(z.item().to_bits(), 2001f64.to_bits());
    }

    #[test]
    fn an_error_leaves_the_other_values_right() {
        let graph = Graph::<f64>::new();
        let x = graph.variable(Matrix::from([[1.0, 2.0], [3.0, 4.0]]));
        let index = graph.variable(5.0);
        let y = (0..500).fold(x.sum(), |y, _| y + 1.0);
        let wrong = (0..500).fold(x.gather_rows(index).sum() * y, |z, _| z + y);
        assert!(graph.try_compute(wrong.id()).is_err());
        assert!(graph.try_compute(wrong.id()).is_err());
        assert_eq!(y.item().to_bits(), 510f64.to_bits());
    }
}
