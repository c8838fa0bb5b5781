//! Many numbers to one. The order of every sum depends on the shape alone.

mod narrow;
pub(crate) mod running;

use pulp::{Arch, Simd, WithSimd};

use crate::kernel::{View, math};
use crate::scalar::Real;
use crate::shape::Shape;
use narrow::Wanted;

/// Partial sums that run side by side.
const LANES: usize = 32;
/// Numbers that are summed before their sum joins the total.
const BLOCK: usize = 1024;
/// Numbers that are mapped at a time, on the stack, before they are summed.
const CHUNK: usize = 128;
/// Rows that are summed before their sum joins the total.
const ROWS: usize = 32;
/// Columns whose totals are kept at a time.
const STRIP: usize = 128;

/// `a + b` as the rounded sum and what rounding lost, exactly (D. Knuth, "The Art of Computer Programming",
/// volume 2, theorem 4.2.2 B).
#[inline(always)]
fn two_sum<T: Real>(a: T, b: T) -> (T, T) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

/// A sum with what rounding lost of it.
#[derive(Clone, Copy)]
pub(crate) struct Compensated<T> {
    sum: T,
    lost: T,
}

impl<T: Real> Compensated<T> {
    pub(crate) const ZERO: Self = Self { sum: T::ZERO, lost: T::ZERO };

    #[inline(always)]
    pub(crate) fn add(&mut self, x: T) {
        let (sum, lost) = two_sum(self.sum, x);
        *self = Self { sum, lost: self.lost + lost };
    }

    #[inline(always)]
    fn join(&mut self, other: Self) {
        self.add(other.sum);
        self.lost += other.lost;
    }

    /// The sum, rounded once more. What was lost of an infinite one is no number.
    #[inline(always)]
    pub(crate) fn value(self) -> T {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// The sum: 32 plain partial sums within blocks of 1024 numbers; all further additions keep what rounding loses.
/// So at most 31 roundings, of partial sums, and that of the result remain; none but the last up to 32 numbers.
pub(crate) fn sum<T: Real>(x: &[T]) -> T {
    if x.len() < LANES {
        return sum_of_few(x.iter().copied());
    }
    let mut total = Compensated::ZERO;
    x.chunks(BLOCK).for_each(|block| total.join(Arch::new().dispatch(SumBlock(block))));
    total.value()
}

/// The [`sum`] of fewer numbers than there are lanes: nothing is lost of any.
#[inline(always)]
pub(crate) fn sum_of_few<T: Real>(x: impl Iterator<Item = T>) -> T {
    let mut total = Compensated::ZERO;
    x.for_each(|x| total.add(x));
    total.value()
}

/// How the sums down a few rows, at most 32, are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FewRows {
    /// It is the row.
    Row,
    /// As [`sum_of_few`].
    Compensated,
    /// From the first to the last.
    Plain,
}

impl FewRows {
    pub(crate) fn of(shape: Shape) -> Self {
        match (shape.rows, shape.cols) {
            (1, _) => Self::Row,
            (_, 1) => Self::Compensated,
            _ => Self::Plain,
        }
    }
}

struct SumBlock<'a, T>(&'a [T]);

impl<T: Real> WithSimd for SumBlock<'_, T> {
    type Output = Compensated<T>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Compensated<T> {
        let (chunks, rest) = self.0.as_chunks::<LANES>();
        let mut lanes = [T::ZERO; LANES];
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane += *x;
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += *x;
        }
        tree(lanes)
    }
}

/// The sum of the partial sums, in pairs, with what rounding lost.
#[inline(always)]
fn tree<T: Real>(mut lanes: [T; LANES]) -> Compensated<T> {
    let mut lost = [T::ZERO; LANES];
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for k in 0..width {
            let (sum, error) = two_sum(lanes[k], lanes[k + width]);
            lanes[k] = sum;
            lost[k] = (lost[k] + lost[k + width]) + error;
        }
    }
    Compensated { sum: lanes[0], lost: lost[0] }
}

/// The sums down the rows: 32 rows plainly, then joined to a total that keeps what rounding loses.
pub(crate) fn sum_rows<T: Real>(x: View<'_, T>, out: &mut [T]) {
    match (x.shape.rows, x.shape.cols) {
        (_, 0) => {}
        (1, _) => out.copy_from_slice(x.data),
        (_, 1) => out[0] = sum(x.data),
        (_, cols) => Arch::new().dispatch(SumRows { x: x.data, cols, out }),
    }
}

struct SumRows<'a, T> {
    x: &'a [T],
    cols: usize,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for SumRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if self.x.len() <= ROWS * self.cols {
            for (part, out) in self.out.chunks_mut(LANES).enumerate() {
                let lanes = sum_of_columns(self.x, self.cols, part * LANES, out.len());
                out.copy_from_slice(&lanes[..out.len()]);
            }
            return;
        }
        for (strip, out) in self.out.chunks_mut(STRIP).enumerate() {
            sum_strip(self.x, self.cols, strip * STRIP, out);
        }
    }
}

/// The sums of at most 128 columns from `start`.
#[inline(always)]
fn sum_strip<T: Real>(x: &[T], cols: usize, start: usize, out: &mut [T]) {
    let (mut sums, mut lost) = ([T::ZERO; STRIP], [T::ZERO; STRIP]);
    for block in x.chunks(ROWS * cols) {
        let parts = sums.chunks_exact_mut(LANES).zip(lost.chunks_exact_mut(LANES));
        for (part, (sums, lost)) in (0..out.len()).step_by(LANES).zip(parts) {
            let lanes = sum_of_columns(block, cols, start + part, LANES.min(out.len() - part));
            for k in 0..LANES {
                let (sum, error) = two_sum(sums[k], lanes[k]);
                sums[k] = sum;
                lost[k] += error;
            }
        }
    }
    for (out, (sum, lost)) in out.iter_mut().zip(sums.into_iter().zip(lost)) {
        *out = Compensated { sum, lost }.value();
    }
}

/// The plain sums of at most 32 columns from `start`.
#[inline(always)]
fn sum_of_columns<T: Real>(block: &[T], cols: usize, start: usize, width: usize) -> [T; LANES] {
    let mut lanes = [T::ZERO; LANES];
    for row in block.chunks_exact(cols) {
        let row = &row[start..start + width];
        if let Ok(row) = <&[T; LANES]>::try_from(row) {
            for (lane, x) in lanes.iter_mut().zip(row) {
                *lane += *x;
            }
        } else {
            for (lane, x) in lanes.iter_mut().zip(row) {
                *lane += *x;
            }
        }
    }
    lanes
}

/// The product, from left to right.
pub(crate) fn product<T: Real>(x: &[T]) -> T {
    x.iter().fold(T::ONE, |product, x| product * *x)
}

/// `√Σ x²`, also where the squares would overflow or vanish: then the numbers are scaled by a power of 2.
pub(crate) fn norm<T: Real>(x: &[T]) -> T {
    let power = |single: i32, double: i32| {
        T::from_f64(2f64.powi(if size_of::<T>() == size_of::<f32>() { single } else { double }))
    };
    let squares = sum_of_squares(x, T::ONE);
    if squares >= power(-100, -900) && squares <= power(120, 1000) {
        return squares.sqrt();
    }
    let largest = x.iter().fold(T::ZERO, |max, x| if x.abs() > max || x.is_nan() { x.abs() } else { max });
    if largest == T::ZERO || !largest.is_finite() {
        return largest;
    }
    let scale = if largest < T::ONE { power(90, 600) } else { power(-80, -600) };
    sum_of_squares(x, scale).sqrt() / scale
}

fn sum_of_squares<T: Real>(x: &[T], scale: T) -> T {
    let mut total = Compensated::ZERO;
    let mut squares = [T::ZERO; CHUNK];
    for chunk in x.chunks(CHUNK) {
        for (square, x) in squares.iter_mut().zip(chunk) {
            *square = (*x * scale) * (*x * scale);
        }
        total.add(sum(&squares[..chunk.len()]));
    }
    total.value()
}

/// `x - mean`, and once more, for what rounding left in the first mean.
pub(crate) fn center<T: Real>(x: &[T], out: &mut [T]) {
    let count = T::from_usize(x.len());
    let mean = sum(x) / count;
    for (out, x) in out.iter_mut().zip(x) {
        *out = *x - mean;
    }
    let mean = sum(out) / count;
    for out in out {
        *out -= mean;
    }
}

/// `f` of each row.
pub(crate) fn per_row<T: Real>(x: View<'_, T>, out: &mut [T], f: impl Fn(&[T]) -> T) {
    for (out, row) in out.iter_mut().zip(x.rows()) {
        *out = f(row);
    }
}

/// `f` from each row to a row.
pub(crate) fn map_rows<T: Real>(x: View<'_, T>, out: &mut [T], mut f: impl FnMut(&[T], &mut [T])) {
    let cols = x.shape.cols;
    for (i, row) in x.rows().enumerate() {
        f(row, &mut out[i * cols..(i + 1) * cols]);
    }
}

/// The sum of each row.
pub(crate) fn sum_columns<T: Real>(x: View<'_, T>, out: &mut [T]) {
    by_rows(x, Wanted::Sum, out, |x, out| per_row(x, out, sum));
}

/// `ln Σ eˣ` of each row.
pub(crate) fn log_sum_exp_rows<T: Real>(x: View<'_, T>, out: &mut [T]) {
    by_rows(x, Wanted::LogSumExp, out, |x, out| per_row(x, out, log_sum_exp));
}

/// `eˣ / Σ eˣ` of each row; zeros where all are -∞.
pub(crate) fn softmax_rows<T: Real>(x: View<'_, T>, out: &mut [T]) {
    by_rows(x, Wanted::Softmax, out, |x, out| map_rows(x, out, softmax));
}

/// `x - ln Σ eˣ` of each row.
pub(crate) fn log_softmax_rows<T: Real>(x: View<'_, T>, out: &mut [T]) {
    by_rows(x, Wanted::LogSoftmax, out, |x, out| map_rows(x, out, log_softmax));
}

fn by_rows<T: Real>(x: View<'_, T>, wanted: Wanted, out: &mut [T], one_by_one: impl Fn(View<'_, T>, &mut [T])) {
    if narrow::is_narrow(x) { narrow::reduce(x, wanted, out) } else { one_by_one(x, out) }
}

/// The largest element; NaN if there is one.
pub(crate) fn max<T: Real>(x: &[T]) -> T {
    extreme(x, T::NEG_INFINITY, |x, max| x > max)
}

/// The smallest element; NaN if there is one.
pub(crate) fn min<T: Real>(x: &[T]) -> T {
    extreme(x, T::INFINITY, |x, min| x < min)
}

/// The element that wins against all others, in 32 runs side by side.
#[inline(always)]
fn extreme<T: Real>(x: &[T], start: T, wins: impl Fn(T, T) -> bool) -> T {
    let better = |best: T, x: T| if wins(x, best) || x.is_nan() { x } else { best };
    if x.len() < LANES {
        return x.iter().fold(start, |best, x| better(best, *x));
    }
    Arch::new().dispatch(Extreme { x, start, better })
}

struct Extreme<'a, T, F> {
    x: &'a [T],
    start: T,
    better: F,
}

impl<T: Real, F: Fn(T, T) -> T> WithSimd for Extreme<'_, T, F> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let (chunks, rest) = self.x.as_chunks::<LANES>();
        let mut lanes = [self.start; LANES];
        for chunk in chunks {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *lane = (self.better)(*lane, *x);
            }
        }
        lanes.iter().chain(rest).fold(self.start, |best, x| (self.better)(best, *x))
    }
}

/// The position of the largest element, the first of ties, or of the first NaN.
pub(crate) fn arg_max<T: Real>(x: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in x.iter().enumerate() {
        if value.is_nan() {
            return i;
        }
        if *value > x[best] {
            best = i;
        }
    }
    best
}

/// `ln Σ eˣ`.
fn log_sum_exp<T: Real>(x: &[T]) -> T {
    let max = max(x);
    if max.is_finite() { max + math::ln_1p(rest_of_sum(x, max)) } else { max }
}

/// `ln (Σ eˣ / n)`. Where the mean is near 1 its distance to 1 is summed, so that equal numbers come back to the bit.
pub(crate) fn log_mean_exp<T: Real>(x: &[T]) -> T {
    let max = max(x);
    if x.is_empty() {
        return T::NAN;
    }
    if !max.is_finite() {
        return max;
    }
    let (rest, count) = (rest_of_sum(x, max), T::from_usize(x.len()));
    if (T::ONE + rest) / count < T::from_f64(0.5) {
        return max + (math::ln_1p(rest) - math::ln(count));
    }
    let mut distance = Compensated::ZERO;
    x.iter().for_each(|x| distance.add(math::exp_m1(*x - max)));
    max + math::ln_1p(distance.value() / count)
}

/// `Σ e^(x - max)` without the first largest element, which is 1: a small rest is not lost beside it.
fn rest_of_sum<T: Real>(x: &[T], max: T) -> T {
    let mut first = x.iter().position(|x| *x >= max);
    let mut total = Compensated::ZERO;
    let mut terms = [T::ZERO; CHUNK];
    for (k, chunk) in x.chunks(CHUNK).enumerate() {
        let terms = &mut terms[..chunk.len()];
        exp_of_difference(chunk, max, terms);
        if let Some(first) = first.take_if(|first| *first / CHUNK == k) {
            terms[first % CHUNK] = T::ZERO;
        }
        total.add(sum(terms));
    }
    total.value()
}

/// `eˣ / Σ eˣ`; zeros where all are -∞.
fn softmax<T: Real>(x: &[T], out: &mut [T]) {
    let max = max(x);
    if max == T::NEG_INFINITY {
        return out.fill(T::ZERO);
    }
    exp_of_difference(x, max, out);
    let total = sum(out);
    for out in out {
        *out /= total;
    }
}

/// `x - ln Σ eˣ`.
fn log_softmax<T: Real>(x: &[T], out: &mut [T]) {
    let max = max(x);
    exp_of_difference(x, max, out);
    if let Some(first) = x.iter().position(|x| *x >= max) {
        out[first] = T::ZERO;
    }
    let log = math::ln_1p(sum(out));
    for (out, x) in out.iter_mut().zip(x) {
        *out = (*x - max) - log;
    }
}

fn exp_of_difference<T: Real>(x: &[T], shift: T, out: &mut [T]) {
    Arch::new().dispatch(ExpOfDifference { x, shift, out });
}

struct ExpOfDifference<'a, T> {
    x: &'a [T],
    shift: T,
    out: &'a mut [T],
}

impl<T: Real> WithSimd for ExpOfDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = math::exp(*x - self.shift);
        }
    }
}
