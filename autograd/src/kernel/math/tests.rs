//! The elementary functions against 50-digit values, the standard library, IEEE special values, and themselves
//! vectorised.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::*;

/// One function of one argument: its name among the oracles, both instances, and its documented bound in ulp.
struct Unary {
    name: &'static str,
    double: fn(f64) -> f64,
    single: fn(f32) -> f32,
    ulps: f64,
}

macro_rules! unary {
    ($($name:literal $f:ident $ulps:literal),* $(,)?) => {
        [$(Unary { name: $name, double: $f::<f64>, single: $f::<f32>, ulps: $ulps }),*]
    };
}

const UNARY: [Unary; 8] = unary![
    "exp" exp 0.9,
    "expm1" exp_m1 1.1,
    "log" ln 0.9,
    "log1p" ln_1p 0.9,
    "tanh" tanh 1.5,
    "sigmoid" sigmoid 1.8,
    "softplus" softplus 2.0,
    "log_sigmoid" log_sigmoid 2.0,
];

/// The distance of `got` from `want` in units in the last place of `want` in `T`; infinite if only one is NaN.
fn ulps<T: Real>(got: T, want: f64) -> f64 {
    let (got, rounded) = (got.to_f64(), T::from_f64(want).to_f64());
    if got.to_bits() == rounded.to_bits() || got.is_nan() && want.is_nan() {
        return 0.0;
    }
    let (digits, least) = (-T::EPSILON.to_f64().log2(), T::MIN_POSITIVE.to_f64().log2());
    let exponent = want.abs().log2().floor().max(least);
    let error = (got - want).abs() / (exponent - digits).exp2();
    if error.is_nan() { f64::INFINITY } else { error }
}

/// A number of the oracle file, where infinities are strings.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().expect("a number or a string").parse().expect("a number"))
}

/// Arguments, value and whether the arguments are exact in `f32`, of one function in `tails.json`.
fn oracle(name: &str) -> Vec<(Vec<f64>, f64, bool)> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/tails.json"));
    let file: Value = serde_json::from_str(text).expect("valid JSON");
    let function = file["functions"].as_array().expect("a list").iter().find(|f| f["fn"] == name);
    let rows = function.expect("a function of the file")["rows"].as_array().expect("a list");
    let arguments = |row: &Value| row["x"].as_array().expect("a list").iter().map(number).collect();
    rows.iter().map(|row| (arguments(row), number(&row["value"]), row["f32"] == true)).collect()
}

#[test]
fn functions_keep_their_bounds_on_fifty_digit_values() {
    for Unary { name, double, single, ulps: bound } in UNARY {
        for (x, want, in_f32) in oracle(name) {
            // The reference itself is rounded to f64.
            let error = ulps(double(x[0]), want);
            assert!(error <= bound + 0.5, "{name}({:e}): {error} ulp", x[0]);
            #[allow(clippy::cast_possible_truncation, reason = "exact by the row's own word")]
            let error = if in_f32 { ulps(single(x[0] as f32), want) } else { 0.0 };
            assert!(error <= bound, "{name}({:e}) in f32: {error} ulp", x[0]);
        }
    }
}

#[test]
fn powers_keep_their_bound_on_fifty_digit_values() {
    for (x, want, in_f32) in oracle("pow") {
        let error = ulps(powf(x[0], x[1]), want);
        assert!(error <= 1.5, "{:e}^{:e}: {error} ulp", x[0], x[1]);
        #[allow(clippy::cast_possible_truncation, reason = "exact by the row's own word")]
        let error = if in_f32 { ulps(powf(x[0] as f32, x[1] as f32), want) } else { 0.0 };
        assert!(error <= 0.51, "{:e}^{:e} in f32: {error} ulp", x[0], x[1]);
    }
}

/// Any bit pattern, or a number of ordinary size.
fn argument() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::ANY, -750.0..750.0, -2.0..2.0]
}

/// The same in `f32`.
fn argument_f32() -> impl Strategy<Value = f32> {
    prop_oneof![proptest::num::f32::ANY, -110.0_f32..110.0, -2.0_f32..2.0]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn double_precision_agrees_with_the_standard_library(x in argument()) {
        // The platform's own functions are good to one or two ulp.
        prop_assert!(ulps(exp(x), x.exp()) <= 2.0, "exp");
        prop_assert!(ulps(exp_m1(x), x.exp_m1()) <= 2.5, "exp_m1");
        prop_assert!(ulps(ln(x), x.ln()) <= 2.0, "ln");
        prop_assert!(ulps(ln_1p(x), x.ln_1p()) <= 2.5, "ln_1p");
        prop_assert!(ulps(tanh(x), x.tanh()) <= 3.5, "tanh");
    }

    #[test]
    fn single_precision_agrees_with_the_standard_library_in_double_precision(x in argument_f32()) {
        let wide = f64::from(x);
        prop_assert!(ulps(exp(x), wide.exp()) <= 0.9, "exp");
        prop_assert!(ulps(exp_m1(x), wide.exp_m1()) <= 1.1, "exp_m1");
        prop_assert!(ulps(ln(x), wide.ln()) <= 0.9, "ln");
        prop_assert!(ulps(ln_1p(x), wide.ln_1p()) <= 0.9, "ln_1p");
        prop_assert!(ulps(tanh(x), wide.tanh()) <= 1.5, "tanh");
        prop_assert!(ulps(sigmoid(x), 1.0 / (1.0 + (-wide).exp())) <= 1.8, "sigmoid");
        prop_assert!(ulps(softplus(x), wide.max(0.0) + (-wide.abs()).exp().ln_1p()) <= 2.0 || x.is_nan(), "softplus");
        prop_assert!(ulps(log_sigmoid(x), wide.min(0.0) - (-wide.abs()).exp().ln_1p()) <= 2.0 || x.is_nan());
    }

    #[test]
    fn powers_agree_with_the_standard_library(
        x in prop_oneof![argument(), Just(0.0), Just(-0.0), Just(-1.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        y in prop_oneof![argument(), (-9..9).prop_map(f64::from), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ) {
        prop_assert!(ulps(powf(x, y), x.powf(y)) <= 2.0, "{} {}", powf(x, y), x.powf(y));
    }

    #[test]
    fn single_precision_powers_agree_with_double_precision(x in argument_f32(), y in argument_f32()) {
        prop_assert!(ulps(powf(x, y), f64::from(x).powf(f64::from(y))) <= 0.51);
    }

    #[test]
    fn values_stay_in_range_and_odd_functions_are_odd(x in argument()) {
        prop_assume!(!x.is_nan());
        prop_assert!((0.0..=1.0).contains(&sigmoid(x)));
        prop_assert!((-1.0..=1.0).contains(&tanh(x)));
        prop_assert_eq!(tanh(-x).to_bits(), (-tanh(x)).to_bits());
        prop_assert_eq!(log_sigmoid(-x).to_bits(), (0.0 - softplus(x)).to_bits());
    }
}

/// `f` at `x` is `want` to the last bit, or both are NaN.
#[track_caller]
fn assert_exact<T: Real>(f: fn(T) -> T, x: f64, want: f64) {
    let got = f(T::from_f64(x)).to_f64();
    assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "f({x}) = {got}, not {want}");
}

/// A function with arguments and values.
type Special<T> = (fn(T) -> T, &'static [(f64, f64)]);

fn special_values_are_exact<T: Real>() {
    const INF: f64 = f64::INFINITY;
    let table: &[Special<T>] = &[
        (exp, &[(-INF, 0.0), (INF, INF), (0.0, 1.0), (-0.0, 1.0), (1e300, INF), (-1e300, 0.0)]),
        (exp_m1, &[(-INF, -1.0), (INF, INF), (0.0, 0.0), (-0.0, -0.0), (-1e300, -1.0)]),
        (ln, &[(0.0, -INF), (-0.0, -INF), (-1.0, f64::NAN), (-INF, f64::NAN), (INF, INF), (1.0, 0.0)]),
        (ln_1p, &[(-1.0, -INF), (-2.0, f64::NAN), (-INF, f64::NAN), (INF, INF), (0.0, 0.0), (-0.0, -0.0)]),
        (tanh, &[(-INF, -1.0), (INF, 1.0), (0.0, 0.0), (-0.0, -0.0), (50.0, 1.0), (-50.0, -1.0)]),
        (sigmoid, &[(-INF, 0.0), (INF, 1.0), (0.0, 0.5), (-0.0, 0.5), (50.0, 1.0), (-1e30, 0.0)]),
        (softplus, &[(-INF, 0.0), (INF, INF), (-1e30, 0.0), (1024.0, 1024.0)]),
        (log_sigmoid, &[(-INF, -INF), (INF, 0.0), (1e30, 0.0), (-1024.0, -1024.0)]),
    ];
    for (f, cases) in table {
        assert_exact(*f, f64::NAN, f64::NAN);
        for (x, want) in *cases {
            assert_exact(*f, *x, *want);
        }
    }
}

#[test]
fn special_values_are_exact_in_both_types() {
    special_values_are_exact::<f32>();
    special_values_are_exact::<f64>();
}

#[test]
fn integer_powers_multiply() {
    assert_eq!(powi(3.0_f64, 5).to_bits(), 243.0_f64.to_bits());
    assert_eq!(powi(2.0_f32, -3).to_bits(), 0.125_f32.to_bits());
    assert_eq!(powi(f64::NAN, 0).to_bits(), 1.0_f64.to_bits());
}

/// A loop over `x`, to be compiled for each instruction set.
struct Loop<'a, T, F>(F, &'a [T], &'a mut [T]);

impl<T: Real, F: Fn(T) -> T> pulp::WithSimd for Loop<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for (out, x) in self.2.iter_mut().zip(self.1) {
            *out = self.0(*x);
        }
    }
}

/// Bit-for-bit the same from a vectorised loop as from single calls.
fn assert_same_vectorised<T: Real>(name: &str, f: impl Fn(T) -> T + Copy) {
    let special = [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-310, 1e-40, 1e30];
    let spread = (0..2003).map(|i| (f64::from(i) - 1000.0) * 0.7513 * 1.01_f64.powi(-(i % 997)));
    let x: Vec<T> = spread.chain(special).map(T::from_f64).collect();
    let mut out = vec![T::ZERO; x.len()];
    pulp::Arch::new().dispatch(Loop(f, &x, &mut out));
    for (x, vectorised) in x.iter().zip(&out) {
        let alone = f(std::hint::black_box(*x));
        let same = alone.to_f64().to_bits() == vectorised.to_f64().to_bits();
        assert!(same || alone.is_nan() && vectorised.is_nan(), "{name}({x}): {alone} or {vectorised}");
    }
}

#[test]
fn vectorised_results_equal_scalar_ones() {
    macro_rules! check {
        ($($f:ident)*) => {$(
            assert_same_vectorised::<f32>(stringify!($f), $f);
            assert_same_vectorised::<f64>(stringify!($f), $f);
        )*};
    }
    check!(exp exp_m1 ln ln_1p tanh sigmoid softplus log_sigmoid);
    for y in [0.5, -2.25, 3.0, f64::INFINITY] {
        assert_same_vectorised::<f32>("powf", |x| powf(x, f32::from_f64(y)));
        assert_same_vectorised::<f64>("powf", |x| powf(x, y));
    }
}
