//! What errors say, word for word.

use std::io;
use std::path::PathBuf;

use autograd::{Matrix, Shape};
use nn::data::{Dataset, Idx};
use nn::error::{CheckpointError, DataError, IdxError, MetricError, PlotError};
use nn::metric::{Accuracy, ConfusionMatrix, predicted_classes};

fn denied() -> io::Error {
    io::Error::other("denied")
}

#[test]
fn files_of_numbers() {
    let said = |bytes: &[u8]| Idx::parse(bytes).unwrap_err().to_string();
    assert_eq!(
        said(b"PNG!"),
        "not an IDX file: it must begin with the bytes 00 00, an element type and a number of dimensions, and begins \
         with [50, 4e, 47, 21]"
    );
    let types = [(9, "signed bytes"), (11, "16-bit integers"), (12, "32-bit integers"), (13, "32-bit floats")];
    for (code, name) in types.into_iter().chain([(14, "64-bit floats"), (7, "of no known type")]) {
        let expected = format!("the elements are {name} (0x{code:02x}), only unsigned bytes (0x08) are read");
        assert_eq!(said(&[0, 0, code, 1, 0, 0, 0, 1, 0]), expected);
    }
    let error = Idx::new(vec![2, 3], vec![0; 5]).unwrap_err().to_string();
    assert_eq!(error, "dimensions [2, 3] need as many bytes as their product, 5 were given");
    assert_eq!(IdxError::Read { source: denied() }.to_string(), "damaged, or cannot be read: denied");
    assert_eq!(
        IdxError::TrailingBytes { expected: 9 }.to_string(),
        "there is more in the file than the 9 bytes that its header announces"
    );
    let error = IdxError::TooLarge { dimensions: vec![9, 9], limit: 80 }.to_string();
    assert_eq!(error, "dimensions [9, 9] announce more than the limit of 80 bytes");
}

#[test]
fn data_sets() {
    let three = Dataset::new(Matrix::<f64>::zeros(3, 2), Matrix::zeros(3, 2)).unwrap();
    let found = [
        Dataset::new(Matrix::<f64>::zeros(3, 2), Matrix::zeros(2, 1)).unwrap_err(),
        three.split(3).unwrap_err(),
        DataError::NotClasses { columns: 2 },
        DataError::Missing { folder: PathBuf::from("data"), name: "train-images" },
        DataError::TooManyClasses { classes: 20, limit: 10 },
        DataError::Fraction { fraction: 1.5 },
        DataError::NotFinite { column: 1 },
        DataError::FeatureCount { expected: 2, found: 3 },
        DataError::LabelOutOfRange { label: 3, index: 1, classes: 3 },
        DataError::EmptyDataset { samples: 0, features: 2 },
        DataError::IndexOutOfRange { index: 3, len: 3 },
        DataError::BufferLength { what: "features", expected: 6, found: 5 },
        DataError::ZeroBatchSize,
        DataError::WrongDimensions { what: "labels", expected: "one dimension, samples", found: vec![2, 2] },
    ];
    let expected = [
        "3 rows of features, but 2 targets: there must be one target a row",
        "a split after 3 of 3 samples leaves one side empty",
        "the targets are numbers (2 a sample), not class indices",
        "data: neither train-images nor train-images.gz is there; put the four MNIST files into this folder",
        "20 classes: at most 10 can be told apart as f32",
        "a fraction of 1.5: it must lie between 0 and 1",
        "feature 1 has no finite mean and standard deviation: a value is not finite, or too large",
        "3 features a row where 2 are needed",
        "label 3 at position 1: with 3 classes, labels go from 0 to 2",
        "an empty data set: 0 samples of 2 features",
        "sample 3 of 3: samples go from 0 to 2",
        "the buffer of features holds 5 numbers, the batch has 6",
        "a batch must hold at least one sample",
        "labels need one dimension, samples, the file has the dimensions [2, 2]",
    ];
    assert_eq!(found.map(|error| error.to_string()), expected);
}

#[test]
fn metrics() {
    let scores = |values: [[f64; 2]; 2]| Matrix::from(values);
    let table = ConfusionMatrix::new(2);
    let found = [
        predicted_classes(&scores([[0.0, 1.0], [2.0, f64::NAN]])).unwrap_err(),
        Accuracy::default().add(&scores([[0.0, 1.0], [1.0, 0.0]]), &[1]).unwrap_err(),
        ConfusionMatrix::new(3).merge(&table).unwrap_err(),
        MetricError::Shape { found: Shape::new(2, 0), expected: "a column" },
        MetricError::ClassOutOfRange { class: 2, index: 1, classes: 2 },
        MetricError::NotAClass { value: 0.5, row: 1 },
    ];
    let expected = [
        "the score in row 1, column 1 is NaN: no class can be chosen",
        "2 rows of scores, but 1 labels: there must be one label a row",
        "a confusion matrix of 3 classes cannot take in 2 classes",
        "scores of shape 2x0: the metric needs a column",
        "class 2 at position 1: with 2 classes, they go from 0 to 1",
        "target 0.5 in row 1 is not a class index",
    ];
    assert_eq!(found.map(|error| error.to_string()), expected);
}

#[test]
fn pictures_and_files_of_parameters() {
    let path = || PathBuf::from("x.svg");
    let found = [
        PlotError::Io { path: path(), source: denied() },
        PlotError::Encode { source: png::EncodingError::IoError(denied()) },
        PlotError::Empty { what: "no image, or images without pixels" },
        PlotError::PixelCount { height: 2, width: 3, found: 5 },
        PlotError::TooLarge { width: 9, height: 9, limit: 80 },
        PlotError::Range { low: 1.0, high: 0.0 },
        PlotError::NameCount { names: 2, classes: 3 },
    ];
    let expected = [
        "x.svg: denied",
        "cannot encode the picture: denied",
        "there is nothing to draw: no image, or images without pixels",
        "an image of 2 x 3 pixels needs 6 numbers, 5 were given",
        "a picture of 9 x 9 pixels: at most 80 pixels are drawn in all",
        "an axis from 1 to 0: both ends must be finite and the first one smaller",
        "2 names for 3 classes",
    ];
    assert_eq!(found.map(|error| error.to_string()), expected);
    let (path, name) = (|| PathBuf::from("x"), || "w".to_owned());
    let found = [
        CheckpointError::Missing { path: path(), name: name(), found: vec!["v".to_owned()] },
        CheckpointError::Unknown { path: path(), name: name() },
        CheckpointError::Shape { path: path(), name: name(), expected: Shape::new(2, 3), found: vec![6] },
        CheckpointError::Type { path: path(), name: name(), expected: "F32", found: "F64".to_owned() },
    ];
    let expected = [
        "x: there is no parameter \"w\"; it has [\"v\"]",
        "x: the model has no parameter \"w\"",
        "x: \"w\" has the shape [6], the model needs 2x3",
        "x: \"w\" holds F64, the model needs F32",
    ];
    assert_eq!(found.map(|error| error.to_string()), expected);
}
