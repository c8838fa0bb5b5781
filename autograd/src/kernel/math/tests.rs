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

const UNARY: [Unary; 29] = unary![
    "exp" exp 1.0, "expm1" exp_m1 1.3, "exp2" exp2 0.9,
    "log" ln 0.9, "log1p" ln_1p 0.9, "log2" log2 0.51, "log10" log10 0.51,
    "tanh" tanh 1.5, "sinh" sinh 1.6, "cosh" cosh 1.6,
    "asinh" asinh 2.0, "acosh" acosh 2.0, "atanh" atanh 2.0,
    "sigmoid" sigmoid 1.8, "softplus" softplus 2.0, "log_sigmoid" log_sigmoid 2.0,
    "sin" sin 0.8, "cos" cos 0.8, "tan" tan 2.2,
    "asin" asin 0.7, "acos" acos 0.7, "atan" atan 2.0,
    "cbrt" cbrt 0.8, "rsqrt" rsqrt 1.5, "erf" erf 1.5, "erfc" erfc 5.0, "erfinv" erfinv 5.0,
    "lgamma" lgamma 7.0, "digamma" digamma 4.0,
];

/// One function of two arguments, likewise.
struct Binary {
    name: &'static str,
    double: fn(f64, f64) -> f64,
    single: fn(f32, f32) -> f32,
    ulps: f64,
}

macro_rules! binary {
    ($($name:literal $f:ident $ulps:literal),* $(,)?) => {
        [$(Binary { name: $name, double: $f::<f64>, single: $f::<f32>, ulps: $ulps }),*]
    };
}

const BINARY: [Binary; 4] = binary!["pow" powf 0.9, "atan2" atan2 2.0, "hypot" hypot 2.0, "logaddexp" logaddexp 2.0];

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
fn functions_of_two_arguments_keep_their_bounds_on_fifty_digit_values() {
    for Binary { name, double, single, ulps: bound } in BINARY {
        for (x, want, in_f32) in oracle(name) {
            let error = ulps(double(x[0], x[1]), want);
            assert!(error <= bound + 0.5, "{name}({:e}, {:e}): {error} ulp", x[0], x[1]);
            #[allow(clippy::cast_possible_truncation, reason = "exact by the row's own word")]
            let error = if in_f32 { ulps(single(x[0] as f32, x[1] as f32), want) } else { 0.0 };
            assert!(error <= bound, "{name}({:e}, {:e}) in f32: {error} ulp", x[0], x[1]);
        }
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
        prop_assert!(ulps(exp_m1(x), x.exp_m1()) <= 2.8, "exp_m1");
        prop_assert!(ulps(ln(x), x.ln()) <= 2.0, "ln");
        prop_assert!(ulps(ln_1p(x), x.ln_1p()) <= 2.5, "ln_1p");
        prop_assert!(ulps(tanh(x), x.tanh()) <= 3.5, "tanh");
        // Twice the error of the platform's, and that of a square and of a quotient.
        let square = x.cosh().recip().powi(2);
        prop_assert!(square < f64::MIN_POSITIVE || ulps(sech_squared(x), square) <= 9.0, "sech_squared");
        prop_assert!(ulps(exp2(x), x.exp2()) <= 2.0, "exp2");
        prop_assert!(ulps(log2(x), x.log2()) <= 1.5, "log2");
        prop_assert!(ulps(log10(x), x.log10()) <= 2.5, "log10");
        prop_assert!(ulps(sinh(x), x.sinh()) <= 3.6, "sinh");
        prop_assert!(ulps(cosh(x), x.cosh()) <= 3.6, "cosh");
        prop_assert!(ulps(sin(x), x.sin()) <= 1.8, "sin");
        prop_assert!(ulps(cos(x), x.cos()) <= 1.8, "cos");
        prop_assert!(ulps(tan(x), x.tan()) <= 3.2, "tan");
        prop_assert!(ulps(asin(x), x.asin()) <= 1.7, "asin");
        prop_assert!(ulps(acos(x), x.acos()) <= 1.7, "acos");
        prop_assert!(ulps(atan(x), x.atan()) <= 3.0, "atan");
        prop_assert!(ulps(cbrt(x), x.cbrt()) <= 1.8, "cbrt");
        prop_assert!(ulps(rsqrt(x), x.sqrt().recip()) <= 3.0, "rsqrt");
    }

    #[test]
    fn single_precision_agrees_with_the_standard_library_in_double_precision(x in argument_f32()) {
        let wide = f64::from(x);
        prop_assert!(ulps(exp(x), wide.exp()) <= 1.0, "exp");
        prop_assert!(ulps(exp_m1(x), wide.exp_m1()) <= 1.3, "exp_m1");
        prop_assert!(ulps(ln(x), wide.ln()) <= 0.9, "ln");
        prop_assert!(ulps(ln_1p(x), wide.ln_1p()) <= 0.9, "ln_1p");
        prop_assert!(ulps(tanh(x), wide.tanh()) <= 1.5, "tanh");
        let square = wide.cosh().recip().powi(2);
        prop_assert!(square < f64::from(f32::MIN_POSITIVE) || ulps(sech_squared(x), square) <= 4.0, "sech_squared");
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
    fn functions_of_two_arguments_agree_with_the_standard_library(x in argument(), y in argument()) {
        prop_assert!(ulps(atan2(y, x), y.atan2(x)) <= 3.0, "atan2");
        prop_assert!(ulps(hypot(x, y), x.hypot(y)) <= 3.0, "hypot");
    }

    #[test]
    fn moderate_angles_give_the_same_bits(x in -1.0e6_f64..1.0e6) {
        prop_assert!(is_moderate(x));
        prop_assert_eq!(sin_moderate(x).to_bits(), sin(x).to_bits());
        prop_assert_eq!(cos_moderate(x).to_bits(), cos(x).to_bits());
    }

    #[test]
    fn inverses_undo(x in -3.0_f64..3.0) {
        prop_assert!((erf(erfinv(x / 3.001)) - x / 3.001).abs() <= 4.0 * f64::EPSILON);
        prop_assert!((atanh(tanh(x)) - x).abs() <= 1e-15 * (2.0 * x.abs()).exp());
        prop_assert!((asinh(sinh(x)) - x).abs() <= 8.0 * f64::EPSILON * (1.0 + x.abs()));
        prop_assert!((erf(x) + erfc(x) - 1.0).abs() <= 2.0 * f64::EPSILON);
    }

    #[test]
    fn gamma_functions_obey_their_recurrence(x in 0.01_f64..40.0) {
        prop_assert!((lgamma(x + 1.0) - lgamma(x) - ln(x)).abs() <= 1e-15 * (8.0 + 4.0 * lgamma(x + 1.0).abs()));
        prop_assert!((digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() <= 1e-14 * (1.0 + 1.0 / x));
        prop_assert!((trigamma(x) - trigamma(x + 1.0) - 1.0 / (x * x)).abs() <= 4e-15 * (1.0 + 1.0 / (x * x)));
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
        (sech_squared, &[(-INF, 0.0), (INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (400.0, 0.0)]),
        (sigmoid, &[(-INF, 0.0), (INF, 1.0), (0.0, 0.5), (-0.0, 0.5), (50.0, 1.0), (-1e30, 0.0)]),
        (softplus, &[(-INF, 0.0), (INF, INF), (-1e30, 0.0), (1024.0, 1024.0)]),
        (log_sigmoid, &[(-INF, -INF), (INF, 0.0), (1e30, 0.0), (-1024.0, -1024.0)]),
        (
            exp2,
            &[
                (-INF, 0.0),
                (INF, INF),
                (0.0, 1.0),
                (10.0, 1024.0),
                (-3.0, 0.125),
                (-126.0, 1.175_494_350_822_287_5e-38),
            ],
        ),
        (log2, &[(0.0, -INF), (-1.0, f64::NAN), (INF, INF), (1.0, 0.0), (8.0, 3.0), (0.25, -2.0)]),
        (log10, &[(0.0, -INF), (-1.0, f64::NAN), (INF, INF), (1.0, 0.0), (1000.0, 3.0), (1e10, 10.0)]),
        (sinh, &[(-INF, -INF), (INF, INF), (0.0, 0.0), (-0.0, -0.0)]),
        (cosh, &[(-INF, INF), (INF, INF), (0.0, 1.0)]),
        (asinh, &[(-INF, -INF), (INF, INF), (0.0, 0.0), (-0.0, -0.0)]),
        (acosh, &[(-INF, f64::NAN), (INF, INF), (1.0, 0.0), (0.5, f64::NAN), (-3.0, f64::NAN)]),
        (atanh, &[(-1.0, -INF), (1.0, INF), (-0.0, -0.0), (1.5, f64::NAN), (-2.0, f64::NAN), (INF, f64::NAN)]),
        (sin, &[(INF, f64::NAN), (-INF, f64::NAN), (0.0, 0.0), (-0.0, -0.0)]),
        (cos, &[(INF, f64::NAN), (-INF, f64::NAN), (0.0, 1.0), (-0.0, 1.0)]),
        (tan, &[(INF, f64::NAN), (-INF, f64::NAN), (0.0, 0.0), (-0.0, -0.0)]),
        (asin, &[(0.0, 0.0), (-0.0, -0.0), (1.5, f64::NAN), (-INF, f64::NAN)]),
        (acos, &[(1.0, 0.0), (1.5, f64::NAN), (-INF, f64::NAN)]),
        (atan, &[(0.0, 0.0), (-0.0, -0.0)]),
        (rsqrt, &[(-INF, f64::NAN), (INF, 0.0), (-0.0, -INF), (0.0, INF), (-1.0, f64::NAN), (16.0, 0.25)]),
        (cbrt, &[(-INF, -INF), (INF, INF), (-0.0, -0.0), (27.0, 3.0), (-8.0, -2.0), (0.125, 0.5)]),
        (erf, &[(-INF, -1.0), (INF, 1.0), (0.0, 0.0), (-0.0, -0.0), (7.0, 1.0)]),
        (erfc, &[(-INF, 2.0), (INF, 0.0), (0.0, 1.0), (-7.0, 2.0), (30.0, 0.0)]),
        (erfinv, &[(-1.0, -INF), (1.0, INF), (0.0, 0.0), (-0.0, -0.0), (1.5, f64::NAN), (-INF, f64::NAN)]),
        (lgamma, &[(0.0, INF), (-3.0, INF), (INF, INF), (-INF, INF), (1.0, 0.0), (2.0, 0.0)]),
        (digamma, &[(0.0, -INF), (-0.0, INF), (-3.0, f64::NAN), (INF, INF), (-INF, f64::NAN)]),
        (trigamma, &[(0.0, INF), (-0.0, INF), (-3.0, INF), (INF, 0.0), (-INF, f64::NAN)]),
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
fn special_values_of_two_arguments_are_exact() {
    const INF: f64 = f64::INFINITY;
    let exact = |got: f64, want: f64| got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
    for (y, x) in [(0.0, 0.0), (0.0, -0.0), (INF, INF), (INF, -INF), (1.0, INF), (1.0, -INF), (INF, 1.0), (1.0, 0.0)] {
        assert!(exact(atan2(y, x), y.atan2(x)), "atan2({y}, {x})");
        assert!(exact(atan2(-y, x), (-y).atan2(x)), "atan2(-{y}, {x})");
    }
    assert!(exact(hypot(INF, f64::NAN), INF) && exact(hypot(1.0, f64::NAN), f64::NAN) && exact(hypot(0.0, -0.0), 0.0));
    assert!(exact(logaddexp(INF, INF), INF) && exact(logaddexp(-INF, -INF), -INF));
    assert!(exact(logaddexp(-INF, 2.0), 2.0) && exact(logaddexp(INF, -INF), INF));
    assert!(logaddexp(f64::NAN, 1.0).is_nan() && logaddexp(1.0, f64::NAN).is_nan());
}

#[test]
#[rustfmt::skip]
fn polygamma_functions_keep_their_bounds_on_forty_digit_values() {
    // mpmath.polygamma(n, x)
    let table = [
        (2, 0.001, -2_000_000_002.397_632_4),
        (2, 0.75, -5.302_633_216_337_639_5),
        (2, 1.5, -0.828_796_644_234_32),
        (2, 3.25, -0.128_156_947_139_115_13),
        (2, 11.5, -0.008_247_469_050_652_217),
        (2, 40.0, -0.000_640_820_271_835_298_6),
        (2, 1_000.0, -1.001_000_499_999_833_3e-6),
        (2, -0.375, 29.057_344_543_766_245),
        (2, -1.625, -30.304_028_374_139_29),
        (2, -7.25, 124.008_526_036_565_74),
        (3, 0.001, 6_000_000_000_006.469),
        (3, 0.75, 19.763_312_534_850_6),
        (3, 1.5, 1.409_091_034_002_437_2),
        (3, 3.25, 0.090_433_355_324_655_74),
        (3, 11.5, 0.001_496_464_752_269_225),
        (3, 40.0, 3.244_140_015_156_35e-5),
        (3, 1_000.0, 2.003_001_999_999e-9),
        (3, -0.375, 343.778_292_490_855_5),
        (3, -1.625, 345.536_169_134_390_95),
        (3, -7.25, 1_558.541_195_203_404_4),
        (4, 0.001, -2.4000000000000024e16),
        (4, 0.75, -102.800_605_815_417_47),
        (4, 1.5, -3.474_249_826_667_225_3),
        (4, 3.25, -0.094_871_919_953_750_83),
        (4, 11.5, -0.000_407_013_839_056_976_6),
        (4, 40.0, -2.463_377_839_277_213e-6),
        (4, 1_000.0, -6.012_009_999_993_000_4e-12),
        (4, -0.375, 2_982.318_673_662_252),
        (4, -1.625, -2_987.850_131_917_778),
        (4, -7.25, 24_481.573_142_242_19),
        (5, 0.001, 1.2e20),
        (5, 0.75, 678.753_342_874_579_7),
        (5, 1.5, 11.113_548_602_435_497),
        (5, 3.25, 0.131_606_085_780_973_13),
        (5, 11.5, 0.000_147_502_027_480_463_2),
        (5, 40.0, 2.493_894_350_999_670_4e-7),
        (5, 1_000.0, 2.406_005_999_994_4e-14),
        (5, -0.375, 45_171.497_249_121_64),
        (5, -1.625, 45_189.590_901_731_96),
        (5, -7.25, 492_231.266_269_527_8),
        (6, 0.001, -7.2e23),
        (6, 0.75, -5_408.926_503_095_375),
        (6, 1.5, -43.457_923_803_023_284),
        (6, 3.25, -0.226_448_770_243_245_92),
        (6, 11.5, -6.677_381_400_689_733e-5),
        (6, 40.0, -3.155_817_955_236_394e-8),
        (6, 1_000.0, -1.203_604_199_994_96e-16),
        (6, -0.375, 671_068.047_176_212_5),
        (6, -1.625, -671_148.344_839_772_2),
        (6, -7.25, 11_791_224.760_702_372),
        (12, 0.001, -4.790016e47),
        (12, 0.75, -20_162_654_429.043_86),
        (12, 1.5, -2_464_477.609_426_828_6),
        (12, 3.25, -109.612_755_215_217_83),
        (12, 11.5, -1.206_815_786_943_274_9e-5),
        (12, 40.0, -2.755_399_787_284_401e-12),
        (12, 1_000.0, -4.015_681_971_658_38e-29),
        (12, -0.375, 164_954_015_406_308.47),
        (12, -1.625, -164_954_023_042_214.88),
        (12, -7.25, 3.214523309387412e16),
    ];
    for (n, x, want) in table {
        let error = ulps(polygamma(n, x), want);
        // A negative argument's reflection subtracts terms of opposite or equal sign, with powers of a rounded cotangent.
        let bound = 8.0 + 2.0 * f64::from(n) + if x < 0.0 { 8.0 * f64::from(n + 1) } else { 0.0 };
        assert!(error <= bound, "polygamma({n}, {x}): {error} ulp");
    }
}

#[test]
fn polygamma_functions_have_their_poles_and_limits() {
    let exact = |n: u32, x: f64, want: f64| {
        let got = polygamma(n, x);
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "polygamma({n}, {x}) = {got}");
    };
    for (x, odd, even) in [
        (0.0, f64::INFINITY, f64::NEG_INFINITY),
        (-0.0, f64::INFINITY, f64::INFINITY),
        (-3.0, f64::INFINITY, f64::NAN),
        (f64::INFINITY, 0.0, -0.0),
        (f64::NEG_INFINITY, f64::NAN, f64::NAN),
        (f64::NAN, f64::NAN, f64::NAN),
    ] {
        exact(3, x, odd);
        exact(4, x, even);
    }
    exact(61, 1.0, f64::NAN);
    assert!(polygamma(60, 1.0).is_finite());
}

#[test]
#[rustfmt::skip]
fn the_normal_distribution_keeps_its_bounds_on_forty_digit_values() {
    // erfc(-x/√2)/2 and e^(-x²/2)/√(2π) by mpmath
    let table = [
        (-38.25, 2.079_5e-320, 7.960_24e-319),
        (-37.5, 4.605_353_009_581_955e-308, 1.728_233_732_284_105_4e-306),
        (-20.0, 2.753_624_118_606_233_7e-89, 5.520_948_362_159_764e-88),
        (-8.5, 9.479_534_822_203_318e-18, 8.166_235_631_669_55e-17),
        (-3.0, 0.001_349_898_031_630_094_6, 0.004_431_848_411_938_007_5),
        (-1.0, 0.158_655_253_931_457_05, 0.241_970_724_519_143_34),
        (-0.578125, 0.281_589_864_812_630_76, 0.337_546_233_124_058_3),
        (-0.25, 0.401_293_674_317_076_3, 0.386_668_116_802_849_2),
        (0.0, 0.5, 0.398_942_280_401_432_7),
        (0.5, 0.691_462_461_274_013_1, 0.352_065_326_764_299_47),
        (1.1875, 0.882_484_771_706_785_9, 0.197_105_401_918_587_3),
        (2.0, 0.977_249_868_051_820_8, 0.053_990_966_513_188_05),
        (6.5, 0.999_999_999_959_84, 2.669_556_614_762_852e-10),
    ];
    for (x, cdf, pdf) in table {
        let errors = [ulps(normal_cdf(x), cdf), ulps(normal_pdf(x), pdf)];
        assert!(errors[0] <= 6.0 && errors[1] <= 3.0, "at {x}: {errors:?} ulp");
    }
    assert_exact(normal_cdf::<f64>, f64::NEG_INFINITY, 0.0);
    assert_exact(normal_cdf::<f64>, f64::INFINITY, 1.0);
    assert_exact(normal_cdf::<f32>, f64::NAN, f64::NAN);
    assert_exact(normal_pdf::<f32>, f64::NEG_INFINITY, 0.0);
}

#[test]
fn integer_powers_multiply() {
    assert_eq!(powi(3.0_f64, 5).to_bits(), 243.0_f64.to_bits());
    assert_eq!(powi(2.0_f32, -3).to_bits(), 0.125_f32.to_bits());
    assert_eq!(powi(f64::NAN, 0).to_bits(), 1.0_f64.to_bits());
}

#[test]
fn two_sigmoids_at_once_have_the_bits_of_each() {
    fn check<T: Real>(x: f64) {
        let x = T::from_f64(x);
        let alone = [sigmoid(x), sigmoid(-x)];
        for (both, alone) in sigmoids_of(x, sigmoids_begun(x)).into_iter().zip(alone) {
            assert!(both == alone || both.is_nan() && alone.is_nan(), "{x}: {both} and {alone}");
        }
    }
    let special =
        [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, -1e-40, 1e30, 745.0, -745.0, 0.69, 0.7];
    for x in (-4000..4000).map(|i| f64::from(i) * 0.0213).chain(special) {
        check::<f64>(x);
        check::<f32>(x);
    }
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
    check!(exp exp_m1 exp2 ln ln_1p log2 log10 tanh sinh cosh asinh acosh atanh sigmoid softplus log_sigmoid);
    check!(sech_squared logit silu mish gelu gelu_tanh tanhshrink log_cosh gaussian normal_pdf normal_cdf);
    check!(sin cos tan asin acos atan cbrt erf erfc erfinv lgamma digamma trigamma sin_moderate cos_moderate rsqrt);
    for y in [0.5, -2.25, 3.0, f64::INFINITY] {
        assert_same_vectorised::<f32>("powf", |x| powf(x, f32::from_f64(y)));
        assert_same_vectorised::<f64>("powf", |x| powf(x, y));
        assert_same_vectorised::<f64>("atan2", |x| atan2(x, y));
        assert_same_vectorised::<f64>("hypot", |x| hypot(x, y));
        assert_same_vectorised::<f64>("logaddexp", |x| logaddexp(x, y));
    }
}
