//! Checks of any code: functions of lists of numbers and the derivatives that somebody wrote for them.

use core::panic::Location;

use super::Check;
use super::difference::{Derivative, Difference, Precision};
use super::engine::{JacobianSubject, Subject, largest};
use super::layout::Layout;
use super::random::SplitMix64;
use super::report::{Reason, Report};
use super::session::{Session, guarded, on, on2, widened};
use crate::matrix::Matrix;
use crate::scalar::Real;

pub(super) fn precision_of<T: Real>() -> Precision {
    if T::EPSILON.to_f64() > f64::EPSILON { Precision::Single } else { Precision::Double }
}

/// What a function with one value may return: `f64` or `f32`, or that in an `Option` or a `Result`.
///
/// `None` and `Err` mean that the function is not defined there.
pub trait Scalar {
    /// In which element type it was computed.
    const PRECISION: Precision;

    /// The number, if there is one.
    fn number(self) -> Option<f64>;
}

impl Scalar for f64 {
    const PRECISION: Precision = Precision::Double;

    fn number(self) -> Option<f64> {
        Some(self)
    }
}

impl Scalar for f32 {
    const PRECISION: Precision = Precision::Single;

    fn number(self) -> Option<f64> {
        Some(f64::from(self))
    }
}

impl<S: Scalar> Scalar for Option<S> {
    const PRECISION: Precision = S::PRECISION;

    fn number(self) -> Option<f64> {
        self.and_then(S::number)
    }
}

impl<S: Scalar, E> Scalar for Result<S, E> {
    const PRECISION: Precision = S::PRECISION;

    fn number(self) -> Option<f64> {
        self.ok().and_then(S::number)
    }
}

/// What a function with many values may return: a vector, an array or a [`Matrix`] (row by row) of `f64` or `f32`, or that
/// in an `Option` or a `Result`.
///
/// `None` and `Err` mean that the function is not defined there.
pub trait Numbers {
    /// In which element type they were computed.
    fn precision() -> Precision;

    /// The numbers, if there are any.
    fn numbers(self) -> Option<Vec<f64>>;
}

impl<T: Real> Numbers for Vec<T> {
    fn precision() -> Precision {
        precision_of::<T>()
    }

    fn numbers(self) -> Option<Vec<f64>> {
        Some(self.into_iter().map(Real::to_f64).collect())
    }
}

impl<T: Real, const N: usize> Numbers for [T; N] {
    fn precision() -> Precision {
        precision_of::<T>()
    }

    fn numbers(self) -> Option<Vec<f64>> {
        Some(self.into_iter().map(Real::to_f64).collect())
    }
}

impl<T: Real> Numbers for Matrix<T> {
    fn precision() -> Precision {
        precision_of::<T>()
    }

    fn numbers(self) -> Option<Vec<f64>> {
        self.into_vec().numbers()
    }
}

impl<N: Numbers> Numbers for Option<N> {
    fn precision() -> Precision {
        N::precision()
    }

    fn numbers(self) -> Option<Vec<f64>> {
        self.and_then(N::numbers)
    }
}

impl<N: Numbers, E> Numbers for Result<N, E> {
    fn precision() -> Precision {
        N::precision()
    }

    fn numbers(self) -> Option<Vec<f64>> {
        self.ok().and_then(N::numbers)
    }
}

/// The derivative of a function of one number, with its error bar.
///
/// # Domain and edge cases
/// At the edge of the domain differences on one side are used; at a kink the slopes on both sides are given, and their mean;
/// where the function is not finite, panics or has no slope the bar is infinite.
///
/// # Examples
/// ```
/// use autograd::check;
/// let d = check::derivative(f64::sqrt, 1e-6);
/// assert!((d.value - 500.0).abs() <= d.error_bar && d.error_bar < 1e-9);
/// assert_eq!(check::derivative(f64::abs, 0.0).slopes, Some([-1.0, 1.0]));
/// ```
pub fn derivative<S: Scalar>(mut f: impl FnMut(f64) -> S, x: f64) -> Derivative {
    let settings = Difference { epsilon: S::PRECISION.epsilon(), ..Difference::default() };
    let found = settings.outputs(|x| guarded(|| f(x).number()).map(|value| vec![value]), x);
    found.outputs.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite))
}

/// The gradient of a function of many numbers, element by element, with error bars.
///
/// # Examples
/// ```
/// use autograd::check;
/// let gradient = check::gradient(|x: &[f64]| x[0] * x[1].exp(), &[2.0, 0.0]);
/// assert!((gradient[1].value - 2.0).abs() < 1e-12);
/// ```
pub fn gradient<T: Real, S: Scalar>(mut f: impl FnMut(&[T]) -> S, x: &[T]) -> Vec<Derivative> {
    let columns = jacobian(|x: &[T]| f(x).number().map(|value| vec![value]), x);
    columns
        .into_iter()
        .map(|column| column.first().copied().unwrap_or_else(|| Derivative::unknown(Reason::NonFinite)))
        .collect()
}

/// The Jacobian of a function with many values, with error bars: a list of the derivatives of all outputs for each input.
///
/// # Examples
/// ```
/// use autograd::check;
/// let columns = check::jacobian(|x: &[f64]| [x[0] * x[1], x[0]], &[2.0, 3.0]);
/// assert!((columns[1][0].value - 2.0).abs() < 1e-12);
/// assert_eq!(columns[1][1].value, 0.0);
/// ```
pub fn jacobian<T: Real, N: Numbers>(mut f: impl FnMut(&[T]) -> N, x: &[T]) -> Vec<Vec<Derivative>> {
    let epsilon = N::precision().epsilon().max(T::EPSILON.to_f64());
    let settings = Difference { epsilon, arguments: precision_of::<T>(), ..Difference::default() };
    let mut moved = x.to_vec();
    (0..x.len())
        .map(|k| {
            let at = |t: f64| {
                moved[k] = T::from_f64(t);
                guarded(|| f(&moved).numbers())
            };
            let found = settings.outputs(at, x[k].to_f64());
            moved[k] = x[k];
            found.outputs
        })
        .collect()
}

impl Check {
    /// Checks the gradient of a function with one value.
    ///
    /// Up to [`Check::elements`] numbers are compared one by one; more are compared along random directions, and what is wrong
    /// is searched for. The function may return [`Scalar`], the gradient [`Numbers`].
    ///
    /// Both may take and return `f32`: where values are in `f32` steps are longer and bars wider, by what its rounding does; where
    /// anything is, [`RTOL_SINGLE`](Self::RTOL_SINGLE) and a tenth of that are allowed, unless tolerances are set. A gradient in `f32` is judged best beside the same function in `f64`, where differences are exact: let the
    /// function widen what it is given.
    ///
    /// # Domain and edge cases
    /// A gradient that is NaN, of the wrong length, different from call to call, or that panics has failed. A function without
    /// a finite value at `x` gives an inconclusive report.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let report = Check::new().gradient(|x: &[f64]| x[0].exp() * x[1], |x: &[f64]| [x[0].exp() * x[1], x[0].exp()], &[0.5, 2.0]);
    /// assert!(report.is_pass());
    ///
    /// // In `f32`, against the function in `f64`.
    /// let wide = |x: &[f32]| f64::from(x[0]).exp();
    /// assert!(Check::new().rtol(1e-6).gradient(wide, |x: &[f32]| [x[0].exp()], &[0.5]).is_pass());
    /// ```
    #[track_caller]
    pub fn gradient<T: Real, S: Scalar, N: Numbers>(
        &self,
        mut f: impl FnMut(&[T]) -> S,
        mut gradient: impl FnMut(&[T]) -> N,
        x: &[T],
    ) -> Report {
        let mut session = Session::new::<T>(self, "gradient", [S::PRECISION, N::precision()], Location::caller());
        let point = widened(x);
        let mut function = |x: &[f64]| on(&mut |x: &[T]| f(x).number(), x);
        let mut gradient = |x: &[f64]| on(&mut |x: &[T]| gradient(x).numbers(), x);
        if session.function_is_fine(|| function(&point).map(|value| vec![value])).is_none() {
            return session.finish();
        }
        let Some(claimed) = session.twice("gradient", Some(x.len()), || gradient(&point)) else {
            return session.finish();
        };
        let layout = session.settings.layout(x.len());
        let subject = Subject {
            part: "gradient",
            layout: &layout,
            point: &point,
            function: &mut function,
            gradient: &claimed,
            counts: &[],
        };
        let settings = session.settings.clone();
        settings.compare_gradient(subject, &mut session.report);
        if session.report.is_fail() {
            session.look_for_stale(&point, &claimed, &mut function, &mut gradient);
        }
        if settings.second_order == Some(true) {
            session.symmetric("second derivative", &point, &mut |x, v| settings.slopes_along(&mut gradient, x, v));
        }
        session.finish()
    }

    /// Checks the Jacobian of a function with many values: the derivative of output `i` by input `j` stands at
    /// `i * inputs + j`.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let polar = |x: &[f64]| [x[0] * x[1].cos(), x[0] * x[1].sin()];
    /// let transposed = |x: &[f64]| [[x[1].cos(), x[1].sin()], [-x[0] * x[1].sin(), x[0] * x[1].cos()]].concat();
    /// let report = Check::new().jacobian(polar, transposed, &[2.0, 0.5]);
    /// assert_eq!(report.cause().unwrap().to_string(), "transposed");
    /// ```
    #[track_caller]
    pub fn jacobian<T: Real, N: Numbers, J: Numbers>(
        &self,
        mut f: impl FnMut(&[T]) -> N,
        mut jacobian: impl FnMut(&[T]) -> J,
        x: &[T],
    ) -> Report {
        let precisions = [N::precision(), J::precision()];
        self.matrix(["jacobian", "y"], precisions, &mut |x| f(x).numbers(), &mut |x| jacobian(x).numbers(), x)
    }

    /// Checks the Hessian of a function, given its gradient: the second derivative by inputs `i` and `j` stands at
    /// `i * inputs + j`. The gradient is taken to be right: check it, too.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// // f = x² y
    /// let report = Check::new().hessian(
    ///     |x: &[f64]| [2.0 * x[0] * x[1], x[0] * x[0]],
    ///     |x: &[f64]| [2.0 * x[1], 2.0 * x[0], 2.0 * x[0], 0.0],
    ///     &[1.5, -2.0],
    /// );
    /// assert!(report.is_pass());
    /// ```
    #[track_caller]
    pub fn hessian<T: Real, N: Numbers, H: Numbers>(
        &self,
        mut gradient: impl FnMut(&[T]) -> N,
        mut hessian: impl FnMut(&[T]) -> H,
        x: &[T],
    ) -> Report {
        self.matrix(
            ["hessian", "gradient"],
            [N::precision(), H::precision()],
            &mut |x| gradient(x).numbers(),
            &mut |x| hessian(x).numbers(),
            x,
        )
    }

    #[track_caller]
    fn matrix<T: Real>(
        &self,
        [part, output]: [&str; 2],
        precisions: [Precision; 2],
        f: &mut dyn FnMut(&[T]) -> Option<Vec<f64>>,
        derivative: &mut dyn FnMut(&[T]) -> Option<Vec<f64>>,
        x: &[T],
    ) -> Report {
        let mut session = Session::new::<T>(self, part, precisions, Location::caller());
        let point = widened(x);
        let mut function = |x: &[f64]| on(&mut |x: &[T]| f(x), x);
        let Some(outputs) = session.function_is_fine(|| function(&point)) else { return session.finish() };
        let claimed = session.twice(part, Some(outputs * x.len()), || on(&mut |x: &[T]| derivative(x), &point));
        if let Some(jacobian) = claimed {
            let (inputs, outputs) = (session.settings.layout(x.len()), Layout::list(output, outputs));
            let subject = JacobianSubject {
                part,
                inputs: &inputs,
                outputs: &outputs,
                point: &point,
                function: &mut function,
                jacobian: &jacobian,
            };
            let settings = session.settings.clone();
            settings.compare_jacobian(subject, &mut session.report);
        }
        session.finish()
    }

    /// Checks products of the Hessian with a vector, `(x, v) → H v`, given the gradient: against differences of the gradient
    /// along random directions, and for symmetry.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let gradient = |x: &[f64]| [2.0 * x[0] * x[1], x[0] * x[0]];
    /// let product = |x: &[f64], v: &[f64]| [2.0 * (x[1] * v[0] + x[0] * v[1]), 2.0 * x[0] * v[0]];
    /// assert!(Check::new().hessian_vector(gradient, product, &[1.5, -2.0]).is_pass());
    /// ```
    #[track_caller]
    pub fn hessian_vector<T: Real, N: Numbers, H: Numbers>(
        &self,
        mut gradient: impl FnMut(&[T]) -> N,
        mut product: impl FnMut(&[T], &[T]) -> H,
        x: &[T],
    ) -> Report {
        let precisions = [N::precision(), H::precision()];
        let mut session = Session::new::<T>(self, "hessian-vector product", precisions, Location::caller());
        let mut gradient = |x: &[f64]| on(&mut |x: &[T]| gradient(x).numbers(), x);
        let mut product = |x: &[f64], v: &[f64]| on2(&mut |x: &[T], v: &[T]| product(x, v).numbers(), x, v);
        session.tangents("hessian-vector product", "H v", &widened(x), &mut gradient, &mut product);
        if !session.report.is_fail() {
            session.symmetric("symmetry", &widened(x), &mut |x, v| {
                product(x, v).map(|list| list.into_iter().map(|value| Derivative::known(value, 0.0)).collect())
            });
        }
        session.finish()
    }

    /// Checks products of the Jacobian with a tangent, `(x, v) → J v`: forward mode.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let f = |x: &[f64]| [x[0] * x[1], x[0].sin()];
    /// let jvp = |x: &[f64], v: &[f64]| [v[0] * x[1] + x[0] * v[1], x[0].cos() * v[0]];
    /// assert!(Check::new().jvp(f, jvp, &[1.5, -2.0]).is_pass());
    /// ```
    #[track_caller]
    pub fn jvp<T: Real, N: Numbers, J: Numbers>(
        &self,
        mut f: impl FnMut(&[T]) -> N,
        mut jvp: impl FnMut(&[T], &[T]) -> J,
        x: &[T],
    ) -> Report {
        let mut session = Session::new::<T>(self, "jvp", [N::precision(), J::precision()], Location::caller());
        let mut function = |x: &[f64]| on(&mut |x: &[T]| f(x).numbers(), x);
        let mut product = |x: &[f64], v: &[f64]| on2(&mut |x: &[T], v: &[T]| jvp(x, v).numbers(), x, v);
        session.tangents("jvp", "J v", &widened(x), &mut function, &mut product);
        session.finish()
    }

    /// Checks products of a cotangent with the Jacobian, `(x, g) → gᵀ J`: reverse mode. Cotangents are random and not uniform.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// let f = |x: &[f64]| [x[0] * x[1], x[0].sin()];
    /// let vjp = |x: &[f64], g: &[f64]| [g[0] * x[1] + g[1] * x[0].cos(), g[0] * x[0]];
    /// assert!(Check::new().vjp(f, vjp, &[1.5, -2.0]).is_pass());
    /// ```
    #[track_caller]
    pub fn vjp<T: Real, N: Numbers, V: Numbers>(
        &self,
        mut f: impl FnMut(&[T]) -> N,
        mut vjp: impl FnMut(&[T], &[T]) -> V,
        x: &[T],
    ) -> Report {
        let mut session = Session::new::<T>(self, "vjp", [N::precision(), V::precision()], Location::caller());
        let point = widened(x);
        let mut function = |x: &[f64]| on(&mut |x: &[T]| f(x).numbers(), x);
        let mut product = |x: &[f64], g: &[f64]| on2(&mut |x: &[T], g: &[T]| vjp(x, g).numbers(), x, g);
        let Some(outputs) = session.function_is_fine(|| function(&point)) else { return session.finish() };
        let mut random = SplitMix64::new(session.settings.seed);
        let layout = session.settings.layout(x.len());
        let settings = session.settings.clone();
        for number in 1..=settings.directions.max(1) {
            let g: Vec<f64> = (0..outputs).map(|_| random.weight()).collect();
            let name = format!("vjp, cotangent {number}");
            let Some(claimed) = session.twice(&name, Some(x.len()), || product(&point, &g)) else { break };
            let mut projected = |x: &[f64]| function(x).map(|y| y.iter().zip(&g).map(|(y, g)| y * g).sum());
            let subject = Subject {
                part: &name,
                layout: &layout,
                point: &point,
                function: &mut projected,
                gradient: &claimed,
                counts: &[outputs],
            };
            settings.compare_gradient(subject, &mut session.report);
            session.zero_and_double(&name, &point, &g, &claimed, &mut product);
            if session.report.is_fail() {
                break;
            }
        }
        session.finish()
    }

    /// What the places in a list of `length` inputs are.
    fn layout(&self, length: usize) -> Layout {
        let named = Layout::matrices(self.inputs.iter().map(|(name, shape)| (name.as_str(), *shape)));
        if named.len() == length && length > 0 { named } else { Layout::list("x", length) }
    }

    /// The derivatives of all outputs along `v`.
    pub(super) fn slopes_along(
        &self,
        f: &mut dyn FnMut(&[f64]) -> Option<Vec<f64>>,
        x: &[f64],
        v: &[f64],
    ) -> Option<Vec<Derivative>> {
        let precision = self.difference.arguments;
        let size = largest(x).max(1.0) / largest(v).max(f64::MIN_POSITIVE);
        let settings = Difference { arguments: Precision::Double, step: Some(0.237 * size), ..self.difference };
        let at = |t: f64| {
            let moved: Vec<f64> = x.iter().zip(v).map(|(x, v)| precision.round(x + t * v)).collect();
            f(&moved)
        };
        let found = settings.outputs(at, 0.0).outputs;
        (!found.is_empty()).then_some(found)
    }
}
