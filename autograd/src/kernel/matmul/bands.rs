//! A product whose bands of rows are computed one at a time, so that what follows finds them in the cache.

use pulp::{Arch, Simd, WithSimd};

use super::lanes::{Lanes, lanes};
use super::pack::Pack;
use super::{Band, DOTS, LINE, Operand, PACKED, Plan, Right, STEPS, Threads, Update, loops};
use crate::shape::Shape;

/// Whether the product has bands: its right operand is packed at once, and it is not computed as scalar products.
/// Otherwise only the whole is to be had.
pub(crate) fn has_bands(m: usize, k: usize, n: usize) -> bool {
    m > DOTS && n > 1 && k > 0 && k <= (PACKED / n.next_multiple_of(LINE)).max(STEPS)
}

/// Writes rows of a product from a row on, as many as it is given room for.
pub(crate) type Rows<'a, T> = &'a (dyn Fn(usize, &mut [T]) + Sync);

/// Calls `f` with a function that writes rows of `op(a) op(b)`, from a row on, as many as it is given room for: with the bits
/// of the whole product.
pub(crate) fn with_bands<T: Lanes>(
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    threads: Threads,
    f: &mut dyn FnMut(Rows<'_, T>),
) {
    let (Shape { rows: m, cols: k }, Shape { cols: n, .. }) = (a.shape(), b.shape());
    assert_eq!(k, b.shape().rows, "matmul: left columns must equal right rows");
    debug_assert!(has_bands(m, k, n), "{m}x{k} by {k}x{n} has no bands");
    let plan = Plan::new(m, k, n, b.order, threads);
    let mut scratch = T::scratch().take();
    let panels = Arch::new().dispatch(Prepare { b, plan, scratch: &mut scratch });
    let packed = &scratch[panels.start..][..panels.packed];
    f(&|row, out| Arch::new().dispatch(Computed { a, b, packed, panels, row, out }));
    T::scratch().set(scratch);
}

/// How the right operand was cut into panels.
#[derive(Clone, Copy)]
struct Panels {
    in_place: usize,
    width: usize,
    start: usize,
    packed: usize,
}

struct Prepare<'a, T> {
    b: Operand<'a, T>,
    plan: Plan,
    scratch: &'a mut Vec<T>,
}

impl<T: Lanes> WithSimd for Prepare<'_, T> {
    type Output = Panels;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Panels {
        let Shape { rows: k, cols: n } = self.b.shape();
        let (in_place, padded, width) = self.plan.panels(n, lanes::<S, T>());
        if S::IS_SCALAR {
            return Panels { in_place, width, start: 0, packed: 0 };
        }
        let packed = padded * k;
        if self.scratch.len() < packed + LINE {
            self.scratch.resize(packed + LINE, T::ZERO);
        }
        let start = self.scratch.as_ptr().align_offset(LINE);
        self.plan.each(&mut self.scratch[start..][..packed], width * k, |i, to| {
            simd.vectorize(Pack { to, from: self.b, p: 0, k, column: in_place + i * width });
        });
        Panels { in_place, width, start, packed }
    }
}

struct Computed<'a, T> {
    a: Operand<'a, T>,
    b: Operand<'a, T>,
    packed: &'a [T],
    panels: Panels,
    row: usize,
    out: &'a mut [T],
}

impl<T: Lanes> WithSimd for Computed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, packed, panels: Panels { in_place, width, .. }, row, out } = self;
        let Shape { rows: k, cols: n } = b.shape();
        if S::IS_SCALAR {
            return loops(out, a, b, row, Update::Overwrite);
        }
        let right = Right { data: b.data, packed, in_place, n, k, width };
        simd.vectorize(Band { out, a, right, row, p: 0, update: Update::Overwrite });
    }
}
