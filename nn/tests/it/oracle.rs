//! Reads the reference values in `tests/oracles`.

use autograd::{Matrix, Real};
use serde_json::Value;

/// The file `name.json`.
pub(crate) fn read(name: &str) -> Value {
    let path = format!("{}/tests/oracles/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// A text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A number.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a finite number: {value}"))
}

/// A list of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

/// A whole number.
pub(crate) fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// A list of whole numbers.
pub(crate) fn sizes(value: &Value) -> Vec<usize> {
    list(value).iter().map(size).collect()
}

/// A matrix.
pub(crate) fn matrix(value: &Value) -> Matrix<f64> {
    let shape = sizes(&value["shape"]);
    Matrix::new(shape[0], shape[1], numbers(&value["data"]))
}

/// A list of matrices.
pub(crate) fn matrices(value: &Value) -> Vec<Matrix<f64>> {
    list(value).iter().map(matrix).collect()
}

/// Whether a parameter of a case is off: null, `false` or 0.
pub(crate) fn is_off(value: &Value) -> bool {
    value.is_null() || value.as_bool() == Some(false) || value.as_f64() == Some(0.0)
}

/// Asserts `|found − expected| ≤ tolerance · (1 + max |expected|)` for each element; fails for NaN.
#[track_caller]
pub(crate) fn assert_matrix_close<T: Real>(found: &Matrix<T>, expected: &Matrix<f64>, tolerance: f64, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let largest = expected.as_slice().iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    for (k, (a, b)) in found.as_slice().iter().zip(expected.as_slice()).enumerate() {
        let error = (a.to_f64() - b).abs();
        let allowed = tolerance * (1.0 + largest);
        assert!(error <= allowed, "{what}: element {k} is {a:e}, not {b:e}: off by {error:e} > {allowed:e}");
    }
}

/// Asserts `|found − expected| ≤ tolerance · (1 + |expected|)`; fails for NaN.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let error = (found - expected).abs();
    assert!(error <= tolerance * (1.0 + expected.abs()), "{what}: {found}, expected {expected}");
}
