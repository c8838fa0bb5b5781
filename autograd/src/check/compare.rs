//! The rule by which a derivative is judged: it passes, it fails, or the difference was too inaccurate to tell.

use super::difference::Derivative;
use super::report::{Reason, Verdict};

/// How much an error bar counts before an error is called a mistake.
///
/// The bar is meant to cover the error, and does on all functions of the tests; three bars more are for functions that
/// nobody thought of.
const CERTAIN: f64 = 4.0;

/// What an error may be: `absolute + relative · scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tolerance {
    /// Times the scale of what is compared.
    pub relative: f64,
    /// Whatever the scale is.
    pub absolute: f64,
}

impl Tolerance {
    /// `absolute + relative · scale`; the absolute part alone if the scale is not finite.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Tolerance;
    /// assert_eq!(Tolerance { relative: 0.25, absolute: 1.0 }.at(2.0), 1.5);
    /// ```
    #[must_use]
    pub fn at(self, scale: f64) -> f64 {
        self.absolute + if scale.is_finite() { self.relative * scale.abs() } else { 0.0 }
    }
}

/// Compares an analytic derivative with a numeric one whose error is at most its bar `ε`, given the allowed error `T`:
///
/// - `|analytic - numeric| ≤ T + ε` and `ε ≤ T`: [`Verdict::Pass`];
/// - `|analytic - numeric| > T + 4 ε`: [`Verdict::Fail`];
/// - otherwise [`Verdict::Inconclusive`], with the reason.
///
/// # Domain and edge cases
/// An analytic derivative that is NaN always fails, an infinite one if the numeric one is finite with a finite bar.
/// At a kink the numeric derivative is the mean of the slopes on both sides: an analytic one between the two is
/// inconclusive, one outside fails. What could not be computed at all is inconclusive.
///
/// # Examples
/// ```
/// use autograd::check::{self, Reason, Verdict, judge};
/// let numeric = check::derivative(f64::exp, 0.0);
/// assert_eq!(judge(1.0, &numeric, 1e-7), Verdict::Pass);
/// assert_eq!(judge(1.001, &numeric, 1e-7), Verdict::Fail);
/// let kink = check::derivative(f64::abs, 0.0);
/// assert_eq!(judge(0.0, &kink, 1e-7), Verdict::Inconclusive(Reason::Kink));
/// assert_eq!(judge(1.5, &kink, 1e-7), Verdict::Fail);
/// ```
#[must_use]
pub fn judge(analytic: f64, numeric: &Derivative, tolerance: f64) -> Verdict {
    let bar = numeric.error_bar;
    if analytic.is_nan() {
        return Verdict::Fail;
    }
    if let Some([left, right]) = numeric.slopes {
        let slack = tolerance + CERTAIN * bar;
        let outside = analytic < left.min(right) - slack || analytic > left.max(right) + slack;
        return if outside { Verdict::Fail } else { Verdict::Inconclusive(Reason::Kink) };
    }
    if !numeric.value.is_finite() || !bar.is_finite() {
        return Verdict::Inconclusive(numeric.doubt.unwrap_or(Reason::NonFinite));
    }
    let error = (analytic - numeric.value).abs();
    if error <= tolerance + bar && bar <= tolerance {
        return Verdict::Pass;
    }
    if error <= tolerance + CERTAIN * bar {
        return Verdict::Inconclusive(numeric.doubt.unwrap_or(Reason::Noise));
    }
    // An infinite slope shows as quotients that grow without bound: their bar is as large as they are, or nearly.
    let grows = numeric.doubt.is_some() && bar > numeric.value.abs() / CERTAIN;
    if analytic.is_infinite() && grows { Verdict::Inconclusive(Reason::NonFinite) } else { Verdict::Fail }
}
