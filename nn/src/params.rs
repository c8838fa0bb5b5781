//! Parameters by name, and how they enter a graph.

use core::fmt;
use std::sync::Arc;

use autograd::{Graph, Matrix, NodeId, Real, Var};

use crate::Random;
use crate::init::Initializer;

/// Names a parameter of one [`Params`]. Layers hold these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(usize);

/// The parameters of a model: matrices with names such as `"hidden.0.weight"`, in the order of their making.
///
/// ```
/// use nn::{Params, init::Initializer};
/// let mut params = Params::<f32>::new(7);
/// let weight = params.draw("output.weight", Initializer::glorot_uniform(), 3, 2);
/// assert_eq!(params.value(weight).shape(), (3, 2).into());
/// assert_eq!(params.count(), 6);
/// ```
#[derive(Clone, PartialEq)]
pub struct Params<T: Real> {
    seed: u64,
    /// Values are shared with graphs that they are bound into.
    entries: Vec<(String, Arc<Matrix<T>>)>,
}

impl<T: Real> Params<T> {
    /// No parameters yet; initial values are drawn from streams that belong to `seed` and the parameter's name.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, entries: Vec::new() }
    }

    /// Adds a parameter.
    ///
    /// # Panics
    /// If there is one of this name already.
    #[track_caller]
    pub fn add(&mut self, name: &str, value: Matrix<T>) -> ParamId {
        assert!(self.find(name).is_none(), "Params: there is a parameter {name:?} already");
        self.entries.push((name.to_owned(), Arc::new(value)));
        ParamId(self.entries.len() - 1)
    }

    /// Adds a `fan_in x fan_out` parameter with random initial values. They depend on the seed, the name, the
    /// initialiser and the shape; not on the other parameters.
    ///
    /// # Panics
    /// If there is one of this name already.
    #[track_caller]
    pub fn draw(&mut self, name: &str, initializer: Initializer, fan_in: usize, fan_out: usize) -> ParamId {
        let value = initializer.sample(fan_in, fan_out, &mut Random::stream(self.seed, name));
        self.add(name, value)
    }

    /// The parameter of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.entries.iter().position(|(other, _)| other == name).map(ParamId)
    }

    /// The name of a parameter.
    ///
    /// # Panics
    /// If `id` belongs to other parameters, and there are fewer here.
    #[must_use]
    #[track_caller]
    pub fn name(&self, id: ParamId) -> &str {
        &self.entries[id.0].0
    }

    /// The value of a parameter.
    ///
    /// # Panics
    /// If `id` belongs to other parameters, and there are fewer here.
    #[must_use]
    #[track_caller]
    pub fn value(&self, id: ParamId) -> &Matrix<T> {
        &self.entries[id.0].1
    }

    /// The elements of a parameter, row by row, to be changed. Graphs that it is bound into keep the old ones.
    ///
    /// # Panics
    /// If `id` belongs to other parameters, and there are fewer here.
    #[must_use]
    #[track_caller]
    pub fn value_mut(&mut self, id: ParamId) -> &mut [T] {
        Arc::make_mut(&mut self.entries[id.0].1).as_mut_slice()
    }

    /// All parameters in order.
    pub fn ids(&self) -> impl Iterator<Item = ParamId> + use<T> {
        (0..self.entries.len()).map(ParamId)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Matrix<T>)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// Number of parameters (matrices).
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of numbers in all of them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.iter().map(|(_, value)| value.len()).sum()
    }
}

impl<T: Real> fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter().map(|(name, value)| (name, value.shape().to_string()));
        f.debug_map().entries(entries).finish()
    }
}

/// Parameters bound into a graph: a variable for each.
///
/// ```
/// use autograd::{Graph, Matrix};
/// use nn::{Params, Scope};
/// let mut params = Params::<f64>::new(0);
/// let w = params.add("w", Matrix::from([[2.0]]));
/// let graph = Graph::new();
/// let scope = Scope::new(&graph, &params);
/// let loss = scope.param(w).square();
/// assert_eq!(loss.gradient(scope.param(w)).item(), 4.0);
/// ```
#[derive(Debug)]
pub struct Scope<'g, T: Real> {
    graph: &'g Graph<T>,
    vars: Vec<Var<'g, T>>,
}

impl<'g, T: Real> Scope<'g, T> {
    /// Records a variable for each parameter.
    #[must_use]
    #[track_caller]
    pub fn new(graph: &'g Graph<T>, params: &Params<T>) -> Self {
        // A loop: variables made by a closure would not belong to the caller's line.
        let mut vars = Vec::with_capacity(params.len());
        for (_, value) in &params.entries {
            vars.push(graph.variable_of(value));
        }
        Self { graph, vars }
    }

    /// Takes variables that were recorded already, one for each parameter in order: those that a
    /// [check](autograd::check) of the gradient by the parameters moves, or weights that are computed, such as those after a step
    /// of training that is differentiated through.
    ///
    /// # Panics
    /// If there is none.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Matrix, check::Check};
    /// use nn::{Activation, Layer, Mlp, Params, Scope, loss};
    /// let mut params = Params::<f64>::new(1);
    /// let model = Mlp::new(2).layer(3, Activation::Tanh).layer(1, Activation::Identity).build(&mut params);
    /// let named: Vec<(&str, &Matrix<f64>)> = params.iter().collect();
    /// let report = Check::new().named(&named, |vars| {
    ///     let scope = Scope::of(vars);
    ///     let x = scope.graph().constant([[0.5, -1.0], [2.0, 0.25]]);
    ///     let t = scope.graph().constant([[1.0], [0.0]]);
    ///     loss::binary_cross_entropy(model.forward(&scope, x), t)
    /// });
    /// report.assert_pass();
    /// ```
    #[must_use]
    #[track_caller]
    pub fn of(vars: &[Var<'g, T>]) -> Self {
        assert!(!vars.is_empty(), "Scope::of: there is no variable, and so no graph");
        Self { graph: vars[0].graph(), vars: vars.to_vec() }
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &'g Graph<T> {
        self.graph
    }

    /// The variable of a parameter.
    ///
    /// # Panics
    /// If `id` belongs to other parameters, and there are fewer here.
    #[must_use]
    #[track_caller]
    pub fn param(&self, id: ParamId) -> Var<'g, T> {
        self.vars[id.0]
    }

    /// The variables of all parameters, in order: what a loss is differentiated by.
    #[must_use]
    pub fn vars(&self) -> &[Var<'g, T>] {
        &self.vars
    }

    /// Their nodes, which a program knows them by.
    #[must_use]
    pub fn node_ids(&self) -> Vec<NodeId> {
        self.vars.iter().map(|var| var.id()).collect()
    }
}
