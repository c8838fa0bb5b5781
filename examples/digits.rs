//! Handwritten digits with the network that explains what a network is: 784 inputs (the pixels of an image of 28 x 28),
//! two hidden layers of 16 neurons, and 10 outputs, one a digit. Each neuron holds a number between 0 and 1:
//!
//! ```text
//!   a' = σ(a W + b)        784·16 + 16·16 + 16·10 weights + 16 + 16 + 10 biases = 13,002 parameters
//! ```
//!
//! The cost of an image is the sum of the squared differences between the ten outputs and what they should be: 1 for the
//! digit that it shows, 0 for the others. The cost of many images is the mean.
//!
//! ```text
//!   Cost(3) = (0.43 - 0)² + (0.28 - 0)² + (0.19 - 0)² + (0.88 - 1)² + …
//! ```
//!
//! Learning is going downhill on it: after every ten images, each parameter takes a step against its derivative. How
//! well the network does is measured on 10,000 images that it never learns from; on those that it learns from it may do
//! well by remembering them. To see that, a second network learns from 1,000 images only: it soon knows nearly all of
//! them, while its cost on the others has stopped falling, and slowly rises.
//!
//! What do the hidden neurons look for? One might hope for strokes and loops. The weights of the first layer are drawn as
//! 16 images, red for positive and blue for negative: a few show a short stroke, most show nothing that has a name. (Their
//! rims are pale because those pixels are black in all images: nothing is learned about them.)
//!
//! ```text
//! cargo run --release --example digits            # seed 1
//! cargo run --release --example digits -- 7       # another seed
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use examples::{mnist_folder, output_folder, percent};
use nn::data::Dataset;
use nn::error::{PlotError, TrainError};
use nn::optimizer::Sgd;
use nn::plot::{Chart, Contrast, ImageGrid};
use nn::{Activation, Evaluation, Mlp, Params, Trainer, evaluate, loss, predict, summary};

const RATE: f64 = 1.0;
const BATCH: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let (train, test) = Dataset::<f32>::mnist(mnist_folder())?;
    let (train, test) = (train.one_hot()?, test.one_hot()?);
    let three = test.labels().and_then(|labels| labels.iter().position(|&label| label == 3)).ok_or("no 3")?;

    let mut network = Network::new(seed);
    println!("{}\n", summary(&network.model, &network.params, train.features()));
    println!("before learning, {}\n", network.cost_of(&test, three)?);
    let epochs = network.learn(&train, &test, 30, seed)?;
    println!("\nafter learning, {}\n", network.cost_of(&test, three)?);

    println!("A second network sees 1,000 of the images only, and each of them more often.\n");
    let few = train.take(1000)?;
    let overfit = Network::new(seed).learn(&few, &test, 100, seed)?;

    let folder = output_folder()?;
    draw_epochs(&folder.join("digits"), "Digits, 60,000 training images", &epochs)?;
    draw_epochs(&folder.join("digits_few"), "Digits, 1,000 training images", &overfit)?;
    let weights = network.params.value(network.model.linear()[0].weight());
    let images = ImageGrid::weights(weights, (28, 28), Contrast::Each)?.columns(8).zoom(4);
    images.write(folder.join("digits_weights.png"))?;
    println!("\ndrawn in {}:", folder.display());
    println!("  digits_cost.svg, digits_accuracy.svg           learning from 60,000 images");
    println!("  digits_few_cost.svg, digits_few_accuracy.svg   learning from 1,000 images");
    println!("  digits_weights.png                             what the first 16 neurons look for");
    Ok(())
}

struct Network {
    model: Mlp,
    params: Params<f32>,
}

/// The cost and the share of right answers after an epoch.
struct Epoch {
    training: Evaluation,
    test: Evaluation,
}

impl Network {
    fn new(seed: u64) -> Self {
        let mut params = Params::new(seed);
        let model = Mlp::new(784)
            .layer(16, Activation::Sigmoid)
            .layer(16, Activation::Sigmoid)
            .layer(10, Activation::Sigmoid)
            .build(&mut params);
        Self { model, params }
    }

    fn learn(
        &mut self,
        train: &Dataset<f32>,
        test: &Dataset<f32>,
        epochs: usize,
        seed: u64,
    ) -> Result<Vec<Epoch>, TrainError> {
        let model = &self.model;
        let measure = |params: &Params<f32>| {
            let training = evaluate(model, &loss::squared_error, params, train)?;
            Ok(Epoch { training, test: evaluate(model, &loss::squared_error, params, test)? })
        };
        print_header(train, test);
        let every = epochs.div_ceil(10);
        let mut measured = Vec::new();
        Trainer::new(loss::squared_error, Sgd::new(RATE))
            .epochs(epochs)
            .batch(BATCH)
            .seed(seed)
            .on_epoch(|epoch, params| {
                let now = measure(params);
                if let Ok(now) = &now
                    && (epoch.number == 1 || epoch.number % every == 0)
                {
                    print_epoch(epoch.number, now);
                }
                measured.push(now);
                ControlFlow::Continue(())
            })
            .fit(model, &mut self.params, train)?;
        measured.into_iter().collect()
    }

    /// The outputs for one image and its cost, written as a sum of squares.
    fn cost_of(&self, data: &Dataset<f32>, index: usize) -> Result<String, TrainError> {
        let image = data.subset(&[index])?;
        let (_, target) = image.batch(&[0])?;
        let output = predict(&self.model, &self.params, &image)?;
        let cost = evaluate(&self.model, &loss::squared_error, &self.params, &image)?.loss;
        let digit = data.labels().map_or(0, |labels| labels[index]);

        let terms = output.as_slice().iter().zip(target.as_slice()).map(|(y, t)| format!("({y:.2} - {t})²"));
        let terms: Vec<String> = terms.collect();
        let (first, second) = (terms[..5].join(" + "), terms[5..].join(" + "));
        Ok(format!("Cost({digit}) = {first} +\n    {second} = {cost:.4}"))
    }
}

fn print_header(train: &Dataset<f32>, test: &Dataset<f32>) {
    println!("        {:>6} training images    {:>6} test images", train.len(), test.len());
    println!("epoch     cost   accuracy           cost   accuracy");
}

fn print_epoch(number: usize, Epoch { training, test }: &Epoch) {
    let (on_training, on_test) = (percent(training), percent(test));
    println!("{number:>5}   {:.4}   {on_training:>6.2} %         {:.4}   {on_test:>6.2} %", training.loss, test.loss);
}

/// Draws cost and accuracy over the epochs, into two files whose names begin so.
fn draw_epochs(begin: &Path, title: &str, epochs: &[Epoch]) -> Result<(), PlotError> {
    let curves = |what: &str, y_label: &str, value: fn(&Evaluation) -> f64| {
        let training: Vec<f64> = epochs.iter().map(|epoch| value(&epoch.training)).collect();
        let test: Vec<f64> = epochs.iter().map(|epoch| value(&epoch.test)).collect();
        let chart = Chart::new(format!("{title}: {what}")).x_label("epoch").y_label(y_label);
        let chart = chart.curve("training images", &training).curve("test images", &test);
        chart.write(format!("{}_{what}.svg", begin.display()))
    };
    curves("cost", "cost of an image, mean", |evaluation| evaluation.loss)?;
    curves("accuracy", "right answers, %", percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(training: usize, test: usize) -> (Dataset<f32>, Dataset<f32>) {
        let (all_training, all_test) = Dataset::<f32>::mnist(mnist_folder()).unwrap();
        let one_hot = |data: Dataset<f32>, n| data.take(n).unwrap().one_hot().unwrap();
        (one_hot(all_training, training), one_hot(all_test, test))
    }

    #[test]
    fn the_network_has_13_002_parameters() {
        let network = Network::new(1);
        assert_eq!(summary(&network.model, &network.params, 784).parameters(), 13_002);
    }

    #[test]
    fn it_learns_to_read_digits_that_it_has_not_seen() {
        let (train, test) = some(6000, 2000);
        let epochs = Network::new(1).learn(&train, &test, 5, 1).unwrap();
        let last = epochs.last().unwrap();
        assert!(percent(&last.test) > 82.0, "{}", percent(&last.test));
        assert!(last.test.loss < 0.5 * epochs[0].test.loss);
    }

    #[test]
    fn from_few_images_it_over_fits() {
        let (train, test) = some(500, 2000);
        let epochs = Network::new(1).learn(&train, &test, 60, 1).unwrap();
        let (half, last) = (&epochs[29], epochs.last().unwrap());
        assert!(percent(&last.training) > 97.0, "it knows the training images");
        assert!(percent(&last.test) < 82.0, "and not the others");
        assert!(last.training.loss < 0.5 * half.training.loss, "the training cost goes on falling");
        assert!(last.test.loss > 0.9 * half.test.loss, "the test cost does not");
    }

    #[test]
    fn the_cost_of_an_image_is_the_sum_of_the_squares_that_are_written() {
        let (_, test) = some(1, 20);
        let network = Network::new(1);
        for index in 0..test.len() {
            let text = network.cost_of(&test, index).unwrap();
            let (terms, cost) = text.split_once('=').unwrap().1.split_once('=').unwrap();
            let squares = terms.split('+').map(|term| {
                let (y, t) = term.trim().trim_start_matches('(').trim_end_matches(")²").split_once(" - ").unwrap();
                (y.parse::<f64>().unwrap() - t.parse::<f64>().unwrap()).powi(2)
            });
            // Ten outputs between 0 and 1, each written with an error of at most 0.005.
            let error = squares.sum::<f64>() - cost.trim().parse::<f64>().unwrap();
            assert!(error.abs() < 10.0 * 2.0 * 0.005, "{text}");
        }
    }
}
