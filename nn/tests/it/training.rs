//! Training: the loop against a loop written by hand, its bits, its ends, and what models say about data.

use std::ops::ControlFlow;
use std::sync::Mutex;

use autograd::{Matrix, Real, RunError, Var};
use nn::data::{Batches, Dataset};
use nn::error::{DataError, MetricError, TrainError};
use nn::optimizer::{Adam, Optimizer, RmsProp, Sgd, Step};
use nn::{
    Activation, Epoch, Evaluation, History, Mlp, Params, Random, StopReason, Trainer, TrainingStep, evaluate, loss,
    predict,
};

use crate::support::{bits, panic_of};

/// `samples` samples of `features` numbers with a class each, from a seed.
fn classification<T: Real>(samples: usize, features: usize, classes: usize) -> Dataset<T> {
    let mut random = Random::new(11);
    let x = Matrix::from_fn(samples, features, |_, _| T::from_f64(random.uniform(-1.0, 1.0)));
    let labels = (0..samples).map(|_| u32::try_from(random.below(classes)).unwrap()).collect();
    Dataset::labelled(x, labels, classes).unwrap()
}

/// Seven samples of two numbers, with one number to learn.
fn seven() -> Dataset<f64> {
    let x = Matrix::from_fn(7, 2, |i, j| f64::from_usize((i * 5 + j * 3) % 7) / 4.0 - 0.75);
    let t = Matrix::from_fn(7, 1, |i, _| f64::from_usize((i * 3) % 7) / 2.0 - 1.0);
    Dataset::new(x, t).unwrap()
}

/// `y = x W + b` from two numbers to one.
fn line_model(params: &mut Params<f64>) -> Mlp {
    Mlp::new(2).layer(1, Activation::Identity).build(params)
}

/// A history without the time that it took.
fn untimed(history: &History) -> History {
    let epochs = history.epochs.iter().map(|epoch| Epoch { seconds: 0.0, ..*epoch }).collect();
    History { epochs, stop: history.stop }
}

/// What a small training ends in.
fn small_run(seed: u64) -> (Vec<(String, String, Vec<u64>)>, History) {
    let data = classification::<f32>(50, 4, 3);
    let mut params = Params::new(5);
    let model = Mlp::new(4).layer(8, Activation::Tanh).layer(3, Activation::Identity).build(&mut params);
    let trainer = Trainer::new(loss::cross_entropy, Adam::default()).epochs(4).batch(8).seed(seed);
    let history = trainer.validation(&data).fit(&model, &mut params, &data).unwrap();
    (bits(&params), history)
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_one_does_not() {
    let ((params, history), (again, history_again), (other, _)) = (small_run(1), small_run(1), small_run(2));
    assert_eq!(params, again);
    assert_eq!(untimed(&history), untimed(&history_again));
    assert_ne!(params, other);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    // Products of 400 · 64 · 512 and element-wise kernels over 400 · 512 numbers: enough for several threads.
    let run = || {
        let data = classification::<f32>(500, 64, 10);
        let mut params = Params::new(3);
        let model = Mlp::new(64).layer(512, Activation::Relu).layer(10, Activation::Identity).build(&mut params);
        let trainer = Trainer::new(loss::cross_entropy, RmsProp::default()).batch(400).validation(&data);
        let history = trainer.fit(&model, &mut params, &data).unwrap();
        (bits(&params), untimed(&history))
    };
    let [one, two, three] =
        [1, 2, 3].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run));
    assert!(one == two && two == three);
}

/// Momentum, mean square and all else of linear regression with squared error, in plain loops.
struct ByHand {
    w: [f64; 3],
    v: [f64; 3],
}

impl ByHand {
    fn new(params: &Params<f64>) -> Self {
        let numbers: Vec<f64> = params.iter().flat_map(|(_, value)| value.as_slice().to_vec()).collect();
        Self { w: [numbers[0], numbers[1], numbers[2]], v: [0.0; 3] }
    }

    /// One step of descent with momentum; the mean squared error before it.
    fn step(&mut self, samples: &[([f64; 2], f64)], rate: f64, momentum: f64) -> f64 {
        let n = f64::from_usize(samples.len());
        let (mut loss, mut gradient) = (0.0, [0.0; 3]);
        for ([x1, x2], t) in samples {
            let error = self.w[0] * x1 + self.w[1] * x2 + self.w[2] - t;
            loss += error * error / n;
            for (g, x) in gradient.iter_mut().zip([*x1, *x2, 1.0]) {
                *g += 2.0 * error * x / n;
            }
        }
        for ((w, v), g) in self.w.iter_mut().zip(&mut self.v).zip(gradient) {
            *v = momentum * *v + g;
            *w -= rate * *v;
        }
        loss
    }
}

#[test]
fn an_epoch_trains_on_every_sample_also_those_of_the_smaller_last_batch() {
    let (data, seed) = (seven(), 9);
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let mut by_hand = ByHand::new(&params);
    let sgd = Sgd { momentum: 0.5, ..Sgd::new(0.05) };
    let trainer = Trainer::new(loss::mean_squared_error, sgd).epochs(5).batch(3).seed(seed);
    let history = trainer.fit(&model, &mut params, &data).unwrap();

    assert_eq!((history.epochs.len(), history.stop), (5, StopReason::Finished));
    for (number, epoch) in (1..).zip(&history.epochs) {
        let mut sum = 0.0;
        for rows in &Batches::shuffled(7, 3, seed, number).unwrap() {
            let (x, t) = data.batch(rows).unwrap();
            let samples: Vec<_> = (0..rows.len()).map(|i| ([x[(i, 0)], x[(i, 1)]], t[(i, 0)])).collect();
            sum += f64::from_usize(rows.len()) * by_hand.step(&samples, 0.05, 0.5);
        }
        assert_eq!(epoch.number, number);
        // A dozen roundings of numbers up to 4 in each of the 15 steps.
        let error = (epoch.loss - sum / 7.0).abs();
        assert!(error <= 1e-14, "epoch {number}: {} is off by {error:e}", epoch.loss);
    }
    let found: Vec<f64> = params.iter().flat_map(|(_, value)| value.as_slice().to_vec()).collect();
    for (found, expected) in found.iter().zip(by_hand.w) {
        assert!((found - expected).abs() <= 1e-14, "{found}, not {expected}");
    }
}

#[test]
fn the_state_of_an_optimiser_passes_through_batches_of_both_sizes() {
    let (data, seed) = (seven(), 4);
    let mut params = Params::<f64>::new(1);
    let model = line_model(&mut params);
    let adam = Adam { rate: 0.05, ..Adam::default() };
    let (mut whole, mut rest) = {
        let step = |n| TrainingStep::new(&model, &loss::mean_squared_error, &adam, &params, (n, 2, 1));
        (step(3), step(1))
    };
    let mut by_hand = params.clone();
    let mut t = 0;
    for number in 1..=4 {
        for rows in &Batches::shuffled(7, 3, seed, number).unwrap() {
            let (step, other) = if rows.len() == 3 { (&mut whole, &rest) } else { (&mut rest, &whole) };
            // After a step of the one size the other one is always behind.
            if t > 0 && (t % 3 == 0 || rows.len() == 1) {
                step.copy_states_from(other);
            }
            let (x, y) = step.batch_mut();
            data.gather(rows, x, y).unwrap();
            t += 1;
            let scalars = Optimizer::<f64>::scalars(&adam, t);
            step.run(0.05, &scalars).unwrap();
            step.store(&mut by_hand);
        }
    }
    let trainer = Trainer::new(loss::mean_squared_error, adam).epochs(4).batch(3).seed(seed);
    trainer.fit(&model, &mut params, &data).unwrap();
    assert_eq!(bits(&params), bits(&by_hand));
}

#[test]
fn a_batch_larger_than_the_data_is_all_of_the_data() {
    let data = seven();
    let run = |batch: usize| {
        let mut params = Params::new(1);
        let model = line_model(&mut params);
        let trainer = Trainer::new(loss::squared_error, Sgd::new(0.05)).epochs(3).batch(batch);
        trainer.fit(&model, &mut params, &data).unwrap();
        bits(&params)
    };
    assert_eq!(run(7), run(8));
    assert_eq!(run(7), run(usize::MAX));
}

#[test]
fn the_validation_of_an_epoch_is_what_evaluate_says_of_its_parameters() {
    let (data, held_out) = classification::<f64>(40, 3, 4).split(25).unwrap();
    let mut params = Params::new(2);
    let model = Mlp::new(3).layer(5, Activation::Sigmoid).layer(4, Activation::Identity).build(&mut params);
    let mut seen = Vec::new();
    let trainer = Trainer::new(loss::cross_entropy, Sgd::new(0.5)).epochs(3).batch(10).validation(&held_out);
    let trainer = trainer.on_epoch(|epoch, params| {
        let evaluation = evaluate(&model, &loss::cross_entropy, params, &held_out).unwrap();
        assert_eq!(epoch.validation, Some(evaluation));
        seen.push((*epoch, bits(params)));
        ControlFlow::Continue(())
    });
    let history = trainer.fit(&model, &mut params, &data).unwrap();
    let epochs: Vec<Epoch> = seen.iter().map(|(epoch, _)| *epoch).collect();
    assert_eq!(epochs, history.epochs);
    assert_eq!(history.last(), epochs.last());
    assert_eq!(seen[2].1, bits(&params));
    assert_ne!(seen[1].1, seen[2].1);
    let validation = epochs[0].validation.unwrap();
    assert_eq!(validation.samples, 15);
    assert!(validation.accuracy.is_some());
}

#[test]
fn a_schedule_gives_the_rate_of_every_step_counted_from_0() {
    let asked = Mutex::new(Vec::new());
    let rate = |t: u64| 0.1 / (1.0 + t as f64);
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let trainer = Trainer::new(loss::squared_error, Sgd::new(7.0)).epochs(2).batch(3);
    let trainer = trainer.schedule(|t| {
        asked.lock().unwrap().push(t);
        rate(t)
    });
    let history = trainer.fit(&model, &mut params, &seven()).unwrap();
    assert_eq!(*asked.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
    let rates: Vec<f64> = history.epochs.iter().map(|epoch| epoch.rate).collect();
    assert_eq!(rates, [rate(2), rate(5)]);
}

#[test]
fn a_constant_schedule_is_the_rate_of_the_optimiser() {
    let run = |sgd: Sgd, rate: Option<f64>| {
        let mut params = Params::new(1);
        let model = line_model(&mut params);
        let mut trainer = Trainer::new(loss::squared_error, sgd).epochs(2).batch(2);
        if let Some(rate) = rate {
            trainer = trainer.schedule(move |_| rate);
        }
        let history = trainer.fit(&model, &mut params, &seven()).unwrap();
        (bits(&params), untimed(&history))
    };
    assert_eq!(run(Sgd::new(0.05), None), run(Sgd::new(123.0), Some(0.05)));
    assert_ne!(run(Sgd::new(0.05), None).0, run(Sgd::new(0.05), Some(0.04)).0);
}

#[test]
fn training_ends_when_it_is_asked_to() {
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let mut last = Vec::new();
    let trainer = Trainer::new(loss::squared_error, Sgd::new(0.01)).epochs(100);
    let trainer = trainer.on_epoch(|epoch, params| {
        last = bits(params);
        if epoch.number == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let history = trainer.fit(&model, &mut params, &seven()).unwrap();
    assert_eq!((history.stop, history.epochs.len()), (StopReason::Asked, 3));
    assert_eq!(bits(&params), last);
}

#[test]
fn a_closure_is_a_loss_and_a_progress_bar_changes_nothing() {
    let run = |closure: bool| {
        let mut params = Params::new(1);
        let model = line_model(&mut params);
        let sgd = Sgd::new(0.05);
        if closure {
            let trainer = Trainer::new(|y: Var<'_, f64>, t| (y - t).square().mean(), sgd).progress(true);
            trainer.epochs(2).fit(&model, &mut params, &seven()).unwrap();
        } else {
            let trainer = Trainer::new(loss::mean_squared_error, sgd);
            trainer.epochs(2).fit(&model, &mut params, &seven()).unwrap();
        }
        bits(&params)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn no_epochs_change_nothing() {
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let before = bits(&params);
    let trainer = Trainer::new(loss::squared_error, Sgd::new(0.01)).epochs(0);
    let history = trainer.fit(&model, &mut params, &seven()).unwrap();
    assert_eq!((history.stop, history.epochs.len(), history.last()), (StopReason::Finished, 0, None));
    assert_eq!(bits(&params), before);
}

#[test]
fn a_loss_that_grows_beyond_all_numbers_ends_training_before_the_epoch_that_did() {
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let mut last = bits(&params);
    // The error grows by about 1e20 with each of the three steps of an epoch.
    let trainer = Trainer::new(loss::squared_error, Sgd::new(1e20)).epochs(100).batch(3).on_epoch(|_, params| {
        last = bits(params);
        ControlFlow::Continue(())
    });
    let history = trainer.fit(&model, &mut params, &seven()).unwrap();
    let StopReason::NonFiniteLoss { step } = history.stop else { panic!("{:?}", history.stop) };
    let done = u64::try_from(history.epochs.len()).unwrap();
    assert!(done > 0 && (3 * done + 1..=3 * done + 3).contains(&step), "step {step} after {done} epochs");
    assert!(history.epochs.iter().all(|epoch| epoch.loss.is_finite()));
    assert_eq!(bits(&params), last);
    assert!(params.iter().all(|(_, value)| value.as_slice().iter().all(|x| x.is_finite())));
}

/// Leaves every parameter infinite, whatever the loss.
struct Explosion;

impl<T: Real> Optimizer<T> for Explosion {
    fn rate(&self) -> f64 {
        1.0
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        (step.parameter + step.rate * T::INFINITY, vec![])
    }
}

#[test]
fn parameters_that_end_an_epoch_infinite_are_not_kept() {
    // One step an epoch: the loss, taken before it, is finite.
    let mut params = Params::new(1);
    let model = line_model(&mut params);
    let before = bits(&params);
    let trainer = Trainer::new(loss::squared_error, Explosion).batch(7).epochs(3);
    let history = trainer.fit(&model, &mut params, &seven()).unwrap();
    assert_eq!(history.stop, StopReason::NonFiniteParameters { step: 1 });
    assert_eq!(history.epochs, []);
    assert_eq!(bits(&params), before);
}

#[test]
fn batches_of_nothing_are_refused() {
    for epochs in [0, 1] {
        let mut params = Params::new(1);
        let model = line_model(&mut params);
        let trainer = Trainer::new(loss::squared_error, Sgd::new(0.1)).batch(0).epochs(epochs);
        let error = trainer.fit(&model, &mut params, &seven()).unwrap_err();
        assert!(matches!(error, TrainError::Data(DataError::ZeroBatchSize)), "{error}");
        assert_eq!(error.to_string(), "a batch must hold at least one sample");
    }
}

#[test]
fn data_without_a_sample_cannot_be_made() {
    let error = Dataset::new(Matrix::<f64>::zeros(0, 2), Matrix::zeros(0, 1)).unwrap_err();
    assert!(matches!(error, DataError::EmptyDataset { samples: 0, features: 2 }), "{error}");
    assert!(Dataset::labelled(Matrix::<f64>::zeros(0, 2), vec![], 3).is_err());
    assert!(seven().take(0).is_err());
}

#[test]
fn a_label_that_is_no_class_of_the_model_is_an_error_and_changes_nothing() {
    let data = Dataset::labelled(Matrix::<f64>::ones(4, 2), vec![0, 1, 2, 4], 5).unwrap();
    let mut params = Params::new(1);
    let model = Mlp::new(2).layer(3, Activation::Identity).build(&mut params);
    let before = bits(&params);
    let trainer = Trainer::new(loss::cross_entropy, Sgd::new(0.1)).batch(1);
    let errors = [
        trainer.fit(&model, &mut params, &data).unwrap_err(),
        evaluate(&model, &loss::cross_entropy, &params, &data).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, TrainError::Run(RunError::Index { bound: 3, .. })), "{error}");
        assert!(error.to_string().contains("is 4, not a whole number in 0..3"), "{error}");
    }
    assert_eq!(bits(&params), before);
    // A loss that does not look at classes leaves it to the accuracy.
    let error = evaluate(&model, &zero, &params, &data).unwrap_err();
    assert!(matches!(error, TrainError::Metric(MetricError::ClassOutOfRange { class: 4, classes: 3, .. })), "{error}");
}

/// Logits as features of a model that does nothing.
fn logits() -> Dataset<f64> {
    let rows = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0], [-1.0, -2.0, -3.0], [0.0, 0.0, 5.0]];
    Dataset::labelled(Matrix::from(rows), vec![0, 2, 1, 0, 2], 3).unwrap()
}

#[test]
fn accuracy_is_the_share_of_samples_whose_largest_logit_is_their_class() {
    // Right, wrong, a tie of which the first one counts (wrong), right, right.
    let evaluation = evaluate(&Activation::Identity, &loss::cross_entropy, &Params::new(0), &logits()).unwrap();
    assert_eq!((evaluation.accuracy, evaluation.samples), (Some(0.6), 5));
    let lse = |row: [f64; 3]| row.iter().map(|x| x.exp()).sum::<f64>().ln();
    let losses = [
        lse([2.0, 1.0, 0.0]) - 2.0,
        lse([0.0, 3.0, 1.0]) - 1.0,
        lse([1.0, 1.0, 0.0]) - 1.0,
        lse([-1.0, -2.0, -3.0]) + 1.0,
        lse([0.0, 0.0, 5.0]) - 5.0,
    ];
    let mean = losses.iter().sum::<f64>() / 5.0;
    assert!((evaluation.loss - mean).abs() < 1e-15 * 16.0, "{} {mean}", evaluation.loss);
}

#[test]
fn numbers_as_targets_have_no_accuracy_and_one_hot_ones_do() {
    let identity = Activation::Identity;
    let data = Dataset::new(Matrix::from([[1.0], [3.0]]), Matrix::from([[0.0], [0.0]])).unwrap();
    let evaluation = evaluate(&identity, &loss::squared_error, &Params::new(0), &data).unwrap();
    assert_eq!(evaluation, Evaluation { loss: 5.0, accuracy: None, samples: 2 });
    let one_hot = logits().one_hot().unwrap();
    let evaluation = evaluate(&identity, &loss::squared_error, &Params::new(0), &one_hot).unwrap();
    assert_eq!(evaluation.accuracy, Some(0.6));
}

#[test]
fn a_nan_among_the_logits_is_an_error_of_the_accuracy() {
    let data = Dataset::labelled(Matrix::from([[0.0, f64::NAN]]), vec![0], 2).unwrap();
    let error = evaluate(&Activation::Identity, &loss::cross_entropy, &Params::new(0), &data).unwrap_err();
    assert!(matches!(error, TrainError::Metric(MetricError::NotANumber { row: 0, column: 1 })), "{error}");
}

#[test]
fn predictions_come_in_the_order_of_the_samples_whatever_their_number() {
    for samples in [1, 2, 499, 500, 501, 999, 1000, 1001] {
        let x = Matrix::from_fn(samples, 2, |i, j| f64::from_usize(2 * i + j));
        let data = Dataset::new(x.clone(), Matrix::zeros(samples, 1)).unwrap();
        assert_eq!(predict(&Activation::Identity, &Params::new(0), &data).unwrap(), x);
        // Σ (i mod 7)² over the samples, wherever the batches end: whole numbers, exact.
        let targets = Matrix::from_fn(samples, 2, |i, j| f64::from_usize(2 * i + j + i % 7));
        let data = Dataset::new(x, targets).unwrap();
        let evaluation = evaluate(&Activation::Identity, &loss::squared_error, &Params::new(0), &data).unwrap();
        let sum: usize = (0..samples).map(|i| 2 * (i % 7).pow(2)).sum();
        let mean = f64::from_usize(sum) / f64::from_usize(samples);
        // One rounding for the mean of each of three batches, and three to join them.
        assert!((evaluation.loss - mean).abs() <= 6.0 * f64::EPSILON * mean, "{samples}: {}", evaluation.loss);
        assert_eq!(evaluation.samples, samples);
    }
}

#[test]
fn a_model_that_does_not_take_such_samples_is_refused_with_the_users_line() {
    let mut params = Params::new(0);
    let model = Mlp::new(3).layer(1, Activation::Identity).build::<f64>(&mut params);
    let here = |message: &str, line: u32| {
        let place = format!("{}:{line}:", file!());
        assert!(message.starts_with("matmul: 7x2 by 3x1: left columns (2) must equal right rows (3)"), "{message}");
        assert_eq!(message.matches(&place).count(), 2, "{message} should name {place}");
    };
    let data = seven();
    let base = line!();
    let trainer = Trainer::new(loss::squared_error, Sgd::new(0.1));
    let fit = panic_of(|| trainer.fit(&model, &mut params.clone(), &data));
    here(&fit.message, base + 2);
    here(&panic_of(|| predict(&model, &params, &data)).message, base + 4);
    here(&panic_of(|| evaluate(&model, &loss::squared_error, &params, &data)).message, base + 5);
    let new = || TrainingStep::new(&model, &loss::squared_error, &Sgd::new(0.1), &params, (7, 2, 1));
    here(&panic_of(new).message, base + 6);
}

#[test]
fn a_loss_of_another_shape_than_its_target_is_refused_with_the_users_line() {
    let mut params = Params::new(0);
    let model = Mlp::new(2).layer(2, Activation::Identity).build::<f64>(&mut params);
    let data = seven();
    let trainer = Trainer::new(loss::squared_error, Sgd::new(0.1));
    let base = line!();
    let caught = panic_of(|| trainer.fit(&model, &mut params, &data));
    let start = "squared_error: prediction 7x2 and target 7x1: a loss does not broadcast; prediction made at ";
    assert!(caught.message.starts_with(start), "{caught:?}");
    let end = format!("target at {}:{}:", file!(), base + 1);
    assert!(caught.message.contains(&end), "{caught:?} should name {end}");
}

#[test]
fn a_loss_that_is_no_number_or_forgets_the_model_is_refused() {
    let mut params = Params::new(0);
    let model = line_model(&mut params);
    let data = seven();
    fn unsummed<'g>(y: Var<'g, f64>, t: Var<'g, f64>) -> Var<'g, f64> {
        y - t
    }
    let trainer = Trainer::new(unsummed, Sgd::new(0.1));
    let caught = panic_of(|| trainer.fit(&model, &mut params, &data));
    assert!(caught.message.starts_with("gradient: the 7x1 value made at "), "{caught:?}");
    let trainer = Trainer::new(zero, Sgd::new(0.1));
    let caught = panic_of(|| trainer.fit(&model, &mut params, &data));
    assert!(caught.message.starts_with("gradient: no derivative flows from "), "{caught:?}");
}

/// A loss that looks at nothing.
fn zero<'g>(y: Var<'g, f64>, _: Var<'g, f64>) -> Var<'g, f64> {
    y.scalar(0.0)
}

#[test]
fn an_epoch_reads_well() {
    let validation = Some(Evaluation { loss: 0.25, accuracy: Some(0.9876), samples: 10 });
    let epoch = Epoch { number: 2, loss: 1.0 / 3.0, validation, rate: 0.1, seconds: 1.239 };
    assert_eq!(epoch.to_string(), "loss 0.3333, validation 0.2500 (98.76 %), 1.24 s");
    let epoch = Epoch { validation: None, ..epoch };
    assert_eq!(epoch.to_string(), "loss 0.3333, 1.24 s");
}
