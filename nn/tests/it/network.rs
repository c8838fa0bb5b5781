//! Whole networks against the reference: outputs, gradients, Hessian products, and what training makes of them.

use autograd::{Graph, Matrix, Real, Var};
use nn::loss::{self, Loss};
use nn::optimizer::{Adam, Optimizer, Sgd};
use nn::{Activation, Layer, Linear, Params, Scope, Sequential, TrainingStep};
use serde_json::Value;

use crate::oracle;
use crate::support::TorchRmsProp;

/// Activations that a reference may have and [`Activation`] has not. The networks of this one need none of them.
const NOT_YET: [&str; 4] = ["elu", "gelu", "leaky_relu", "silu"];

struct Network<T: Real> {
    params: Params<T>,
    model: Sequential<T>,
    loss: Box<dyn Loss<T>>,
    x: Matrix<T>,
    target: Matrix<T>,
}

fn activation(name: &str) -> Option<Activation> {
    match name {
        "identity" => Some(Activation::Identity),
        "relu" => Some(Activation::Relu),
        "sigmoid" => Some(Activation::Sigmoid),
        "tanh" => Some(Activation::Tanh),
        "softplus" => Some(Activation::Softplus),
        other if NOT_YET.contains(&other) => None,
        other => panic!("unknown activation {other}"),
    }
}

/// `e² / 2` near 0, `δ (|e| - δ / 2)` beyond δ: not built in, so a loss of our own.
fn huber<'g, T: Real>(delta: T, y: Var<'g, T>, t: Var<'g, T>) -> Var<'g, T> {
    let half = T::from_f64(0.5);
    let error = (y - t).abs();
    let far = (error - delta * half) * delta;
    error.gt(y.scalar(delta)).select(far, error.square() * half).mean()
}

fn loss<T: Real>(network: &Value) -> Box<dyn Loss<T>> {
    match oracle::text(&network["loss"]) {
        "mse" => Box::new(loss::mean_squared_error),
        "cross_entropy" => Box::new(loss::cross_entropy),
        "bce_with_logits" => Box::new(loss::binary_cross_entropy),
        "huber" => {
            let delta = T::from_f64(oracle::number(&network["loss_params"]["delta"]));
            Box::new(move |y, t| huber(delta, y, t))
        }
        other => panic!("unknown loss {other}"),
    }
}

/// The network of the reference, unless it has an activation that is not there yet.
fn network<T: Real>(network: &Value) -> Option<Network<T>> {
    let mut params = Params::new(0);
    let mut model = Sequential::new();
    let values = oracle::matrices(&network["params"]);
    for (i, (layer, values)) in oracle::list(&network["layers"]).iter().zip(values.chunks(2)).enumerate() {
        let linear = Linear::with(&mut params, &format!("layer.{i}"), values[0].cast(), values[1].cast());
        assert_eq!((linear.inputs(), linear.outputs()), (oracle::size(&layer["in"]), oracle::size(&layer["out"])));
        model = model.then(linear).then(activation(oracle::text(&layer["activation"]))?);
    }
    let target = match network.get("labels") {
        Some(labels) => Matrix::column_vector(&oracle::numbers(labels)),
        None => oracle::matrix(&network["target"]),
    };
    let (x, target) = (oracle::matrix(&network["x"]).cast(), target.cast());
    Some(Network { params, model, loss: loss(network), x, target })
}

fn networks() -> Vec<Value> {
    oracle::list(&oracle::read("mlp")["networks"]).to_vec()
}

/// All networks, of which none may be left out.
fn each<T: Real>(mut check: impl FnMut(&str, &Value, Network<T>)) {
    for case in networks() {
        let id = oracle::text(&case["id"]);
        let network = network(&case).unwrap_or_else(|| panic!("{id}: an activation is not there yet"));
        check(id, &case, network);
    }
}

fn outputs_losses_and_gradients<T: Real>(tolerance: f64) {
    each::<T>(|id, case, network| {
        let graph = Graph::new();
        let scope = Scope::new(&graph, &network.params);
        let (x, t) = (graph.constant(network.x), graph.constant(network.target));
        let y = network.model.forward(&scope, x);
        let loss = (network.loss)(y, t);
        oracle::assert_matrix_close(&y.peek(), &oracle::matrix(&case["output"]), tolerance, id);
        oracle::assert_close(loss.peek().item().to_f64(), &case["loss_value"], tolerance, id);
        let expected = oracle::matrices(&case["grads"]);
        let found = loss.gradient(scope.vars());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            oracle::assert_matrix_close(&found.peek(), expected, 10.0 * tolerance, id);
        }
    });
}

#[test]
fn outputs_losses_and_gradients_are_those_of_the_reference() {
    outputs_losses_and_gradients::<f64>(1e-12);
    // Sums of at most 16 products, three layers deep, each of a size up to 10: 16 · 3 · 10 roundings of ε / 2.
    outputs_losses_and_gradients::<f32>(240.0 * f64::from(f32::EPSILON));
}

#[test]
fn hessian_products_are_those_of_the_reference() {
    each::<f64>(|id, case, network| {
        let graph = Graph::new();
        let scope = Scope::new(&graph, &network.params);
        let (x, t) = (graph.constant(network.x), graph.constant(network.target));
        let loss = (network.loss)(network.model.forward(&scope, x), t);
        let gradient = loss.gradient(scope.vars());
        for pair in oracle::list(&case["hvp"]) {
            let direction = oracle::matrices(&pair["v"]);
            let parts = gradient.iter().zip(&direction).map(|(g, v)| (*g * graph.constant(v.clone())).sum());
            let along = parts.reduce(|a, b| a + b).unwrap();
            let found = along.gradient_or_zero(scope.vars());
            for (found, expected) in found.iter().zip(&oracle::matrices(&pair["hv"])) {
                oracle::assert_matrix_close(&found.peek(), expected, 1e-10, id);
            }
        }
    });
}

fn optimizer(training: &Value) -> Box<dyn Optimizer<f64>> {
    let params = &training["params"];
    let number = |name: &str| oracle::number(&params[name]);
    let off = |names: &[&str]| {
        assert!(names.iter().all(|name| oracle::is_off(&params[*name])), "not there yet: {params}");
    };
    let rate = number("lr");
    assert_eq!(training["semantics"], "torch");
    match oracle::text(&training["optimizer"]) {
        "sgd" => {
            off(&["dampening", "weight_decay"]);
            let nesterov = params["nesterov"].as_bool().unwrap();
            Box::new(Sgd { rate, momentum: number("momentum"), nesterov })
        }
        "adam" => {
            off(&["weight_decay", "amsgrad"]);
            Box::new(Adam { rate, beta1: number("beta1"), beta2: number("beta2"), epsilon: number("eps") })
        }
        // Not built in with PyTorch's semantics.
        "rmsprop" => {
            off(&["momentum", "centered", "weight_decay"]);
            Box::new(TorchRmsProp { rate, decay: number("rho"), epsilon: number("eps") })
        }
        other => panic!("unknown optimiser {other}"),
    }
}

#[test]
fn training_on_the_whole_batch_ends_where_that_of_the_reference_ends() {
    each::<f64>(|id, case, network| {
        for training in oracle::list(&case["training"]) {
            let what = format!("{id}, {}", training["optimizer"]);
            let optimizer = optimizer(training);
            let sizes = (network.x.rows(), network.x.cols(), network.target.cols());
            let mut step = TrainingStep::new(&network.model, &*network.loss, &*optimizer, &network.params, sizes);
            let (x, t) = step.batch_mut();
            x.copy_from_slice(network.x.as_slice());
            t.copy_from_slice(network.target.as_slice());

            let tolerance = (1e-13 * oracle::number(&training["amplification"])).max(1e-12);
            let steps = oracle::sizes(&training["steps"]);
            let mut params = network.params.clone();
            let mut history = Vec::new();
            for t in 1..=steps[steps.len() - 1] + 1 {
                let loss = step.run(optimizer.rate(), &optimizer.scalars(t as u64)).unwrap();
                step.store(&mut params);
                history.push((loss, params.clone()));
            }
            for ((t, after), loss) in
                steps.into_iter().zip(oracle::list(&training["after"])).zip(oracle::list(&training["loss_after"]))
            {
                let what = format!("{what} after {t} steps");
                for ((_, found), expected) in history[t - 1].1.iter().zip(&oracle::matrices(after)) {
                    oracle::assert_matrix_close(found, expected, tolerance, &what);
                }
                // A step reports the loss before it.
                oracle::assert_close(history[t].0, loss, tolerance, &what);
            }
        }
    });
}
