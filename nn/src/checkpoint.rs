//! Parameters in files.

use std::fs;
use std::path::Path;

use autograd::Real;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use crate::error::CheckpointError;
use crate::file::write_atomically;
use crate::params::Params;

/// Writes all parameters to a `safetensors` file, which PyTorch and the Hugging Face tools read. The file is either
/// whole or not there.
///
/// # Errors
/// What the operating system says.
///
/// ```
/// use nn::{Activation, Mlp, Params, load, save};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.safetensors");
/// let mut params = Params::<f32>::new(1);
/// let model = Mlp::new(2).layer(3, Activation::Tanh).layer(1, Activation::Identity).build(&mut params);
/// save(&params, &path)?;
///
/// let mut other = Params::<f32>::new(2);
/// let model = Mlp::new(2).layer(3, Activation::Tanh).layer(1, Activation::Identity).build(&mut other);
/// load(&mut other, &path)?;
/// assert!(params.iter().eq(other.iter()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<T: Real>(params: &Params<T>, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let format = |source| CheckpointError::Format { path: path.to_owned(), source };
    let bytes: Vec<Vec<u8>> = params.iter().map(|(_, value)| to_bytes(value.as_slice())).collect();
    let tensors: Result<Vec<_>, _> = params
        .iter()
        .zip(&bytes)
        .map(|((name, value), bytes)| {
            Ok((name, TensorView::new(dtype::<T>(), vec![value.rows(), value.cols()], bytes)?))
        })
        .collect();
    let file = serialize(tensors.map_err(format)?, None).map_err(format)?;
    write_atomically(path, &file).map_err(|source| CheckpointError::Io { path: path.to_owned(), source })
}

/// Reads all parameters from a `safetensors` file. Nothing is changed unless everything fits.
///
/// # Errors
/// If the file cannot be read or is damaged, or its parameters differ from those of the model in name, shape or
/// element type.
///
/// # Examples
/// ```
/// use nn::{Params, load, save};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.safetensors");
/// let (mut trained, mut fresh) = (Params::<f64>::new(1), Params::<f64>::new(2));
/// trained.add("w", [[1.0, 2.0]].into());
/// let w = fresh.add("w", [[0.0, 0.0]].into());
/// save(&trained, &path)?;
/// load(&mut fresh, &path)?;
/// assert_eq!(fresh.value(w).as_slice(), [1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn load<T: Real>(params: &mut Params<T>, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
    let path = path.as_ref().to_owned();
    let file = fs::read(&path).map_err(|source| CheckpointError::Io { path: path.clone(), source })?;
    let tensors =
        SafeTensors::deserialize(&file).map_err(|source| CheckpointError::Format { path: path.clone(), source })?;
    if let Some(name) = tensors.names().into_iter().find(|name| params.find(name).is_none()) {
        return Err(CheckpointError::Unknown { path, name: name.to_owned() });
    }
    let mut values = Vec::new();
    for (name, value) in params.iter() {
        let Ok(tensor) = tensors.tensor(name) else {
            let found = tensors.names().into_iter().map(str::to_owned).collect();
            return Err(CheckpointError::Missing { path, name: name.to_owned(), found });
        };
        if tensor.dtype() != dtype::<T>() {
            let found = format!("{:?}", tensor.dtype());
            return Err(CheckpointError::Type { path, name: name.to_owned(), expected: T::NAME, found });
        }
        if tensor.shape() != [value.rows(), value.cols()] {
            let found = tensor.shape().to_vec();
            return Err(CheckpointError::Shape { path, name: name.to_owned(), expected: value.shape(), found });
        }
        values.push(from_bytes::<T>(tensor.data()));
    }
    for (id, value) in params.ids().zip(values) {
        params.value_mut(id).copy_from_slice(&value);
    }
    Ok(())
}

fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

#[allow(clippy::cast_possible_truncation, reason = "of an f32 that was widened: exact")]
fn to_bytes<T: Real>(values: &[T]) -> Vec<u8> {
    if dtype::<T>() == Dtype::F32 {
        values.iter().flat_map(|x| (x.to_f64() as f32).to_le_bytes()).collect()
    } else {
        values.iter().flat_map(|x| x.to_f64().to_le_bytes()).collect()
    }
}

fn from_bytes<T: Real>(bytes: &[u8]) -> Vec<T> {
    if dtype::<T>() == Dtype::F32 {
        let (numbers, _) = bytes.as_chunks::<4>();
        numbers.iter().map(|bytes| T::from_f64(f64::from(f32::from_le_bytes(*bytes)))).collect()
    } else {
        let (numbers, _) = bytes.as_chunks::<8>();
        numbers.iter().map(|bytes| T::from_f64(f64::from_le_bytes(*bytes))).collect()
    }
}
