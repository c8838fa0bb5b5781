//! Initialisers: their parameters against PyTorch and Keras, their draws against their parameters.

use autograd::Shape;
use nn::Random;
use nn::init::{Distribution, Fan, Initializer, gain};
use serde_json::Value;

use crate::oracle;

/// The initialiser that a case of the reference describes.
fn initializer(case: &Value) -> Initializer {
    let number = |name: &str| case["params"][name].as_f64();
    let distribution = match case["distribution"].as_str().unwrap() {
        "uniform" => Distribution::Uniform,
        "normal" => Distribution::Normal,
        "truncated_normal" => Distribution::TruncatedNormal,
        other => panic!("unknown distribution {other}"),
    };
    let fan = match case["params"]["mode"].as_str() {
        None | Some("fan_in") => Fan::In,
        Some("fan_out") => Fan::Out,
        Some("fan_avg") => Fan::Average,
        Some(other) => panic!("unknown mode {other}"),
    };
    let gain = match case["params"]["activation"].as_str() {
        None => 1.0,
        Some("relu") => gain::RELU,
        Some("leaky_relu") => gain::leaky_relu(number("slope").unwrap()),
        Some(other) => panic!("unknown activation {other}"),
    };
    match case["initializer"].as_str().unwrap() {
        "xavier_uniform" => Initializer::glorot_uniform().with_gain(number("gain").unwrap()),
        "xavier_normal" => Initializer::glorot_normal().with_gain(number("gain").unwrap()),
        "kaiming_uniform" | "kaiming_normal" => Initializer::variance_scaling(1.0, fan, distribution).with_gain(gain),
        "linear_default" => Initializer::torch_linear(),
        "lecun_uniform" => Initializer::lecun_uniform(),
        "lecun_normal" => Initializer::lecun_normal().truncated(),
        "variance_scaling" => Initializer::variance_scaling(number("scale").unwrap(), fan, distribution),
        other => panic!("unknown initialiser {other}"),
    }
}

#[test]
fn parameters_are_those_of_pytorch_and_keras() {
    let file = oracle::read("initializers");
    for case in oracle::list(&file["cases"]) {
        let id = case["id"].as_str().unwrap();
        let fans = (oracle::size(&case["fan_in"]), oracle::size(&case["fan_out"]));
        let initializer = initializer(case);
        match (initializer.limit(fans.0, fans.1), initializer.sigma(fans.0, fans.1)) {
            (Some(limit), None) => oracle::assert_close(limit, &case["limit"], 1e-12, id),
            (None, Some(sigma)) => oracle::assert_close(sigma, &case["sigma"], 1e-12, id),
            other => panic!("{id}: {other:?}"),
        }
        oracle::assert_close(initializer.std(fans.0, fans.1), &case["std"], 1e-12, id);
    }
}

#[test]
fn gains_are_those_of_pytorch() {
    let file = oracle::read("initializers");
    for case in oracle::list(&file["gains"]) {
        let name = case["activation"].as_str().unwrap();
        let gain = match name {
            "linear" | "sigmoid" => gain::LINEAR,
            "tanh" => gain::TANH,
            "relu" => gain::RELU,
            "selu" => gain::SELU,
            "leaky_relu" => gain::leaky_relu(case["slope"].as_f64().unwrap()),
            other => panic!("unknown activation {other}"),
        };
        oracle::assert_close(gain, &case["gain"], 1e-15, name);
    }
}

#[test]
fn he_is_lecun_with_the_gain_of_relu() {
    let (he, lecun) = (Initializer::he_normal(), Initializer::lecun_normal().with_gain(gain::RELU));
    assert!((he.std(30, 7) - lecun.std(30, 7)).abs() < 1e-15);
}

#[test]
fn draws_have_the_mean_and_deviation_they_should_have() {
    let initializers = [
        Initializer::Uniform { low: -1.0, high: 3.0 },
        Initializer::Normal { mean: 2.0, std: 0.5 },
        Initializer::Normal { mean: 2.0, std: 0.5 }.truncated(),
        Initializer::glorot_uniform(),
        Initializer::glorot_normal(),
        Initializer::he_normal().truncated(),
        Initializer::lecun_uniform().with_gain(gain::TANH),
    ];
    let (fan_in, fan_out) = (400, 250);
    for initializer in initializers {
        let drawn = initializer.sample::<f64>(fan_in, fan_out, &mut Random::stream(1, "draws"));
        let n = 100_000.0;
        assert_eq!(drawn.len(), 100_000);
        let mean = drawn.as_slice().iter().sum::<f64>() / n;
        let square = drawn.as_slice().iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        // Five standard errors: σ/√n of the mean; of the deviation at most σ/√(2n), the normal distribution's, as
        // the others have lighter tails.
        let std = initializer.std(fan_in, fan_out);
        assert!((mean - initializer.mean()).abs() <= 5.0 * std / n.sqrt(), "{initializer:?}: mean {mean}");
        assert!((square.sqrt() - std).abs() <= 5.0 * std / (2.0 * n).sqrt(), "{initializer:?}: {square}");
    }
}

#[test]
fn draws_keep_within_their_limits() {
    let sample = |initializer: Initializer| initializer.sample::<f32>(100, 100, &mut Random::new(1));
    let (low, high) = (0.25, 0.5);
    let uniform = sample(Initializer::Uniform { low: low.into(), high: high.into() });
    assert!(uniform.as_slice().iter().all(|x| (low..=high).contains(x)));
    let truncated = sample(Initializer::TruncatedNormal { mean: 1.0, std: 0.5 });
    assert!(truncated.as_slice().iter().all(|x| (0.0..=2.0).contains(x)));
    assert_eq!(sample(Initializer::ONES.with_gain(3.0)), autograd::Matrix::filled(100, 100, 3.0));
    assert_eq!(sample(Initializer::ZEROS), autograd::Matrix::zeros(100, 100));
}

#[test]
fn a_layer_without_neighbours_does_not_divide_by_0() {
    let weights = Initializer::he_normal().sample_shape::<f64>(Shape::new(1, 3), (0, 0), &mut Random::new(1));
    assert!(weights.as_slice().iter().all(|w| w.is_finite()));
}

#[test]
fn f32_and_f64_begin_alike_and_a_seed_gives_the_same_bits() {
    let sample = |seed| Initializer::glorot_normal().sample::<f64>(3, 4, &mut Random::new(seed));
    let single = Initializer::glorot_normal().sample::<f32>(3, 4, &mut Random::new(5));
    assert_eq!(sample(5).cast::<f32>(), single);
    assert_eq!(sample(5), sample(5));
    assert_ne!(sample(5), sample(6));
}
