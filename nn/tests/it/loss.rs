//! Losses: against PyTorch and Keras, at extremes, and what they say of wrong shapes.

use std::collections::BTreeSet;

use autograd::{Graph, Matrix, Real, Var};
use nn::loss::{self, Loss};
use serde_json::Value;

use crate::oracle;
use crate::support::{largest, panic_of, said};

/// What the reference has and this crate has not, with the parameters in braces. Whoever adds one takes it off here,
/// and its cases are compared.
const NOT_YET: [&str; 26] = [
    "bce",
    "bce_with_logits{pos_weight}",
    "bce_with_logits{weight}",
    "cosine_embedding",
    "cross_entropy_probs{class_weight}",
    "cross_entropy_probs{label_smoothing}",
    "cross_entropy{class_weight}",
    "cross_entropy{ignore_index}",
    "cross_entropy{label_smoothing}",
    "focal",
    "gaussian_nll",
    "gaussian_nll_logvar",
    "hinge",
    "huber",
    "kl_div{log_target}",
    "log_cosh",
    "mae",
    "margin_ranking",
    "multi_margin",
    "nll",
    "poisson_nll",
    "pseudo_huber",
    "quantile",
    "smooth_l1",
    "squared_hinge",
    "triplet",
];

/// How a loss makes one number of the unreduced values of the reference.
#[derive(Clone, Copy, Debug)]
enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum divided by the number of rows.
    PerRow,
    /// The logarithm of their mean.
    LogMean,
}

impl Reduction {
    fn of(self, none: &Matrix<f64>) -> f64 {
        let sum: f64 = none.as_slice().iter().sum();
        match self {
            Self::Mean => sum / f64::from_usize(none.len()),
            Self::PerRow => sum / f64::from_usize(none.rows()),
            Self::LogMean => (sum / f64::from_usize(none.len())).ln(),
        }
    }

    /// The gradient by that of the mean.
    fn gradient(self, none: &Matrix<f64>, of_mean: &Matrix<f64>) -> Matrix<f64> {
        match self {
            Self::Mean => of_mean.clone(),
            Self::PerRow => of_mean.map(|g| g * f64::from_usize(none.cols())),
            Self::LogMean => of_mean.map(|g| g / Self::Mean.of(none)),
        }
    }
}

/// A loss of this crate that a loss of the reference is.
struct Ours {
    name: &'static str,
    reduction: Reduction,
    double: &'static dyn Loss<f64>,
    single: &'static dyn Loss<f32>,
}

macro_rules! ours {
    ($loss:path, $reduction:ident) => {
        Ours { name: stringify!($loss), reduction: Reduction::$reduction, double: &$loss, single: &$loss }
    };
}

/// `softplus(-t y)` with targets -1 and 1 is the cross-entropy with targets 0 and 1.
fn soft_margin<'g, T: Real>(prediction: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    loss::binary_cross_entropy(prediction, (target + T::ONE) * T::from_f64(0.5))
}

/// Our losses for a case, or the names of what is not there yet.
fn ours(case: &Value) -> Result<Vec<Ours>, Vec<String>> {
    let name = oracle::text(&case["loss"]);
    let found = match name {
        "mse" => vec![ours!(loss::squared_error, PerRow), ours!(loss::mean_squared_error, Mean)],
        "cross_entropy" => vec![ours!(loss::cross_entropy, Mean)],
        "cross_entropy_probs" => vec![ours!(loss::cross_entropy_probabilities, Mean)],
        "bce_with_logits" => vec![ours!(loss::binary_cross_entropy, Mean)],
        "soft_margin" => vec![ours!(soft_margin, Mean)],
        "kl_div" => vec![ours!(loss::kullback_leibler, PerRow)],
        "exponential" => vec![ours!(loss::exponential, LogMean)],
        _ => return Err(vec![name.to_owned()]),
    };
    let params = case["params"].as_object().unwrap();
    let on = params.iter().filter(|(param, value)| *param != "labels" && !oracle::is_off(value));
    let missing: Vec<String> = on.map(|(param, _)| format!("{name}{{{param}}}")).collect();
    if missing.is_empty() { Ok(found) } else { Err(missing) }
}

fn cases() -> Vec<Value> {
    oracle::list(&oracle::read("losses")["cases"]).to_vec()
}

/// Prediction and target; class labels as a column.
fn inputs(case: &Value) -> (Matrix<f64>, Matrix<f64>) {
    let inputs = &case["inputs"];
    let target = match case["params"].get("labels") {
        Some(labels) => Matrix::column_vector(&oracle::numbers(labels)),
        None => oracle::matrix(&inputs["target"]),
    };
    (oracle::matrix(&inputs["pred"]), target)
}

fn value_and_gradient<T: Real>(
    loss: &dyn Loss<T>,
    prediction: &Matrix<f64>,
    target: &Matrix<f64>,
) -> (f64, Matrix<f64>) {
    let narrowed = |matrix: &Matrix<f64>| {
        let narrow: Matrix<T> = matrix.cast();
        assert_eq!(&narrow.cast::<f64>(), matrix, "the inputs of the reference are exact in {}", T::NAME);
        narrow
    };
    let graph = Graph::<T>::new();
    let (y, t) = (graph.variable(narrowed(prediction)), graph.constant(narrowed(target)));
    let loss = loss(y, t);
    (loss.item().to_f64(), loss.gradient(y).value().cast())
}

fn row(matrix: &Matrix<f64>, i: usize) -> Matrix<f64> {
    Matrix::row_vector(matrix.row(i))
}

/// What rounding may do. Each unreduced value is off by at most 8 ε times the largest of the numbers that it is made
/// of (values, predictions, 1), and adding up n of them adds n ε / 2. A gradient is a product of up to 16 factors and
/// differences of numbers up to 1, each rounded once, scaled as the largest.
fn tolerances<T: Real>(values: &Matrix<f64>, prediction: &Matrix<f64>, gradient: &Matrix<f64>) -> (f64, f64) {
    let epsilon = T::EPSILON.to_f64();
    let scale = 1.0 + largest(values).max(largest(prediction));
    ((8.0 + f64::from_usize(values.len()) / 2.0) * epsilon * scale, 16.0 * epsilon * largest(gradient))
}

fn compare<T: Real>(case: &Value, ours: &Ours, loss: &dyn Loss<T>) {
    let what = format!("{} as {} in {}", case["id"], ours.name, T::NAME);
    let (prediction, target) = inputs(case);
    let none = oracle::matrix(&case["none"]);
    let mean = oracle::number(&case["mean"]);
    let of_mean = oracle::matrix(&case["grad_mean"]["pred"]);

    let expected = match ours.reduction {
        Reduction::Mean => mean,
        Reduction::PerRow => oracle::number(&case["sum"]) / f64::from_usize(none.rows()),
        Reduction::LogMean => mean.ln(),
    };
    let gradient = ours.reduction.gradient(&none, &of_mean);
    let reduced = if matches!(ours.reduction, Reduction::LogMean) { none.map(|_| expected) } else { none.clone() };
    let (allowed, allowed_gradient) = tolerances::<T>(&reduced, &prediction, &gradient);
    let (found, found_gradient) = value_and_gradient(loss, &prediction, &target);
    let error = (found - expected).abs();
    assert!(error <= allowed, "{what}: {found}, not {expected}: off by {error:e} > {allowed:e}");
    let scaled = allowed_gradient / (1.0 + largest(&gradient));
    oracle::assert_matrix_close(&found_gradient, &gradient, scaled, &what);

    // Each sample by itself shows the unreduced values.
    for i in 0..prediction.rows() {
        let (found, _) = value_and_gradient(loss, &row(&prediction, i), &row(&target, i));
        let expected = ours.reduction.of(&row(&none, i));
        let error = (found - expected).abs();
        assert!(error <= allowed, "{what}: row {i}: {found}, not {expected}: off by {error:e} > {allowed:e}");
    }
}

#[test]
fn losses_and_gradients_are_those_of_the_reference_in_both_precisions() {
    let mut compared = 0;
    for case in cases() {
        for ours in ours(&case).unwrap_or_default() {
            compare(&case, &ours, ours.double);
            compare(&case, &ours, ours.single);
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn what_the_reference_has_and_we_have_not_is_listed() {
    let missing: BTreeSet<String> = cases().iter().filter_map(|case| ours(case).err()).flatten().collect();
    assert_eq!(missing, NOT_YET.map(str::to_owned).into());
}

/// A loss with its name, a prediction and a target.
type Sample = (&'static str, &'static dyn Loss<f64>, Matrix<f64>, Matrix<f64>);

/// All losses with a prediction and a target in their domain, of three samples.
fn samples() -> Vec<Sample> {
    let scores = Matrix::from([[0.5, -1.25, 2.0], [-0.75, 0.25, 1.5], [3.0, -2.0, 0.125]]);
    let numbers = Matrix::from([[1.0, -0.5, 0.25], [0.0, 2.0, -1.0], [0.5, 0.5, 4.0]]);
    let classes = Matrix::from([[2.0], [0.0], [1.0]]);
    let shares = Matrix::from([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.25, 0.625]]);
    let signs = Matrix::from([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]);
    vec![
        ("squared_error", &loss::squared_error, scores.clone(), numbers.clone()),
        ("mean_squared_error", &loss::mean_squared_error, scores.clone(), numbers),
        ("cross_entropy", &loss::cross_entropy, scores.clone(), classes),
        ("cross_entropy_probabilities", &loss::cross_entropy_probabilities, scores.clone(), shares.clone()),
        ("binary_cross_entropy", &loss::binary_cross_entropy, scores.clone(), shares.clone()),
        (
            "kullback_leibler",
            &|y, t| loss::kullback_leibler(y.log_softmax(autograd::Axis::Columns), t),
            scores.clone(),
            shares,
        ),
        ("exponential", &loss::exponential, scores, signs),
    ]
}

#[test]
fn a_batch_that_is_repeated_has_the_same_loss() {
    for (name, loss, prediction, target) in samples() {
        let twice = |x: &Matrix<f64>| Matrix::from_fn(6, x.cols(), |i, j| x[(i % 3, j)]);
        let (once, gradient) = value_and_gradient(loss, &prediction, &target);
        let (repeated, halved) = value_and_gradient(loss, &twice(&prediction), &twice(&target));
        // Sums of up to 18 terms of a size up to 16.
        assert!((once - repeated).abs() <= 18.0 * 16.0 * f64::EPSILON, "{name}: {once} {repeated}");
        let expected = twice(&gradient.map(|g| g / 2.0));
        oracle::assert_matrix_close(&halved, &expected, 16.0 * f64::EPSILON, name);
    }
}

/// Value and gradient at numbers of one precision.
fn at<T: Real>(loss: &dyn Loss<T>, prediction: Matrix<T>, target: Matrix<T>) -> (T, Vec<T>) {
    let graph = Graph::new();
    let (y, t) = (graph.variable(prediction), graph.constant(target));
    let loss = loss(y, t);
    (loss.item(), loss.gradient(y).value().into_vec())
}

/// Logits so far apart that naive formulas overflow or lose everything.
fn extremes_stay_finite<T: Real>() {
    let n = T::from_f64;
    let huge = Matrix::from([[n(1e4), n(-1e4)], [n(-1e4), n(1e4)]]);
    let half = n(0.5);

    let (value, gradient) = at(&loss::cross_entropy, huge.clone(), Matrix::from([[n(0.0)], [n(0.0)]]));
    assert_eq!((value, gradient), (n(1e4), vec![n(0.0), n(0.0), -half, half]));

    let ones = Matrix::from([[n(0.0), n(1.0)], [n(0.0), n(1.0)]]);
    let (value, gradient) = at(&loss::cross_entropy_probabilities, huge.clone(), ones.clone());
    assert_eq!((value, gradient), (n(1e4), vec![half, -half, n(0.0), n(0.0)]));

    let (value, gradient) = at(&loss::binary_cross_entropy, huge.clone(), ones);
    let quarter = n(0.25);
    assert_eq!((value, gradient), (n(5e3), vec![quarter, -quarter, n(0.0), n(0.0)]));

    let signs = Matrix::from([[n(1.0), n(-1.0)], [n(1.0), n(-1.0)]]);
    let (value, gradient) = at(&loss::exponential, huge, signs);
    assert_eq!(gradient, vec![n(0.0), n(0.0), -half, half]);
    // 10⁴ + ln 2 - ln 4, rounded three times.
    assert!((value.to_f64() - (1e4 - 2f64.ln())).abs() <= 1.5e4 * T::EPSILON.to_f64(), "{value}");
}

#[test]
fn extreme_logits_have_finite_losses_and_exact_gradients() {
    extremes_stay_finite::<f32>();
    extremes_stay_finite::<f64>();
}

fn impossible_classes_count_nothing<T: Real>() {
    let n = T::from_f64;
    let target = Matrix::from([[n(0.0), n(1.0)]]);
    let never = Matrix::from([[T::NEG_INFINITY, n(3.0)]]);
    let (value, gradient) = at(&loss::cross_entropy_probabilities, never.clone(), target.clone());
    assert_eq!((value, gradient), (n(0.0), vec![n(0.0), n(0.0)]));
    let (value, gradient) = at(&loss::cross_entropy, never, Matrix::from([[n(1.0)]]));
    assert_eq!((value, gradient), (n(0.0), vec![n(0.0), n(0.0)]));
    // ln q = (-∞, 0): where p is 0 there is nothing to lose.
    let (value, gradient) = at(&loss::kullback_leibler, Matrix::from([[T::NEG_INFINITY, n(0.0)]]), target);
    assert_eq!((value, gradient[1]), (n(0.0), n(-1.0)));
    assert!(gradient[0] == n(0.0), "{gradient:?}");
}

#[test]
fn a_class_of_probability_0_costs_nothing_even_if_its_logit_is_minus_infinity() {
    impossible_classes_count_nothing::<f32>();
    impossible_classes_count_nothing::<f64>();
}

#[test]
fn the_divergence_of_a_distribution_from_itself_is_0() {
    let p = Matrix::from([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]);
    let (value, _) = at(&loss::kullback_leibler, p.map(f64::ln), p);
    assert_eq!(value, 0.0);
}

#[test]
fn a_closure_is_as_good_a_loss_as_a_built_in_one() {
    let power = 3;
    let found = at(&|y, t| (y - t).abs().powi(power).mean(), Matrix::from([[3.0]]), Matrix::from([[1.0]]));
    assert_eq!(found, (8.0, vec![12.0]));
}

#[test]
fn predictions_and_targets_of_different_shapes_are_refused_at_the_users_line() {
    let graph = Graph::<f64>::new();
    let base = line!();
    let y = graph.variable(Matrix::zeros(2, 3));
    let t = graph.variable(Matrix::zeros(2, 1));
    let text = |name: &str, line: u32| {
        format!(
            "+{line}: {name}: prediction 2x3 and target 2x1: a loss does not broadcast; \
             prediction made at +1, target at +2"
        )
    };
    let said = |f: fn(Var<'_, f64>, Var<'_, f64>)| said(file!(), base, || f(y, t));
    let found = [
        said(|y, t| _ = loss::squared_error(y, t)),
        said(|y, t| _ = loss::mean_squared_error(y, t)),
        said(|y, t| _ = loss::cross_entropy_probabilities(y, t)),
        said(|y, t| _ = loss::binary_cross_entropy(y, t)),
        said(|y, t| _ = loss::kullback_leibler(y, t)),
        said(|y, t| _ = loss::exponential(y, t)),
    ];
    let names = [
        "squared_error",
        "mean_squared_error",
        "cross_entropy_probabilities",
        "binary_cross_entropy",
        "kullback_leibler",
        "exponential",
    ];
    for (i, (found, name)) in found.iter().zip(names).enumerate() {
        assert_eq!(*found, text(name, 11 + u32::try_from(i).unwrap()));
    }
}

#[test]
fn classes_must_be_a_column_and_exist() {
    let graph = Graph::<f64>::new();
    let base = line!();
    let y = graph.variable(Matrix::zeros(2, 3));
    let t = graph.variable(Matrix::zeros(2, 3));
    let text = said(file!(), base, || loss::cross_entropy(y, t));
    assert_eq!(
        text,
        "+3: cross_entropy: logits 2x3 and classes 2x3: classes must be a column of 2; logits made at +1, classes at +2"
    );
    let loss = loss::cross_entropy(y, graph.constant([[0.0], [3.0]]));
    let caught = panic_of(|| loss.item());
    assert!(caught.message.contains("index 1 is 3, not a whole number in 0..3"), "{caught:?}");
}
