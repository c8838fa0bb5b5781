//! The multilayer perceptron.

use autograd::{Real, Var};

use crate::activation::Activation;
use crate::init::Initializer;
use crate::layer::{Layer, Linear};
use crate::params::{Params, Scope};

/// A multilayer perceptron: `aˡ = f(aˡ⁻¹ Wˡ + bˡ)`, with any number of layers.
///
/// ```
/// use nn::{Activation, Mlp, Params, summary};
/// let mut params = Params::<f32>::new(42);
/// let model = Mlp::new(784)
///     .layer(16, Activation::Sigmoid)
///     .layer(16, Activation::Sigmoid)
///     .layer(10, Activation::Sigmoid)
///     .build(&mut params);
/// assert_eq!(params.count(), 13_002);
/// assert_eq!(model.linear().len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    linear: Vec<Linear>,
    activations: Vec<Activation>,
}

/// What [`Mlp::new`] begins and [`build`](Self::build) ends.
///
/// ```
/// use nn::{Activation, Mlp, Params, init::Initializer};
/// let mut params = Params::<f64>::new(1);
/// let builder = Mlp::new(2).layer(3, Activation::Tanh).weights(Initializer::glorot_normal());
/// assert_eq!(builder.build(&mut params).linear()[0].outputs(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MlpBuilder {
    inputs: usize,
    layers: Vec<(usize, Activation)>,
    weights: Initializer,
    biases: Initializer,
}

impl Mlp {
    /// Begins a perceptron for samples of `inputs` numbers. Weights are drawn by Glorot's uniform initialiser and
    /// biases are 0 (as in Keras), unless said otherwise.
    #[must_use]
    #[allow(clippy::new_ret_no_self, reason = "`Mlp::new(784).layer(…).build(…)` reads as it is meant")]
    pub fn new(inputs: usize) -> MlpBuilder {
        MlpBuilder {
            inputs,
            layers: Vec::new(),
            weights: Initializer::glorot_uniform(),
            biases: Initializer::Constant(0.0),
        }
    }

    /// The fully connected layers, from the input on.
    #[must_use]
    pub fn linear(&self) -> &[Linear] {
        &self.linear
    }

    /// The activations, from the input on.
    #[must_use]
    pub fn activations(&self) -> &[Activation] {
        &self.activations
    }
}

impl MlpBuilder {
    /// One more layer of `outputs` neurons.
    #[must_use]
    pub fn layer(mut self, outputs: usize, activation: Activation) -> Self {
        self.layers.push((outputs, activation));
        self
    }

    /// How weights are drawn.
    #[must_use]
    pub fn weights(mut self, initializer: Initializer) -> Self {
        self.weights = initializer;
        self
    }

    /// How biases are drawn.
    #[must_use]
    pub fn biases(mut self, initializer: Initializer) -> Self {
        self.biases = initializer;
        self
    }

    /// Adds the parameters: `hidden.0.weight`, `hidden.0.bias`, …, `output.weight`, `output.bias`.
    ///
    /// # Panics
    /// If parameters of these names exist.
    #[must_use]
    #[track_caller]
    pub fn build<T: Real>(self, params: &mut Params<T>) -> Mlp {
        let mut mlp = Mlp { linear: Vec::new(), activations: Vec::new() };
        let mut inputs = self.inputs;
        for (i, &(outputs, activation)) in self.layers.iter().enumerate() {
            let is_last = i + 1 == self.layers.len();
            let name = if is_last { "output".to_owned() } else { format!("hidden.{i}") };
            let layer = Linear::new(params, &name, (inputs, outputs), self.weights, self.biases);
            mlp.linear.push(layer);
            mlp.activations.push(activation);
            inputs = outputs;
        }
        mlp
    }
}

impl<T: Real> Layer<T> for Mlp {
    #[track_caller]
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        // A loop: operations recorded by a closure would not belong to the caller's line.
        let mut x = x;
        for (linear, activation) in self.linear.iter().zip(&self.activations) {
            x = activation.apply(linear.forward(scope, x));
        }
        x
    }

    fn name(&self) -> String {
        "Mlp".to_owned()
    }

    fn layers(&self) -> Vec<&dyn Layer<T>> {
        let pairs = self.linear.iter().zip(&self.activations);
        let pairs = pairs.map(|(linear, activation)| [linear as &dyn Layer<T>, activation]);
        pairs.flatten().filter(|layer| layer.name() != "Identity").collect()
    }
}
