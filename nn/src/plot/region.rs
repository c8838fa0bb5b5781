//! What a function of two numbers makes of the plane.

use std::path::Path;

use super::axis::Axis;
use super::colour;
use super::image::encode_png;
use super::svg::{Anchor, Svg, base64, path_data};
use crate::error::PlotError;

const LEFT: f64 = 76.0;
const TOP: f64 = 70.0;
const SIDE: f64 = 380.0;
const BAR: f64 = LEFT + SIDE + 24.0;
const WIDTH: f64 = BAR + 70.0;
const HEIGHT: f64 = TOP + SIDE + 56.0;
/// The function is asked in the middle of so many squares a side.
const GRID: usize = 160;

/// A function from the plane to `0..=1`, the probability of class 1, drawn in colours, with the line on which it is ½
/// and with the samples on top.
///
/// ```
/// use nn::plot::DecisionRegion;
/// let svg = DecisionRegion::new("x AND y", (-0.5, 1.5), (-0.5, 1.5))?
///     .samples(0, &[(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)])
///     .samples(1, &[(1.0, 1.0)])
///     .legend(&["false", "true"])
///     .to_svg(|x, y| 1.0 / (1.0 + (12.0 - 8.0 * x - 8.0 * y).exp()))?;
/// assert!(svg.contains("data:image/png;base64,"));
/// # Ok::<(), nn::error::PlotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DecisionRegion {
    title: String,
    x_label: String,
    y_label: String,
    classes: Vec<String>,
    x: Axis,
    y: Axis,
    x_range: (f64, f64),
    y_range: (f64, f64),
    samples: Vec<(usize, f64, f64)>,
}

impl DecisionRegion {
    /// The part of the plane with `x` and `y` between these ends.
    ///
    /// # Errors
    /// [`PlotError::Range`] if an end is not finite, or the first one is not smaller.
    pub fn new(title: impl Into<String>, x_range: (f64, f64), y_range: (f64, f64)) -> Result<Self, PlotError> {
        let x = Axis::new(x_range.0, x_range.1, (LEFT, LEFT + SIDE))?;
        let y = Axis::new(y_range.0, y_range.1, (TOP + SIDE, TOP))?;
        Ok(Self {
            title: title.into(),
            x_label: String::new(),
            y_label: String::new(),
            classes: Vec::new(),
            x,
            y,
            x_range,
            y_range,
            samples: Vec::new(),
        })
    }

    /// What the horizontal axis measures, with its unit.
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

    /// Says what the marks of the classes 0, 1, … of the samples stand for.
    #[must_use]
    pub fn legend(mut self, classes: &[&str]) -> Self {
        self.classes = classes.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Adds samples of a class, `(x, y)` each; those outside are not drawn.
    #[must_use]
    pub fn samples(mut self, class: usize, samples: &[(f64, f64)]) -> Self {
        self.samples.extend(samples.iter().map(|&(x, y)| (class, x, y)));
        self
    }

    /// The picture of `f` as an SVG document. Where `f` is NaN it is grey.
    ///
    /// # Errors
    /// [`PlotError::Encode`].
    pub fn to_svg(&self, mut f: impl FnMut(f64, f64) -> f64) -> Result<String, PlotError> {
        let at = |(low, high): (f64, f64), i: usize| low + (high - low) * (i as f64 + 0.5) / GRID as f64;
        let mut values = Vec::with_capacity(GRID * GRID);
        for row in 0..GRID {
            let y = at(self.y_range, GRID - 1 - row);
            values.extend((0..GRID).map(|column| f(at(self.x_range, column), y)));
        }
        let mut svg = Svg::new(WIDTH, HEIGHT, &self.title);
        svg.title((LEFT, 28.0), Anchor::Start, &self.title);
        self.draw_legend(&mut svg);
        draw_values(&mut svg, &values)?;
        draw_contour(&mut svg, &values);
        self.draw_axes(&mut svg);
        self.draw_samples(&mut svg);
        draw_bar(&mut svg);
        Ok(svg.finish())
    }

    /// Writes the picture of `f` to an SVG file.
    ///
    /// # Errors
    /// [`PlotError::Encode`], [`PlotError::Io`].
    pub fn write(&self, path: impl AsRef<Path>, f: impl FnMut(f64, f64) -> f64) -> Result<(), PlotError> {
        super::write(path.as_ref(), self.to_svg(f)?.as_bytes())
    }

    fn draw_axes(&self, svg: &mut Svg) {
        let bottom = TOP + SIDE;
        for (value, label) in self.x.ticks(6, false) {
            if let Some(at) = self.x.pixel(value) {
                svg.segment((at, bottom), (at, bottom + 5.0), "#888");
                svg.text((at, bottom + 20.0), Anchor::Middle, "", &label);
            }
        }
        for (value, label) in self.y.ticks(6, false) {
            if let Some(at) = self.y.pixel(value) {
                svg.segment((LEFT - 5.0, at), (LEFT, at), "#888");
                svg.text((LEFT - 9.0, at + 4.5), Anchor::End, "", &label);
            }
        }
        svg.text((LEFT + SIDE / 2.0, HEIGHT - 12.0), Anchor::Middle, "", &self.x_label);
        svg.text_upwards((20.0, TOP + SIDE / 2.0), &self.y_label);
    }

    fn draw_samples(&self, svg: &mut Svg) {
        let within = |(low, high): (f64, f64), value: f64| low <= value && value <= high;
        for &(class, x, y) in &self.samples {
            if let (Some(px), Some(py)) = (self.x.pixel(x), self.y.pixel(y))
                && within(self.x_range, x)
                && within(self.y_range, y)
            {
                draw_mark(svg, class, (px, py));
            }
        }
    }

    fn draw_legend(&self, svg: &mut Svg) {
        let mut x = LEFT;
        for (class, name) in self.classes.iter().enumerate() {
            draw_mark(svg, class, (x + 7.0, 50.0));
            svg.text((x + 20.0, 54.5), Anchor::Start, "", name);
            // Glyphs of this size are about 7.4 wide.
            x += 20.0 + 7.4 * name.chars().count() as f64 + 22.0;
        }
    }
}

/// A circle for an even class, a square for an odd one.
fn draw_mark(svg: &mut Svg, class: usize, (x, y): (f64, f64)) {
    let paint = format!("fill=\"{}\" stroke=\"#fff\" stroke-width=\"1.5\"", colour::series(class));
    if class.is_multiple_of(2) {
        svg.element("circle", &format!("cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"6.5\" {paint}"));
    } else {
        let (left, top) = (x - 6.0, y - 6.0);
        svg.element("rect", &format!("x=\"{left:.2}\" y=\"{top:.2}\" width=\"12\" height=\"12\" {paint}"));
    }
}

/// The values as a picture of a pixel each.
fn draw_values(svg: &mut Svg, values: &[f64]) -> Result<(), PlotError> {
    let rgb: Vec<u8> = values.iter().flat_map(|&value| colour::probability(value)).collect();
    let picture = base64(&encode_png(GRID, GRID, &rgb)?);
    svg.element(
        "image",
        &format!(
            "x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{picture}\""
        ),
    );
    Ok(())
}

/// The line on which the values are ½, by marching squares: in each square of four neighbours, a segment joins the
/// points at which linear interpolation crosses ½.
fn draw_contour(svg: &mut Svg, values: &[f64]) {
    let mut data = String::new();
    for row in 0..GRID - 1 {
        for column in 0..GRID - 1 {
            let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
            let mut crossings = (0..4).filter_map(|i| crossing(values, corners[i], corners[(i + 1) % 4]));
            // A saddle has four crossings, which are joined in pairs.
            while let (Some(from), Some(to)) = (crossings.next(), crossings.next()) {
                data += &path_data([Some(from), Some(to)]);
            }
        }
    }
    svg.element("path", &format!("d=\"{data}\" fill=\"none\" stroke=\"#444\" stroke-width=\"1.5\""));
}

/// The pixel between two points `(row, column)` of the grid at which the values cross ½.
fn crossing(values: &[f64], a: (usize, usize), b: (usize, usize)) -> Option<(f64, f64)> {
    let height = |(row, column): (usize, usize)| values[row * GRID + column] - 0.5;
    let (from, to) = (height(a), height(b));
    if (from < 0.0) == (to < 0.0) || !(from - to).is_finite() {
        return None;
    }
    let share = from / (from - to);
    let pixel = |a: usize, b: usize| SIDE / GRID as f64 * (a as f64 + 0.5 + share * (b as f64 - a as f64));
    Some((LEFT + pixel(a.1, b.1), TOP + pixel(a.0, b.0)))
}

/// Which colour stands for which value.
fn draw_bar(svg: &mut Svg) {
    let colours = [1.0, 0.5, 0.0].map(|value| colour::hex(colour::probability(value)));
    svg.gradient((BAR, TOP), (16.0, SIDE), &colours);
    for (share, label) in [(0.0, "1"), (0.5, "0.5"), (1.0, "0")] {
        svg.text((BAR + 24.0, TOP + share * SIDE + 4.5), Anchor::Start, "", label);
    }
}
