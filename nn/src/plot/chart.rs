//! Curves over an axis.

use std::path::Path;

use super::axis::{Axis, Spread};
use super::colour;
use super::svg::{Anchor, Svg, path_data};
use crate::error::PlotError;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 430.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 56.0;
/// Curves of at most this many points also show the points.
const MARKED: usize = 40;
/// Curves of more points are drawn thinner.
const CROWDED: usize = 200;

/// A chart of one or more curves, such as the loss on training and validation data over the epochs.
///
/// Values that are not finite leave a gap.
///
/// ```
/// use nn::plot::Chart;
/// let svg = Chart::new("Loss")
///     .x_label("epoch")
///     .y_label("cross-entropy, nats per sample")
///     .curve("training", &[0.9, 0.4, 0.2])
///     .curve("validation", &[0.8, 0.5, 0.4])
///     .to_svg()?;
/// assert!(svg.starts_with("<svg") && svg.contains(">validation</text>"));
/// # Ok::<(), nn::error::PlotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chart {
    title: String,
    x_label: String,
    y_label: String,
    spread: Spread,
    series: Vec<Series>,
}

#[derive(Clone, Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Chart {
    /// A chart without curves.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x_label: String::new(),
            y_label: String::new(),
            spread: Spread::Linear,
            series: Vec::new(),
        }
    }

    /// What the horizontal axis counts, with its unit.
    #[must_use]
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// What the vertical axis measures, with its unit.
    #[must_use]
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// Makes the vertical axis logarithmic; values that are not positive leave a gap.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.spread = Spread::Logarithmic;
        self
    }

    /// Adds a curve with a value for each of 1, 2, 3, …: epochs.
    #[must_use]
    pub fn curve(self, name: impl Into<String>, values: &[f64]) -> Self {
        let points: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, &value)| ((i + 1) as f64, value)).collect();
        self.curve_through(name, &points)
    }

    /// Adds a curve through the points `(x, y)`, in their order.
    #[must_use]
    pub fn curve_through(mut self, name: impl Into<String>, points: &[(f64, f64)]) -> Self {
        self.series.push(Series { name: name.into(), points: points.to_vec() });
        self
    }

    /// The chart as an SVG document.
    ///
    /// # Errors
    /// [`PlotError::Empty`] if no curve has a point that can be drawn.
    pub fn to_svg(&self) -> Result<String, PlotError> {
        let (x, y) = self.axes().ok_or(PlotError::Empty { what: "no curve has a finite point" })?;
        let mut svg = Svg::new(WIDTH, HEIGHT, &self.title);
        svg.title((LEFT, 28.0), Anchor::Start, &self.title);
        self.draw_legend(&mut svg);
        self.draw_axes(&mut svg, &x, &y);
        for (index, series) in self.series.iter().enumerate() {
            series.draw(&mut svg, colour::series(index), &x, &y);
        }
        Ok(svg.finish())
    }

    /// Writes the chart to an SVG file.
    ///
    /// # Errors
    /// Those of [`to_svg`](Self::to_svg), and [`PlotError::Io`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        super::write(path.as_ref(), self.to_svg()?.as_bytes())
    }

    fn axes(&self) -> Option<(Axis, Axis)> {
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let drawn = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let x = Axis::over(points().filter(drawn).map(|(x, _)| x), (LEFT, WIDTH - RIGHT), Spread::Linear)?;
        let y = Axis::over(points().filter(drawn).map(|(_, y)| y), (HEIGHT - BOTTOM, TOP), self.spread)?;
        Some((x.padded(0.015), y.with_zero().padded(0.02)))
    }

    fn draw_legend(&self, svg: &mut Svg) {
        let mut x = LEFT;
        for (index, series) in self.series.iter().enumerate() {
            let (y, stroke) = (50.0, colour::series(index));
            svg.element("path", &format!("d=\"M{x} {y}h22\" stroke=\"{stroke}\" stroke-width=\"2.5\""));
            svg.text((x + 28.0, y + 4.5), Anchor::Start, "", &series.name);
            // Glyphs of this size are about 7.4 wide.
            x += 28.0 + 7.4 * series.name.chars().count() as f64 + 22.0;
        }
    }

    fn draw_axes(&self, svg: &mut Svg, x: &Axis, y: &Axis) {
        let bottom = HEIGHT - BOTTOM;
        for (value, label) in y.ticks(6, false) {
            if let Some(at) = y.pixel(value) {
                svg.segment((LEFT, at), (WIDTH - RIGHT, at), "#e4e4e4");
                svg.text((LEFT - 8.0, at + 4.5), Anchor::End, "", &label);
            }
        }
        let whole = self.series.iter().flat_map(|s| &s.points).all(|(x, _)| x.fract().abs() < f64::EPSILON);
        for (value, label) in x.ticks(12, whole) {
            if let Some(at) = x.pixel(value) {
                svg.segment((at, bottom), (at, bottom + 5.0), "#888");
                svg.text((at, bottom + 20.0), Anchor::Middle, "", &label);
            }
        }
        svg.segment((LEFT, bottom), (WIDTH - RIGHT, bottom), "#888");
        svg.text((f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 12.0), Anchor::Middle, "", &self.x_label);
        svg.text_upwards((20.0, f64::midpoint(TOP, bottom)), &self.y_label);
    }
}

impl Series {
    fn draw(&self, svg: &mut Svg, stroke: &str, x: &Axis, y: &Axis) {
        let place = |&(px, py): &(f64, f64)| Some((x.pixel(px)?, y.pixel(py)?));
        let data = path_data(self.points.iter().map(place));
        let width = if self.points.len() <= CROWDED { 2.0 } else { 1.2 };
        svg.element(
            "path",
            &format!(
                "d=\"{data}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\" stroke-linejoin=\"round\""
            ),
        );
        if self.points.len() <= MARKED {
            for (px, py) in self.points.iter().filter_map(place) {
                svg.element("circle", &format!("cx=\"{px:.2}\" cy=\"{py:.2}\" r=\"3\" fill=\"{stroke}\""));
            }
        }
    }
}
