//! One neuron, the smallest network there is.
//!
//! It multiplies each input by a weight, adds a bias, and presses the sum into `0..1`:
//!
//! ```text
//!   z = w₁x₁ + w₂x₂ + b
//!   y = σ(z) = 1 / (1 + e⁻ᶻ)
//! ```
//!
//! With the weights 0 and 1, the bias 4 and the inputs 2 and 3 that is `σ(0·2 + 1·3 + 4) = σ(7)`, nearly 1.
//!
//! Learning needs to know how `y` answers to each weight. The chain rule says it, with `σ'(z) = σ(z) σ(-z)`:
//!
//! ```text
//!   ∂y/∂wᵢ = σ'(z) xᵢ        ∂y/∂b = σ'(z)
//! ```
//!
//! Here the graph derives it by itself, and the two are compared.
//!
//! ```text
//! cargo run --release --example neuron
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use autograd::{Graph, Matrix, Var};

fn main() {
    let graph = Graph::new();
    let neuron = Neuron::new(&graph, &[0.0, 1.0], 4.0);
    let x = graph.constant([[2.0, 3.0]]);
    let y = neuron.feedforward(x);
    println!("y = σ(0·2 + 1·3 + 4) = {}\n", y.item());

    let [by_weights, by_bias] = y.gradient([neuron.weights, neuron.bias]);
    let by_weights = by_weights.value();
    println!("             of the graph            by hand");
    for (i, x) in [2.0, 3.0].into_iter().enumerate() {
        println!("∂y/∂w{}   {:<22}  {}", i + 1, by_weights[(i, 0)], slope(7.0) * x);
    }
    println!("∂y/∂b    {:<22}  {}", by_bias.item(), slope(7.0));
}

struct Neuron<'g> {
    /// A column, one weight an input.
    weights: Var<'g, f64>,
    bias: Var<'g, f64>,
}

impl<'g> Neuron<'g> {
    fn new(graph: &'g Graph<f64>, weights: &[f64], bias: f64) -> Self {
        Self { weights: graph.variable(Matrix::column_vector(weights)), bias: graph.variable(bias) }
    }

    /// `σ(x · w + b)` for a row of inputs.
    fn feedforward(&self, x: Var<'g, f64>) -> Var<'g, f64> {
        (x.matmul(self.weights) + self.bias).sigmoid()
    }
}

/// `σ'(z) = σ(z) σ(-z)`
fn slope(z: f64) -> f64 {
    sigmoid(z) * sigmoid(-z)
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "the number of the text, to the last digit")]
    fn the_output_is_that_of_the_text_to_the_last_digit() {
        let graph = Graph::new();
        let y = Neuron::new(&graph, &[0.0, 1.0], 4.0).feedforward(graph.constant([[2.0, 3.0]]));
        assert_eq!(y.item(), 0.9990889488055994);
    }

    #[test]
    fn the_gradient_is_that_of_the_chain_rule() {
        let graph = Graph::new();
        let (weights, bias, x) = ([0.5, -1.25, 3.0], 0.75, [2.0, 3.0, -0.5]);
        let neuron = Neuron::new(&graph, &weights, bias);
        let y = neuron.feedforward(graph.constant([x]));
        let [by_weights, by_bias] = y.gradient([neuron.weights, neuron.bias]);

        let z = weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias;
        let close = |ours: f64, hand: f64| (ours - hand).abs() <= 4.0 * f64::EPSILON * hand.abs();
        assert!(close(by_bias.item(), slope(z)));
        for (i, x) in x.into_iter().enumerate() {
            assert!(close(by_weights.value()[(i, 0)], slope(z) * x), "weight {i}");
        }
    }
}
