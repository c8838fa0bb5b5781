//! What a model says about data, without training on it.

use autograd::{Graph, Matrix, Program, Real, Shape, Var};

use crate::data::{Batches, Dataset};
use crate::error::TrainError;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::metric::{Accuracy, Mean};
use crate::params::{Params, Scope};

/// Samples that are evaluated at once.
const BATCH: usize = 500;

/// How well a model does on a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss of a sample.
    pub loss: f64,
    /// The part of the samples whose largest output is that of their class, or `None` if the targets are not classes.
    pub accuracy: Option<f64>,
    /// How many samples.
    pub samples: usize,
}

/// Loss and accuracy of `model` on `data`.
///
/// # Errors
/// If a target is no class of the model.
///
/// # Panics
/// If the model does not take such samples, or the loss not such targets.
///
/// # Examples
/// ```
/// use autograd::Matrix;
/// use nn::{Mlp, Params, data::Dataset};
/// let mut params = Params::<f64>::new(1);
/// let model = Mlp::new(2).layer(3, nn::Activation::Identity).build(&mut params);
/// let data = Dataset::labelled(Matrix::zeros(5, 2), vec![0, 1, 2, 0, 1], 3)?;
/// let found = nn::evaluate(&model, &nn::loss::cross_entropy, &params, &data)?;
/// assert!((found.loss - 3f64.ln()).abs() < 1e-15 && found.samples == 5); // all classes alike
/// # Ok::<(), nn::error::TrainError>(())
/// ```
#[track_caller]
pub fn evaluate<T: Real>(
    model: &dyn Layer<T>,
    loss: &dyn Loss<T>,
    params: &Params<T>,
    data: &Dataset<T>,
) -> Result<Evaluation, TrainError> {
    let mut mean = Mean::default();
    let mut accuracy = Accuracy::default();
    each_batch(model, Some(loss), params, data, |program, rows| {
        mean.add(program.item(1).to_f64(), rows.len());
        if let Some(labels) = data.labels() {
            let labels: Vec<usize> = rows.iter().map(|&row| labels[row] as usize).collect();
            accuracy.add(&program.output(0), &labels)?;
        }
        Ok(())
    })?;
    let loss = mean.result().unwrap_or(f64::NAN);
    Ok(Evaluation { loss, accuracy: accuracy.result(), samples: data.len() })
}

/// The output of `model` for each sample of `data`, one a row.
///
/// # Errors
/// Does not happen for a model that only looks at its features.
///
/// # Panics
/// If the model does not take such samples.
///
/// # Examples
/// ```
/// use autograd::Matrix;
/// use nn::{Mlp, Params, data::Dataset};
/// let mut params = Params::<f64>::new(1);
/// let model = Mlp::new(2).layer(3, nn::Activation::Identity).build(&mut params);
/// let data = Dataset::labelled(Matrix::zeros(5, 2), vec![0, 1, 2, 0, 1], 3)?;
/// assert_eq!(nn::predict(&model, &params, &data)?, Matrix::zeros(5, 3)); // no bias yet, no feature
/// # Ok::<(), nn::error::TrainError>(())
/// ```
#[track_caller]
pub fn predict<T: Real>(model: &dyn Layer<T>, params: &Params<T>, data: &Dataset<T>) -> Result<Matrix<T>, TrainError> {
    let mut shape = Shape::new(0, 0);
    let mut all = Vec::new();
    each_batch(model, None, params, data, |program, rows| {
        shape = Shape::new(shape.rows + rows.len(), program.output(0).cols());
        all.extend_from_slice(program.output_slice(0));
        Ok(())
    })?;
    Ok(Matrix::new(shape.rows, shape.cols, all))
}

/// Runs the model over the data, batch by batch: output 0 is the prediction, output 1 the loss if there is one.
#[track_caller]
fn each_batch<T: Real>(
    model: &dyn Layer<T>,
    loss: Option<&dyn Loss<T>>,
    params: &Params<T>,
    data: &Dataset<T>,
    mut visit: impl FnMut(&Program<T>, &[usize]) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut compiled: Option<(usize, Program<T>)> = None;
    for rows in &Batches::sequential(data.len(), BATCH)? {
        let (_, program) = match compiled.take() {
            Some((samples, program)) if samples == rows.len() => compiled.insert((samples, program)),
            _ => compiled.insert((rows.len(), forward(model, loss, params, data, rows.len()))),
        };
        let (features, targets) = program.inputs_mut(0, 1);
        data.gather(rows, features, targets)?;
        program.execute()?;
        visit(program, rows)?;
    }
    Ok(())
}

#[track_caller]
fn forward<T: Real>(
    model: &dyn Layer<T>,
    loss: Option<&dyn Loss<T>>,
    params: &Params<T>,
    data: &Dataset<T>,
    samples: usize,
) -> Program<T> {
    let graph = Graph::new();
    let scope = Scope::new(&graph, params);
    let x = graph.input(samples, data.features());
    let t = graph.input(samples, data.targets());
    let y = model.forward(&scope, x);
    let outputs = [Some(y), loss.map(|loss| loss(y, t))];
    let outputs: Vec<Var<'_, T>> = outputs.into_iter().flatten().collect();
    match graph.compile(&[x, t], &[], &outputs) {
        Ok(program) => program,
        Err(error) => panic!("evaluate: {error}"),
    }
}
