//! Layers: from a batch of rows to a batch of rows.

use autograd::{Real, Var};

use crate::params::{ParamId, Scope};

mod linear;
mod mlp;
mod sequential;
mod summary;

pub use linear::Linear;
pub use mlp::{Mlp, MlpBuilder};
pub use sequential::Sequential;
pub use summary::{Summary, summary};

/// A function of a batch (one sample a row) with parameters.
///
/// ```
/// use autograd::{Graph, Matrix, Real, Var};
/// use nn::{Layer, ParamId, Params, Scope};
///
/// /// `y = a ⊙ x`: a layer of one's own.
/// struct Scale(ParamId);
///
/// impl<T: Real> Layer<T> for Scale {
///     fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
///         x * scope.param(self.0)
///     }
///     fn name(&self) -> String {
///         "Scale".to_owned()
///     }
///     fn params(&self) -> Vec<ParamId> {
///         vec![self.0]
///     }
/// }
///
/// let mut params = Params::<f64>::new(0);
/// let scale = Scale(params.add("scale", Matrix::from([[2.0, 3.0]])));
/// let graph = Graph::new();
/// let y = scale.forward(&Scope::new(&graph, &params), graph.constant([[10.0, 10.0]]));
/// assert_eq!(y.value().as_slice(), [20.0, 30.0]);
/// ```
pub trait Layer<T: Real> {
    /// Records the layer's output for the batch `x`.
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T>;

    /// What a summary calls it.
    fn name(&self) -> String;

    /// Its own parameters, without those of [`layers`](Self::layers).
    fn params(&self) -> Vec<ParamId> {
        Vec::new()
    }

    /// The layers that it applies one after the other, if that is all it does.
    fn layers(&self) -> Vec<&dyn Layer<T>> {
        Vec::new()
    }
}
