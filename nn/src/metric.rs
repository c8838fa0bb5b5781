//! Metrics: how good predictions are.
//!
//! Metrics that stream ([`Mean`], [`Accuracy`], [`ConfusionMatrix`]) are filled batch by batch, can be merged, and
//! weigh each sample alike, so that the smaller last batch of an epoch counts for what it is.

mod confusion;

use autograd::{Matrix, Real};

use crate::error::MetricError;

pub use confusion::{Average, ConfusionMatrix};

/// A mean that grows: `Σ nᵢ vᵢ / Σ nᵢ` over batches of `nᵢ` samples with the mean `vᵢ`.
///
/// ```
/// use nn::metric::Mean;
/// let mut loss = Mean::default();
/// loss.add(0.5, 100);
/// loss.add(2.0, 50);
/// assert_eq!(loss.result(), Some(1.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    samples: usize,
}

impl Mean {
    /// Adds a batch of `samples` samples with this mean. NaN stays NaN from then on.
    pub fn add(&mut self, mean: f64, samples: usize) {
        if samples > 0 {
            self.sum += mean * f64::from_usize(samples);
            self.samples += samples;
        }
    }

    /// Adds everything that another mean has seen.
    pub fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.samples += other.samples;
    }

    /// The mean, `None` before the first sample.
    #[must_use]
    pub fn result(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.sum / f64::from_usize(self.samples))
    }

    /// Number of samples seen.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }
}

/// The share of predictions that are right, batch by batch.
///
/// ```
/// use autograd::Matrix;
/// use nn::metric::Accuracy;
/// let mut accuracy = Accuracy::default();
/// accuracy.add(&Matrix::from([[0.9, 0.1], [0.2, 0.8]]), &[0, 0])?;
/// accuracy.add(&Matrix::from([[0.3, 0.7]]), &[1])?;
/// assert_eq!(accuracy.result(), Some(2.0 / 3.0));
/// # Ok::<(), nn::error::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy {
    correct: usize,
    samples: usize,
}

impl Accuracy {
    /// Adds a batch: row `i` of `scores`, logits or probabilities, has a column a class, and should be largest in
    /// column `labels[i]`. Of equal scores the first one counts.
    ///
    /// # Errors
    /// [`MetricError`] if sizes or classes do not fit, or a score is NaN; nothing is added then.
    pub fn add<T: Real>(&mut self, scores: &Matrix<T>, labels: &[usize]) -> Result<(), MetricError> {
        check_labels(scores, labels)?;
        let predicted = predicted_classes(scores)?;
        self.count(predicted.iter().zip(labels).filter(|(a, b)| a == b).count(), labels.len());
        Ok(())
    }

    /// Adds a batch of two classes: `scores` is a column, class 1 is predicted where a score is at least
    /// `threshold` (0.5 for probabilities, 0 for logits), and class 0 elsewhere.
    ///
    /// # Errors
    /// [`MetricError`] if sizes or classes do not fit, or a score is NaN; nothing is added then.
    pub fn add_binary<T: Real>(
        &mut self,
        scores: &Matrix<T>,
        labels: &[usize],
        threshold: f64,
    ) -> Result<(), MetricError> {
        let predicted = binary_classes(scores, threshold)?;
        check_classes(labels, predicted.len(), 2)?;
        self.count(predicted.iter().zip(labels).filter(|(a, b)| a == b).count(), labels.len());
        Ok(())
    }

    /// Adds a batch of `samples` samples of which `correct` were predicted rightly.
    pub fn count(&mut self, correct: usize, samples: usize) {
        self.correct += correct;
        self.samples += samples;
    }

    /// Adds everything that another accuracy has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count(other.correct, other.samples);
    }

    /// The share, 0 to 1; `None` before the first sample.
    #[must_use]
    pub fn result(&self) -> Option<f64> {
        (self.samples > 0).then(|| f64::from_usize(self.correct) / f64::from_usize(self.samples))
    }

    /// Number of right predictions.
    #[must_use]
    pub fn correct(&self) -> usize {
        self.correct
    }

    /// Number of samples seen.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }
}

/// The share of rows of `scores`, logits or probabilities, that are largest in the column of their label; 0 if there
/// is no row.
///
/// # Errors
/// Those of [`Accuracy::add`].
///
/// ```
/// use autograd::Matrix;
/// let logits = Matrix::from([[2.0, -1.0, 0.5], [0.0, 0.0, -3.0]]);
/// assert_eq!(nn::metric::accuracy(&logits, &[0, 1])?, 0.5);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn accuracy<T: Real>(scores: &Matrix<T>, labels: &[usize]) -> Result<f64, MetricError> {
    let mut accuracy = Accuracy::default();
    accuracy.add(scores, labels)?;
    Ok(accuracy.result().unwrap_or(0.0))
}

/// The share of rows of a column of `scores` that are on the right side of `threshold`: at least that for class 1,
/// below it for class 0. 0 if there is no row.
///
/// # Errors
/// Those of [`Accuracy::add_binary`].
///
/// ```
/// use autograd::Matrix;
/// let probabilities = Matrix::from([[0.9], [0.5], [0.2]]);
/// assert_eq!(nn::metric::binary_accuracy(&probabilities, &[1, 1, 1], 0.5)?, 2.0 / 3.0);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn binary_accuracy<T: Real>(scores: &Matrix<T>, labels: &[usize], threshold: f64) -> Result<f64, MetricError> {
    let mut accuracy = Accuracy::default();
    accuracy.add_binary(scores, labels, threshold)?;
    Ok(accuracy.result().unwrap_or(0.0))
}

/// The share of rows of `scores` in which fewer than `k` scores come before the one of the label: larger ones, and
/// equal ones in earlier columns. 0 if there is no row.
///
/// # Errors
/// Those of [`Accuracy::add`].
///
/// ```
/// use autograd::Matrix;
/// let logits = Matrix::from([[2.0, -1.0, 0.5], [0.0, 1.0, -3.0]]);
/// assert_eq!(nn::metric::top_k_accuracy(&logits, &[2, 2], 2)?, 0.5);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn top_k_accuracy<T: Real>(scores: &Matrix<T>, labels: &[usize], k: usize) -> Result<f64, MetricError> {
    check_labels(scores, labels)?;
    predicted_classes(scores)?;
    let within = |row: &[T], label: usize| {
        let before = |&(j, x): &(usize, &T)| *x > row[label] || (*x == row[label] && j < label);
        row.iter().enumerate().filter(before).count() < k
    };
    let correct = labels.iter().enumerate().filter(|&(i, &label)| within(scores.row(i), label)).count();
    let mut accuracy = Accuracy::default();
    accuracy.count(correct, labels.len());
    Ok(accuracy.result().unwrap_or(0.0))
}

/// The column of the largest score of each row, the first one of equal ones.
///
/// # Errors
/// [`MetricError::NotANumber`] if a score is NaN, [`MetricError::Shape`] if rows have no column.
///
/// ```
/// use autograd::Matrix;
/// let logits = Matrix::from([[2.0, -1.0, 2.0], [0.0, 1.0, -3.0]]);
/// assert_eq!(nn::metric::predicted_classes(&logits)?, [0, 1]);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn predicted_classes<T: Real>(scores: &Matrix<T>) -> Result<Vec<usize>, MetricError> {
    if scores.cols() == 0 {
        return Err(MetricError::Shape { found: scores.shape(), expected: "a column a class" });
    }
    (0..scores.rows()).map(|row| largest(row, scores.row(row))).collect()
}

/// The classes of a column of scores: 1 where a score is at least `threshold`, 0 elsewhere.
///
/// # Errors
/// [`MetricError::NotANumber`] if a score is NaN, [`MetricError::Shape`] unless there is exactly one column.
///
/// # Examples
/// ```
/// let scores = autograd::Matrix::from([[0.2], [0.5], [0.9]]);
/// assert_eq!(nn::metric::binary_classes(&scores, 0.5)?, [0, 1, 1]);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn binary_classes<T: Real>(scores: &Matrix<T>, threshold: f64) -> Result<Vec<usize>, MetricError> {
    if scores.cols() != 1 {
        return Err(MetricError::Shape { found: scores.shape(), expected: "one column" });
    }
    let class = |(row, score): (usize, &T)| {
        if score.is_nan() {
            return Err(MetricError::NotANumber { row, column: 0 });
        }
        Ok(usize::from(score.to_f64() >= threshold))
    };
    scores.as_slice().iter().enumerate().map(class).collect()
}

/// The classes that a batch of targets stands for: a column of class indices, as
/// [`Dataset::gather`](crate::data::Dataset::gather) writes it, or one-hot rows.
///
/// # Errors
/// [`MetricError::NotAClass`] if an index is not a whole number of at least 0; for one-hot rows, those of
/// [`predicted_classes`].
///
/// ```
/// use autograd::Matrix;
/// use nn::metric::target_classes;
/// assert_eq!(target_classes(&Matrix::from([[2.0], [0.0]]))?, [2, 0]);
/// assert_eq!(target_classes(&Matrix::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))?, [2, 0]);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
pub fn target_classes<T: Real>(targets: &Matrix<T>) -> Result<Vec<usize>, MetricError> {
    if targets.cols() != 1 {
        return predicted_classes(targets);
    }
    targets.as_slice().iter().enumerate().map(|(row, &target)| class_index(row, target)).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: a whole number below 2⁵³")]
fn class_index<T: Real>(row: usize, target: T) -> Result<usize, MetricError> {
    let value = target.to_f64();
    let whole = target.floor() == target && (0.0..9e15).contains(&value);
    if whole { Ok(value as usize) } else { Err(MetricError::NotAClass { value, row }) }
}

/// The position of the first of the largest scores.
fn largest<T: Real>(row: usize, scores: &[T]) -> Result<usize, MetricError> {
    let mut best = 0;
    for (column, &score) in scores.iter().enumerate() {
        if score.is_nan() {
            return Err(MetricError::NotANumber { row, column });
        }
        if score > scores[best] {
            best = column;
        }
    }
    Ok(best)
}

fn check_labels<T: Real>(scores: &Matrix<T>, labels: &[usize]) -> Result<(), MetricError> {
    check_classes(labels, scores.rows(), scores.cols())
}

/// There are `rows` labels, each below `classes`.
fn check_classes(labels: &[usize], rows: usize, classes: usize) -> Result<(), MetricError> {
    if labels.len() != rows {
        return Err(MetricError::Mismatch { rows, labels: labels.len() });
    }
    match labels.iter().position(|&class| class >= classes) {
        Some(index) => Err(MetricError::ClassOutOfRange { class: labels[index], index, classes }),
        None => Ok(()),
    }
}
