//! Kinks, ties, singular points, strong zeros, NaN: what is recommended is what is computed.

use autograd::{Axis, Graph, Matrix, Var};
use serde_json::Value;

use crate::named;
use crate::support::{Verdict, close, list, matrices, matrix, oracle, text};

/// Value and derivative are those recommended, to 1e-12.
fn holds(name: &str, case: &Value) -> Verdict {
    let graph = Graph::<f64>::new();
    let inputs: Vec<_> = matrices(&case["inputs"]).iter().map(|x| graph.variable(x)).collect();
    let Some(y) = named::apply(name, &case["params"], &inputs) else {
        return Err("it is neither computed nor listed as missing".to_owned());
    };
    let expected = &case["recommended"];
    close("value", &y.value(), &matrix(&expected["value"]), 1e-12)?;
    if expected["vjp"].is_null() {
        return Ok(());
    }
    let expected = matrices(&expected["vjp"]);
    let found = y.vjp(graph.constant(matrix(&case["cotangent"])), inputs);
    for (slot, (found, expected)) in found.iter().zip(&expected).enumerate() {
        close(&format!("vjp {slot}"), &found.value(), expected, 1e-12)?;
    }
    Ok(())
}

#[test]
fn every_convention_holds() {
    let file = oracle("conventions");
    let mut faults = Vec::new();
    for case in list(&file["cases"]) {
        for name in named::names(case).into_iter().filter(|name| !named::is_missing(name)) {
            if let Err(fault) = holds(name, case) {
                faults.push(format!("{} as {name}: {fault}", text(&case["id"])));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The zero of a cotangent wins over an infinite derivative also one order higher.
#[test]
fn a_masked_singularity_stays_masked_in_second_derivatives() {
    let graph = Graph::new();
    let x = graph.variable([[0.0, 4.0, -1.0]]);
    let zero = x.scalar(0.0);
    let roots = x.gt(zero).select(x.sqrt(), zero).sum();
    let first = roots.gradient(x);
    let second = first.sum().gradient(x).value();
    close("first", &first.value(), &Matrix::from([[0.0, 0.25, 0.0]]), 0.0).unwrap();
    close("second", &second, &Matrix::from([[0.0, -0.03125, 0.0]]), 0.0).unwrap();
}

type Singular = for<'g> fn(&[Var<'g, f64>]) -> Var<'g, f64>;

/// Operations at points where a derivative is infinite or NaN.
fn singular() -> Vec<(&'static str, Singular, Vec<f64>)> {
    vec![
        ("sqrt", |x| x[0].sqrt(), vec![0.0]),
        ("ln", |x| x[0].ln(), vec![0.0]),
        ("exp", |x| x[0].exp(), vec![1000.0]),
        ("powi", |x| x[0].powi(-1), vec![0.0]),
        ("powf", |x| x[0].powf(0.5), vec![0.0]),
        ("powf", |x| x[0].powf(0.5), vec![-1.0]),
        ("recip", |x| x[0].recip(), vec![0.0]),
        ("rsqrt", |x| x[0].rsqrt(), vec![0.0]),
        ("cbrt", |x| x[0].cbrt(), vec![0.0]),
        ("pow", |x| x[0].pow(x[1]), vec![0.0, -0.5]),
        ("pow", |x| x[0].pow(x[1]), vec![-1.0, 0.5]),
        ("hypot", |x| x[0].hypot(x[1]), vec![f64::INFINITY, 0.0]),
        ("exp2", |x| x[0].exp2(), vec![2000.0]),
        ("exp_m1", |x| x[0].exp_m1(), vec![1000.0]),
        ("ln_1p", |x| x[0].ln_1p(), vec![-1.0]),
        ("log2", |x| x[0].log2(), vec![0.0]),
        ("log10", |x| x[0].log10(), vec![0.0]),
        ("logit", |x| x[0].logit(), vec![0.0]),
        ("logit", |x| x[0].logit(), vec![2.0]),
        ("xlogy", |x| x[0].xlogy(x[1]), vec![1.0, 0.0]),
        ("entr", |x| x[0].entr(), vec![0.0]),
        ("rel_entr", |x| x[0].rel_entr(x[1]), vec![0.0, 1.0]),
        ("sin", |x| x[0].sin(), vec![f64::INFINITY]),
        ("cos", |x| x[0].cos(), vec![f64::INFINITY]),
        ("tan", |x| x[0].tan(), vec![f64::INFINITY]),
        ("asin", |x| x[0].asin(), vec![1.0]),
        ("acos", |x| x[0].acos(), vec![-1.0]),
        ("acosh", |x| x[0].acosh(), vec![1.0]),
        ("atanh", |x| x[0].atanh(), vec![1.0]),
        ("sinh", |x| x[0].sinh(), vec![1000.0]),
        ("cosh", |x| x[0].cosh(), vec![1000.0]),
        ("erfinv", |x| x[0].erfinv(), vec![1.0]),
        ("lgamma", |x| x[0].lgamma(), vec![0.0]),
        ("digamma", |x| x[0].digamma(), vec![-1.0]),
        ("trigamma", |x| x[0].trigamma(), vec![0.0]),
        ("fmod", |x| x[0] % x[1], vec![1.0, 0.0]),
        ("remainder", |x| x[0].remainder(x[1]), vec![1.0, 0.0]),
        ("floor", |x| x[0].floor(), vec![f64::NAN]),
        ("div", |x| x[0] / x[1], vec![1.0, 0.0]),
        ("div", |x| x[0] / x[1], vec![0.0, 0.0]),
        ("strong_mul", |x| x[0].strong_mul(x[1]), vec![1.0, f64::INFINITY]),
        ("max", |x| x[0].max(), vec![f64::NAN]),
        ("min", |x| x[0].min(), vec![f64::NAN]),
        ("log_sum_exp", |x| x[0].log_sum_exp(), vec![f64::NAN]),
        ("log_mean_exp", |x| x[0].log_mean_exp(), vec![f64::NAN]),
        ("log_cum_sum_exp", |x| x[0].log_cum_sum_exp(Axis::Rows), vec![f64::NAN]),
        ("cummax", |x| x[0].cummax(Axis::Rows), vec![f64::NAN]),
        ("norm", |x| x[0].norm(2.0), vec![f64::INFINITY]),
        ("norm", |x| x[0].norm(2.0), vec![f64::NAN]),
        ("norm", |x| x[0].norm(0.5), vec![0.0]),
        ("prod", |x| Var::concat(x, Axis::Columns).prod(), vec![f64::INFINITY, 0.0]),
        ("cdist", |x| x[0].cdist(x[1], 2.0), vec![1.0, 1.0]),
    ]
}

#[test]
fn a_zero_cotangent_or_tangent_gives_zero_through_every_singular_derivative() {
    for (name, f, point) in singular() {
        let graph = Graph::new();
        let x: Vec<_> = point.iter().map(|x| graph.variable(*x)).collect();
        let zeros = vec![graph.variable(0.0); x.len()];
        let y = f(&x);
        for derivative in y.vjp(zeros[0], x.as_slice()) {
            close(name, &derivative.value(), &Matrix::zeros(1, 1), 0.0).unwrap();
        }
        close(name, &y.jvp(x, zeros).value(), &Matrix::zeros(1, 1), 0.0).unwrap();
    }
}

#[test]
fn a_fractional_power_of_a_negative_number_is_not_a_number() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(-1.0);
    let y = x.powf(0.5);
    assert!(y.item().is_nan() && y.gradient(x).item().is_nan());
}

#[test]
fn outside_of_its_domain_a_function_has_neither_value_nor_derivative() {
    let functions: [(&str, Singular, f64); 6] = [
        ("logit", |x| x[0].logit(), 2.0),
        ("asin", |x| x[0].asin(), 1.5),
        ("acos", |x| x[0].acos(), -1.5),
        ("acosh", |x| x[0].acosh(), 0.5),
        ("atanh", |x| x[0].atanh(), -2.0),
        ("sqrt", |x| x[0].sqrt(), -1.0),
    ];
    for (name, f, outside) in functions {
        let graph = Graph::new();
        let x = graph.variable(outside);
        let y = f(&[x]);
        assert!(y.item().is_nan() && y.gradient(x).item().is_nan(), "{name}({outside})");
    }
}

/// Where a derivative is chosen by a comparison, the choice must not cut off the next one.
#[test]
fn second_derivatives_at_special_points_are_those_of_the_function() {
    let graph = Graph::<f64>::new();
    let (x, y) = (graph.variable(2.0), graph.variable(0.0));
    let dx = x.pow(y).gradient(x);
    assert_eq!((dx.item(), dx.gradient(y).item()), (0.0, 0.5));
    let (x, y) = (graph.variable(3.0), graph.variable(3.0));
    let dx = x.logaddexp(y).gradient(x);
    assert_eq!((dx.item(), dx.gradient(x).item(), dx.gradient(y).item()), (0.5, 0.25, -0.25));
}

#[test]
fn kinks_of_compositions_are_as_their_documentation_says() {
    // A name, a function, points, values, derivatives.
    type Kink = (&'static str, for<'g> fn(Var<'g, f64>) -> Var<'g, f64>, [f64; 3], [f64; 3], [f64; 3]);
    let kinks: [Kink; 8] = [
        ("clamp", |x| x.clamp(-1.0, 1.0), [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        (
            "clamp from below",
            |x| x.clamp(0.0, f64::INFINITY),
            [0.0, f64::INFINITY, -1.0],
            [0.0, f64::INFINITY, 0.0],
            [0.0, 1.0, 0.0],
        ),
        ("hardshrink", |x| x.hardshrink(1.0), [-1.0, 1.0, 2.0], [0.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
        ("hardswish", |x| x.hardswish(), [f64::NEG_INFINITY, -3.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 1.0]),
        ("fract", |x| x.fract(), [-1.0, 0.0, 2.0], [0.0; 3], [1.0; 3]),
        (
            "squareplus",
            |x| x.squareplus(4.0),
            [f64::NEG_INFINITY, 0.0, f64::INFINITY],
            [0.0, 1.0, f64::INFINITY],
            [0.0, 0.5, 1.0],
        ),
        (
            "gelu_tanh",
            |x| x.gelu_tanh(),
            [f64::NEG_INFINITY, 0.0, f64::INFINITY],
            [0.0, 0.0, f64::INFINITY],
            [0.0, 0.5, 1.0],
        ),
        ("normal_cdf", |x| x.normal_cdf(), [f64::NEG_INFINITY, 1e3, f64::INFINITY], [0.0, 1.0, 1.0], [0.0; 3]),
    ];
    for (name, f, point, value, derivative) in kinks {
        let graph = Graph::new();
        let x = graph.variable([point]);
        let y = f(x);
        close(name, &y.value(), &Matrix::from([value]), 0.0).unwrap();
        close(name, &y.sum().gradient(x).value(), &Matrix::from([derivative]), 0.0).unwrap();
    }
}

#[test]
fn of_a_number_and_nan_fmax_and_fmin_take_the_number_and_its_derivative() {
    let graph = Graph::new();
    let (x, y) = (graph.variable([[f64::NAN, 1.0]]), graph.variable([[2.0, f64::NAN]]));
    for z in [x.fmax(y), x.fmin(y)] {
        close("value", &z.value(), &Matrix::from([[2.0, 1.0]]), 0.0).unwrap();
        let [dx, dy] = z.sum().gradient([x, y]).map(|d| d.value());
        close("left", &dx, &Matrix::from([[0.0, 1.0]]), 0.0).unwrap();
        close("right", &dy, &Matrix::from([[1.0, 0.0]]), 0.0).unwrap();
    }
}

#[test]
fn a_power_of_zero_is_one_everywhere_and_stands_still() {
    let graph = Graph::new();
    let x = graph.variable([[0.0, -2.0, 3.0]]);
    for y in [x.powi(0), x.powf(0.0)] {
        close("value", &y.value(), &Matrix::ones(1, 3), 0.0).unwrap();
        close("gradient", &y.sum().gradient(x).value(), &Matrix::zeros(1, 3), 0.0).unwrap();
    }
}

#[test]
fn probabilities_of_nothing_possible_are_zero_and_stand_still() {
    let graph = Graph::new();
    let x = graph.variable(Matrix::filled(2, 3, f64::NEG_INFINITY));
    let y = x.softmax(Axis::Columns);
    let g = graph.variable([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]]);
    close("value", &y.value(), &Matrix::zeros(2, 3), 0.0).unwrap();
    close("vjp", &y.vjp(g, x).value(), &Matrix::zeros(2, 3), 0.0).unwrap();
    close("jvp", &y.jvp(x, g).value(), &Matrix::zeros(2, 3), 0.0).unwrap();
}

#[test]
fn a_value_is_its_own_derivative_by_itself() {
    let graph = Graph::new();
    let x = graph.variable(3.0);
    let y = x.square();
    assert_eq!((x.gradient(x).item(), y.gradient(y).item()), (1.0, 1.0));
    assert_eq!((x.jvp(x, y).item(), y.jvp(y, x).item()), (9.0, 3.0));
}

#[test]
fn a_source_given_twice_has_its_gradient_twice_and_moves_along_both_tangents() {
    let graph = Graph::new();
    let x = graph.variable(3.0);
    let y = x.square();
    assert_eq!(y.gradient([x, x]).map(|dx| dx.item()), [6.0, 6.0]);
    let (u, v) = (graph.constant(1.0), graph.constant(10.0));
    assert_eq!(y.jvp([x, x], [u, v]).item(), 66.0);
}

/// `y = x²` and `z = x y` by both `x` and `y`: a gradient is the total one, through `y` too, and forward mode is
/// its adjoint.
#[test]
fn both_modes_agree_where_one_source_depends_on_another() {
    let graph = Graph::new();
    let x = graph.variable(3.0);
    let y = x.square();
    let z = x * y;
    assert_eq!(z.gradient([x, y]).map(|dx| dx.item()), [27.0, 3.0]);
    let (u, v) = (graph.constant(1.0), graph.constant(10.0));
    assert_eq!(z.jvp([x, y], [u, v]).item(), 57.0);
    assert_eq!(z.jvp([y, x], [v, u]).item(), 57.0);
}

#[test]
fn a_cotangent_of_zero_stays_zero_through_abs_and_copysign_of_nan() {
    let graph = Graph::new();
    let (x, one) = (graph.variable(f64::NAN), graph.variable(1.0));
    let nothing = graph.constant(0.0);
    assert_eq!(x.abs().vjp(nothing, x).item(), 0.0);
    for y in [x.copysign(one), one.copysign(x)] {
        assert_eq!(y.vjp(nothing, [x, one]).map(|dx| dx.item()), [0.0, 0.0]);
    }
    assert!(x.abs().gradient(x).item().is_nan());
}
