//! The job: network, data, and how the numbers of an epoch are reported. As in work.py.

use std::path::Path;
use std::time::Instant;

pub const DECAY: f32 = 0.9;
pub const EPSILON: f32 = 1e-7;
/// Losses of the first steps that are compared.
const FIRST: usize = 10;
const EPOCHS: usize = 2;

pub struct Work {
    pub sizes: &'static [usize],
    /// Between layers: relu, else sigmoid.
    pub relu: bool,
    /// RMSprop, else plain descent.
    pub rmsprop: bool,
    pub rate: f32,
    pub batch: usize,
    /// Weights (in x out, row by row) and biases of each layer.
    pub layers: Vec<(Vec<f32>, Vec<f32>)>,
    pub images: Vec<f32>,
    pub labels: Vec<u8>,
    /// The order of the samples in each epoch.
    pub orders: Vec<Vec<u32>>,
}

impl Work {
    pub fn read(job: &str, folder: &str) -> Self {
        let read = |name: &str| {
            let path = Path::new(folder).join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let (sizes, relu, rmsprop, rate, batch): (&[usize], _, _, _, _) = match job {
            "mnist" => (&[784, 512, 10], true, true, 0.001, 128),
            "digits" => (&[784, 16, 16, 10], false, false, 0.5, 32),
            _ => panic!("no job {job}"),
        };
        let weights = read(&format!("{job}.weights"));
        let mut numbers = words(&weights).map(f32::from_bits);
        let mut take = |count| numbers.by_ref().take(count).collect::<Vec<f32>>();
        let layers = sizes.windows(2).map(|pair| (take(pair[0] * pair[1]), take(pair[1]))).collect();
        let images = read("images").iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        let (labels, order) = (read("labels"), read("order"));
        let orders = words(&order).collect::<Vec<u32>>().chunks(labels.len()).map(<[u32]>::to_vec).collect();
        Self { sizes, relu, rmsprop, rate, batch, layers, images, labels, orders }
    }

    /// Runs the epochs; `step` trains on the samples of a batch and gives its loss.
    pub fn run(&self, version: &str, mut step: impl FnMut(&[u32]) -> f32) {
        let (mut first, mut means, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        assert_eq!(self.orders.len(), EPOCHS);
        for order in &self.orders {
            let start = Instant::now();
            let losses: Vec<(f64, usize)> =
                order.chunks(self.batch).map(|rows| (f64::from(step(rows)), rows.len())).collect();
            seconds.push(start.elapsed().as_secs_f64());
            if first.is_empty() {
                first.extend(losses.iter().take(FIRST).map(|(loss, _)| *loss));
            }
            let total: f64 = losses.iter().map(|(loss, samples)| loss * *samples as f64).sum();
            means.push(total / order.len() as f64);
        }
        let numbers = [first, means].concat();
        println!("{}", serde_json::json!({ "version": version, "numbers": numbers, "seconds": seconds }));
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
}
