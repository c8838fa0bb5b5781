//! One layer after the other.

use core::fmt;

use autograd::{Real, Var};

use crate::layer::Layer;
use crate::params::Scope;

/// Layers of any kind, applied one after the other.
///
/// ```
/// use autograd::Graph;
/// use nn::{Activation, Layer, Linear, Params, Scope, Sequential, init::Initializer};
/// let mut params = Params::<f32>::new(1);
/// let zeros = Initializer::Constant(0.0);
/// let model = Sequential::new()
///     .then(Linear::new(&mut params, "hidden", (4, 3), Initializer::he_normal(), zeros))
///     .then(Activation::Relu);
/// let graph = Graph::new();
/// let y = model.forward(&Scope::new(&graph, &params), graph.filled(2, 4, 1.0));
/// assert_eq!(y.shape(), (2, 3).into());
/// ```
#[derive(Default)]
pub struct Sequential<T: Real> {
    layers: Vec<Box<dyn Layer<T> + Send + Sync>>,
}

impl<T: Real> Sequential<T> {
    /// No layers: the identity.
    #[must_use]
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// With one more layer at the end.
    #[must_use]
    pub fn then(mut self, layer: impl Layer<T> + Send + Sync + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }
}

impl<T: Real> Layer<T> for Sequential<T> {
    #[track_caller]
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        self.layers.iter().fold(x, |x, layer| layer.forward(scope, x))
    }

    fn name(&self) -> String {
        "Sequential".to_owned()
    }

    fn layers(&self) -> Vec<&dyn Layer<T>> {
        self.layers.iter().map(|layer| &**layer as &dyn Layer<T>).collect()
    }
}

impl<T: Real> fmt::Debug for Sequential<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.layers.iter().map(|layer| layer.name())).finish()
    }
}
