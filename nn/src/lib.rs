//! Perceptrons, losses, optimisers, data and training on [`autograd`].
//!
//! [`Params`] owns the numbers by name; a [`Layer`] records what it does into a graph; a loss is any function of prediction
//! and target; an [optimiser](optimizer::Optimizer) is an expression of parameter, gradient and state. A
//! [`TrainingStep`] compiles all of that into one program, and a [`Trainer`] loops it over batches and epochs.
//!
//! ```
//! use autograd::Matrix;
//! use nn::data::Dataset;
//! use nn::{Activation, Mlp, Params, Trainer, loss, optimizer::Sgd};
//!
//! let x = Matrix::from([[0.0], [1.0], [2.0], [3.0]]);
//! let data = Dataset::new(x.clone(), x.map(|x| 2.0 * x - 1.0))?;
//! let mut params = Params::<f64>::new(0);
//! let model = Mlp::new(1).layer(1, Activation::Identity).build(&mut params);
//! let trainer = Trainer::new(loss::mean_squared_error, Sgd::new(0.1)).epochs(300).batch(4);
//! let history = trainer.fit(&model, &mut params, &data)?;
//! assert!(history.epochs[299].loss < 1e-6);
//! # Ok::<(), nn::error::TrainError>(())
//! ```

mod activation;
pub mod check;
mod checkpoint;
pub mod data;
pub mod error;
mod file;
pub mod init;
mod layer;
pub mod loss;
pub mod metric;
pub mod optimizer;
mod params;
pub mod plot;
mod random;
pub mod train;

pub use activation::Activation;
pub use checkpoint::{load, save};
pub use layer::{Layer, Linear, Mlp, MlpBuilder, Sequential, Summary, summary};
pub use params::{ParamId, Params, Scope};
pub use random::Random;
pub use train::{Epoch, Evaluation, History, StopReason, Trainer, TrainingStep, evaluate, predict};

/// The project's README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
