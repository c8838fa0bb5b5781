//! What the tests share: verdicts, seeded random cases, panics as values, tables of reference values.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use autograd::{Matrix, Real, Shape, Var};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use serde_json::Value;

/// `Err` says what is wrong.
pub(crate) type Verdict = Result<(), String>;

/// Runs a property on random cases: the same ones each time.
pub(crate) fn for_all<S: Strategy>(cases: u32, name: &str, strategy: &S, property: impl Fn(S::Value) -> Verdict) {
    for_all_from(2026, cases, name, strategy, property);
}

/// The same for other cases.
pub(crate) fn for_all_from<S: Strategy>(
    seed: u64,
    cases: u32,
    name: &str,
    strategy: &S,
    property: impl Fn(S::Value) -> Verdict,
) {
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |value| property(value).map_err(TestCaseError::fail));
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}

/// Multiples of 1/1024 between two whole numbers: exact in `f32`, and so are their sums with small dyadic steps.
pub(crate) fn dyadic(low: i32, high: i32) -> impl Strategy<Value = f64> {
    (low * 1024..=high * 1024).prop_map(|k| f64::from(k) / 1024.0)
}

/// A matrix of [`dyadic`] numbers in -1..=1.
pub(crate) fn dyadic_matrix(rows: usize, cols: usize) -> impl Strategy<Value = Matrix<f64>> {
    proptest::collection::vec(dyadic(-1, 1), rows * cols).prop_map(move |data| Matrix::new(rows, cols, data))
}

/// The largest magnitude, or NaN if there is one.
pub(crate) fn largest<'a, T: Real>(matrices: impl IntoIterator<Item = &'a Matrix<T>>) -> f64 {
    let elements = matrices.into_iter().flat_map(Matrix::as_slice);
    elements.fold(0.0, |max, x| if x.abs().to_f64() <= max { max } else { x.abs().to_f64() })
}

/// `⟨a, b⟩`, in `f64`.
pub(crate) fn dot<T: Real>(a: &Matrix<T>, b: &Matrix<T>) -> f64 {
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

/// Equal shapes, and elements that are equal to `tolerance`; NaN equals NaN, an infinity only itself.
pub(crate) fn close<T: Real>(what: &str, found: &Matrix<T>, expected: &Matrix<f64>, tolerance: f64) -> Verdict {
    if found.shape() != expected.shape() {
        return Err(format!("{what}: the shape is {}, expected {}", found.shape(), expected.shape()));
    }
    for (k, (a, b)) in found.as_slice().iter().zip(expected.as_slice()).enumerate() {
        let a = a.to_f64();
        let same = (a.is_nan() && b.is_nan()) || a.partial_cmp(b).is_some_and(core::cmp::Ordering::is_eq);
        if !(same || (a - b).abs() <= tolerance) {
            return Err(format!(
                "{what}: element {k} is {a:e}, expected {b:e}: they differ by {:e}, more than {tolerance:e}",
                (a - b).abs()
            ));
        }
    }
    Ok(())
}

/// What a panic said, and where.
#[derive(Debug)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

thread_local! {
    static EXPECTING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Runs what must panic, without noise.
#[track_caller]
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> Caught {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !EXPECTING.get() {
                return usual(info);
            }
            let place = info.location().expect("a panic has a place");
            let message = info.payload_as_str().unwrap_or("no text").to_owned();
            let caught = Caught { message, file: place.file().to_owned(), line: place.line() };
            CAUGHT.set(Some(caught));
        }));
    });
    EXPECTING.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    EXPECTING.set(false);
    assert!(result.is_err(), "it did not panic");
    CAUGHT.take().expect("the hook was called")
}

/// A file of reference values.
pub(crate) fn oracle(name: &str) -> Value {
    let path = format!("{}/tests/oracles/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A number of such a file; those that are not finite are strings.
pub(crate) fn number(value: &Value) -> f64 {
    match value.as_str() {
        None => value.as_f64().unwrap_or_else(|| panic!("not a number: {value}")),
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        Some(other) => panic!("not a number: {other}"),
    }
}

/// A whole number of such a file.
pub(crate) fn whole(value: &Value) -> usize {
    let n = value.as_u64().unwrap_or_else(|| panic!("not a whole number: {value}"));
    usize::try_from(n).expect("it fits")
}

/// A list of such a file.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

/// A text of such a file.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A matrix of such a file.
pub(crate) fn matrix(value: &Value) -> Matrix<f64> {
    let (rows, cols) = (whole(&value["shape"][0]), whole(&value["shape"][1]));
    Matrix::new(rows, cols, list(&value["data"]).iter().map(number).collect())
}

/// A list of matrices of such a file.
pub(crate) fn matrices(value: &Value) -> Vec<Matrix<f64>> {
    list(value).iter().map(matrix).collect()
}

/// All shapes that broadcast to `m x n`, with equal ones once.
pub(crate) fn broadcastable(m: usize, n: usize) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    for shape in [(1, 1), (1, n), (m, 1), (m, n)].map(Shape::from) {
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    shapes
}

/// The upper left block.
pub(crate) fn corner(x: &Matrix<f64>, shape: Shape) -> Matrix<f64> {
    Matrix::from_fn(shape.rows, shape.cols, |i, j| x[(i, j)])
}

/// The numbers of a few values, as they are.
pub(crate) fn values<T: Real>(vars: &[Var<'_, T>]) -> Vec<Matrix<T>> {
    vars.iter().map(|var| var.value()).collect()
}
