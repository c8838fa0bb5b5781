//! Data sets: the real MNIST, batches, parts, standardisation.

use std::path::PathBuf;

use autograd::Matrix;
use nn::data::{Batches, Dataset, Idx, Standardiser};
use nn::error::DataError;

fn mnist_folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "examples", "data", "mnist"].iter().collect()
}

/// Six images of 1 x 2 pixels, `(10 i, 10 i + 5)`, of the classes 0, 1, 2, 0, 1, 2.
fn small() -> Dataset<f64> {
    let pixels = (0..6).flat_map(|i| [10 * i, 10 * i + 5]).collect();
    let images = Idx::new(vec![6, 1, 2], pixels).unwrap();
    Dataset::images(images, Idx::new(vec![6], vec![0, 1, 2, 0, 1, 2]).unwrap(), 3).unwrap()
}

#[test]
fn mnist_is_what_its_authors_published() {
    let (train, test) = Dataset::<f32>::mnist(mnist_folder()).unwrap();
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    assert_eq!((train.features(), train.image_size(), train.classes()), (784, Some((28, 28)), Some(10)));
    let counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    assert_eq!(train.class_counts().unwrap(), counts);
    let counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(test.class_counts().unwrap(), counts);
    assert_eq!(train.labels().unwrap()[..8], [5, 0, 4, 1, 9, 2, 1, 3]);

    // The mean pixel of the training set is known as 0.1307.
    let mut sum = 0.0;
    for i in 0..train.len() {
        sum += train.image(i).unwrap().iter().map(|&pixel| f64::from(pixel)).sum::<f64>();
    }
    let mean = sum / 255.0 / (60_000.0 * 784.0);
    assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
}

#[test]
fn a_folder_may_hold_plain_files_and_a_missing_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, dimensions: Vec<usize>| {
        let length = dimensions.iter().product();
        Idx::new(dimensions, vec![0; length]).unwrap().write(folder.path().join(name)).unwrap();
    };
    write("train-images-idx3-ubyte", vec![3, 2, 2]);
    write("train-labels-idx1-ubyte.gz", vec![3]);
    write("t10k-images-idx3-ubyte.gz", vec![1, 2, 2]);
    let error = Dataset::<f32>::mnist(folder.path()).unwrap_err().to_string();
    assert!(error.contains("neither t10k-labels-idx1-ubyte nor t10k-labels-idx1-ubyte.gz is there"), "{error}");
    assert!(error.starts_with(&*folder.path().to_string_lossy()), "{error}");

    write("t10k-labels-idx1-ubyte", vec![1]);
    let (train, test) = Dataset::<f32>::mnist(folder.path()).unwrap();
    assert_eq!((train.len(), test.len(), test.features()), (3, 1, 4));
    write("t10k-images-idx3-ubyte.gz", vec![1, 3, 2]);
    let error = Dataset::<f32>::mnist(folder.path()).unwrap_err().to_string();
    assert_eq!(error, "6 features a row where 4 are needed");
}

#[test]
fn a_batch_of_images_is_scaled_and_carries_class_indices() {
    let set = small();
    let (x, t) = set.batch(&[5, 0]).unwrap();
    let scale = 1.0 / 255.0;
    assert_eq!(x, Matrix::from([[50.0 * scale, 55.0 * scale], [0.0, 5.0 * scale]]));
    assert_eq!(t, Matrix::from([[2.0], [0.0]]));
    let (x, _) = set.pixel_scale(1.0).batch(&[1]).unwrap();
    assert_eq!(x, Matrix::from([[10.0, 15.0]]));
}

#[test]
fn scaled_pixels_are_pixel_over_255_to_one_rounding() {
    let images = Idx::new(vec![1, 256], (0..=255).collect()).unwrap();
    let set = Dataset::<f32>::images(images, Idx::new(vec![1], vec![0]).unwrap(), 1).unwrap();
    let (x, _) = set.batch(&[0]).unwrap();
    for (pixel, &x) in (0..=255_u8).zip(x.as_slice()) {
        let exact = f32::from(pixel) / 255.0;
        assert!((x - exact).abs() <= exact * f32::EPSILON, "{pixel}: {x}");
    }
    assert_eq!(x.as_slice()[255].to_bits(), 1.0_f32.to_bits());
}

#[test]
fn gathering_checks_everything_before_it_writes() {
    let set = small();
    let (mut x, mut t) = ([7.0; 4], [7.0; 2]);
    let error = set.gather(&[0, 6], &mut x, &mut t).unwrap_err();
    assert_eq!(error.to_string(), "sample 6 of 6: samples go from 0 to 5");
    let error = set.gather(&[0, 1], &mut x[..3], &mut t).unwrap_err();
    assert_eq!(error.to_string(), "the buffer of features holds 3 numbers, the batch has 4");
    let error = set.gather(&[0, 1], &mut x, &mut t[..1]).unwrap_err();
    assert_eq!(error.to_string(), "the buffer of targets holds 1 numbers, the batch has 2");
    assert_eq!((x, t), ([7.0; 4], [7.0; 2]));
    set.gather(&[], &mut [], &mut []).unwrap();
}

#[test]
fn sets_that_do_not_fit_together_are_refused() {
    let features = || Matrix::<f64>::zeros(2, 3);
    let refused = |set: Result<Dataset<f64>, DataError>| set.unwrap_err().to_string();
    assert_eq!(
        refused(Dataset::new(features(), Matrix::zeros(3, 1))),
        "2 rows of features, but 3 targets: there must be one target a row"
    );
    assert_eq!(
        refused(Dataset::labelled(features(), vec![0, 3], 3)),
        "label 3 at position 1: with 3 classes, labels go from 0 to 2"
    );
    assert!(matches!(Dataset::labelled(features(), vec![0, 0], usize::MAX), Err(DataError::TooManyClasses { .. })));
    assert_eq!(
        refused(Dataset::new(Matrix::zeros(0, 3), Matrix::zeros(0, 1))),
        "an empty data set: 0 samples of 3 features"
    );
    assert!(matches!(
        Dataset::new(Matrix::<f64>::zeros(2, 0), Matrix::zeros(2, 1)),
        Err(DataError::EmptyDataset { samples: 2, features: 0 })
    ));
    let flat = || Idx::new(vec![4], vec![0; 4]).unwrap();
    assert_eq!(
        refused(Dataset::images(flat(), flat(), 1)),
        "images need the dimensions samples, height, width, or samples, pixels, the file has the dimensions [4]"
    );
    let square = Idx::new(vec![2, 2], vec![0; 4]).unwrap();
    assert!(matches!(
        Dataset::<f64>::images(square.clone(), square, 1),
        Err(DataError::WrongDimensions { what: "labels", .. })
    ));
}

#[test]
fn images_without_pixels_are_refused() {
    let images = Idx::new(vec![3, 0, 5], vec![]).unwrap();
    let labels = Idx::new(vec![3], vec![0; 3]).unwrap();
    assert!(Dataset::<f64>::images(images, labels, 1).is_err());
}

#[test]
fn parts_hold_every_sample_once() {
    let set = small();
    let (left, right) = set.split(2).unwrap();
    assert_eq!(left.labels().unwrap(), [0, 1]);
    assert_eq!(right.labels().unwrap(), [2, 0, 1, 2]);
    assert_eq!(left.image(1), Some([10, 15].as_slice()));
    assert_eq!(left.image(2), None);
    assert_eq!(set.take(4).unwrap(), set.subset(&[0, 1, 2, 3]).unwrap());
    assert_eq!(set.take(99).unwrap(), set);

    let (left, right) = set.split_fraction(0.5, 1).unwrap();
    let mut first: Vec<u8> = (0..3).flat_map(|i| [left.image(i).unwrap()[0], right.image(i).unwrap()[0]]).collect();
    first.sort_unstable();
    assert_eq!(first, [0, 10, 20, 30, 40, 50]);
    assert_eq!((left, right), set.split_fraction(0.5, 1).unwrap());
}

#[test]
fn parts_are_never_empty() {
    let set = small();
    assert!(matches!(set.split(0), Err(DataError::EmptySplit { at: 0, len: 6 })));
    assert!(matches!(set.split(6), Err(DataError::EmptySplit { .. })));
    assert!(matches!(set.split(7), Err(DataError::EmptySplit { .. })));
    assert!(matches!(set.split_fraction(0.01, 1), Err(DataError::EmptySplit { .. })));
    assert!(matches!(set.split_fraction(f64::NAN, 1), Err(DataError::Fraction { .. })));
    assert!(matches!(set.split_fraction(-0.1, 1), Err(DataError::Fraction { .. })));
    assert!(set.take(0).is_err());
    assert!(set.subset(&[]).is_err());
    assert!(set.subset(&[6]).is_err());
}

#[test]
fn one_hot_targets_have_a_column_a_class() {
    let set = small().one_hot().unwrap();
    assert_eq!((set.targets(), set.classes()), (3, Some(3)));
    assert_eq!(set.batch(&[4]).unwrap().1, Matrix::from([[0.0, 1.0, 0.0]]));
    assert_eq!(set.labels(), small().labels());
    let numbers = Dataset::new(Matrix::from([[1.0]]), Matrix::from([[2.0, 3.0]])).unwrap();
    assert!(matches!(numbers.one_hot(), Err(DataError::NotClasses { columns: 2 })));
}

#[test]
fn standardised_features_have_mean_0_and_std_1() {
    let set = small();
    let standardiser = Standardiser::fit(&set).unwrap();
    let (x, _) = standardiser.apply(&set).unwrap().batch(&[0, 1, 2, 3, 4, 5]).unwrap();
    for j in 0..2 {
        let column: Vec<f64> = (0..6).map(|i| x[(i, j)]).collect();
        let mean = column.iter().sum::<f64>() / 6.0;
        let square = column.iter().map(|x| x * x).sum::<f64>() / 6.0;
        assert!(mean.abs() < 1e-14 && (square - 1.0).abs() < 1e-14, "{mean} {square}");
    }
    // A single sample: every feature is constant.
    let single = set.take(1).unwrap();
    let (x, _) = Standardiser::fit(&single).unwrap().apply(&single).unwrap().batch(&[0]).unwrap();
    assert_eq!(x, Matrix::zeros(1, 2));
}

#[test]
fn standardisation_keeps_digits_of_large_offsets_and_refuses_what_is_not_finite() {
    let offset = 1e9;
    let set = |a, b| Dataset::new(Matrix::from([[a], [b]]), Matrix::zeros(2, 1)).unwrap();
    let standardiser = Standardiser::fit(&set(offset, offset + 2.0)).unwrap();
    assert_eq!((standardiser.means(), standardiser.stds()), ([offset + 1.0].as_slice(), [1.0].as_slice()));
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        assert!(matches!(Standardiser::fit(&set(0.0, bad)), Err(DataError::NotFinite { column: 0 })));
    }
    let wide = Dataset::new(Matrix::<f64>::zeros(1, 2), Matrix::zeros(1, 1)).unwrap();
    assert!(matches!(standardiser.apply(&wide), Err(DataError::FeatureCount { expected: 1, found: 2 })));
}

#[test]
fn batches_and_gathering_go_through_a_set_once() {
    let set = small();
    let (mut x, mut t) = (vec![0.0; 4 * 2], vec![0.0; 4]);
    let mut classes = [0; 3];
    for batch in &Batches::shuffled(set.len(), 4, 9, 0).unwrap() {
        let (x, t) = (&mut x[..batch.len() * 2], &mut t[..batch.len()]);
        set.gather(batch, x, t).unwrap();
        (0..3_u8).for_each(|c| {
            classes[usize::from(c)] += t.iter().filter(|t| t.to_bits() == f64::from(c).to_bits()).count()
        });
    }
    assert_eq!(classes, [2, 2, 2]);
}

#[test]
fn a_batch_is_the_same_on_any_number_of_threads() {
    let (train, _) = Dataset::<f32>::mnist(mnist_folder()).unwrap();
    let rows: Vec<usize> = (0..131).map(|i| i * 457 % train.len()).collect();
    let gather = || {
        let (mut x, mut t) = (vec![-1.0; rows.len() * train.features()], vec![-1.0; rows.len()]);
        train.gather(&rows, &mut x, &mut t).unwrap();
        (x, t)
    };
    let alone = gather();
    assert!(alone.0.iter().all(|x| (0.0..=1.0).contains(x)) && alone.0.iter().any(|x| *x > 0.0));
    for threads in [1, 2, 3, 200] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(gather) == alone, "{threads} threads");
    }
}
