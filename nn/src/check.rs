//! Are the derivatives of a loss, a layer, a model or an optimiser right?
//!
//! [`autograd::check`] checks any function of matrices. [`CheckNetwork`] makes such functions of what networks consist of, so
//! that one call checks a whole model, and the report names the parameter: `hidden.0.weight[123,45]`.
//!
//! ```
//! use autograd::{Matrix, check::Check};
//! use nn::check::CheckNetwork;
//! use nn::{Activation, Mlp, Params, loss};
//!
//! let mut params = Params::<f64>::new(1);
//! let model = Mlp::new(3).layer(4, Activation::Relu).layer(2, Activation::Identity).build(&mut params);
//! let x = Matrix::from([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]);
//! let classes = Matrix::from([[0.0], [1.0]]);
//! Check::new().model(&model, &loss::cross_entropy, &params, (&x, &classes)).assert_pass();
//! ```
//!
//! What computes in `f32` is differentiated numerically in `f64`, where an error of one weight among 400,000 shows. An
//! operation of your own takes part in that if it has a form in `f64` ([`CustomOp::widened`](autograd::op::CustomOp::widened));
//! otherwise differences are taken in `f32`, which show errors of a thousandth of the whole, and the report says so. A model
//! that is generic in its element type is then better checked with `Params<f64>`.

use core::panic::Location;

use autograd::check::{self, Check, Report, Site};
use autograd::{Axis, Graph, Matrix, NodeId, Real, Var};

use crate::layer::Layer;
use crate::loss::Loss;
use crate::optimizer::{Optimizer, Step};
use crate::params::{ParamId, Params, Scope};

/// Checks of what networks consist of, for [`Check`] with its settings. Not to be implemented for other types.
pub trait CheckNetwork {
    /// Checks the derivatives of a loss by the prediction.
    ///
    /// By the target no derivative is asked for: it may be an index. A loss that is differentiated by both is a
    /// [`function`](Check::function) of both.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Matrix, check::Check};
    /// use nn::check::CheckNetwork;
    /// let (y, t) = (Matrix::from([[0.5, -1.0]]), Matrix::from([[1.0, 0.0]]));
    /// Check::new().loss(&nn::loss::binary_cross_entropy, &y, &t).assert_pass();
    /// Check::new().loss(&|y, t| (y - t).square().square().mean(), &y, &t).assert_pass();
    /// ```
    fn loss<T: Real>(&self, loss: &dyn Loss<T>, prediction: &Matrix<T>, target: &Matrix<T>) -> Report;

    /// Checks the derivatives of a layer by its input `x`, by the parameters that it says it has, and by all that it uses.
    /// Its output is weighted with random numbers.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Matrix, check::Check};
    /// use nn::{Linear, Params, check::CheckNetwork, init::Initializer};
    /// let mut params = Params::<f32>::new(1);
    /// let layer = Linear::new(&mut params, "last", (2, 3), Initializer::he_normal(), Initializer::Constant(0.0));
    /// Check::new().layer(&layer, &params, &Matrix::from([[0.5, -1.0]])).assert_pass();
    /// ```
    fn layer<T: Real>(&self, layer: &dyn Layer<T>, params: &Params<T>, x: &Matrix<T>) -> Report;

    /// Checks the derivatives of the loss of a model on a batch, features and targets, by every one of `params`.
    ///
    /// A parameter that has no influence on the loss is a failure.
    ///
    /// # Examples
    /// See [the module](self).
    fn model<T: Real>(
        &self,
        model: &dyn Layer<T>,
        loss: &dyn Loss<T>,
        params: &Params<T>,
        batch: (&Matrix<T>, &Matrix<T>),
    ) -> Report;

    /// Checks the derivatives of what an optimiser makes of a parameter and its slots in its step `t`, counted from 1: by
    /// the parameter, by its gradient, by the slots and by the rate. So it is known that training can be differentiated
    /// through.
    ///
    /// Where a root is taken of a slot that is 0, there is no derivative by that slot; give one that is not 0.
    ///
    /// # Panics
    /// If the shapes differ, or the number of slots is not that of the [optimiser](Optimizer::slots).
    ///
    /// # Examples
    /// ```
    /// use autograd::{Matrix, check::Check};
    /// use nn::{check::CheckNetwork, optimizer::Adam};
    /// let (weight, gradient) = (Matrix::from([[0.5, -1.0]]), Matrix::from([[0.25, 2.0]]));
    /// let slots = [Matrix::from([[0.125, -0.5]]), Matrix::from([[1.0, 0.5]])];
    /// Check::new().optimizer(&Adam::default(), 1, (&weight, &gradient, &slots)).assert_pass();
    /// ```
    fn optimizer<T: Real>(
        &self,
        optimizer: &dyn Optimizer<T>,
        t: u64,
        state: (&Matrix<T>, &Matrix<T>, &[Matrix<T>]),
    ) -> Report;
}

impl CheckNetwork for Check {
    #[track_caller]
    fn loss<T: Real>(&self, loss: &dyn Loss<T>, prediction: &Matrix<T>, target: &Matrix<T>) -> Report {
        let report = self.named(&[("prediction", prediction)], |x| loss(x[0], x[0].graph().constant(target)));
        titled(report, &format!("a loss of {} in {}", prediction.shape(), T::NAME))
    }

    #[track_caller]
    fn layer<T: Real>(&self, layer: &dyn Layer<T>, params: &Params<T>, x: &Matrix<T>) -> Report {
        let chosen = used(layer, params, x);
        let mut inputs = vec![("x", x)];
        inputs.extend(chosen.iter().map(|id| (params.name(*id), params.value(*id))));
        let report = self.named(&inputs, |vars| {
            let graph = vars[0].graph();
            let mut own = vars[1..].iter();
            // Those that are not checked belong to other layers.
            let bound = params.ids().map(|id| match chosen.contains(&id).then(|| own.next()).flatten() {
                Some(var) => *var,
                None => graph.constant(params.value(id)),
            });
            let bound: Vec<Var<'_, T>> = bound.collect();
            let scope = if bound.is_empty() { Scope::new(graph, params) } else { Scope::of(&bound) };
            layer.forward(&scope, vars[0])
        });
        titled(report, &layer.name())
    }

    #[track_caller]
    fn model<T: Real>(
        &self,
        model: &dyn Layer<T>,
        loss: &dyn Loss<T>,
        params: &Params<T>,
        (features, targets): (&Matrix<T>, &Matrix<T>),
    ) -> Report {
        let title = format!("{} with {} parameters in {}", model.name(), params.count(), T::NAME);
        if params.is_empty() {
            let mut report = Report::new(title, self.seed);
            report.site = Some(Site::from(Location::caller()));
            report.notes.push("the model has no parameters to differentiate by".to_owned());
            return report;
        }
        let inputs: Vec<(&str, &Matrix<T>)> = params.iter().collect();
        let report = self.named(&inputs, |vars| {
            let graph = vars[0].graph();
            let y = model.forward(&Scope::of(vars), graph.constant(features));
            loss(y, graph.constant(targets))
        });
        titled(report, &title)
    }

    #[track_caller]
    fn optimizer<T: Real>(
        &self,
        optimizer: &dyn Optimizer<T>,
        t: u64,
        (parameter, gradient, slots): (&Matrix<T>, &Matrix<T>, &[Matrix<T>]),
    ) -> Report {
        let names = optimizer.slots();
        assert!(names.len() == slots.len(), "optimizer: it has slots {names:?}, and {} were given", slots.len());
        let shape = parameter.shape();
        let fits = gradient.shape() == shape && slots.iter().all(|slot| slot.shape() == shape);
        assert!(fits, "optimizer: the gradient and the slots must be {shape}, as the parameter is");
        let rate = Matrix::scalar(T::from_f64(optimizer.rate()));
        let mut inputs = vec![("parameter", parameter), ("gradient", gradient), ("rate", &rate)];
        inputs.extend(names.iter().copied().zip(slots));
        let report = self.named(&inputs, |vars| {
            let scalars: Vec<Var<'_, T>> =
                optimizer.scalars(t).into_iter().map(|number| vars[0].scalar(T::from_f64(number))).collect();
            let (parameter, gradient, rate, slots) = (vars[0], vars[1], vars[2], &vars[3..]);
            let (new, slots) = optimizer.update(&Step { parameter, gradient, slots, rate, scalars: &scalars });
            Var::concat(&[vec![new], slots].concat(), Axis::Rows)
        });
        titled(report, &format!("an optimiser's step {t} in {}", T::NAME))
    }
}

/// A report under a title that says what was checked.
fn titled(report: Report, title: &str) -> Report {
    Report { subject: title.to_owned(), ..report }
}

/// The parameters that a layer says it has, and those that its output is computed from.
fn used<T: Real>(layer: &dyn Layer<T>, params: &Params<T>, x: &Matrix<T>) -> Vec<ParamId> {
    let graph = Graph::new();
    let scope = Scope::new(&graph, params);
    let recorded = check::catch(|| layer.forward(&scope, graph.constant(x)).id());
    // What panics here does so again while it is checked, which reports it.
    let Ok(output) = recorded else { return Vec::new() };
    let mut reached = reached(&graph, output);
    reached.extend(declared(layer).into_iter().map(|id| scope.param(id).id()));
    params.ids().filter(|id| reached.contains(&scope.param(*id).id())).collect()
}

/// The parameters of a layer and of all layers in it.
fn declared<T: Real>(layer: &dyn Layer<T>) -> Vec<ParamId> {
    let inner = layer.layers().into_iter().flat_map(|layer| declared(layer));
    layer.params().into_iter().chain(inner).collect()
}

/// What a node is computed from.
fn reached<T: Real>(graph: &Graph<T>, output: NodeId) -> std::collections::HashSet<NodeId> {
    let mut reached = std::collections::HashSet::from([output]);
    let nodes: Vec<Var<'_, T>> = graph.vars().collect();
    for var in nodes.into_iter().rev() {
        if reached.contains(&var.id()) {
            reached.extend(var.operands().into_iter().map(|operand| operand.id()));
        }
    }
    reached
}
