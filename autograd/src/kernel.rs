//! Numbers in, numbers out: the loops. Nothing here knows a graph.

use core::panic::Location;

use crate::error::RunError;
use crate::shape::Shape;

pub(crate) mod cumulative;
pub(crate) mod distance;
pub(crate) mod elementwise;
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

/// A number that serves as an index and must not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// Its position among the indices.
    pub(crate) position: usize,
    /// The number.
    pub(crate) value: f64,
    /// What it breaks.
    pub(crate) rule: Broken,
}

/// What is required of an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Broken {
    /// To be a whole number below this.
    Bound(usize),
    /// To stand there once.
    Twice,
}

impl Fault {
    /// As an error of the operation recorded at `site`.
    pub(crate) fn at(self, op: &'static str, site: &'static Location<'static>) -> RunError {
        let Self { position, value, rule } = self;
        match rule {
            Broken::Bound(bound) => RunError::Index { op, site, position, value, bound },
            Broken::Twice => RunError::Duplicate { op, site, position, value },
        }
    }
}
