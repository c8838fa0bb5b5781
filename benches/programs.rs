//! The work that more than one bench does.

use autograd::{Graph, Matrix, NodeId, Program, Real, Var};

/// Two interleaved half circles: `n` points with their classes, -1 or 1.
#[must_use]
pub fn moons(n: usize) -> (Vec<[f64; 2]>, Vec<f64>) {
    let mut random = nn::Random::new(1337);
    let mut points = Vec::with_capacity(n);
    for i in 0..n {
        let angle = f64::from_usize(i / 2) * std::f64::consts::PI / f64::from_usize(n.div_ceil(2));
        let [x, y] = if i % 2 == 0 { [angle.cos(), angle.sin()] } else { [1.0 - angle.cos(), 0.5 - angle.sin()] };
        points.push([x + 0.1 * random.normal(), y + 0.1 * random.normal()]);
    }
    (points, (0..n).map(|i| if i % 2 == 0 { -1.0 } else { 1.0 }).collect())
}

/// The demo of micrograd: a 2-16-16-1 network of single numbers, recorded anew for each step.
#[derive(Clone, Debug)]
pub struct Demo {
    points: Vec<[f64; 2]>,
    classes: Vec<f64>,
    /// Neuron by neuron: its weights, then its bias.
    pub weights: Vec<f64>,
}

/// Inputs and outputs of each layer.
const LAYERS: [(usize, usize); 3] = [(2, 16), (16, 16), (16, 1)];

impl Demo {
    /// 100 points, and weights between -1 and 1.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is not empty")]
    pub fn new() -> Self {
        let (points, classes) = moons(100);
        let mut random = nn::Random::new(1);
        let mut weights = Vec::new();
        for (inputs, outputs) in LAYERS {
            for _ in 0..outputs {
                weights.extend((0..inputs).map(|_| 2.0 * random.unit() - 1.0));
                weights.push(0.0);
            }
        }
        Self { points, classes, weights }
    }

    /// The scores of all points, from single numbers.
    fn scores<'g>(&self, graph: &'g Graph<f64>, weights: &[Var<'g, f64>]) -> Vec<Var<'g, f64>> {
        let score = |point: &[f64; 2]| {
            let mut weights = weights.iter().copied();
            let mut x: Vec<Var<'g, f64>> = point.iter().map(|&x| graph.constant(x)).collect();
            for (layer, (_, outputs)) in LAYERS.into_iter().enumerate() {
                let neuron = |_| {
                    let products = x.iter().zip(&mut weights).map(|(&x, w)| w * x);
                    let sum = products.reduce(|sum, term| sum + term).unwrap_or(x[0]);
                    let y = weights.next().map_or(sum, |bias| sum + bias);
                    if layer + 1 < LAYERS.len() { y.relu() } else { y }
                };
                x = (0..outputs).map(neuron).collect();
            }
            x[0]
        };
        self.points.iter().map(score).collect()
    }

    /// Records the loss: margins of 1, and a little of the squared weights.
    pub fn loss<'g>(&self, graph: &'g Graph<f64>, weights: &[Var<'g, f64>]) -> Var<'g, f64> {
        let scores = self.scores(graph, weights);
        let losses = scores.iter().zip(&self.classes).map(|(&score, &class)| (1.0 + score * -class).relu());
        let data = losses.sum::<Var<'g, f64>>() / 100.0;
        data + 1e-4 * weights.iter().map(|&w| w * w).sum::<Var<'g, f64>>()
    }

    /// One step of gradient descent: records, differentiates, computes; gives the loss before the step and the number of
    /// nodes.
    pub fn step(&mut self, rate: f64) -> (f64, usize) {
        let graph = Graph::new();
        let weights: Vec<Var<'_, f64>> = self.weights.iter().map(|&w| graph.variable(w)).collect();
        let loss = self.loss(&graph, &weights);
        let gradient = loss.gradient(weights);
        for (w, g) in self.weights.iter_mut().zip(&gradient) {
            *w -= rate * g.item();
        }
        (loss.item(), graph.len())
    }

    /// The same loss and gradient, in the same order, by matrices.
    #[must_use]
    pub fn by_matrices(&self) -> (f64, Vec<f64>) {
        let graph = Graph::new();
        let weights = graph.variable(Matrix::row_vector(&self.weights));
        let points = Matrix::from_fn(self.points.len(), 2, |i, j| self.points[i][j]);
        let (mut x, mut start) = (graph.constant(points), 0);
        for (layer, (inputs, outputs)) in LAYERS.into_iter().enumerate() {
            let len = (inputs + 1) * outputs;
            let of_layer = weights.slice(0..1, start..start + len).reshape(outputs, inputs + 1);
            let bias = of_layer.slice(0..outputs, inputs..inputs + 1).transpose();
            x = x.matmul(of_layer.slice(0..outputs, 0..inputs).transpose()) + bias;
            x = if layer + 1 < LAYERS.len() { x.relu() } else { x };
            start += len;
        }
        let classes = graph.constant(Matrix::column_vector(&self.classes));
        let loss = (1.0 - classes * x).relu().mean() + 1e-4 * weights.square().sum();
        (loss.item(), loss.gradient(weights).value().into_vec())
    }
}

/// A replayed program of single numbers: forward, backward and update of the demo's network on `n` points.
///
/// # Panics
/// If it cannot be compiled.
#[must_use]
pub fn demo_program() -> Program<f64> {
    let demo = Demo::new();
    let graph = Graph::new();
    let weights: Vec<Var<'_, f64>> = demo.weights.iter().map(|&w| graph.variable(w)).collect();
    let loss = demo.loss(&graph, &weights);
    let gradient = loss.gradient(weights.as_slice());
    let updates: Vec<(Var<'_, f64>, Var<'_, f64>)> =
        weights.iter().zip(gradient).map(|(&w, g)| (w, w - g * 0.1)).collect();
    match graph.compile(&[], &updates, &[loss]) {
        Ok(program) => program,
        Err(error) => panic!("{error}"),
    }
}

/// A step of 2-3-1 with sigmoids on the four samples of XOR.
#[derive(Debug)]
pub struct Xor {
    /// One step: its output is the squared error before it.
    pub program: Program<f64>,
    states: [NodeId; 4],
}

const XOR_X: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const XOR_T: [f64; 4] = [0.0, 1.0, 1.0, 0.0];
const XOR_W: [[f64; 3]; 2] = [[4.0, -3.0, 1.0], [-3.5, 4.5, 1.5]];
const XOR_B: [f64; 3] = [-1.0, -1.5, 0.5];
const XOR_V: [f64; 3] = [3.0, 2.5, -1.0];
const XOR_RATE: f64 = 2.0;

impl Xor {
    /// With weights from which it is learned.
    ///
    /// # Panics
    /// If it cannot be compiled.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is not empty")]
    pub fn new() -> Self {
        let graph = Graph::new();
        let (x, t) = (graph.constant(XOR_X), graph.constant(Matrix::column_vector(&XOR_T)));
        let hidden = [graph.variable(XOR_W), graph.variable(Matrix::row_vector(&XOR_B))];
        let output = [graph.variable(Matrix::column_vector(&XOR_V)), graph.variable(Matrix::scalar(0.0))];
        let h = (x.matmul(hidden[0]) + hidden[1]).sigmoid();
        let y = (h.matmul(output[0]) + output[1]).sigmoid();
        let loss = (y - t).square().mean();
        let all = [hidden[0], hidden[1], output[0], output[1]];
        let gradient = loss.gradient(all);
        let updates: [_; 4] = core::array::from_fn(|i| (all[i], all[i] - gradient[i] * XOR_RATE));
        match graph.compile(&[], &updates, &[loss]) {
            Ok(program) => Self { program, states: all.map(Var::id) },
            Err(error) => panic!("{error}"),
        }
    }

    /// The present weights: of the hidden layer row by row, its biases, of the output, its bias.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.states.iter().filter_map(|id| self.program.state_slice(*id)).flatten().copied().collect()
    }

    /// The loss before the first step and the weights after it, by the equations of backpropagation.
    #[must_use]
    pub fn by_hand() -> (f64, Vec<f64>) {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (mut loss, mut dw, mut db, mut dv, mut dc) = (0.0, [[0.0; 3]; 2], [0.0; 3], [0.0; 3], 0.0);
        for (x, t) in XOR_X.into_iter().zip(XOR_T) {
            let h: [f64; 3] = core::array::from_fn(|j| sigmoid(x[0] * XOR_W[0][j] + x[1] * XOR_W[1][j] + XOR_B[j]));
            let y = sigmoid((0..3).map(|j| h[j] * XOR_V[j]).sum());
            loss += (y - t) * (y - t) / 4.0;
            let delta = 2.0 * (y - t) / 4.0 * y * (1.0 - y);
            dc += delta;
            for j in 0..3 {
                dv[j] += delta * h[j];
                let delta = delta * XOR_V[j] * h[j] * (1.0 - h[j]);
                db[j] += delta;
                (0..2).for_each(|i| dw[i][j] += delta * x[i]);
            }
        }
        let old = XOR_W.into_iter().flatten().chain(XOR_B).chain(XOR_V).chain([0.0]);
        let gradient = dw.into_iter().flatten().chain(db).chain(dv).chain([dc]);
        (loss, old.zip(gradient).map(|(w, g)| w - XOR_RATE * g).collect())
    }
}

/// Value and gradient of 24-8-2 with `tanh` on 200 rows, in `f64`: outputs are the squared error and its derivatives.
///
/// # Panics
/// If it cannot be compiled.
#[must_use]
pub fn small_network() -> Program<f64> {
    let graph = Graph::new();
    let (x, t) = (graph.constant(crate::samples(200, 24)), graph.constant(crate::samples(200, 2)));
    let weight = |rows: usize, cols: usize| {
        graph.variable(Matrix::from_fn(rows, cols, |i, j| (f64::from_usize(i * 31 + j * 17) * 0.37).sin() * 0.3))
    };
    let all = [weight(24, 8), weight(1, 8), weight(8, 2), weight(1, 2)];
    let y = ((x.matmul(all[0]) + all[1]).tanh().matmul(all[2]) + all[3]).tanh();
    let loss = (y - t).square().sum() * 0.5;
    let [dw, db, dv, dc] = loss.gradient(all);
    match graph.compile(&all, &[], &[loss, dw, db, dv, dc]) {
        Ok(mut program) => {
            all.iter().enumerate().for_each(|(i, w)| program.input_mut(i).copy_from_slice(w.peek().as_slice()));
            program
        }
        Err(error) => panic!("{error}"),
    }
}
