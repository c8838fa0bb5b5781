//! What stands between layers.

use autograd::{Axis, Real, Var};

use crate::layer::Layer;
use crate::params::Scope;

/// An activation function, applied element by element (softmax: to each row).
///
/// ```
/// use autograd::Graph;
/// use nn::Activation;
/// let graph = Graph::new();
/// let x = graph.variable([[-1.0, 2.0]]);
/// assert_eq!(Activation::Relu.apply(x).value().as_slice(), [0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// `x`
    #[default]
    Identity,
    /// `max(x, 0)`
    Relu,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// `ln(1 + eˣ)`
    Softplus,
    /// `eˣ / Σ eˣ` of each row. For training leave it out and use a loss that takes logits.
    Softmax,
}

impl Activation {
    /// The activation of `x`.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    #[must_use]
    #[track_caller]
    pub fn apply<T: Real>(self, x: Var<'_, T>) -> Var<'_, T> {
        match self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::Sigmoid => x.sigmoid(),
            Self::Tanh => x.tanh(),
            Self::Softplus => x.softplus(),
            Self::Softmax => x.softmax(Axis::Columns),
        }
    }
}

impl<T: Real> Layer<T> for Activation {
    #[track_caller]
    fn forward<'g>(&self, _: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        self.apply(x)
    }

    fn name(&self) -> String {
        format!("{self:?}")
    }
}
