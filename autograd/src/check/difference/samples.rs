//! Values of a function around a point.

use super::Precision;

/// A pair of points, one on each side, and the values there. What is not defined is NaN.
#[derive(Debug)]
pub(super) struct Pair {
    /// The distance of both from the point: `x + step` and `x - step` are exact.
    pub(super) step: f64,
    pub(super) right: Vec<f64>,
    pub(super) left: Vec<f64>,
}

/// Evaluates a function and counts.
pub(super) struct Samples<'f> {
    function: &'f mut dyn FnMut(f64) -> Option<Vec<f64>>,
    x: f64,
    precision: Precision,
    center: Vec<f64>,
    evaluations: usize,
}

impl<'f> Samples<'f> {
    pub(super) fn new(
        function: &'f mut dyn FnMut(f64) -> Option<Vec<f64>>,
        x: f64,
        precision: Precision,
    ) -> Samples<'f> {
        let center = if x.is_finite() { function(x).unwrap_or_default() } else { Vec::new() };
        Samples { function, x, precision, center, evaluations: 1 }
    }

    /// The values at the point itself.
    pub(super) fn center(&self) -> &[f64] {
        &self.center
    }

    pub(super) fn x(&self) -> f64 {
        self.x
    }

    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// The values at `x + offset`, or NaN.
    pub(super) fn at(&mut self, offset: f64) -> Vec<f64> {
        self.evaluations += 1;
        let values = (self.function)(self.precision.round(self.x + offset));
        let outputs = self.center.len();
        values.filter(|values| values.len() == outputs).unwrap_or_else(|| vec![f64::NAN; outputs])
    }

    /// The step near `step` for which `x + step` is a number of the argument's type, so that the difference is divided by
    /// what was really stepped; 0 if it is lost in `x`.
    pub(super) fn representable(&self, step: f64) -> f64 {
        (self.precision.round(self.x + step) - self.x).abs()
    }

    /// The values on both sides; `None` if the step is lost in `x`.
    pub(super) fn pair(&mut self, step: f64) -> Option<Pair> {
        let step = self.representable(step);
        if !(step > 0.0 && step.is_finite()) || self.precision.round(self.x - step) >= self.x {
            return None;
        }
        Some(Pair { step, right: self.at(step), left: self.at(-step) })
    }
}
