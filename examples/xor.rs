//! XOR, which no single neuron can learn: no straight line parts the points whose answer is 1 from the others.
//! A hidden layer of three neurons bends the line.
//!
//! ```text
//!   h = σ(x W₁ + b₁)      2 inputs, 3 hidden neurons:  2·3 weights + 3 biases
//!   y = σ(h W₂ + b₂)      1 output:                    3·1 weights + 1 bias      13 parameters in all
//! ```
//!
//! The loss is the mean of `(y - t)²` over the four points of the truth table, and each step is one of gradient
//! descent on all four, `p ← p - η ∂L/∂p`. There is no test data: the four points are all there is.
//!
//! Where it ends depends on where it begins. Some initial weights lead to a plateau on which two of the answers stay
//! at ½; so the network is also trained from 40 different seeds, and those that succeed are counted.
//!
//! ```text
//! cargo run --release --example xor            # seed 1
//! cargo run --release --example xor -- 21      # other initial weights: these get stuck
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;

use autograd::{Graph, Matrix};
use examples::output_folder;
use nn::data::Dataset;
use nn::error::TrainError;
use nn::optimizer::Sgd;
use nn::plot::{Chart, DecisionRegion};
use nn::{Activation, Layer, Mlp, Params, Scope, Trainer, loss, predict, summary};

const POINTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const XOR: [f64; 4] = [0.0, 1.0, 1.0, 0.0];
const RATE: f64 = 2.0;
const STEPS: usize = 3000;
const SEEDS: u64 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let learned = Learned::from_seed(seed)?;
    println!("{}\n", summary(&learned.model, &learned.params, 2));
    println!("loss of seed {seed}: {:.4} at first, {:.4} after {STEPS} steps", learned.losses[0], learned.loss());
    for ((x, t), y) in POINTS.iter().zip(XOR).zip(learned.answers) {
        println!("  {} xor {} = {t}, learned {y:.3}", x[0], x[1]);
    }

    let all = (1..=SEEDS).map(Learned::from_seed).collect::<Result<Vec<_>, _>>()?;
    let stuck: Vec<(u64, &Learned)> = (1..=SEEDS).zip(&all).filter(|(_, learned)| !learned.succeeded()).collect();
    println!("\n{} of {SEEDS} seeds learn all four answers to within 0.1", all.len() - stuck.len());
    for (seed, learned) in &stuck {
        println!("  seed {seed} is stuck with the answers {:.2?}", learned.answers);
    }

    let folder = output_folder()?;
    let mut chart = Chart::new("XOR, network 2-3-1").x_label("step").y_label("mean squared error").logarithmic();
    chart = chart.curve(format!("seed {seed}"), &learned.losses);
    for (seed, learned) in stuck.iter().take(1) {
        chart = chart.curve(format!("seed {seed}, stuck"), &learned.losses);
    }
    chart.write(folder.join("xor_loss.svg"))?;
    learned.draw_regions(&folder.join("xor_region.svg"))?;
    println!("\ndrawn in {}: xor_loss.svg, xor_region.svg", folder.display());
    Ok(())
}

/// A trained network.
struct Learned {
    model: Mlp,
    params: Params<f64>,
    /// The loss before each step.
    losses: Vec<f64>,
    /// What it says to the four points.
    answers: [f64; 4],
}

impl Learned {
    fn from_seed(seed: u64) -> Result<Self, TrainError> {
        let table = Dataset::new(Matrix::from(POINTS), Matrix::column_vector(&XOR))?;
        let mut params = Params::new(seed);
        let model = Mlp::new(2).layer(3, Activation::Sigmoid).layer(1, Activation::Sigmoid).build(&mut params);
        // A batch is the whole table, and so an epoch is one step.
        let trainer = Trainer::new(loss::mean_squared_error, Sgd::new(RATE)).batch(4).epochs(STEPS);
        let history = trainer.fit(&model, &mut params, &table)?;
        let outputs = predict(&model, &params, &table)?;
        Ok(Self {
            losses: history.epochs.iter().map(|epoch| epoch.loss).collect(),
            answers: std::array::from_fn(|i| outputs[(i, 0)]),
            model,
            params,
        })
    }

    fn succeeded(&self) -> bool {
        self.answers.iter().zip(XOR).all(|(y, t)| (y - t).abs() < 0.1)
    }

    /// The loss before the last step.
    fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    /// Draws what the network says to each point of the plane, not only to the four.
    fn draw_regions(&self, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
        let graph = Graph::new();
        let point = graph.input(1, 2);
        let answer = self.model.forward(&Scope::new(&graph, &self.params), point);
        let mut network = graph.compile(&[point], &[], &[answer])?;

        DecisionRegion::new("XOR, what a network 2-3-1 has learned", (-0.5, 1.5), (-0.5, 1.5))?
            .samples(0, &[(0.0, 0.0), (1.0, 1.0)])
            .samples(1, &[(0.0, 1.0), (1.0, 0.0)])
            .legend(&["0", "1"])
            .x_label("first input")
            .y_label("second input")
            .write(path, |x, y| network.run(&[&Matrix::from([[x, y]])]).map_or(f64::NAN, |()| network.item(0)))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_parameters_learn_xor() {
        let learned = Learned::from_seed(1).unwrap();
        assert_eq!(summary(&learned.model, &learned.params, 2).parameters(), 13);
        assert!(learned.succeeded(), "{:?}", learned.answers);
        assert!(learned.loss() < 0.01 * learned.losses[0]);
    }

    #[test]
    fn most_initial_weights_lead_to_xor() {
        let successes = (1..=SEEDS).filter(|&seed| Learned::from_seed(seed).unwrap().succeeded()).count();
        println!("{successes} of {SEEDS} seeds");
        assert!(successes >= 36, "{successes} of {SEEDS} seeds");
    }
}
