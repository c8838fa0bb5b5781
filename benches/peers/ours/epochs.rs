//! Training on MNIST: epochs, and what their step costs before it runs.

use std::time::Instant;

use benches::network;
use nn::data::Dataset;
use nn::optimizer::{Optimizer, RmsProp, Sgd};
use nn::{Activation, Mlp, Params, TrainingStep, loss};

use super::heap;
use super::work::{Outcome, Result, Work, fill};

/// Losses of the first steps that are compared, as in work.py.
const FIRST: usize = 10;
const PIXELS: usize = 784;

struct Job {
    name: &'static str,
    sizes: &'static [usize],
    activation: Activation,
    batch: usize,
    optimizer: Box<dyn Optimizer<f32>>,
}

impl Job {
    fn main() -> Self {
        let (sizes, activation): (&[usize], _) = (&[PIXELS, 512, 10], Activation::Relu);
        Self { name: "mnist", sizes, activation, batch: 128, optimizer: Box::new(RmsProp::default()) }
    }

    fn small() -> Self {
        let (sizes, activation): (&[usize], _) = (&[PIXELS, 16, 16, 10], Activation::Sigmoid);
        Self { name: "digits", sizes, activation, batch: 32, optimizer: Box::new(Sgd::new(0.5)) }
    }

    fn model(&self, work: &Work) -> Result<(Mlp, Params<f32>)> {
        let (model, mut params) = network(self.sizes, self.activation);
        fill(&mut params, &work.f32(&format!("{}.weights", self.name))?)?;
        Ok((model, params))
    }

    fn step(&self, model: &Mlp, params: &Params<f32>, samples: usize) -> TrainingStep<f32> {
        TrainingStep::new(model, &loss::cross_entropy, self.optimizer.as_ref(), params, (samples, PIXELS, 1))
    }

    /// As `Trainer::fit` does it, with the order of the samples from the file.
    fn run(&self, work: &Work) -> Result<Outcome> {
        let (data, _) = Dataset::<f32>::mnist(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/mnist"))?;
        let (model, params) = self.model(work)?;
        let mut whole = self.step(&model, &params, self.batch);
        let mut rest = self.step(&model, &params, (data.len() % self.batch).max(1));
        let (mut first, mut means, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        for order in work.order()?.chunks(data.len()) {
            let (start, mut total) = (Instant::now(), 0.0);
            for rows in order.chunks(self.batch) {
                let step = if rows.len() == self.batch {
                    &mut whole
                } else {
                    rest.copy_states_from(&whole);
                    &mut rest
                };
                let (x, t) = step.batch_mut();
                data.gather(rows, x, t)?;
                let loss = f64::from(step.run(self.optimizer.rate(), &[])?);
                total += loss * f64::from(u32::try_from(rows.len())?);
                if first.len() < FIRST {
                    first.push(loss);
                }
            }
            if data.len() % self.batch > 0 {
                whole.copy_states_from(&rest);
            }
            seconds.push(start.elapsed().as_secs_f64());
            means.push(total / f64::from(u32::try_from(order.len())?));
        }
        Ok(Outcome { numbers: [first, means].concat(), seconds, bytes: None })
    }

    /// A step that has run once on the first batch of the first epoch, and its loss.
    fn first_run(&self, work: &Work, mut step: TrainingStep<f32>) -> Result<(TrainingStep<f32>, f64)> {
        let (images, labels) = (work.bytes("images")?, work.bytes("labels")?);
        let (x, t) = step.batch_mut();
        for ((x, t), row) in x.chunks_exact_mut(PIXELS).zip(t).zip(work.order()?) {
            let pixels = &images[row * PIXELS..][..PIXELS];
            x.iter_mut().zip(pixels).for_each(|(x, &pixel)| *x = f32::from(pixel) / 255.0);
            *t = f32::from(labels[row]);
        }
        let loss = step.run(self.optimizer.rate(), &[])?;
        Ok((step, f64::from(loss)))
    }
}

/// 784-512-10.
pub(crate) fn mnist(work: &Work) -> Result<Outcome> {
    on_pool(Job::main, work)
}

/// 784-16-16-10.
pub(crate) fn digits(work: &Work) -> Result<Outcome> {
    on_pool(Job::small, work)
}

/// As in `Trainer::fit`, all of it on a thread of the pool.
fn on_pool(job: fn() -> Job, work: &Work) -> Result<Outcome> {
    let run = || job().run(work).map_err(|error| error.to_string());
    Ok(rayon::join(run, || ()).0?)
}

/// Time to trace, derive and compile the step of 784-512-10, for the first time in this process.
pub(crate) fn compile(work: &Work) -> Result<Outcome> {
    let job = Job::main();
    let (model, params) = job.model(work)?;
    let start = Instant::now();
    let step = job.step(&model, &params, job.batch);
    let seconds = vec![start.elapsed().as_secs_f64()];
    let (_, loss) = job.first_run(work, step)?;
    Ok(Outcome { numbers: vec![loss], seconds, bytes: None })
}

/// Bytes that the step of 784-512-10 holds after it has run.
pub(crate) fn memory(work: &Work) -> Result<Outcome> {
    let job = Job::main();
    let (model, params) = job.model(work)?;
    rayon::broadcast(|_| ()); // threads are there before counting begins
    let (ran, bytes) = heap::held_by(|| job.first_run(work, job.step(&model, &params, job.batch)));
    let (_step, loss) = ran?;
    Ok(Outcome { numbers: vec![loss], seconds: Vec::new(), bytes: Some(bytes) })
}
