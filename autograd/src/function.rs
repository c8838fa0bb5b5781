//! Functions: trace once, call often.

use core::fmt;
use core::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::error::{CompileError, RunError};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::program::Program;
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// Programs that are kept; the one used longest ago makes room.
const CAPACITY: usize = 32;

/// A function of `N` matrices with its derivatives, from a closure that is written as if on numbers.
///
/// The closure is *traced* for the shapes that it is called with: run once on [`Var`]s, to see what it computes.
/// That and the derivative asked for become a [`Program`], which is kept and run at later calls with these shapes.
///
/// - **No stale branches.** A closure that reads a number while it is traced ([`Var::item`] or [`Var::value`], for
///   an `if` or a `while`) is traced anew at every call, at the inputs of that call: slower, and always right.
/// - **Inputs are what derivatives are taken by.** Data is captured by the closure and made a constant in it
///   (`x.graph().constant(&data)`, `x.scalar(2.0)`).
/// - Apart from reading, the closure must do the same whenever it is called: what it takes from a counter, a clock
///   or a random generator is frozen when it is traced.
/// - `Send` and `Sync` if the closure is. Callers do not wait for each other: at most one program more is kept
///   for each kind of result than there ever were callers at once.
///
/// [`new`](Self::new) makes a function of `f64`, [`of`](Self::of) one of either element type.
///
/// ```
/// use autograd::{Function, Matrix};
/// let rosenbrock = Function::new(|[x, y]| (1.0 - x).square() + 100.0 * (y - x.square()).square());
/// let (value, [dx, dy]) = rosenbrock.value_and_gradient([1.0, 2.0])?;
/// assert_eq!((value, dx.item(), dy.item()), (100.0, -400.0, 200.0));
/// assert_eq!(rosenbrock.hessian([1.0, 2.0])?, Matrix::from([[402.0, -400.0], [-400.0, 200.0]]));
/// # Ok::<(), autograd::RunError>(())
/// ```
///
/// A branch on a value:
///
/// ```
/// # use autograd::Function;
/// let f = Function::new(|[x]| if x.item() > 0.0 { x.square() } else { -x });
/// assert_eq!(f.gradient([3.0])?[0].item(), 6.0);
/// assert_eq!(f.gradient([-3.0])?[0].item(), -1.0);
/// # Ok::<(), autograd::RunError>(())
/// ```
pub struct Function<F, const N: usize, T: Real = f64> {
    closure: F,
    /// The one used last comes first.
    programs: Mutex<Vec<Compiled<N, T>>>,
}

/// What a function was compiled to for some shapes.
struct Compiled<const N: usize, T: Real> {
    results: Results,
    shapes: [Shape; N],
    /// Copies of the program that nobody runs: at least one.
    idle: Vec<Program<T>>,
}

/// What is computed from the value of a function and its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Results {
    Value,
    Gradient,
    GradientOrZero,
    ValueAndGradient,
    Jacobian,
    Hessian,
    HessianVector,
    Jvp,
    Vjp,
}

impl<F, const N: usize> Function<F, N>
where
    F: for<'g> Fn([Var<'g, f64>; N]) -> Var<'g, f64>,
{
    /// A function of `f64` matrices. Nothing is traced yet.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Axis, Function, Matrix};
    /// let entropy = Function::new(|[x]| -(x.softmax(Axis::Columns) * x.log_softmax(Axis::Columns)).sum());
    /// assert_eq!(entropy.value([[[0.0, 0.0]]])?, Matrix::from(2f64.ln()));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[must_use]
    pub fn new(closure: F) -> Self {
        Self::of(closure)
    }
}

impl<F, const N: usize, T: Real> Function<F, N, T>
where
    F: for<'g> Fn([Var<'g, T>; N]) -> Var<'g, T>,
{
    /// A function of matrices of either element type, which the closure's argument names. Nothing is traced yet.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Var};
    /// let square = Function::of(|[x]: [Var<'_, f32>; 1]| x * x);
    /// assert_eq!(square.gradient([3.0])?[0].item(), 6.0_f32);
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[must_use]
    pub fn of(closure: F) -> Self {
        Self { closure, programs: Mutex::new(Vec::new()) }
    }

    /// Records the function in the graph of `inputs`: to use it within another, or to compile it with others.
    ///
    /// # Panics
    /// If the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Graph};
    /// let square = Function::new(|[x]| x * x);
    /// let graph = Graph::new();
    /// let x = graph.variable(3.0);
    /// let y = square.record([square.record([x])]);
    /// assert_eq!(y.gradient(x).item(), 108.0);
    /// ```
    #[must_use]
    pub fn record<'g>(&self, inputs: [Var<'g, T>; N]) -> Var<'g, T> {
        (self.closure)(inputs)
    }

    /// Checks the derivatives of this function at a point, to second order: see [`Check`](crate::check::Check), which has
    /// settings.
    ///
    /// # Examples
    /// ```
    /// use autograd::Function;
    /// let f = Function::new(|[x, y]| x.exp() * y.sin());
    /// f.check([0.5, 2.0]).assert_pass();
    /// ```
    #[track_caller]
    pub fn check(&self, inputs: [impl Into<Matrix<T>>; N]) -> crate::check::Report {
        crate::check::Check::new().function_of(|x| self.record(x), inputs)
    }

    /// The value, of any shape.
    ///
    /// # Errors
    /// If a number that serves as an index is out of range ([`RunError::Index`]).
    ///
    /// # Panics
    /// If the closure does: with shapes that do not fit, or by reading a value that has an index out of range.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x, y]| x.matmul(y));
    /// let (x, y) = (Matrix::from([[1.0, 2.0]]), Matrix::from([[3.0], [4.0]]));
    /// assert_eq!(f.value([&x, &y])?.item(), 11.0);
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn value(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<Matrix<T>, RunError> {
        self.run(Results::Value, inputs.map(Into::into), &[]).map(only)
    }

    /// The gradient of a scalar function by each input.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`, for each input
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # Panics
    /// If the value is not `1x1`, or does not depend on an input ([`gradient_or_zero`](Self::gradient_or_zero) takes
    /// such a gradient to be zero), or if the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x]| x.square().sum());
    /// let [dx] = f.gradient([[[1.0, 2.0]]])?;
    /// assert_eq!(dx, Matrix::from([[2.0, 4.0]]));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn gradient(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<[Matrix<T>; N], RunError> {
        self.run(Results::Gradient, inputs.map(Into::into), &[]).map(each)
    }

    /// [`gradient`](Self::gradient), with zeros for inputs on which the value does not depend.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # Panics
    /// If the value is not `1x1`, or if the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::Function;
    /// let f = Function::new(|[x, _unused]| x * x);
    /// let [dx, dy] = f.gradient_or_zero([2.0, 5.0])?;
    /// assert_eq!((dx.item(), dy.item()), (4.0, 0.0));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn gradient_or_zero(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<[Matrix<T>; N], RunError> {
        self.run(Results::GradientOrZero, inputs.map(Into::into), &[]).map(each)
    }

    /// The value of a scalar function and its gradient by each input, in one run.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`, for each input
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # Panics
    /// As [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// use autograd::Function;
    /// let f = Function::new(|[x, y]| x * y);
    /// let (value, [dx, dy]) = f.value_and_gradient([2.0, 3.0])?;
    /// assert_eq!((value, dx.item(), dy.item()), (6.0, 3.0, 2.0));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn value_and_gradient(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<(T, [Matrix<T>; N]), RunError> {
        let mut results = self.run(Results::ValueAndGradient, inputs.map(Into::into), &[])?;
        let gradient = results.split_off(1);
        Ok((only(results).item(), each(gradient)))
    }

    /// The Jacobian by each input: row `i`, column `j` is the derivative of output `i` by input element `j`, both
    /// counted row by row. See [`Var::jacobian`].
    ///
    /// # Shapes
    /// A value `(p, q)` by `(m, n) → (p q, m n)`, for each input
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # Panics
    /// If the value does not depend on an input, or if the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x]| x.square());
    /// let [jacobian] = f.jacobian([[[1.0, 2.0]]])?;
    /// assert_eq!(jacobian, Matrix::from([[2.0, 0.0], [0.0, 4.0]]));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn jacobian(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<[Matrix<T>; N], RunError> {
        self.run(Results::Jacobian, inputs.map(Into::into), &[]).map(each)
    }

    /// The Hessian of a scalar function by all elements of all inputs, one input after the other, each row by row.
    /// See [`Var::hessian`].
    ///
    /// # Shapes
    /// `(m₁, n₁), (m₂, n₂), … → (K, K)` with `K = m₁ n₁ + m₂ n₂ + …`
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # Panics
    /// As [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x, y]| x.square() * y);
    /// assert_eq!(f.hessian([2.0, 3.0])?, Matrix::from([[6.0, 4.0], [4.0, 0.0]]));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn hessian(&self, inputs: [impl Into<Matrix<T>>; N]) -> Result<Matrix<T>, RunError> {
        self.run(Results::Hessian, inputs.map(Into::into), &[]).map(only)
    }

    /// The product of the Hessian of a scalar function with a vector, which has a part for each input. See
    /// [`Var::hessian_vector`].
    ///
    /// # Shapes
    /// `(m, n)` with a vector `(m, n) → (m, n)`, for each input
    ///
    /// # Errors
    /// If a vector has another shape than its input, or as [`value`](Self::value).
    ///
    /// # Panics
    /// As [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// use autograd::Function;
    /// let f = Function::new(|[x, y]| x.square() * y);
    /// let [hx, hy] = f.hessian_vector([2.0, 3.0], [1.0, 10.0])?;
    /// assert_eq!((hx.item(), hy.item()), (46.0, 4.0));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn hessian_vector(
        &self,
        inputs: [impl Into<Matrix<T>>; N],
        vectors: [impl Into<Matrix<T>>; N],
    ) -> Result<[Matrix<T>; N], RunError> {
        self.run(Results::HessianVector, inputs.map(Into::into), &vectors.map(Into::into)).map(each)
    }

    /// The Jacobian–vector product: the derivative of the value when each input moves along its tangent.
    ///
    /// # Shapes
    /// A value `(p, q)` by `(m, n)` along `(m, n) → (p, q)`
    ///
    /// # Errors
    /// If a tangent has another shape than its input, or as [`value`](Self::value).
    ///
    /// # Panics
    /// If the value depends on none of the inputs, or if the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x]| x.square());
    /// assert_eq!(f.jvp([[[1.0, 2.0]]], [[[10.0, 100.0]]])?, Matrix::from([[20.0, 400.0]]));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn jvp(
        &self,
        inputs: [impl Into<Matrix<T>>; N],
        tangents: [impl Into<Matrix<T>>; N],
    ) -> Result<Matrix<T>, RunError> {
        self.run(Results::Jvp, inputs.map(Into::into), &tangents.map(Into::into)).map(only)
    }

    /// The vector–Jacobian product: the gradient of `⟨cotangent, value⟩` by each input.
    ///
    /// # Shapes
    /// A value `(p, q)` with a cotangent `(p, q)` by `(m, n) → (m, n)`, for each input
    ///
    /// # Errors
    /// If the cotangent has another shape than the value, or as [`value`](Self::value).
    ///
    /// # Panics
    /// If the value does not depend on an input, or if the closure does.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Function, Matrix};
    /// let f = Function::new(|[x]| x.square());
    /// let [dx] = f.vjp([[[1.0, 2.0]]], [[10.0, 100.0]])?;
    /// assert_eq!(dx, Matrix::from([[20.0, 400.0]]));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn vjp(
        &self,
        inputs: [impl Into<Matrix<T>>; N],
        cotangent: impl Into<Matrix<T>>,
    ) -> Result<[Matrix<T>; N], RunError> {
        self.run(Results::Vjp, inputs.map(Into::into), &[cotangent.into()]).map(each)
    }

    /// Computes `results` at `inputs`, by a program that is kept if there can be one.
    #[track_caller]
    fn run(
        &self,
        results: Results,
        inputs: [Matrix<T>; N],
        directions: &[Matrix<T>],
    ) -> Result<Vec<Matrix<T>>, RunError> {
        let shapes = inputs.each_ref().map(Matrix::shape);
        check_tangents(results, &shapes, directions)?;
        let mut program = match self.take(results, shapes) {
            Some(program) => program,
            None => match self.trace(results, &inputs, directions)? {
                Traced::Program(program) => self.keep(results, shapes, *program),
                Traced::Values(values) => return Ok(values),
            },
        };
        let checked = match (results, directions) {
            (Results::Vjp, [cotangent]) => check_cotangent(program.input_shape(N), cotangent),
            _ => Ok(()),
        };
        let fed: SmallVec<[&Matrix<T>; 8]> = inputs.iter().chain(directions).collect();
        let ran = checked.and_then(|()| program.run(&fed));
        let values = ran.map(|()| (0..program.outputs()).map(|i| program.output(i)).collect());
        self.put_back(results, shapes, program);
        values
    }

    /// Calls the closure at `inputs` and records `results`: a program, or their values if numbers were read.
    #[track_caller]
    fn trace(
        &self,
        results: Results,
        inputs: &[Matrix<T>; N],
        directions: &[Matrix<T>],
    ) -> Result<Traced<T>, RunError> {
        let graph = Graph::new();
        let given = inputs.iter().chain(directions);
        let leaves: Vec<Var<'_, T>> =
            graph.at(Location::caller(), || given.map(|value| graph.variable(value)).collect());
        let (x, along) = leaves.split_at(N);
        let y = (self.closure)(core::array::from_fn(|i| x[i]));
        if let (Results::Vjp, [cotangent]) = (results, directions) {
            check_cotangent(y.shape(), cotangent)?;
        }
        let outputs = results.record(y, x, along);
        match graph.compile(&leaves, &[], &outputs) {
            Ok(program) => Ok(Traced::Program(Box::new(program))),
            Err(CompileError::StaleBranch { .. }) => {
                outputs.iter().try_for_each(|output| graph.try_compute(output.id()))?;
                Ok(Traced::Values(outputs.into_iter().map(Var::peek).collect()))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

impl<F, const N: usize, T: Real> Function<F, N, T> {
    /// The programs. They are whole at any time, also if a caller panicked.
    fn programs(&self) -> MutexGuard<'_, Vec<Compiled<N, T>>> {
        self.programs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A program to be run. (No lock is held while it runs: it may use threads, and these may call us again.)
    fn take(&self, results: Results, shapes: [Shape; N]) -> Option<Program<T>> {
        let mut programs = self.programs();
        let at = programs.iter().position(|compiled| compiled.is(results, shapes))?;
        programs[..=at].rotate_right(1);
        programs[0].take()
    }

    /// Keeps a new program, unless another caller was faster: then all use that one. Returns a copy to be run.
    fn keep(&self, results: Results, shapes: [Shape; N], program: Program<T>) -> Program<T> {
        let mut programs = self.programs();
        let known = programs.iter_mut().find(|compiled| compiled.is(results, shapes));
        if let Some(faster) = known.and_then(Compiled::take) {
            return faster;
        }
        programs.insert(0, Compiled { results, shapes, idle: vec![program.clone()] });
        programs.truncate(CAPACITY);
        program
    }

    fn put_back(&self, results: Results, shapes: [Shape; N], program: Program<T>) {
        let mut programs = self.programs();
        if let Some(compiled) = programs.iter_mut().find(|compiled| compiled.is(results, shapes)) {
            compiled.idle.push(program);
        }
    }
}

impl<F, const N: usize, T: Real> fmt::Debug for Function<F, N, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function<{}> of {N} inputs, {} programs", T::NAME, self.programs().len())
    }
}

impl<const N: usize, T: Real> Compiled<N, T> {
    fn is(&self, results: Results, shapes: [Shape; N]) -> bool {
        self.results == results && self.shapes == shapes
    }

    /// A copy that nobody runs. One always stays, so that the closure is not traced again for a second caller.
    fn take(&mut self) -> Option<Program<T>> {
        if self.idle.len() > 1 { self.idle.pop() } else { self.idle.first().cloned() }
    }
}

/// What tracing gives.
enum Traced<T: Real> {
    Program(Box<Program<T>>),
    /// Numbers were read: the results, for the inputs of this call alone.
    Values(Vec<Matrix<T>>),
}

impl Results {
    /// Records the results for the value `y` of a function of `x`, along tangents, vectors or a cotangent.
    #[track_caller]
    fn record<'g, T: Real>(self, y: Var<'g, T>, x: &[Var<'g, T>], along: &[Var<'g, T>]) -> Vec<Var<'g, T>> {
        match self {
            Self::Value => vec![y],
            Self::Gradient => y.gradient(x),
            Self::GradientOrZero => y.gradient_or_zero(x),
            Self::ValueAndGradient => [vec![y], y.gradient(x)].concat(),
            Self::Jacobian => {
                let mut jacobians = Vec::with_capacity(x.len());
                for source in x {
                    jacobians.push(y.jacobian(*source));
                }
                jacobians
            }
            Self::Hessian => vec![y.hessian(x)],
            Self::HessianVector => y.hessian_vector(x, along),
            Self::Jvp => vec![y.jvp(x, along)],
            Self::Vjp => y.vjp(along[0], x),
        }
    }
}

/// Tangents and vectors have the shapes of the inputs.
fn check_tangents<T: Real>(results: Results, shapes: &[Shape], directions: &[Matrix<T>]) -> Result<(), RunError> {
    let role = match results {
        Results::Jvp => "tangent",
        Results::HessianVector => "vector",
        Results::Value
        | Results::Gradient
        | Results::GradientOrZero
        | Results::ValueAndGradient
        | Results::Jacobian
        | Results::Hessian
        | Results::Vjp => return Ok(()),
    };
    let mut pairs = shapes.iter().zip(directions).enumerate();
    pairs.try_for_each(|(index, (shape, given))| check_direction(role, index, *shape, given))
}

/// A cotangent has the shape of the value.
fn check_cotangent<T: Real>(value: Shape, cotangent: &Matrix<T>) -> Result<(), RunError> {
    check_direction("cotangent", 0, value, cotangent)
}

fn check_direction<T: Real>(
    role: &'static str,
    index: usize,
    expected: Shape,
    given: &Matrix<T>,
) -> Result<(), RunError> {
    let found = given.shape();
    if found == expected { Ok(()) } else { Err(RunError::DirectionShape { role, index, expected, found }) }
}

fn only<T: Real>(results: Vec<Matrix<T>>) -> Matrix<T> {
    match <[Matrix<T>; 1]>::try_from(results) {
        Ok([result]) => result,
        Err(_) => unreachable!("there is one result"),
    }
}

fn each<T: Real, const N: usize>(results: Vec<Matrix<T>>) -> [Matrix<T>; N] {
    match results.try_into() {
        Ok(results) => results,
        Err(_) => unreachable!("there is one result for each input"),
    }
}
