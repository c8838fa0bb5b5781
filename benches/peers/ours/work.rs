//! What data.py wrote, and what is printed.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use autograd::{Matrix, Real};
use nn::Params;

/// What a job gives.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder with the data.
#[derive(Debug)]
pub(crate) struct Work {
    folder: PathBuf,
}

impl Work {
    pub(crate) fn new(folder: impl AsRef<Path>) -> Self {
        Self { folder: folder.as_ref().to_owned() }
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        Ok(std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?)
    }

    fn words<const BYTES: usize>(&self, name: &str) -> Result<Vec<[u8; BYTES]>> {
        let bytes = self.bytes(name)?;
        match bytes.as_chunks() {
            (words, []) => Ok(words.to_vec()),
            _ => Err(format!("{name}: {} bytes are not a multiple of {BYTES}", bytes.len()).into()),
        }
    }

    pub(crate) fn f32(&self, name: &str) -> Result<Vec<f32>> {
        Ok(self.words(name)?.into_iter().map(f32::from_le_bytes).collect())
    }

    pub(crate) fn f64(&self, name: &str) -> Result<Vec<f64>> {
        Ok(self.words(name)?.into_iter().map(f64::from_le_bytes).collect())
    }

    /// The order of the samples, epoch after epoch.
    pub(crate) fn order(&self) -> Result<Vec<usize>> {
        Ok(self.words("order")?.into_iter().map(|word| u32::from_le_bytes(word) as usize).collect())
    }

    /// Inputs and targets of one of the small jobs: `inputs` and `targets` columns of a table.
    pub(crate) fn points(&self, name: &str, inputs: usize, targets: usize) -> Result<(Matrix<f64>, Matrix<f64>)> {
        let numbers = self.f64(&format!("{name}.points"))?;
        let cols = inputs + targets;
        let part = |start: usize, width: usize| {
            Matrix::from_fn(numbers.len() / cols, width, |i, j| numbers[i * cols + start + j])
        };
        Ok((part(0, inputs), part(inputs, targets)))
    }
}

/// Replaces the values of all parameters by `numbers`, in order.
pub(crate) fn fill<T: Real>(params: &mut Params<T>, numbers: &[T]) -> Result<()> {
    if params.count() != numbers.len() {
        return Err(format!("{} numbers for {} parameters", numbers.len(), params.count()).into());
    }
    let mut rest = numbers;
    for id in params.ids() {
        let value = params.value_mut(id);
        let (head, tail) = rest.split_at(value.len());
        value.copy_from_slice(head);
        rest = tail;
    }
    Ok(())
}

/// Seconds for a call, five times: each the mean over as many calls as fit into a fifth of a second.
pub(crate) fn per_call(mut f: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed().as_secs_f64() < 0.1 {
        f()?;
        count += 2;
    }
    let mut seconds = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..count {
            f()?;
        }
        seconds.push(start.elapsed().as_secs_f64() / f64::from(count));
    }
    Ok(seconds)
}

/// One number that depends on every element and on its place.
pub(crate) fn checksum<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    numbers.into_iter().enumerate().map(|(i, x)| x * f64::from_usize(i).cos()).sum()
}

/// What is printed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) numbers: Vec<f64>,
    pub(crate) seconds: Vec<f64>,
    pub(crate) bytes: Option<usize>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { numbers, seconds, bytes } = self;
        let version = env!("CARGO_PKG_VERSION");
        write!(f, r#"{{"version": "ours {version}", "numbers": {numbers:?}, "seconds": {seconds:?}"#)?;
        if let Some(bytes) = bytes {
            write!(f, r#", "bytes": {bytes}"#)?;
        }
        write!(f, "}}")
    }
}
