//! A product whose bands of rows are computed one at a time, so that what follows finds them in the cache.

use core::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lanes;
use super::pack::Pack;
use super::zeros::Zeros;
use super::{
    Band, COPY, DOTS, LINE, Operand, Order, PACKED, PARALLEL, Plan, Right, STEPS, THREAD_BAND, Threads, Update, loops,
    zeros,
};
use crate::shape::Shape;

/// Whether the product has bands: its right operand is packed at once, and it is not computed as scalar products.
/// Otherwise only the whole is to be had.
pub(crate) fn has_bands(m: usize, k: usize, n: usize) -> bool {
    m > DOTS && n > 1 && k > 0 && k <= (PACKED / n.next_multiple_of(LINE)).max(STEPS)
}

/// Most rows, and fewest steps, of a product that is computed as the sum of two: one for the first half of the steps, one for the
/// second. Two threads that shared out so few rows would both read the whole right operand; of the halves, each reads its
/// own, and finds it in its own cache if it wrote it there (as weights are updated, row by row).
const FEW_ROWS: usize = 256;
const MANY_STEPS: usize = 512;

/// Whether the product is computed in two halves.
pub(super) fn is_halved(m: usize, k: usize, n: usize) -> bool {
    has_bands(m, k, n) && m <= FEW_ROWS && k >= MANY_STEPS && m * n * k >= PARALLEL
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
    let halved = is_halved(m, k, n);
    let sums = if halved { 2 * m * n } else { 0 };
    let mut scratch = T::scratch().take();
    let (zeros, middle) = if m * n * k >= PARALLEL && (a.order == Order::Plain || plan.pack && n > COPY) {
        Zeros::of(a, b, plan.parallel)
    } else {
        (Zeros::Unknown, k / 2)
    };
    let panels = Arch::new().dispatch(Prepare { b: &b, plan, sums, zeros, scratch: &mut scratch });
    let (packed, sums) = scratch[panels.start..][..panels.packed + sums].split_at_mut(panels.packed);
    let product = Product { a: &a, b: &b, packed, panels, zeros };
    if halved {
        let (first, second) = sums.split_at_mut(m * n);
        product.halves(plan, middle.clamp(1, k - 1), first, second);
        f(&|row, out| Arch::new().dispatch(Sum { x: &first[row * n..], y: &second[row * n..], out }));
    } else {
        f(&|row, out| Arch::new().dispatch(Computed { product, row, steps: 0..k, out }));
    }
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
    b: &'a Operand<'a, T>,
    plan: Plan,
    /// Numbers that there must be room for behind the panels.
    sums: usize,
    zeros: Zeros,
    scratch: &'a mut Vec<T>,
}

impl<T: Lanes> WithSimd for Prepare<'_, T> {
    type Output = Panels;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Panels {
        let Shape { rows: k, cols: n } = self.b.shape();
        let (in_place, padded, width) = self.plan.panels::<S, T>(n, self.zeros);
        let packed = if S::IS_SCALAR { 0 } else { padded * k };
        if self.scratch.len() < packed + self.sums + LINE {
            self.scratch.resize(packed + self.sums + LINE, T::ZERO);
        }
        let start = self.scratch.as_ptr().align_offset(LINE).min(LINE);
        if !S::IS_SCALAR {
            self.plan.each(&mut self.scratch[start..][..packed], width * k, |i, to| {
                simd.vectorize(Pack { to, from: self.b, p: 0, k, column: in_place + i * width });
            });
        }
        Panels { in_place, width, start, packed }
    }
}

/// A product whose right operand is prepared.
#[derive(Clone, Copy)]
struct Product<'a, T> {
    a: &'a Operand<'a, T>,
    b: &'a Operand<'a, T>,
    packed: &'a [T],
    panels: Panels,
    zeros: Zeros,
}

impl<T: Lanes> Product<'_, T> {
    /// The products of the steps before the middle, and of the others.
    fn halves(self, plan: Plan, middle: usize, first: &mut [T], second: &mut [T]) {
        let Shape { rows: k, cols: n } = self.b.shape();
        let half = |steps: Range<usize>, sums: &mut [T]| {
            // A band reads its half of the right operand: no more bands than there are threads for.
            let threads = if plan.parallel { rayon::current_num_threads() } else { 1 };
            let rows = (sums.len() / n).div_ceil(threads.div_ceil(2)).next_multiple_of(THREAD_BAND);
            plan.each(sums, rows * n, |i, out| {
                Arch::new().dispatch(Computed { product: self, row: i * rows, steps: steps.clone(), out });
            });
        };
        zeros::in_halves(plan.parallel, || half(0..middle, first), || half(middle..k, second));
    }
}

struct Computed<'a, T> {
    product: Product<'a, T>,
    row: usize,
    steps: Range<usize>,
    out: &'a mut [T],
}

impl<T: Lanes> WithSimd for Computed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { product: Product { a, b, packed, panels, zeros }, row, steps, out } = self;
        let Shape { rows: k, cols: n } = b.shape();
        if S::IS_SCALAR {
            return loops(out, *a, *b, row, steps, Update::Overwrite);
        }
        let right = Right { data: b.data, packed, in_place: panels.in_place, n, k, width: panels.width };
        Band { out, a, right: &right, row, p: 0, steps, zeros, update: Update::Overwrite }.compute(simd);
    }
}

/// `out = x + y`, as far as `out` goes.
struct Sum<'a, T> {
    x: &'a [T],
    y: &'a [T],
    out: &'a mut [T],
}

impl<T: Lanes> WithSimd for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.out.iter_mut().zip(self.x).zip(self.y).for_each(|((out, &x), &y)| *out = x + y);
    }
}
