//! Reference values of PyTorch, JAX and mpmath: operations, networks, derivatives up to the sixth.

use autograd::{Axis, Graph, Matrix, Real, Var};
use serde_json::Value;

use crate::named;
use crate::support::{Verdict, close, largest, list, matrices, matrix, number, oracle, text, values, whole};

/// `|a - b| <= tolerance (1 + max |b|)`
fn near<T: Real>(what: &str, found: &Matrix<T>, expected: &Matrix<f64>, tolerance: f64) -> Verdict {
    close(what, found, expected, tolerance * (1.0 + largest([expected])))
}

fn all_near<T: Real>(what: &str, found: &[Matrix<T>], expected: &[Matrix<f64>], tolerance: f64) -> Verdict {
    if found.len() != expected.len() {
        return Err(format!("{what}: there are {}, expected {}", found.len(), expected.len()));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    pairs.try_for_each(|(slot, (found, expected))| near(&format!("{what} {slot}"), found, expected, tolerance))
}

/// Checks one operation against its reference values in one element type; the three tolerances are those of
/// values, first and second derivatives.
fn holds<T: Real>(name: &str, case: &Value, [zeroth, first, second]: [f64; 3]) -> Verdict {
    let graph = Graph::<T>::new();
    let record = |field: &str| matrices(&case[field]).iter().map(|x| graph.variable(x.cast())).collect::<Vec<_>>();
    let x = record("inputs");
    let Some(y) = named::apply(name, &case["params"], &x) else {
        return Err("it is neither computed nor listed as missing".to_owned());
    };
    near("value", &y.value(), &matrix(&case["value"]), zeroth)?;
    if case["vjp"].is_null() {
        return Ok(());
    }
    let v = record("directions");
    let vjp = y.vjp(graph.variable(matrix(&case["cotangent"]).cast()), x.as_slice());
    all_near("vjp", &values(&vjp), &matrices(&case["vjp"]), first)?;
    near("jvp", &y.jvp(x.clone(), v.clone()).value(), &matrix(&case["jvp"]), first)?;
    let along: Var<'_, T> = vjp.iter().zip(&v).map(|(vjp, v)| (*vjp * *v).sum()).sum();
    all_near("second", &values(&along.gradient_or_zero(x)), &matrices(&case["second"]), second)
}

fn every_operation_holds<T: Real>(tolerances: [f64; 3]) {
    let file = oracle("ops");
    let mut faults = Vec::new();
    for case in list(&file["cases"]) {
        for name in named::names(case).into_iter().filter(|name| !named::is_missing(name)) {
            if let Err(fault) = holds::<T>(name, case, tolerances) {
                faults.push(format!("{} as {name}: {fault}", text(&case["id"])));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_operation_agrees_with_reference_values_in_f64() {
    every_operation_holds::<f64>([1e-12, 1e-11, 1e-10]);
}

/// Inputs are exact in `f32`: a value of some ten roundings of at most 2 ulp each, a derivative of some tens,
/// a second derivative of some hundreds.
#[test]
fn every_operation_agrees_with_reference_values_in_f32() {
    let ulp = f64::from(f32::EPSILON);
    every_operation_holds::<f32>([16.0 * ulp, 64.0 * ulp, 256.0 * ulp]);
}

fn activation<'g>(name: &str, x: Var<'g, f64>) -> Var<'g, f64> {
    match name {
        "identity" => x,
        "softplus" => x.softplus(),
        name => named::apply(name, &Value::Null, &[x]).unwrap_or_else(|| panic!("no activation {name}")),
    }
}

fn loss<'g>(network: &Value, y: Var<'g, f64>) -> Var<'g, f64> {
    let graph = y.graph();
    let target = || graph.constant(matrix(&network["target"]));
    match text(&network["loss"]) {
        "mse" => (y - target()).square().mean(),
        "bce_with_logits" => (y.softplus() - target() * y).mean(),
        "cross_entropy" => {
            let labels: Vec<f64> = list(&network["labels"]).iter().map(number).collect();
            let labels = graph.constant(Matrix::column_vector(&labels));
            (y.log_sum_exp_axis(Axis::Columns) - y.pick(labels)).mean()
        }
        "huber" => {
            let delta = number(&network["loss_params"]["delta"]);
            let distance = (y - target()).abs();
            let near = distance.le(y.scalar(delta));
            near.select(distance.square() * 0.5, (distance - 0.5 * delta) * delta).mean()
        }
        name => panic!("no loss {name}"),
    }
}

#[test]
fn gradients_and_hessian_products_of_networks_agree_with_reference_values() {
    let file = oracle("mlp");
    for network in list(&file["networks"]) {
        let holds = || {
            let graph = Graph::new();
            let params: Vec<_> = matrices(&network["params"]).iter().map(|param| graph.variable(param)).collect();
            let mut y = graph.constant(matrix(&network["x"]));
            for (layer, param) in list(&network["layers"]).iter().zip(params.as_chunks::<2>().0) {
                y = activation(text(&layer["activation"]), y.matmul(param[0]) + param[1]);
            }
            near("output", &y.value(), &matrix(&network["output"]), 1e-12)?;
            let loss = loss(network, y);
            near("loss", &loss.value(), &Matrix::scalar(number(&network["loss_value"])), 1e-12)?;
            let gradients = loss.gradient(params.as_slice());
            all_near("gradient", &values(&gradients), &matrices(&network["grads"]), 1e-11)?;
            for product in list(&network["hvp"]) {
                let v = matrices(&product["v"]);
                let terms = gradients.iter().zip(&v).map(|(g, v)| (*g * graph.constant(v)).sum());
                let products = terms.sum::<Var<'_, f64>>().gradient(params.as_slice());
                all_near("hessian product", &values(&products), &matrices(&product["hv"]), 1e-10)?;
            }
            Ok(())
        };
        let verdict: Verdict = holds();
        verdict.unwrap_or_else(|fault| panic!("{}: {fault}", text(&network["id"])));
    }
}

/// A function of `higher.json`.
fn function<'g>(name: &str, x: &[Var<'g, f64>]) -> Var<'g, f64> {
    match (name, x) {
        ("softplus", [x]) => x.softplus(),
        ("squareplus_b4", [x]) => x.squareplus(4.0),
        ("pow_2.5", [x]) => x.powf(2.5),
        ("pow_-1.5", [x]) => x.powf(-1.5),
        ("x_sin_x_exp_-x", [x]) => *x * x.sin() * (-*x).exp(),
        ("exp_sin", [x]) => x.sin().exp(),
        ("sin_x2_over_1_plus_x2", [x]) => x.square().sin() / (x.square() + 1.0),
        ("sin_xy_exp_x", [x, y]) => (*x * *y).sin() * x.exp(),
        ("tanh_tanh_2x", [x]) => (*x * 2.0).tanh().tanh(),
        ("x_pow_x", [x]) => x.pow(*x),
        ("log_1_plus_x2", [x]) => (x.square() + 1.0).ln(),
        ("x_pow_y", [x, y]) => x.pow(*y),
        ("log_x2_y2", [x, y]) => (x.square() + y.square()).ln(),
        ("tanh_xyz", [x, y, z]) => (*x * *y * *z + *x).tanh(),
        ("lse_xyz", x) => Var::concat(x, Axis::Columns).log_sum_exp(),
        (name, x) => named::apply(name, &Value::Null, x).unwrap_or_else(|| panic!("{name} is not computed")),
    }
}

/// What rounding may do to a derivative of that order: each differentiation at most doubles the factors of every
/// term (product rule), and brings down coefficients of at most its order.
fn rounding(order: usize) -> f64 {
    let growth: f64 = (1..=order).map(|k| 2.0 * f64::from(u32::try_from(k).unwrap())).product();
    32.0 * f64::EPSILON * growth
}

#[test]
fn repeated_gradients_agree_with_reference_values_up_to_the_sixth() {
    let file = oracle("higher");
    for case in list(&file["cases"]) {
        let name = text(&case["fn"]);
        let graph = Graph::new();
        let x = graph.variable(number(&case["x"]));
        let mut y = function(name, &[x]);
        let expected: Vec<f64> = list(&case["derivatives"]).iter().map(number).collect();
        for (order, derivative) in expected.iter().enumerate() {
            let scale = expected[..=order].iter().fold(1.0, |max: f64, x| max.max(x.abs()));
            let what = format!("{name} at {}, derivative {order}", case["x"]);
            close(&what, &y.value(), &Matrix::scalar(*derivative), rounding(order) * scale).unwrap();
            y = y.gradient_or_zero(x);
        }
    }
}

#[test]
fn mixed_partial_derivatives_agree_with_reference_values() {
    let file = oracle("higher");
    for case in list(&file["mixed"]) {
        let name = text(&case["fn"]);
        let graph = Graph::new();
        let x: Vec<_> = list(&case["x"]).iter().map(|x| graph.variable(number(x))).collect();
        let y = function(name, &x);
        close(name, &y.value(), &Matrix::scalar(number(&case["value"])), rounding(0)).unwrap();
        for partial in list(&case["partials"]) {
            let orders: Vec<usize> = list(&partial["orders"]).iter().map(whole).collect();
            let mut derivative = y;
            for (x, order) in x.iter().zip(&orders) {
                for _ in 0..*order {
                    derivative = derivative.gradient_or_zero(*x);
                }
            }
            let expected = Matrix::scalar(number(&partial["value"]));
            let tolerance = rounding(orders.iter().sum()) * (1.0 + largest([&expected]));
            close(&format!("{name} {orders:?}"), &derivative.value(), &expected, tolerance).unwrap();
        }
    }
}
