//! The jobs in candle: variables, its cross-entropy, an optimiser of tensor operations (that of `candle_nn` is another).

use candle_core::{D, Device, Result, Tensor, Var};

use crate::work::{DECAY, EPSILON, Work};

struct Parameter {
    value: Var,
    square: Tensor,
}

impl Parameter {
    fn new(numbers: &[f32], shape: &[usize]) -> Result<Self> {
        let value = Var::from_slice(numbers, shape, &Device::Cpu)?;
        Ok(Self { square: value.zeros_like()?, value })
    }

    fn update(&mut self, g: &Tensor, work: &Work) -> Result<()> {
        let mut direction = g.clone();
        if work.rmsprop {
            self.square = ((&self.square * f64::from(DECAY))? + (g.sqr()? * f64::from(1.0 - DECAY))?)?;
            direction = (g / (&self.square + f64::from(EPSILON))?.sqrt()?)?;
        }
        self.value.set(&(self.value.as_tensor() - (direction * f64::from(work.rate))?)?)
    }
}

struct Network<'a> {
    work: &'a Work,
    layers: Vec<[Parameter; 2]>,
    images: Tensor,
    labels: Tensor,
}

impl<'a> Network<'a> {
    fn new(work: &'a Work) -> Result<Self> {
        let layer = |((weight, bias), size): (&(Vec<f32>, Vec<f32>), &[usize])| {
            Ok([Parameter::new(weight, size)?, Parameter::new(bias, &size[1..])?])
        };
        let labels: Vec<u32> = work.labels.iter().copied().map(u32::from).collect();
        Ok(Self {
            work,
            layers: work.layers.iter().zip(work.sizes.windows(2)).map(layer).collect::<Result<_>>()?,
            images: Tensor::from_slice(&work.images, (labels.len(), work.sizes[0]), &Device::Cpu)?,
            labels: Tensor::from_slice(&labels, labels.len(), &Device::Cpu)?,
        })
    }

    fn step(&mut self, rows: &[u32]) -> Result<f32> {
        let rows = Tensor::from_slice(rows, rows.len(), &Device::Cpu)?;
        let mut x = self.images.index_select(&rows, 0)?;
        let last = self.layers.len() - 1;
        for (i, [weight, bias]) in self.layers.iter().enumerate() {
            x = x.matmul(&weight.value)?.broadcast_add(&bias.value)?;
            if i < last {
                x = if self.work.relu { x.relu()? } else { candle_nn::ops::sigmoid(&x)? };
            }
        }
        let loss = candle_nn::loss::cross_entropy(&x, &self.labels.index_select(&rows, D::Minus1)?)?;
        let gradients = loss.backward()?;
        for parameter in self.layers.iter_mut().flatten() {
            let gradient = gradients.get(&parameter.value).expect("the loss depends on all parameters").clone();
            parameter.update(&gradient, self.work)?;
        }
        loss.to_scalar()
    }
}

pub fn run(work: &Work) {
    let mut network = Network::new(work).expect("the network can be made");
    work.run("candle 0.11.1", |rows| network.step(rows).expect("the step can be run"));
}
