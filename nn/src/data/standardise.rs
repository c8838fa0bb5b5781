//! Features with mean 0 and standard deviation 1.

use autograd::{Matrix, Real};

use super::Dataset;
use crate::error::DataError;

/// Brings each feature to mean 0 and standard deviation 1: `(x − mean) / std`.
///
/// Mean and standard deviation are those of one set, the training set, and are applied to any other, so that nothing
/// of the test set is learned. The standard deviation divides by the number of samples, as scikit-learn's
/// `StandardScaler` does. A feature that is constant in the first set becomes `x − mean`: 0 there.
///
/// ```
/// use autograd::Matrix;
/// use nn::data::{Dataset, Standardiser};
/// let train = Dataset::new(Matrix::from([[1.0, 7.0], [3.0, 7.0]]), Matrix::zeros(2, 1))?;
/// let standardiser = Standardiser::fit(&train)?;
/// assert_eq!((standardiser.means(), standardiser.stds()), ([2.0, 7.0].as_slice(), [1.0, 0.0].as_slice()));
/// let (features, _) = standardiser.apply(&train)?.batch(&[0, 1])?;
/// assert_eq!(features, Matrix::from([[-1.0, 0.0], [1.0, 0.0]]));
/// # Ok::<(), nn::error::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardiser {
    means: Vec<f64>,
    stds: Vec<f64>,
}

impl Standardiser {
    /// Takes mean and standard deviation of each feature of `set`, in `f64` and one stable pass.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] if a feature is infinite or NaN somewhere, or too large to be squared.
    ///
    /// # References
    /// B. P. Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
    pub fn fit<T: Real>(set: &Dataset<T>) -> Result<Self, DataError> {
        let mut means = vec![0.0; set.features()];
        let mut squares = vec![0.0; set.features()];
        let mut row = vec![T::ZERO; set.features()];
        for i in 0..set.len() {
            set.row(i, &mut row);
            let share = 1.0 / f64::from_usize(i + 1);
            for ((mean, square), x) in means.iter_mut().zip(&mut squares).zip(&row) {
                let before = x.to_f64() - *mean;
                *mean += before * share;
                *square += before * (x.to_f64() - *mean);
            }
        }
        let n = f64::from_usize(set.len());
        let stds: Vec<f64> = squares.iter().map(|square| (square / n).sqrt()).collect();
        match stds.iter().position(|std| !std.is_finite()) {
            Some(column) => Err(DataError::NotFinite { column }),
            None => Ok(Self { means, stds }),
        }
    }

    /// The mean of each feature.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The standard deviation of each feature, 0 where it is constant.
    #[must_use]
    pub fn stds(&self) -> &[f64] {
        &self.stds
    }

    /// The same samples with standardised features. Pixels become numbers, of `size_of::<T>()` bytes each.
    ///
    /// # Errors
    /// [`DataError::FeatureCount`] if `set` has another number of features than the set of [`fit`](Self::fit).
    pub fn apply<T: Real>(&self, set: &Dataset<T>) -> Result<Dataset<T>, DataError> {
        if set.features() != self.means.len() {
            return Err(DataError::FeatureCount { expected: self.means.len(), found: set.features() });
        }
        let mut features = Matrix::zeros(set.len(), set.features());
        for (i, row) in features.as_mut_slice().chunks_exact_mut(set.features()).enumerate() {
            set.row(i, row);
            for ((x, mean), &std) in row.iter_mut().zip(&self.means).zip(&self.stds) {
                let spread = if std > 0.0 { std } else { 1.0 };
                *x = T::from_f64((x.to_f64() - mean) / spread);
            }
        }
        set.with_features(features)
    }
}
