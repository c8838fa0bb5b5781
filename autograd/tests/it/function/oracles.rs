//! Functions against reference values: value, gradient, Hessian-vector product and Hessian computed by JAX.

use core::f64::consts::{E, PI, TAU};

use autograd::op::Triangular;
use autograd::{Axis, Function, Graph, Matrix, Var};
use serde_json::Value;

use crate::support::{self, largest, list, matrix, number, oracle, text};

type V<'g> = Var<'g, f64>;

/// One function of the file.
struct Case<'a>(&'a Value);

impl Case<'_> {
    fn id(&self) -> &str {
        text(&self.0["id"])
    }

    fn inputs(&self) -> &[Value] {
        list(&self.0["inputs"])
    }

    /// An input that is not differentiated.
    fn data(&self, name: &str) -> Matrix<f64> {
        let found = self.inputs().iter().find(|input| input["name"] == name && input["diff"] == false);
        matrix(found.unwrap_or_else(|| panic!("{}: no data {name}", self.id())))
    }

    /// Whole numbers, as a column.
    fn indices(&self, name: &str) -> Matrix<f64> {
        let indices: Vec<f64> = list(&self.0["params"][name]).iter().map(number).collect();
        Matrix::column_vector(&indices)
    }

    /// Matrices of a field, one for each input that is differentiated.
    fn each<const N: usize>(&self, field: impl Fn(&Value) -> Matrix<f64>) -> [Matrix<f64>; N] {
        let inputs = self.inputs().iter().filter(|input| input["diff"] == true);
        let inputs: Vec<Matrix<f64>> = inputs.map(field).collect();
        inputs.try_into().unwrap_or_else(|_| panic!("{}: another number of inputs", self.id()))
    }

    fn by_name<const N: usize>(&self, field: &str) -> [Matrix<f64>; N] {
        self.each(|input| matrix(&self.0[field][text(&input["name"])]))
    }
}

/// `|found - expected| <= tolerance (1 + max |expected|)` for all elements.
#[track_caller]
fn close(what: &str, found: &Matrix<f64>, expected: &Matrix<f64>, tolerance: f64) {
    let verdict = support::close(what, found, expected, tolerance * (1.0 + largest([expected])));
    assert_eq!(verdict, Ok(()));
}

/// Compares a function with a case. Tolerances are ten times those of single operations, as the file's notes allow
/// for whole functions.
fn check<const N: usize, F>(case: &Case<'_>, closure: F)
where
    F: for<'g> Fn([V<'g>; N]) -> V<'g>,
{
    let id = case.id();
    let f = Function::new(closure);
    let x: [Matrix<f64>; N] = case.each(matrix);
    let x = x.each_ref();
    let scalar = |name: &str| Matrix::from(number(&case.0[name]));
    let (gradient, direction, hvp) =
        (case.by_name::<N>("grad"), case.by_name::<N>("direction"), case.by_name::<N>("hvp"));
    for round in 0..2 {
        close(&format!("{id}, value {round}"), &f.value(x).unwrap(), &scalar("value"), 1e-11);
        let (value, found) = f.value_and_gradient(x).unwrap();
        close(&format!("{id}, value with gradient"), &value.into(), &scalar("value"), 1e-11);
        let products = f.hessian_vector(x, direction.each_ref()).unwrap();
        let jacobians = f.jacobian(x).unwrap();
        let mut slope = 0.0;
        for i in 0..N {
            close(&format!("{id}, gradient {i}"), &found[i], &gradient[i], 1e-10);
            let row = Matrix::row_vector(gradient[i].as_slice());
            close(&format!("{id}, Jacobian {i}"), &jacobians[i], &row, 1e-10);
            close(&format!("{id}, Hessian times vector {i}"), &products[i], &hvp[i], 1e-9);
            let terms = gradient[i].as_slice().iter().zip(direction[i].as_slice());
            slope += terms.map(|(g, v)| g * v).sum::<f64>();
        }
        let along = f.jvp(x, direction.each_ref()).unwrap();
        close(&format!("{id}, along a direction"), &along, &slope.into(), 1e-10);
        if !case.0["hessian"].is_null() {
            let hessian = f.hessian(x).unwrap();
            close(&format!("{id}, Hessian"), &hessian, &matrix(&case.0["hessian"]), 1e-9);
        }
    }
}

#[test]
fn functions_have_the_derivatives_of_the_reference() {
    let file = oracle("functions");
    let cases = list(&file["cases"]);
    let groups = [benchmarks, likelihoods, classifiers, regressions, transports, linear_algebra, networks];
    for case in cases.iter().map(Case) {
        let checked = groups.into_iter().any(|group| group(&case));
        assert!(checked, "{} is not checked", case.id());
    }
    assert!(!cases.is_empty());
}

/// Classical test functions and iterations.
fn benchmarks(case: &Case<'_>) -> bool {
    match case.id() {
        "rosenbrock_nd" => check(case, |[x]| {
            let n = x.cols();
            let (a, b) = (x.slice(0..1, 0..n - 1), x.slice(0..1, 1..n));
            (100.0 * (b - a.square()).square() + (1.0 - a).square()).sum()
        }),
        "himmelblau" => check(case, |[x]| {
            let (a, b) = (at(x, 0, 0), at(x, 0, 1));
            (a.square() + b - 11.0).square() + (a + b.square() - 7.0).square()
        }),
        "ackley" => check(case, |[x]| {
            let (radius, waves) = (x.square().mean().sqrt(), (x * TAU).cos().mean());
            20.0 - 20.0 * (radius * -0.2).exp() - waves.exp() + E
        }),
        "newton_sqrt" => check(case, |[x, w]| {
            let y = (0..8).fold(x, |y, _| 0.5 * (y + x / y));
            (w * y).sum()
        }),
        "logistic_map" => check(case, |[x, rate]| {
            let x = (0..12).fold(x, |x, _| rate * x * (1.0 - x));
            (x - 0.5).square().sum()
        }),
        "lennard_jones" => check(case, |[x]| {
            let row = |i: usize| x.slice(i..i + 1, 0..2);
            let pairs = (0..x.rows()).flat_map(|i| (i + 1..x.rows()).map(move |j| (i, j)));
            let energy = pairs.map(|(i, j)| {
                let s = (row(i) - row(j)).square().sum().powi(-3);
                4.0 * (s.square() - s)
            });
            energy.sum()
        }),
        "smooth_total_variation" => {
            let y = case.data("y");
            check(case, |[x]| {
                let (m, n) = (x.rows() - 1, x.cols() - 1);
                let corner = x.slice(0..m, 0..n);
                let (dx, dy) = (x.slice(0..m, 1..n + 1) - corner, x.slice(1..m + 1, 0..n) - corner);
                let variation = (dx.square() + dy.square() + 0.01).sqrt().sum();
                0.5 * (x - of(x, &y)).square().sum() + 0.3 * variation
            });
        }
        "rk4_rollout" => {
            let target = case.data("target");
            check(case, |[x, a]| {
                let h = 0.25;
                let mut z = x;
                for _ in 0..4 {
                    let k1 = flow(z, a);
                    let k2 = flow(z + 0.5 * h * k1, a);
                    let k3 = flow(z + 0.5 * h * k2, a);
                    let k4 = flow(z + h * k3, a);
                    z = z + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
                }
                (z - of(x, &target)).square().sum()
            });
        }
        _ => return false,
    }
    true
}

fn flow<'g>(z: V<'g>, a: V<'g>) -> V<'g> {
    z.matmul(a).tanh() - 0.1 * z
}

fn likelihoods(case: &Case<'_>) -> bool {
    match case.id() {
        "gmm_nll" => {
            let x = case.data("x");
            check(case, |[logits, mu, log_sigma]| {
                let x = of(mu, &x);
                let components = (0..mu.rows()).map(|k| {
                    let (mu, log_sigma) = (row(mu, k), row(log_sigma, k));
                    let z = (x - mu) * (-log_sigma).exp();
                    -0.5 * z.square().sum_axis(Axis::Columns) - log_sigma.sum() - 0.5 * 2.0 * LN_2_PI
                });
                let components = Var::concat(&components.collect::<Vec<_>>(), Axis::Columns);
                -(components + logits.log_softmax(Axis::Columns)).log_sum_exp_axis(Axis::Columns).mean()
            });
        }
        "gaussian_chol_nll" => {
            let x = case.data("x");
            check(case, |[mu, a]| {
                let n = a.rows();
                let (below, eye) = (of(a, &triangle(n, 1)), of(a, &Matrix::identity(n)));
                let l = a * below + eye * a.exp();
                let z = (of(a, &x) - mu).matmul(l);
                let rows = f64::from(u32::try_from(x.rows()).unwrap());
                0.5 * z.square().sum() / rows - (a * eye).sum() + 0.5 * 3.0 * LN_2_PI
            });
        }
        "gp_marginal_likelihood" => {
            let x = case.data("x");
            check(case, |[y, log_len, log_amp, log_noise]| {
                let n = x.rows();
                let d = of(y, &x) - of(y, &x.transpose());
                let amplitude = (2.0 * log_amp).exp();
                let k = amplitude * (-0.5 * d.square() * (-2.0 * log_len).exp()).exp()
                    + (2.0 * log_noise).exp() * of(y, &Matrix::identity(n));
                let weights = k.cholesky().cholesky_solve(y);
                0.5 * (y * weights).sum() + 0.5 * k.log_determinant_spd() + 0.5 * 5.0 * LN_2_PI
            });
        }
        "beta_binomial_nll" => {
            let (k, n) = (case.data("k"), case.data("n"));
            check(case, |[log_a, log_b]| {
                let (a, b, k, n) = (log_a.exp(), log_b.exp(), of(log_a, &k), of(log_a, &n));
                let choose = (n + 1.0).lgamma() - (k + 1.0).lgamma() - (n - k + 1.0).lgamma();
                let counts = (k + a).lgamma() + (n - k + b).lgamma() - (n + a + b).lgamma();
                -(choose + counts + (a + b).lgamma() - a.lgamma() - b.lgamma()).sum()
            });
        }
        "cox_partial" => {
            let (x, e) = (case.data("x"), case.data("e"));
            check(case, |[w]| {
                let s = of(w, &x).matmul(w);
                let e = of(w, &e);
                let m = s.max().detach();
                let risk = of(w, &triangle(x.rows(), 0)).matmul((s - m).exp()).ln() + m;
                -(e * (s - risk)).sum() / e.sum()
            });
        }
        "kde_entropy" => check(case, |[x, log_h]| {
            let n = x.rows();
            let squares = (0..x.cols()).map(|c| {
                let column = x.slice(0..n, c..c + 1);
                (column - column.transpose()).square()
            });
            let squares = squares.sum::<V<'_>>() * (-2.0 * log_h).exp();
            let own = of(x, &Matrix::identity(n));
            let k = own.select(x.scalar(f64::NEG_INFINITY), -0.5 * squares);
            let lp = k.log_sum_exp_axis(Axis::Columns) - 4f64.ln() - 2.0 * (log_h + 0.5 * LN_2_PI);
            -lp.mean()
        }),
        "vae_elbo" => {
            let (x, eps) = (case.data("x"), case.data("eps"));
            check(case, |[mu, s, w]| {
                let z = mu + (0.5 * s).exp() * of(mu, &eps);
                let reconstruction = 0.5 * (of(mu, &x) - z.matmul(w).tanh()).square().sum();
                let divergence = -0.5 * (1.0 + s - mu.square() - s.exp()).sum();
                (reconstruction + divergence) / f64::from(u32::try_from(x.rows()).unwrap())
            });
        }
        _ => return false,
    }
    true
}

fn classifiers(case: &Case<'_>) -> bool {
    match case.id() {
        "softmax_regression" => {
            let (x, labels) = (case.data("x"), case.indices("labels"));
            check(case, |[w, b]| {
                let z = of(w, &x).matmul(w) + b;
                let picked = z.pick(of(w, &labels));
                (z.log_sum_exp_axis(Axis::Columns) - picked).mean() + 0.01 * w.square().sum()
            });
        }
        "squared_hinge_svm" => {
            let (x, y) = (case.data("x"), case.data("y"));
            check(case, |[w, b]| {
                let m = (1.0 - of(w, &y) * (of(w, &x).matmul(w) + b)).maximum(w.scalar(0.0));
                0.5 * w.square().sum() + 2.0 * m.square().sum()
            });
        }
        "adaboost_log_mean" => {
            let (x, y) = (case.data("x"), case.data("y"));
            check(case, |[w]| {
                let scores = of(w, &x).matmul(w);
                (-of(w, &y) * scores).log_sum_exp() - f64::from(u32::try_from(x.rows()).unwrap()).ln()
            });
        }
        "focal_multiclass" => {
            let labels = case.indices("labels");
            check(case, |[z, gamma_raw]| {
                let lp = z.log_softmax(Axis::Columns).pick(of(z, &labels));
                let weight = ((1.0 - lp.exp()).ln() * gamma_raw.softplus()).exp();
                -(weight * lp).mean()
            });
        }
        "info_nce" => check(case, |[a, b, log_tau]| {
            let s = normalized(a).matmul(normalized(b).transpose()) * (-log_tau).exp();
            let own = (s * of(s, &Matrix::identity(s.rows()))).sum_axis(Axis::Columns);
            (s.log_sum_exp_axis(Axis::Columns) - own).mean() + (s.log_sum_exp_axis(Axis::Rows) - own.transpose()).mean()
        }),
        _ => return false,
    }
    true
}

fn normalized(x: V<'_>) -> V<'_> {
    x / x.square().sum_axis(Axis::Columns).sqrt()
}

fn regressions(case: &Case<'_>) -> bool {
    match case.id() {
        "poisson_regression" => {
            let (x, y, exposure) = (case.data("x"), case.data("y"), case.data("exposure"));
            let log_factorials = y.map(|y| (1..).map(f64::from).take_while(|k| *k <= y).map(f64::ln).sum());
            check(case, |[w]| {
                let eta = of(w, &x).matmul(w) + of(w, &exposure).ln();
                let terms = eta.exp() - of(w, &y) * eta + of(w, &log_factorials);
                terms.mean() + 0.05 * w.square().sum()
            });
        }
        "student_t_regression" => {
            let (x, y) = (case.data("x"), case.data("y"));
            check(case, |[w, log_scale, log_nu]| {
                let nu = log_nu.exp();
                let z = (of(w, &y) - of(w, &x).matmul(w)) * (-log_scale).exp();
                let constant = (nu * 0.5).lgamma() - ((nu + 1.0) * 0.5).lgamma() + (nu * PI).ln() * 0.5 + log_scale;
                (constant + (nu + 1.0) * 0.5 * (z.square() / nu).ln_1p()).mean()
            });
        }
        "elastic_net" => {
            let (x, y) = (case.data("x"), case.data("y"));
            check(case, |[w, b]| {
                let e = of(w, &x).matmul(w) + b - of(w, &y);
                0.5 * e.square().mean() + 0.1 * w.abs().sum() + 0.05 * w.square().sum()
            });
        }
        "matrix_factorisation" => {
            let (target, mask) = (case.data("target"), case.data("mask"));
            check(case, |[u, v]| {
                let mask = of(u, &mask);
                let e = mask * (u.matmul(v.transpose()) - of(u, &target));
                e.square().sum() / mask.sum() + 0.02 * (u.square().sum() + v.square().sum())
            });
        }
        "ridge_closed_form" => {
            let (xv, yv) = (case.data("xv"), case.data("yv"));
            check(case, |[x, y, log_lambda]| {
                let a = x.transpose().matmul(x) + log_lambda.exp() * of(x, &Matrix::identity(2));
                let w = a.solve(x.transpose().matmul(y));
                (of(x, &xv).matmul(w) - of(x, &yv)).square().mean()
            });
        }
        _ => return false,
    }
    true
}

fn transports(case: &Case<'_>) -> bool {
    match case.id() {
        "wasserstein_sort" => check(case, |[u, v]| (sorted(u) - sorted(v)).abs().mean()),
        "wasserstein_cumsum" => check(case, |[p, q]| {
            let n = p.cols();
            let difference = p.softmax(Axis::Columns) - q.softmax(Axis::Columns);
            let sums = difference.matmul(of(p, &triangle(n, 0).transpose()));
            sums.slice(0..1, 0..n - 1).abs().sum()
        }),
        "sinkhorn" => check(case, |[x, y]| {
            let cost = squared_distances(x, y);
            let k = -cost / 0.5;
            let (n, m) = (3f64, 4f64);
            let (mut a, mut b) = (x.graph().filled(3, 1, 0.0), x.graph().filled(1, 4, 0.0));
            for _ in 0..10 {
                a = -n.ln() - (k + b).log_sum_exp_axis(Axis::Columns);
                b = -m.ln() - (k + a).log_sum_exp_axis(Axis::Rows);
            }
            ((k + a + b).exp() * cost).sum()
        }),
        "soft_dtw" => check(case, |[x, y]| {
            let d = squared_distances(x, y);
            let (n, m, gamma) = (x.rows(), y.rows(), 0.5);
            let mut table = vec![vec![x.scalar(1e6); m + 1]; n + 1];
            table[0][0] = x.scalar(0.0);
            for i in 1..=n {
                for j in 1..=m {
                    let before = [table[i - 1][j], table[i][j - 1], table[i - 1][j - 1]];
                    let before = Var::concat(&before, Axis::Columns);
                    table[i][j] = at(d, i - 1, j - 1) - gamma * (-before / gamma).log_sum_exp();
                }
            }
            table[n][m]
        }),
        _ => return false,
    }
    true
}

fn linear_algebra(case: &Case<'_>) -> bool {
    match case.id() {
        "logdet_gram" => {
            let a = case.data("a");
            check(case, |[x]| {
                let g = x.matmul(x.transpose()) + 0.5 * of(x, &Matrix::identity(x.rows()));
                g.log_determinant_spd() - (of(x, &a) * x).sum()
            });
        }
        "trace_inverse" => {
            let b = case.data("b");
            check(case, |[a]| a.log_abs_determinant().0 + a.solve(of(a, &b)).trace());
        }
        "mahalanobis_whitening" => check(case, |[x, m]| {
            let mu = x.mean_axis(Axis::Rows);
            let z = x - mu;
            let covariance = z.transpose().matmul(z) / 5.0 + 0.1 * of(x, &Matrix::identity(2));
            covariance.cholesky().solve_triangular((m - mu).transpose(), Triangular::LOWER).square().sum()
        }),
        _ => return false,
    }
    true
}

fn networks(case: &Case<'_>) -> bool {
    match case.id() {
        "rnn_unroll" => {
            let x = case.data("x");
            check(case, |[w, u, b, v]| {
                let zeros = w.graph().filled(1, u.rows(), 0.0);
                let h = (0..x.rows()).fold(zeros, |h, t| (row(of(w, &x), t).matmul(w) + h.matmul(u) + b).tanh());
                (h.matmul(v) - 0.5).square().sum()
            });
        }
        "layernorm_mlp" => {
            let (x, y) = (case.data("x"), case.data("y"));
            check(case, |[w1, gamma, beta, w2]| {
                let h = of(w1, &x).matmul(w1).standardize(Axis::Columns, 1e-5) * gamma + beta;
                (h.gelu().matmul(w2) - of(w2, &y)).log_cosh().mean()
            });
        }
        "attention" => {
            let x = case.data("x");
            check(case, |[wq, wk, wv]| {
                let x = of(wq, &x);
                let (q, k, v) = (x.matmul(wq), x.matmul(wk), x.matmul(wv));
                let a = (q.matmul(k.transpose()) / 2f64.sqrt()).softmax(Axis::Columns);
                a.matmul(v).square().mean()
            });
        }
        _ => return false,
    }
    true
}

/// `ln 2π`
const LN_2_PI: f64 = 1.837_877_066_409_345_6;

/// A constant in the graph of `x`.
fn of<'g>(x: V<'g>, data: &Matrix<f64>) -> V<'g> {
    let graph: &'g Graph<f64> = x.graph();
    graph.constant(data)
}

fn at(x: V<'_>, i: usize, j: usize) -> V<'_> {
    x.slice(i..i + 1, j..j + 1)
}

fn row(x: V<'_>, i: usize) -> V<'_> {
    x.slice(i..i + 1, 0..x.cols())
}

/// Ones at and below the diagonal that many places under the main one.
fn triangle(n: usize, below: usize) -> Matrix<f64> {
    Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i >= j + below)))
}

/// Squared distances of the rows of `x` from those of `y`.
fn squared_distances<'g>(x: V<'g>, y: V<'g>) -> V<'g> {
    let column = |z: V<'g>, c: usize| z.slice(0..z.rows(), c..c + 1);
    (0..x.cols()).map(|c| (column(x, c) - column(y, c).transpose()).square()).sum()
}

/// The elements of a column in order. The order is read from the values.
fn sorted(x: V<'_>) -> V<'_> {
    let values = x.value();
    let mut order: Vec<u32> = (0..u32::try_from(x.rows()).unwrap()).collect();
    order.sort_by(|a, b| values[(*a as usize, 0)].total_cmp(&values[(*b as usize, 0)]));
    let order: Vec<f64> = order.into_iter().map(f64::from).collect();
    x.gather_rows(of(x, &Matrix::column_vector(&order)))
}
