//! Numbers in, numbers out: the loops. Nothing here knows a graph.

use core::panic::Location;

use crate::error::RunError;
use crate::shape::Shape;

pub(crate) mod cumulative;
pub(crate) mod distance;
pub(crate) mod elementwise;
#[cfg(feature = "linalg")]
pub(crate) mod linalg;
pub(crate) mod math;
pub(crate) mod matmul;
pub(crate) mod reduce;
pub(crate) mod sort;
pub(crate) mod structure;

/// Numbers with their shape, row by row: what an operation of the user's is given.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The elements.
    pub(crate) data: &'a [T],
    /// Their arrangement.
    pub(crate) shape: Shape,
}

impl<'a, T> View<'a, T> {
    pub(crate) fn new(data: &'a [T], shape: Shape) -> Self {
        debug_assert_eq!(data.len(), shape.len());
        Self { data, shape }
    }

    /// `rows x cols`.
    #[must_use]
    pub fn shape(self) -> Shape {
        self.shape
    }

    /// The elements, row by row.
    #[must_use]
    pub fn as_slice(self) -> &'a [T] {
        self.data
    }

    /// The rows, also if they are empty.
    pub fn rows(self) -> impl Iterator<Item = &'a [T]> {
        (0..self.shape.rows).map(move |i| &self.data[i * self.shape.cols..(i + 1) * self.shape.cols])
    }
}

/// A number that an operation cannot use: an index out of range, an element of a matrix that cannot be factorised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Its position among the indices or elements; the pivot or the order of the minor.
    pub(crate) position: usize,
    /// The number.
    pub(crate) value: f64,
    /// What it breaks.
    pub(crate) rule: Broken,
}

/// What is required of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Broken {
    /// To be a whole number below this.
    Bound(usize),
    /// To stand there once.
    Twice,
    /// To be finite.
    #[cfg(feature = "linalg")]
    NotFinite,
    /// Of a pivot, not to be 0.
    #[cfg(feature = "linalg")]
    Singular,
    /// Of a leading minor, to be positive.
    #[cfg(feature = "linalg")]
    NotPositiveDefinite,
    /// Of an iteration, to end.
    #[cfg(feature = "linalg")]
    NoConvergence,
}

impl Fault {
    /// As an error of the operation recorded at `site`.
    pub(crate) fn at(self, op: &'static str, site: &'static Location<'static>) -> RunError {
        let Self { position, value, rule } = self;
        match rule {
            Broken::Bound(bound) => RunError::Index { op, site, position, value, bound },
            Broken::Twice => RunError::Duplicate { op, site, position, value },
            #[cfg(feature = "linalg")]
            Broken::NotFinite => RunError::NotFinite { op, site, position, value },
            #[cfg(feature = "linalg")]
            Broken::Singular => RunError::Singular { op, site, pivot: position },
            #[cfg(feature = "linalg")]
            Broken::NotPositiveDefinite => RunError::NotPositiveDefinite { op, site, minor: position },
            #[cfg(feature = "linalg")]
            Broken::NoConvergence => RunError::NoConvergence { op, site },
        }
    }
}
