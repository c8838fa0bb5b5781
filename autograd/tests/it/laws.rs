//! Laws that tie operations to each other: what one does, others undo, transpose or do again by hand.

use autograd::check::Check;
use autograd::op::{Direction, Frame, SortOrder};
use autograd::{Axis, Graph, Matrix, Var};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{close, dot, dyadic, dyadic_matrix, for_all, panic_of, values};

const BOTH: [Axis; 2] = [Axis::Rows, Axis::Columns];

/// Matrices of up to `4 x 6` with elements that often tie.
fn tied() -> impl Strategy<Value = Matrix<f64>> {
    (1..=4usize, 1..=6usize)
        .prop_flat_map(|(m, n)| vec((-2..=2).prop_map(f64::from), m * n).prop_map(move |data| Matrix::new(m, n, data)))
}

/// Matrices of up to `4 x 6` of dyadic numbers, some of them 0.
fn sparse() -> impl Strategy<Value = Matrix<f64>> {
    let element = prop_oneof![3 => dyadic(-2, 2), 1 => Just(0.0)];
    (1..=4usize, 1..=6usize)
        .prop_flat_map(move |(m, n)| vec(element.clone(), m * n).prop_map(move |data| Matrix::new(m, n, data)))
}

#[test]
fn sorting_is_a_stable_permutation_in_order() {
    for_all(200, "sort", &tied(), |x| {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let graph = Graph::new();
            let (values, indices) = graph.variable(&x).sort(Axis::Columns, order);
            let (values, indices) = (values.value(), indices.value());
            for i in 0..x.rows() {
                let mut expected: Vec<(usize, f64)> = x.row(i).iter().copied().enumerate().collect();
                expected.sort_by(|(_, a), (_, b)| match order {
                    SortOrder::Ascending => a.total_cmp(b),
                    SortOrder::Descending => b.total_cmp(a),
                });
                for (j, (from, value)) in expected.into_iter().enumerate() {
                    assert_eq!(values[(i, j)], value);
                    assert_eq!(indices[(i, j)], f64::from(u32::try_from(from).unwrap()));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn numbers_that_are_none_come_last_in_both_orders_and_spoil_the_median() {
    let graph = Graph::new();
    let x = graph.variable([[f64::NAN, 2.0, f64::NEG_INFINITY, f64::NAN, f64::INFINITY]]);
    let up = x.arg_sort(Axis::Columns, SortOrder::Ascending).value();
    let down = x.arg_sort(Axis::Columns, SortOrder::Descending).value();
    assert_eq!(up.as_slice(), [2.0, 1.0, 4.0, 0.0, 3.0]);
    assert_eq!(down.as_slice(), [4.0, 1.0, 2.0, 0.0, 3.0]);
    assert!(x.median().item().is_nan());
    let y = graph.variable([[f64::NAN, 1.0], [2.0, 3.0]]);
    assert_eq!(y.median_axis(Axis::Columns).value()[(1, 0)], 2.5);
}

#[test]
fn positions_that_the_element_type_cannot_hold_are_refused() {
    let columns = (1 << 24) + 1;
    let narrow = Graph::<f32>::new();
    assert_eq!(narrow.input(1, columns).arg_max(Axis::Columns).shape(), (1, 1).into());
    let x = narrow.input(1, columns + 1);
    let rule = "1x16777218: f32 holds indices exactly up to 16777216 only";
    assert!(panic_of(|| x.arg_max(Axis::Columns)).message.starts_with(&format!("arg_max: {rule}")));
    let sorted = panic_of(|| x.arg_sort(Axis::Columns, SortOrder::Ascending));
    assert!(sorted.message.starts_with(&format!("arg_sort: {rule}")), "{}", sorted.message);
    let wide = Graph::<f64>::new();
    assert_eq!(wide.input(1, columns + 1).arg_max(Axis::Columns).shape(), (1, 1).into());
}

#[test]
fn the_largest_k_are_the_first_of_the_sorted() {
    for_all(100, "top_k", &tied(), |x| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        let k = x.rows().div_ceil(2);
        let (values, indices) = v.top_k(Axis::Rows, k);
        let (sorted, order) = v.sort(Axis::Rows, SortOrder::Descending);
        close("values", &values.value(), &sorted.slice(0..k, 0..x.cols()).value(), 0.0)?;
        close("indices", &indices.value(), &order.slice(0..k, 0..x.cols()).value(), 0.0)
    });
}

#[test]
fn scatter_is_the_transpose_of_gather() {
    let indices = || vec((0..4u32).prop_map(f64::from), 6);
    let strategy = (dyadic_matrix(4, 3), dyadic_matrix(6, 3), indices());
    for_all(200, "scatter", &strategy, |(x, g, indices)| {
        let graph = Graph::new();
        let indices = graph.constant(Matrix::column_vector(&indices));
        let gathered = graph.variable(&x).gather_rows(indices).value();
        let scattered = graph.variable(&g).segment_sum(indices, 4).value();
        let added = graph.variable(&x).scatter_add_rows(indices, graph.variable(&g)).value();
        let sum = Matrix::from_fn(4, 3, |i, j| x[(i, j)] + scattered[(i, j)]);
        close("scatter_add_rows", &added, &sum, 0.0)?;
        let columns = graph.variable(&x).transpose().gather_cols(indices).transpose().value();
        close("gather_cols", &columns, &gathered, 0.0)?;
        let (left, right) = (dot(&g, &gathered), dot(&x, &scattered));
        close("adjoint", &Matrix::scalar(left), &Matrix::scalar(right), 1e-14)
    });
}

#[test]
fn rows_that_are_replaced_come_back_when_they_are_gathered() {
    let strategy = (dyadic_matrix(4, 3), dyadic_matrix(3, 3), Just(vec![0.0, 1.0, 2.0, 3.0]).prop_shuffle());
    for_all(100, "scatter_rows", &strategy, |(x, source, order)| {
        let graph = Graph::new();
        let indices = graph.constant(Matrix::column_vector(&order[..3]));
        let y = graph.variable(&x).scatter_rows(indices, graph.variable(&source));
        close("replaced", &y.gather_rows(indices).value(), &source, 0.0)?;
        let kept = graph.constant(order[3]);
        close("kept", &y.gather_rows(kept).value(), &graph.variable(&x).gather_rows(kept).value(), 0.0)
    });
}

#[test]
fn the_last_of_the_sums_and_products_so_far_are_sum_and_product() {
    for_all(200, "cumulative", &sparse(), |x| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        for axis in BOTH {
            let last = |y: Var<'_, f64>| match axis {
                Axis::Rows => y.slice(x.rows() - 1..x.rows(), 0..x.cols()).value(),
                Axis::Columns => y.slice(0..x.rows(), x.cols() - 1..x.cols()).value(),
            };
            // Sums of a few multiples of 1/1024 are exact, products of six are below 2⁶ and rounded at most five times.
            close("sum", &last(v.cumsum(axis)), &v.sum_axis(axis).value(), 0.0)?;
            close("prod", &last(v.cumprod(axis)), &v.prod_axis(axis).value(), 64.0 * 5.0 * f64::EPSILON)?;
            close("max", &last(v.cummax(axis)), &v.max_axis(axis).value(), 0.0)?;
            let sum = v.log_sum_exp_axis(axis).value();
            close("log_sum_exp", &last(v.log_cum_sum_exp(axis)), &sum, 8.0 * f64::EPSILON)?;
        }
        Ok(())
    });
}

/// The product of all elements of a row but those at `left_out`.
fn product_without(x: &[f64], left_out: &[usize]) -> f64 {
    x.iter().enumerate().filter(|(i, _)| !left_out.contains(i)).map(|(_, x)| x).product()
}

#[test]
fn products_with_zeros_have_the_derivatives_of_products_of_the_others_to_second_order() {
    for_all(300, "prod", &sparse(), |x| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        let first = v.prod_axis(Axis::Columns).sum().gradient(v);
        let others = Matrix::from_fn(x.rows(), x.cols(), |i, j| product_without(x.row(i), &[j]));
        close("first", &first.value(), &others, 64.0 * 8.0 * f64::EPSILON)?;
        for k in 0..x.cols() {
            let second = first.slice(0..x.rows(), k..k + 1).sum().gradient_or_zero(v).value();
            let expected =
                Matrix::from_fn(
                    x.rows(),
                    x.cols(),
                    |i, j| {
                        if j == k { 0.0 } else { product_without(x.row(i), &[j, k]) }
                    },
                );
            close("second", &second, &expected, 64.0 * 16.0 * f64::EPSILON)?;
        }
        Ok(())
    });
}

#[test]
fn products_so_far_with_zeros_agree_with_differences_to_second_order() {
    for_all(60, "cumprod", &sparse(), |x| {
        let report = Check::new().function(|[x]| x.cumprod(Axis::Columns), [x]);
        if report.is_fail() { Err(report.to_string()) } else { Ok(()) }
    });
}

#[test]
fn a_linear_scan_is_the_loop_that_it_stands_for() {
    let strategy = (dyadic_matrix(3, 5), dyadic_matrix(3, 5));
    for_all(100, "linear_scan", &strategy, |(x, a)| {
        let graph = Graph::new();
        let (v, factors) = (graph.variable(&x), graph.variable(&a));
        let mut expected = x.clone();
        for i in 0..3 {
            for j in 1..5 {
                expected[(i, j)] = x[(i, j)] + a[(i, j)] * expected[(i, j - 1)];
            }
        }
        close("forward", &v.linear_scan(factors, Direction::Forward).value(), &expected, 0.0)?;
        let flipped = v.flip(Axis::Columns).linear_scan(factors.flip(Axis::Columns), Direction::Backward);
        close("backward", &flipped.flip(Axis::Columns).value(), &expected, 0.0)
    });
}

#[test]
fn the_largest_so_far_shares_its_derivative_between_the_ties_so_far() {
    let graph = Graph::new();
    let x = graph.variable([[1.0, 3.0, 3.0, 2.0, 3.0]]);
    let y = x.cummax(Axis::Columns);
    let g = graph.constant([[1.0, 2.0, 4.0, 8.0, 3.0]]);
    // 2 to the first 3, 4 + 8 shared by two, 3 by three.
    close("vjp", &y.vjp(g, x).value(), &Matrix::from([[1.0, 9.0, 7.0, 0.0, 1.0]]), 0.0).unwrap();
    let moved = y.jvp(x, graph.constant([[1.0, 2.0, 4.0, 8.0, 6.0]])).value();
    close("jvp", &moved, &Matrix::from([[1.0, 2.0, 3.0, 3.0, 4.0]]), 0.0).unwrap();
}

#[test]
fn logarithms_of_sums_so_far_begin_with_nothing_and_stand_still_there() {
    let graph = Graph::new();
    let x = graph.variable([[f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0, f64::NEG_INFINITY]]);
    let y = x.log_cum_sum_exp(Axis::Columns);
    let expected = Matrix::from([[f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0, 1.0]]);
    close("value", &y.value(), &expected, 0.0).unwrap();
    let g = graph.constant([[5.0, 7.0, 2.0, 3.0]]);
    close("vjp", &y.vjp(g, x).value(), &Matrix::from([[0.0, 0.0, 5.0, 0.0]]), 0.0).unwrap();
    close("jvp", &y.jvp(x, g).value(), &Matrix::from([[0.0, 0.0, 2.0, 2.0]]), 0.0).unwrap();
}

#[test]
fn triangles_and_diagonals_make_up_the_matrix() {
    let strategy = (sparse(), -6..=6isize);
    for_all(200, "triangle", &strategy, |(x, k)| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        close("tril + triu", &(v.tril(k) + v.triu(k + 1)).value(), &x, 0.0)?;
        let side = v.diag_part(k).value();
        let by_hand: Vec<f64> = (0..x.rows())
            .filter_map(|i| i.checked_add_signed(k).filter(|j| *j < x.cols()).map(|j| x[(i, j)]))
            .collect();
        close("diag_part", &side, &Matrix::column_vector(&by_hand), 0.0)?;
        let diagonal = v.slice(0..1, 0..x.cols());
        close("diag", &diagonal.diag_matrix(k).diag_part(k).transpose().value(), &diagonal.value(), 0.0)
    });
}

#[test]
fn arrangements_undo_each_other() {
    let strategy = (sparse(), -9..=9isize, 1..=3usize, 1..=3usize);
    for_all(200, "arrangements", &strategy, |(x, shift, rows, cols)| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        let (m, n) = (x.rows(), x.cols());
        for axis in BOTH {
            close("flip", &v.flip(axis).flip(axis).value(), &x, 0.0)?;
            close("roll", &v.roll(axis, shift).roll(axis, -shift).value(), &x, 0.0)?;
        }
        let moved = |i: usize, len: usize| {
            let (i, len) = (isize::try_from(i).unwrap(), isize::try_from(len).unwrap());
            usize::try_from((i - shift).rem_euclid(len)).unwrap()
        };
        let rolled = Matrix::from_fn(m, n, |i, j| x[(i, moved(j, n))]);
        close("rolled", &v.roll(Axis::Columns, shift).value(), &rolled, 0.0)?;
        let tiled = Matrix::from_fn(rows * m, cols * n, |i, j| x[(i % m, j % n)]);
        close("tile", &v.tile(rows, cols).value(), &tiled, 0.0)?;
        let frame = Frame { top: rows, bottom: cols, left: 1, right: 2 };
        for value in [0.0, -7.5, f64::INFINITY] {
            let padded = v.pad(frame, value);
            close("pad", &padded.slice(rows..rows + m, 1..1 + n).value(), &x, 0.0)?;
            assert_eq!(padded.value()[(0, 0)], value);
            assert_eq!(padded.shape(), (m + rows + cols, n + 3).into());
        }
        let strided = Matrix::from_fn(m.div_ceil(rows), n.div_ceil(cols), |i, j| x[(i * rows, j * cols)]);
        close("slice_step", &v.slice_step(0..m, rows, 0..n, cols).value(), &strided, 0.0)
    });
}

#[test]
fn the_kronecker_product_is_one_of_all_pairs() {
    for_all(100, "kron", &(sparse(), sparse()), |(x, y)| {
        let graph = Graph::new();
        let (p, q) = (y.rows(), y.cols());
        let expected = Matrix::from_fn(x.rows() * p, x.cols() * q, |i, j| x[(i / p, j / q)] * y[(i % p, j % q)]);
        close("kron", &graph.variable(&x).kron(graph.variable(&y)).value(), &expected, 0.0)
    });
}

#[test]
fn distances_of_rows_are_norms_of_their_differences() {
    let strategy = (dyadic_matrix(3, 5), dyadic_matrix(4, 5));
    for_all(60, "cdist", &strategy, |(x, y)| {
        let graph = Graph::new();
        let (u, v) = (graph.variable(&x), graph.variable(&y));
        for p in [1.0, 2.0, 3.0, f64::INFINITY] {
            let found = u.cdist(v, p).value();
            let apart = |i: usize, j: usize| (u.slice(i..i + 1, 0..5) - v.slice(j..j + 1, 0..5)).norm(p).item();
            close("cdist", &found, &Matrix::from_fn(3, 4, apart), 16.0 * f64::EPSILON)?;
        }
        let own = u.cdist(u, 2.0);
        let still = own.sum().gradient(u).value();
        let finite = still.as_slice().iter().all(|x| x.is_finite());
        if finite {
            close("itself", &own.diag_part(0).value(), &Matrix::zeros(3, 1), 0.0)
        } else {
            Err("no number".into())
        }
    });
}

#[test]
fn a_matrix_power_is_the_product_of_as_many_factors() {
    for_all(60, "matrix_power", &dyadic_matrix(3, 3), |x| {
        let graph = Graph::new();
        let v = graph.variable(&x);
        let mut product = graph.variable(Matrix::from_fn(3, 3, |i, j| f64::from(u8::from(i == j))));
        for k in 0..8_i32 {
            // Entries of a product of k such factors are sums of 3^(k-1) terms of at most 1.
            let tolerance = f64::EPSILON * 3f64.powi(k) * 16.0;
            close("power", &v.matrix_power(k).value(), &product.value(), tolerance)?;
            product = product.matmul(v);
        }
        Ok(())
    });
}

#[test]
fn norms_of_zero_and_ties_have_the_subgradient_of_least_norm() {
    let graph = Graph::new();
    let zero = graph.variable(Matrix::zeros(2, 3));
    for p in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY, f64::NEG_INFINITY] {
        for y in [zero.norm(p), zero.norm_axis(Axis::Columns, p).sum(), zero.normalize(Axis::Rows, p, 0.5).sum()] {
            close("value", &y.value(), &Matrix::zeros(1, 1), 0.0).unwrap();
        }
        let first = zero.norm(p).gradient(zero);
        close("first", &first.value(), &Matrix::zeros(2, 3), 0.0).unwrap();
        let second = first.sum().gradient_or_zero(zero).value();
        close("second", &second, &Matrix::zeros(2, 3), 0.0).unwrap();
    }
    let x = graph.variable([[3.0, -3.0, 1.0, 0.0]]);
    let gradient = |p: f64| x.norm(p).gradient(x).value();
    close("∞", &gradient(f64::INFINITY), &Matrix::from([[0.5, -0.5, 0.0, 0.0]]), 0.0).unwrap();
    close("1", &gradient(1.0), &Matrix::from([[1.0, -1.0, 1.0, 0.0]]), 0.0).unwrap();
    close("0", &gradient(0.0), &Matrix::zeros(1, 4), 0.0).unwrap();
    assert_eq!((x.norm(0.0).item(), x.norm(f64::NEG_INFINITY).item()), (3.0, 0.0));
    assert!(gradient(0.5).as_slice().iter().all(|x| x.is_finite()));
}

#[test]
fn variances_of_too_few_numbers_are_no_numbers() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(3.0);
    assert!(x.var(1).item().is_nan() && x.std(1).item().is_nan());
    assert_eq!((x.var(0).item(), x.std(0).item()), (0.0, 0.0));
}

#[test]
fn matrices_without_elements_go_through_all_of_them() {
    for (m, n) in [(0, 3), (3, 0), (0, 0)] {
        let graph = Graph::<f64>::new();
        let x = graph.variable(Matrix::zeros(m, n));
        let same = [
            x.cumsum(Axis::Columns),
            x.cumprod(Axis::Rows),
            x.linear_scan(x, Direction::Forward),
            x.cummax(Axis::Rows),
            x.log_cum_sum_exp(Axis::Columns),
            x.sort(Axis::Columns, SortOrder::Ascending).0,
            x.center(Axis::Rows),
            x.flip(Axis::Rows),
            x.flip(Axis::Columns),
            x.roll(Axis::Rows, 2),
            x.tile(1, 1),
            x.tril(0),
            x.triu(-1),
            x.rms_norm(1.0),
        ];
        for y in same {
            assert_eq!((y.value().shape(), y.sum().gradient(x).value().shape()), (x.shape(), x.shape()));
        }
        let numbers = values(&[x.prod(), x.norm(2.0), x.trace(), x.norm(1.0)]);
        let found: Vec<f64> = numbers.iter().map(Matrix::item).collect();
        assert_eq!(found, [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(x.prod().gradient(x).value().shape(), x.shape());
        assert!(x.log_mean_exp().item().is_nan() && x.mean().item().is_nan());
    }
}
