//! Reads the reference values in `tests/oracles`.

use autograd::Matrix;
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

/// A list of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|number| number.as_f64().unwrap()).collect()
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

/// Asserts `|found − expected| ≤ tolerance · (1 + |expected|)`; fails for NaN.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let error = (found - expected).abs();
    assert!(error <= tolerance * (1.0 + expected.abs()), "{what}: {found}, expected {expected}");
}
