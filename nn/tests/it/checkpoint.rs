//! Files of parameters: what is in them, that they come back, and that damaged ones are refused.

use std::fs;
use std::path::{Path, PathBuf};

use autograd::{Matrix, Real};
use nn::error::CheckpointError;
use nn::{Activation, Mlp, Params, load, save};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;

use crate::support::bits;

fn folder_with(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// Numbers of all kinds, in matrices of all kinds of shape.
fn unusual<T: Real>(offset: f64) -> Params<T> {
    let mut params = Params::new(1);
    let special = [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.0 / 3.0, 1e-310, 1e-40, 1e30];
    let special: Vec<T> = special.into_iter().map(|x| T::from_f64(x + offset)).collect();
    params.add("special", Matrix::row_vector(&special));
    params.add("limits", Matrix::from([[T::MAX, T::MIN_POSITIVE], [T::EPSILON, -T::MAX]]));
    params.add("column", Matrix::column_vector(&special));
    params.add("a name with spaces, \"quotes\" and Ω", Matrix::from([[T::from_f64(offset)]]));
    params.add("empty", Matrix::zeros(0, 3));
    params
}

fn come_back<T: Real>() {
    let (_folder, path) = folder_with("model.safetensors");
    let saved = unusual::<T>(0.0);
    save(&saved, &path).unwrap();
    let mut loaded = unusual::<T>(5.0);
    assert_ne!(bits(&loaded), bits(&saved));
    load(&mut loaded, &path).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
}

#[test]
fn what_was_saved_comes_back_bit_for_bit() {
    come_back::<f32>();
    come_back::<f64>();
}

#[test]
fn no_parameters_make_a_file_too() {
    let (_folder, path) = folder_with("nothing");
    save(&Params::<f64>::new(0), &path).unwrap();
    load(&mut Params::<f64>::new(0), &path).unwrap();
}

#[test]
fn the_order_of_parameters_in_the_file_does_not_matter() {
    let (_folder, path) = folder_with("model");
    let (mut one, mut other) = (Params::<f64>::new(0), Params::<f64>::new(0));
    one.add("a", Matrix::from([[1.0]]));
    one.add("b", Matrix::from([[2.0]]));
    let b = other.add("b", Matrix::from([[0.0]]));
    let a = other.add("a", Matrix::from([[0.0]]));
    save(&one, &path).unwrap();
    load(&mut other, &path).unwrap();
    assert_eq!((other.value(a).item(), other.value(b).item()), (1.0, 2.0));
}

fn network<T: Real>() -> Params<T> {
    let mut params = Params::new(7);
    let _ = Mlp::new(3).layer(4, Activation::Relu).layer(2, Activation::Identity).build(&mut params);
    params
}

#[test]
fn other_readers_find_names_types_shapes_and_numbers() {
    let (_folder, path) = folder_with("model.safetensors");
    let single = network::<f32>();
    save(&single, &path).unwrap();
    let file = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(names, ["hidden.0.bias", "hidden.0.weight", "output.bias", "output.weight"]);
    for (name, value) in single.iter() {
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32);
        assert_eq!(tensor.shape(), [value.rows(), value.cols()]);
        let (numbers, rest) = tensor.data().as_chunks::<4>();
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!((numbers.as_slice(), rest.len()), (value.as_slice(), 0));
    }

    let double = network::<f64>();
    save(&double, &path).unwrap();
    let file = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    for (name, value) in double.iter() {
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!((tensor.dtype(), tensor.data().len()), (Dtype::F64, 8 * value.len()));
        let (numbers, _) = tensor.data().as_chunks::<8>();
        let numbers: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        assert_eq!(numbers, value.as_slice());
    }
}

/// A file that another program wrote.
fn write_tensors(path: &Path, tensors: &[(&str, Dtype, &[usize], &[u8])]) {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    let file = safetensors::serialize(views, None).unwrap();
    fs::write(path, file).unwrap();
}

/// Two parameters, `a` (1x2) and `b` (2x1).
fn two() -> Params<f64> {
    let mut params = Params::new(0);
    params.add("a", Matrix::from([[1.0, 2.0]]));
    params.add("b", Matrix::from([[3.0], [4.0]]));
    params
}

/// Loads a file that does not fit, and asserts that nothing changed.
#[track_caller]
fn refused(path: &Path) -> CheckpointError {
    let mut params = two();
    let error = load(&mut params, path).unwrap_err();
    assert_eq!(bits(&params), bits(&two()), "a failed load changes nothing");
    assert!(error.to_string().starts_with(&*path.to_string_lossy()), "{error}");
    error
}

#[test]
fn files_that_do_not_fit_the_model_are_refused_and_change_nothing() {
    let (_folder, path) = folder_with("other");
    let file = path.display();
    let (a, b) = ([7_u8; 16], [9_u8; 16]);
    let a = ("a", Dtype::F64, &[1, 2][..], &a[..]);

    write_tensors(&path, &[a]);
    let error = refused(&path);
    assert!(matches!(&error, CheckpointError::Missing { name, .. } if name == "b"), "{error:?}");
    assert_eq!(error.to_string(), format!("{file}: there is no parameter \"b\"; it has [\"a\"]"));

    write_tensors(&path, &[a, ("b", Dtype::F64, &[2, 1], &b), ("c", Dtype::F64, &[2, 1], &b)]);
    let error = refused(&path);
    assert!(matches!(&error, CheckpointError::Unknown { name, .. } if name == "c"), "{error:?}");
    assert_eq!(error.to_string(), format!("{file}: the model has no parameter \"c\""));

    for shape in [&[1, 2][..], &[2], &[2, 1, 1], &[]] {
        let bytes = &b[..8 * shape.iter().product::<usize>()];
        write_tensors(&path, &[a, ("b", Dtype::F64, shape, bytes)]);
        let error = refused(&path);
        assert!(matches!(&error, CheckpointError::Shape { found, .. } if found == shape), "{error:?}");
        assert_eq!(error.to_string(), format!("{file}: \"b\" has the shape {shape:?}, the model needs 2x1"));
    }

    for (dtype, bytes) in [(Dtype::F32, &b[..8]), (Dtype::I64, &b), (Dtype::BF16, &b[..4])] {
        write_tensors(&path, &[a, ("b", dtype, &[2, 1], bytes)]);
        let error = refused(&path);
        assert!(matches!(&error, CheckpointError::Type { expected: "f64", .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("{file}: \"b\" holds {dtype:?}, the model needs f64"));
    }
}

#[test]
fn files_that_cannot_be_read_or_written_are_named() {
    let (folder, path) = folder_with("absent");
    assert!(matches!(refused(&path), CheckpointError::Io { .. }));
    assert!(matches!(refused(folder.path()), CheckpointError::Io { .. }));
    let error = save(&two(), path.join("in a folder that is none")).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { .. }), "{error:?}");
}

#[test]
fn a_file_is_refused_wherever_it_was_cut_off() {
    let (_folder, path) = folder_with("cut");
    save(&two(), &path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = refused(&path);
        assert!(matches!(error, CheckpointError::Format { .. }), "{length} bytes: {error:?}");
    }
    fs::write(&path, [whole, vec![0]].concat()).unwrap();
    assert!(matches!(refused(&path), CheckpointError::Format { .. }));
}

#[test]
fn a_header_that_announces_more_than_there_is_is_refused() {
    let (_folder, path) = folder_with("announcing");
    for length in [1, 1 << 20, 99_999_999, 100_000_001, u64::MAX / 2, u64::MAX] {
        fs::write(&path, [length.to_le_bytes().as_slice(), b"{}"].concat()).unwrap();
        assert!(matches!(refused(&path), CheckpointError::Format { .. }), "{length}");
    }
    // A shape whose size overflows, and offsets beyond the end.
    for entry in [
        r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,16]}}"#,
        r#"{"a":{"dtype":"F64","shape":[1,2],"data_offsets":[0,1000000000000]}}"#,
        r#"{"a":{"dtype":"F64","shape":[1,2],"data_offsets":[16,0]}}"#,
        r#"{"a":{"dtype":"F64","shape":[1,2],"data_offsets":[18446744073709551615,15]}}"#,
    ] {
        let length = (entry.len() as u64).to_le_bytes();
        fs::write(&path, [length.as_slice(), entry.as_bytes(), &[0; 16]].concat()).unwrap();
        assert!(matches!(refused(&path), CheckpointError::Format { .. }), "{entry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_break_loading(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, path) = folder_with("random");
        fs::write(&path, &bytes).unwrap();
        refused(&path);
        // The same as header of the length that it has.
        let length = (bytes.len() as u64).to_le_bytes();
        fs::write(&path, [length.as_slice(), &bytes].concat()).unwrap();
        refused(&path);
    }

    #[test]
    fn no_damage_breaks_loading(place in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let (_folder, path) = folder_with("damaged");
        save(&two(), &path).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        fs::write(&path, &bytes).unwrap();
        // Damage in the numbers passes: a safetensors file has no checksum. Anything else changes nothing.
        let mut params = two();
        if load(&mut params, &path).is_err() {
            prop_assert_eq!(bits(&params), bits(&two()));
        }
    }

    #[test]
    fn any_numbers_come_back(numbers in proptest::collection::vec(any::<f64>(), 1..50)) {
        let (_folder, path) = folder_with("any");
        let mut params = Params::new(0);
        let id = params.add("w", Matrix::row_vector(&numbers));
        save(&params, &path).unwrap();
        let saved = bits(&params);
        params.value_mut(id).fill(0.0);
        load(&mut params, &path).unwrap();
        prop_assert_eq!(bits(&params), saved);
    }
}
