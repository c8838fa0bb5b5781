//! What checks of graphs are made of: random directions, weighted sums that move, comparisons.

use super::cause::{Evidence, diagnose};
use super::compare::judge;
use super::difference::{Derivative, Difference, Precision};
use super::random::SplitMix64;
use super::replay::Replay;
use super::report::{Cause, Element, Mismatch, Reason};
use crate::scalar::Real;
use crate::shape::Shape;

/// Numbers for directions and cotangents, which follow from a seed.
#[derive(Clone, Debug)]
pub(super) struct Draws(SplitMix64);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    pub(super) fn numbers(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.0.weight()).collect()
    }

    /// A direction at a point: each number moves by about its own size, or by 1 if that is less.
    pub(super) fn direction(&mut self, point: &[Vec<f64>]) -> Vec<Vec<f64>> {
        point.iter().map(|x| self.scaled(x)).collect()
    }

    pub(super) fn scaled(&mut self, point: &[f64]) -> Vec<f64> {
        point.iter().map(|x| self.0.weight() * scale(*x)).collect()
    }
}

/// `Σ wₖ yₖ` of the values of a replay. Values that are infinite and stay so do not count.
pub(super) struct Weighted {
    weights: Vec<Vec<f64>>,
    base: Vec<Vec<f64>>,
    /// A little more than the size of the terms. Added to the sum, so that what rounding does to it shows in its size, also
    /// where it cancels.
    size: f64,
}

impl Weighted {
    /// The sum with `weights`, one list for each value of `replay`; `None` if it has no value at the point itself.
    pub(super) fn new<U: Real>(replay: &mut Replay<U>, weights: Vec<Vec<f64>>) -> Option<Self> {
        let still: Vec<Vec<f64>> = replay.point().iter().map(|x| vec![0.0; x.len()]).collect();
        if !replay.move_along(&still, 0.0) {
            return None;
        }
        let base: Vec<Vec<f64>> = (0..replay.outputs()).map(|k| replay.output(k).collect()).collect();
        let sizes = (0..replay.outputs()).flat_map(|k| replay.cancelled(k)).zip(base.iter().flatten());
        let terms = weights.iter().flatten().zip(sizes.map(|(cancelled, y)| cancelled.max(y.abs())));
        let size: f64 = terms.map(|(w, size)| w.abs() * size).filter(|size| size.is_finite()).sum();
        Some(Self { weights, base, size: 1.25 * size })
    }

    /// The sum where the replay was evaluated last.
    pub(super) fn of<U: Real>(&self, replay: &Replay<U>) -> f64 {
        let mut sum = 0.0;
        for (k, (weights, base)) in self.weights.iter().zip(&self.base).enumerate() {
            for ((w, y), base) in weights.iter().zip(replay.output(k)).zip(base) {
                if !unmoved(y, *base) {
                    sum += w * y;
                }
            }
        }
        // Last: a move that is lost in the size must not be lost in some of its terms alone.
        self.size + sum
    }

    /// The sum at the point.
    pub(super) fn at_point(&self) -> f64 {
        let terms = self.weights.iter().flatten().zip(self.base.iter().flatten());
        self.size + terms.filter(|(_, y)| y.is_finite()).map(|(w, y)| w * y).sum::<f64>()
    }

    /// The values at the point.
    pub(super) fn base(&self) -> &[Vec<f64>] {
        &self.base
    }
}

/// Whether values do not tell what a derivative is that is not finite itself: theirs grows without bound, or there is none.
pub(super) fn unresolved(numeric: &Derivative) -> bool {
    let known = numeric.value.is_finite() && numeric.error_bar <= numeric.value.abs() / 4.0;
    !known
}

/// Whether a value is infinite, or NaN, and as it was.
pub(super) fn unmoved(y: f64, base: f64) -> bool {
    !base.is_finite() && y.to_bits() == base.to_bits()
}

/// How differences are taken in an element type.
pub(super) fn in_type<U: Real>(settings: &Difference) -> Difference {
    let single = U::EPSILON.to_f64() > f64::EPSILON;
    let arguments = if single { Precision::Single } else { Precision::Double };
    Difference { epsilon: settings.epsilon.max(U::EPSILON.to_f64()), arguments, ..*settings }
}

/// The derivatives of what `f` gives at a number, at `x`.
pub(super) fn slopes_at<U: Real>(
    settings: &Difference,
    x: f64,
    f: impl FnMut(f64) -> Option<Vec<f64>>,
) -> Vec<Derivative> {
    in_type::<U>(settings).outputs(f, x).outputs
}

/// The derivatives of what `f` gives at a distance along a [direction](Draws::direction), at distance 0.
///
/// The distance is counted from 1, so that no step is tried that would be lost in the numbers that move.
pub(super) fn slopes_along<U: Real>(
    settings: &Difference,
    mut f: impl FnMut(f64) -> Option<Vec<f64>>,
) -> Vec<Derivative> {
    in_type::<U>(settings).outputs(|t| f(t - 1.0), 1.0).outputs
}

/// The first of some derivatives.
pub(super) fn first(slopes: &[Derivative]) -> Derivative {
    slopes.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
}

/// What probably made a matrix of derivatives wrong.
pub(super) fn likely(analytic: &[f64], numeric: &[Derivative], input: &[f64], shape: Shape) -> Option<Cause> {
    let values: Vec<f64> = numeric.iter().map(|numeric| numeric.value).collect();
    let size = largest(values.iter().filter(|value| value.is_finite()));
    let bar = |numeric: &Derivative| if numeric.error_bar.is_finite() { numeric.error_bar } else { f64::MAX };
    let tolerance: Vec<f64> = numeric.iter().map(|numeric| 4.0 * bar(numeric) + 1e-7 * size).collect();
    let shape_of = [shape.rows, shape.cols];
    let counts = [shape.len(), shape.rows, shape.cols];
    diagnose(&Evidence { analytic, numeric: &values, tolerance: &tolerance, input, shape: shape_of, counts: &counts })
}

/// A comparison, judged.
pub(super) struct Compared<'a> {
    pub(super) part: &'a str,
    pub(super) output: Option<Element>,
    pub(super) input: Element,
}

impl Compared<'_> {
    pub(super) fn judge(self, analytic: f64, numeric: &Derivative, tolerance: f64) -> Mismatch {
        Mismatch {
            part: self.part.to_owned(),
            output: self.output,
            input: self.input,
            verdict: judge(analytic, numeric, tolerance),
            analytic,
            numeric: numeric.value,
            error_bar: numeric.error_bar,
            tolerance,
            step: numeric.step,
        }
    }
}

/// The element at a place of a matrix, row by row.
pub(super) fn element(name: &str, shape: Shape, place: usize) -> Element {
    if shape.is_scalar() {
        return Element::new(name, &[]);
    }
    Element::new(name, &[place / shape.cols.max(1), place % shape.cols.max(1)])
}

/// `Σ aᵢ bᵢ` with the size of its terms, `√Σ (aᵢ bᵢ)²`.
pub(super) fn inner(a: &[Vec<f64>], b: &[Vec<f64>]) -> (f64, f64) {
    let terms = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| if *b == 0.0 { 0.0 } else { a * b });
    let (sum, squares) = terms.fold((0.0, 0.0), |(sum, squares), term| (sum + term, squares + term * term));
    (sum, squares.sqrt())
}

/// The largest magnitude; NaN if there is one.
pub(super) fn largest<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().fold(0.0, |max: f64, x| if x.abs() <= max { max } else { x.abs() })
}

/// How far a number is moved in units of the step.
pub(super) fn scale(x: f64) -> f64 {
    if x.abs() <= 1.0 || !x.is_finite() { 1.0 } else { x.abs().log2().ceil().min(1000.0).exp2() }
}
