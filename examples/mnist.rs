//! Handwritten digits: the perceptron 784-512(relu)-10(softmax) of a well-known Keras tutorial, trained on the 60,000
//! images of MNIST for 5 epochs in batches of 128 with RMSprop and cross-entropy, then asked about 10,000 images that
//! it has never seen. The tutorial reports 98.9 % on the training and 97.8 % on the test images.
//!
//! ```text
//! cargo run --release --example mnist            # seed 1
//! cargo run --release --example mnist -- 7       # another seed
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::error::Error;

use autograd::Matrix;
use examples::{mnist_folder, output_folder, percent};
use nn::data::Dataset;
use nn::metric::{ConfusionMatrix, predicted_classes};
use nn::optimizer::RmsProp;
use nn::plot::ImageGrid;
use nn::{Activation, History, Mlp, Params, Trainer, evaluate, loss, predict, summary};

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let (train, test) = Dataset::<f32>::mnist(mnist_folder())?;
    let (model, mut params) = network(seed);
    println!("{}\n", summary(&model, &params, train.features()));

    let history = fit(&model, &mut params, &train, &test, 5, seed)?;
    for epoch in &history.epochs {
        println!("epoch {}: {epoch}", epoch.number);
    }
    let on_train = evaluate(&model, &loss::cross_entropy, &params, &train)?;
    let on_test = evaluate(&model, &loss::cross_entropy, &params, &test)?;
    println!("\naccuracy: {:.2} % on the training images,", percent(&on_train));
    println!("          {:.2} % on the test images\n", percent(&on_test));

    let logits = predict(&model, &params, &test)?;
    show_mistakes(&logits, &test)
}

fn network(seed: u64) -> (Mlp, Params<f32>) {
    let mut params = Params::new(seed);
    let model = Mlp::new(784)
        .layer(512, Activation::Relu)
        .layer(10, Activation::Identity) // the softmax is part of the loss
        .build(&mut params);
    (model, params)
}

fn fit(
    model: &Mlp,
    params: &mut Params<f32>,
    train: &Dataset<f32>,
    test: &Dataset<f32>,
    epochs: usize,
    seed: u64,
) -> Result<History, Box<dyn Error>> {
    let trainer = Trainer::new(loss::cross_entropy, RmsProp::default());
    let trainer = trainer.epochs(epochs).batch(128).seed(seed).validation(test).progress(cfg!(not(test)));
    Ok(trainer.fit(model, params, train)?)
}

/// Prints the confusion matrix and the mistakes that the network is surest of, and draws these.
fn show_mistakes(logits: &Matrix<f32>, test: &Dataset<f32>) -> Result<(), Box<dyn Error>> {
    let labels: Vec<usize> = test.labels().unwrap_or_default().iter().map(|&label| label as usize).collect();
    let mut confusion = ConfusionMatrix::new(10);
    confusion.add_batch(logits, &labels)?;
    println!("{confusion}\n");

    let mut mistakes: Vec<(f32, usize, usize)> = predicted_classes(logits)?
        .into_iter()
        .enumerate()
        .filter(|&(i, predicted)| predicted != labels[i])
        .map(|(i, predicted)| (logits[(i, predicted)] - logits[(i, labels[i])], i, predicted))
        .collect();
    mistakes.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("the worst of {} mistakes:", mistakes.len());
    for (margin, i, predicted) in mistakes.iter().take(10) {
        println!("  image {i:>4}: a {}, taken for a {predicted} (logits differ by {margin:.1})", labels[*i]);
    }
    let images: Vec<&[u8]> = mistakes.iter().take(40).filter_map(|&(_, i, _)| test.image(i)).collect();
    let path = output_folder()?.join("mnist_mistakes.png");
    ImageGrid::grey(images, (28, 28))?.columns(10).zoom(3).write(&path)?;
    println!("drawn in {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trains for one epoch on 6,000 images with so many threads; gives the parameters and the accuracy on 2,000 others.
    fn quick(threads: usize) -> (Params<f32>, f64) {
        let (train, test) = Dataset::<f32>::mnist(mnist_folder()).unwrap();
        let (train, test) = (train.take(6000).unwrap(), test.take(2000).unwrap());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (model, mut params) = network(1);
            fit(&model, &mut params, &train, &test, 1, 1).unwrap();
            let evaluation = evaluate(&model, &loss::cross_entropy, &params, &test).unwrap();
            (params, percent(&evaluation))
        })
    }

    #[test]
    fn one_epoch_reads_most_digits_and_has_the_same_bits_on_one_thread_and_on_two() {
        let (params, accuracy) = quick(1);
        println!("accuracy {accuracy:.2} %");
        assert!(accuracy > 84.0, "{accuracy}");
        for ((name, one), (_, two)) in params.iter().zip(quick(2).0.iter()) {
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert!(bits(one.as_slice()) == bits(two.as_slice()), "{name}");
        }
    }
}
