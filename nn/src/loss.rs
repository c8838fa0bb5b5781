//! Losses: how far predictions are from what they should be.
//!
//! A loss is any function from a prediction and a target to a `1x1` value; a closure is as good as one of these.
//! All of these are means over the samples of the batch (rows), so that the step of an optimiser does not depend on
//! the batch size; what each sums or averages within a row, it says. None broadcasts: where the shapes differ, it
//! panics at the user's line.
//!
//! | prediction | target | loss |
//! |---|---|---|
//! | numbers | numbers | [`squared_error`], [`mean_squared_error`] |
//! | logits of classes | index of the class | [`cross_entropy`] |
//! | logits of classes | probabilities of classes | [`cross_entropy_probabilities`] |
//! | logits of yes or no | 0 … 1 | [`binary_cross_entropy`] |
//! | logarithms of probabilities | probabilities | [`kullback_leibler`] |
//! | scores | -1 or 1 | [`exponential`] |

use autograd::{Axis, Real, Var};

/// Any function from a prediction and a target to a `1x1` value. Not to be implemented: every such function is one.
///
/// ```
/// use autograd::Var;
/// use nn::loss::Loss;
/// fn cubic<'g>(y: Var<'g, f64>, t: Var<'g, f64>) -> Var<'g, f64> {
///     (y - t).abs().powi(3).mean()
/// }
/// let loss: &dyn Loss<f64> = &cubic;
/// # let _ = loss;
/// ```
pub trait Loss<T: Real>: for<'g> Fn(Var<'g, T>, Var<'g, T>) -> Var<'g, T> {}

impl<T: Real, F: for<'g> Fn(Var<'g, T>, Var<'g, T>) -> Var<'g, T>> Loss<T> for F {}

#[track_caller]
fn assert_same_shape<T: Real>(name: &str, prediction: Var<'_, T>, target: Var<'_, T>) {
    assert!(
        prediction.shape() == target.shape(),
        "{name}: prediction {} and target {}: a loss does not broadcast; prediction made at {}, target at {}",
        prediction.shape(),
        target.shape(),
        prediction.site(),
        target.site()
    );
}

/// The sum of values by row, averaged over the rows.
#[track_caller]
fn per_sample<T: Real>(values: Var<'_, T>) -> Var<'_, T> {
    values.sum() / T::from_usize(values.rows())
}

/// `Σⱼ (yⱼ - tⱼ)²`, summed over the outputs of a sample, averaged over the samples.
///
/// # Derivative
/// `2 (y - t) / n` for `n` samples.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::new();
/// let (y, t) = (graph.variable([[1.0, 2.0]]), graph.constant([[0.0, 0.0]]));
/// assert_eq!(nn::loss::squared_error(y, t).item(), 5.0);
/// ```
#[must_use]
#[track_caller]
pub fn squared_error<'g, T: Real>(prediction: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("squared_error", prediction, target);
    per_sample((prediction - target).square())
}

/// The mean of `(y - t)²` over samples and outputs, as PyTorch and Keras define it.
///
/// # Derivative
/// `2 (y - t) / (n k)`.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::new();
/// let (y, t) = (graph.variable([[1.0, 2.0]]), graph.constant([[0.0, 0.0]]));
/// assert_eq!(nn::loss::mean_squared_error(y, t).item(), 2.5);
/// ```
#[must_use]
#[track_caller]
pub fn mean_squared_error<'g, T: Real>(prediction: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("mean_squared_error", prediction, target);
    (prediction - target).square().mean()
}

/// The cross-entropy of logits with class indices, in nats: `ln Σⱼ e^yⱼ - y_t`, averaged over the samples.
///
/// # Derivative
/// `(softmax(y) - one_hot(t)) / n`.
///
/// # Shapes
/// `(n, k), (n, 1) → (1, 1)`; targets are whole numbers in `0..k`
///
/// # Panics
/// If the targets are not a column with as many rows as the logits. An index that is no class is a
/// [`RunError`](autograd::RunError) of the run.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::<f64>::new();
/// let (y, t) = (graph.variable([[0.0, 0.0]]), graph.constant([[1.0]]));
/// assert_eq!(nn::loss::cross_entropy(y, t).item(), 2f64.ln());
/// ```
#[must_use]
#[track_caller]
pub fn cross_entropy<'g, T: Real>(logits: Var<'g, T>, classes: Var<'g, T>) -> Var<'g, T> {
    assert!(
        classes.shape() == (logits.rows(), 1).into(),
        "cross_entropy: logits {} and classes {}: classes must be a column of {}; logits made at {}, classes at {}",
        logits.shape(),
        classes.shape(),
        logits.rows(),
        logits.site(),
        classes.site()
    );
    per_sample(logits.log_sum_exp_axis(Axis::Columns) - logits.pick(classes))
}

/// The cross-entropy of logits with probabilities of the classes, in nats: `-Σⱼ tⱼ ln softmax(y)ⱼ`, averaged over the
/// samples.
///
/// # Derivative
/// `(softmax(y) Σ t - t) / n`.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`
///
/// # Domain and edge cases
/// A probability of exactly 0 contributes 0, even where the logit is -∞.
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::<f64>::new();
/// let (y, t) = (graph.variable([[0.0, 0.0]]), graph.constant([[0.5, 0.5]]));
/// assert_eq!(nn::loss::cross_entropy_probabilities(y, t).item(), 2f64.ln());
/// ```
#[must_use]
#[track_caller]
pub fn cross_entropy_probabilities<'g, T: Real>(logits: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("cross_entropy_probabilities", logits, target);
    per_sample(-target.strong_mul(logits.log_softmax(Axis::Columns)))
}

/// The cross-entropy of yes-or-no logits, in nats: `softplus(y) - y t`, averaged over samples and outputs.
///
/// # Derivative
/// `(σ(y) - t) / (n k)`.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`; targets are probabilities of "yes"
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::new();
/// let (y, t) = (graph.variable([[-1000.0]]), graph.constant([[1.0]]));
/// assert_eq!(nn::loss::binary_cross_entropy(y, t).item(), 1000.0);
/// ```
#[must_use]
#[track_caller]
pub fn binary_cross_entropy<'g, T: Real>(logits: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("binary_cross_entropy", logits, target);
    (target * (-logits).softplus() + (target.scalar(T::ONE) - target) * logits.softplus()).mean()
}

/// The Kullback–Leibler divergence of the target `p` from the prediction `q`, in nats:
/// `D(p‖q) = Σⱼ pⱼ (ln pⱼ - ln qⱼ)`, averaged over the samples. The prediction is given as `ln q` (the
/// [`log_softmax`](Var::log_softmax) of logits), the target as `p`; PyTorch's `kl_div` has the same order.
///
/// # Derivative
/// `-p / n` by `ln q`.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`
///
/// # Domain and edge cases
/// `0 ln 0 = 0`: a probability of exactly 0 contributes 0, also where `ln q` is -∞.
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::<f64>::new();
/// let (log_q, p) = (graph.variable([[0.5, 0.5]]).ln(), graph.constant([[1.0, 0.0]]));
/// assert_eq!(nn::loss::kullback_leibler(log_q, p).item(), 2f64.ln());
/// ```
///
/// # References
/// S. Kullback, R. Leibler, "On information and sufficiency", 1951.
#[must_use]
#[track_caller]
pub fn kullback_leibler<'g, T: Real>(log_prediction: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("kullback_leibler", log_prediction, target);
    per_sample(target.strong_mul(target.ln() - log_prediction))
}

/// The exponential loss of AdaBoost, as its logarithm: `ln (1/n Σᵢ e^(-tᵢ yᵢ))` over all elements.
///
/// The mean of `e^(-t y)` itself overflows in `f32` from `t y = -89` on. Its logarithm has the same minimisers, and
/// its gradient is that of AdaBoost with the sample weights normalised as boosting does.
///
/// # Derivative
/// `-tᵢ wᵢ` with `w = softmax(-t y)`, the weights that AdaBoost gives to the samples.
///
/// # Shapes
/// `(n, k), (n, k) → (1, 1)`; targets are -1 or 1
///
/// # Panics
/// If the shapes differ.
///
/// # Examples
/// ```
/// let graph = autograd::Graph::new();
/// let (y, t) = (graph.variable([[-1000.0], [-1000.0]]), graph.constant([[1.0], [1.0]]));
/// let loss = nn::loss::exponential(y, t);
/// assert_eq!(loss.item(), 1000.0);
/// assert_eq!(loss.gradient(y).value().as_slice(), [-0.5, -0.5]);
/// ```
///
/// # References
/// Y. Freund, R. Schapire, "A decision-theoretic generalization of on-line learning", 1997.
#[must_use]
#[track_caller]
pub fn exponential<'g, T: Real>(prediction: Var<'g, T>, target: Var<'g, T>) -> Var<'g, T> {
    assert_same_shape("exponential", prediction, target);
    let count = T::from_usize(prediction.shape().len());
    let log_count = prediction.scalar(count).ln();
    (-(prediction * target)).log_sum_exp() - log_count
}
