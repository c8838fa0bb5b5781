//! Scalar products, for results of a few rows whose operands are contiguous along `k`.

use core::array::from_fn;

use pulp::{Simd, WithSimd};

use super::Update;
use super::lanes::{Lanes, lanes};

/// Columns that are summed side by side, so that no sum waits for its own last addition.
const WIDE: usize = 8;

/// Part of a row of the result.
pub(super) struct Dots<'a, T> {
    pub(super) out: &'a mut [T],
    /// One row.
    pub(super) a: &'a [T],
    /// Rows of the same length, one for each element of the result.
    pub(super) b: &'a [T],
    pub(super) update: Update,
}

impl<T: Lanes> WithSimd for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let k = self.a.len();
        let (wide, rest) = self.out.as_chunks_mut::<WIDE>();
        let (b_wide, b_rest) = self.b.split_at(wide.len() * WIDE * k);
        for (out, b) in wide.iter_mut().zip(b_wide.chunks_exact(WIDE * k)) {
            dots(simd, out, self.a, b, self.update);
        }
        for (x, b) in rest.iter_mut().zip(b_rest.chunks_exact(k)) {
            dots(simd, core::array::from_mut(x), self.a, b, self.update);
        }
    }
}

#[inline(always)]
fn dots<S: Simd, T: Lanes, const N: usize>(simd: S, out: &mut [T; N], a: &[T], b: &[T], update: Update) {
    let k = a.len();
    let full = k / lanes::<S, T>();
    let a_full = &T::vectors::<S>(a)[..full];
    let rows: [&[T]; N] = from_fn(|j| &b[j * k..][..k]);
    let rows_full: [&[T::Vector<S>]; N] = from_fn(|j| &T::vectors::<S>(rows[j])[..full]);
    let mut sums = [T::splat(simd, T::ZERO); N];
    for p in 0..full {
        for j in 0..N {
            sums[j] = T::mul_add(simd, a_full[p], rows_full[j][p], sums[j]);
        }
    }
    let tail = full * lanes::<S, T>();
    if tail < k {
        let a = T::load(simd, &a[tail..]);
        for j in 0..N {
            sums[j] = T::mul_add(simd, a, T::load(simd, &rows[j][tail..]), sums[j]);
        }
    }
    for (x, sum) in out.iter_mut().zip(sums) {
        let sum = T::total(simd, sum);
        *x = if update == Update::Accumulate { *x + sum } else { sum };
    }
}
