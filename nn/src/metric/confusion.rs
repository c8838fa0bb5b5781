//! Which class is taken for which.

use std::fmt;

use autograd::{Matrix, Real};

use super::{check_classes, predicted_classes};
use crate::error::MetricError;

/// How often each class was predicted as each class: rows are true classes, columns predicted ones.
///
/// With `TP` the count on the diagonal, `FP` the rest of the column and `FN` the rest of the row, a class has the
/// *precision* `TP / (TP + FP)`: how far a prediction of it can be believed, and the *recall* `TP / (TP + FN)`: how
/// much of it is found. 0 / 0, of a class that never occurs, counts as 0, as in scikit-learn.
///
/// ```
/// use nn::metric::{Average, ConfusionMatrix};
/// let mut confusion = ConfusionMatrix::new(2);
/// for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
///     confusion.add(truth, predicted)?;
/// }
/// assert_eq!(confusion.recall(0), 2.0 / 3.0);
/// assert_eq!(confusion.precision(1), 0.5);
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.averaged(Average::Macro, ConfusionMatrix::recall), (2.0 / 3.0 + 1.0) / 2.0);
/// # Ok::<(), nn::error::MetricError>(())
/// ```
///
/// It shows itself as a table with a row per true class and a column per predicted one, recalls on the right,
/// precisions below, and the accuracy in the corner:
///
/// ```text
/// true             0      1   recall
///         0        2      1    66.7%
///         1        0      1   100.0%
/// precision   100.0%  50.0%    75.0%
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

/// How a number per class becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// From the counts of all classes together; for precision, recall and F this is the accuracy.
    Micro,
    /// The mean over classes.
    Macro,
    /// The mean over samples: each class with the weight of its frequency.
    Weighted,
}

impl ConfusionMatrix {
    /// An empty table of that many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes.saturating_mul(classes)] }
    }

    /// Counts one sample.
    ///
    /// # Errors
    /// [`MetricError::ClassOutOfRange`].
    pub fn add(&mut self, truth: usize, predicted: usize) -> Result<(), MetricError> {
        check_classes(&[truth, predicted], 2, self.classes)?;
        self.counts[truth * self.classes + predicted] += 1;
        Ok(())
    }

    /// Counts a batch: row `i` of `scores`, logits or probabilities, has a column a class; the largest one is
    /// predicted, the first one of equal ones.
    ///
    /// # Errors
    /// [`MetricError`] if sizes or classes do not fit, or a score is NaN; nothing is counted then.
    pub fn add_batch<T: Real>(&mut self, scores: &Matrix<T>, labels: &[usize]) -> Result<(), MetricError> {
        if scores.cols() != self.classes {
            return Err(MetricError::ClassCount { expected: self.classes, found: scores.cols() });
        }
        let predicted = predicted_classes(scores)?;
        check_classes(labels, predicted.len(), self.classes)?;
        labels.iter().zip(predicted).try_for_each(|(&truth, predicted)| self.add(truth, predicted))
    }

    /// Adds everything that another table has counted.
    ///
    /// # Errors
    /// [`MetricError::ClassCount`] if it has another number of classes.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.classes != other.classes {
            return Err(MetricError::ClassCount { expected: self.classes, found: other.classes });
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        Ok(())
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `truth` was predicted as `predicted`; 0 for classes that there are not.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        let inside = truth < self.classes && predicted < self.classes;
        if inside { self.counts[truth * self.classes + predicted] } else { 0 }
    }

    /// Number of samples.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Number of samples of this class.
    #[must_use]
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes).map(|predicted| self.count(class, predicted)).sum()
    }

    /// Number of samples that were predicted as this class.
    #[must_use]
    pub fn predictions(&self, class: usize) -> u64 {
        (0..self.classes).map(|truth| self.count(truth, class)).sum()
    }

    fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// The share of right predictions.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// The share of right ones among predictions of this class: `TP / (TP + FP)`.
    #[must_use]
    pub fn precision(&self, class: usize) -> f64 {
        ratio(self.count(class, class), self.predictions(class))
    }

    /// The share of this class that was found: `TP / (TP + FN)`.
    #[must_use]
    pub fn recall(&self, class: usize) -> f64 {
        ratio(self.count(class, class), self.support(class))
    }

    /// The harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`.
    #[must_use]
    pub fn f1(&self, class: usize) -> f64 {
        self.f_beta(class, 1.0)
    }

    /// The weighted harmonic mean in which recall counts `beta` times as much as precision:
    /// `(1 + β²) TP / ((1 + β²) TP + FP + β² FN)`.
    ///
    /// # References
    /// C. J. van Rijsbergen, "Information Retrieval", 1979, chapter 7.
    #[must_use]
    pub fn f_beta(&self, class: usize, beta: f64) -> f64 {
        let hits = (1.0 + beta * beta) * float(self.count(class, class));
        quotient(hits, float(self.predictions(class)) + beta * beta * float(self.support(class)))
    }

    /// The share of this class in what is it or was taken for it: `TP / (TP + FP + FN)`, also called Jaccard index
    /// or intersection over union.
    #[must_use]
    pub fn jaccard(&self, class: usize) -> f64 {
        let hits = self.count(class, class);
        ratio(hits, self.predictions(class) + self.support(class) - hits)
    }

    /// One number from a number per class.
    ///
    /// [`Average::Macro`] is over all classes, also those that never occur.
    ///
    /// ```
    /// use nn::metric::{Average, ConfusionMatrix};
    /// let mut confusion = ConfusionMatrix::new(3);
    /// confusion.add(0, 0)?;
    /// confusion.add(1, 2)?;
    /// assert_eq!(confusion.averaged(Average::Macro, |table, class| table.f_beta(class, 2.0)), 1.0 / 3.0);
    /// assert_eq!(confusion.averaged(Average::Weighted, ConfusionMatrix::f1), 0.5);
    /// # Ok::<(), nn::error::MetricError>(())
    /// ```
    #[must_use]
    pub fn averaged(&self, average: Average, score: impl Fn(&Self, usize) -> f64) -> f64 {
        let classes = 0..self.classes;
        match average {
            Average::Micro => score(&self.pooled(), 0),
            Average::Macro => quotient(classes.map(|class| score(self, class)).sum(), f64::from_usize(self.classes)),
            Average::Weighted => {
                let sum = classes.map(|class| float(self.support(class)) * score(self, class)).sum();
                quotient(sum, float(self.total()))
            }
        }
    }

    /// Two classes, "right" and "wrong", whose first has the `TP`, `FP` and `FN` of all classes together.
    fn pooled(&self) -> Self {
        let wrong = self.total() - self.correct();
        Self { classes: 2, counts: vec![self.correct(), wrong, wrong, 0] }
    }

    /// The mean of the recalls of the classes that occur.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let occurring: Vec<usize> = (0..self.classes).filter(|&class| self.support(class) > 0).collect();
        quotient(occurring.iter().map(|&class| self.recall(class)).sum(), f64::from_usize(occurring.len()))
    }

    /// Cohen's κ: by how much the accuracy is above that of chance, `(a − c) / (1 − c)` with
    /// `c = Σ support · predictions / total²`. 1 is perfect, 0 is chance.
    ///
    /// # References
    /// J. Cohen, "A coefficient of agreement for nominal scales", 1960.
    #[must_use]
    pub fn kappa(&self) -> f64 {
        let total = float(self.total());
        let chance = self.chance() / (total * total);
        quotient(self.accuracy() - chance, 1.0 - chance)
    }

    /// Matthews' correlation coefficient of true and predicted classes: −1 to 1, 0 for constant predictions.
    ///
    /// # References
    /// J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        let total = float(self.total());
        let spread = |of: &dyn Fn(usize) -> u64| {
            total * total - (0..self.classes).map(|class| float(of(class)).powi(2)).sum::<f64>()
        };
        let spreads = spread(&|class| self.support(class)) * spread(&|class| self.predictions(class));
        quotient(float(self.correct()) * total - self.chance(), spreads.sqrt())
    }

    /// `Σ support · predictions` over classes.
    fn chance(&self) -> f64 {
        (0..self.classes).map(|class| float(self.support(class)) * float(self.predictions(class))).sum()
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of samples stay below 2⁵³")]
fn float(count: u64) -> f64 {
    count as f64
}

fn ratio(part: u64, whole: u64) -> f64 {
    quotient(float(part), float(whole))
}

/// `part / whole`, 0 where that is 0 / 0.
fn quotient(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let largest = self.counts.iter().max().unwrap_or(&0).to_string();
        let width = largest.len().max("100.0%".len()) + 1;
        let name = "precision".len();

        write!(f, "{:name$}  ", "true")?;
        for class in 0..self.classes {
            write!(f, "{class:>width$}")?;
        }
        writeln!(f, "   recall")?;
        for truth in 0..self.classes {
            write!(f, "{truth:>name$}  ")?;
            for predicted in 0..self.classes {
                write!(f, "{:>width$}", self.count(truth, predicted))?;
            }
            writeln!(f, "{:>9}", percent(self.recall(truth)))?;
        }
        write!(f, "precision  ")?;
        for class in 0..self.classes {
            write!(f, "{:>width$}", percent(self.precision(class)))?;
        }
        write!(f, "{:>9}", percent(self.accuracy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned() {
        let mut confusion = ConfusionMatrix::new(3);
        for (truth, predicted, times) in [(0, 0, 980), (0, 2, 5), (1, 1, 1120), (2, 2, 7), (2, 0, 3)] {
            (0..times).for_each(|_| confusion.add(truth, predicted).unwrap());
        }
        let table = "\
true             0      1      2   recall
        0      980      0      5    99.5%
        1        0   1120      0   100.0%
        2        3      0      7    70.0%
precision    99.7% 100.0%  58.3%    99.6%";
        assert_eq!(confusion.to_string(), table);
    }
}
