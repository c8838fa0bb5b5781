//! Images in a grid: digits, or what the neurons of a first layer look for.

use std::path::Path;

use autograd::{Matrix, Real};

use super::colour::{self, Rgb};
use crate::error::PlotError;

/// The most pixels of a picture.
const LIMIT: usize = 1 << 26;
/// Width of the lines between images, in pixels of the picture.
const GAP: usize = 3;
const BACKGROUND: Rgb = [255, 255, 255];

/// What the strongest colours of an image of weights stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contrast {
    /// The largest weight of all images: they can be compared.
    Shared,
    /// The largest weight of each image: all can be seen.
    Each,
}

/// Images of one size side by side, as a PNG picture.
///
/// ```
/// use autograd::Matrix;
/// use nn::plot::{Contrast, ImageGrid};
/// // Four inputs, seen as 2 x 2 pixels; three neurons.
/// let weights = Matrix::from_fn(4, 3, |i, j| i as f64 - j as f64);
/// let png = ImageGrid::weights(&weights, (2, 2), Contrast::Shared)?.columns(3).to_png()?;
/// assert_eq!(png[1..4], *b"PNG");
/// # Ok::<(), nn::error::PlotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageGrid {
    /// Height and width of an image.
    size: (usize, usize),
    images: Vec<Vec<Rgb>>,
    columns: usize,
    zoom: usize,
}

impl ImageGrid {
    /// The columns of a weight matrix, one a neuron, as images of `size = (height, width)`: red is positive, blue is
    /// negative, white is 0, grey is not finite.
    ///
    /// # Errors
    /// [`PlotError::PixelCount`] if the matrix has not `height · width` rows, [`PlotError::Empty`] if there is no
    /// neuron or no pixel.
    pub fn weights<T: Real>(weights: &Matrix<T>, size: (usize, usize), contrast: Contrast) -> Result<Self, PlotError> {
        let largest =
            |weights: &[T]| weights.iter().map(|w| w.to_f64().abs()).filter(|w| w.is_finite()).fold(0.0, f64::max);
        let shared = largest(weights.as_slice());
        let neurons = weights.transpose();
        let image = |neuron: usize| {
            let weights = neurons.row(neuron);
            let strongest = match contrast {
                Contrast::Shared => shared,
                Contrast::Each => largest(weights),
            };
            weights.iter().map(|w| weight_colour(w.to_f64(), strongest)).collect()
        };
        Self::new(size, (0..neurons.rows()).map(image).collect(), neurons.cols())
    }

    /// Grey images of `size = (height, width)`, one byte a pixel, 0 is black.
    ///
    /// # Errors
    /// [`PlotError::PixelCount`] if an image has not `height · width` pixels, [`PlotError::Empty`] if there is no
    /// image or no pixel.
    ///
    /// ```no_run
    /// use nn::{data::Dataset, plot::ImageGrid};
    /// let (train, _) = Dataset::<f32>::mnist("examples/data/mnist")?;
    /// ImageGrid::grey((0..100).filter_map(|i| train.image(i)), (28, 28))?.write("digits.png")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grey<'a>(images: impl IntoIterator<Item = &'a [u8]>, size: (usize, usize)) -> Result<Self, PlotError> {
        let images: Vec<&[u8]> = images.into_iter().collect();
        let wrong = images.iter().map(|image| image.len()).find(|&found| Some(found) != size.0.checked_mul(size.1));
        let found = wrong.or_else(|| size.0.checked_mul(size.1)).unwrap_or(0);
        let coloured = images.iter().map(|image| image.iter().map(|&grey| [grey; 3]).collect()).collect();
        Self::new(size, coloured, found)
    }

    /// Images that all have `found` pixels.
    fn new(size: (usize, usize), images: Vec<Vec<Rgb>>, found: usize) -> Result<Self, PlotError> {
        let (height, width) = size;
        if images.is_empty() || height == 0 || width == 0 {
            return Err(PlotError::Empty { what: "no image, or images without pixels" });
        }
        if height.checked_mul(width) != Some(found) {
            return Err(PlotError::PixelCount { height, width, found });
        }
        let columns = (1..images.len()).find(|n| n * n >= images.len()).unwrap_or(1);
        Ok(Self { size, images, columns, zoom: (112 / height.max(width)).clamp(1, 16) })
    }

    /// Number of images in a row, at least 1; as many as rows, if not set.
    #[must_use]
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns.max(1);
        self
    }

    /// Width of a pixel of an image in pixels of the picture, at least 1.
    #[must_use]
    pub fn zoom(mut self, zoom: usize) -> Self {
        self.zoom = zoom.max(1);
        self
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// [`PlotError::TooLarge`], [`PlotError::Encode`].
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        let (width, height) = self.picture_size()?;
        let mut picture = vec![BACKGROUND; width * height];
        for (index, image) in self.images.iter().enumerate() {
            let (row, column) = (index / self.columns, index % self.columns);
            let left = GAP + column * (self.size.1 * self.zoom + GAP);
            let top = GAP + row * (self.size.0 * self.zoom + GAP);
            for y in 0..self.size.0 * self.zoom {
                let line = &image[y / self.zoom * self.size.1..][..self.size.1];
                let start = (top + y) * width + left;
                for (x, pixel) in picture[start..][..self.size.1 * self.zoom].iter_mut().enumerate() {
                    *pixel = line[x / self.zoom];
                }
            }
        }
        encode_png(width, height, picture.as_flattened())
    }

    /// Writes the picture to a PNG file.
    ///
    /// # Errors
    /// Those of [`to_png`](Self::to_png), and [`PlotError::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        super::write(path.as_ref(), &self.to_png()?)
    }

    /// Width and height of the picture.
    fn picture_size(&self) -> Result<(usize, usize), PlotError> {
        let columns = self.columns.min(self.images.len());
        let rows = self.images.len().div_ceil(self.columns);
        let extent = |images: usize, pixels: usize| {
            pixels.saturating_mul(self.zoom).saturating_add(GAP).saturating_mul(images).saturating_add(GAP)
        };
        let (width, height) = (extent(columns, self.size.1), extent(rows, self.size.0));
        if width.saturating_mul(height) > LIMIT {
            return Err(PlotError::TooLarge { width, height, limit: LIMIT });
        }
        Ok((width, height))
    }
}

fn weight_colour(weight: f64, strongest: f64) -> Rgb {
    if !weight.is_finite() {
        return colour::MISSING;
    }
    colour::diverging(if strongest > 0.0 { weight / strongest } else { 0.0 })
}

/// A PNG file of a picture of at most [`LIMIT`] pixels of three bytes.
#[allow(clippy::cast_possible_truncation, reason = "both are at most LIMIT")]
pub(super) fn encode_png(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>, PlotError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(file)
}
