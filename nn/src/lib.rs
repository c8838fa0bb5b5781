//! Perceptrons on `autograd`.

mod activation;
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
