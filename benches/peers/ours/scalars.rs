//! Graphs of single numbers: the 2-16-16-1 network of micrograd's demo, recorded anew for each step of training, and
//! replayed on many points.

use std::time::Instant;

use autograd::{Graph, Real, Var};

use super::work::{Outcome, Result, Work, per_call};

/// Inputs and outputs of each layer.
const LAYERS: [(usize, usize); 3] = [(2, 16), (16, 16), (16, 1)];
/// How much the squares of the parameters count.
const ALPHA: f64 = 1e-4;
const STEPS: u32 = 20;
/// Points on which the network is a program of a million instructions.
const MANY: usize = 1600;
/// Instructions for a point: a product and a sum for each weight, a rectifier for each hidden neuron, one sum more.
const INSTRUCTIONS: usize = 2 * (2 * 16 + 16 * 16 + 16) + 32 + 1;

/// Weights of one neuron, and its bias.
type Neuron<V> = (Vec<V>, V);

/// The neurons of each layer.
fn read(work: &Work) -> Result<Vec<Vec<Neuron<f64>>>> {
    let numbers = work.f64("moons.weights")?;
    let mut rest = numbers.as_slice();
    let layer = |(inputs, outputs): (usize, usize)| {
        let (weights, tail) = rest.split_at(inputs * outputs);
        let (biases, tail) = tail.split_at(outputs);
        rest = tail;
        let neuron = |j: usize| ((0..inputs).map(|i| weights[i * outputs + j]).collect(), biases[j]);
        (0..outputs).map(neuron).collect()
    };
    Ok(LAYERS.into_iter().map(layer).collect())
}

/// The score of a point.
fn score<'g>(graph: &'g Graph<f64>, layers: &[Vec<Neuron<Var<'g, f64>>>], point: &[f64; 2]) -> Var<'g, f64> {
    let mut x = point.map(|x| graph.constant(x)).to_vec();
    for (i, layer) in layers.iter().enumerate() {
        let neuron = |(weights, bias): &Neuron<Var<'g, f64>>| {
            let y = weights.iter().zip(&x).fold(*bias, |sum, (&w, &x)| sum + w * x);
            if i + 1 < LAYERS.len() { y.relu() } else { y }
        };
        x = layer.iter().map(neuron).collect();
    }
    x[0]
}

/// Variables for all parameters.
fn bind<'g>(graph: &'g Graph<f64>, layers: &[Vec<Neuron<f64>>]) -> Vec<Vec<Neuron<Var<'g, f64>>>> {
    let neuron = |(weights, bias): &Neuron<f64>| {
        (weights.iter().map(|&w| graph.variable(w)).collect::<Vec<_>>(), graph.variable(*bias))
    };
    layers.iter().map(|layer| layer.iter().map(neuron).collect()).collect()
}

/// All parameters, neuron by neuron.
fn flat<V: Copy>(layers: &[Vec<Neuron<V>>]) -> Vec<V> {
    layers.iter().flatten().flat_map(|(weights, bias)| weights.iter().chain([bias])).copied().collect()
}

/// One step: records, differentiates, computes, updates; gives the loss before the update.
fn step(layers: &mut [Vec<Neuron<f64>>], points: &[[f64; 2]], classes: &[f64], rate: f64) -> f64 {
    let graph = Graph::new();
    let bound = bind(&graph, layers);
    let parameters = flat(&bound);
    let losses = points.iter().zip(classes).map(|(point, &class)| (1.0 - class * score(&graph, &bound, point)).relu());
    let losses = losses.sum::<Var<'_, f64>>() * 0.01;
    let loss = losses + ALPHA * parameters.iter().map(|&p| p * p).sum::<Var<'_, f64>>();
    let mut gradient = loss.gradient(parameters).into_iter();
    for p in layers.iter_mut().flatten().flat_map(|(weights, bias)| weights.iter_mut().chain([bias])) {
        *p -= gradient.next().map_or(f64::NAN, |g| rate * g.item());
    }
    loss.item()
}

/// Seconds of each step.
pub(crate) fn demo(work: &Work) -> Result<Outcome> {
    let mut layers = read(work)?;
    let (points, classes) = work.points("moons", 2, 1)?;
    let points = points.as_slice().as_chunks().0;
    let (mut losses, mut seconds) = (Vec::new(), Vec::new());
    for k in 0..STEPS {
        let start = Instant::now();
        losses.push(step(&mut layers, points, classes.as_slice(), 1.0 - 0.9 * f64::from(k) / 100.0));
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(Outcome { numbers: losses[..2].to_vec(), seconds, bytes: None })
}

/// Points that are all different, so that nothing is computed only once for two of them.
fn many_points() -> Vec<[f64; 2]> {
    let mut random = nn::Random::new(3);
    (0..MANY).map(|_| [random.normal(), random.normal()]).collect()
}

/// The sum of the scores, without a graph.
fn sum_of_scores(layers: &[Vec<Neuron<f64>>], points: &[[f64; 2]]) -> f64 {
    let score = |point: &[f64; 2]| {
        layers.iter().enumerate().fold(point.to_vec(), |x, (i, layer)| {
            let dot = |(w, b): &Neuron<f64>| w.iter().zip(&x).fold(*b, |sum, (w, x)| sum + w * x);
            layer.iter().map(dot).map(|y| if i + 1 < LAYERS.len() { y.max(0.0) } else { y }).collect()
        })[0]
    };
    points.iter().map(score).sum()
}

fn near(found: f64, expected: f64) -> Result<()> {
    if (found - expected).abs() <= 1e-9 * expected.abs() {
        return Ok(());
    }
    Err(format!("{found} is not {expected}").into())
}

/// Seconds for an instruction of a replayed program of a million.
pub(crate) fn replay(work: &Work) -> Result<Outcome> {
    let (layers, points) = (read(work)?, many_points());
    let graph = Graph::new();
    let bound = bind(&graph, &layers);
    let sum = points.iter().map(|point| score(&graph, &bound, point)).sum::<Var<'_, f64>>();
    let mut program = graph.compile(&flat(&bound), &[], &[sum])?;
    for (i, parameter) in flat(&layers).into_iter().enumerate() {
        program.input_mut(i)[0] = parameter;
    }
    program.execute()?;
    near(program.item(0), sum_of_scores(&layers, &points))?;
    let instructions = f64::from_usize(MANY * INSTRUCTIONS);
    let seconds = per_call(|| Ok(program.execute()?))?.into_iter().map(|time| time / instructions).collect();
    Ok(Outcome { seconds, ..Outcome::default() })
}

/// Seconds for a node that is recorded or derived, and run once.
pub(crate) fn record(work: &Work) -> Result<Outcome> {
    let (layers, points) = (read(work)?, many_points());
    let expected = sum_of_scores(&layers, &points);
    let last: Vec<f64> = flat(&layers[2..]);
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let graph = Graph::new();
        let bound = bind(&graph, &layers);
        let sum = points.iter().map(|point| score(&graph, &bound, point)).sum::<Var<'_, f64>>();
        let gradient: Vec<f64> = sum.gradient(flat(&bound)).into_iter().map(Var::item).collect();
        let nodes = graph.len();
        drop(graph);
        seconds.push(start.elapsed().as_secs_f64() / f64::from_usize(nodes));
        // The sum is linear in the parameters of the last layer.
        let of_last = &gradient[gradient.len() - last.len()..];
        near(last.iter().zip(of_last).map(|(p, g)| p * g).sum(), expected)?;
    }
    Ok(Outcome { seconds, ..Outcome::default() })
}
