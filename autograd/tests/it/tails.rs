//! Values and first derivatives where numbers are tiny, huge or nearly cancel, against 50-digit values, each to the
//! bound in units in the last place that the operation's documentation states.

use autograd::{Graph, Matrix, Real};
use serde_json::Value;

use crate::named;
use crate::support::{close, list, number, oracle, text};

/// What a function may be wrong by at its arguments, in units in the last place of the exact result. The last
/// argument is that result.
type Ulps = fn(&[f64], f64) -> f64;

/// A function of `tails.json`: its name, the bounds of its value and of its derivatives.
struct Bounds(&'static str, Ulps, Ulps);

const BOUNDS: &[Bounds] = &[
    Bounds("exp", |_, _| 1.0, |_, _| 1.0),
    Bounds("exp2", |_, _| 1.0, |_, _| 2.0),
    Bounds("expm1", |_, _| 1.3, |_, _| 1.0),
    Bounds("log", |_, _| 1.0, |_, _| 1.0),
    Bounds("log2", |_, _| 0.51, |_, _| 2.0),
    Bounds("log10", |_, _| 0.51, |_, _| 2.0),
    Bounds("log1p", |_, _| 1.0, |_, _| 2.0),
    Bounds("logit", |_, _| 3.0, |_, _| 3.0),
    Bounds("sqrt", |_, _| 0.5, |_, _| 2.0),
    Bounds("rsqrt", |_, _| 2.0, |_, _| 4.0),
    Bounds("cbrt", |_, _| 1.0, |_, _| 4.0),
    Bounds("reciprocal", |_, _| 1.0, |_, _| 2.0),
    Bounds("sin", |_, _| 0.8, |_, _| 0.8),
    Bounds("cos", |_, _| 0.8, |_, _| 0.8),
    Bounds("tan", |_, _| 2.2, |_, _| 6.0),
    Bounds("asin", |_, _| 0.7, |_, _| 3.0),
    Bounds("acos", |_, _| 0.7, |_, _| 3.0),
    Bounds("atan", |_, _| 2.0, |_, _| 2.0),
    Bounds("atan2", |_, _| 2.0, |_, _| 6.0),
    Bounds("sinh", |_, _| 1.6, |_, _| 1.6),
    Bounds("cosh", |_, _| 1.6, |_, _| 1.6),
    Bounds("tanh", |_, _| 1.5, |_, _| 4.0),
    Bounds("asinh", |_, _| 2.0, |_, _| 4.0),
    Bounds("acosh", |_, _| 2.0, |_, _| 4.0),
    Bounds("atanh", |_, _| 2.0, |_, _| 3.0),
    Bounds("sigmoid", |_, _| 1.8, |_, _| 4.0),
    Bounds("log_sigmoid", |_, _| 2.0, |_, _| 1.8),
    Bounds("hypot", |_, _| 2.0, |_, _| 3.0),
    // What the rounding of `y - 1` does to a power is `y ln x` times as large.
    Bounds("pow", |_, _| 1.0, |x, _| 4.0 + (x[1] * x[0].ln()).abs()),
    Bounds("div", |_, _| 0.5, |_, _| 2.0),
    // Of the larger of two terms.
    Bounds(
        "logaddexp",
        |x, want| 2.0 * x[0].max(x[1]).abs().max(want.abs()) / want.abs(),
        |x, _| 3.0 + (x[0] - x[1]).abs(),
    ),
    Bounds("xlogy", |_, _| 2.0, |_, _| 2.0),
    Bounds("xlog1py", |_, _| 2.0, |_, _| 3.0),
    // Of the larger of two terms, of which one is 1.
    Bounds("entr", |_, _| 2.0, |x, want| 2.0 * x[0].ln().abs().max(1.0) / want.abs()),
];

/// Functions that nothing here computes yet, or that are losses.
const MISSING: &[&str] = &[
    "silu",
    "mish",
    "gelu",
    "gelu_tanh",
    "selu",
    "softsign",
    "tanhshrink",
    "log_cosh",
    "erf",
    "erfc",
    "erfinv",
    "lgamma",
    "digamma",
    "gaussian",
    "softplus",
    "elu",
    "celu",
    "squareplus",
    "pseudo_huber",
    "bce_with_logits",
    "soft_margin",
];

/// The distance in units in the last place of `want`, which is exact, or nearly so; infinite if only one is NaN.
fn ulps<T: Real>(found: T, want: f64) -> f64 {
    let (found, rounded) = (found.to_f64(), T::from_f64(want).to_f64());
    if found.partial_cmp(&rounded).is_some_and(core::cmp::Ordering::is_eq) || found.is_nan() && want.is_nan()
    {
        return 0.0;
    }
    let least = T::MIN_POSITIVE.to_f64();
    let exponent = want.abs().max(least).log2().floor();
    let error = (found - want).abs() / (exponent.exp2() * T::EPSILON.to_f64());
    if error.is_nan() { f64::INFINITY } else { error }
}

/// Errors of the value and of each derivative, in ulps. A derivative below the normal numbers may be any such.
fn errors<T: Real>(name: &str, params: &Value, x: &[f64], value: f64, grad: &[f64]) -> Vec<f64> {
    let graph = Graph::<T>::new();
    let inputs: Vec<_> = x.iter().map(|x| graph.variable(T::from_f64(*x))).collect();
    let y = named::apply(name, params, &inputs).unwrap_or_else(|| panic!("{name} is not computed"));
    let derivatives = y.gradient(inputs);
    let of_derivative = |(found, want): (T, f64)| {
        let least = T::MIN_POSITIVE;
        if want.abs() < least.to_f64() && found.abs() <= least { 0.0 } else { ulps(found, want) }
    };
    let derivatives = derivatives.iter().map(|dx| dx.item()).zip(grad.iter().copied()).map(of_derivative);
    [ulps(y.item(), value)].into_iter().chain(derivatives).collect()
}

/// The faults of one row in one element type. `given` is what the reference values themselves may be wrong by.
fn faults<T: Real>(bounds: &Bounds, function: &Value, row: &Value, given: f64) -> Vec<String> {
    let Bounds(name, of_value, of_derivative) = bounds;
    let x: Vec<f64> = list(&row["x"]).iter().map(number).collect();
    let grad: Vec<f64> = list(&row["grad"]).iter().map(number).collect();
    let value = number(&row["value"]);
    let allowed = [of_value(&x, value)].into_iter().chain(grad.iter().map(|want| of_derivative(&x, *want)));
    let found = errors::<T>(name, &function["params"], &x, value, &grad);
    let slots = found.iter().zip(allowed).enumerate();
    slots
        .filter(|(_, (found, allowed))| found.is_nan() || **found > allowed + given)
        .map(|(slot, (found, allowed))| {
            let what = if slot == 0 { "value".to_owned() } else { format!("derivative {}", slot - 1) };
            format!("{name} at {x:?} in {}: {what} is off by {found} ulp, not {allowed}", T::NAME)
        })
        .collect()
}

#[test]
fn values_and_derivatives_keep_their_bounds_in_the_tails() {
    let file = oracle("tails");
    let mut all = Vec::new();
    for function in list(&file["functions"]) {
        let name = text(&function["fn"]);
        let Some(bounds) = BOUNDS.iter().find(|bounds| bounds.0 == name) else {
            assert!(MISSING.contains(&name), "{name} has no bounds and is not listed as missing");
            continue;
        };
        assert!(!MISSING.contains(&name), "{name} has bounds, but is listed as missing");
        for row in list(&function["rows"]) {
            all.extend(faults::<f64>(bounds, function, row, 0.5));
            if row["f32"] == true {
                all.extend(faults::<f32>(bounds, function, row, 0.0));
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn limits_at_infinities_and_edges_are_not_nan() {
    let file = oracle("tails");
    for limit in list(&file["limits"]) {
        let name = text(&limit["fn"]);
        if MISSING.contains(&name) {
            continue;
        }
        let graph = Graph::<f64>::new();
        let x = graph.variable(number(&limit["x"][0]));
        let y =
            named::apply(name, &limit["params"], &[x]).unwrap_or_else(|| panic!("{name} is not computed"));
        let what = format!("{name} at {}", limit["x"]);
        close(&what, &y.value(), &Matrix::scalar(number(&limit["value"])), 0.0).unwrap();
        let derivative = y.gradient(x).value();
        close(&what, &derivative, &Matrix::scalar(number(&limit["grad"][0])), 0.0).unwrap();
    }
}
