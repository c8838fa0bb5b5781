//! What can be wrong with what comes from outside: one error type per domain.

use std::io;
use std::path::PathBuf;

use autograd::Shape;
use thiserror::Error;

/// What is wrong with the bytes of an IDX file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdxError {
    /// The file does not begin with two zero bytes.
    #[error(
        "not an IDX file: it must begin with the bytes 00 00, an element type and a number of dimensions, \
         and begins with {magic:02x?}"
    )]
    NotIdx {
        /// The first bytes that were found.
        magic: Vec<u8>,
    },
    /// The elements are something else than unsigned bytes.
    #[error("the elements are {} (0x{found:02x}), only unsigned bytes (0x08) are read", element_name(*.found))]
    WrongElementType {
        /// The third byte of the file.
        found: u8,
    },
    /// The file ends too early.
    #[error("truncated: the header announces {expected} bytes, the file holds {found}")]
    Truncated {
        /// Bytes, header included, that the header announces.
        expected: u64,
        /// Bytes, after decompression, that there are.
        found: u64,
    },
    /// The file goes on after its last element.
    #[error("there is more in the file than the {expected} bytes that its header announces")]
    TrailingBytes {
        /// Bytes, header included, that the header announces.
        expected: u64,
    },
    /// The header announces more than is ever read.
    #[error("dimensions {dimensions:?} announce more than the limit of {limit} bytes")]
    TooLarge {
        /// The dimensions of the header.
        dimensions: Vec<usize>,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// The data that is to be written does not fill the dimensions.
    #[error("dimensions {dimensions:?} need as many bytes as their product, {found} were given")]
    WrongLength {
        /// The dimensions, at most 255 of at most 2³² − 1 each.
        dimensions: Vec<usize>,
        /// Number of bytes given.
        found: usize,
    },
    /// The compressed data is damaged, or reading failed.
    #[error("damaged, or cannot be read: {source}")]
    Read {
        /// What the decompressor or the operating system says.
        #[from]
        source: io::Error,
    },
}

/// The name of an IDX element type.
fn element_name(code: u8) -> &'static str {
    match code {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0b => "16-bit integers",
        0x0c => "32-bit integers",
        0x0d => "32-bit floats",
        0x0e => "64-bit floats",
        _ => "of no known type",
    }
}

/// What is wrong with data, or with how it is asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of the data set is not in the folder.
    #[error("{}: neither {name} nor {name}.gz is there; put the four MNIST files into this folder", folder.display())]
    Missing {
        /// The folder that was looked into.
        folder: PathBuf,
        /// The file's name without `.gz`.
        name: &'static str,
    },
    /// A file is not a readable IDX file.
    #[error("{}: {source}", path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdxError,
    },
    /// A file has another number of dimensions than its use needs.
    #[error("{what} need {expected}, the file has the dimensions {found:?}")]
    WrongDimensions {
        /// What the file is used as.
        what: &'static str,
        /// The dimensions needed.
        expected: &'static str,
        /// The dimensions found.
        found: Vec<usize>,
    },
    /// Features and targets are not equally many.
    #[error("{features} rows of features, but {targets} targets: there must be one target a row")]
    Mismatch {
        /// Number of rows of features.
        features: usize,
        /// Number of targets.
        targets: usize,
    },
    /// Two sets that belong together have different numbers of features.
    #[error("{found} features a row where {expected} are needed")]
    FeatureCount {
        /// Number of features needed.
        expected: usize,
        /// Number of features found.
        found: usize,
    },
    /// A class index is not below the number of classes.
    #[error("label {label} at position {index}: with {classes} classes, labels go from 0 to {}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// The label.
        label: usize,
        /// Its position.
        index: usize,
        /// The number of classes.
        classes: usize,
    },
    /// More classes than a target can tell apart.
    #[error("{classes} classes: at most {limit} can be told apart as f32")]
    TooManyClasses {
        /// Number of classes asked for.
        classes: usize,
        /// Largest number of classes, 2²⁴.
        limit: usize,
    },
    /// There is no sample, or a sample has no feature.
    #[error("an empty data set: {samples} samples of {features} features")]
    EmptyDataset {
        /// Number of samples.
        samples: usize,
        /// Number of features a sample.
        features: usize,
    },
    /// A part of a split would be empty.
    #[error("a split after {at} of {len} samples leaves one side empty")]
    EmptySplit {
        /// Size of the first part.
        at: usize,
        /// Number of samples.
        len: usize,
    },
    /// A fraction is not between 0 and 1.
    #[error("a fraction of {fraction}: it must lie between 0 and 1")]
    Fraction {
        /// The fraction asked for.
        fraction: f64,
    },
    /// A sample is asked for that does not exist.
    #[error("sample {index} of {len}: samples go from 0 to {}", len.saturating_sub(1))]
    IndexOutOfRange {
        /// The index asked for.
        index: usize,
        /// Number of samples.
        len: usize,
    },
    /// A buffer does not fit the batch that is to be written into it.
    #[error("the buffer of {what} holds {found} numbers, the batch has {expected}")]
    BufferLength {
        /// Features or targets.
        what: &'static str,
        /// Samples of the batch times numbers a sample.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
    /// Batches of no sample.
    #[error("a batch must hold at least one sample")]
    ZeroBatchSize,
    /// Class indices are needed, and the targets are numbers.
    #[error("the targets are numbers ({columns} a sample), not class indices")]
    NotClasses {
        /// Number of target columns.
        columns: usize,
    },
    /// A feature is infinite, NaN, or too large to be squared.
    #[error("feature {column} has no finite mean and standard deviation: a value is not finite, or too large")]
    NotFinite {
        /// The column.
        column: usize,
    },
}

/// What is wrong with numbers that are to be measured.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum MetricError {
    /// Scores and labels are not equally many.
    #[error("{rows} rows of scores, but {labels} labels: there must be one label a row")]
    Mismatch {
        /// Number of rows of scores.
        rows: usize,
        /// Number of labels.
        labels: usize,
    },
    /// Scores have another shape than the metric needs.
    #[error("scores of shape {found}: the metric needs {expected}")]
    Shape {
        /// The shape found.
        found: Shape,
        /// The shape needed.
        expected: &'static str,
    },
    /// A class index is not below the number of classes.
    #[error("class {class} at position {index}: with {classes} classes, they go from 0 to {}", classes.saturating_sub(1))]
    ClassOutOfRange {
        /// The class.
        class: usize,
        /// Its position.
        index: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A target is not a whole number, and so no class.
    #[error("target {value} in row {row} is not a class index")]
    NotAClass {
        /// The target.
        value: f64,
        /// Its row.
        row: usize,
    },
    /// A score is NaN, so that no class is the largest.
    #[error("the score in row {row}, column {column} is NaN: no class can be chosen")]
    NotANumber {
        /// Row of the NaN.
        row: usize,
        /// Column of the NaN.
        column: usize,
    },
    /// A confusion matrix meets scores or a table of another number of classes.
    #[error("a confusion matrix of {expected} classes cannot take in {found} classes")]
    ClassCount {
        /// Number of classes of the confusion matrix.
        expected: usize,
        /// Number of columns of the scores, or of classes of the other table.
        found: usize,
    },
}

/// What can go wrong with a picture.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The file could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The picture could not be encoded.
    #[error("cannot encode the picture: {source}")]
    Encode {
        /// What the encoder says.
        #[from]
        source: png::EncodingError,
    },
    /// There is nothing to draw.
    #[error("there is nothing to draw: {what}")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// An image has another number of pixels than its size says.
    #[error("an image of {height} x {width} pixels needs {} numbers, {found} were given", height.saturating_mul(*.width))]
    PixelCount {
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
        /// Numbers given.
        found: usize,
    },
    /// The picture would be larger than is sensible.
    #[error("a picture of {width} x {height} pixels: at most {limit} pixels are drawn in all")]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The most pixels of a picture.
        limit: usize,
    },
    /// An axis has no extent, or an end that is not finite.
    #[error("an axis from {low} to {high}: both ends must be finite and the first one smaller")]
    Range {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// The names of the classes are not as many as the classes.
    #[error("{names} names for {classes} classes")]
    NameCount {
        /// Number of names.
        names: usize,
        /// Number of classes.
        classes: usize,
    },
}

/// Why training or evaluation could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A number of the data cannot be used by the program.
    #[error(transparent)]
    Run(#[from] autograd::RunError),
    /// The predictions cannot be measured.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

/// What is wrong with a file of parameters.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is not in the safetensors format, or damaged.
    #[error("{}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: safetensors::SafeTensorError,
    },
    /// The file has no such parameter.
    #[error("{}: there is no parameter {name:?}; it has {found:?}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The parameter that the model has.
        name: String,
        /// The parameters of the file.
        found: Vec<String>,
    },
    /// The file has a parameter that the model does not have.
    #[error("{}: the model has no parameter {name:?}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
    },
    /// A parameter of the file has another shape.
    #[error("{}: {name:?} has the shape {found:?}, the model needs {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The shape in the model.
        expected: autograd::Shape,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A parameter of the file has another element type.
    #[error("{}: {name:?} holds {found}, the model needs {expected}", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The parameter.
        name: String,
        /// The element type of the model.
        expected: &'static str,
        /// The element type in the file.
        found: String,
    },
}
