//! Real solvers of `argmin` on our functions.

use argmin::core::{CostFunction, Error, Executor, Gradient, Hessian, IterState, Jacobian, Operator, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use argmin::solver::trustregion::{Steihaug, TrustRegion};
use autograd::argmin::{Parameter, Problem, ProblemError};
use autograd::{Function, Matrix, RunError, Var};

fn element<'g>(x: Var<'g, f64>, i: usize) -> Var<'g, f64> {
    x.slice(i..i + 1, 0..1)
}

fn rosenbrock<'g>([p]: [Var<'g, f64>; 1]) -> Var<'g, f64> {
    let (x, y) = (element(p, 0), element(p, 1));
    (1.0 - x).square() + 100.0 * (y - x.square()).square()
}

/// Where Rosenbrock's function was first minimised from.
fn start() -> Vec<f64> {
    vec![-1.2, 1.0]
}

/// The best point is `expected` to 1e-8, found in no more than so many iterations.
fn found<G, H>(name: &str, state: &IterState<Vec<f64>, G, (), H, (), f64>, expected: &[f64], iterations: u64) {
    let best = state.best_param.as_ref().expect("a point");
    for (found, expected) in best.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-8, "{name}: {best:?}, expected {expected:?}");
    }
    assert!(state.get_iter() <= iterations, "{name}: {} iterations", state.get_iter());
}

#[test]
fn solvers_find_the_minimum_of_rosenbrock() {
    let problem = || Problem::<_>::new(Function::new(rosenbrock));
    let lbfgs = LBFGS::new(MoreThuenteLineSearch::new(), 7);
    let result = Executor::new(problem(), lbfgs).configure(|state| state.param(start()).max_iters(100)).run();
    found("L-BFGS", result.unwrap().state(), &[1.0, 1.0], 40);
    let region = TrustRegion::new(Steihaug::new().with_max_iters(20));
    let result = Executor::new(problem(), region).configure(|state| state.param(start()).max_iters(30)).run();
    found("trust region", result.unwrap().state(), &[1.0, 1.0], 30);
}

/// 40 samples with an intercept and two features, in two classes that overlap.
fn samples() -> (Matrix<f64>, Matrix<f64>) {
    let at = |i: usize| f64::from(u32::try_from(i).unwrap());
    let x = Matrix::from_fn(40, 3, |i, j| match j {
        0 => 1.0,
        1 => (at(i) * 0.7).sin() * 2.0,
        _ => (at(i) * 1.3 + 0.5).cos() + at(i) / 40.0,
    });
    let t = Matrix::from_fn(40, 1, |i, _| {
        let score = 1.5 * x[(i, 1)] - 2.0 * x[(i, 2)] + 0.25 + 3.0 * (at(i) * 2.9).sin();
        f64::from(u8::from(score > 0.0))
    });
    (x, t)
}

/// Newton's method on the mean of the log-losses plus `penalty / 2 ‖w‖²`, as in a textbook: iteratively reweighted least
/// squares, its 3x3 systems solved by elimination.
fn reweighted_least_squares(x: &Matrix<f64>, t: &Matrix<f64>, penalty: f64) -> Vec<f64> {
    let n = f64::from(u32::try_from(x.rows()).unwrap());
    let mut w = [0.0; 3];
    for _ in 0..30 {
        let mut a = [[0.0; 4]; 3];
        for j in 0..3 {
            a[j][j] = penalty;
            a[j][3] = penalty * w[j];
        }
        for i in 0..x.rows() {
            let row = x.row(i);
            let score: f64 = (0..3).map(|j| row[j] * w[j]).sum();
            let p = 1.0 / (1.0 + (-score).exp());
            for j in 0..3 {
                a[j][3] += row[j] * (p - t[(i, 0)]) / n;
                for k in 0..3 {
                    a[j][k] += row[j] * row[k] * p * (1.0 - p) / n;
                }
            }
        }
        for pivot in 0..3 {
            let top = a[pivot];
            for row in (0..3).filter(|row| *row != pivot) {
                let factor = a[row][pivot] / top[pivot];
                a[row].iter_mut().zip(top).for_each(|(x, y)| *x -= factor * y);
            }
        }
        for j in 0..3 {
            w[j] -= a[j][3] / a[j][j];
        }
    }
    w.to_vec()
}

#[test]
fn solvers_fit_a_logistic_regression() {
    let (x, t) = samples();
    let penalty = 0.1;
    let expected = reweighted_least_squares(&x, &t, penalty);
    let problem = || {
        let (x, t) = (&x, &t);
        Problem::<_>::new(Function::new(move |[w]: [Var<'_, f64>; 1]| {
            let (x, t) = (w.graph().constant(x), w.graph().constant(t));
            let logits = x.matmul(w);
            (logits.softplus() - t * logits).mean() + 0.5 * penalty * w.square().sum()
        }))
    };
    let start = || vec![0.0; 3];
    let lbfgs = LBFGS::new(MoreThuenteLineSearch::new(), 7).with_tolerance_grad(1e-10).unwrap();
    let result = Executor::new(problem(), lbfgs).configure(|state| state.param(start()).max_iters(100)).run();
    found("L-BFGS", result.unwrap().state(), &expected, 20);
    let region = TrustRegion::new(Steihaug::new().with_max_iters(20));
    let result = Executor::new(problem(), region).configure(|state| state.param(start()).max_iters(30)).run();
    found("trust region", result.unwrap().state(), &expected, 30);
}

/// `residuals(x) = (10 (x₂ - x₁²), 1 - x₁)`, whose squares add up to Rosenbrock's function.
fn residuals<'g>([p]: [Var<'g, f64>; 1]) -> Var<'g, f64> {
    let (x, y) = (element(p, 0), element(p, 1));
    Var::concat(&[10.0 * (y - x.square()), 1.0 - x], autograd::Axis::Rows)
}

/// All that a problem answers at the start, as plain numbers.
fn answers<P: Parameter<Element = f64>>(point: &P, plain: impl Fn(P::Matrix) -> Matrix<f64>) {
    let cost = Problem::<_, P>::new(Function::new(rosenbrock));
    let fit = Problem::<_, P>::new(Function::new(residuals));
    let close = |found: f64, expected: f64| assert!((found - expected).abs() <= 1e-12 * expected.abs());
    close(cost.cost(point).unwrap(), 24.2);
    let all = |found: &[f64], expected: &[f64]| found.iter().zip(expected).for_each(|(a, b)| close(*a, *b));
    all(cost.gradient(point).unwrap().to_column().as_slice(), &[-215.6, -88.0]);
    all(plain(cost.hessian(point).unwrap()).as_slice(), &[1330.0, 480.0, 480.0, 200.0]);
    all(fit.apply(point).unwrap().to_column().as_slice(), &[-4.4, 2.2]);
    let jacobian = plain(fit.jacobian(point).unwrap());
    assert_eq!(jacobian, Matrix::from([[24.0, 10.0], [-1.0, 0.0]]));
}

#[test]
fn parameters_of_each_type_get_the_same_answers() {
    answers(&start(), |matrix| Matrix::try_from(matrix).unwrap());
    #[cfg(feature = "ndarray")]
    {
        answers(&ndarray::Array1::from_vec(start()), Matrix::from);
        // Every second element, backwards.
        let strided = ndarray::arr1(&[1.0, 0.0, -1.2]).slice_move(ndarray::s![..;-2]);
        answers(&strided, Matrix::from);
    }
    #[cfg(feature = "nalgebra")]
    answers(&nalgebra::DVector::from_vec(start()), Matrix::from);
}

#[test]
fn what_goes_wrong_in_a_function_is_an_error_of_the_solver() {
    let message = |error: Error| error.downcast::<ProblemError>().expect("it panicked").to_string();
    let problem = Problem::<_>::new(Function::new(|[x]: [Var<'_, f64>; 1]| x.gather_rows(x).sum()));
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 7);
    let error = Executor::new(problem, solver).configure(|state| state.param(start())).run().err().expect("it fails");
    let error = error.downcast::<RunError>().expect("it is an index");
    assert!(matches!(error, RunError::Index { op: "gather_rows", bound: 2, .. }), "{error}");
    let problem = Problem::<_>::new(Function::new(rosenbrock));
    let text = message(problem.cost(&vec![1.0]).unwrap_err());
    assert!(text.starts_with("the function panicked: slice: 1x1: the 1x1 block at row 1, column 0"), "{text}");
    assert_eq!(problem.cost(&start()).unwrap().round(), 24.0, "it can be asked again");
    let problem = Problem::<_>::new(Function::new(residuals));
    let text = message(problem.cost(&start()).unwrap_err());
    assert_eq!(text, "the function panicked: item: the matrix is 2x1, not 1x1");
}
