//! Pictures of training and of what was learned, as SVG or PNG files.
//!
//! [`Chart`] draws learning curves, [`ConfusionPlot`] a confusion matrix, [`DecisionRegion`] what a function of two
//! numbers makes of the plane, and [`ImageGrid`] images: digits, or the weights of a first layer.
//!
//! Files are replaced as a whole: a viewer never meets half a picture.

mod axis;
mod chart;
mod colour;
mod confusion;
mod image;
mod region;
mod svg;

use std::path::Path;

pub use chart::Chart;
pub use confusion::ConfusionPlot;
pub use image::{Contrast, ImageGrid};
pub use region::DecisionRegion;

use crate::error::PlotError;
use crate::file::write_atomically;

fn write(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    write_atomically(path, bytes).map_err(|source| PlotError::Io { path: path.to_owned(), source })
}
