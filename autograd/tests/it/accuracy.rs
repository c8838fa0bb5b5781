//! Reference values of 50 digits: what operations on rows promise about their last digits.

use autograd::{Axis, Graph, Matrix, Real, Var};
use serde_json::Value;

use crate::support::{Verdict, list, number, oracle, text, whole};

/// What an error is measured by: units in the last place of …
#[derive(Clone, Copy)]
enum Scale {
    /// … the result.
    Result,
    /// … the result, or the largest operand where that is larger: the result is a sum that may cancel.
    Operand,
    /// … the largest of all results.
    Results,
    /// … the largest cotangent.
    Cotangent,
    /// … the largest cotangent, times the largest operand: the operand moves by that when it is rounded.
    Moved,
}

/// How many units a value and a product with the transposed Jacobian may be wrong by, as the guide to the numerics says.
///
/// Each rounding counts half a unit of its own result, which may be a whole one of the final result; `exp`, `ln` and
/// `ln_1p` count one.
fn promise(name: &str) -> (f64, Scale, f64, Scale) {
    match name {
        "sum" => (1.0, Scale::Result, 0.0, Scale::Result),
        // The sum and the quotient.
        "mean" => (2.0, Scale::Result, 1.0, Scale::Result),
        // One for each of the three multiplications.
        "prod" => (3.0, Scale::Result, 4.0, Scale::Result),
        // Deviations (1) count twice in their squares; square, sum, quotient. The derivative: deviations, product, quotient.
        "var" => (5.0, Scale::Result, 4.0, Scale::Results),
        // The root halves what its operand is wrong by; and once more by the quotient.
        "std" => (4.0, Scale::Result, 5.0, Scale::Results),
        // Squares and their sum, halved by the root, and the root.
        "norm2" => (2.0, Scale::Result, 3.0, Scale::Result),
        // `exp`, `ln_1p` and their sum with the largest.
        "logsumexp" | "logmeanexp" => (2.0, Scale::Operand, 4.0, Scale::Result),
        // The same at each of at most five elements, of which each later one weighs less.
        "logcumsumexp" => (2.0, Scale::Operand, 4.0, Scale::Moved),
        // `exp`, its sum, the quotient; the derivative is a difference of two such products.
        "softmax" => (3.0, Scale::Result, 4.0, Scale::Cotangent),
        "log_softmax" | "cross_entropy" => (3.0, Scale::Result, 4.0, Scale::Cotangent),
        name => panic!("nothing is promised of {name}"),
    }
}

/// A function of `vectors` in `tails.json`.
fn function<'g, T: Real>(name: &str, params: &Value, x: Var<'g, T>) -> Var<'g, T> {
    match name {
        "sum" => x.sum(),
        "mean" => x.mean(),
        "prod" => x.prod(),
        "var" => x.var(whole(&params["ddof"])),
        "std" => x.std(whole(&params["ddof"])),
        "norm2" => x.norm(T::from_f64(2.0)),
        "logsumexp" => x.log_sum_exp(),
        "logmeanexp" => x.log_mean_exp(),
        "logcumsumexp" => x.log_cum_sum_exp(Axis::Columns),
        "softmax" => x.softmax(Axis::Columns),
        "log_softmax" => x.log_softmax(Axis::Columns),
        "cross_entropy" => {
            let target = x.scalar(T::from_usize(whole(&params["target"])));
            -x.log_softmax(Axis::Columns).pick(target)
        }
        name => panic!("no function {name}"),
    }
}

/// The distance of the number next to `x`.
fn ulp<T: Real>(x: f64) -> f64 {
    let (digits, least) = if T::NAME == "f32" { (23, -149) } else { (52, -1074) };
    let exponent = i32::try_from(x.to_bits() >> 52 & 0x7ff).expect("it fits") - 1023;
    let power = (exponent - digits).max(least);
    2f64.powi(power / 2) * 2f64.powi(power - power / 2)
}

fn within<T: Real>(what: &str, found: &Matrix<T>, expected: &[f64], ulps: f64, scale: impl Fn(f64) -> f64) -> Verdict {
    for (i, (found, expected)) in found.as_slice().iter().zip(expected).enumerate() {
        let error = (found.to_f64() - expected).abs() / scale(*expected);
        if error <= ulps {
            continue;
        }
        return Err(format!("{what} {i} is {found:e}, expected {expected:e}: wrong by {error} ulp"));
    }
    Ok(())
}

fn keeps_its_promise<T: Real>(case: &Value) -> Verdict {
    let name = text(&case["fn"]);
    let numbers = |field: &str| list(&case[field]).iter().map(number).collect::<Vec<f64>>();
    let largest = |x: &[f64]| x.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    let (operand, cotangent) = (numbers("x"), numbers("cotangent"));
    let graph = Graph::<T>::new();
    let row = |x: &[f64]| Matrix::row_vector(x).cast::<T>();
    let x = graph.variable(row(&operand));
    let y = function(name, &case["params"], x);
    let (value_ulps, value_scale, vjp_ulps, vjp_scale) = promise(name);
    let unit = |scale: Scale, all: &[f64]| {
        let (operand, cotangent, all) = (largest(&operand), largest(&cotangent), largest(all));
        move |result: f64| match scale {
            Scale::Result => ulp::<T>(result),
            Scale::Operand => ulp::<T>(result.abs().max(operand)),
            Scale::Results => ulp::<T>(all),
            Scale::Cotangent => ulp::<T>(cotangent),
            Scale::Moved => ulp::<T>(cotangent) * operand.max(1.0),
        }
    };
    let value = numbers("value");
    within("value", &y.value(), &value, value_ulps, unit(value_scale, &value))?;
    let vjp = numbers("vjp");
    let found = y.vjp(graph.constant(row(&cotangent)), x).value();
    within("vjp", &found, &vjp, vjp_ulps, unit(vjp_scale, &vjp))
}

fn every_promise_is_kept<T: Real>() {
    let file = oracle("tails");
    let mut faults = Vec::new();
    for case in list(&file["vectors"]) {
        if T::NAME == "f32" && case["f32"] != Value::Bool(true) {
            continue;
        }
        if let Err(fault) = keeps_its_promise::<T>(case) {
            faults.push(format!("{} of {}: {fault}", text(&case["fn"]), case["x"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn reductions_are_right_to_the_units_that_they_promise_in_f64() {
    every_promise_is_kept::<f64>();
}

#[test]
fn reductions_are_right_to_the_units_that_they_promise_in_f32() {
    every_promise_is_kept::<f32>();
}

/// Numbers of many sizes, in an order that follows no pattern.
fn scattered(count: u32) -> Vec<f64> {
    (0..count).map(|k| (f64::from(k) * 0.618_034).fract() * 1024.0 - 300.0 + 1e-7 * f64::from(k)).collect()
}

/// The sum in whole multiples of a small power of 2, which is exact.
fn exact_sum(x: &[f32]) -> f64 {
    let total: i128 = x.iter().map(|x| exact(f64::from(*x) * 2f64.powi(40))).sum();
    wide(total) / 2f64.powi(40)
}

#[allow(clippy::cast_possible_truncation, reason = "it is whole, and below 2⁶⁴")]
fn exact(x: f64) -> i128 {
    assert_eq!(x.fract(), 0.0, "a multiple");
    x as i128
}

#[allow(clippy::cast_precision_loss, reason = "rounding once is what is meant")]
fn wide(x: i128) -> f64 {
    x as f64
}

#[test]
fn sums_of_any_length_are_within_the_bound_that_they_state() {
    for count in [1, 7, 31, 32, 33, 1000, 1024, 1025, 5000, 70_000] {
        let x: Vec<f32> = Matrix::<f64>::row_vector(&scattered(count)).cast::<f32>().as_slice().to_vec();
        let magnitude = exact_sum(&x.iter().map(|x| x.abs()).collect::<Vec<f32>>());
        let expected = exact_sum(&x);
        let graph = Graph::<f32>::new();
        let row = graph.variable(Matrix::row_vector(&x));
        let column = row.transpose();
        let wide = column.broadcast((row.cols(), 3));
        let bound =
            ulp::<f32>(expected) / 2.0 + if count <= 32 { 0.0 } else { 15.5 * f64::from(f32::EPSILON) * magnitude };
        let last = row.cumsum(Axis::Columns).slice(0..1, row.cols() - 1..row.cols());
        for (what, sum) in [
            ("sum", row.sum()),
            ("columns", row.sum_axis(Axis::Columns)),
            ("one column", column.sum_axis(Axis::Rows)),
            ("cumsum", last),
        ] {
            let error = (f64::from(sum.item()) - expected).abs();
            assert!(error <= bound, "{what} of {count}: {} is wrong by {error:e} > {bound:e}", sum.item());
        }
        let rows = wide.sum_axis(Axis::Rows).value();
        let bound = ulp::<f32>(expected) / 2.0 + 15.5 * f64::from(f32::EPSILON) * magnitude;
        for sum in rows.as_slice() {
            assert!((f64::from(*sum) - expected).abs() <= bound, "rows of {count}: {sum}");
        }
    }
}

#[test]
fn deviations_of_equal_numbers_are_exactly_zero_and_so_is_their_deviation() {
    for count in [1, 3, 7, 49, 1000, 5000] {
        for value in [0.1, 1.0 / 3.0, -1e300 / 7.0 / 1e4, 5e-324, 123_456.789] {
            let graph = Graph::<f64>::new();
            let x = graph.variable(Matrix::filled(2, count, value));
            assert!(x.center(Axis::Columns).value().as_slice().iter().all(|x| *x == 0.0), "{count} of {value}");
            let y = x.std_axis(Axis::Columns, 0).sum();
            assert_eq!(y.item(), 0.0, "{count} of {value}");
            assert!(y.gradient(x).value().as_slice().iter().all(|x| *x == 0.0), "{count} of {value}");
        }
    }
}

#[test]
fn norms_neither_overflow_nor_vanish() {
    for scale in [f64::MAX / 8.0, 1e200, 1.0, 1e-160, 1e-300, f64::MIN_POSITIVE, 1e-318] {
        for p in if scale < f64::MIN_POSITIVE { vec![2.0] } else { vec![2.0, 3.0, 1.5] } {
            let graph = Graph::new();
            let x = graph.variable([[3.0 * scale, -4.0 * scale, 0.0]]);
            let expected = scale * (3f64.powf(p) + 4f64.powf(p)).powf(1.0 / p);
            let found = x.norm(p).item();
            assert!((found - expected).abs() <= 8.0 * ulp::<f64>(expected), "{p}: {found:e}, {expected:e}");
            let dx = x.norm(p).gradient(x).value();
            let size = (3f64.powf(p) + 4f64.powf(p)).powf(1.0 - 1.0 / p);
            for (found, expected) in dx.as_slice().iter().zip([3f64.powf(p - 1.0), -(4f64.powf(p - 1.0)), 0.0]) {
                let tolerance = if scale < f64::MIN_POSITIVE { 1e-4 } else { 1e-14 };
                assert!((found - expected / size).abs() <= tolerance, "{p} at {scale:e}: {found}");
            }
        }
    }
    let graph = Graph::<f32>::new();
    for scale in [1e38, 1e20, 1.0, 1e-20, 1e-30, 1e-38] {
        let x = graph.variable([[0.6 * scale, -0.8 * scale]]);
        assert!((x.norm(2.0).item() / scale - 1.0).abs() <= 4.0 * f32::EPSILON, "{scale}");
    }
    for (x, expected) in [([f64::INFINITY, 1.0], f64::INFINITY), ([f64::NAN, 1.0], f64::NAN), ([0.0, -0.0], 0.0)] {
        let found = Graph::new().variable([x]).norm(2.0).item();
        assert!(found == expected || (found.is_nan() && expected.is_nan()), "{x:?}: {found}");
    }
}
