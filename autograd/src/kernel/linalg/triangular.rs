//! Substitution.

use crate::kernel::structure::Part;
use crate::kernel::{Broken, Fault, View};
use crate::scalar::Real;

/// Which triangle of a matrix counts, and how.
///
/// ```
/// use autograd::op::Triangular;
/// let upper = Triangular::LOWER.transpose();
/// assert!(upper.transposed && !upper.unit_diagonal);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Triangular {
    /// The triangle of the matrix itself that is read; the other one may hold anything.
    pub part: Part,
    /// Whether the transpose of that triangle is meant.
    pub transposed: bool,
    /// Whether the diagonal counts as ones and is not read.
    pub unit_diagonal: bool,
}

impl Triangular {
    /// The lower triangle with the diagonal.
    pub const LOWER: Self = Self { part: Part::Lower, transposed: false, unit_diagonal: false };
    /// The upper triangle with the diagonal.
    pub const UPPER: Self = Self { part: Part::Upper, transposed: false, unit_diagonal: false };

    /// The transpose of that.
    #[must_use]
    pub const fn transpose(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// The same triangle, with ones on the diagonal.
    #[must_use]
    pub const fn with_unit_diagonal(self) -> Self {
        Self { unit_diagonal: true, ..self }
    }
}

/// `op(A) X = B`, row by row of `X`.
pub(crate) fn substitute<T: Real>(
    a: View<'_, T>,
    b: View<'_, T>,
    kind: Triangular,
    out: &mut [T],
) -> Result<(), Fault> {
    let (n, cols) = (b.shape.rows, b.shape.cols);
    let at = |i: usize, j: usize| if kind.transposed { a.data[j * n + i] } else { a.data[i * n + j] };
    if !kind.unit_diagonal
        && let Some(position) = (0..n).find(|&i| at(i, i) == T::ZERO)
    {
        return Err(Fault { position, value: 0.0, rule: Broken::Singular });
    }
    out.copy_from_slice(b.data);
    let from_above = (kind.part == Part::Lower) != kind.transposed;
    for step in 0..n {
        let i = if from_above { step } else { n - 1 - step };
        let (above, rest) = out.split_at_mut(i * cols);
        let (row, below) = rest.split_at_mut(cols);
        let known = if from_above { above } else { below };
        let first = if from_above { 0 } else { i + 1 };
        for (k, known) in known.chunks_exact(cols.max(1)).enumerate() {
            let factor = at(i, first + k);
            row.iter_mut().zip(known).for_each(|(x, known)| *x -= factor * *known);
        }
        if !kind.unit_diagonal {
            let pivot = at(i, i);
            row.iter_mut().for_each(|x| *x /= pivot);
        }
    }
    Ok(())
}
