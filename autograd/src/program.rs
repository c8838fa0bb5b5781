//! Programs: a graph compiled to be run many times without allocating.

use core::fmt;
use core::ops::Range;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::{CompileError, RunError};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::NodeId;
use crate::op::Op;
use crate::op::custom::Customs;
use crate::program::plan::{Arena, Span};
use crate::program::schedule::Step;
use crate::program::simplify::{Simplified, Term, simplify};
use crate::program::step::Lists;
use crate::program::threads::Standby;
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

mod code;
pub mod explain;
mod fuse;
mod fused;
mod pair;
mod plan;
mod run;
mod scalars;
mod schedule;
pub(crate) mod simplify;
mod step;
mod threads;
mod verify;

/// A compiled graph: inputs that are fed, state that lives from run to run, outputs.
///
/// Owns all that it needs, is `Send + Sync`, and allocates nothing after its first run (threads and factorisations aside).
/// Results are bit for bit those of [`Var::value`], whatever the number of threads.
///
/// ```
/// use autograd::{Graph, Matrix};
/// let graph = Graph::new();
/// let x = graph.input(1, 2);
/// let w = graph.variable([[1.0], [1.0]]);
/// let loss = x.matmul(w).square().sum();
/// let step = w - 0.1 * loss.gradient(w);
/// let mut program = graph.compile(&[x], &[(w, step)], &[loss]).unwrap();
/// program.run(&[&Matrix::from([[1.0, 2.0]])]).unwrap();
/// assert_eq!(program.item(0), 9.0);
/// approx::assert_relative_eq!(program.state(w.id()).unwrap(), [[0.4], [-0.2]].into(), max_relative = 1e-15);
/// ```
#[derive(Clone)]
pub struct Program<T: Real> {
    steps: Vec<Step>,
    arena: Arena<T>,
    lists: Lists<T>,
    inputs: Vec<(Span, Shape)>,
    outputs: Vec<(Span, Shape)>,
    states: HashMap<NodeId, (Span, Shape)>,
    customs: Customs<T>,
    /// What is computed, for tracing, and the places of its leaves.
    terms: Arc<Vec<Term>>,
    leaves: HashMap<usize, Span>,
    /// The terms that each step computes; copies have none, and linear code computes all.
    groups: Arc<[Vec<usize>]>,
    /// If there is work for more than one thread.
    standby: Option<Standby>,
}

impl<T: Real> Graph<T> {
    /// Compiles what `outputs` and the new values of `updates` are computed from.
    ///
    /// - `inputs` are fed at each run, in this order: [`input`](Self::input)s, or [`variable`](Self::variable)s
    ///   whose value is then no longer used.
    /// - All other variables are *state*, with their present value at first. `updates` assigns to a state, at the
    ///   end of a run, a value computed in the run from the old ones.
    /// - `outputs` can be read after a run.
    ///
    /// # Errors
    /// If an input or a state is not a leaf or named twice, an input is needed but not listed, a new value has
    /// another shape than its state, or a value was read while recording that depends on what changes between
    /// runs ([`CompileError::StaleBranch`]).
    ///
    /// # Panics
    /// If a variable belongs to another graph.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, w) = (graph.input(1, 1), graph.variable(1.0));
    /// let y = w * x;
    /// let mut program = graph.compile(&[x], &[(w, y)], &[y])?; // w ← w x
    /// for expected in [3.0, 9.0] {
    ///     program.run(&[&3.0.into()])?;
    ///     assert_eq!(program.item(0), expected);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn compile(
        &self,
        inputs: &[Var<'_, T>],
        updates: &[(Var<'_, T>, Var<'_, T>)],
        outputs: &[Var<'_, T>],
    ) -> Result<Program<T>, CompileError> {
        let updated = updates.iter().flat_map(|(state, value)| [state, value]);
        inputs.iter().chain(outputs).chain(updated).for_each(|var| var.assert_of(self));
        self.check_compile(inputs, updates)?;
        let ids = |vars: &[Var<'_, T>]| vars.iter().map(|var| var.id()).collect::<Vec<_>>();
        let (states, values): (Vec<_>, Vec<_>) = updates.iter().copied().unzip();
        let roots = [ids(outputs), ids(&values), ids(inputs), ids(&states)].concat();
        let simplified = simplify::<T>(&self.nodes.borrow(), &roots, scalars::MOST);
        debug_assert_eq!(verify::simplified(&simplified), Ok(()));
        self.check_fed(&simplified, inputs)?;
        Ok(self.assemble(simplified, inputs.len(), updates.len(), outputs.len()))
    }

    fn check_compile(&self, inputs: &[Var<'_, T>], updates: &[(Var<'_, T>, Var<'_, T>)]) -> Result<(), CompileError> {
        let fed: HashSet<NodeId> = inputs.iter().map(|input| input.id()).collect();
        let mut changing: HashSet<NodeId> = HashSet::new();
        for leaf in inputs.iter().chain(updates.iter().map(|(state, _)| state)) {
            let settable = leaf.op() == Op::Variable || leaf.op() == Op::Input && fed.contains(&leaf.id());
            if !settable {
                return Err(CompileError::NotALeaf { op: leaf.op().name(), site: leaf.site() });
            }
            if !changing.insert(leaf.id()) {
                return Err(CompileError::Twice { site: leaf.site() });
            }
        }
        for (state, value) in updates {
            if state.shape() != value.shape() {
                let (state, site) = (state.shape(), value.site());
                return Err(CompileError::UpdateShape { state, value: value.shape(), site });
            }
        }
        self.check_reads(&changing)
    }

    /// Values that were read must not depend on what changes between runs.
    fn check_reads(&self, changing: &HashSet<NodeId>) -> Result<(), CompileError> {
        let reads = self.reads.borrow();
        let Some(last) = reads.iter().map(|(id, _)| *id).max() else { return Ok(()) };
        let nodes = self.nodes.borrow();
        let mut depends: Vec<Option<NodeId>> = vec![None; last.index() + 1];
        for leaf in changing.iter().filter(|leaf| **leaf <= last) {
            depends[leaf.index()] = Some(*leaf);
        }
        for (i, node) in nodes.iter().enumerate().take(last.index() + 1) {
            depends[i] = depends[i].or_else(|| node.inputs.iter().find_map(|input| depends[input.index()]));
        }
        match reads.iter().find_map(|(id, read)| Some((depends[id.index()]?, *read))) {
            Some((leaf, read)) => Err(CompileError::StaleBranch { read, variable: nodes.kind(leaf).site }),
            None => Ok(()),
        }
    }

    fn check_fed(&self, simplified: &Simplified, inputs: &[Var<'_, T>]) -> Result<(), CompileError> {
        let fed: HashSet<NodeId> = inputs.iter().map(|input| input.id()).collect();
        match simplified.terms.iter().find(|term| term.op == Op::Input && !fed.contains(&term.origin)) {
            Some(term) => Err(CompileError::UnfedInput { site: term.site }),
            None => Ok(()),
        }
    }

    /// Makes a program of the simplified graph, whose roots are outputs, new values, inputs and states.
    fn assemble(&self, simplified: Simplified, inputs: usize, updates: usize, outputs: usize) -> Program<T> {
        let Simplified { terms, roots } = simplified;
        let (outputs, rest) = roots.split_at(outputs);
        let (values, rest) = rest.split_at(updates);
        let (inputs, states) = rest.split_at(inputs);
        let updates: Vec<(usize, usize)> = states.iter().copied().zip(values.iter().copied()).collect();
        let schedule = schedule::schedule::<T>(&terms, outputs, &updates);
        let mut arena = Arena::new(schedule.arena);
        for (place, value) in &schedule.fills {
            arena.get_mut(*place).fill(value.get());
        }
        let place = |term: usize| (schedule.places[term].unwrap_or(Span { start: 0, len: 0 }), terms[term].shape);
        let fed: HashSet<usize> = inputs.iter().copied().collect();
        let placed = |(i, _): (usize, &Term)| Some((i, schedule.places[i]?));
        let leaves = terms.iter().enumerate().filter(|(_, term)| term.op.is_leaf()).filter_map(placed).collect();
        let mut state_places = HashMap::new();
        let known = self.values.borrow();
        for (i, term) in terms.iter().enumerate() {
            if matches!(term.op, Op::Variable | Op::Constant) {
                known.write_over_zeros(term.origin, arena.get_mut(place(i).0));
            }
            if term.op == Op::Variable && !fed.contains(&i) {
                state_places.insert(term.origin, place(i));
            }
        }
        let program = Program {
            standby: threads::are_of_use(&terms, &schedule.steps).then(Standby::default),
            lists: Lists::default(),
            inputs: inputs.iter().map(|&term| place(term)).collect(),
            outputs: schedule.outputs.iter().copied().zip(outputs.iter().map(|&i| terms[i].shape)).collect(),
            states: state_places,
            customs: self.customs.borrow().clone(),
            terms: Arc::new(terms),
            leaves,
            groups: schedule.groups.iter().map(|group| group.members().collect()).collect(),
            steps: schedule.steps,
            arena,
        };
        debug_assert_eq!(verify::steps(&program.steps, program.arena.len()), Ok(()));
        program
    }
}

impl<T: Real> Program<T> {
    /// Feeds the inputs, computes the outputs, then assigns the new values of the states.
    ///
    /// # Errors
    /// If the inputs differ in number or shape from those compiled for (nothing was run then), a number that serves as
    /// an index is out of range, or a matrix has no factorisation (states may have been assigned in part).
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(program.item(0), 7.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(&mut self, inputs: &[&Matrix<T>]) -> Result<(), RunError> {
        if inputs.len() != self.inputs.len() {
            return Err(RunError::InputCount { expected: self.inputs.len(), found: inputs.len() });
        }
        for (i, (input, (_, shape))) in inputs.iter().zip(&self.inputs).enumerate() {
            if input.shape() != *shape {
                return Err(RunError::InputShape { input: i, expected: *shape, found: input.shape() });
            }
        }
        for (input, (place, _)) in inputs.iter().zip(&self.inputs) {
            self.arena.get_mut(*place).copy_from_slice(input.as_slice());
        }
        self.execute()
    }

    /// Runs with what stands in the inputs: see [`input_mut`](Self::input_mut).
    ///
    /// # Errors
    /// If a number that serves as an index is out of range, or a matrix has no factorisation.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.input_mut(0).copy_from_slice(&[1.0, 2.0]);
    /// program.execute()?;
    /// assert_eq!(program.item(0), 7.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn execute(&mut self) -> Result<(), RunError> {
        self.with_threads(|program| T::execute(program, 0..program.steps.len()))
    }

    /// Does `run` while other threads stand by, if there is work for them.
    fn with_threads<R: Send>(&mut self, run: impl FnOnce(&mut Self) -> R + Send) -> R {
        match self.standby.clone() {
            Some(standby) => standby.during(|| run(self)),
            None => run(self),
        }
    }

    /// The loop over some steps. Called through [`Dispatch`](crate::dispatch::Dispatch), so that it is compiled here.
    pub(crate) fn execute_steps(&mut self, steps: Range<usize>) -> Result<(), RunError> {
        self.steps[steps].iter().try_for_each(|step| step.run(self.arena.all(), &mut self.lists, &self.customs))
    }

    /// What is computed, inputs before users.
    pub(crate) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The numbers of a leaf.
    pub(crate) fn leaf(&self, term: usize) -> &[T] {
        self.arena.get(self.leaves[&term])
    }

    /// The user's operations.
    pub(crate) fn customs(&self) -> &Customs<T> {
        &self.customs
    }

    /// Number of inputs.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// assert_eq!(program.inputs(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// The shape of an input.
    ///
    /// # Panics
    /// If there is no such input.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// assert_eq!(program.input_shape(0).to_string(), "1x2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn input_shape(&self, index: usize) -> Shape {
        self.inputs[index].1
    }

    /// The memory of an input, row by row, to be filled before [`execute`](Self::execute). It keeps its numbers
    /// from run to run.
    ///
    /// # Panics
    /// If there is no such input.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.input_mut(0)[1] = 2.0;
    /// program.execute()?;
    /// assert_eq!(program.item(0), 6.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn input_mut(&mut self, index: usize) -> &mut [T] {
        self.arena.get_mut(self.inputs[index].0)
    }

    /// The memories of two inputs at once: features and targets of a batch.
    ///
    /// # Panics
    /// If there are no such inputs, or they are the same.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, t) = (graph.input(1, 1), graph.input(1, 1));
    /// let mut program = graph.compile(&[x, t], &[], &[x - t])?;
    /// let (features, targets) = program.inputs_mut(0, 1);
    /// (features[0], targets[0]) = (3.0, 1.0);
    /// program.execute()?;
    /// assert_eq!(program.item(0), 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn inputs_mut(&mut self, first: usize, second: usize) -> (&mut [T], &mut [T]) {
        assert!(first != second, "inputs_mut: {first} twice");
        let (a, b) = (self.inputs[first].0, self.inputs[second].0);
        let (low, high) = if a.start <= b.start { (a, b) } else { (b, a) };
        let (left, right) = self.arena.all().split_at_mut(high.start);
        let (left, right) = (&mut left[low.start..low.start + low.len], &mut right[..high.len]);
        if low == a { (left, right) } else { (right, left) }
    }

    /// Number of outputs.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// assert_eq!(program.outputs(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// An output of the last run.
    ///
    /// # Panics
    /// If there is no such output.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(program.output(0), autograd::Matrix::from([[7.0]]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn output(&self, index: usize) -> Matrix<T> {
        let (place, shape) = self.outputs[index];
        Matrix::new(shape.rows, shape.cols, self.arena.get(place).to_vec())
    }

    /// The elements of an output of the last run, row by row, without a copy.
    ///
    /// # Panics
    /// If there is no such output.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(program.output_slice(0), [7.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn output_slice(&self, index: usize) -> &[T] {
        self.arena.get(self.outputs[index].0)
    }

    /// The single number of an output of the last run.
    ///
    /// # Panics
    /// If there is no such output, or it is not `1x1`.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(program.item(0), 7.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn item(&self, index: usize) -> T {
        let (place, shape) = self.outputs[index];
        assert!(shape.is_scalar(), "item: output {index} is {shape}, not 1x1");
        self.arena.get(place)[0]
    }

    /// The present value of a state, or `None` if `id` is no state of this program.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.execute()?;
    /// assert_eq!(program.state(w.id()), Some([[2.0], [6.0]].into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn state(&self, id: NodeId) -> Option<Matrix<T>> {
        let (place, shape) = *self.states.get(&id)?;
        Some(Matrix::new(shape.rows, shape.cols, self.arena.get(place).to_vec()))
    }

    /// The elements of a state, row by row, without a copy; `None` if `id` is no state.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.execute()?;
    /// assert_eq!(program.state_slice(w.id()), Some([2.0, 6.0].as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn state_slice(&self, id: NodeId) -> Option<&[T]> {
        Some(self.arena.get(self.states.get(&id)?.0))
    }

    /// The elements of a state, row by row, to be changed between runs; `None` if `id` is no state.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// program.state_mut(w.id()).unwrap().fill(1.0);
    /// program.run(&[&[[1.0, 2.0]].into()])?;
    /// assert_eq!(program.item(0), 3.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn state_mut(&mut self, id: NodeId) -> Option<&mut [T]> {
        let (place, _) = *self.states.get(&id)?;
        Some(self.arena.get_mut(place))
    }

    /// The states, in the order in which their variables were recorded.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// assert_eq!(program.states(), [w.id()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn states(&self) -> Vec<NodeId> {
        let mut ids: Vec<NodeId> = self.states.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Bytes that the program keeps: inputs, states, constants, intermediate values. Besides, each thread that runs programs
    /// keeps some memory for blocks of kernels and panels of products, which all programs share.
    ///
    /// # Examples
    /// ```
    /// # let graph = autograd::Graph::new(); let (x, w) = (graph.input(1, 2), graph.variable([[1.0], [3.0]]));
    /// # let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[x.matmul(w)])?;
    /// assert!(program.memory() >= 4 * size_of::<f64>());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn memory(&self) -> usize {
        self.arena.len() * size_of::<T>()
    }
}

impl<T: Real> fmt::Debug for Program<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Program<{}>: {} inputs, {} states, {} outputs, {} steps, {} bytes",
            T::NAME,
            self.inputs.len(),
            self.states.len(),
            self.outputs.len(),
            self.steps.len(),
            self.memory()
        )
    }
}
