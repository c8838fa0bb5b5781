//! The jobs in burn, on its backend flex: tensors and functions, an optimiser of tensor operations without a tape (that of
//! burn has its epsilon outside of the root).

use burn::tensor::module::linear;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

use crate::work::{DECAY, EPSILON, Work};

struct Parameter<const D: usize> {
    value: Tensor<D>,
    square: Tensor<D>,
}

impl<const D: usize> Parameter<D> {
    fn new(numbers: &[f32], shape: [usize; D], device: &Device) -> Self {
        let value = Tensor::<D>::from_data(TensorData::new(numbers.to_vec(), shape), device).require_grad();
        let square = value.clone().inner().zeros_like();
        Self { value, square }
    }

    fn update(&mut self, gradient: Tensor<D>, work: &Work) {
        let mut direction = gradient.clone();
        if work.rmsprop {
            let square = self.square.clone();
            self.square = square.mul_scalar(DECAY).add(gradient.square().mul_scalar(1.0 - DECAY));
            direction = direction.div(self.square.clone().add_scalar(EPSILON).sqrt());
        }
        let value = self.value.clone().inner() - direction.mul_scalar(work.rate);
        self.value = Tensor::from_inner(value).require_grad();
    }
}

struct Network<'a> {
    work: &'a Work,
    layers: Vec<(Parameter<2>, Parameter<1>)>,
    images: Tensor<2>,
    labels: Tensor<1, Int>,
    device: Device,
}

impl<'a> Network<'a> {
    fn new(work: &'a Work) -> Self {
        let plain = Device::flex();
        let device = plain.clone().autodiff();
        let layer = |((weight, bias), size): (&(Vec<f32>, Vec<f32>), &[usize])| {
            (Parameter::new(weight, [size[0], size[1]], &device), Parameter::new(bias, [size[1]], &device))
        };
        let labels: Vec<i32> = work.labels.iter().copied().map(i32::from).collect();
        let samples = labels.len();
        Self {
            work,
            layers: work.layers.iter().zip(work.sizes.windows(2)).map(layer).collect(),
            images: Tensor::from_data(TensorData::new(work.images.clone(), [samples, work.sizes[0]]), &plain),
            labels: Tensor::from_data(TensorData::new(labels, [samples]), &plain),
            device: plain,
        }
    }

    fn step(&mut self, rows: &[u32]) -> f32 {
        let samples = rows.len();
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [samples]), &self.device);
        let classes = self.labels.clone().select(0, rows.clone()).reshape([samples, 1]).autodiff();
        let mut x = self.images.clone().select(0, rows).autodiff();
        let last = self.layers.len() - 1;
        for (i, (weight, bias)) in self.layers.iter().enumerate() {
            x = linear(x, weight.value.clone(), Some(bias.value.clone()));
            if i < last {
                x = if self.work.relu { activation::relu(x) } else { activation::sigmoid(x) };
            }
        }
        let loss = activation::log_softmax(x, 1).gather(1, classes).mean().neg();
        let mut gradients = loss.backward();
        for (weight, bias) in &mut self.layers {
            let gradient = weight.value.grad_remove(&mut gradients).expect("the loss depends on all weights");
            weight.update(gradient, self.work);
            let gradient = bias.value.grad_remove(&mut gradients).expect("the loss depends on all biases");
            bias.update(gradient, self.work);
        }
        loss.into_scalar()
    }
}

pub fn run(work: &Work) {
    let mut network = Network::new(work);
    work.run("burn 0.22.1 (flex)", |rows| network.step(rows));
}
