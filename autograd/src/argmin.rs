//! Functions as problems of the optimisers of [`argmin`](https://docs.rs/argmin). Needs the feature `argmin`.
//!
//! [`Problem`] wraps a [`Function`] of one input: a solver gets cost, gradient and Hessian from the one closure.
//!
//! ```
//! use argmin::core::{Executor, State};
//! use argmin::solver::linesearch::MoreThuenteLineSearch;
//! use argmin::solver::quasinewton::LBFGS;
//! use autograd::{Function, argmin::Problem};
//!
//! let rosenbrock = Function::new(|[p]| {
//!     let (x, y) = (p.slice(0..1, 0..1), p.slice(1..2, 0..1)); // a vector is a column
//!     (1.0 - x).square() + 100.0 * (y - x.square()).square()
//! });
//! let solver = LBFGS::new(MoreThuenteLineSearch::new(), 7);
//! let result = Executor::new(Problem::<_>::new(rosenbrock), solver)
//!     .configure(|state| state.param(vec![-1.2, 1.0]).max_iters(100))
//!     .run()?;
//! let best = result.state.get_best_param().unwrap();
//! assert!((best[0] - 1.0).abs() < 1e-8 && (best[1] - 1.0).abs() < 1e-8);
//! # Ok::<(), argmin::core::Error>(())
//! ```
//!
//! The arithmetic with which a solver treats vectors is that of `argmin-math`, which the program chooses by features
//! of that crate: `vec`, or those for a version of `ndarray` or `nalgebra`; the latter must be the version of which this
//! crate speaks (see [`convert`](crate::convert)).

use core::fmt;
use core::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ::argmin::core::{CostFunction, Error, Gradient, Hessian, Jacobian, Operator};

use crate::error::RunError;
use crate::function::Function;
use crate::matrix::Matrix;
use crate::scalar::Real;
use crate::var::Var;

/// A vector that solvers change: `Vec<f32>`, `Vec<f64>`, and with the features of these names `ndarray::Array1` and
/// `nalgebra::DVector`. The function is given it as a column.
pub trait Parameter: Sized {
    /// The type of its elements.
    type Element: Real;
    /// A matrix: a Hessian or a Jacobian.
    type Matrix;

    /// Its elements, as a column.
    fn to_column(&self) -> Matrix<Self::Element>;
    /// The elements of a matrix, row by row.
    fn from_matrix(matrix: Matrix<Self::Element>) -> Self;
    /// The same numbers as a matrix.
    fn matrix(matrix: Matrix<Self::Element>) -> Self::Matrix;
}

impl<T: Real> Parameter for Vec<T> {
    type Element = T;
    type Matrix = Vec<Vec<T>>;

    fn to_column(&self) -> Matrix<T> {
        Matrix::column_vector(self)
    }

    fn from_matrix(matrix: Matrix<T>) -> Self {
        matrix.into_vec()
    }

    fn matrix(matrix: Matrix<T>) -> Vec<Vec<T>> {
        (0..matrix.rows()).map(|i| matrix.row(i).to_vec()).collect()
    }
}

#[cfg(feature = "ndarray")]
impl<T: Real> Parameter for ::ndarray::Array1<T> {
    type Element = T;
    type Matrix = ::ndarray::Array2<T>;

    fn to_column(&self) -> Matrix<T> {
        Matrix::new(self.len(), 1, self.to_vec())
    }

    fn from_matrix(matrix: Matrix<T>) -> Self {
        Self::from_vec(matrix.into_vec())
    }

    fn matrix(matrix: Matrix<T>) -> ::ndarray::Array2<T> {
        matrix.into()
    }
}

#[cfg(feature = "nalgebra")]
impl<T: Real> Parameter for ::nalgebra::DVector<T> {
    type Element = T;
    type Matrix = ::nalgebra::DMatrix<T>;

    fn to_column(&self) -> Matrix<T> {
        Matrix::column_vector(self.as_slice())
    }

    fn from_matrix(matrix: Matrix<T>) -> Self {
        Self::from_vec(matrix.into_vec())
    }

    fn matrix(matrix: Matrix<T>) -> ::nalgebra::DMatrix<T> {
        matrix.into()
    }
}

/// A [`Function`] of one column as a problem for the solvers of `argmin`, with parameters of the type `P`.
///
/// - [`CostFunction`], [`Gradient`], [`Hessian`]: of a function with the value `1x1`.
/// - [`Operator`], [`Jacobian`]: of one with several values, such as the residuals of a fit.
///
/// Errors of the function ([`RunError`]) are those of the solver, and so are panics with a text in it: shapes that do
/// not fit, or an input on which it does not depend ([`ProblemError`]).
///
/// # Examples
/// ```
/// use argmin::core::{CostFunction, Gradient, Hessian};
/// use autograd::{Function, argmin::Problem};
/// let problem = Problem::<_>::new(Function::new(|[x]| x.square().sum()));
/// let point = vec![1.0, 2.0];
/// assert_eq!((problem.cost(&point)?, problem.gradient(&point)?), (5.0, vec![2.0, 4.0]));
/// assert_eq!(problem.hessian(&point)?, [[2.0, 0.0], [0.0, 2.0]]);
/// # Ok::<(), argmin::core::Error>(())
/// ```
pub struct Problem<F, P: Parameter = Vec<f64>> {
    function: Function<F, 1, P::Element>,
    parameter: PhantomData<fn(P) -> P>,
}

impl<F, P: Parameter> Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    /// The problem to make `function` small. `Problem::<_>::new` takes parameters to be `Vec<f64>`.
    ///
    /// # Examples
    /// ```
    /// use argmin::core::Gradient;
    /// use autograd::{Function, Var, argmin::Problem};
    /// let function = Function::of(|[x]: [Var<'_, f32>; 1]| x.square().sum());
    /// let problem = Problem::<_, Vec<f32>>::new(function);
    /// assert_eq!(problem.gradient(&vec![1.5])?, [3.0_f32]);
    /// # Ok::<(), argmin::core::Error>(())
    /// ```
    #[must_use]
    pub fn new(function: Function<F, 1, P::Element>) -> Self {
        Self { function, parameter: PhantomData }
    }

    /// The function.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, argmin::Problem};
    /// let problem = Problem::<_>::new(Function::new(|[x]| x.square()));
    /// assert_eq!(problem.function().value([3.0])?.item(), 9.0);
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[must_use]
    pub fn function(&self) -> &Function<F, 1, P::Element> {
        &self.function
    }

    /// What `ask` gives at `at`; errors and panics of the function are errors of the solver.
    fn ask<R>(
        &self,
        at: &P,
        ask: impl FnOnce(&Function<F, 1, P::Element>, Matrix<P::Element>) -> Result<R, RunError>,
    ) -> Result<R, Error> {
        // The function holds nothing half done when it panics: see `Function::programs`.
        match catch_unwind(AssertUnwindSafe(|| ask(&self.function, at.to_column()))) {
            Ok(result) => Ok(result?),
            Err(payload) => {
                let text = payload.downcast_ref::<String>().cloned();
                match text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())) {
                    Some(message) => Err(ProblemError::Panicked { message }.into()),
                    None => resume_unwind(payload),
                }
            }
        }
    }
}

impl<F, P: Parameter> CostFunction for Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    type Param = P;
    type Output = P::Element;

    fn cost(&self, at: &P) -> Result<P::Element, Error> {
        self.ask(at, |function, x| function.value([x]).map(|value| value.item()))
    }
}

impl<F, P: Parameter> Gradient for Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    type Param = P;
    type Gradient = P;

    fn gradient(&self, at: &P) -> Result<P, Error> {
        self.ask(at, |function, x| function.gradient([x])).map(|[gradient]| P::from_matrix(gradient))
    }
}

impl<F, P: Parameter> Hessian for Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    type Param = P;
    type Hessian = P::Matrix;

    fn hessian(&self, at: &P) -> Result<P::Matrix, Error> {
        self.ask(at, |function, x| function.hessian([x])).map(P::matrix)
    }
}

impl<F, P: Parameter> Operator for Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    type Param = P;
    type Output = P;

    fn apply(&self, at: &P) -> Result<P, Error> {
        self.ask(at, |function, x| function.value([x])).map(P::from_matrix)
    }
}

impl<F, P: Parameter> Jacobian for Problem<F, P>
where
    F: for<'g> Fn([Var<'g, P::Element>; 1]) -> Var<'g, P::Element>,
{
    type Param = P;
    type Jacobian = P::Matrix;

    fn jacobian(&self, at: &P) -> Result<P::Matrix, Error> {
        self.ask(at, |function, x| function.jacobian([x])).map(|[jacobian]| P::matrix(jacobian))
    }
}

impl<F, P: Parameter> fmt::Debug for Problem<F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problem: {:?}", self.function)
    }
}

/// A function could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemError {
    /// It panicked: with shapes that do not fit, because it does not depend on the parameter, or in the user's closure.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl fmt::Display for ProblemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message } => write!(f, "the function panicked: {message}"),
        }
    }
}

impl core::error::Error for ProblemError {}
