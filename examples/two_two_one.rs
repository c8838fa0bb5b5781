//! A network of two inputs, two hidden neurons and one output, written number by number, that learns to tell two
//! kinds of people by two measurements; and a check of its nine derivatives against those derived by hand.
//!
//! ```text
//!   h₁ = σ(w₁x₁ + w₂x₂ + b₁)
//!   h₂ = σ(w₃x₁ + w₄x₂ + b₂)          L = (y_true - y)²
//!   y  = σ(w₅h₁ + w₆h₂ + b₃)
//! ```
//!
//! It looks at one person at a time and moves each number `p` of the nine against its derivative, `p ← p - 0.1 ∂L/∂p`;
//! by the chain rule, for example,
//!
//! ```text
//!   ∂L/∂w₁ = ∂L/∂y · ∂y/∂h₁ · ∂h₁/∂w₁ = -2 (y_true - y) · w₅ σ'(w₅h₁ + w₆h₂ + b₃) · x₁ σ'(w₁x₁ + w₂x₂ + b₁)
//! ```
//!
//! The graph derives all nine by itself. At every step they are compared with the formulas written out in [`by_hand`].
//!
//! The notebook that this network comes from has two slips, mended here as it must have been meant: it takes the
//! target from a variable of another cell (`y_true` for `y_train`), and subtracts the derivatives by all three biases
//! from `b1`. It also computes `σ'(z)` as `σ(z) (1 - σ(z))`. That is the same number on paper, but where `σ(z)` is
//! nearly 1 the difference keeps few correct digits, and from `z = 37` on none; `σ(z) σ(-z)` keeps them all.
//!
//! ```text
//! cargo run --release --example two_two_one            # seed 1
//! cargo run --release --example two_two_one -- 7       # other initial weights
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;

use autograd::{CompileError, Graph, NodeId, Program, RunError};
use examples::output_folder;
use nn::Random;
use nn::plot::{Chart, DecisionRegion};

/// Two measurements of a person, and the kind: 1 or 0.
const PEOPLE: [([f64; 2], f64); 4] =
    [([-2.0, -1.0], 1.0), ([25.0, 6.0], 0.0), ([17.0, 4.0], 0.0), ([-15.0, -6.0], 1.0)];
const EMILY: [f64; 2] = [-7.0, -3.0];
const FRANK: [f64; 2] = [20.0, 2.0];
const RATE: f64 = 0.1;
const EPOCHS: usize = 1000;
/// Some dozen roundings of 1.1e-16 each are far below it, the least slip in a formula is far above.
const TOLERANCE: f64 = 1e-12;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let mut network = Network::new(seed)?;
    let training = network.train(EPOCHS)?;
    for (i, (epoch, loss)) in training.losses.iter().enumerate() {
        match i {
            0..10 | 95.. => println!("epoch {epoch:>3}: loss {loss:.6}"),
            10 => println!("…"),
            _ => {}
        }
    }
    println!("\nEmily {EMILY:?}: {:.4}, should be near 1", network.ask(EMILY)?);
    println!("Frank {FRANK:?}: {:.4}, should be near 0\n", network.ask(FRANK)?);

    println!("{} derivatives were compared with those by hand; the largest relative difference was", training.compared);
    println!("  {:.1e} with σ'(z) = σ(z) σ(-z)", training.difference);
    println!("  {:.1e} with σ'(z) = σ(z) (1 - σ(z)), where 1 - σ(z) loses digits\n", training.difference_of_text);
    assert!(training.difference <= TOLERANCE, "a derivative is wrong");
    draw(&mut network, &training)
}

/// The network, compiled to learn and to be asked.
struct Network {
    learn: Program<f64>,
    ask: Program<f64>,
    /// w₁ … w₆, b₁, b₂, b₃.
    parameters: [NodeId; 9],
}

/// What happened while learning.
struct Training {
    /// Every tenth epoch, and the mean squared error over the four people after it.
    losses: Vec<(usize, f64)>,
    /// How many derivatives were compared.
    compared: usize,
    /// The largest relative difference between a derivative of the graph and [`by_hand`].
    difference: f64,
    /// The same, with the slope of the sigmoid computed as in the text.
    difference_of_text: f64,
}

impl Network {
    /// Records the formulas once, with parameters drawn from a normal distribution, and compiles them.
    fn new(seed: u64) -> Result<Self, CompileError> {
        let graph = Graph::new();
        let mut random = Random::new(seed);
        let parameters = [(); 9].map(|()| graph.variable(random.normal()));
        let [w1, w2, w3, w4, w5, w6, b1, b2, b3] = parameters;
        let [x1, x2, y_true] = [(); 3].map(|()| graph.input(1, 1));

        let h1 = (w1 * x1 + w2 * x2 + b1).sigmoid();
        let h2 = (w3 * x1 + w4 * x2 + b2).sigmoid();
        let y = (w5 * h1 + w6 * h2 + b3).sigmoid();
        let loss = (y_true - y).square();

        let gradient = loss.gradient(parameters);
        let updates: Vec<_> = parameters.into_iter().zip(gradient).map(|(p, g)| (p, p - RATE * g)).collect();
        Ok(Self {
            learn: graph.compile(&[x1, x2, y_true], &updates, &gradient)?,
            ask: graph.compile(&[x1, x2], &[], &[y])?,
            parameters: parameters.map(|p| p.id()),
        })
    }

    fn train(&mut self, epochs: usize) -> Result<Training, RunError> {
        let mut training = Training { losses: Vec::new(), compared: 0, difference: 0.0, difference_of_text: 0.0 };
        for epoch in 0..epochs {
            for (x, y_true) in PEOPLE {
                let before = self.values();
                feed(&mut self.learn, &[x[0], x[1], y_true])?;
                let ours = std::array::from_fn(|i| self.learn.item(i));
                let hand = by_hand(&before, x, y_true, slope);
                let text = by_hand(&before, x, y_true, slope_of_text);
                training.difference = larger(training.difference, difference(&ours, &hand));
                training.difference_of_text = larger(training.difference_of_text, difference(&ours, &text));
                training.compared += ours.len();
            }
            if epoch % 10 == 0 {
                training.losses.push((epoch, self.loss()?));
            }
        }
        Ok(training)
    }

    /// The output for a person.
    fn ask(&mut self, x: [f64; 2]) -> Result<f64, RunError> {
        for id in self.parameters {
            if let (Some(to), Some(from)) = (self.ask.state_mut(id), self.learn.state_slice(id)) {
                to.copy_from_slice(from);
            }
        }
        feed(&mut self.ask, &x)?;
        Ok(self.ask.item(0))
    }

    /// The mean squared error over the four people.
    fn loss(&mut self) -> Result<f64, RunError> {
        let mut sum = 0.0;
        for (x, y_true) in PEOPLE {
            sum += (y_true - self.ask(x)?).powi(2);
        }
        Ok(sum / PEOPLE.len() as f64)
    }

    /// The nine parameters as they are.
    fn values(&self) -> [f64; 9] {
        self.parameters.map(|id| self.learn.state_slice(id).map_or(f64::NAN, |value| value[0]))
    }
}

/// Runs a program on numbers.
fn feed(program: &mut Program<f64>, numbers: &[f64]) -> Result<(), RunError> {
    for (i, number) in numbers.iter().enumerate() {
        program.input_mut(i)[0] = *number;
    }
    program.execute()
}

/// ∂L/∂w₁ … ∂L/∂w₆, ∂L/∂b₁, ∂L/∂b₂, ∂L/∂b₃, derived by hand, with the slope σ' of the sigmoid.
fn by_hand(parameters: &[f64; 9], [x1, x2]: [f64; 2], y_true: f64, slope: fn(f64) -> f64) -> [f64; 9] {
    let [w1, w2, w3, w4, w5, w6, b1, b2, b3] = parameters;
    let sum_h1 = w1 * x1 + w2 * x2 + b1;
    let h1 = sigmoid(sum_h1);
    let sum_h2 = w3 * x1 + w4 * x2 + b2;
    let h2 = sigmoid(sum_h2);
    let sum_o1 = w5 * h1 + w6 * h2 + b3;
    let y_pred = sigmoid(sum_o1);

    let d_l_d_ypred = -2.0 * (y_true - y_pred);

    // The output neuron.
    let d_ypred_d_w5 = h1 * slope(sum_o1);
    let d_ypred_d_w6 = h2 * slope(sum_o1);
    let d_ypred_d_b3 = slope(sum_o1);
    let d_ypred_d_h1 = w5 * slope(sum_o1);
    let d_ypred_d_h2 = w6 * slope(sum_o1);

    // The first hidden neuron.
    let d_h1_d_w1 = x1 * slope(sum_h1);
    let d_h1_d_w2 = x2 * slope(sum_h1);
    let d_h1_d_b1 = slope(sum_h1);

    // The second hidden neuron.
    let d_h2_d_w3 = x1 * slope(sum_h2);
    let d_h2_d_w4 = x2 * slope(sum_h2);
    let d_h2_d_b2 = slope(sum_h2);

    [
        d_l_d_ypred * d_ypred_d_h1 * d_h1_d_w1,
        d_l_d_ypred * d_ypred_d_h1 * d_h1_d_w2,
        d_l_d_ypred * d_ypred_d_h2 * d_h2_d_w3,
        d_l_d_ypred * d_ypred_d_h2 * d_h2_d_w4,
        d_l_d_ypred * d_ypred_d_w5,
        d_l_d_ypred * d_ypred_d_w6,
        d_l_d_ypred * d_ypred_d_h1 * d_h1_d_b1,
        d_l_d_ypred * d_ypred_d_h2 * d_h2_d_b2,
        d_l_d_ypred * d_ypred_d_b3,
    ]
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn slope(z: f64) -> f64 {
    sigmoid(z) * sigmoid(-z)
}

fn slope_of_text(z: f64) -> f64 {
    let fx = sigmoid(z);
    fx * (1.0 - fx)
}

/// The largest relative difference between two lists of numbers.
fn difference(a: &[f64; 9], b: &[f64; 9]) -> f64 {
    let relative = |(a, b): (&f64, &f64)| {
        let gap = (a - b).abs();
        if gap == 0.0 { 0.0 } else { gap / a.abs().max(b.abs()) }
    };
    a.iter().zip(b).map(relative).fold(0.0, larger)
}

/// The larger one; NaN is larger than any number, so that it cannot hide.
fn larger(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// Draws the loss and what the network has learned of the plane.
fn draw(network: &mut Network, training: &Training) -> Result<(), Box<dyn Error>> {
    let folder = output_folder()?;
    let points: Vec<(f64, f64)> = training.losses.iter().map(|&(epoch, loss)| (epoch as f64, loss)).collect();
    Chart::new("Four people, network 2-2-1")
        .x_label("epoch")
        .y_label("mean squared error")
        .logarithmic()
        .curve_through("training", &points)
        .write(folder.join("two_two_one_loss.svg"))?;

    let (ones, zeros): (Vec<_>, Vec<_>) = PEOPLE.iter().partition(|(_, y_true)| *y_true > 0.5);
    let points = |people: Vec<([f64; 2], f64)>| people.into_iter().map(|(x, _)| (x[0], x[1])).collect::<Vec<_>>();
    DecisionRegion::new("Four people, what a network 2-2-1 has learned", (-20.0, 30.0), (-10.0, 10.0))?
        .samples(0, &points(zeros))
        .samples(1, &points(ones))
        .samples(2, &[EMILY, FRANK].map(|[x1, x2]| (x1, x2)))
        .legend(&["learned as 0", "learned as 1", "asked"])
        .x_label("x₁")
        .y_label("x₂")
        .write(folder.join("two_two_one_region.svg"), |x, y| network.ask([x, y]).unwrap_or(f64::NAN))?;
    println!("drawn in {}: two_two_one_loss.svg, two_two_one_region.svg", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_by_hand_at_every_step_and_the_network_learns() {
        for seed in 1..=20 {
            let mut network = Network::new(seed).unwrap();
            let training = network.train(EPOCHS).unwrap();
            assert_eq!(training.compared, 9 * 4 * EPOCHS);
            assert!(training.difference <= TOLERANCE, "seed {seed}: {}", training.difference);

            let (loss, emily, frank) =
                (network.loss().unwrap(), network.ask(EMILY).unwrap(), network.ask(FRANK).unwrap());
            println!("seed {seed:>2}: loss {loss:.4}, Emily {emily:.4}, Frank {frank:.4}");
            assert!(loss < 0.005, "seed {seed}: {loss}");
            assert!(emily > 0.9 && frank < 0.1, "seed {seed}: {emily} {frank}");
        }
    }

    #[test]
    fn a_difference_is_found_wherever_it_stands_and_nan_is_one() {
        for i in 0..9 {
            let differing = |number: f64| {
                let mut other = [0.0; 9];
                other[i] = number;
                difference(&[0.0; 9], &other)
            };
            assert!(differing(0.0) <= TOLERANCE);
            assert!(differing(-1e-300) > 0.99);
            assert!(differing(f64::NAN).is_nan() && differing(f64::INFINITY).is_nan());
        }
    }
}
