//! The fully connected layer.

use autograd::{Real, Var};

use crate::init::Initializer;
use crate::layer::Layer;
use crate::params::{ParamId, Params, Scope};

/// `y = x W + b`, one sample a row; `W` is `inputs x outputs`, `b` is `1 x outputs`.
///
/// ```
/// use autograd::{Graph, Matrix};
/// use nn::{Layer, Linear, Params, Scope};
/// let mut params = Params::<f64>::new(0);
/// let layer = Linear::with(&mut params, "layer", [[1.0], [2.0]].into(), [[10.0]].into());
/// let graph = Graph::new();
/// let y = layer.forward(&Scope::new(&graph, &params), graph.constant([[3.0, 4.0]]));
/// assert_eq!(y.item(), 21.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    weight: ParamId,
    bias: ParamId,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// A layer with drawn weights; its parameters are called `name.weight` and `name.bias`.
    ///
    /// # Panics
    /// If parameters of these names exist.
    #[must_use]
    #[track_caller]
    pub fn new<T: Real>(
        params: &mut Params<T>,
        name: &str,
        (inputs, outputs): (usize, usize),
        weights: Initializer,
        biases: Initializer,
    ) -> Self {
        let weight = params.draw(&format!("{name}.weight"), weights, inputs, outputs);
        let bias = params.draw(&format!("{name}.bias"), biases, 1, outputs);
        Self { weight, bias, inputs, outputs }
    }

    /// A layer with given weights (`inputs x outputs`) and biases (`1 x outputs`).
    ///
    /// # Panics
    /// If the shapes do not fit each other, or parameters of these names exist.
    #[must_use]
    #[track_caller]
    pub fn with<T: Real>(
        params: &mut Params<T>,
        name: &str,
        weight: autograd::Matrix<T>,
        bias: autograd::Matrix<T>,
    ) -> Self {
        let (inputs, outputs) = (weight.rows(), weight.cols());
        assert!(
            bias.shape() == (1, outputs).into(),
            "Linear: a {} weight needs a 1x{outputs} bias, not {}",
            weight.shape(),
            bias.shape()
        );
        let weight = params.add(&format!("{name}.weight"), weight);
        let bias = params.add(&format!("{name}.bias"), bias);
        Self { weight, bias, inputs, outputs }
    }

    /// The weights, `inputs x outputs`.
    #[must_use]
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The biases, `1 x outputs`.
    #[must_use]
    pub fn bias(&self) -> ParamId {
        self.bias
    }

    /// Numbers in a sample.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers in a result.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

impl<T: Real> Layer<T> for Linear {
    #[track_caller]
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        x.matmul(scope.param(self.weight)) + scope.param(self.bias)
    }

    fn name(&self) -> String {
        "Linear".to_owned()
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.weight, self.bias]
    }
}
