//! From wrong derivatives to what probably went wrong.

use super::report::Cause;

/// What is known about the elements of one derivative.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// What the code under test says.
    pub analytic: &'a [f64],
    /// What the differences say.
    pub numeric: &'a [f64],
    /// How far apart the two may be, for each element.
    pub tolerance: &'a [f64],
    /// The input, if there is one number for each element.
    pub input: &'a [f64],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Numbers of what may have been summed or averaged: samples, elements, rows.
    pub counts: &'a [usize],
}

impl Evidence<'_> {
    /// So much relative error is granted to a hypothesis: it only has to be better than the others.
    const SLACK: f64 = 1e-6;

    /// Whether `a` could stand where the numeric derivative is that of element `k`.
    fn fits(&self, a: f64, k: usize) -> bool {
        (a - self.numeric[k]).abs() <= self.tolerance[k].max(Self::SLACK * self.numeric[k].abs())
    }

    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is wrong")]
    fn is_wrong(&self, k: usize) -> bool {
        !((self.analytic[k] - self.numeric[k]).abs() <= self.tolerance[k])
    }

    /// The number that all of `values` are, if they are.
    fn common(values: impl Iterator<Item = f64>) -> Option<f64> {
        let values: Vec<f64> = values.collect();
        let first = *values.first()?;
        let same = values.iter().all(|v| (v - first).abs() <= 1e-4 * first.abs());
        (same && first.is_finite()).then(|| {
            #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a count")]
            let n = values.len() as f64;
            values.iter().map(|v| v / n).sum()
        })
    }

    /// All wrong ones are `ratio` times what they should be, and all others are 0 or nearly.
    fn factor(&self, wrong: &[usize]) -> Option<Cause> {
        let ratio = Self::common(wrong.iter().map(|&k| self.analytic[k] / self.numeric[k]))?;
        let all = (0..self.analytic.len()).all(|k| self.fits(self.analytic[k] / ratio, k));
        if !all {
            return None;
        }
        let near = |target: f64| (ratio / target - 1.0).abs() < 1e-4;
        if near(-1.0) {
            return Some(Cause::Sign);
        }
        let counted = self.counts.iter().copied().filter(|&count| count > 2).find_map(|count| {
            #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a count")]
            let n = count as f64;
            (near(n) || near(1.0 / n)).then_some(Cause::MeanOrSum { count, too_large: near(n) })
        });
        counted.or(Some(Cause::Factor { ratio }))
    }

    fn transposed(&self) -> bool {
        let [rows, cols] = self.shape;
        rows > 1
            && cols > 1
            && (0..rows).all(|i| (0..cols).all(|j| self.fits(self.analytic[j * rows + i], i * cols + j)))
    }

    /// Right numbers in wrong places.
    fn permuted(&self) -> Option<Cause> {
        let n = self.analytic.len();
        let shifted = |s: usize| (0..n).filter(|&k| self.fits(self.analytic[(k + s) % n], k)).count();
        for s in 1..n.min(4) {
            // Numbers that leave at one end need not come in at the other.
            for (shift, places) in [(isize::try_from(s).ok(), s), (isize::try_from(s).ok().map(|s| -s), n - s)] {
                if n > s + 1 && shifted(places) >= n - s {
                    return Some(Cause::Permuted { shift });
                }
            }
        }
        let sorted = |values: &[f64]| {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
            order
        };
        let (from, to) = (sorted(self.analytic), sorted(self.numeric));
        let same = from.iter().zip(&to).all(|(&a, &k)| self.fits(self.analytic[a], k));
        same.then_some(Cause::Permuted { shift: None })
    }

    fn term(&self, wrong: &[usize]) -> Cause {
        let error = |k: usize| self.analytic[k] - self.numeric[k];
        let all = wrong.len() == self.analytic.len() && wrong.len() > 2;
        let offset = if all { Self::common(wrong.iter().map(|&k| error(k))) } else { None };
        let known = self.input.len() == self.analytic.len() && wrong.len() > 2;
        let of_input = if known { Self::common(wrong.iter().map(|&k| error(k) / self.input[k])) } else { None };
        Cause::Term { offset, of_input }
    }
}

/// The likely cause of what is wrong; `None` if nothing is.
///
/// # Examples
/// ```
/// use autograd::check::{Cause, Evidence, diagnose};
/// let evidence = Evidence {
///     analytic: &[1.0, -2.0, 3.0],
///     numeric: &[2.0, -4.0, 6.0],
///     tolerance: &[1e-6; 3],
///     input: &[],
///     shape: [3, 1],
///     counts: &[],
/// };
/// assert_eq!(diagnose(&evidence), Some(Cause::Factor { ratio: 0.5 }));
/// ```
#[must_use]
pub fn diagnose(evidence: &Evidence<'_>) -> Option<Cause> {
    let n = evidence.analytic.len().min(evidence.numeric.len());
    let infinite = evidence.analytic.iter().filter(|a| !a.is_finite()).count();
    if infinite > 0 {
        return Some(Cause::NonFinite { count: infinite });
    }
    let wrong: Vec<usize> = (0..n).filter(|&k| evidence.is_wrong(k)).collect();
    if wrong.is_empty() {
        return None;
    }
    let zero = |k: &usize| evidence.analytic[*k].abs() <= 0.0;
    if (0..n).all(|k| zero(&k)) && (n > 1 || evidence.numeric[0].abs() > evidence.tolerance[0]) {
        return Some(Cause::Zero);
    }
    if wrong.iter().all(zero) {
        return Some(Cause::SomeZero { count: wrong.len() });
    }
    if wrong.len() == 1 && n > 2 {
        return Some(Cause::OneElement);
    }
    let factor = evidence.factor(&wrong);
    if factor.is_some() {
        return factor;
    }
    if evidence.transposed() {
        return Some(Cause::Transposed);
    }
    Some(evidence.permuted().unwrap_or_else(|| evidence.term(&wrong)))
}

/// Whether a contribution that has a larger shape than the input is right once it is summed over the rows or the columns
/// along which the input was broadcast.
///
/// # Examples
/// ```
/// use autograd::check::is_not_summed;
/// // By a row of a bias, with two samples: the cotangents were not added up.
/// assert!(is_not_summed(&[1.0, 2.0, 3.0, 4.0], [2, 2], &[4.0, 6.0], [1, 2]));
/// assert!(!is_not_summed(&[1.0, 2.0, 3.0, 4.0], [2, 2], &[4.0, 7.0], [1, 2]));
/// ```
#[must_use]
pub fn is_not_summed(analytic: &[f64], analytic_shape: [usize; 2], numeric: &[f64], shape: [usize; 2]) -> bool {
    let [rows, cols] = analytic_shape;
    let fits = (shape[0] == rows || shape[0] == 1) && (shape[1] == cols || shape[1] == 1);
    if analytic_shape == shape || !fits || analytic.len() != rows * cols || numeric.len() != shape[0] * shape[1] {
        return false;
    }
    let mut summed = vec![0.0; numeric.len()];
    for (k, a) in analytic.iter().enumerate() {
        let (i, j) = (k / cols, k % cols);
        summed[(i % shape[0]) * shape[1] + j % shape[1]] += a;
    }
    let size = numeric.iter().fold(0.0_f64, |max, n| max.max(n.abs()));
    summed.iter().zip(numeric).all(|(a, n)| (a - n).abs() <= 1e-5 * size)
}
