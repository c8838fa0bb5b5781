//! Small matrices: work that is all overhead where a library has much of it.

use autograd::Graph;
use nn::optimizer::Sgd;
use nn::{Activation, Mlp, Params, TrainingStep, loss};

use super::work::{Outcome, Result, Work, checksum, fill, per_call};

/// A step of 2-3-1 on the four points, compiled.
pub(crate) fn xor(work: &Work) -> Result<Outcome> {
    const RATE: f64 = 2.0;
    let mut params = Params::<f64>::new(0);
    let model = Mlp::new(2).layer(3, Activation::Sigmoid).layer(1, Activation::Sigmoid).build(&mut params);
    fill(&mut params, &work.f64("xor.weights")?)?;
    let mut step = TrainingStep::new(&model, &loss::mean_squared_error, &Sgd::new(RATE), &params, (4, 2, 1));
    let (points, targets) = work.points("xor", 2, 1)?;
    let (x, t) = step.batch_mut();
    x.copy_from_slice(points.as_slice());
    t.copy_from_slice(targets.as_slice());
    let losses = (0..1000).map(|_| step.run(RATE, &[])).collect::<std::result::Result<Vec<f64>, _>>()?;
    let seconds = per_call(|| Ok(step.run(RATE, &[]).map(drop)?))?;
    Ok(Outcome { numbers: vec![losses[0], losses[999]], seconds, bytes: None })
}

/// Half of the squared error of 24-8-2 on 200 rows, and its gradient; parameters are fed at each call.
pub(crate) fn value_and_gradient(work: &Work) -> Result<Outcome> {
    const SHAPES: [(usize, usize); 4] = [(24, 8), (1, 8), (8, 2), (1, 2)];
    let (points, targets) = work.points("small", 24, 2)?;
    let numbers = work.f64("small.weights")?;
    let graph = Graph::new();
    let parameters = SHAPES.map(|(rows, cols)| graph.input(rows, cols));
    let [w1, b1, w2, b2] = parameters;
    let hidden = (graph.constant(points).matmul(w1) + b1).tanh();
    let value = 0.5 * (hidden.matmul(w2) + b2 - graph.constant(targets)).square().sum();
    let outputs = [vec![value], value.gradient(parameters).to_vec()].concat();
    let mut program = graph.compile(&parameters, &[], &outputs)?;
    let mut call = || {
        let mut rest = numbers.as_slice();
        for (i, (rows, cols)) in SHAPES.into_iter().enumerate() {
            let (head, tail) = rest.split_at(rows * cols);
            program.input_mut(i).copy_from_slice(head);
            rest = tail;
        }
        program.execute()
    };
    call()?;
    let seconds = per_call(|| Ok(call()?))?;
    let gradient = (1..=4).flat_map(|i| program.output_slice(i));
    Ok(Outcome { numbers: vec![program.item(0), checksum(gradient)], seconds, bytes: None })
}
