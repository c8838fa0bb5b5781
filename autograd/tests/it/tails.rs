//! Values and first derivatives where numbers are tiny, huge or nearly cancel, against 50-digit values, each to the
//! bound in units in the last place that the operation's documentation states.

use autograd::{Graph, Matrix, Real};
use serde_json::Value;

use crate::named;
use crate::support::{close, list, number, oracle, text};

/// What a function may be wrong by at its arguments, in units in the last place of the exact result. The last
/// arguments are that result and the least normal number.
type Ulps = fn(&[f64], f64, f64) -> f64;

/// A function of `tails.json`: its name, the bounds of its value and of its derivatives.
struct Bounds(&'static str, Ulps, Ulps);

const BOUNDS: &[Bounds] = &[
    Bounds("exp", |_, _, _| 1.0, |_, _, _| 1.0),
    Bounds("exp2", |_, _, _| 1.0, |_, _, _| 2.0),
    Bounds("expm1", |_, _, _| 1.3, |_, _, _| 1.0),
    Bounds("log", |_, _, _| 1.0, |_, _, _| 1.0),
    Bounds("log2", |_, _, _| 0.51, |_, _, _| 2.0),
    Bounds("log10", |_, _, _| 0.51, |_, _, _| 2.0),
    Bounds("log1p", |_, _, _| 1.0, |_, _, _| 2.0),
    Bounds("logit", |_, _, _| 3.0, |_, _, _| 3.0),
    Bounds("sqrt", |_, _, _| 0.5, |_, _, _| 2.0),
    Bounds("rsqrt", |_, _, _| 2.0, |_, _, _| 4.0),
    Bounds("cbrt", |_, _, _| 1.0, |_, _, _| 4.0),
    Bounds("reciprocal", |_, _, _| 1.0, |_, _, _| 2.0),
    Bounds("sin", |_, _, _| 0.8, |_, _, _| 0.8),
    Bounds("cos", |_, _, _| 0.8, |_, _, _| 0.8),
    Bounds("tan", |_, _, _| 2.2, |_, _, _| 6.0),
    Bounds("asin", |_, _, _| 0.7, |_, _, _| 3.0),
    Bounds("acos", |_, _, _| 0.7, |_, _, _| 3.0),
    Bounds("atan", |_, _, _| 2.0, |_, _, _| 2.0),
    Bounds("atan2", |_, _, _| 2.0, |_, _, _| 6.0),
    Bounds("sinh", |_, _, _| 1.6, |_, _, _| 1.6),
    Bounds("cosh", |_, _, _| 1.6, |_, _, _| 1.6),
    Bounds("tanh", |_, _, _| 1.5, |_, _, _| 4.0),
    Bounds("asinh", |_, _, _| 2.0, |_, _, _| 4.0),
    Bounds("acosh", |_, _, _| 2.0, |_, _, _| 4.0),
    Bounds("atanh", |_, _, _| 2.0, |_, _, _| 3.0),
    Bounds("sigmoid", |_, _, _| 1.8, |_, _, _| 4.0),
    Bounds("log_sigmoid", |_, _, _| 2.0, |_, _, _| 1.8),
    Bounds("hypot", |_, _, _| 2.0, |_, _, _| 3.0),
    Bounds("pow", |_, _, _| 1.0, |_, _, _| 4.0),
    Bounds("div", |_, _, _| 0.5, |_, _, _| 2.0),
    // Of the larger of two terms.
    Bounds("logaddexp", |x, want, _| 2.0 * x[0].max(x[1]).abs().max(want.abs()) / want.abs(), |_, _, _| 3.0),
    Bounds("xlogy", |_, _, _| 2.0, |_, _, _| 2.0),
    Bounds("xlog1py", |_, _, _| 2.0, |_, _, _| 3.0),
    // Of the larger of two terms, of which one is 1.
    Bounds("entr", |_, _, _| 2.0, |x, want, _| 2.0 * x[0].ln().abs().max(1.0) / want.abs()),
    // The factors are powers of two.
    Bounds("softplus", |_, _, _| 2.0, |_, _, _| 1.8),
    Bounds("softsign", |_, _, _| 1.0, |_, _, _| 3.0),
    Bounds("tanhshrink", |_, _, _| 8.0, |_, _, _| 4.0),
    Bounds("log_cosh", |_, _, _| 4.0, |_, _, _| 1.5),
    Bounds("squareplus", |_, _, _| 4.0, |_, _, _| 8.0),
    Bounds("elu", |_, _, _| 2.0, |_, _, _| 2.0),
    Bounds("celu", |_, _, _| 4.0, |x, _, _| 2.0 + (x[0] / 0.5).abs()),
    Bounds("selu", |_, _, _| 3.0, |_, _, _| 3.0),
    Bounds(
        "silu",
        |x, want, least| 2.5 + lost(x[0], want, least),
        |x, want, least| 6.0 * share(x[0] * sigmoid(x[0]) * sigmoid(-x[0]), want) + lost(x[0], want, least),
    ),
    Bounds(
        "mish",
        |x, want, least| 4.0 + lost(x[0], want, least),
        |x, want, least| {
            let slope = x[0].exp().ln_1p().cosh().powi(-2);
            10.0 * share(slope * x[0] * sigmoid(x[0]), want) + lost(x[0], want, least)
        },
    ),
    Bounds(
        "gelu",
        |x, want, least| 7.0 + lost(x[0], want, least),
        |x, want, least| 8.0 * share(0.4 * x[0] * (-0.5 * x[0] * x[0]).exp(), want) + lost(x[0], want, least),
    ),
    Bounds(
        "gelu_tanh",
        |x, want, least| 4.0 + 3.0 * cubic(x[0]) + lost(x[0], want, least),
        |x, want, least| {
            let slope = 1.6 + 0.22 * x[0] * x[0];
            let term = slope * x[0] * sigmoid(cubic(x[0])) * sigmoid(-cubic(x[0]));
            (8.0 + 3.0 * cubic(x[0])) * share(term, want) + slope * lost(x[0], want, least)
        },
    ),
    Bounds("gaussian", |_, _, _| 2.0, |_, _, _| 4.0),
    Bounds("erf", |_, _, _| 1.5, |_, _, _| 4.0),
    Bounds("erfc", |_, _, _| 5.0, |_, _, _| 4.0),
    // It grows as `e^(y²)`.
    Bounds("erfinv", |_, _, _| 5.0, |_, want, _| 4.0 + 10.0 * (want / 0.886).ln()),
    Bounds("lgamma", |x, want, _| 7.0 + reflected(x[0], x[0].abs() * (1.0 + x[0].abs()).ln(), want), digamma),
    Bounds("digamma", digamma, |x, want, _| 5.0 + reflected(x[0], 1.0, want)),
];

fn digamma(x: &[f64], want: f64, _: f64) -> f64 {
    4.0 + reflected(x[0], (1.0 + x[0].abs()).ln(), want)
}

/// How many times larger than their sum a term is.
fn share(term: f64, sum: f64) -> f64 {
    (term / sum).abs().max(1.0)
}

/// Last places that are lost where `x` multiplies a subnormal number.
fn lost(x: f64, product: f64, least: f64) -> f64 {
    if product.abs() < x.abs() * least { x.abs() } else { 0.0 }
}

/// For negative `x`, a reflection subtracts a term of that size: 10⁻¹⁵ is less than 8 ulp.
fn reflected(x: f64, term: f64, want: f64) -> f64 {
    if x < 0.0 { 8.0 * (1.0 + (1.0 + term) / want.abs()) } else { 0.0 }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The size of the argument of the logistic function in `gelu_tanh`.
fn cubic(x: f64) -> f64 {
    (1.6 * x + 0.0714 * x.powi(3)).abs()
}

/// Losses, which are tested where they stand.
const MISSING: &[&str] = &["pseudo_huber", "bce_with_logits", "soft_margin"];

/// The distance in units in the last place of `want`, which is exact, or nearly so; infinite if only one is NaN.
fn ulps<T: Real>(found: T, want: f64) -> f64 {
    let (found, rounded) = (found.to_f64(), T::from_f64(want).to_f64());
    if found.partial_cmp(&rounded).is_some_and(core::cmp::Ordering::is_eq) || found.is_nan() && want.is_nan() {
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
    let least = T::MIN_POSITIVE.to_f64();
    let of_derivatives = grad.iter().map(|want| of_derivative(&x, *want, least));
    let allowed = [of_value(&x, value, least)].into_iter().chain(of_derivatives);
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

/// `x ln(x/y)` with the rounding of `x/y` would keep no digit of `ln(x/y)`.
#[test]
fn relative_entropy_keeps_its_digits_where_both_are_nearly_equal() {
    let graph = Graph::<f64>::new();
    for k in -50..0 {
        for y in [3.0, 0.7, 1e-3] {
            let step: f64 = f64::from(k).exp2();
            for x in [y + y * step, y - 0.4 * y * step] {
                let exact = x * ((x - y) / y).ln_1p(); // the difference is exact
                let z = graph.variable(x).rel_entr(graph.variable(y));
                assert!(ulps(z.item(), exact) <= 5.0, "{x} by {y}: {:e}, not {exact:e}", z.item());
            }
        }
    }
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
        let y = named::apply(name, &limit["params"], &[x]).unwrap_or_else(|| panic!("{name} is not computed"));
        let what = format!("{name} at {}", limit["x"]);
        close(&what, &y.value(), &Matrix::scalar(number(&limit["value"])), 0.0).unwrap();
        let derivative = y.gradient(x).value();
        close(&what, &derivative, &Matrix::scalar(number(&limit["grad"][0])), 0.0).unwrap();
    }
}
