//! Colours that also people with a colour vision deficiency tell apart.

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// The colour of a value that is no number.
pub(super) const MISSING: Rgb = [160, 160, 160];

/// The colour of series or class `index`: the palette of M. Okabe and K. Ito, "Color universal design", 2008.
pub(super) fn series(index: usize) -> &'static str {
    const PALETTE: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#333333"];
    PALETTE[index % PALETTE.len()]
}

/// From dark blue at −1 over white at 0 to dark red at 1; beyond, as at the ends.
pub(super) fn diverging(x: f64) -> Rgb {
    const STOPS: [Rgb; 5] = [[12, 58, 128], [96, 160, 214], [250, 250, 250], [226, 112, 88], [132, 12, 36]];
    interpolated(&STOPS, (x + 1.0) / 2.0)
}

/// From blue at 0 over white at ½ to orange at 1, pale enough for points of the series' colours.
pub(super) fn probability(x: f64) -> Rgb {
    const STOPS: [Rgb; 3] = [[110, 178, 220], [250, 250, 250], [240, 160, 98]];
    interpolated(&STOPS, x)
}

/// From white at 0 to dark blue at 1.
pub(super) fn sequential(x: f64) -> Rgb {
    const STOPS: [Rgb; 3] = [[255, 255, 255], [120, 176, 220], [12, 70, 140]];
    interpolated(&STOPS, x)
}

/// `#rrggbb`.
pub(super) fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colour at `x` of `0..=1` on a scale of equally distant stops.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions and colours are clamped")]
fn interpolated<const N: usize>(stops: &[Rgb; N], x: f64) -> Rgb {
    if x.is_nan() {
        return MISSING;
    }
    let intervals = N - 1;
    let position = x.clamp(0.0, 1.0) * intervals as f64;
    let left = (position.floor() as usize).min(intervals - 1);
    let share = position - left as f64;
    std::array::from_fn(|channel| {
        let (from, to) = (f64::from(stops[left][channel]), f64::from(stops[left + 1][channel]));
        (from + share * (to - from)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_meet_their_stops() {
        assert_eq!(diverging(0.0), [250, 250, 250]);
        assert_eq!(diverging(-7.0), [12, 58, 128]);
        assert_eq!(diverging(1.0), [132, 12, 36]);
        assert_eq!(probability(0.25), [180, 214, 235]);
        assert_eq!(diverging(f64::NAN), MISSING);
        assert_eq!(hex([1, 171, 255]), "#01abff");
    }
}
