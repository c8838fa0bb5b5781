//! Examples of operations, from which tests make graphs.

use crate::op::Op;
use crate::shape::Shape;

/// Where the elements of an operand are drawn from, so that a difference quotient there means something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Domain {
    /// Numbers between `low` and `high`, at least 1/16 away from each of `kinks`.
    Range {
        /// The least number.
        low: f64,
        /// The largest number.
        high: f64,
        /// Points at which the operation is not smooth.
        kinks: &'static [f64],
    },
    /// `(k + phase) / 4` for whole `k`, so that operands of different phases never meet.
    Lattice {
        /// Between 0 and 1.
        phase: f64,
    },
    /// All elements at least 1/8 apart from each other.
    Distinct,
    /// Whole numbers in `0..bound`.
    Index {
        /// One more than the largest index.
        bound: usize,
    },
    /// The first whole numbers, each once, in any order.
    Order,
    /// 0 or 1.
    Flag,
    /// A square matrix whose diagonal grows, and is larger than the rest of its row and of its column: its inverse is small,
    /// its symmetric part is positive definite, and the eigenvalues of that are far from each other.
    Dominant,
}

impl Domain {
    /// Numbers between -2 and 2.
    pub const ALL: Self = Self::between(-2.0, 2.0);
    /// Numbers between 1/4 and 3.
    pub const POSITIVE: Self = Self::between(0.25, 3.0);
    /// Numbers between -3/4 and 3/4.
    pub const UNIT: Self = Self::between(-0.75, 0.75);
    /// Numbers between -2 and 2, away from 0.
    pub const NON_ZERO: Self = Self::Range { low: -2.0, high: 2.0, kinks: &[0.0] };

    /// Numbers between `low` and `high`, among which there is no kink.
    #[must_use]
    pub const fn between(low: f64, high: f64) -> Self {
        Self::Range { low, high, kinks: &[] }
    }
}

/// An operation with parameters, and operands that it takes.
#[derive(Clone, Debug)]
pub struct Case {
    /// The operation.
    pub op: Op,
    /// Where each operand is drawn from.
    pub domains: Vec<Domain>,
    /// The operands' shapes; empty for a pointwise operation, which takes all that broadcast.
    pub shapes: Vec<Shape>,
}

impl Case {
    pub(crate) fn pointwise<const N: usize>(op: impl Into<Op>, domains: [Domain; N]) -> Self {
        Self { op: op.into(), domains: domains.to_vec(), shapes: Vec::new() }
    }

    pub(crate) fn shaped<const N: usize>(op: impl Into<Op>, operands: [(Domain, (usize, usize)); N]) -> Self {
        Self {
            op: op.into(),
            domains: operands.iter().map(|(domain, _)| *domain).collect(),
            shapes: operands.iter().map(|(_, shape)| Shape::from(*shape)).collect(),
        }
    }
}

/// Every operation gives at least one example.
pub(crate) trait Examples {
    /// The examples.
    fn examples() -> Vec<Case>;
}
