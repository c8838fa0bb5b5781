//! Linear algebra: laws, determinants and eigenvalues where they are delicate, accuracy, and what cannot be computed.

use autograd::op::{self, Part, Triangular};
use autograd::{Axis, Function, Graph, Matrix, Op, Real, RunError, Var};
use proptest::prelude::*;

use crate::operations::dominance;
use crate::support::{
    Verdict, close, dyadic_matrix, for_all, largest, list, matrices, number, oracle, panic_of, text, values,
};

/// A matrix with a small inverse.
fn dominant(n: usize) -> impl Strategy<Value = Matrix<f64>> {
    dyadic_matrix(n, n).prop_map(move |x| Matrix::from_fn(n, n, |i, j| x[(i, j)] / 2.0 + dominance(i, j)))
}

/// What rounding may do to a well-conditioned matrix of that many rows, relative to numbers of that size.
fn rounding(n: usize, size: f64) -> f64 {
    f64::EPSILON * f64::from(u32::try_from(16 * n).unwrap()) * (1.0 + size)
}

fn product(a: &Matrix<f64>, b: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.rows(), b.cols(), |i, j| (0..a.cols()).map(|k| a[(i, k)] * b[(k, j)]).sum())
}

fn symmetric(a: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.rows(), a.rows(), |i, j| (a[(i, j)] + a[(j, i)]) / 2.0)
}

#[test]
fn a_solution_solves_and_the_inverse_of_the_inverse_is_the_matrix() {
    for n in 1..6 {
        for_all(20, "solve", &(dominant(n), dyadic_matrix(n, 3)), |(a, b)| {
            let graph = Graph::new();
            let (va, vb) = (graph.variable(&a), graph.variable(&b));
            let tolerance = rounding(n, largest([&a]));
            close("A X", &product(&a, &va.solve(vb).value()), &b, tolerance)?;
            close("Aᵀ X", &product(&a.transpose(), &va.transpose().solve(vb).value()), &b, tolerance)?;
            let inverse = va.inverse();
            close("A A⁻¹", &product(&a, &inverse.value()), &Matrix::identity(n), tolerance)?;
            close("inverse of the inverse", &inverse.inverse().value(), &a, tolerance)?;
            close("power", &va.matrix_power(-3).value(), &inverse.matrix_power(3).value(), 0.0)
        });
    }
}

#[test]
fn a_triangular_solution_reads_one_triangle_and_gives_cotangents_to_it_alone() {
    let (lower, upper) = (Triangular::LOWER, Triangular::UPPER);
    for kind in
        [lower, upper, lower.transpose(), upper.transpose()].into_iter().flat_map(|k| [k, k.with_unit_diagonal()])
    {
        for_all(10, "solve_triangular", &(dominant(4), dyadic_matrix(4, 2)), |(a, b)| {
            let is_read = |i: usize, j: usize| match kind.part {
                Part::Lower => i > j,
                Part::Upper => i < j,
            } || i == j && !kind.unit_diagonal;
            let spoiled = Matrix::from_fn(4, 4, |i, j| if is_read(i, j) { a[(i, j)] } else { f64::NAN });
            let meant =
                Matrix::from_fn(4, 4, |i, j| if is_read(i, j) { a[(i, j)] } else { f64::from(u8::from(i == j)) });
            let graph = Graph::new();
            let (va, vb) = (graph.variable(spoiled), graph.variable(&b));
            let x = va.solve_triangular(vb, kind);
            let op = if kind.transposed { meant.transpose() } else { meant };
            close("op(A) X", &product(&op, &x.value()), &b, rounding(4, largest([&x.value()]) * largest([&op])))?;
            let gradient = x.square().sum().gradient(va).value();
            let unread = Matrix::from_fn(4, 4, |i, j| if is_read(i, j) { 0.0 } else { gradient[(i, j)] });
            close("unread", &unread, &Matrix::zeros(4, 4), 0.0)
        });
    }
}

#[test]
fn a_cholesky_factor_is_lower_triangular_and_its_square_is_the_symmetric_part() {
    for n in 1..6 {
        for_all(20, "cholesky", &(dominant(n), dyadic_matrix(n, 2)), |(a, b)| {
            let graph = Graph::new();
            let (va, vb) = (graph.variable(&a), graph.variable(&b));
            let l = va.cholesky();
            let factor = l.value();
            let tolerance = rounding(n, largest([&a]));
            close("L Lᵀ", &product(&factor, &factor.transpose()), &symmetric(&a), tolerance)?;
            close("above", &l.triu(1).value(), &Matrix::zeros(n, n), 0.0)?;
            close("A X", &product(&symmetric(&a), &l.cholesky_solve(vb).value()), &b, tolerance)?;
            let gradient = (l * l.sin()).sum().gradient(va).value();
            close("symmetric gradient", &gradient, &gradient.transpose(), 0.0)
        });
    }
}

#[test]
fn determinants_multiply_and_their_logarithms_agree() {
    for n in 1..6 {
        for_all(20, "determinant", &(dominant(n), dyadic_matrix(n, n)), |(a, b)| {
            let graph = Graph::new();
            let (va, vb) = (graph.variable(&a), graph.variable(&b));
            let det = |x: Var<'_, f64>| x.determinant().item();
            let (da, db) = (det(va), det(vb));
            // `det` is off by ε n times the product of the lengths of the rows at most; |B| ≤ 1.
            let power = i32::try_from(n).unwrap();
            let size = da.abs() * f64::from(power).powi(power);
            close("det AB", &Matrix::scalar(det(va.matmul(vb))), &Matrix::scalar(da * db), rounding(n, size))?;
            let (log, sign) = vb.log_abs_determinant();
            assert_eq!(sign.item(), if db == 0.0 { 0.0 } else { db.signum() });
            close("ln", &log.exp().value(), &Matrix::scalar(db.abs()), rounding(n, 1.0))?;
            let spd = va.log_determinant_spd();
            let part = graph.variable(symmetric(&a)).log_abs_determinant().0.value();
            close("ln det of a symmetric matrix", &spd.value(), &part, rounding(n, largest([&part])))?;
            let gradient = spd.gradient(va).value();
            let inverse = graph.variable(symmetric(&a)).inverse().value();
            close("gradient of ln det", &gradient, &inverse, rounding(n, 1.0))?;
            // Jacobi: ∂ det / ∂A = det(A) A⁻ᵀ.
            let cofactors = (va.inverse().transpose() * va.determinant()).value();
            close("cofactors", &va.determinant().gradient(va).value(), &cofactors, rounding(n, da.abs()))
        });
    }
}

#[test]
fn signs_of_determinants_agree_with_reference_values() {
    let file = oracle("ops");
    let cases: Vec<_> = list(&file["cases"]).iter().filter(|case| text(&case["op"]) == "logabsdet").collect();
    assert!(!cases.is_empty());
    for case in cases {
        let graph = Graph::new();
        let (_, sign) = graph.variable(&matrices(&case["inputs"])[0]).log_abs_determinant();
        assert_eq!(sign.item(), number(&case["aux"]["sign"]), "{}", text(&case["id"]));
    }
}

/// The determinant as the sum over all permutations: a polynomial, whose derivatives are right everywhere.
fn leibniz<'g>(a: Var<'g, f64>, row: usize, used: &mut Vec<usize>) -> Var<'g, f64> {
    let n = a.rows();
    if row == n {
        return a.scalar(1.0);
    }
    let mut sum = a.scalar(0.0);
    for col in (0..n).filter(|col| !used.contains(col)).collect::<Vec<_>>() {
        let exchanges = used.iter().filter(|before| **before > col).count();
        used.push(col);
        let rest = a.slice(row..row + 1, col..col + 1) * leibniz(a, row + 1, used);
        used.pop();
        sum = if exchanges % 2 == 0 { sum + rest } else { sum - rest };
    }
    sum
}

/// The value and three derivatives of the determinant along given directions, all as numbers.
fn orders<'g>(det: Var<'g, f64>, a: Var<'g, f64>, v: &[Var<'g, f64>]) -> Vec<Matrix<f64>> {
    let first = det.gradient_or_zero(a);
    let second = (first * v[0]).sum().gradient_or_zero(a);
    let third = (second * v[1]).sum().gradient_or_zero(a);
    let fourth = (third * v[2]).sum().gradient_or_zero(a);
    let along = det.jvp(a, v[0]);
    values(&[det, first, second, third, fourth, along, along.jvp(a, v[1])])
}

/// Products of an `n x r` and an `r x n` matrix of small whole numbers: of rank `r`, without rounding.
fn of_rank(n: usize, rank: usize) -> impl Strategy<Value = Matrix<f64>> {
    let factor = move || proptest::collection::vec(-3..=3_i32, n * rank);
    let matrix = move |x: Vec<i32>, rows: usize, cols| Matrix::new(rows, cols, x.into_iter().map(f64::from).collect());
    (factor(), factor()).prop_map(move |(a, b)| product(&matrix(a, n, rank), &matrix(b, rank, n)))
}

#[test]
fn derivatives_of_the_determinant_are_right_to_the_fourth_order_at_matrices_of_any_rank() {
    for (n, rank) in (2..=4).flat_map(|n| (0..=n).map(move |rank| (n, rank))) {
        let directions = [(); 3].map(|()| dyadic_matrix(n, n));
        for_all(8, "determinant", &(of_rank(n, rank), directions), |(a, v)| {
            let graph = Graph::new();
            let va = graph.variable(&a);
            let v = v.map(|v| graph.variable(v));
            let expected = orders(leibniz(va, 0, &mut Vec::new()), va, &v);
            let found = orders(va.determinant(), va, &v);
            let size = (1.0 + largest([&a])).powi(i32::try_from(n).unwrap());
            for (order, (found, expected)) in found.iter().zip(&expected).enumerate() {
                close(&format!("rank {rank} of {n}, derivative {order}"), found, expected, rounding(4 * n, size))?;
            }
            Ok(())
        });
    }
}

/// Near a singular matrix `det(A) A⁻ᵀ` has lost all digits: here the smallest singular value is about 1e-17.
#[test]
fn the_gradient_of_a_determinant_keeps_its_digits_where_the_inverse_has_none() {
    let graph = Graph::new();
    let a = graph.variable([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]);
    let expected = [[-0.03, 0.06, -0.03], [0.06, -0.12, 0.06], [-0.03, 0.06, -0.03]];
    close("cofactors", &a.determinant().gradient(a).value(), &Matrix::from(expected), 1e-16).unwrap();
    // The same where the determinant and most products on the way to it overflow or vanish.
    let a = graph.variable(Matrix::from_fn(4, 4, |i, j| if i == j { [1e200, 1e-200, 1e150, 0.0][i] } else { 0.0 }));
    let gradient = a.determinant().gradient(a).value();
    let expected = Matrix::from_fn(4, 4, |i, j| if (i, j) == (3, 3) { 1e150 } else { 0.0 });
    close("scaled", &gradient, &expected, 1e136).unwrap();
}

#[test]
fn logarithms_of_determinants_that_overflow_are_differentiated() {
    let graph = Graph::new();
    let a = graph.variable(Matrix::from_fn(3, 3, |i, j| if i + j == 2 { 1e200 } else { 0.0 }));
    let (log, sign) = a.log_abs_determinant();
    close("ln", &log.value(), &Matrix::scalar(600.0 * 10f64.ln()), 1e-12).unwrap();
    assert_eq!((sign.item(), a.determinant().item()), (-1.0, f64::NEG_INFINITY));
    let expected = Matrix::from_fn(3, 3, |i, j| if i + j == 2 { 1e-200 } else { 0.0 });
    close("gradient", &log.gradient(a).value(), &expected, 1e-214).unwrap();
    let caught = panic_of(|| sign.gradient(a)).message;
    assert!(caught.contains("the path is cut by the detach"), "{caught}");
    let singular = graph.variable([[1.0, 2.0], [2.0, 4.0]]);
    let (log, sign) = singular.log_abs_determinant();
    assert_eq!((log.item(), sign.item()), (f64::NEG_INFINITY, 0.0));
    let caught = panic_of(|| log.gradient(singular).value()).message;
    assert!(caught.contains("the matrix is singular: pivot 1 is 0"), "{caught}");
}

#[test]
fn eigenvalues_and_vectors_are_those_of_the_symmetric_part() {
    for n in 1..6 {
        for_all(20, "eigen", &dominant(n), |a| {
            let graph = Graph::new();
            let va = graph.variable(&a);
            let (lambda, vectors) = (va.eigenvalues_symmetric(), va.eigenvectors_symmetric());
            let (l, v) = (lambda.value(), vectors.value());
            let tolerance = rounding(n, largest([&a]));
            assert!(l.as_slice().is_sorted(), "{l:?}");
            let scaled = Matrix::from_fn(n, n, |i, j| v[(i, j)] * l[(j, 0)]);
            close("A V", &product(&symmetric(&a), &v), &scaled, tolerance)?;
            close("Vᵀ V", &product(&v.transpose(), &v), &Matrix::identity(n), tolerance)?;
            close("trace", &lambda.sum().value(), &va.trace().value(), tolerance * 4.0)?;
            let det = graph.variable(symmetric(&a)).determinant().value();
            close("det", &lambda.prod().value(), &det, rounding(n, largest([&det])))?;
            close("gradient of the trace", &lambda.sum().gradient(va).value(), &Matrix::identity(n), tolerance)?;
            // Σ λ³ = tr S³, whose gradient is 3 S² and whose second derivative along V is 3 (S V + V S).
            let s = symmetric(&a);
            let squares = product(&s, &s).map(|x| 3.0 * x);
            let gradient = lambda.powi(3).sum().gradient(va);
            close("Σ λ³", &gradient.value(), &squares, rounding(4 * n, largest([&squares])))?;
            let (along, direction) = (Matrix::from_fn(n, n, |i, j| if i <= j { 1.0 } else { -0.5 }), symmetric);
            let inner = direction(&along);
            let (left, right) = (product(&s, &inner), product(&inner, &s));
            let second = Matrix::from_fn(n, n, |i, j| 3.0 * (left[(i, j)] + right[(i, j)]));
            let found = gradient.jvp(va, graph.variable(&along)).value();
            close("Σ λ³ along V", &found, &second, rounding(64 * n, largest([&squares])))?;
            let found = (gradient * graph.variable(&along)).sum().gradient(va).value();
            close("Σ λ³ along V, backwards", &found, &second, rounding(64 * n, largest([&squares])))
        });
    }
}

/// A matrix with the eigenvalues 1, 1 and 3: in the coordinates, and turned so that rounding tells the equal ones apart.
fn with_equal_eigenvalues() -> [Matrix<f64>; 3] {
    let straight = Matrix::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]]);
    // I + 2 u uᵀ with u = (1, 2, 3) / √14.
    let turned = |u: [f64; 3]| {
        let square: f64 = u.iter().map(|x| x * x).sum();
        Matrix::from_fn(3, 3, |i, j| f64::from(u8::from(i == j)) + 2.0 * u[i] * u[j] / square)
    };
    [straight, turned([1.0, 2.0, 3.0]), turned([-0.3, 0.1, 0.7])]
}

#[test]
fn equal_eigenvalues_have_the_derivatives_of_functions_that_treat_them_alike_and_no_others() {
    for a in with_equal_eigenvalues() {
        let graph = Graph::new();
        let va = graph.variable(&a);
        let lambda = va.eigenvalues_symmetric();
        let is_nan = |x: Var<'_, f64>| x.value().as_slice().iter().all(|x| x.is_nan());
        close("sum", &lambda.sum().gradient(va).value(), &Matrix::identity(3), 1e-14).unwrap();
        close("Σ λ²", &lambda.square().sum().gradient(va).value(), &a.map(|x| 2.0 * x), 1e-14).unwrap();
        // The projection on the third vector: (A - I) / 2.
        let third = lambda.slice(2..3, 0..1).gradient(va).value();
        let projection = Matrix::from_fn(3, 3, |i, j| (a[(i, j)] - f64::from(u8::from(i == j))) / 2.0);
        close("third", &third, &projection, 1e-14).unwrap();
        assert!(is_nan(lambda.slice(0..1, 0..1).gradient(va)), "one of two equal ones has no derivative");
        let along = graph.variable([[1.0, 2.0, 0.0], [2.0, -1.0, 0.5], [0.0, 0.5, 1.0]]);
        let moved = lambda.jvp(va, along).value();
        assert!(moved[(0, 0)].is_nan() && moved[(1, 0)].is_nan() && moved[(2, 0)].is_finite(), "{moved:?}");
        let still = lambda.jvp(va, va).value();
        close("along itself", &still, &lambda.value(), 1e-14).unwrap();
        // No number is better than a wrong one: the true second derivative of Σ λ² is 2 V.
        assert!(is_nan(lambda.square().sum().gradient(va).jvp(va, along)));
        assert!(is_nan((lambda.square().sum().gradient(va) * along).sum().gradient(va)));
        assert!(is_nan(va.eigenvectors_symmetric().sum().gradient(va)));
    }
}

#[test]
fn the_largest_of_several_equal_eigenvalues_has_no_gradient() {
    let graph = Graph::new();
    let a = graph.variable(Matrix::<f64>::identity(2));
    let gradient = a.eigenvalues_symmetric().slice(1..2, 0..1).gradient(a).value();
    assert!(gradient.as_slice().iter().all(|x| x.is_nan()));
}

fn binomial(n: u32, k: u32) -> f64 {
    (0..k).map(|i| f64::from(n - i) / f64::from(i + 1)).product::<f64>().round()
}

/// The inverse of the Hilbert matrix, of whole numbers.
fn inverse_hilbert(n: u32) -> Matrix<f64> {
    Matrix::from_fn(n as usize, n as usize, |i, j| {
        let (i, j) = (u32::try_from(i).unwrap() + 1, u32::try_from(j).unwrap() + 1);
        let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
        let squares = binomial(i + j - 2, i - 1).powi(2);
        sign * f64::from(i + j - 1) * binomial(n + i - 1, n - j) * binomial(n + j - 1, n - i) * squares
    })
}

/// The condition number in the largest row sum.
fn condition(a: &Matrix<f64>, inverse: &Matrix<f64>) -> f64 {
    let norm = |a: &Matrix<f64>| {
        let rows = (0..a.rows()).map(|i| a.row(i).iter().map(|x| x.abs()).sum::<f64>());
        rows.fold(0.0, f64::max)
    };
    norm(a) * norm(inverse)
}

fn hilbert_holds<T: Real>(n: u32) -> Verdict {
    let exact = inverse_hilbert(n);
    let hilbert = Matrix::from_fn(n as usize, n as usize, |i, j| 1.0 / f64::from(u32::try_from(i + j + 1).unwrap()));
    let graph = Graph::<T>::new();
    let a = graph.variable(hilbert.cast::<T>());
    // The elements themselves are rounded, which counts n times at most; so do the steps of the elimination.
    let relative = T::EPSILON.to_f64() * f64::from(n) * condition(&hilbert, &exact);
    let tolerance = relative * largest([&exact]);
    close("inverse", &a.inverse().value(), &exact, tolerance)?;
    let sums = Matrix::from_fn(n as usize, 1, |i, _| exact.row(i).iter().sum());
    let ones = graph.filled(n as usize, 1, T::ONE);
    close("solve", &a.solve(ones).value(), &sums, relative * largest([&sums]))?;
    close("cholesky", &a.cholesky().cholesky_solve(ones).value(), &sums, relative * largest([&sums]))?;
    let log: f64 = (0..n).map(|k| -(f64::from(2 * k + 1).ln()) - 2.0 * binomial(2 * k, k).ln()).sum();
    close("ln det", &a.log_determinant_spd().value(), &Matrix::scalar(log), relative)?;
    let gradient = a.log_abs_determinant().0.gradient(a).value();
    close("gradient of ln det", &gradient, &exact, tolerance)
}

#[test]
fn hilbert_matrices_lose_as_many_digits_as_their_condition_says() {
    for n in 1..=8 {
        hilbert_holds::<f64>(n).unwrap();
    }
    for n in 1..=4 {
        hilbert_holds::<f32>(n).unwrap();
    }
}

#[test]
fn nothing_and_single_numbers_are_matrices_too() {
    let graph = Graph::<f64>::new();
    let (nothing, b) = (graph.variable(Matrix::zeros(0, 0)), graph.variable(Matrix::zeros(0, 2)));
    let empty = [
        nothing.inverse(),
        nothing.solve(b),
        nothing.solve_triangular(b, Triangular::LOWER),
        nothing.cholesky(),
        nothing.eigenvalues_symmetric(),
        nothing.eigenvectors_symmetric(),
    ];
    for y in empty {
        assert!(y.value().is_empty());
        assert_eq!(y.sum().gradient(nothing).value().shape(), nothing.shape());
        assert_eq!(y.jvp(nothing, nothing).value().shape(), y.shape());
    }
    let (log, sign) = nothing.log_abs_determinant();
    let ones = [nothing.determinant(), sign].map(|y| y.item());
    assert_eq!((ones, log.item(), nothing.log_determinant_spd().item()), ([1.0; 2], 0.0, 0.0));
    for y in [nothing.determinant(), log, nothing.log_determinant_spd()] {
        assert_eq!(y.gradient(nothing).value().shape(), nothing.shape());
    }
    let wide = graph.variable(Matrix::identity(2)).solve(graph.variable(Matrix::zeros(2, 0)));
    assert_eq!(wide.value().shape(), wide.shape());

    let x = graph.variable(4.0);
    let b = graph.variable([[2.0, 8.0]]);
    assert_eq!(x.inverse().item(), 0.25);
    assert_eq!(x.solve(b).value().as_slice(), [0.5, 2.0]);
    assert_eq!((x.cholesky().item(), x.cholesky().gradient(x).item()), (2.0, 0.25));
    assert_eq!((x.determinant().item(), x.determinant().gradient(x).item()), (4.0, 1.0));
    assert_eq!((x.eigenvalues_symmetric().item(), x.eigenvectors_symmetric().item()), (4.0, 1.0));
    assert_eq!(x.eigenvalues_symmetric().gradient(x).item(), 1.0);
}

type Unary = for<'g> fn(Var<'g, f64>) -> Var<'g, f64>;

/// Everything that factorises, as a function of a square matrix.
const FACTORISING: [(&str, Unary); 8] = [
    ("inverse", |a| a.inverse()),
    ("solve", |a| a.solve(a.graph().filled(a.rows(), 2, 1.0))),
    ("cholesky", |a| a.cholesky()),
    ("determinant", |a| a.determinant()),
    ("log_abs_determinant", |a| a.log_abs_determinant().0),
    ("cholesky", |a| a.log_determinant_spd()),
    ("eigenvalues_symmetric", |a| a.eigenvalues_symmetric()),
    ("eigenvectors_symmetric", |a| a.eigenvectors_symmetric()),
];

#[test]
fn compiled_linear_algebra_has_the_bits_of_values_on_demand() {
    let numbers = |n: usize| {
        Matrix::from_fn(n, n, |i, j| dominance(i, j) + f64::from(u32::try_from((i * 7 + j * 13) % 11).unwrap()) / 40.0)
    };
    for (name, f) in FACTORISING {
        let a = numbers(20);
        let graph = Graph::new();
        let input = graph.input(20, 20);
        let recorded = |x| {
            let y = f(x);
            let first = (y * y.cos()).sum().gradient(x);
            [y, first, first.square().sum().gradient(x)]
        };
        let mut program = graph.compile(&[input], &[], &recorded(input)).unwrap();
        let on_demand = recorded(graph.variable(&a)).map(|y| y.value());
        for _ in 0..2 {
            program.run(&[&a]).unwrap();
            for (k, expected) in on_demand.iter().enumerate() {
                let same =
                    program.output_slice(k).iter().zip(expected.as_slice()).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{name}, derivative {k}");
            }
        }
    }
}

#[test]
fn what_cannot_be_factorised_is_an_error_with_the_operation_and_its_line() {
    let singular = Matrix::from([[1.0, 2.0, 3.0], [2.0, 4.0, 7.0], [3.0, 6.0, 1.0]]);
    let indefinite = Matrix::from([[4.0, 0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]]);
    for (name, f) in FACTORISING {
        let graph = Graph::new();
        let x = graph.input(3, 3);
        let y = f(x);
        let mut program = graph.compile(&[x], &[], &[y]).unwrap();
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let matrix = Matrix::from_fn(3, 3, |i, j| if (i, j) == (1, 2) { bad } else { dominance(i, j) });
            let error = program.run(&[&matrix]).unwrap_err();
            let RunError::NotFinite { op, position: 5, value, site } = error else { panic!("{name}: {error}") };
            assert!(op == name && value.to_bits() == bad.to_bits() && site.file() == file!(), "{name}: {error}");
        }
        let verdict = program.run(&[&singular]);
        match name {
            "inverse" | "solve" => assert!(
                matches!(verdict, Err(RunError::Singular { op, pivot: 1, .. }) if op == name),
                "{name}: {verdict:?}"
            ),
            "cholesky" => {}
            _ => assert_eq!(verdict, Ok(()), "{name}"),
        }
        let verdict = program.run(&[&indefinite]);
        if name == "cholesky" {
            let expected = matches!(verdict, Err(RunError::NotPositiveDefinite { op: "cholesky", minor: 3, .. }));
            assert!(expected, "{verdict:?}");
        } else {
            assert_eq!(verdict, Ok(()), "{name}");
        }
        // The program is as good as before.
        program.run(&[&Matrix::identity(3)]).unwrap();
    }
}

#[test]
fn functions_and_values_report_singular_matrices_with_the_users_line() {
    let singular = Matrix::from([[1.0, 2.0], [2.0, 4.0]]);
    let function = Function::new(|[a]: [Var<'_, f64>; 1]| a.inverse().sum());
    let error = function.value([&singular]).unwrap_err();
    let RunError::Singular { op: "inverse", pivot: 1, site } = error else { panic!("{error}") };
    let line = site.line();
    let text = format!("inverse at {}:{line}:{}: the matrix is singular: pivot 1 is 0", site.file(), site.column());
    assert_eq!(error.to_string(), text);

    let graph = Graph::new();
    let base = line!();
    let lower = graph.variable([[1.0, 0.0], [5.0, 0.0]]);
    let x = lower.solve_triangular(graph.filled(2, 1, 1.0), Triangular::LOWER);
    let caught = panic_of(|| x.value());
    let place = format!("value: solve_triangular at {}:{}:", file!(), base + 2);
    assert!(caught.message.starts_with(&place), "{}", caught.message);
    assert!(caught.message.ends_with("the matrix is singular: pivot 1 is 0"), "{}", caught.message);
    let unit = lower.solve_triangular(graph.filled(2, 1, 1.0), Triangular::LOWER.with_unit_diagonal());
    assert_eq!(unit.value().as_slice(), [1.0, -4.0]);
    let refused = panic_of(|| graph.variable([[1.0, 2.0], [2.0, 1.0]]).cholesky().value()).message;
    assert!(refused.ends_with("the matrix is not positive definite: its leading 2x2 block is not"), "{refused}");
}

#[test]
fn matrices_that_are_not_square_are_refused_while_recording() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(Matrix::<f64>::zeros(2, 3));
    let square = graph.variable(Matrix::identity(2));
    for (name, f) in FACTORISING {
        if name != "solve" {
            let caught = panic_of(|| f(x)).message;
            let rule = format!("{name}: 2x3: the operand must be square; operand made at {}:{}", file!(), base + 1);
            assert!(caught.starts_with(&rule), "{caught}");
        }
    }
    let caught = panic_of(|| x.solve(square)).message;
    assert!(caught.starts_with("solve: 2x3 by 2x2: the left one must be square; left made at"), "{caught}");
    let caught = panic_of(|| square.solve_triangular(x.transpose(), Triangular::UPPER)).message;
    assert!(caught.starts_with("solve_triangular: 2x2 by 3x2: both must have as many rows: 2 and 3; left"), "{caught}");
}

/// The hyper-parameters of a Gaussian process are fitted by a compiled step, and a step into singularity is an outcome.
#[test]
fn a_training_step_through_a_factorisation_can_fail_and_go_on() {
    let graph = Graph::new();
    let scale = graph.variable(1.0);
    let (noise, y) = (graph.input(1, 1), graph.constant([[1.0], [-0.5], [0.25]]));
    let ones = graph.constant(Matrix::ones(3, 3));
    let k = ones * scale.square() + noise * graph.constant(Matrix::identity(3));
    let nll = (k.log_determinant_spd() + (y * k.cholesky().cholesky_solve(y)).sum()) * 0.5;
    let mut step = graph.compile(&[noise], &[(scale, scale - nll.gradient(scale) * 0.1)], &[nll]).unwrap();
    let zero: Matrix<f64> = 0.0.into();
    let error = step.run(&[&zero]).unwrap_err();
    assert!(matches!(error, RunError::NotPositiveDefinite { op: "cholesky", minor: 2, .. }), "{error}");
    assert_eq!(step.state(scale.id()).unwrap(), 1.0.into());
    let mut losses = Vec::new();
    for _ in 0..20 {
        step.run(&[&0.5.into()]).unwrap();
        losses.push(step.item(0));
    }
    assert!(losses.is_sorted_by(|a, b| a >= b), "{losses:?}");
}

#[test]
fn formulas_say_what_is_inverted() {
    let graph = Graph::new();
    let a = graph.variable(Matrix::<f64>::identity(2)).named("A");
    let b = graph.variable(Matrix::ones(2, 1)).named("b");
    let y = a.solve(b).named("y");
    assert_eq!(a.inverse().matmul(b).to_string(), "A⁻¹ b");
    assert_eq!(y.vjp(b, a).to_string(), "y = solve(A, b)\n-solve(Aᵀ, b) yᵀ");
    let unit = Triangular::LOWER.with_unit_diagonal();
    assert_eq!(a.solve_triangular(b, unit.transpose()).to_string(), "solve((tril(A, -1) + I)ᵀ, b)");
    assert_eq!(a.solve_triangular(b, Triangular::UPPER).to_string(), "solve(triu(A), b)");
    assert_eq!(a.determinant().gradient(a).to_string(), "cofactors(A)");
}

/// A `2x2` matrix of four numbers.
fn two_by_two<'g>(elements: [Var<'g, f64>; 4]) -> Var<'g, f64> {
    Var::concat(&elements, Axis::Columns).reshape(2, 2)
}

/// What has a formula for `2x2` matrices: by that, and by a factorisation.
fn formulas<'g>(x: Var<'g, f64>) -> [(&'static str, Var<'g, f64>, Var<'g, f64>); 5] {
    let at = |i, j| x.slice(i..i + 1, j..j + 1);
    let (a, b, c, d) = (at(0, 0), at(0, 1), at(1, 0), at(1, 1));
    let (det, s) = (a * d - b * c, (b + c) * 0.5);
    let (corner, half) = (a.sqrt(), (((a - d) * 0.5).square() + s.square()).sqrt());
    let middle = (a + d) * 0.5;
    let zero = a * 0.0;
    [
        ("inverse", x.inverse(), two_by_two([d, -b, -c, a]) / det),
        ("cholesky", x.cholesky(), two_by_two([corner, zero, s / corner, (d - s.square() / a).sqrt()])),
        ("ln det", x.log_abs_determinant().0, det.abs().ln()),
        ("ln det spd", x.log_determinant_spd(), (a * d - s.square()).ln()),
        ("eigenvalues", x.eigenvalues_symmetric(), Var::concat(&[middle - half, middle + half], Axis::Rows)),
    ]
}

#[test]
fn derivatives_to_the_fourth_order_are_those_of_the_formulas_for_two_by_two() {
    let graph = Graph::new();
    let x = graph.variable([[2.0, 0.75], [-0.25, 1.5]]);
    let v =
        [[[1.0, -0.5], [0.25, 2.0]], [[0.5, 1.0], [1.0, -1.0]], [[0.0, 1.0], [-2.0, 0.5]]].map(|v| graph.variable(v));
    for (name, found, expected) in formulas(x) {
        let weights =
            graph.constant(Matrix::from_fn(found.rows(), found.cols(), |i, j| if i == j { 1.0 } else { 0.5 }));
        let derivatives = |y: Var<'_, f64>| {
            let mut all = vec![y.value()];
            let mut gradient = (y * weights).sum().gradient(x);
            for v in v {
                all.push(gradient.value());
                gradient = (gradient * v).sum().gradient(x);
            }
            all.push(gradient.value());
            let forward = y.jvp(x, v[0]).jvp(x, v[1]).jvp(x, v[2]);
            all.push(forward.value());
            all
        };
        let (found, expected) = (derivatives(found), derivatives(expected));
        for (order, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let tolerance = rounding(4 << order, largest([expected]));
            close(&format!("{name}, derivative {order}"), found, expected, tolerance).unwrap();
        }
    }
}

#[test]
fn what_is_wrong_with_a_matrix_is_said() {
    let site = core::panic::Location::caller();
    let place = format!("{}:{}:{}", site.file(), site.line(), site.column());
    let said = |error: RunError| error.to_string();
    let not_finite = RunError::NotFinite { op: "solve", site, position: 5, value: f64::INFINITY };
    let expected = format!("solve at {place}: element 5 of the matrix is inf: it must be finite");
    assert_eq!(said(not_finite), expected);
    let endless = RunError::NoConvergence { op: "eigenvalues_symmetric", site };
    let expected = format!("eigenvalues_symmetric at {place}: the iteration for eigenvalues did not end");
    assert_eq!(said(endless), expected);

    let graph = Graph::<f64>::new();
    let [small, large] = [2, 3].map(|n| graph.constant(Matrix::identity(n)));
    let rule = |op: Op, x: &[Var<'_, f64>]| graph.try_apply(op, x).unwrap_err().rule;
    assert_eq!(rule(op::Cofactors.into(), &[small, large]), "all must have the same shape");
    assert_eq!(rule(op::Unsplit.into(), &[small, large]), "an eigenvalue is needed for each row");
}
