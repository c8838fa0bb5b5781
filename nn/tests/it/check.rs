//! Losses, activations, layers, models and optimisers under the gradient checker, and faults in them.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use autograd::check::{BlameKind, Cause, Check, Reason, Report, Side, Verdict, derivative};
use autograd::op::CustomOp;
use autograd::{Axis, Matrix, Real, Shape, Var, View};
use nn::check::CheckNetwork;
use nn::init::Initializer;
use nn::loss::{self, Loss};
use nn::optimizer::{Adam, Optimizer, RmsProp, Sgd, Step};
use nn::{Activation, Layer, Linear, Mlp, ParamId, Params, Random, Scope, Sequential};

use crate::support::{TorchRmsProp, panic_of};

/// Words that follow `before` at the start of a line of the source.
fn words(source: &str, before: &str) -> BTreeSet<String> {
    let rest = source.lines().filter_map(|line| line.trim_start().strip_prefix(before));
    rest.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// Multiples of 1/8 from -2 to 2, of which none is twice as frequent as another; not 0.
fn numbers<T: Real>(rows: usize, cols: usize, phase: usize) -> Matrix<T> {
    Matrix::from_fn(rows, cols, |i, j| {
        let k = (7 * (i * cols + j) + 5 * phase + 3) % 32;
        T::from_f64((k as f64 - 15.5) / 8.0)
    })
}

/// A loss with its name, and a target of three samples in its domain.
type Sample<T> = (&'static str, &'static dyn Loss<T>, Matrix<T>);

fn losses<T: Real>() -> Vec<Sample<T>> {
    let classes = Matrix::from([[2.0], [0.0], [1.0]]).cast();
    let shares: Matrix<T> = Matrix::from([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.25, 0.625]]).cast();
    let signs = Matrix::from([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]).cast();
    vec![
        ("squared_error", &loss::squared_error, numbers(3, 3, 1)),
        ("mean_squared_error", &loss::mean_squared_error, numbers(3, 3, 1)),
        ("cross_entropy", &loss::cross_entropy, classes),
        ("cross_entropy_probabilities", &loss::cross_entropy_probabilities, shares.clone()),
        ("binary_cross_entropy", &loss::binary_cross_entropy, shares.clone()),
        ("kullback_leibler", &|y, t| loss::kullback_leibler(y.log_softmax(Axis::Columns), t), shares),
        ("exponential", &loss::exponential, signs),
    ]
}

fn every_loss<T: Real>() {
    for (name, loss, target) in losses::<T>() {
        let sure = |by: f64| numbers(3, 3, 0).map(|y: T| y * T::from_f64(by));
        // The second prediction has equal elements.
        for (k, prediction) in [sure(1.0), Matrix::zeros(3, 3), sure(4.0)].iter().enumerate() {
            let report = Check::new().loss(loss, prediction, &target);
            assert!(report.is_pass(), "{name}, prediction {k}, {}:\n{report}", T::NAME);
        }
        // So sure that some elements vanish beside the others: too small to be told from noise, but not wrong.
        let report = Check::new().loss(loss, &sure(16.0), &target);
        assert!(!report.is_fail(), "{name}, {}:\n{report}", T::NAME);
    }
}

#[test]
fn every_loss_passes_at_first_and_second_order() {
    every_loss::<f64>();
    every_loss::<f32>();
    let all = words(include_str!("../../src/loss.rs"), "pub fn ");
    assert_eq!(set(losses::<f64>().iter().map(|(name, ..)| *name)), all, "a loss is not checked");
}

#[test]
fn a_wrong_loss_is_found_and_its_line_named() {
    let line = line!() + 2;
    let loss: &dyn Loss<f64> = &|y, t| {
        let square = (y - t).square().with_gradient(&[y, t], |g, x, _| vec![g * (x[0] - x[1]), g * (x[1] - x[0])]);
        square.mean()
    };
    let report = Check::new().loss(loss, &numbers(3, 2, 0), &numbers(3, 2, 1));
    assert!(report.is_fail(), "{report}");
    let site = report.blame[0].site.as_ref().unwrap();
    assert!(site.file.ends_with("check.rs") && site.line == line, "{report}");
    assert!(report.to_string().contains("missing factor 2"), "{report}");
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Sigmoid,
    Activation::Tanh,
    Activation::Softplus,
    Activation::Softmax,
];

fn every_activation<T: Real>() {
    let params = Params::<T>::new(0);
    for activation in ACTIVATIONS {
        // On the kink of relu, and where sigmoid and tanh are flat, too.
        let flat = Matrix::from([[0.0, 12.0, -12.0], [-0.0, 0.0, 1.0]]).cast();
        for x in [numbers(3, 4, 2), flat, Matrix::zeros(2, 3)] {
            let report = Check::new().layer(&activation, &params, &x);
            assert!(report.is_pass(), "{activation:?}, {}:\n{report}", T::NAME);
        }
    }
}

#[test]
fn every_activation_passes_on_its_kinks_too() {
    every_activation::<f64>();
    every_activation::<f32>();
    let all = words(include_str!("../../src/activation.rs"), "Self::");
    assert_eq!(set(ACTIVATIONS.map(|activation| format!("{activation:?}")).iter().map(String::as_str)), all);
    let on_kink = Check::new().layer(&Activation::Relu, &Params::<f64>::new(0), &Matrix::zeros(1, 2));
    assert!(on_kink.is_pass() && on_kink.kinks.len() == 2, "{on_kink}");
}

/// A perceptron of three layers with random biases.
fn mlp<T: Real>(seed: u64, activation: Activation) -> (Mlp, Params<T>) {
    let mut params = Params::new(seed);
    let model = Mlp::new(3).layer(5, activation).layer(4, activation).layer(3, Activation::Identity);
    let model = model.biases(Initializer::glorot_uniform()).build(&mut params);
    (model, params)
}

fn every_layer<T: Real>() {
    let (model, mut params) = mlp::<T>(3, Activation::Tanh);
    let linear = Linear::new(&mut params, "more", (3, 2), Initializer::he_normal(), Initializer::glorot_uniform());
    let deep = Sequential::new().then(model.clone()).then(Activation::Softplus).then(linear);
    let layers: [(&dyn Layer<T>, usize); 3] = [(&model, 6), (&linear, 2), (&deep, 8)];
    for (layer, count) in layers {
        let report = Check::new().layer(layer, &params, &numbers(4, 3, 1));
        assert!(report.is_pass(), "{}, {}:\n{report}", layer.name(), T::NAME);
        let gradients = report.parts.iter().find(|part| part.name == "gradient").unwrap();
        let numbers: usize = params.iter().skip(if count == 2 { 6 } else { 0 }).take(count).map(|(_, w)| w.len()).sum();
        assert_eq!(gradients.passed, numbers + 12, "{}: the parameters used, and the input", layer.name());
    }
}

#[test]
fn every_layer_passes_by_its_input_and_by_the_parameters_that_it_uses() {
    every_layer::<f64>();
    every_layer::<f32>();
    let files = ["linear", "mlp", "sequential"];
    let sources = [
        include_str!("../../src/layer/linear.rs"),
        include_str!("../../src/layer/mlp.rs"),
        include_str!("../../src/layer/sequential.rs"),
        include_str!("../../src/activation.rs"),
    ];
    let all: BTreeSet<String> =
        sources.iter().flat_map(|source| words(source, "impl<T: Real> Layer<T> for ")).collect();
    assert_eq!(all, set(["Activation", "Linear", "Mlp", "Sequential"]));
    let modules = words(include_str!("../../src/layer.rs"), "mod ");
    assert_eq!(modules, set(files.into_iter().chain(["summary"])), "a layer is not checked");
}

fn every_model<T: Real>() {
    for activation in ACTIVATIONS {
        for (name, loss, target) in losses::<T>() {
            let (model, params) = mlp(7, activation);
            let report = Check::new().model(&model, loss, &params, (&numbers(3, 3, 4), &target));
            assert!(report.is_pass(), "{activation:?} with {name} in {}:\n{report}", T::NAME);
        }
    }
}

#[test]
fn models_of_all_activations_and_losses_pass() {
    every_model::<f64>();
    every_model::<f32>();
}

/// A layer that multiplies by a weight with a derivative of its own.
struct Scale {
    weight: ParamId,
    factor: f64,
}

impl<T: Real> Layer<T> for Scale {
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        let (w, factor) = (scope.param(self.weight), T::from_f64(self.factor));
        (x * w).with_gradient(&[x, w], move |g, x, _| vec![g * x[1], (g * x[0] * factor).sum_axis(Axis::Rows)])
    }

    fn name(&self) -> String {
        "Scale".to_owned()
    }

    fn params(&self) -> Vec<ParamId> {
        vec![self.weight]
    }
}

fn a_scale<T: Real>(factor: f64) -> (Report, Report) {
    let mut params = Params::<T>::new(1);
    let first = Mlp::new(3).layer(3, Activation::Tanh).build(&mut params);
    let weight = params.add("scale.weight", numbers(1, 3, 2));
    let x = numbers(4, 3, 0);
    let layer = Check::new().layer(&Scale { weight, factor }, &params, &x);
    let model = Sequential::new().then(first).then(Scale { weight, factor });
    (layer, Check::new().model(&model, &loss::mean_squared_error, &params, (&x, &numbers(4, 3, 1))))
}

#[test]
fn a_wrong_layer_is_found_and_its_parameter_and_line_named() {
    for report in [a_scale::<f64>(1.0), a_scale::<f32>(1.0)].map(<[Report; 2]>::from).as_flattened() {
        assert!(report.is_pass(), "{report}");
    }
    for report in [a_scale::<f64>(0.5), a_scale::<f32>(0.5)].map(<[Report; 2]>::from).as_flattened() {
        assert!(report.is_fail(), "{report}");
        assert!(report.mismatches.iter().any(|one| one.input.name == "scale.weight"), "{report}");
        assert_eq!(report.blame[0].op, "with_gradient", "{report}");
        assert!(report.blame[0].site.as_ref().unwrap().file.ends_with("it/check.rs"), "{report}");
    }
}

#[test]
fn parameters_without_influence_are_failures_of_a_model_but_not_of_a_layer_that_has_others() {
    let (model, mut params) = mlp::<f64>(3, Activation::Tanh);
    let _ = params.add("forgotten.weight", numbers(2, 2, 0));
    let x = numbers(4, 3, 1);
    Check::new().layer(&model, &params, &x).assert_pass();
    let report = Check::new().model(&model, &loss::mean_squared_error, &params, (&x, &numbers(4, 3, 1)));
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(report.parts.iter().any(|part| part.name.contains("forgotten.weight")), "{report}");
    let report = Check::new().model(&Sequential::new(), &loss::mean_squared_error, &Params::new(0), (&x, &x));
    assert!(!report.is_pass() && report.notes.iter().any(|note| note.contains("no parameters")), "{report}");
}

#[test]
fn a_scope_of_no_variables_is_refused() {
    let said = panic_of(|| Scope::<f64>::of(&[])).message;
    assert_eq!(said, "Scope::of: there is no variable, and so no graph");
}

#[test]
fn a_batch_that_does_not_fit_is_a_failure_with_the_usual_message() {
    let (model, params) = mlp::<f64>(3, Activation::Tanh);
    let report = Check::new().layer(&model, &params, &numbers(4, 2, 1));
    assert!(report.is_fail() && report.to_string().contains("left columns (2) must equal right rows (3)"), "{report}");
}

/// The identity, whose derivative is wrong by 1 % in one element.
#[derive(Clone, Copy)]
struct Tampered {
    at: (usize, usize),
}

impl<T: Real> CustomOp<T> for Tampered {
    fn name(&self) -> &'static str {
        "tampered"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0])
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(operands[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        let factor = |i, j| T::from_f64(if (i, j) == self.at { 1.01 } else { 1.0 });
        vec![Some(g * g.graph().constant(Matrix::from_fn(g.rows(), g.cols(), factor)))]
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(*self))
    }
}

/// A linear layer whose weights pass through that.
struct TamperedLinear(Linear, Tampered);

impl<T: Real> Layer<T> for TamperedLinear {
    fn forward<'g>(&self, scope: &Scope<'g, T>, x: Var<'g, T>) -> Var<'g, T> {
        let weight = scope.graph().custom(self.1, &[scope.param(self.0.weight())]);
        x.matmul(weight) + scope.param(self.0.bias())
    }

    fn name(&self) -> String {
        "TamperedLinear".to_owned()
    }

    fn params(&self) -> Vec<ParamId> {
        Layer::<T>::params(&self.0)
    }
}

/// The report of the README, but for the line that asked.
#[test]
fn the_report_in_the_readme_is_what_is_printed() {
    let energy = |x: &[f64]| (x[0] - x[1]).powi(2) / 2.0 + x[0].cos();
    let forgotten = |x: &[f64]| [x[0] - x[1], x[1] - x[0]];
    let mut report = Check::new().gradient(energy, forgotten, &[0.3, -1.2]);
    report.site = None;
    let text = report.to_string();
    let (title, rest) = text.split_once('\n').unwrap();
    let expected = format!("{title}\n  at tests/energy.rs:9:1\n{rest}\n```");
    assert!(include_str!("../../../README.md").contains(&expected), "{expected}");
}

/// The 784-512-10 network in `f32` on 32 samples.
fn checked_digits(tampered: Option<Tampered>) -> Report {
    let mut params = Params::<f32>::new(1);
    let biases = Initializer::glorot_uniform();
    let hidden = Linear::new(&mut params, "hidden.0", (784, 512), Initializer::glorot_uniform(), biases);
    let output = Linear::new(&mut params, "output", (512, 10), Initializer::glorot_uniform(), biases);
    assert_eq!(params.count(), 407_050);
    let mut random = Random::new(5);
    let x = Initializer::Uniform { low: 0.0, high: 1.0 }.sample(32, 784, &mut random);
    let classes = Matrix::from_fn(32, 1, |i, _| (i * 7 % 10) as f32);
    let model = Sequential::new();
    let model = match tampered {
        Some(tampered) => model.then(TamperedLinear(hidden, tampered)),
        None => model.then(hidden),
    };
    let model = model.then(Activation::Relu).then(output);
    Check::new().model(&model, &loss::cross_entropy, &params, (&x, &classes))
}

#[test]
fn the_network_of_407050_parameters_passes_in_f32() {
    let started = Instant::now();
    let report = checked_digits(None);
    println!("{:.2} s, {} evaluations", started.elapsed().as_secs_f64(), report.evaluations);
    assert!(report.is_pass(), "{report}");
    assert!(report.evaluations < 150, "{report}");
}

#[test]
fn one_wrong_weight_among_407050_is_found_and_named() {
    let started = Instant::now();
    let report = checked_digits(Some(Tampered { at: (123, 45) }));
    println!("{:.2} s\n{report}", started.elapsed().as_secs_f64());
    assert!(report.is_fail(), "{report}");
    let named = report.mismatches.iter().any(|one| one.input.to_string() == "hidden.0.weight[123,45]");
    assert!(named && report.to_string().contains("hidden.0.weight[123,45]"), "{report}");
    let blame = &report.blame[0];
    assert_eq!(
        (blame.op.as_str(), blame.kind, &blame.worst.input.index[..]),
        ("tampered", BlameKind::Vjp, &[123, 45][..])
    );
    assert!(blame.site.as_ref().unwrap().file.ends_with("it/check.rs"), "{report}");
    assert!(report.evaluations < 250, "{report}");
}

fn optimizers<T: Real>() -> Vec<(&'static str, Box<dyn Optimizer<T>>)> {
    vec![
        ("descent", Box::new(Sgd::new(0.25))),
        ("momentum", Box::new(Sgd { momentum: 0.75, ..Sgd::new(0.25) })),
        ("nesterov", Box::new(Sgd { momentum: 0.75, nesterov: true, ..Sgd::new(0.25) })),
        ("rmsprop", Box::new(RmsProp { rate: 0.25, ..RmsProp::default() })),
        ("adam", Box::new(Adam { rate: 0.25, ..Adam::default() })),
        ("torch's rmsprop", Box::new(TorchRmsProp { rate: 0.25, decay: 0.75, epsilon: 1e-8 })),
    ]
}

/// Slots of an optimiser after some steps with changing gradients.
fn slots_after<T: Real>(optimizer: &dyn Optimizer<T>, steps: u64) -> Vec<Matrix<T>> {
    let graph = autograd::Graph::new();
    let mut parameter = graph.constant(numbers::<T>(2, 3, 0));
    let mut slots = vec![graph.filled(2, 3, T::ZERO); optimizer.slots().len()];
    let rate = parameter.scalar(T::from_f64(optimizer.rate()));
    for t in 1..=steps {
        let gradient = graph.constant(numbers::<T>(2, 3, usize::try_from(t).unwrap()));
        let scalars: Vec<_> = optimizer.scalars(t).iter().map(|x| parameter.scalar(T::from_f64(*x))).collect();
        (parameter, slots) = optimizer.update(&Step { parameter, gradient, slots: &slots, rate, scalars: &scalars });
    }
    slots.into_iter().map(|slot| slot.value()).collect()
}

fn every_optimizer<T: Real>() {
    for (name, optimizer) in optimizers::<T>() {
        for t in [2, 3, 100] {
            let slots = slots_after(&*optimizer, t.min(5) - 1);
            // Some gradients are 0, after those that were not.
            let mut gradient = numbers::<T>(2, 3, 9);
            gradient.as_mut_slice()[1] = T::ZERO;
            for gradient in [gradient, Matrix::zeros(2, 3)] {
                let report = Check::new().optimizer(&*optimizer, t, (&numbers(2, 3, 0), &gradient, &slots));
                assert!(report.is_pass(), "{name}, step {t}, {}:\n{report}", T::NAME);
            }
        }
    }
}

#[test]
fn every_optimiser_can_be_differentiated_by_parameter_gradient_state_and_rate() {
    every_optimizer::<f64>();
    every_optimizer::<f32>();
    let all = words(include_str!("../../src/optimizer.rs"), "impl<T: Real> Optimizer<T> for ");
    assert_eq!(all, set(["Adam", "RmsProp", "Sgd"]), "an optimiser is not checked");
}

fn from_nothing<T: Real>(gradient: &Matrix<T>) -> Vec<(&'static str, Report)> {
    let step = |optimizer: &dyn Optimizer<T>| {
        let rate = Matrix::scalar(T::from_f64(optimizer.rate()));
        let inputs = [("parameter", &numbers(2, 3, 0)), ("gradient", gradient), ("rate", &rate)];
        Check::new().second_order(false).named(&inputs, |x| {
            let (parameter, gradient, rate) = (x[0], x[1], x[2]);
            let slots = vec![parameter.graph().filled(2, 3, T::ZERO); optimizer.slots().len()];
            let scalars: Vec<_> = optimizer.scalars(1).iter().map(|x| parameter.scalar(T::from_f64(*x))).collect();
            let (new, slots) = optimizer.update(&Step { parameter, gradient, slots: &slots, rate, scalars: &scalars });
            Var::concat(&[vec![new], slots].concat(), Axis::Rows)
        })
    };
    optimizers().into_iter().map(|(name, optimizer)| (name, step(&*optimizer))).collect()
}

fn first_steps<T: Real>() {
    for (name, report) in from_nothing::<T>(&numbers(2, 3, 1)) {
        assert!(report.is_pass(), "{name}, {}:\n{report}", T::NAME);
    }
    // The root of Adam's second moment is |g| here, with a kink at 0: what is divided by it is differentiable there, but over
    // a width of ε alone, which noise of the other numbers hides. Alone it is compared with closed forms and differences below.
    for (name, report) in from_nothing::<T>(&Matrix::zeros(2, 3)) {
        let rooted = ["adam", "torch's rmsprop"].contains(&name);
        let expected = if rooted { Verdict::Inconclusive(Reason::Noise) } else { Verdict::Pass };
        assert_eq!(report.verdict, expected, "{name}, {}:\n{report}", T::NAME);
    }
}

/// The new parameter, 0 before, that an optimiser makes of a gradient in its first step, and its derivative.
fn first_step(optimizer: &dyn Optimizer<f64>, gradient: f64) -> [f64; 2] {
    let graph = autograd::Graph::<f64>::new();
    let (parameter, gradient) = (graph.variable(0.0), graph.variable(gradient));
    let slots = vec![graph.filled(1, 1, 0.0); optimizer.slots().len()];
    let scalars: Vec<_> = optimizer.scalars(1).iter().map(|x| graph.constant(*x)).collect();
    let rate = graph.constant(optimizer.rate());
    let (new, _) = optimizer.update(&Step { parameter, gradient, slots: &slots, rate, scalars: &scalars });
    [new.item(), new.gradient(gradient).item()]
}

#[test]
fn the_slope_of_a_root_of_no_moments_is_that_on_either_side() {
    for epsilon in [0.25, 1e-3, 1e-8] {
        // -r m̂ / (√v̂ + ε) with m̂ = g and √v̂ = |g|; torch's RMSprop has √((1 - ρ) g²) and no first moment.
        let optimizers: [(&str, Box<dyn Optimizer<f64>>); 2] = [
            ("adam", Box::new(Adam { rate: 0.25, epsilon, ..Adam::default() })),
            ("torch's rmsprop", Box::new(TorchRmsProp { rate: 0.25, decay: 0.75, epsilon })),
        ];
        for (name, optimizer) in optimizers {
            let slope = first_step(&*optimizer, 0.0)[1];
            assert!((slope * epsilon / -0.25 - 1.0).abs() < 1e-14, "{name}, ε = {epsilon}: {slope}");
            for (side, sign) in [(Side::Right, 1.0), (Side::Left, -1.0)] {
                let beside = derivative(|g: f64| (sign * g >= 0.0).then(|| first_step(&*optimizer, g)[0]), 0.0);
                assert_eq!(beside.side, side, "{name}, ε = {epsilon}: {beside:?}");
                let error = (beside.value - slope).abs();
                assert!(
                    error <= beside.error_bar + 1e-14 * slope.abs(),
                    "{name}, ε = {epsilon}: {beside:?}, not {slope}"
                );
                assert!(beside.error_bar <= 1e-3 * slope.abs(), "{name}, ε = {epsilon}: {beside:?} tells nothing");
            }
        }
    }
}

#[test]
fn the_first_step_can_be_differentiated_with_all_slots_0() {
    first_steps::<f64>();
    first_steps::<f32>();
}

#[test]
fn where_all_is_0_the_derivative_by_the_gradient_is_that_of_the_formula() {
    // m / (√v + ε) with m = (1 - β₁) g and √v = |g| √(1 - β₂) is g (1 - β₁) / ε near 0; corrected, g / ε.
    let graph = autograd::Graph::<f64>::new();
    let (parameter, gradient) = (graph.variable([[0.5, -1.0]]), graph.variable(Matrix::zeros(1, 2)));
    let adam = Adam { rate: 0.5, epsilon: 0.25, ..Adam::default() };
    let slots = vec![graph.filled(1, 2, 0.0); 2];
    let scalars: Vec<_> = Optimizer::<f64>::scalars(&adam, 1).iter().map(|x| graph.constant(*x)).collect();
    let rate = graph.variable(0.5);
    let (new, _) = adam.update(&Step { parameter, gradient, slots: &slots, rate, scalars: &scalars });
    let [by_parameter, by_gradient] = new.sum().gradient([parameter, gradient]).map(|by| by.value());
    assert_eq!(by_parameter.as_slice(), [1.0, 1.0]);
    let expected = -0.5 / 0.25;
    assert!(by_gradient.as_slice().iter().all(|g| (g - expected).abs() < 1e-14), "{by_gradient}");
}

/// The loss after two steps of training, by the initial weights and the rate.
fn differentiated_through<T: Real>(optimizer: &dyn Optimizer<T>) -> Report {
    let mut params = Params::<T>::new(5);
    let model = Mlp::new(2).layer(3, Activation::Tanh).layer(1, Activation::Identity);
    let model = model.biases(Initializer::glorot_uniform()).build(&mut params);
    let rate = Matrix::scalar(T::from_f64(0.125));
    let mut inputs: Vec<(&str, &Matrix<T>)> = params.iter().collect();
    inputs.push(("rate", &rate));
    let (x, t) = (numbers(3, 2, 1), numbers(3, 1, 2));
    Check::new().second_order(false).named(&inputs, |vars| {
        let (graph, (rate, weights)) = (vars[0].graph(), vars.split_last().unwrap());
        let (x, t) = (graph.constant(&x), graph.constant(&t));
        let mut weights = weights.to_vec();
        let zeros = |w: &Var<'_, T>| vec![graph.filled(w.rows(), w.cols(), T::ZERO); optimizer.slots().len()];
        let mut slots: Vec<_> = weights.iter().map(zeros).collect();
        for step in 1..=2 {
            let gradients = loss_of(&model, &weights, (x, t)).gradient(&weights[..]);
            let scalars: Vec<_> = optimizer.scalars(step).iter().map(|s| rate.scalar(T::from_f64(*s))).collect();
            for ((weight, gradient), slots) in weights.iter_mut().zip(gradients).zip(&mut slots) {
                let now = Step { parameter: *weight, gradient, slots, rate: *rate, scalars: &scalars };
                let (new, new_slots) = optimizer.update(&now);
                (*weight, *slots) = (new, new_slots);
            }
        }
        loss_of(&model, &weights, (x, t))
    })
}

fn loss_of<'g, T: Real>(model: &Mlp, weights: &[Var<'g, T>], (x, t): (Var<'g, T>, Var<'g, T>)) -> Var<'g, T> {
    loss::mean_squared_error(model.forward(&Scope::of(weights), x), t)
}

#[test]
fn the_loss_after_two_steps_can_be_differentiated_by_initial_weights_and_rate() {
    for (name, optimizer) in optimizers::<f64>() {
        let report = differentiated_through(&*optimizer);
        assert!(report.is_pass(), "{name}:\n{report}");
    }
    for (name, optimizer) in optimizers::<f32>() {
        let report = differentiated_through(&*optimizer);
        assert!(report.is_pass(), "{name} in f32:\n{report}");
    }
}

#[test]
fn an_optimiser_is_given_what_it_keeps() {
    let w = numbers::<f64>(2, 3, 0);
    let said = panic_of(|| Check::new().optimizer(&Adam::default(), 1, (&w, &w, &[]))).message;
    assert_eq!(said, "optimizer: it has slots [\"mean\", \"mean_square\"], and 0 were given");
    let said = panic_of(|| Check::new().optimizer(&Sgd::new(0.1), 1, (&w, &numbers(3, 2, 0), &[]))).message;
    assert_eq!(said, "optimizer: the gradient and the slots must be 2x3, as the parameter is");
}

/// Descent that adds the rate to the parameter instead of the step: a missing factor.
struct Wrong;

impl<T: Real> Optimizer<T> for Wrong {
    fn rate(&self) -> f64 {
        0.5
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        // The gradient is detached, as training without a derivative through it would allow.
        (step.parameter - step.gradient.detach() * step.rate, vec![])
    }
}

#[test]
fn an_optimiser_that_cuts_the_gradient_off_is_found() {
    let w = numbers::<f64>(2, 3, 0);
    let report = Check::new().optimizer(&Wrong, 1, (&w, &numbers(2, 3, 1), &[]));
    assert!(report.is_fail() && report.cause() == Some(&Cause::Zero), "{report}");
    assert!(report.to_string().contains("gradient by gradient"), "{report}");
}

/// A layer that is not written yet.
struct Unwritten;

impl<T: Real> Layer<T> for Unwritten {
    fn forward<'g>(&self, _: &Scope<'g, T>, _: Var<'g, T>) -> Var<'g, T> {
        panic!("this layer is not written yet")
    }

    fn name(&self) -> String {
        "Unwritten".to_owned()
    }
}

/// Its panics are printed only by the process that the next test starts, if at all.
#[test]
fn a_layer_that_panics_fails_its_check_and_the_report_tells_why() {
    let report = Check::new().layer::<f64>(&Unwritten, &Params::new(1), &numbers(2, 3, 0));
    assert!(report.is_fail() && report.to_string().contains("this layer is not written yet"), "{report}");
}

#[test]
fn the_panic_of_a_layer_is_not_printed() {
    let test = std::env::current_exe().unwrap();
    let alone = "check::a_layer_that_panics_fails_its_check_and_the_report_tells_why";
    let output = Command::new(test).args(["--exact", alone, "--nocapture"]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed") && !err.contains("not written yet"), "{out}\n{err}");
}
