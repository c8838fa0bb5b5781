//! Order within a row.

use core::cmp::Ordering;

use crate::scalar::Real;

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortOrder {
    /// The smallest.
    Ascending,
    /// The largest.
    Descending,
}

/// The positions of the elements in sorted order, equal ones as they stand, NaN last. Sorts in place.
pub(crate) fn positions<T: Real>(x: &[T], order: SortOrder, out: &mut [T]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = T::from_usize(i);
    }
    out.sort_unstable_by(|i, j| {
        let (a, b) = (x[whole(*i)], x[whole(*j)]);
        let among_numbers = match order {
            SortOrder::Ascending => a.partial_cmp(&b),
            SortOrder::Descending => b.partial_cmp(&a),
        };
        let ordered = among_numbers.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
        ordered.then(i.partial_cmp(j).unwrap_or(Ordering::Equal))
    });
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made of a position in the row")]
fn whole<T: Real>(position: T) -> usize {
    position.to_f64() as usize
}
