//! What the examples share: where the data are, where pictures go, and how accuracy is written.

use std::path::{Path, PathBuf};

use nn::Evaluation;

/// The folder of the four MNIST files, which come with the project.
#[must_use]
pub fn mnist_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join("mnist")
}

/// The folder that pictures are written to, `out` at the top of the project; made if it is not there.
///
/// # Errors
/// What the operating system says.
pub fn output_folder() -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("out");
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}

/// The accuracy in percent; NaN if the targets were no classes.
#[must_use]
pub fn percent(evaluation: &Evaluation) -> f64 {
    100.0 * evaluation.accuracy.unwrap_or(f64::NAN)
}
