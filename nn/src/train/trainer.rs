//! The loop over epochs and batches.

use core::fmt;
use core::ops::ControlFlow;
use std::time::Instant;

use autograd::{Real, Var};
use indicatif::{ProgressBar, ProgressStyle};

use crate::data::{Batches, Dataset};
use crate::error::{DataError, TrainError};
use crate::layer::Layer;
use crate::metric::Mean;
use crate::optimizer::Optimizer;
use crate::params::Params;
use crate::train::{Evaluation, TrainingStep, evaluate};

/// Trains a model: settings, and [`fit`](Self::fit).
///
/// The same seed gives the same bits, whatever the number of threads. Who wants another loop copies `fit`: it stands on
/// public pieces alone.
///
/// ```
/// use autograd::Matrix;
/// use nn::data::Dataset;
/// use nn::{Activation, Mlp, Params, Trainer, loss, optimizer::Adam};
/// let x = Matrix::from_fn(64, 1, |i, _| i as f64 / 32.0 - 1.0);
/// let data = Dataset::new(x.clone(), x.map(|x| 0.5 * x + 1.0))?;
/// let mut params = Params::new(1);
/// let model = Mlp::new(1).layer(1, Activation::Identity).build(&mut params);
/// let history = Trainer::new(loss::mean_squared_error, Adam { rate: 0.05, ..Adam::default() })
///     .epochs(100)
///     .batch(16)
///     .fit(&model, &mut params, &data)?;
/// assert!(history.last().unwrap().loss < 1e-6);
/// # Ok::<(), nn::error::TrainError>(())
/// ```
pub struct Trainer<'a, T: Real, L, O> {
    loss: L,
    optimizer: O,
    epochs: usize,
    batch: usize,
    seed: u64,
    progress: bool,
    validation: Option<&'a Dataset<T>>,
    schedule: Option<Box<dyn Fn(u64) -> f64 + Send + 'a>>,
    on_epoch: Option<OnEpoch<'a, T>>,
}

/// What is called after each epoch.
type OnEpoch<'a, T> = Box<dyn FnMut(&Epoch, &Params<T>) -> ControlFlow<()> + Send + 'a>;

/// The steps for batches of both sizes; the state is that of `whole` between epochs.
struct Steps<T: Real> {
    whole: TrainingStep<T>,
    /// The step for the last batch of an epoch and its size, if it is smaller than the others.
    rest: Option<(TrainingStep<T>, usize)>,
    /// How many steps were run.
    done: u64,
}

impl<T: Real> Steps<T> {
    /// Runs a step for each batch.
    fn run(
        &mut self,
        data: &Dataset<T>,
        batches: &Batches,
        settings: &[(f64, Vec<f64>)],
        bar: &ProgressBar,
    ) -> Result<ControlFlow<StopReason, Mean>, TrainError> {
        let mut mean = Mean::default();
        for (rows, (rate, scalars)) in batches.into_iter().zip(settings) {
            let step = match &mut self.rest {
                Some((rest, samples)) if *samples == rows.len() => {
                    rest.copy_states_from(&self.whole);
                    rest
                }
                _ => &mut self.whole,
            };
            let (features, targets) = step.batch_mut();
            data.gather(rows, features, targets)?;
            self.done += 1;
            let loss = step.run(*rate, scalars)?.to_f64();
            if !loss.is_finite() {
                return Ok(ControlFlow::Break(StopReason::NonFiniteLoss { step: self.done }));
            }
            mean.add(loss, rows.len());
            bar.inc(rows.len() as u64);
            bar.set_message(format!("loss {:.4}", mean.result().unwrap_or(loss)));
        }
        Ok(ControlFlow::Continue(mean))
    }
}

/// What happened in one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Which epoch, from 1.
    pub number: usize,
    /// The mean loss of a sample over the epoch, each taken before the step that learned from it.
    pub loss: f64,
    /// The evaluation on the validation data after the epoch, if there are such.
    pub validation: Option<Evaluation>,
    /// The learning rate of the last step.
    pub rate: f64,
    /// Time for the steps of the epoch, without the validation, in seconds.
    pub seconds: f64,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs were run.
    Finished,
    /// The function given to [`Trainer::on_epoch`] said so.
    Asked,
    /// The loss of a batch was infinite or NaN. The parameters are those before the epoch in which it happened.
    NonFiniteLoss {
        /// Which step, from 1.
        step: u64,
    },
    /// A parameter was infinite or NaN at the end of an epoch, though no loss was. The parameters are those before that
    /// epoch.
    NonFiniteParameters {
        /// The last step of the epoch, from 1.
        step: u64,
    },
}

/// What happened in a training.
///
/// ```
/// use autograd::Matrix;
/// use nn::{Activation, Mlp, Params, Trainer, data::Dataset, loss, optimizer::Sgd};
/// let data = Dataset::new(Matrix::<f64>::ones(4, 2), Matrix::zeros(4, 1))?;
/// let mut params = Params::new(1);
/// let model = Mlp::new(2).layer(1, Activation::Identity).build(&mut params);
/// let history = Trainer::new(loss::mean_squared_error, Sgd::new(0.1)).epochs(3).fit(&model, &mut params, &data)?;
/// assert_eq!(history.epochs.len(), 3);
/// assert!(history.last().unwrap().loss < history.epochs[0].loss);
/// # Ok::<(), nn::error::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The epochs that were completed.
    pub epochs: Vec<Epoch>,
    /// Why it ended.
    pub stop: StopReason,
}

impl History {
    /// The last completed epoch.
    #[must_use]
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}

impl<'a, T, L, O> Trainer<'a, T, L, O>
where
    T: Real,
    L: for<'g> Fn(Var<'g, T>, Var<'g, T>) -> Var<'g, T>,
    O: Optimizer<T>,
{
    /// Training with this loss and optimiser: 1 epoch, batches of 32, seed 0, no validation, no progress bar.
    #[must_use]
    pub fn new(loss: L, optimizer: O) -> Self {
        let (epochs, batch, seed, progress) = (1, 32, 0, false);
        Self { loss, optimizer, epochs, batch, seed, progress, validation: None, schedule: None, on_epoch: None }
    }

    /// How often all samples are seen.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Samples in a step; the last step of an epoch takes those that are left.
    #[must_use]
    pub fn batch(mut self, samples: usize) -> Self {
        self.batch = samples;
        self
    }

    /// What the order of the samples in each epoch depends on.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Shows a progress bar for each epoch, if the standard error is a terminal.
    #[must_use]
    pub fn progress(mut self, show: bool) -> Self {
        self.progress = show;
        self
    }

    /// Evaluates on these data after each epoch.
    #[must_use]
    pub fn validation(mut self, data: &'a Dataset<T>) -> Self {
        self.validation = Some(data);
        self
    }

    /// The learning rate of each step, counted from 0, in place of the optimiser's own. Before an epoch begins, it is asked for all
    /// of its steps.
    #[must_use]
    pub fn schedule(mut self, rate: impl Fn(u64) -> f64 + Send + 'a) -> Self {
        self.schedule = Some(Box::new(rate));
        self
    }

    /// Called after each epoch with the parameters so far; may end the training.
    #[must_use]
    pub fn on_epoch(mut self, f: impl FnMut(&Epoch, &Params<T>) -> ControlFlow<()> + Send + 'a) -> Self {
        self.on_epoch = Some(Box::new(f));
        self
    }

    /// Trains `model` on `data`, changing `params`. The optimiser's state begins anew.
    ///
    /// # Errors
    /// If there is no sample, the batch size is 0, or a target is no class of the model.
    ///
    /// # Panics
    /// If the model does not take such samples, or the loss not such targets.
    #[track_caller]
    pub fn fit(
        mut self,
        model: &dyn Layer<T>,
        params: &mut Params<T>,
        data: &Dataset<T>,
    ) -> Result<History, TrainError> {
        if self.batch == 0 {
            return Err(DataError::ZeroBatchSize.into());
        }
        let mut steps = self.steps(model, params, data);
        let mut history = History { epochs: Vec::new(), stop: StopReason::Finished };
        for number in 1..=self.epochs {
            let bar = self.bar(number, data.len());
            let mut epoch = match self.pass(number, data, &mut steps, &bar)? {
                ControlFlow::Continue(epoch) => epoch,
                ControlFlow::Break(reason) => {
                    history.stop = reason;
                    return Ok(history);
                }
            };
            steps.whole.store(params);
            if let Some(data) = self.validation {
                epoch.validation = Some(evaluate(model, &self.loss, params, data)?);
            }
            bar.finish_with_message(epoch.to_string());
            history.epochs.push(epoch);
            let go_on = self.on_epoch.as_mut().map_or(ControlFlow::Continue(()), |f| f(&epoch, params));
            if go_on.is_break() {
                history.stop = StopReason::Asked;
                return Ok(history);
            }
        }
        Ok(history)
    }

    /// One pass over the data.
    fn pass(
        &self,
        number: usize,
        data: &Dataset<T>,
        steps: &mut Steps<T>,
        bar: &ProgressBar,
    ) -> Result<ControlFlow<StopReason, Epoch>, TrainError> {
        let start = Instant::now();
        let batches = Batches::shuffled(data.len(), self.batch, self.seed, number)?;
        let settings: Vec<(f64, Vec<f64>)> = (steps.done..).take(batches.len()).map(|t| self.settings(t)).collect();
        let rate = settings.last().map_or_else(|| self.optimizer.rate(), |(rate, _)| *rate);
        // All on a thread of the pool: from outside of it, each step would be handed over, and its end waited for.
        let mean = match rayon::join(|| steps.run(data, &batches, &settings, bar), || ()).0? {
            ControlFlow::Continue(mean) => mean,
            ControlFlow::Break(reason) => return Ok(ControlFlow::Break(reason)),
        };
        if let Some((rest, _)) = &steps.rest {
            steps.whole.copy_states_from(rest);
        }
        if !steps.whole.is_finite() {
            return Ok(ControlFlow::Break(StopReason::NonFiniteParameters { step: steps.done }));
        }
        let loss = mean.result().unwrap_or(f64::NAN);
        let epoch = Epoch { number, loss, validation: None, rate, seconds: start.elapsed().as_secs_f64() };
        Ok(ControlFlow::Continue(epoch))
    }

    /// The learning rate and the optimiser's numbers after so many steps.
    fn settings(&self, done: u64) -> (f64, Vec<f64>) {
        let rate = self.schedule.as_ref().map_or_else(|| self.optimizer.rate(), |schedule| schedule(done));
        (rate, self.optimizer.scalars(done + 1))
    }

    #[track_caller]
    fn steps(&self, model: &dyn Layer<T>, params: &Params<T>, data: &Dataset<T>) -> Steps<T> {
        let (features, targets) = (data.features(), data.targets());
        let (whole, rest) = (self.batch.min(data.len()), data.len() % self.batch);
        let mut steps = Steps {
            whole: TrainingStep::new(model, &self.loss, &self.optimizer, params, (whole, features, targets)),
            rest: None,
            done: 0,
        };
        if rest > 0 && rest != whole {
            let sizes = (rest, features, targets);
            steps.rest = Some((TrainingStep::new(model, &self.loss, &self.optimizer, params, sizes), rest));
        }
        steps
    }

    fn bar(&self, epoch: usize, samples: usize) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let template = "{prefix} {bar:16} {pos}/{len} {msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(samples as u64).with_style(style);
        bar.with_prefix(format!("epoch {epoch}/{}", self.epochs))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.4}", self.loss)?;
        if let Some(validation) = &self.validation {
            write!(f, ", validation {:.4}", validation.loss)?;
            if let Some(accuracy) = validation.accuracy {
                write!(f, " ({:.2} %)", 100.0 * accuracy)?;
            }
        }
        write!(f, ", {:.2} s", self.seconds)
    }
}

impl<T: Real, L, O: fmt::Debug> fmt::Debug for Trainer<'_, T, L, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("optimizer", &self.optimizer)
            .field("epochs", &self.epochs)
            .field("batch", &self.batch)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
