//! The gradient checker: is this derivative right?
//!
//! Numeric derivatives here carry an **error bar**, so that nobody guesses a step or a tolerance, and a verdict is one of
//! three: the derivative is right, it is wrong, or the values do not tell ([`Verdict`]).
//!
//! It checks any code: a function of numbers and the gradient somebody wrote for it.
//!
//! ```
//! use autograd::check::Check;
//! // Rosenbrock's function; the second derivative lacks a factor 2.
//! let f = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
//! let gradient = |x: &[f64]| {
//!     let r = x[1] - x[0] * x[0];
//!     vec![-2.0 * (1.0 - x[0]) - 400.0 * x[0] * r, 100.0 * r]
//! };
//! let report = Check::new().gradient(f, gradient, &[1.5, 2.0]);
//! assert!(report.is_fail());
//! assert_eq!(report.mismatches[0].input.to_string(), "x[1]");
//! ```
//!
//! In a test, [`assert_gradient!`](crate::assert_gradient) says the same in a line. The
//! [guide](crate::guide::checking) explains verdicts, bars, settings and limits.

mod blame;
mod branch;
mod cause;
mod compare;
mod difference;
mod engine;
mod graph;
mod invariants;
mod layout;
#[cfg(feature = "serde")]
mod number;
mod numeric;
mod precision;
mod probe;
mod quiet;
mod random;
mod replay;
mod report;
mod rounding;
mod search;
mod second;
mod session;
#[cfg(feature = "proptest")]
pub mod strategy;

pub use cause::{Evidence, diagnose, is_not_summed};
pub use compare::{Tolerance, judge};
pub use difference::{Complex, Derivative, Difference, Differences, Method, Precision, Side, complex_step};
pub use numeric::{Numbers, Scalar, derivative, gradient, jacobian};
pub use quiet::catch;
pub use report::{Blame, BlameKind, Cause, Element, Hidden, Kink, Mismatch, Part, Reason, Report, Site, Verdict};

/// The settings of a check, and the checks themselves.
///
/// # Examples
/// ```
/// use autograd::check::Check;
/// let check = Check::new().rtol(1e-9).seed(7);
/// assert!(check.gradient(|x: &[f64]| x[0].sin(), |x: &[f64]| [x[0].cos()], &[0.3]).is_pass());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// What an error may be, in parts of the derivative.
    pub rtol: f64,
    /// What an error may be, in parts of the largest derivative or 1.
    pub atol: f64,
    /// How many random directions, tangents or cotangents.
    pub directions: usize,
    /// Up to so many inputs are compared one by one.
    pub elements: usize,
    /// From which directions and cotangents are drawn.
    pub seed: u64,
    /// Whether second derivatives are checked, too; `None`: of graphs, and not of plain functions.
    pub second_order: Option<bool>,
    /// Whether graphs of `f32` are checked in `f64`, too.
    pub shadow: bool,
    /// Whether values that a graph detaches stay what they are while the function is moved.
    pub hold_detached: bool,
    /// How far a gradient in `f32` may be from the same in `f64`, relative.
    pub rtol_f32: f64,
    /// Whether a report that is inconclusive is accepted by [`Report::assert_pass`].
    pub allow_inconclusive: bool,
    /// How derivatives are computed from values.
    pub difference: Difference,
    /// Names and shapes (rows, columns) of what a list of inputs is made of; none: it is called `x`.
    pub inputs: Vec<(String, [usize; 2])>,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            rtol: Self::RTOL,
            atol: Self::ATOL,
            directions: 3,
            elements: 100,
            seed: 2026,
            second_order: None,
            shadow: true,
            hold_detached: false,
            rtol_f32: 1e-2,
            allow_inconclusive: false,
            difference: Difference::default(),
            inputs: Vec::new(),
        }
    }
}

impl Check {
    /// The relative tolerance unless another one is set.
    pub const RTOL: f64 = 1e-7;
    /// The absolute tolerance unless another one is set.
    pub const ATOL: f64 = 1e-10;
    /// The relative tolerance for functions that compute in `f32`, unless a larger one is set.
    pub const RTOL_SINGLE: f64 = 1e-3;
    /// The absolute tolerance for functions that compute in `f32`, unless a larger one is set.
    pub const ATOL_SINGLE: f64 = 1e-4;

    /// The defaults: `rtol` 1e-7, `atol` 1e-10, three directions, 100 elements one by one, seed 2026.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what an error may be in parts of the derivative: 1e-7 by default, 1e-3 for functions that compute in `f32`.
    #[must_use]
    pub fn rtol(self, rtol: f64) -> Self {
        Self { rtol, ..self }
    }

    /// Sets what an error may be in parts of the largest derivative, or of 1 if all are smaller: 1e-10 by default.
    #[must_use]
    pub fn atol(self, atol: f64) -> Self {
        Self { atol, ..self }
    }

    /// Sets how many random directions, tangents or cotangents are tried: 3 by default.
    #[must_use]
    pub fn directions(self, directions: usize) -> Self {
        Self { directions, ..self }
    }

    /// Sets up to how many inputs are compared one by one: 100 by default. More are compared along random directions.
    #[must_use]
    pub fn elements(self, elements: usize) -> Self {
        Self { elements, ..self }
    }

    /// Sets from what random directions are drawn; it is printed with each report.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets whether second derivatives are checked, too: by default those of graphs, and not those of plain functions.
    #[must_use]
    pub fn second_order(self, second_order: bool) -> Self {
        Self { second_order: Some(second_order), ..self }
    }

    /// Sets whether values that a graph [detaches](crate::Var::detach) on purpose are held where they were while the function is
    /// moved. By default they are not: a value that was detached by mistake is found.
    #[must_use]
    pub fn hold_detached(self, hold_detached: bool) -> Self {
        Self { hold_detached, ..self }
    }

    /// Sets how far a gradient in `f32` may be from the same in `f64`, relative: 1e-2 by default. What is further off has
    /// lost nearly all its digits.
    #[must_use]
    pub fn rtol_f32(self, rtol_f32: f64) -> Self {
        Self { rtol_f32, ..self }
    }

    /// Sets whether graphs of `f32` are checked in `f64`, too, which tells a wrong formula from lost digits: so by default.
    #[must_use]
    pub fn shadow(self, shadow: bool) -> Self {
        Self { shadow, ..self }
    }

    /// Sets by how many times rounding errors in the values may exceed those of one rounding: 1 by default.
    #[must_use]
    pub fn noise(self, noise: f64) -> Self {
        Self { difference: Difference { noise, ..self.difference }, ..self }
    }

    /// Sets the element type in which the function computes, if its values do not tell: `f64` by default.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { difference: Difference { epsilon: precision.epsilon(), ..self.difference }, ..self }
    }

    /// Sets how derivatives are computed from values: [`Method::Adaptive`] by default.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { difference: Difference { method, ..self.difference }, ..self }
    }

    /// Says that the next `rows * cols` numbers of the list of inputs are a matrix of this name, row by row, so that the report
    /// names `w[2,1]` and recognises a transposed derivative.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let check = Check::new().input("w", 2, 2).input("b", 1, 1);
    /// let f = |x: &[f64]| x[0] * x[1] * x[2] * x[3] + x[4];
    /// let report = check.gradient(f, |x: &[f64]| [0.0, 0.0, 0.0, 0.0, 1.0], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    /// assert_eq!(report.mismatches[0].input.to_string(), "w[0,0]");
    /// ```
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, rows: usize, cols: usize) -> Self {
        self.inputs.push((name.into(), [rows, cols]));
        self
    }

    /// Sets whether [`Report::assert_pass`] accepts a report that is inconclusive: not by default.
    #[must_use]
    pub fn allow_inconclusive(self, allow_inconclusive: bool) -> Self {
        Self { allow_inconclusive, ..self }
    }
}

/// Panics with a readable report unless a gradient is right, in the spirit of `assert_eq!`.
///
/// - `assert_gradient!(f, gradient, &x)`: a function of a list of numbers and the gradient that somebody wrote for it, see
///   [`Check::gradient`](crate::check::Check::gradient);
/// - `assert_gradient!(f, [x, w])`: a closure over [`Var`](crate::Var)s at matrices, of any shapes, or numbers, see
///   [`Check::function`](crate::check::Check::function) (of `f32`:
///   [`Check::function_of`](crate::check::Check::function_of)).
///
/// Settings follow as `name = value`, each a method of [`Check`](crate::check::Check); a message of your own comes last, as in
/// `assert!`. In a property test, where a point that tells nothing should be drawn anew, call
/// [`Report::into_test_case`](crate::check::Report::into_test_case) in its place.
///
/// # Panics
/// If the gradient is wrong, or if that cannot be told.
///
/// # Examples
/// ```
/// use autograd::{Matrix, assert_gradient};
/// let f = |x: &[f64]| x[0] * x[1].sin();
/// assert_gradient!(f, |x: &[f64]| [x[1].sin(), x[0] * x[1].cos()], &[2.0, 0.5]);
/// assert_gradient!(f, |x: &[f64]| [x[1].sin(), x[0] * x[1].cos()], &[2.0, 0.5], rtol = 1e-9, "in case {}", 1);
/// let w = Matrix::from([[0.5], [-0.25]]);
/// assert_gradient!(|[x, w, b]| (x.matmul(w) + b).tanh().sum(), [[[-2.0, 3.0]], &w, 0.5], seed = 7);
/// ```
#[macro_export]
macro_rules! assert_gradient {
    ($f:expr, [$($at:expr),+ $(,)?] $(, $setting:ident = $value:expr)* $(,)?) => {
        $crate::check::Check::new()$(.$setting($value))*.function($f, [$($crate::Matrix::from($at)),+]).assert_pass()
    };
    ($f:expr, [$($at:expr),+ $(,)?] $(, $setting:ident = $value:expr)*, $message:literal $(, $argument:expr)* $(,)?) => {{
        let report = $crate::check::Check::new()$(.$setting($value))*.function($f, [$($crate::Matrix::from($at)),+]);
        assert!(report.is_accepted(), "{}\n{report}", format_args!($message $(, $argument)*));
    }};
    ($f:expr, $at:expr $(, $setting:ident = $value:expr)* $(,)?) => {
        $crate::check::Check::new()$(.$setting($value))*.function($f, $at).assert_pass()
    };
    ($f:expr, $gradient:expr, $x:expr $(, $setting:ident = $value:expr)* $(,)?) => {
        $crate::check::Check::new()$(.$setting($value))*.gradient($f, $gradient, $x).assert_pass()
    };
    ($f:expr, $gradient:expr, $x:expr $(, $setting:ident = $value:expr)*, $message:literal $(, $argument:expr)* $(,)?) => {{
        let report = $crate::check::Check::new()$(.$setting($value))*.gradient($f, $gradient, $x);
        assert!(report.is_accepted(), "{}\n{report}", format_args!($message $(, $argument)*));
    }};
}
