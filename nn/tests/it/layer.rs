//! Layers and their parameters: summaries, names, initial values, and what is said of wrong use.

use autograd::{Graph, Matrix, Real, Var};
use nn::init::Initializer;
use nn::{Activation, Layer, Linear, Mlp, Params, Scope, Sequential, summary};

use crate::support::said;

#[test]
fn the_summary_of_the_explained_network_counts_13_002_parameters() {
    let mut params = Params::<f32>::new(0);
    let model = Mlp::new(784)
        .layer(16, Activation::Sigmoid)
        .layer(16, Activation::Sigmoid)
        .layer(10, Activation::Sigmoid)
        .build(&mut params);
    let summary = summary(&model, &params, 784);
    let expected = "\
layer                output     parameters
Input               n x 784              0
Linear               n x 16         12,560
Sigmoid              n x 16              0
Linear               n x 16            272
Sigmoid              n x 16              0
Linear               n x 10            170
Sigmoid              n x 10              0
in all                              13,002";
    assert_eq!(summary.to_string(), expected);
    assert_eq!((summary.parameters(), params.count()), (13_002, 13_002));
}

#[test]
fn the_summary_of_the_keras_network_counts_407_050_parameters() {
    let mut params = Params::<f32>::new(0);
    let model = Mlp::new(784).layer(512, Activation::Relu).layer(10, Activation::Identity).build(&mut params);
    let summary = summary(&model, &params, 784);
    let expected = "\
layer                output     parameters
Input               n x 784              0
Linear              n x 512        401,920
Relu                n x 512              0
Linear               n x 10          5,130
in all                             407,050";
    assert_eq!(summary.to_string(), expected);
    assert_eq!((summary.parameters(), params.count()), (407_050, 407_050));
}

#[test]
fn a_summary_looks_into_layers_of_layers() {
    let mut params = Params::<f64>::new(0);
    let zeros = Initializer::Constant(0.0);
    let inner = Mlp::new(3).layer(2, Activation::Tanh).build(&mut params);
    let last = Linear::new(&mut params, "last", (2, 1000), zeros, zeros);
    let model = Sequential::new().then(inner).then(Sequential::new().then(last).then(Activation::Softmax));
    let summary = summary(&model, &params, 3);
    let rows: Vec<_> = summary.rows().iter().map(|(name, shape, n)| (name.as_str(), shape.cols, *n)).collect();
    assert_eq!(rows, [("Linear", 2, 8), ("Tanh", 2, 0), ("Linear", 1000, 3000), ("Softmax", 1000, 0)]);
}

#[test]
fn parameters_are_named_by_layer() {
    let mut params = Params::<f64>::new(0);
    let model = Mlp::new(5)
        .layer(4, Activation::Relu)
        .layer(3, Activation::Relu)
        .layer(2, Activation::Identity)
        .build(&mut params);
    let found: Vec<_> = params.iter().map(|(name, value)| (name, value.shape().to_string())).collect();
    let expected = [
        ("hidden.0.weight", "5x4"),
        ("hidden.0.bias", "1x4"),
        ("hidden.1.weight", "4x3"),
        ("hidden.1.bias", "1x3"),
        ("output.weight", "3x2"),
        ("output.bias", "1x2"),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name, shape.to_owned())));
    assert_eq!(params.find("hidden.1.bias"), Some(model.linear()[1].bias()));
    assert_eq!(params.name(model.linear()[2].weight()), "output.weight");
    assert_eq!(params.find("hidden.2.weight"), None);
}

#[test]
fn initial_weights_do_not_depend_on_other_layers() {
    let first = |build: &dyn Fn(&mut Params<f64>)| {
        let mut params = Params::new(3);
        build(&mut params);
        params.value(params.find("hidden.0.weight").unwrap()).clone()
    };
    let short = first(&|params| {
        let _ = Mlp::new(6).layer(5, Activation::Relu).layer(1, Activation::Identity).build(params);
    });
    let long = first(&|params| {
        let _ = params.draw("something.else", Initializer::he_normal(), 10, 10);
        let mlp = Mlp::new(6).layer(5, Activation::Relu).layer(7, Activation::Tanh);
        let _ = mlp.layer(2, Activation::Identity).build(params);
    });
    assert_eq!(short, long);

    let second = |seed: u64| {
        let mut params = Params::<f64>::new(seed);
        params.draw("a", Initializer::glorot_uniform(), 4, 4);
        params.draw("b", Initializer::glorot_uniform(), 4, 4);
        [params.value(params.find("a").unwrap()).clone(), params.value(params.find("b").unwrap()).clone()]
    };
    assert_ne!(second(0)[0], second(0)[1], "names have streams of their own");
    assert_ne!(second(0)[0], second(1)[0], "so have seeds");
    assert_eq!(second(0), second(0));
}

#[test]
fn both_precisions_start_from_the_same_weights() {
    let (mut single, mut double) = (Params::<f32>::new(9), Params::<f64>::new(9));
    let a = single.draw("w", Initializer::he_normal(), 30, 20);
    let b = double.draw("w", Initializer::he_normal(), 30, 20);
    assert_eq!(*single.value(a), double.value(b).cast());
}

#[test]
fn no_layers_are_the_identity() {
    let mut params = Params::<f64>::new(0);
    let graph = Graph::new();
    let x = graph.constant([[1.0, -2.0]]);
    let mlp = Mlp::new(2).build(&mut params);
    let scope = Scope::new(&graph, &params);
    assert_eq!(mlp.forward(&scope, x).id(), x.id());
    assert_eq!(Sequential::new().forward(&scope, x).id(), x.id());
    assert!(params.is_empty() && params.count() == 0);
}

#[test]
fn a_perceptron_is_what_its_formula_says() {
    // σ(x W + b) in plain loops.
    let mut params = Params::<f64>::new(4);
    let model = Mlp::new(3)
        .layer(4, Activation::Tanh)
        .layer(2, Activation::Sigmoid)
        .biases(Initializer::glorot_uniform())
        .build(&mut params);
    let x = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]];
    let graph = Graph::new();
    let y = model.forward(&Scope::new(&graph, &params), graph.constant(x)).value();
    let value = |name: &str| params.value(params.find(name).unwrap());
    let layer = |x: &[f64], name: &str, f: fn(f64) -> f64| -> Vec<f64> {
        let (w, b) = (value(&format!("{name}.weight")), value(&format!("{name}.bias")));
        (0..w.cols()).map(|j| f((0..w.rows()).map(|i| x[i] * w[(i, j)]).sum::<f64>() + b[(0, j)])).collect()
    };
    for (i, x) in x.iter().enumerate() {
        let hidden = layer(x, "hidden.0", f64::tanh);
        let output = layer(&hidden, "output", |z| 1.0 / (1.0 + (-z).exp()));
        for (j, expected) in output.iter().enumerate() {
            // Two layers of sums of at most four products of a size up to 2, and two functions to 2 ulp.
            assert!((y[(i, j)] - expected).abs() <= 32.0 * f64::EPSILON, "{} {expected}", y[(i, j)]);
        }
    }
    assert!(value("hidden.0.bias").as_slice().iter().all(|b| *b != 0.0));
}

#[test]
fn a_second_parameter_of_a_name_is_refused_at_the_users_line() {
    let mut params = Params::<f64>::new(0);
    let base = line!();
    let _ = params.add("w", Matrix::zeros(1, 1));
    let text = said(file!(), base, || params.add("w", Matrix::zeros(2, 2)));
    assert_eq!(text, "+2: Params: there is a parameter \"w\" already");
    let text = said(file!(), base, || params.draw("w", Initializer::he_normal(), 2, 2));
    assert_eq!(text, "+4: Params: there is a parameter \"w\" already");
    let zeros = Initializer::Constant(0.0);
    let _ = Linear::new(&mut params, "layer", (1, 1), zeros, zeros);
    let text = said(file!(), base, || Linear::new(&mut params, "layer", (1, 1), zeros, zeros));
    assert_eq!(text, "+8: Params: there is a parameter \"layer.weight\" already");
    let model = || Mlp::new(2).layer(1, Activation::Relu);
    let _ = model().build(&mut params);
    let text = said(file!(), base, || model().build(&mut params));
    assert_eq!(text, "+12: Params: there is a parameter \"output.weight\" already");
    assert_eq!(params.len(), 5);
}

#[test]
fn a_bias_that_does_not_fit_is_refused_at_the_users_line() {
    let mut params = Params::<f64>::new(0);
    let base = line!();
    let with = |params: &mut Params<f64>, bias| Linear::with(params, "l", Matrix::zeros(3, 2), bias);
    let text = said(file!(), base, || with(&mut params, Matrix::zeros(2, 1)));
    assert_eq!(text, "+1: Linear: a 3x2 weight needs a 1x2 bias, not 2x1");
    assert!(params.is_empty());
}

#[test]
fn samples_that_a_model_does_not_take_are_refused_at_the_users_line() {
    let mut params = Params::<f64>::new(0);
    let model = Mlp::new(3).layer(2, Activation::Relu).layer(1, Activation::Identity).build(&mut params);
    let graph = Graph::new();
    let base = line!();
    let scope = Scope::new(&graph, &params);
    let x = graph.variable(Matrix::zeros(5, 4));
    let rule = "matmul: 5x4 by 3x2: left columns (4) must equal right rows (3); left made at +2; right made at +1";
    assert_eq!(said(file!(), base, || model.forward(&scope, x)), format!("+4: {rule}"));
    assert_eq!(said(file!(), base, || model.linear()[0].forward(&scope, x)), format!("+5: {rule}"));
}

#[test]
fn the_operations_of_a_model_belong_to_the_line_that_applied_it() {
    let mut params = Params::<f64>::new(0);
    let model = Mlp::new(3).layer(2, Activation::Relu).layer(1, Activation::Tanh).build(&mut params);
    let graph = Graph::new();
    let scope = Scope::new(&graph, &params);
    let line = line!() + 1;
    let y: Var<'_, f64> = model.forward(&scope, graph.variable(Matrix::zeros(5, 3)));
    assert_eq!((y.site().file(), y.site().line()), (file!(), line));
}

/// An activation and what it does to a number.
type Formula = (Activation, fn(f64) -> f64);

#[test]
fn activations_are_what_their_formulas_say() {
    let formulas: [Formula; 5] = [
        (Activation::Identity, |x| x),
        (Activation::Relu, |x| x.max(0.0)),
        (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        (Activation::Tanh, f64::tanh),
        (Activation::Softplus, |x| x.exp().ln_1p()),
    ];
    let graph = Graph::new();
    let x = [[-3.0, -0.5, 0.0], [0.25, 1.0, 4.0]];
    // Formulas of up to four roundings, and functions to 2 ulp.
    let close = |found: f64, expected: f64| (found - expected).abs() <= 8.0 * f64::EPSILON * expected.abs();
    for (activation, formula) in formulas {
        let y = activation.apply(graph.variable(x)).peek();
        for (found, x) in y.as_slice().iter().zip(x.as_flattened()) {
            assert!(close(*found, formula(*x)), "{activation:?} of {x} is {found}, not {}", formula(*x));
        }
    }
    let shares = Activation::Softmax.apply(graph.variable(x)).peek();
    for (i, row) in x.iter().enumerate() {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        for (found, x) in shares.row(i).iter().zip(row) {
            assert!(close(*found, x.exp() / sum), "softmax of {x} is {found}, not {}", x.exp() / sum);
        }
    }
    assert_eq!(Activation::default(), Activation::Identity);
}

#[test]
fn a_graph_keeps_the_values_that_were_bound_into_it() {
    let mut params = Params::<f64>::new(1);
    let before = Matrix::from_fn(40, 30, |i, j| f64::from_usize(i) - 0.25 * f64::from_usize(j));
    let id = params.add("w", before.clone());
    let graph = Graph::new();
    let scope = Scope::new(&graph, &params);
    params.value_mut(id).fill(7.0);
    assert_eq!(scope.param(id).value(), before);
    assert_eq!(Scope::new(&graph, &params).param(id).value(), Matrix::filled(40, 30, 7.0));
    assert_eq!(params.value(id), &Matrix::filled(40, 30, 7.0));
}
