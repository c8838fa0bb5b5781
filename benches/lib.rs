//! What the benches share: networks and data.

use autograd::{Matrix, Real};
use nn::data::Dataset;
use nn::error::DataError;
use nn::{Activation, Mlp, Params};

pub mod programs;

/// A perceptron with these sizes and one activation between its layers; its outputs are logits.
#[must_use]
pub fn network<T: Real>(sizes: &[usize], activation: Activation) -> (Mlp, Params<T>) {
    let mut params = Params::new(1);
    let last = sizes.len() - 1;
    let builder = sizes.iter().enumerate().skip(1).fold(Mlp::new(sizes[0]), |builder, (i, &size)| {
        builder.layer(size, if i == last { Activation::Identity } else { activation })
    });
    let model = builder.build(&mut params);
    (model, params)
}

/// Numbers between 0 and 1 that look random and are always the same.
#[must_use]
pub fn samples<T: Real>(rows: usize, cols: usize) -> Matrix<T> {
    let mut random = nn::Random::new(7);
    Matrix::from_fn(rows, cols, |_, _| T::from_f64(random.unit()))
}

/// Classes `0..classes`, one after the other.
#[must_use]
pub fn classes<T: Real>(rows: usize, classes: usize) -> Matrix<T> {
    Matrix::from_fn(rows, 1, |i, _| T::from_usize(i % classes))
}

/// The first images of MNIST and their classes. Four fifths of the pixels are zero.
///
/// # Errors
/// If the files of the examples cannot be read.
pub fn images<T: Real>(rows: usize) -> Result<(Matrix<T>, Matrix<T>), DataError> {
    let (train, _) = Dataset::<T>::mnist(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/mnist"))?;
    train.batch(&(0..rows).collect::<Vec<_>>())
}
