//! A confusion matrix as a picture.

use std::path::Path;

use super::colour;
use super::svg::{Anchor, Svg};
use crate::error::PlotError;
use crate::metric::ConfusionMatrix;

const LEFT: f64 = 110.0;
const TOP: f64 = 90.0;
const CELL: f64 = 52.0;
const EDGE: f64 = 70.0;

/// A confusion matrix with a coloured cell per pair of classes: rows are true classes, columns predicted ones.
///
/// A cell holds its count and is darker the larger its share of the true class; recalls stand on the right,
/// precisions below, the accuracy in the corner.
///
/// ```
/// use nn::{metric::ConfusionMatrix, plot::ConfusionPlot};
/// let mut confusion = ConfusionMatrix::new(2);
/// confusion.add(0, 1)?;
/// let svg = ConfusionPlot::new("Animals", &confusion).names(["cat", "dog"])?.to_svg();
/// assert!(svg.contains(">cat</text>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConfusionPlot<'a> {
    title: String,
    confusion: &'a ConfusionMatrix,
    names: Vec<String>,
}

impl<'a> ConfusionPlot<'a> {
    /// A picture of this table; classes are called 0, 1, 2, ….
    #[must_use]
    pub fn new(title: impl Into<String>, confusion: &'a ConfusionMatrix) -> Self {
        let names = (0..confusion.classes()).map(|class| class.to_string()).collect();
        Self { title: title.into(), confusion, names }
    }

    /// Names for the classes.
    ///
    /// # Errors
    /// [`PlotError::NameCount`] if there is not one for each class.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, PlotError> {
        self.names = names.into_iter().map(Into::into).collect();
        if self.names.len() == self.confusion.classes() {
            Ok(self)
        } else {
            Err(PlotError::NameCount { names: self.names.len(), classes: self.confusion.classes() })
        }
    }

    /// The picture as an SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let side = CELL * self.names.len() as f64;
        let mut svg = Svg::new((LEFT + side + EDGE + 10.0).max(360.0), TOP + side + EDGE, &self.title);
        svg.title((LEFT, 28.0), Anchor::Start, &self.title);
        svg.text((LEFT + side / 2.0, 54.0), Anchor::Middle, "fill=\"#666\"", "predicted");
        svg.text_upwards((30.0, TOP + side / 2.0), "true");
        for truth in 0..self.names.len() {
            self.draw_row(&mut svg, truth);
        }
        self.draw_edges(&mut svg, side);
        svg.finish()
    }

    /// Writes the picture to an SVG file.
    ///
    /// # Errors
    /// [`PlotError::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        super::write(path.as_ref(), self.to_svg().as_bytes())
    }

    fn draw_row(&self, svg: &mut Svg, truth: usize) {
        let y = TOP + CELL * truth as f64;
        let support = self.confusion.support(truth).max(1) as f64;
        for predicted in 0..self.names.len() {
            let x = LEFT + CELL * predicted as f64;
            let count = self.confusion.count(truth, predicted);
            let share = count as f64 / support;
            // Confusions are rare in a good classifier: the square root makes a share of 1 % visible.
            svg.rect((x, y), (CELL - 1.0, CELL - 1.0), &colour::hex(colour::sequential(share.sqrt())));
            let ink = match (count, share > 0.36) {
                (0, _) => "fill=\"#bbb\"",
                (_, true) => "fill=\"#fff\"",
                (_, false) => "",
            };
            svg.text((x + CELL / 2.0, y + CELL / 2.0 + 4.5), Anchor::Middle, ink, &count.to_string());
        }
    }

    fn draw_edges(&self, svg: &mut Svg, side: f64) {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let grey = "fill=\"#666\"";
        for (class, name) in self.names.iter().enumerate() {
            let along = CELL * (class as f64 + 0.5);
            svg.text((LEFT - 8.0, TOP + along + 4.5), Anchor::End, "", name);
            svg.text((LEFT + along, TOP - 10.0), Anchor::Middle, "", name);
            let (recall, precision) = (self.confusion.recall(class), self.confusion.precision(class));
            svg.text((LEFT + side + 10.0, TOP + along + 4.5), Anchor::Start, grey, &percent(recall));
            svg.text((LEFT + along, TOP + side + 22.0), Anchor::Middle, grey, &percent(precision));
        }
        svg.text((LEFT + side + 10.0, TOP - 10.0), Anchor::Start, grey, "recall");
        svg.text((LEFT - 8.0, TOP + side + 22.0), Anchor::End, grey, "precision");
        let accuracy = percent(self.confusion.accuracy());
        svg.text((LEFT + side + 10.0, TOP + side + 22.0), Anchor::Start, "font-weight=\"bold\"", &accuracy);
        let caption = format!("{} samples, accuracy bottom right", self.confusion.total());
        svg.text((LEFT, TOP + side + 50.0), Anchor::Start, grey, &caption);
    }
}
