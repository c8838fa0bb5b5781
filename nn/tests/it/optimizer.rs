//! Optimisers: their paths against PyTorch, Keras and optax, and derivatives through their steps.

use std::collections::BTreeSet;

use autograd::check::Check;
use autograd::{Graph, Matrix, Program, Real, Var};
use nn::optimizer::{Adam, Optimizer, RmsProp, Sgd, Step};
use serde_json::Value;

use crate::oracle;
use crate::support::TorchRmsProp;

/// What the reference has and this crate has not: semantics, optimiser, and in braces hyper-parameters. Whoever adds
/// one takes it off here, and its cases are compared.
const NOT_YET: [&str; 22] = [
    "keras/adadelta",
    "keras/adagrad",
    "keras/adam",
    "keras/adamax",
    "keras/adamw",
    "keras/lion",
    "keras/nadam",
    "keras/rmsprop{centered}",
    "keras/rmsprop{momentum}",
    "optax/lion",
    "torch/adadelta",
    "torch/adagrad",
    "torch/adam{amsgrad}",
    "torch/adam{weight_decay}",
    "torch/adamax",
    "torch/adamw",
    "torch/nadam",
    "torch/radam",
    "torch/rmsprop",
    "torch/rprop",
    "torch/sgd{dampening}",
    "torch/sgd{weight_decay}",
];

/// Our optimiser for a case, or the names of what is not there yet.
fn built_in(case: &Value) -> Result<Box<dyn Optimizer<f64>>, Vec<String>> {
    let name = format!("{}/{}", oracle::text(&case["semantics"]), oracle::text(&case["optimizer"]));
    let params = case["params"].as_object().unwrap();
    let number = |param: &str| oracle::number(&params[param]);
    let (optimizer, known): (Box<dyn Optimizer<f64>>, &[&str]) = match name.as_str() {
        // With a constant rate it makes no difference whether the rate is inside of the velocity.
        "torch/sgd" | "keras/sgd" => {
            let nesterov = params["nesterov"].as_bool().unwrap();
            let sgd = Sgd { rate: number("lr"), momentum: number("momentum"), nesterov };
            (Box::new(sgd), &["lr", "momentum", "nesterov"])
        }
        "keras/rmsprop" => {
            let rms = RmsProp { rate: number("lr"), decay: number("rho"), epsilon: number("eps") };
            (Box::new(rms), &["lr", "rho", "eps"])
        }
        "torch/adam" => {
            let (beta1, beta2) = (number("beta1"), number("beta2"));
            let adam = Adam { rate: number("lr"), beta1, beta2, epsilon: number("eps") };
            (Box::new(adam), &["lr", "beta1", "beta2", "eps"])
        }
        _ => return Err(vec![name]),
    };
    let on = params.iter().filter(|(param, value)| !known.contains(&param.as_str()) && !oracle::is_off(value));
    let missing: Vec<String> = on.map(|(param, _)| format!("{name}{{{param}}}")).collect();
    if missing.is_empty() { Ok(optimizer) } else { Err(missing) }
}

/// The function that a case minimises.
fn objective<'g>(case: &Value, problems: &Value, x: Var<'g, f64>) -> Var<'g, f64> {
    let (graph, n) = (x.graph(), x.shape().len());
    let v = x.reshape(n, 1);
    let name = oracle::text(&case["problem"]);
    let problem = &problems[name];
    match name {
        "quadratic" => {
            let constant = |part: &str| graph.constant(oracle::matrix(&problem[part]));
            let (a, b) = (constant("A"), constant("b"));
            v.transpose().matmul(a.matmul(v)) * 0.5 - b.transpose().matmul(v)
        }
        "rosenbrock" => {
            let (a, k) = (oracle::number(&problem["a"]), oracle::number(&problem["k"]));
            let (head, tail) = (v.slice(0..n - 1, 0..1), v.slice(1..n, 0..1));
            ((tail - head.square()).square() * k + (a - head).square()).sum()
        }
        other => panic!("unknown problem {other}"),
    }
}

/// The path of an optimiser: one program of the function, its gradient and the update, run step by step.
struct Path<'o> {
    optimizer: &'o dyn Optimizer<f64>,
    program: Program<f64>,
    x: autograd::NodeId,
    t: u64,
}

impl<'o> Path<'o> {
    fn new(optimizer: &'o dyn Optimizer<f64>, x0: Matrix<f64>, f: impl Fn(Var<'_, f64>) -> Var<'_, f64>) -> Self {
        let graph = Graph::new();
        let (parameter, rate) = (graph.variable(&x0), graph.input(1, 1));
        let scalars: Vec<_> = optimizer.scalars(1).iter().map(|_| graph.input(1, 1)).collect();
        let zeros = || graph.variable(Matrix::zeros(x0.rows(), x0.cols()));
        let slots: Vec<_> = optimizer.slots().iter().map(|_| zeros()).collect();
        let value = f(parameter);
        let gradient = value.gradient(parameter);
        let step = Step { parameter, gradient, slots: &slots, rate, scalars: &scalars };
        let (new, new_slots) = optimizer.update(&step);
        assert_eq!(new_slots.len(), slots.len(), "a new value for each slot");
        let mut updates = vec![(parameter, new)];
        updates.extend(slots.iter().copied().zip(new_slots));
        let inputs = [vec![rate], scalars].concat();
        let program = graph.compile(&inputs, &updates, &[value]).unwrap();
        Self { optimizer, program, x: parameter.id(), t: 0 }
    }

    /// One step; the value of the function before it.
    fn step(&mut self) -> f64 {
        self.t += 1;
        let scalars = self.optimizer.scalars(self.t);
        for (i, number) in [self.optimizer.rate()].iter().chain(&scalars).enumerate() {
            self.program.input_mut(i)[0] = *number;
        }
        self.program.execute().unwrap();
        self.program.item(0)
    }

    fn x(&self) -> Matrix<f64> {
        self.program.state(self.x).unwrap()
    }
}

/// Compares a path with that of the reference.
fn compare(case: &Value, problems: &Value, optimizer: &dyn Optimizer<f64>) {
    let id = oracle::text(&case["id"]);
    let tolerance = (1e-13 * oracle::number(&case["amplification"])).max(1e-12);
    let x0 = oracle::matrix(&problems[oracle::text(&case["problem"])]["x0"]);
    let mut path = Path::new(optimizer, x0, |x| objective(case, problems, x));
    let steps = oracle::sizes(&case["steps"]);
    let (expected, values) = (oracle::matrices(&case["x"]), oracle::numbers(&case["f"]));
    for ((&step, x), f) in steps.iter().zip(&expected).zip(values) {
        while path.t < step as u64 {
            path.step();
        }
        let found = path.x();
        oracle::assert_matrix_close(&found, x, tolerance, &format!("{id} after {step} steps"));

        let graph = Graph::new();
        let at = graph.variable(x);
        let value = objective(case, problems, at);
        let slope: f64 = value.gradient(at).peek().as_slice().iter().map(|g| g.abs()).sum();
        let moved = objective(case, problems, graph.variable(&found)).peek().item();
        let allowed = tolerance * (1.0 + slope) * (1.0 + crate::support::largest(x));
        assert!((moved - f).abs() <= allowed, "{id}: f is {moved} after {step} steps, not {f}");
    }
}

#[test]
fn paths_are_those_of_pytorch_and_keras() {
    let file = oracle::read("optimizers");
    let mut compared = 0;
    for case in oracle::list(&file["cases"]) {
        if let Ok(optimizer) = built_in(case) {
            compare(case, &file["problems"], &*optimizer);
            compared += 1;
        }
    }
    assert!(compared >= 18, "{compared}");
}

#[test]
fn what_the_reference_has_and_we_have_not_is_listed() {
    let file = oracle::read("optimizers");
    let cases = oracle::list(&file["cases"]).iter();
    let missing: BTreeSet<String> = cases.filter_map(|case| built_in(case).err()).flatten().collect();
    assert_eq!(missing, NOT_YET.map(str::to_owned).into());
}

#[test]
fn an_optimiser_from_outside_is_as_good_as_a_built_in_one() {
    let file = oracle::read("optimizers");
    let mut compared = 0;
    for case in oracle::list(&file["cases"]) {
        let params = &case["params"];
        let plain = ["momentum", "centered", "weight_decay"].iter().all(|name| oracle::is_off(&params[name]));
        if case["semantics"] == "torch" && case["optimizer"] == "rmsprop" && plain {
            let [rate, decay, epsilon] = ["lr", "rho", "eps"].map(|name| oracle::number(&params[name]));
            compare(case, &file["problems"], &TorchRmsProp { rate, decay, epsilon });
            compared += 1;
        }
    }
    assert!(compared >= 4, "{compared}");
}

#[test]
fn the_value_after_two_steps_can_be_differentiated_by_start_and_rate() {
    let file = oracle::read("optimizers");
    let optimizers: [(&str, Box<dyn Optimizer<f64>>); 6] = [
        ("descent", Box::new(Sgd::new(0.0))),
        ("momentum", Box::new(Sgd { momentum: 0.9, ..Sgd::new(0.0) })),
        ("nesterov", Box::new(Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.0) })),
        ("rmsprop", Box::new(RmsProp::default())),
        ("adam", Box::new(Adam::default())),
        ("torch's rmsprop", Box::new(TorchRmsProp { rate: 0.0, decay: 0.9, epsilon: 1e-8 })),
    ];
    let case = serde_json::json!({ "problem": "rosenbrock" });
    let problems = &file["problems"];
    let start = oracle::matrix(&problems["rosenbrock"]["x0"]);
    for (name, optimizer) in optimizers {
        // The value after two steps of 0.03 at most. Moved far, it is a polynomial of degree 36: numeric derivatives along
        // random directions have 7 digits.
        let report = Check::new().rtol(1e-6).function(
            |[x, rate]| {
                let (mut x, mut slots) = (x, vec![x.graph().filled(x.rows(), x.cols(), 0.0); optimizer.slots().len()]);
                for t in 1..=2 {
                    let scalars: Vec<_> = optimizer.scalars(t).into_iter().map(|number| x.scalar(number)).collect();
                    let gradient = objective(&case, problems, x).gradient(x);
                    (x, slots) =
                        optimizer.update(&Step { parameter: x, gradient, slots: &slots, rate, scalars: &scalars });
                }
                objective(&case, problems, x)
            },
            [start.clone(), Matrix::scalar(0.01)],
        );
        assert!(report.is_pass(), "{name}:\n{report}");
    }
}

#[test]
fn momentum_of_0_is_plain_descent_without_a_slot() {
    let slots = |sgd: Sgd| Optimizer::<f64>::slots(&sgd);
    assert_eq!(slots(Sgd::new(0.1)), [""; 0]);
    assert_eq!(slots(Sgd { nesterov: true, ..Sgd::new(0.1) }), [""; 0]);
    assert_eq!(slots(Sgd { momentum: 0.5, ..Sgd::new(0.1) }), ["velocity"]);
}

#[test]
fn the_corrections_of_adam_grow_to_1_and_stay_there() {
    let scalars = |t| Optimizer::<f32>::scalars(&Adam::default(), t);
    assert!((scalars(1)[0] - 0.1).abs() < 1e-15 && (scalars(1)[1] - 0.001_f64.sqrt()).abs() < 1e-15);
    let mut last = scalars(1);
    for t in 2..2000 {
        let next = scalars(t);
        assert!(next[0] >= last[0] && next[1] > last[1] && next[1] < 1.0, "step {t}");
        last = next;
    }
    assert_eq!(scalars(1_000_000), [1.0, 1.0]);
    assert_eq!(scalars(u64::MAX), [1.0, 1.0]);
}

fn finite_where_the_gradient_is_0<T: Real>(optimizer: &dyn Optimizer<T>) {
    let graph = Graph::new();
    let parameter = graph.variable([[T::ONE, T::ZERO]]);
    let slots = vec![graph.filled(1, 2, T::ZERO); optimizer.slots().len()];
    let scalars: Vec<_> =
        optimizer.scalars(1).into_iter().map(|number| parameter.scalar(T::from_f64(number))).collect();
    let gradient = graph.filled(1, 2, T::ZERO);
    let rate = parameter.scalar(T::ONE);
    let (new, _) = optimizer.update(&Step { parameter, gradient, slots: &slots, rate, scalars: &scalars });
    assert_eq!(new.value(), parameter.value());
}

#[test]
fn a_gradient_of_0_moves_nothing_at_first() {
    finite_where_the_gradient_is_0::<f32>(&Sgd { momentum: 0.9, nesterov: true, rate: 1.0 });
    finite_where_the_gradient_is_0::<f32>(&RmsProp::default());
    finite_where_the_gradient_is_0::<f32>(&Adam::default());
    finite_where_the_gradient_is_0::<f64>(&Adam { epsilon: 1e-300, ..Adam::default() });
}
