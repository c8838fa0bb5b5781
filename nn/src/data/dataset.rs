//! A set of samples with their targets.

use std::fmt;
use std::path::Path;

use autograd::{Matrix, Real};

use super::Idx;
use super::columns::{Features, Targets};
use crate::error::DataError;
use crate::random::Random;

/// Samples: features, a row each, and the targets that a model should give for them.
///
/// Features are numbers or the pixels of images; pixels stay one byte each in memory and are scaled while a batch is
/// [gathered](Self::gather). Targets are numbers, or classes: indices below a number of classes. A set is never empty.
///
/// ```
/// use autograd::Matrix;
/// use nn::data::Dataset;
/// let points = Matrix::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let xor = Dataset::labelled(points, vec![0, 1, 1, 0], 2)?;
/// assert_eq!((xor.len(), xor.features(), xor.classes()), (4, 2, Some(2)));
/// let (features, targets) = xor.batch(&[3, 1])?;
/// assert_eq!(features, Matrix::from([[1.0, 1.0], [0.0, 1.0]]));
/// assert_eq!(targets, Matrix::from([[0.0], [1.0]]));
/// # Ok::<(), nn::error::DataError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Dataset<T: Real> {
    features: Features<T>,
    targets: Targets<T>,
}

impl<T: Real> Dataset<T> {
    /// Samples with numbers as targets, for regression: row `i` of `targets` belongs to row `i` of `features`.
    ///
    /// # Errors
    /// [`DataError::Mismatch`] if the rows are not equally many, [`DataError::EmptyDataset`] if there is none.
    pub fn new(features: Matrix<T>, targets: Matrix<T>) -> Result<Self, DataError> {
        Self::join(Features::Numbers(features), Targets::Numbers(targets))
    }

    /// Samples with a class each, for classification.
    ///
    /// # Errors
    /// [`DataError::Mismatch`] if there is not one label a row, [`DataError::LabelOutOfRange`] if one is not below
    /// `classes`, [`DataError::TooManyClasses`] beyond 2²⁴ (above it `f32` cannot tell two classes apart),
    /// [`DataError::EmptyDataset`] if there is no sample.
    pub fn labelled(features: Matrix<T>, labels: Vec<u32>, classes: usize) -> Result<Self, DataError> {
        Self::join(Features::Numbers(features), Targets::classes(labels, classes)?)
    }

    /// Images with a class each, of one byte per pixel. `images` has the dimensions `[samples, height, width]`, or
    /// `[samples, pixels]`; `labels` has `[samples]`. A pixel becomes the feature `pixel / 255`.
    ///
    /// # Errors
    /// [`DataError::WrongDimensions`] for other dimensions, and those of [`labelled`](Self::labelled).
    pub fn images(images: Idx, labels: Idx, classes: usize) -> Result<Self, DataError> {
        let &[_] = labels.dimensions() else {
            return Err(DataError::WrongDimensions {
                what: "labels",
                expected: "one dimension, samples",
                found: labels.dimensions().to_vec(),
            });
        };
        let labels = labels.into_data().into_iter().map(u32::from).collect();
        Self::join(Features::pixels(images)?, Targets::classes(labels, classes)?)
    }

    /// [`images`](Self::images) from two IDX files, plain or gzip.
    ///
    /// # Errors
    /// Those of [`Idx::read`] and [`images`](Self::images).
    pub fn idx(images: impl AsRef<Path>, labels: impl AsRef<Path>, classes: usize) -> Result<Self, DataError> {
        Self::images(Idx::read(images)?, Idx::read(labels)?, classes)
    }

    /// The training and the test set of MNIST, or of one of the sets with the same four files and ten classes
    /// (Fashion-MNIST, KMNIST), from a folder that holds them, plain or with the ending `.gz`:
    /// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`.
    ///
    /// # Errors
    /// [`DataError::Missing`], those of [`idx`](Self::idx), and [`DataError::FeatureCount`] if the images of the two
    /// sets have different sizes.
    ///
    /// ```no_run
    /// # use nn::data::Dataset;
    /// let (train, test) = Dataset::<f32>::mnist("examples/data/mnist")?;
    /// assert_eq!((train.len(), test.len(), train.features()), (60_000, 10_000, 784));
    /// # Ok::<(), nn::error::DataError>(())
    /// ```
    pub fn mnist(folder: impl AsRef<Path>) -> Result<(Self, Self), DataError> {
        const CLASSES: usize = 10;
        let read = |name| read_plain_or_compressed(folder.as_ref(), name);
        let train = Self::images(read("train-images-idx3-ubyte")?, read("train-labels-idx1-ubyte")?, CLASSES)?;
        let test = Self::images(read("t10k-images-idx3-ubyte")?, read("t10k-labels-idx1-ubyte")?, CLASSES)?;
        if train.features() != test.features() {
            return Err(DataError::FeatureCount { expected: train.features(), found: test.features() });
        }
        Ok((train, test))
    }

    fn join(features: Features<T>, targets: Targets<T>) -> Result<Self, DataError> {
        if features.len() != targets.len() {
            return Err(DataError::Mismatch { features: features.len(), targets: targets.len() });
        }
        if features.len() == 0 || features.width() == 0 {
            return Err(DataError::EmptyDataset { samples: features.len(), features: features.width() });
        }
        Ok(Self { features, targets })
    }

    /// The same images with the features `pixel · scale` instead of `pixel / 255`. Features that are numbers stay as
    /// they are.
    #[must_use]
    pub fn pixel_scale(mut self, scale: T) -> Self {
        self.features = self.features.pixel_scale(scale);
        self
    }

    /// The same samples with targets of one column a class: 1 in the column of the class, 0 elsewhere. Classes and
    /// labels stay known.
    ///
    /// # Errors
    /// [`DataError::NotClasses`] if the targets are numbers already.
    ///
    /// ```
    /// # use autograd::Matrix;
    /// # use nn::data::Dataset;
    /// let set = Dataset::labelled(Matrix::from([[5.0], [6.0]]), vec![2, 0], 3)?.one_hot()?;
    /// assert_eq!(set.batch(&[0, 1])?.1, Matrix::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
    /// # Ok::<(), nn::error::DataError>(())
    /// ```
    pub fn one_hot(mut self) -> Result<Self, DataError> {
        self.targets = self.targets.one_hot()?;
        Ok(self)
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there is no sample; never, as constructors refuse it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of features of a sample.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features.width()
    }

    /// Numbers in the target of a sample: 1 for a class index, as many as classes if they are [one-hot](Self::one_hot).
    #[must_use]
    pub fn targets(&self) -> usize {
        self.targets.width()
    }

    /// Number of classes, if the targets are classes.
    #[must_use]
    pub fn classes(&self) -> Option<usize> {
        match &self.targets {
            Targets::Classes { classes, .. } => Some(*classes),
            Targets::Numbers(_) => None,
        }
    }

    /// The class of each sample, if the targets are classes.
    #[must_use]
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Classes { labels, .. } => Some(labels),
            Targets::Numbers(_) => None,
        }
    }

    /// How many samples each class has, if the targets are classes.
    #[must_use]
    pub fn class_counts(&self) -> Option<Vec<usize>> {
        let mut counts = vec![0; self.classes()?];
        for &label in self.labels()? {
            counts[label as usize] += 1;
        }
        Some(counts)
    }

    /// Height and width of the images, if the features are pixels of images.
    #[must_use]
    pub fn image_size(&self) -> Option<(usize, usize)> {
        match &self.features {
            Features::Pixels { size, .. } => Some(*size),
            Features::Numbers(_) => None,
        }
    }

    /// The pixels of sample `index`, row by row, if it exists and is an image.
    #[must_use]
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        match &self.features {
            Features::Pixels { data, size: (height, width), .. } => data.chunks_exact(height * width).nth(index),
            Features::Numbers(_) => None,
        }
    }

    /// Writes the samples `indices` into two buffers, row by row: the inputs of a program.
    ///
    /// `features_out` gets `indices.len() · features()` numbers, `targets_out` `indices.len() · targets()`; classes
    /// are written as their index. An index may come more than once.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`], and [`DataError::BufferLength`] if a buffer has another length; nothing is
    /// written then.
    ///
    /// ```
    /// # use autograd::Matrix;
    /// # use nn::data::Dataset;
    /// let set = Dataset::labelled(Matrix::from([[5.0], [6.0], [7.0]]), vec![0, 2, 1], 3)?;
    /// let (mut x, mut t) = ([0.0; 2], [0.0; 2]);
    /// set.gather(&[1, 2], &mut x, &mut t)?;
    /// assert_eq!((x, t), ([6.0, 7.0], [2.0, 1.0]));
    /// # Ok::<(), nn::error::DataError>(())
    /// ```
    pub fn gather(&self, indices: &[usize], features_out: &mut [T], targets_out: &mut [T]) -> Result<(), DataError> {
        self.check_indices(indices)?;
        check_length("features", indices.len() * self.features(), features_out.len())?;
        check_length("targets", indices.len() * self.targets(), targets_out.len())?;
        self.features.gather(indices, features_out);
        self.targets.gather(indices, targets_out);
        Ok(())
    }

    /// The samples `indices` as two new matrices, features and targets; [`gather`](Self::gather) allocates nothing.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`].
    pub fn batch(&self, indices: &[usize]) -> Result<(Matrix<T>, Matrix<T>), DataError> {
        let mut features = Matrix::zeros(indices.len(), self.features());
        let mut targets = Matrix::zeros(indices.len(), self.targets());
        self.gather(indices, features.as_mut_slice(), targets.as_mut_slice())?;
        Ok((features, targets))
    }

    /// A set of the samples `indices`, in that order; an index may come more than once.
    ///
    /// # Errors
    /// [`DataError::IndexOutOfRange`], and [`DataError::EmptyDataset`] if there is no index.
    pub fn subset(&self, indices: &[usize]) -> Result<Self, DataError> {
        self.check_indices(indices)?;
        Self::join(self.features.select(indices), self.targets.select(indices))
    }

    /// The first `n` samples, or all if there are fewer.
    ///
    /// # Errors
    /// [`DataError::EmptyDataset`] if `n` is 0.
    pub fn take(&self, n: usize) -> Result<Self, DataError> {
        let indices: Vec<usize> = (0..n.min(self.len())).collect();
        self.subset(&indices)
    }

    /// The first `at` samples, and the others.
    ///
    /// # Errors
    /// [`DataError::EmptySplit`] if one of the two would be empty.
    pub fn split(&self, at: usize) -> Result<(Self, Self), DataError> {
        let indices: Vec<usize> = (0..self.len()).collect();
        self.split_indices(&indices, at)
    }

    /// Two parts of randomly chosen samples, the first one with `fraction` of them, rounded to the nearest number.
    /// The same seed chooses the same samples.
    ///
    /// # Errors
    /// [`DataError::Fraction`] unless `fraction` lies between 0 and 1, [`DataError::EmptySplit`] if one of the two
    /// would be empty.
    ///
    /// ```
    /// # use autograd::Matrix;
    /// # use nn::data::Dataset;
    /// let set = Dataset::labelled(Matrix::<f32>::zeros(50, 3), vec![0; 50], 2)?;
    /// let (train, validation) = set.split_fraction(0.9, 42)?;
    /// assert_eq!((train.len(), validation.len()), (45, 5));
    /// # Ok::<(), nn::error::DataError>(())
    /// ```
    pub fn split_fraction(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(DataError::Fraction { fraction });
        }
        let indices = Random::stream(seed, "split").permutation(self.len());
        self.split_indices(&indices, share(self.len(), fraction))
    }

    fn split_indices(&self, indices: &[usize], at: usize) -> Result<(Self, Self), DataError> {
        match indices.split_at_checked(at) {
            Some((left, right)) if !left.is_empty() && !right.is_empty() => {
                Ok((self.subset(left)?, self.subset(right)?))
            }
            _ => Err(DataError::EmptySplit { at, len: self.len() }),
        }
    }

    fn check_indices(&self, indices: &[usize]) -> Result<(), DataError> {
        match indices.iter().find(|&&index| index >= self.len()) {
            Some(&index) => Err(DataError::IndexOutOfRange { index, len: self.len() }),
            None => Ok(()),
        }
    }

    /// The same samples with `features` in place of theirs.
    pub(super) fn with_features(&self, features: Matrix<T>) -> Result<Self, DataError> {
        Self::join(Features::Numbers(features), self.targets.clone())
    }

    /// The features of one sample, written to `out`.
    pub(super) fn row(&self, index: usize, out: &mut [T]) {
        self.features.gather(&[index], out);
    }
}

/// The sizes; the samples may be many.
impl<T: Real> fmt::Debug for Dataset<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("samples", &self.len())
            .field("features", &self.features())
            .field("targets", &self.targets())
            .field("classes", &self.classes())
            .finish_non_exhaustive()
    }
}

fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), DataError> {
    if expected == found { Ok(()) } else { Err(DataError::BufferLength { what, expected, found }) }
}

/// `fraction · len`, rounded to nearest.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a length is a length")]
fn share(len: usize, fraction: f64) -> usize {
    (f64::from_usize(len) * fraction).round() as usize
}

fn read_plain_or_compressed(folder: &Path, name: &'static str) -> Result<Idx, DataError> {
    let candidates = [folder.join(name), folder.join(format!("{name}.gz"))];
    match candidates.iter().find(|path| path.exists()) {
        Some(path) => Idx::read(path),
        None => Err(DataError::Missing { folder: folder.to_owned(), name }),
    }
}
