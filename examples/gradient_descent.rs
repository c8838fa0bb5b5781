//! How many samples should one step of gradient descent look at? One, some, or all of them?
//!
//! Each step goes against the gradient of the mean loss `L` of a *batch* of samples, `w ← w - η ∂L/∂w`:
//!
//! ```text
//!   batch              steps in an epoch of n samples     the gradient is
//!   one sample         n                                  that of one sample: a noisy estimate
//!   mini-batch of m    n / m                              a better estimate
//!   all samples        1                                  exact
//! ```
//!
//! They are compared on 2,000 handwritten digits, with a network 784-32(relu)-10(softmax) and cross-entropy, all from
//! the same initial weights, with the same rate η, for 20 epochs. The loss is that on all training images after each
//! epoch.
//!
//! With all samples the loss falls at every step, but after 20 epochs it has made 20 steps. Single samples have made
//! 40,000: the loss is soon low, but goes up and down, ends above or below that of batches of 10 depending on the seed,
//! and an epoch takes several times as long, for a processor is quicker with many samples at once. Mini-batches have
//! something of both.
//!
//! ```text
//! cargo run --release --example gradient_descent            # seed 1
//! cargo run --release --example gradient_descent -- 7       # another seed
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::ops::ControlFlow;

use examples::{mnist_folder, output_folder, percent};
use nn::data::Dataset;
use nn::error::TrainError;
use nn::optimizer::Sgd;
use nn::plot::Chart;
use nn::{Activation, Evaluation, Mlp, Params, Trainer, evaluate, loss};

const RATE: f64 = 0.05;
const EPOCHS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let (train, test) = Dataset::<f32>::mnist(mnist_folder())?;
    let train = train.take(2000)?;

    println!("                                    loss after epoch        right answers");
    println!("batch    steps    ms an epoch       1       5      20      on test images");
    let mut chart = Chart::new("Gradient descent, 2,000 digits").x_label("epoch");
    for batch in [1, 10, 100, train.len()] {
        let Descent { losses, test, seconds } = Descent::new(&train, &test, (batch, EPOCHS), seed)?;
        let steps = EPOCHS * train.len().div_ceil(batch);
        print!("{batch:>5}   {steps:>6}   {:>12.1}", 1000.0 * seconds / EPOCHS as f64);
        print!("  {:>6.4}  {:>6.4}  {:>6.4}", losses[0], losses[4], losses[EPOCHS - 1]);
        println!("  {:>16.2} %", percent(&test));
        chart = chart.curve(format!("batches of {batch}"), &losses);
    }
    let path = output_folder()?.join("gradient_descent.svg");
    chart.y_label("cross-entropy, nats per image").logarithmic().write(&path)?;
    println!("\ndrawn in {}", path.display());
    Ok(())
}

/// A training by gradient descent.
struct Descent {
    /// The loss on all training images after each epoch.
    losses: Vec<f64>,
    /// On the test images, at the end.
    test: Evaluation,
    /// Time for all steps.
    seconds: f64,
}

impl Descent {
    fn new(
        train: &Dataset<f32>,
        test: &Dataset<f32>,
        (batch, epochs): (usize, usize),
        seed: u64,
    ) -> Result<Self, TrainError> {
        let mut params = Params::new(seed);
        let model = Mlp::new(784).layer(32, Activation::Relu).layer(10, Activation::Identity).build(&mut params);
        let evaluate = |params: &Params<f32>, data| evaluate(&model, &loss::cross_entropy, params, data);
        let mut evaluations = Vec::new();
        let history = Trainer::new(loss::cross_entropy, Sgd::new(RATE))
            .epochs(epochs)
            .batch(batch)
            .seed(seed)
            .on_epoch(|_, params| {
                evaluations.push(evaluate(params, train));
                ControlFlow::Continue(())
            })
            .fit(&model, &mut params, train)?;
        let evaluations = evaluations.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            losses: evaluations.iter().map(|evaluation| evaluation.loss).collect(),
            test: evaluate(&params, test)?,
            seconds: history.epochs.iter().map(|epoch| epoch.seconds).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_batches_get_further_and_only_the_whole_batch_falls_steadily() {
        let (train, test) = Dataset::<f32>::mnist(mnist_folder()).unwrap();
        let (train, test) = (train.take(500).unwrap(), test.take(500).unwrap());
        let [single, mini, whole] = [1, 10, 500].map(|batch| Descent::new(&train, &test, (batch, 10), 1).unwrap());
        let last = |descent: &Descent| descent.losses[9];
        println!("{:?}\n{:?}\n{:?}", single.losses, mini.losses, whole.losses);
        assert!(last(&single) < 0.5 * last(&mini) && last(&mini) < 0.5 * last(&whole));

        let falls = |descent: &Descent| descent.losses.windows(2).all(|pair| pair[1] < pair[0]);
        assert!(falls(&whole) && !falls(&single));
        assert!(percent(&mini.test) > percent(&whole.test));
    }
}
