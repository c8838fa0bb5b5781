//! How features and targets lie in memory.

use autograd::{Matrix, Real};
use rayon::prelude::*;

use super::Idx;
use crate::error::DataError;

/// The features of samples, a row each.
#[derive(Clone, PartialEq)]
pub(super) enum Features<T: Real> {
    /// One byte a pixel, multiplied by `scale` when gathered; `size` is height and width.
    Pixels {
        data: Vec<u8>,
        size: (usize, usize),
        scale: T,
    },
    Numbers(Matrix<T>),
}

impl<T: Real> Features<T> {
    /// Images of the dimensions `[samples, height, width]` or `[samples, pixels]`, scaled to 0..=1.
    pub(super) fn pixels(images: Idx) -> Result<Self, DataError> {
        let size = match *images.dimensions() {
            [_, height, width] => (height, width),
            [_, width] => (1, width),
            _ => {
                return Err(DataError::WrongDimensions {
                    what: "images",
                    expected: "the dimensions samples, height, width, or samples, pixels",
                    found: images.dimensions().to_vec(),
                });
            }
        };
        Ok(Self::Pixels { data: images.into_data(), size, scale: T::ONE / T::from_f64(255.0) })
    }

    pub(super) fn pixel_scale(self, scale: T) -> Self {
        match self {
            Self::Pixels { data, size, .. } => Self::Pixels { data, size, scale },
            Self::Numbers(_) => self,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Pixels { data, .. } => data.len().checked_div(self.width()).unwrap_or(0),
            Self::Numbers(matrix) => matrix.rows(),
        }
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Self::Pixels { size: (height, width), .. } => height * width,
            Self::Numbers(matrix) => matrix.cols(),
        }
    }

    /// Writes the rows `indices`, each below `len`, into `out`, which holds them exactly.
    pub(super) fn gather(&self, indices: &[usize], out: &mut [T]) {
        let width = self.width();
        match self {
            Self::Pixels { data, scale, .. } => {
                let image = |&i: &usize| &data[i * width..(i + 1) * width];
                let threads = if out.len() >= SHARED { threads() } else { 1 };
                let together = (FETCHED / width.max(1)).min(indices.len().div_ceil(threads)).max(1);
                let fetched = |(indices, out): (&[usize], &mut [T])| {
                    fetch(indices.iter().map(image));
                    let rows = indices.iter().map(image).zip(out.chunks_exact_mut(width));
                    rows.for_each(|(image, row)| T::scale_bytes(image, *scale, row));
                };
                let len = (together * width).max(1);
                if threads == 1 {
                    indices.chunks(together).zip(out.chunks_mut(len)).for_each(fetched);
                } else {
                    indices.par_chunks(together).zip(out.par_chunks_mut(len)).for_each(fetched);
                }
            }
            Self::Numbers(matrix) => {
                out.chunks_exact_mut(width).zip(indices).for_each(|(row, &i)| row.copy_from_slice(matrix.row(i)));
            }
        }
    }

    pub(super) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Pixels { data, size, scale } => {
                Self::Pixels { data: select(data, self.width(), indices), size: *size, scale: *scale }
            }
            Self::Numbers(matrix) => Self::Numbers(select_rows(matrix, indices)),
        }
    }
}

/// Bytes that are fetched at a time: they stay in the second-level cache until they are read.
const FETCHED: usize = 1 << 17;

/// Numbers from which on a second thread pays that is awake already.
const SHARED: usize = 1 << 15;

/// Threads to share out among: those of the pool that this thread belongs to. From outside of one it would take longer to wake
/// them.
fn threads() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads() } else { 1 }
}

/// Bytes in a line of the cache.
const LINE: usize = 64;

/// Reads a byte of each line of the cache. Images lie anywhere in memory: to wait for all of them at once takes less time than to
/// wait for one after the other (45 µs in place of 70 for 128 images of MNIST, with what follows).
fn fetch<'a>(images: impl Iterator<Item = &'a [u8]>) {
    let lines = images.flat_map(|image| image.iter().step_by(LINE));
    core::hint::black_box(lines.fold(0, |all, byte| all | byte));
}

/// The targets of samples.
#[derive(Clone, PartialEq)]
pub(super) enum Targets<T: Real> {
    /// A class each, every label below `classes`; gathered as its index, or as a 1 among zeros.
    Classes {
        labels: Vec<u32>,
        classes: usize,
        one_hot: bool,
    },
    Numbers(Matrix<T>),
}

impl<T: Real> Targets<T> {
    pub(super) fn classes(labels: Vec<u32>, classes: usize) -> Result<Self, DataError> {
        const LIMIT: usize = 1 << 24;
        if classes > LIMIT {
            return Err(DataError::TooManyClasses { classes, limit: LIMIT });
        }
        match labels.iter().position(|&label| label as usize >= classes) {
            Some(index) => Err(DataError::LabelOutOfRange { label: labels[index] as usize, index, classes }),
            None => Ok(Self::Classes { labels, classes, one_hot: false }),
        }
    }

    pub(super) fn one_hot(self) -> Result<Self, DataError> {
        match self {
            Self::Classes { labels, classes, .. } => Ok(Self::Classes { labels, classes, one_hot: true }),
            Self::Numbers(matrix) => Err(DataError::NotClasses { columns: matrix.cols() }),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Numbers(matrix) => matrix.rows(),
        }
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Self::Classes { one_hot: false, .. } => 1,
            Self::Classes { one_hot: true, classes, .. } => *classes,
            Self::Numbers(matrix) => matrix.cols(),
        }
    }

    /// Writes the rows `indices`, each below `len`, into `out`, which holds them exactly.
    pub(super) fn gather(&self, indices: &[usize], out: &mut [T]) {
        match self {
            Self::Classes { labels, one_hot: false, .. } => {
                for (out, &i) in out.iter_mut().zip(indices) {
                    *out = T::from_usize(labels[i] as usize);
                }
            }
            Self::Classes { labels, classes, one_hot: true } => {
                out.fill(T::ZERO);
                for (row, &i) in out.chunks_exact_mut(*classes).zip(indices) {
                    row[labels[i] as usize] = T::ONE;
                }
            }
            Self::Numbers(matrix) if matrix.cols() == 0 => {}
            Self::Numbers(matrix) => {
                for (row, &i) in out.chunks_exact_mut(matrix.cols()).zip(indices) {
                    row.copy_from_slice(matrix.row(i));
                }
            }
        }
    }

    pub(super) fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Classes { labels, classes, one_hot } => {
                let labels = select(labels, 1, indices);
                Self::Classes { labels, classes: *classes, one_hot: *one_hot }
            }
            Self::Numbers(matrix) => Self::Numbers(select_rows(matrix, indices)),
        }
    }
}

fn select_rows<T: Real>(matrix: &Matrix<T>, indices: &[usize]) -> Matrix<T> {
    Matrix::new(indices.len(), matrix.cols(), select(matrix.as_slice(), matrix.cols(), indices))
}

/// The rows `indices` of an array with `width` elements a row.
fn select<U: Copy>(data: &[U], width: usize, indices: &[usize]) -> Vec<U> {
    let mut selected = Vec::with_capacity(indices.len() * width);
    for &i in indices {
        selected.extend_from_slice(&data[i * width..(i + 1) * width]);
    }
    selected
}
