//! Which samples make up which mini-batch.

use std::slice::Chunks;

use crate::error::DataError;
use crate::random::Random;

/// The mini-batches of one epoch: each sample once, as slices of sample indices.
///
/// The order belongs to `(seed, epoch)`: the same pair gives the same batches on every platform, whatever was drawn
/// before, so that training resumed at epoch 7 sees what uninterrupted training would have seen. The last batch holds
/// the rest of the samples, unless [`full_only`](Self::full_only) leaves it out.
///
/// ```
/// use nn::data::Batches;
/// let batches = Batches::sequential(5, 2)?;
/// let sizes: Vec<&[usize]> = batches.iter().collect();
/// assert_eq!(sizes, [[0, 1].as_slice(), &[2, 3], &[4]]);
///
/// let shuffled = Batches::shuffled(5, 2, 42, 0)?;
/// assert_eq!(shuffled, Batches::shuffled(5, 2, 42, 0)?);
/// assert_ne!(shuffled, Batches::shuffled(5, 2, 42, 1)?);
/// # Ok::<(), nn::error::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    order: Vec<usize>,
    size: usize,
}

impl Batches {
    /// The samples `0..samples` in random order, `size` at a time.
    ///
    /// # Errors
    /// [`DataError::ZeroBatchSize`].
    pub fn shuffled(samples: usize, size: usize, seed: u64, epoch: usize) -> Result<Self, DataError> {
        let mut batches = Self::sequential(samples, size)?;
        Random::stream(seed, &format!("batches.{epoch}")).shuffle(&mut batches.order);
        Ok(batches)
    }

    /// The samples `0..samples` in their order, `size` at a time.
    ///
    /// # Errors
    /// [`DataError::ZeroBatchSize`].
    pub fn sequential(samples: usize, size: usize) -> Result<Self, DataError> {
        if size == 0 {
            return Err(DataError::ZeroBatchSize);
        }
        Ok(Self { order: (0..samples).collect(), size })
    }

    /// Leaves out the last batch if it is not full, so that all batches have one size.
    ///
    /// ```
    /// # use nn::data::Batches;
    /// let batches = Batches::sequential(5, 2)?.full_only();
    /// assert_eq!((batches.len(), batches.samples()), (2, 4));
    /// # Ok::<(), nn::error::DataError>(())
    /// ```
    #[must_use]
    pub fn full_only(mut self) -> Self {
        self.order.truncate(self.order.len() / self.size * self.size);
        self
    }

    /// Number of batches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// Whether there is no batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Number of samples in all batches.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.order.len()
    }

    /// All batches, the last one perhaps smaller.
    pub fn iter(&self) -> Chunks<'_, usize> {
        self.order.chunks(self.size)
    }
}

impl<'a> IntoIterator for &'a Batches {
    type Item = &'a [usize];
    type IntoIter = Chunks<'a, usize>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_comes_once() {
        for (samples, size) in [(0, 3), (1, 3), (3, 3), (10, 3), (2, usize::MAX)] {
            let batches = Batches::shuffled(samples, size, 1, 2).unwrap();
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..samples).collect::<Vec<_>>());
            assert_eq!(batches.len(), batches.iter().count());
        }
    }

    #[test]
    fn batches_of_nothing_are_refused() {
        assert!(matches!(Batches::sequential(5, 0), Err(DataError::ZeroBatchSize)));
    }
}
