//! Products of one or two rows, whose operands are stored step by step: the gradients of weights with few columns.

use core::array::from_fn;

use pulp::{Simd, WithSimd};

use super::Update;
use super::lanes::{Lanes, lanes};

/// Steps that are summed side by side, so that no sum waits for its own last addition.
const WIDE: usize = 4;

/// `M` rows of a product.
pub(super) struct FewRows<'a, T, const M: usize> {
    pub(super) out: &'a mut [T],
    /// The left operand, column by column.
    pub(super) a: &'a [T],
    /// The right operand, row by row.
    pub(super) b: &'a [T],
    pub(super) update: Update,
}

impl<T: Lanes, const M: usize> WithSimd for FewRows<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, a, b, update } = self;
        let (a, n) = (a.as_chunks::<M>().0, out.len() / M);
        for column in (0..n).step_by(lanes::<S, T>()) {
            let width = lanes::<S, T>().min(n - column);
            let mut sums = [[T::splat(simd, T::ZERO); M]; WIDE];
            let (groups, rest) = a.as_chunks::<WIDE>();
            let mut rows = b.chunks_exact(WIDE * n);
            for (left, rows) in groups.iter().zip(&mut rows) {
                let rows: [_; WIDE] = from_fn(
                    #[inline(always)]
                    |g| right(simd, &rows[g * n + column..(g + 1) * n]),
                );
                for g in 0..WIDE {
                    for i in 0..M {
                        sums[g][i] = T::mul_add(simd, T::splat(simd, left[g][i]), rows[g], sums[g][i]);
                    }
                }
            }
            for (left, row) in rest.iter().zip(rows.remainder().chunks_exact(n)) {
                for i in 0..M {
                    sums[0][i] = T::mul_add(simd, T::splat(simd, left[i]), right(simd, &row[column..]), sums[0][i]);
                }
            }
            let one = T::splat(simd, T::ONE);
            for i in 0..M {
                let pairs = [0, 2].map(|g: usize| T::mul_add(simd, sums[g][i], one, sums[g + 1][i]));
                let sum = T::mul_add(simd, pairs[0], one, pairs[1]);
                let out = &mut out[i * n + column..][..width];
                let old = if update == Update::Accumulate { T::load(simd, out) } else { T::splat(simd, T::ZERO) };
                T::store(simd, T::mul_add(simd, sum, one, old), out);
            }
        }
    }
}

/// A vector of a row, or what is left of it.
#[inline(always)]
fn right<S: Simd, T: Lanes>(simd: S, row: &[T]) -> T::Vector<S> {
    match T::vectors::<S>(row) {
        [full, ..] => *full,
        [] => T::load(simd, row),
    }
}
