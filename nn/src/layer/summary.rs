//! What a model consists of, as a table.

use core::fmt;

use autograd::{Graph, Real, Shape, Var};

use crate::layer::Layer;
use crate::params::{Params, Scope};

/// The layers of a model with the shapes that they give and their numbers of parameters.
///
/// ```
/// use nn::{Activation, Mlp, Params, summary};
/// let mut params = Params::<f64>::new(1);
/// let model = Mlp::new(2).layer(3, Activation::Tanh).build(&mut params);
/// assert_eq!(summary(&model, &params, 2).parameters(), 9);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    inputs: usize,
    rows: Vec<(String, Shape, usize)>,
}

/// Looks at a model that takes samples of `inputs` numbers.
///
/// # Panics
/// If the model does not take such samples.
///
/// ```
/// use nn::{Activation, Mlp, Params, summary};
/// let mut params = Params::<f32>::new(0);
/// let model = Mlp::new(2).layer(3, Activation::Sigmoid).layer(1, Activation::Sigmoid).build(&mut params);
/// let summary = summary(&model, &params, 2);
/// assert_eq!(summary.parameters(), 13);
/// println!("{summary}");
/// ```
#[must_use]
#[track_caller]
pub fn summary<T: Real>(model: &dyn Layer<T>, params: &Params<T>, inputs: usize) -> Summary {
    let graph = Graph::new();
    let scope = Scope::new(&graph, params);
    let mut summary = Summary { inputs, rows: Vec::new() };
    summary.walk(model, params, &scope, graph.input(1, inputs));
    summary
}

impl Summary {
    /// Number of numbers in all parameters.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|(_, _, count)| count).sum()
    }

    /// Name, shape of the result for one sample, number of parameters, of each layer.
    #[must_use]
    pub fn rows(&self) -> &[(String, Shape, usize)] {
        &self.rows
    }

    fn walk<'g, T: Real>(
        &mut self,
        layer: &dyn Layer<T>,
        params: &Params<T>,
        scope: &Scope<'g, T>,
        x: Var<'g, T>,
    ) -> Var<'g, T> {
        let inner = layer.layers();
        if !inner.is_empty() {
            return inner.into_iter().fold(x, |x, layer| self.walk(layer, params, scope, x));
        }
        let y = layer.forward(scope, x);
        let count = layer.params().into_iter().map(|id| params.value(id).len()).sum();
        self.rows.push((layer.name(), y.shape(), count));
        y
    }
}

/// A number with its digits in groups of three.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14} {:>12} {:>14}", "layer", "output", "parameters")?;
        writeln!(f, "{:<14} {:>12} {:>14}", "Input", format!("n x {}", self.inputs), 0)?;
        for (name, shape, count) in &self.rows {
            writeln!(f, "{name:<14} {:>12} {:>14}", format!("n x {}", shape.cols), grouped(*count))?;
        }
        write!(f, "{:<14} {:>12} {:>14}", "in all", "", grouped(self.parameters()))
    }
}
