//! Pictures: what is in them, and that no data breaks them.

use std::collections::HashSet;
use std::io::Cursor;

use autograd::Matrix;
use nn::error::PlotError;
use nn::metric::ConfusionMatrix;
use nn::plot::{Chart, ConfusionPlot, Contrast, DecisionRegion, ImageGrid};
use proptest::collection::vec;
use proptest::prelude::*;

/// Width, height and pixels of a PNG file.
fn decoded(png: &[u8]) -> (usize, usize, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let pixels = bytes.as_chunks::<3>().0.to_vec();
    (info.width as usize, info.height as usize, pixels)
}

/// Asserts that every element is closed in order, and that every number is one.
#[track_caller]
fn assert_well_formed(svg: &str) {
    assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("inf "), "{svg}");
    assert_balanced(svg);
}

#[track_caller]
fn assert_balanced(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (inside, _) = tag.split_once('>').unwrap();
        let name = inside.trim_start_matches('/').split(' ').next().unwrap();
        match (inside.starts_with('/'), inside.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (_, true) => {}
            _ => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn a_chart_names_its_curves_and_axes() {
    let svg = Chart::new("Loss & accuracy")
        .x_label("epoch")
        .y_label("nats < bits")
        .curve("training", &[0.9, 0.4, 0.2])
        .curve("validation", &[0.8, 0.5, 0.4])
        .to_svg()
        .unwrap();
    assert_well_formed(&svg);
    for text in
        ["Loss &amp; accuracy", "epoch", "nats &lt; bits", "training", "validation", "1", "2", "3", "0.2", "0.8"]
    {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}");
    }
    assert_eq!(svg.matches("<circle").count(), 6);
}

#[test]
fn a_chart_without_points_is_refused() {
    assert!(matches!(Chart::new("").to_svg(), Err(PlotError::Empty { .. })));
    assert!(Chart::new("").curve("nothing", &[f64::NAN, f64::INFINITY]).to_svg().is_err());
    assert!(Chart::new("").logarithmic().curve("nothing", &[0.0, -1.0]).to_svg().is_err());
}

proptest! {
    #[test]
    fn no_numbers_break_a_chart(
        points in vec((proptest::num::f64::ANY, proptest::num::f64::ANY), 0..6),
        values in vec(proptest::num::f64::ANY, 0..6),
    ) {
        let chart = Chart::new("any").curve_through("points", &points).curve("values", &values);
        [chart.clone().to_svg(), chart.logarithmic().to_svg()].iter().flatten().for_each(|svg| assert_well_formed(svg));
    }

    #[test]
    fn no_name_breaks_a_chart(name in any::<String>()) {
        let svg = Chart::new(&name).x_label(&name).y_label(&name).curve(&name, &[1.0]).to_svg().unwrap();
        assert_balanced(&svg);
    }
}

#[test]
fn extreme_numbers_leave_well_formed_charts() {
    let extremes = [0.0, -0.0, 1.0, 5e-324, 1e-300, 1e300, f64::MAX, f64::MIN, f64::NAN, f64::NEG_INFINITY];
    for a in extremes {
        for b in extremes {
            let chart = Chart::new("extremes").curve("y", &[a, b]).curve_through("x", &[(a, 1.0), (b, 2.0)]);
            let pictures = [chart.clone().to_svg(), chart.logarithmic().to_svg()];
            pictures.iter().flatten().for_each(|svg| assert_well_formed(svg));
        }
    }
}

#[test]
fn weights_are_red_and_blue_around_white() {
    // One neuron that sees 1 x 3 pixels, and one that is ten times weaker.
    let weights = Matrix::from([[-2.0, -0.2], [0.0, 0.0], [2.0, 0.2]]);
    let draw = |contrast| {
        let grid = ImageGrid::weights(&weights, (1, 3), contrast).unwrap();
        decoded(&grid.columns(1).zoom(1).to_png().unwrap())
    };
    let (width, height, pixels) = draw(Contrast::Each);
    assert_eq!((width, height), (3 + 3 + 3, 3 + 1 + 3 + 1 + 3));
    let row = |y: usize| [pixels[y * width + 3], pixels[y * width + 4], pixels[y * width + 5]];
    let [blue, white, red] = row(3);
    assert!(blue[2] > blue[0] && red[0] > red[2] && white == [250; 3], "{blue:?} {white:?} {red:?}");
    assert_eq!(row(3), row(7));
    assert_eq!(pixels[0], [255; 3]);
    let (_, _, shared) = draw(Contrast::Shared);
    assert_eq!(shared[3 * width + 3], blue);
    assert!(shared[7 * width + 3][0] > blue[0], "a weak neuron is pale");
}

#[test]
fn weights_that_are_no_numbers_are_grey() {
    let weights = Matrix::from([[f64::NAN], [f64::INFINITY], [0.0], [1.0]]);
    let grid = ImageGrid::weights(&weights, (2, 2), Contrast::Shared).unwrap();
    let (_, _, pixels) = decoded(&grid.zoom(1).to_png().unwrap());
    let colours: HashSet<[u8; 3]> = pixels.into_iter().collect();
    assert!(colours.contains(&[160; 3]));
    assert_eq!(colours.len(), 4, "grey, white, red and the background");
}

#[test]
fn images_keep_their_pixels() {
    let images = [[0_u8, 50, 100, 150], [200, 210, 220, 255]];
    let grid = ImageGrid::grey(images.iter().map(|image| image.as_slice()), (2, 2)).unwrap();
    let (width, height, pixels) = decoded(&grid.columns(2).zoom(2).to_png().unwrap());
    assert_eq!((width, height), (3 + 4 + 3 + 4 + 3, 3 + 4 + 3));
    let pixel = |x: usize, y: usize| pixels[y * width + x][0];
    assert_eq!([pixel(3, 3), pixel(4, 4), pixel(5, 3), pixel(3, 5), pixel(6, 6)], [0, 0, 50, 100, 150]);
    assert_eq!([pixel(10, 3), pixel(13, 6)], [200, 255]);
}

#[test]
fn grids_that_do_not_fit_are_refused() {
    let weights = Matrix::<f32>::zeros(783, 16);
    let error = ImageGrid::weights(&weights, (28, 28), Contrast::Each).unwrap_err();
    assert_eq!(error.to_string(), "an image of 28 x 28 pixels needs 784 numbers, 783 were given");
    assert!(ImageGrid::weights(&weights, (usize::MAX, 2), Contrast::Each).is_err());
    assert!(ImageGrid::weights(&Matrix::<f32>::zeros(4, 0), (2, 2), Contrast::Each).is_err());
    assert!(ImageGrid::grey([], (2, 2)).is_err());
    assert!(ImageGrid::grey([[1_u8; 4].as_slice(), &[1; 5]], (2, 2)).is_err());
    let grid = ImageGrid::grey([[1_u8; 4].as_slice()], (2, 2)).unwrap();
    assert!(matches!(grid.zoom(usize::MAX).to_png(), Err(PlotError::TooLarge { .. })));
}

#[test]
fn a_decision_region_shows_line_and_samples() {
    let region = DecisionRegion::new("half plane", (0.0, 2.0), (-1.0, 1.0))
        .unwrap()
        .samples(0, &[(0.5, 0.0), (5.0, 0.0)])
        .samples(1, &[(1.5, 0.0)]);
    let svg = region.to_svg(|x, _| if x < 1.0 { 0.0 } else { 1.0 }).unwrap();
    assert_well_formed(&svg);
    assert_eq!(svg.matches("<circle").count(), 1, "the other sample lies outside");
    // The line runs from top to bottom in the middle: 76 + 380 / 2.
    assert!(svg.contains("M266.00 "));
    let named = region.clone().legend(&["left", "r<ght"]).x_label("x₁").y_label("x₂");
    let svg = named.to_svg(|x, _| x).unwrap();
    assert_well_formed(&svg);
    assert!([">left</text>", ">r&lt;ght</text>", ">x₁</text>", ">x₂</text>"].iter().all(|text| svg.contains(text)));
    assert_eq!(svg.matches("<circle").count(), 2, "one in the legend");
    assert_well_formed(&region.to_svg(|x, y| if y > 0.0 { f64::NAN } else { x }).unwrap());
    assert_well_formed(&region.to_svg(|x, _| x / 0.0).unwrap());
    for range in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (f64::MIN, f64::MAX)] {
        assert!(matches!(DecisionRegion::new("", range, (0.0, 1.0)), Err(PlotError::Range { .. })));
    }
}

#[test]
fn a_confusion_matrix_shows_counts_names_and_shares() {
    let mut confusion = ConfusionMatrix::new(2);
    [(0, 0), (0, 0), (0, 1), (1, 1)].into_iter().for_each(|(t, p)| confusion.add(t, p).unwrap());
    let svg = ConfusionPlot::new("Animals", &confusion).names(["cat", "dog"]).unwrap().to_svg();
    assert_well_formed(&svg);
    for text in ["cat", "dog", "2", "66.7%", "50.0%", "75.0%"] {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}");
    }
    assert!(matches!(
        ConfusionPlot::new("", &confusion).names(["cat"]),
        Err(PlotError::NameCount { names: 1, classes: 2 })
    ));
    assert_well_formed(&ConfusionPlot::new("", &ConfusionMatrix::new(0)).to_svg());
}

#[test]
fn pictures_are_written_to_files_and_faults_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let chart = Chart::new("Loss").curve("training", &[1.0]);
    chart.write(folder.path().join("loss.svg")).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("loss.svg")).unwrap(), chart.to_svg().unwrap());
    let absent = folder.path().join("absent").join("loss.svg");
    let error = chart.write(&absent).unwrap_err();
    assert!(error.to_string().starts_with(&*absent.to_string_lossy()), "{error}");
}
