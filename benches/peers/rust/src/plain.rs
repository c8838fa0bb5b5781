//! The loop that one writes by hand for 784-512-10 where speed matters: products by `gemm`, all else in plain loops over
//! buffers made once; nothing is computed that is not needed.

use gemm::Parallelism;

use crate::work::{DECAY, EPSILON, Work};

/// A matrix, row by row, perhaps seen transposed.
#[derive(Clone, Copy)]
struct View<'a> {
    rows: usize,
    cols: usize,
    strides: (isize, isize),
    numbers: &'a [f32],
}

impl<'a> View<'a> {
    fn new(numbers: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(numbers.len(), rows * cols);
        Self { rows, cols, strides: (cols as isize, 1), numbers }
    }

    fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, strides: (self.strides.1, self.strides.0), ..self }
    }
}

/// `out = a b`, or `out += a b`.
fn product(out: &mut [f32], a: View<'_>, b: View<'_>, add: bool, threads: Parallelism) {
    assert!(a.cols == b.rows && out.len() == a.rows * b.cols);
    let (m, n, k) = (a.rows, b.cols, a.cols);
    // SAFETY: the pointers are to `a.rows x a.cols`, `b.rows x b.cols` and `m x n` numbers with these strides, checked
    // above and in `View::new`; `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            add,
            a.numbers.as_ptr(),
            a.strides.1,
            a.strides.0,
            b.numbers.as_ptr(),
            b.strides.1,
            b.strides.0,
            1.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

struct Layer {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    weight_square: Vec<f32>,
    bias_square: Vec<f32>,
    weight_gradient: Vec<f32>,
    bias_gradient: Vec<f32>,
}

impl Layer {
    fn new(work: &Work, index: usize) -> Self {
        let (weight, bias) = work.layers[index].clone();
        let zeros = |numbers: &[f32]| vec![0.0; numbers.len()];
        Self {
            inputs: work.sizes[index],
            outputs: work.sizes[index + 1],
            weight_square: zeros(&weight),
            bias_square: zeros(&bias),
            weight_gradient: zeros(&weight),
            bias_gradient: zeros(&bias),
            weight,
            bias,
        }
    }

    fn forward(&self, out: &mut [f32], x: &[f32], threads: Parallelism) {
        let samples = x.len() / self.inputs;
        out.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(&self.bias));
        let weight = View::new(&self.weight, self.inputs, self.outputs);
        product(out, View::new(x, samples, self.inputs), weight, true, threads);
    }

    fn backward(&mut self, x: &[f32], g: &[f32], threads: Parallelism) {
        let samples = x.len() / self.inputs;
        let x = View::new(x, samples, self.inputs).transposed();
        product(&mut self.weight_gradient, x, View::new(g, samples, self.outputs), false, threads);
        self.bias_gradient.fill(0.0);
        for row in g.chunks_exact(self.outputs) {
            self.bias_gradient.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
        }
    }

    fn update(&mut self, rate: f32) {
        rmsprop(&mut self.weight, &mut self.weight_square, &self.weight_gradient, rate);
        rmsprop(&mut self.bias, &mut self.bias_square, &self.bias_gradient, rate);
    }
}

fn rmsprop(p: &mut [f32], s: &mut [f32], g: &[f32], rate: f32) {
    for ((p, s), &g) in p.iter_mut().zip(s).zip(g) {
        *s = DECAY * *s + (1.0 - DECAY) * g * g;
        *p -= rate * g / (*s + EPSILON).sqrt();
    }
}

/// Replaces logits by the cotangent of the mean cross-entropy, and gives that.
fn cross_entropy(logits: &mut [f32], classes: &[u8], width: usize) -> f32 {
    let mut loss = 0.0;
    for (row, &class) in logits.chunks_exact_mut(width).zip(classes) {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let chosen = row[usize::from(class)] - max;
        row.iter_mut().for_each(|z| *z = (*z - max).exp());
        let sum: f32 = row.iter().sum();
        loss += sum.ln() - chosen;
        row.iter_mut().for_each(|z| *z /= sum * classes.len() as f32);
        row[usize::from(class)] -= 1.0 / classes.len() as f32;
    }
    loss / classes.len() as f32
}

pub fn run(work: &Work) {
    assert!(work.relu && work.rmsprop && work.layers.len() == 2, "written for 784-512-10 alone");
    let threads = std::env::var("RAYON_NUM_THREADS").map_or(0, |threads| threads.parse().unwrap());
    let threads = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    let (inputs, hidden, classes) = (work.sizes[0], work.sizes[1], work.sizes[2]);
    let (mut first, mut second) = (Layer::new(work, 0), Layer::new(work, 1));
    let mut x = vec![0.0; work.batch * inputs];
    let mut t = vec![0; work.batch];
    let (mut y, mut dy) = (vec![0.0; work.batch * hidden], vec![0.0; work.batch * hidden]);
    let mut z = vec![0.0; work.batch * classes];
    work.run("gemm 0.19.0", |rows| {
        let samples = rows.len();
        let (x, t) = (&mut x[..samples * inputs], &mut t[..samples]);
        let (y, dy) = (&mut y[..samples * hidden], &mut dy[..samples * hidden]);
        let z = &mut z[..samples * classes];
        for ((x, t), &row) in x.chunks_exact_mut(inputs).zip(t.iter_mut()).zip(rows) {
            x.copy_from_slice(&work.images[row as usize * inputs..][..inputs]);
            *t = work.labels[row as usize];
        }
        first.forward(y, x, threads);
        y.iter_mut().for_each(|y| *y = y.max(0.0));
        second.forward(z, y, threads);
        let loss = cross_entropy(z, t, classes);
        let weight = View::new(&second.weight, hidden, classes).transposed();
        product(dy, View::new(z, samples, classes), weight, false, threads);
        dy.iter_mut().zip(y.iter()).for_each(|(dy, &y)| *dy = if y > 0.0 { *dy } else { 0.0 });
        second.backward(y, z, threads);
        first.backward(x, dy, threads);
        first.update(work.rate);
        second.update(work.rate);
        loss
    });
}
