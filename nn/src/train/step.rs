//! One step of training as one program.

use autograd::{Explanation, Graph, NodeId, Program, Real, RunError, Var};

use crate::layer::Layer;
use crate::loss::Loss;
use crate::optimizer::{Optimizer, Step};
use crate::params::{Params, Scope};

/// Forward, backward and optimiser, compiled into one program for batches of one size.
///
/// ```
/// use nn::{Activation, Mlp, Params, TrainingStep, loss, optimizer::Sgd};
/// let mut params = Params::<f64>::new(3);
/// let model = Mlp::new(2).layer(3, Activation::Sigmoid).layer(1, Activation::Sigmoid).build(&mut params);
/// let mut step = TrainingStep::new(&model, &loss::squared_error, &Sgd::new(2.0), &params, (4, 2, 1));
/// let (x, t) = step.batch_mut();
/// x.copy_from_slice(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
/// t.copy_from_slice(&[0.0, 1.0, 1.0, 0.0]);
/// let first = step.run(2.0, &[])?;
/// for _ in 0..1000 {
///     step.run(2.0, &[])?;
/// }
/// assert!(step.run(2.0, &[])? < first / 10.0);
/// step.store(&mut params);
/// # Ok::<(), autograd::RunError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrainingStep<T: Real> {
    program: Program<T>,
    params: Vec<NodeId>,
    /// Parameters and slots, in the order of their making.
    states: Vec<NodeId>,
}

impl<T: Real> TrainingStep<T> {
    /// Records and compiles a step for batches of `samples` rows with `features` and `targets` columns.
    ///
    /// # Panics
    /// If the model does not take such a batch, the loss is not `1x1`, or it does not depend on a parameter.
    #[must_use]
    #[track_caller]
    pub fn new(
        model: &dyn Layer<T>,
        loss: &dyn Loss<T>,
        optimizer: &dyn Optimizer<T>,
        params: &Params<T>,
        (samples, features, targets): (usize, usize, usize),
    ) -> Self {
        let graph = Graph::new();
        let scope = Scope::new(&graph, params);
        let (x, t) = (graph.input(samples, features), graph.input(samples, targets));
        let loss = loss(model.forward(&scope, x), t);
        let scalar = || graph.input(1, 1);
        let rate = scalar();
        let scalars: Vec<Var<'_, T>> = optimizer.scalars(1).iter().map(|_| scalar()).collect();
        let mut updates: Vec<(Var<'_, T>, Var<'_, T>)> = Vec::new();
        for (&parameter, gradient) in scope.vars().iter().zip(loss.gradient(scope.vars())) {
            let zeros = || graph.variable_filled(parameter.rows(), parameter.cols(), T::ZERO);
            let slots: Vec<Var<'_, T>> = optimizer.slots().iter().map(|_| zeros()).collect();
            let step = Step { parameter, gradient, slots: &slots, rate, scalars: &scalars };
            let (new, new_slots) = optimizer.update(&step);
            updates.push((parameter, new));
            updates.extend(slots.iter().copied().zip(new_slots));
        }
        let inputs = [vec![x, t, rate], scalars].concat();
        match graph.compile(&inputs, &updates, &[loss]) {
            Ok(program) => {
                let states = updates.iter().map(|(state, _)| state.id()).collect();
                Self { program, params: scope.node_ids(), states }
            }
            Err(error) => panic!("TrainingStep: {error}"),
        }
    }

    /// Where the next batch goes, row by row: features and targets.
    #[must_use]
    pub fn batch_mut(&mut self) -> (&mut [T], &mut [T]) {
        self.program.inputs_mut(0, 1)
    }

    /// Runs the step with this rate and these [`scalars`](Optimizer::scalars); gives the loss of the batch before the
    /// update.
    ///
    /// # Errors
    /// If a class of the batch is none.
    pub fn run(&mut self, rate: f64, scalars: &[f64]) -> Result<T, RunError> {
        for (i, value) in [rate].iter().chain(scalars).enumerate() {
            self.program.input_mut(2 + i)[0] = T::from_f64(*value);
        }
        self.program.execute()?;
        Ok(self.program.item(0))
    }

    /// Copies parameters and optimiser state from a step for batches of another size.
    ///
    /// # Panics
    /// If the other step has other parameters.
    pub fn copy_states_from(&mut self, other: &Self) {
        for (to, from) in self.states.iter().zip(&other.states) {
            if let (Some(to), Some(from)) = (self.program.state_mut(*to), other.program.state_slice(*from)) {
                to.copy_from_slice(from);
            }
        }
    }

    /// Whether every parameter is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let values = self.params.iter().filter_map(|node| self.program.state_slice(*node));
        values.flatten().all(|x| x.is_finite())
    }

    /// Copies the parameters out of the step.
    ///
    /// # Panics
    /// If `params` are not those that the step was made with.
    pub fn store(&self, params: &mut Params<T>) {
        for (id, node) in params.ids().zip(&self.params) {
            if let Some(value) = self.program.state_slice(*node) {
                params.value_mut(id).copy_from_slice(value);
            }
        }
    }

    /// Runs the step so many times, with the last batch and the last rate, and tells how long each kernel took. The
    /// parameters change as in any run.
    ///
    /// # Errors
    /// If a class of the batch is none.
    pub fn profile(&mut self, runs: usize) -> Result<Explanation, RunError> {
        self.program.profile(runs)
    }

    /// The compiled program.
    #[must_use]
    pub fn program(&self) -> &Program<T> {
        &self.program
    }
}
