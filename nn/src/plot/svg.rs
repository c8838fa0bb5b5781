//! The few SVG elements that the pictures are made of.

use std::fmt::Write;

/// Where the point of a text lies in it.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG picture that is being written; lengths are pixels, y grows downwards.
pub(super) struct Svg {
    text: String,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64, description: &str) -> Self {
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" \
             font-size=\"13\" fill=\"#222\">\n<title>{}</title>\n",
            escaped(description)
        );
        text.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        Self { text }
    }

    /// `<name attributes/>`; the attributes are trusted.
    pub(super) fn element(&mut self, name: &str, attributes: &str) {
        self.line(&format!("<{name} {attributes}/>"));
    }

    pub(super) fn segment(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str) {
        let (x1, y1, x2, y2) = (from.0, from.1, to.0, to.1);
        self.element(
            "line",
            &format!("x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\" stroke=\"{stroke}\""),
        );
    }

    pub(super) fn rect(&mut self, corner: (f64, f64), size: (f64, f64), fill: &str) {
        let (x, y, width, height) = (corner.0, corner.1, size.0, size.1);
        self.element(
            "rect",
            &format!("x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" fill=\"{fill}\""),
        );
    }

    /// A text; `attributes` are trusted, `text` is not.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, attributes: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.line(&format!(
            "<text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"{anchor}\" {attributes}>{}</text>",
            at.0,
            at.1,
            escaped(text)
        ));
    }

    /// A text that runs upwards, in the middle of `at`.
    pub(super) fn text_upwards(&mut self, at: (f64, f64), text: &str) {
        self.text(at, Anchor::Middle, &format!("transform=\"rotate(-90 {:.2} {:.2})\"", at.0, at.1), text);
    }

    /// A text in bold, as a title.
    pub(super) fn title(&mut self, at: (f64, f64), anchor: Anchor, text: &str) {
        self.text(at, anchor, "font-size=\"16\" font-weight=\"bold\"", text);
    }

    /// A rectangle whose colours run from the top down, equally distant.
    pub(super) fn gradient(&mut self, corner: (f64, f64), size: (f64, f64), colours: &[String]) {
        self.line("<linearGradient id=\"gradient\" x2=\"0\" y2=\"1\">");
        for (i, colour) in colours.iter().enumerate() {
            let offset = i as f64 / (colours.len() - 1).max(1) as f64;
            self.element("stop", &format!("offset=\"{offset}\" stop-color=\"{colour}\""));
        }
        self.line("</linearGradient>");
        self.rect(corner, size, "url(#gradient)");
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// The `d` of a path through these points, broken wherever one is missing.
pub(super) fn path_data(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut data = String::new();
    let mut command = 'M';
    for point in points {
        command = match point {
            Some((x, y)) => {
                // Writing to a String cannot fail.
                let _ = write!(data, "{command}{x:.2} {y:.2}");
                'L'
            }
            None => 'M',
        };
    }
    data
}

/// Text as XML wants it; characters that XML cannot hold become spaces.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

/// Base64 with padding (RFC 4648), for pictures inside of pictures.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(if digit <= chunk.len() { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        // Section 10 of the RFC.
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn text_cannot_break_out_of_its_element() {
        assert_eq!(escaped("a<b & \"c\"\0>"), "a&lt;b &amp; &quot;c&quot; &gt;");
    }

    #[test]
    fn a_path_is_broken_where_a_point_is_missing() {
        let points = [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0))];
        assert_eq!(path_data(points), "M0.00 1.00L1.00 2.00M3.00 4.00");
    }
}
