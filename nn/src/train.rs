//! Training: the loop over epochs and batches, on public pieces.

mod evaluate;
mod step;
mod trainer;

pub use evaluate::{Evaluation, evaluate, predict};
pub use step::TrainingStep;
pub use trainer::{Epoch, History, StopReason, Trainer};
