//! Whole perceptrons against the four equations of backpropagation, written out in loops:
//!
//! ```text
//! δᴸ = ∇C ⊙ σ′(zᴸ)        δˡ = (δˡ⁺¹ Wˡ⁺¹ᵀ) ⊙ σ′(zˡ)        ∂C/∂Wˡ = aˡ⁻¹ᵀ δˡ        ∂C/∂bˡ = Σ δˡ over the batch
//! ```
//!
//! M. Nielsen, "Neural Networks and Deep Learning", 2015, BP1–BP4, with one sample a row: `z = a W + b`.

use autograd::{Axis, Graph, Matrix, Var};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Verdict, close, dyadic, for_all, largest};

type Rows = Vec<Vec<f64>>;

#[derive(Clone, Copy, Debug)]
enum Activation {
    Identity,
    Sigmoid,
    Tanh,
    Relu,
    Softplus,
}

impl Activation {
    fn record(self, z: Var<'_, f64>) -> Var<'_, f64> {
        match self {
            Self::Identity => z,
            Self::Sigmoid => z.sigmoid(),
            Self::Tanh => z.tanh(),
            Self::Relu => z.relu(),
            Self::Softplus => z.softplus(),
        }
    }

    fn value(self, z: f64) -> f64 {
        match self {
            Self::Identity => z,
            Self::Sigmoid => sigmoid(z),
            Self::Tanh => z.tanh(),
            Self::Relu => z.max(0.0),
            Self::Softplus => (1.0 + z.exp()).ln(),
        }
    }

    fn slope(self, z: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Sigmoid => sigmoid(z) * (1.0 - sigmoid(z)),
            Self::Tanh => 1.0 - z.tanh() * z.tanh(),
            Self::Relu => f64::from(u8::from(z > 0.0)),
            Self::Softplus => sigmoid(z),
        }
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

#[derive(Clone, Copy, Debug)]
enum Loss {
    /// `½ Σ (a - t)²`
    HalfSquared,
    /// The mean of `(a - t)²`.
    MeanSquared,
    /// The mean over samples of `ln Σ eᵃ - a[class]`.
    CrossEntropy,
    /// The mean of `ln(1 + eᵃ) - t a`.
    BinaryCrossEntropy,
}

/// What a perceptron is trained on.
#[derive(Clone, Debug)]
struct Goal {
    loss: Loss,
    /// For every output a number in 0..=1.
    targets: Rows,
    /// For every sample an output.
    classes: Vec<usize>,
}

impl Goal {
    fn record<'g>(&self, graph: &'g Graph<f64>, a: Var<'g, f64>) -> Var<'g, f64> {
        let targets = graph.constant(matrix(&self.targets));
        match self.loss {
            Loss::HalfSquared => (a - targets).square().sum() * 0.5,
            Loss::MeanSquared => (a - targets).square().mean(),
            Loss::CrossEntropy => {
                let classes: Vec<f64> = self.classes.iter().map(|k| count(*k)).collect();
                let classes = graph.constant(Matrix::column_vector(&classes));
                (a.log_sum_exp_axis(Axis::Columns) - a.pick(classes)).mean()
            }
            Loss::BinaryCrossEntropy => (a.softplus() - targets * a).mean(),
        }
    }

    fn value(&self, a: &Rows) -> f64 {
        let mut total = 0.0;
        for (i, row) in a.iter().enumerate() {
            for (j, a) in row.iter().enumerate() {
                let t = self.targets[i][j];
                total += match self.loss {
                    Loss::HalfSquared => 0.5 * (a - t) * (a - t),
                    Loss::MeanSquared => (a - t) * (a - t),
                    Loss::CrossEntropy => 0.0,
                    Loss::BinaryCrossEntropy => (1.0 + a.exp()).ln() - t * a,
                };
            }
            if let Loss::CrossEntropy = self.loss {
                total += row.iter().map(|a| a.exp()).sum::<f64>().ln() - row[self.classes[i]];
            }
        }
        total / self.divisor(a)
    }

    /// `∇C`
    fn slope(&self, a: &Rows) -> Rows {
        let mut gradient = a.clone();
        for (i, row) in a.iter().enumerate() {
            let total: f64 = row.iter().map(|a| a.exp()).sum();
            for (j, a) in row.iter().enumerate() {
                let t = self.targets[i][j];
                let hit = f64::from(u8::from(self.classes[i] == j));
                gradient[i][j] = match self.loss {
                    Loss::HalfSquared => a - t,
                    Loss::MeanSquared => 2.0 * (a - t),
                    Loss::CrossEntropy => a.exp() / total - hit,
                    Loss::BinaryCrossEntropy => sigmoid(*a) - t,
                };
                gradient[i][j] /= self.divisor(&self.targets);
            }
        }
        gradient
    }

    fn divisor(&self, a: &Rows) -> f64 {
        match self.loss {
            Loss::HalfSquared => 1.0,
            Loss::MeanSquared | Loss::BinaryCrossEntropy => count(a.len() * a[0].len()),
            Loss::CrossEntropy => count(a.len()),
        }
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

fn matrix(rows: &Rows) -> Matrix<f64> {
    Matrix::new(rows.len(), rows[0].len(), rows.concat())
}

/// A perceptron and a batch.
#[derive(Clone, Debug)]
struct Perceptron {
    activation: Activation,
    inputs: Rows,
    weights: Vec<Rows>,
    biases: Vec<Vec<f64>>,
    goal: Goal,
}

/// The loss, and its gradients by the weights, the biases and the inputs.
struct Derivatives {
    loss: f64,
    weights: Vec<Rows>,
    biases: Vec<Vec<f64>>,
    inputs: Rows,
}

impl Perceptron {
    /// By the equations of backpropagation.
    fn backpropagate(&self) -> Derivatives {
        let (mut z, mut a): (Vec<Rows>, Vec<Rows>) = (Vec::new(), vec![self.inputs.clone()]);
        for (weights, bias) in self.weights.iter().zip(&self.biases) {
            let before = &a[a.len() - 1];
            let mut now = vec![bias.clone(); before.len()];
            for (now, before) in now.iter_mut().zip(before) {
                for (j, z) in now.iter_mut().enumerate() {
                    for (k, a) in before.iter().enumerate() {
                        *z += a * weights[k][j];
                    }
                }
            }
            a.push(now.iter().map(|row| row.iter().map(|z| self.activation.value(*z)).collect()).collect());
            z.push(now);
        }

        let outputs = &a[a.len() - 1];
        let (mut weights, mut biases) = (self.weights.clone(), self.biases.clone());
        // ∂C/∂aˡ, from the last layer to the inputs
        let mut upstream = self.goal.slope(outputs);
        for l in (0..self.weights.len()).rev() {
            let mut delta = upstream;
            for (delta, z) in delta.iter_mut().zip(&z[l]) {
                for (delta, z) in delta.iter_mut().zip(z) {
                    *delta *= self.activation.slope(*z);
                }
            }
            for (j, bias) in biases[l].iter_mut().enumerate() {
                *bias = delta.iter().map(|delta| delta[j]).sum();
                for (k, weights) in weights[l].iter_mut().enumerate() {
                    weights[j] = a[l].iter().zip(&delta).map(|(a, delta)| a[k] * delta[j]).sum();
                }
            }
            upstream = a[l].clone();
            for (upstream, delta) in upstream.iter_mut().zip(&delta) {
                for (k, upstream) in upstream.iter_mut().enumerate() {
                    *upstream = delta.iter().zip(&self.weights[l][k]).map(|(delta, w)| delta * w).sum();
                }
            }
        }
        Derivatives { loss: self.goal.value(outputs), weights, biases, inputs: upstream }
    }

    fn agrees(&self) -> Verdict {
        let graph = Graph::new();
        let inputs = graph.variable(matrix(&self.inputs));
        let weights: Vec<_> = self.weights.iter().map(|w| graph.variable(matrix(w))).collect();
        let biases: Vec<_> = self.biases.iter().map(|b| graph.variable(Matrix::row_vector(b))).collect();
        let layers = weights.iter().zip(&biases);
        let a = layers.fold(inputs, |a, (w, b)| self.activation.record(a.matmul(*w) + *b));
        let loss = self.goal.record(&graph, a);
        let expected = self.backpropagate();

        same("the loss", loss, &Matrix::scalar(expected.loss))?;
        same("∂C/∂x", loss.gradient(inputs), &matrix(&expected.inputs))?;
        for (l, (found, expected)) in loss.gradient(weights).into_iter().zip(&expected.weights).enumerate() {
            same(&format!("∂C/∂W{}", l + 1), found, &matrix(expected))?;
        }
        for (l, (found, expected)) in loss.gradient(biases).into_iter().zip(&expected.biases).enumerate() {
            same(&format!("∂C/∂b{}", l + 1), found, &Matrix::row_vector(expected))?;
        }
        Ok(())
    }
}

/// Equal to 10 digits of the largest element; what cancels does so to some ulps of 1.
fn same(what: &str, found: Var<'_, f64>, expected: &Matrix<f64>) -> Verdict {
    close(what, &found.value(), expected, 1e-10 * largest([expected]) + 64.0 * f64::EPSILON)
}

fn rows(m: usize, n: usize) -> impl Strategy<Value = Rows> {
    vec(vec(dyadic(-1, 1), n), m)
}

fn activations() -> impl Strategy<Value = Activation> {
    use Activation::{Identity, Relu, Sigmoid, Softplus, Tanh};
    proptest::sample::select(vec![Identity, Sigmoid, Tanh, Relu, Softplus])
}

fn losses() -> impl Strategy<Value = Loss> {
    use Loss::{BinaryCrossEntropy, CrossEntropy, HalfSquared, MeanSquared};
    proptest::sample::select(vec![HalfSquared, MeanSquared, CrossEntropy, BinaryCrossEntropy])
}

/// Of 1 to 4 layers, each 1 to 6 wide, with a batch of 1 to 5.
fn perceptrons() -> impl Strategy<Value = Perceptron> {
    (vec(1..=6usize, 2..=5), 1..=5usize).prop_flat_map(|(widths, batch)| {
        let layers: Vec<_> = widths.windows(2).map(|width| (width[0], width[1])).collect();
        let outputs = widths[widths.len() - 1];
        let weights: Vec<_> = layers.iter().map(|(m, n)| rows(*m, *n)).collect();
        let biases: Vec<_> = layers.iter().map(|(_, n)| vec(dyadic(-1, 1), *n)).collect();
        let targets = vec(vec(dyadic(0, 1), outputs), batch);
        let goal = (losses(), targets, vec(0..outputs, batch));
        let goal = goal.prop_map(|(loss, targets, classes)| Goal { loss, targets, classes });
        (activations(), rows(batch, widths[0]), weights, biases, goal).prop_map(
            |(activation, inputs, weights, biases, goal)| Perceptron { activation, inputs, weights, biases, goal },
        )
    })
}

#[test]
fn gradients_of_random_perceptrons_are_those_of_backpropagation() {
    for_all(2000, "perceptrons", &perceptrons(), |perceptron| perceptron.agrees());
}
