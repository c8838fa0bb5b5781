//! Metrics against scikit-learn.

use autograd::Matrix;
use nn::error::MetricError;
use nn::metric::{self, Accuracy, Average, ConfusionMatrix, Mean};
use serde_json::Value;

use crate::oracle::{self, assert_close};

fn cases(task: &str) -> Vec<Value> {
    let file = oracle::read("metrics");
    let cases = oracle::list(&file["cases"]).iter();
    cases.filter(|case| case["task"] == task && case["weights"].is_null()).cloned().collect()
}

fn table(classes: usize, truth: &[usize], predicted: &[usize]) -> ConfusionMatrix {
    let mut confusion = ConfusionMatrix::new(classes);
    truth.iter().zip(predicted).for_each(|(&t, &p)| confusion.add(t, p).unwrap());
    confusion
}

fn assert_counts(confusion: &ConfusionMatrix, expected: &Value) {
    let found = Matrix::from_fn(confusion.classes(), confusion.classes(), |i, j| {
        f64::from(u32::try_from(confusion.count(i, j)).unwrap())
    });
    assert_eq!(found, oracle::matrix(expected));
}

const TOLERANCE: f64 = 1e-14;

/// The three averages and the values per class of one score.
fn assert_averages(
    confusion: &ConfusionMatrix,
    score: impl Fn(&ConfusionMatrix, usize) -> f64,
    expected: &Value,
    what: &str,
) {
    for (average, name) in [(Average::Micro, "micro"), (Average::Macro, "macro"), (Average::Weighted, "weighted")] {
        assert_close(confusion.averaged(average, &score), &expected[name], TOLERANCE, &format!("{what} {name}"));
    }
    for (class, expected) in oracle::list(&expected["per_class"]).iter().enumerate() {
        assert_close(score(confusion, class), expected, TOLERANCE, &format!("{what} of class {class}"));
    }
}

#[test]
fn scores_of_many_classes_are_those_of_scikit_learn() {
    for case in cases("multiclass") {
        let id = case["id"].as_str().unwrap();
        let (truth, predicted) = (oracle::sizes(&case["true"]), oracle::sizes(&case["predicted"]));
        let (scores, results) = (oracle::matrix(&case["scores"]), &case["results"]);
        let confusion = table(oracle::size(&case["classes"]), &truth, &predicted);

        assert_eq!(metric::predicted_classes(&scores).unwrap(), predicted);
        assert_close(metric::accuracy(&scores, &truth).unwrap(), &results["accuracy"], TOLERANCE, id);
        for (k, expected) in results["top_k"].as_object().unwrap() {
            let found = metric::top_k_accuracy(&scores, &truth, k.parse().unwrap()).unwrap();
            assert_close(found, expected, TOLERANCE, id);
        }

        assert_counts(&confusion, &results["confusion"]);
        assert_close(confusion.accuracy(), &results["accuracy"], TOLERANCE, id);
        assert_close(confusion.kappa(), &results["cohen_kappa"], TOLERANCE, id);
        assert_close(confusion.correlation(), &results["mcc"], TOLERANCE, id);
        assert_averages(&confusion, ConfusionMatrix::precision, &results["precision"], id);
        assert_averages(&confusion, ConfusionMatrix::recall, &results["recall"], id);
        assert_averages(&confusion, ConfusionMatrix::f1, &results["f1"], id);
        assert_averages(&confusion, |table, class| table.f_beta(class, 2.0), &results["f2"], id);
        assert_averages(&confusion, ConfusionMatrix::jaccard, &results["jaccard"], id);
        if let Some(expected) = results.get("balanced_accuracy") {
            assert_close(confusion.balanced_accuracy(), expected, TOLERANCE, id);
        }
    }
}

#[test]
fn scores_of_two_classes_are_those_of_scikit_learn() {
    for case in cases("binary") {
        let id = case["id"].as_str().unwrap();
        let truth = oracle::sizes(&case["true"]);
        let scores = Matrix::column_vector(&oracle::numbers(&case["scores"]));
        let (threshold, results) = (case["threshold"].as_f64().unwrap(), &case["results"]);
        let predicted = metric::binary_classes(&scores, threshold).unwrap();
        let confusion = table(2, &truth, &predicted);

        let accuracy = metric::binary_accuracy(&scores, &truth, threshold).unwrap();
        assert_close(accuracy, &results["accuracy"], TOLERANCE, id);
        assert_counts(&confusion, &results["confusion"]);
        for (found, name) in [
            (confusion.precision(1), "precision"),
            (confusion.recall(1), "recall"),
            (confusion.recall(0), "specificity"),
            (confusion.f1(1), "f1"),
            (confusion.f_beta(1, 0.5), "f05"),
            (confusion.f_beta(1, 2.0), "f2"),
            (confusion.jaccard(1), "jaccard"),
            (confusion.correlation(), "mcc"),
            (confusion.kappa(), "cohen_kappa"),
            (confusion.balanced_accuracy(), "balanced_accuracy"),
        ] {
            assert_close(found, &results[name], TOLERANCE, &format!("{id} {name}"));
        }
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let case = &cases("multiclass")[0];
    let (truth, scores) = (oracle::sizes(&case["true"]), oracle::matrix(&case["scores"]));
    let (k, at) = (scores.cols(), 10);
    let rows = |from: usize, to: usize| Matrix::new(to - from, k, scores.as_slice()[from * k..to * k].to_vec());
    let mut whole = ConfusionMatrix::new(k);
    whole.add_batch(&scores, &truth).unwrap();
    let (mut left, mut right) = (ConfusionMatrix::new(k), ConfusionMatrix::new(k));
    left.add_batch(&rows(0, at), &truth[..at]).unwrap();
    right.add_batch(&rows(at, truth.len()), &truth[at..]).unwrap();
    left.merge(&right).unwrap();
    assert_eq!(left, whole);

    let (mut left, mut right) = (Accuracy::default(), Accuracy::default());
    left.add(&rows(0, at), &truth[..at]).unwrap();
    right.add(&rows(at, truth.len()), &truth[at..]).unwrap();
    left.merge(&right);
    assert_eq!(left.result(), Some(whole.accuracy()));
    assert_eq!((left.samples(), u64::try_from(left.correct()).unwrap()), (23, 18));
}

#[test]
fn a_mean_weighs_every_sample_alike_and_keeps_nan() {
    let mut mean = Mean::default();
    assert_eq!(mean.result(), None);
    mean.add(1.0, 3);
    mean.add(f64::NAN, 0);
    let mut other = Mean::default();
    other.add(5.0, 1);
    mean.merge(&other);
    assert_eq!((mean.result(), mean.samples()), (Some(2.0), 4));
    mean.add(f64::NAN, 1);
    assert!(mean.result().unwrap().is_nan());
}

#[test]
fn scores_that_cannot_be_judged_are_refused() {
    let scores = Matrix::from([[0.0, f64::NAN], [1.0, 0.0]]);
    assert_eq!(metric::accuracy(&scores, &[0, 0]), Err(MetricError::NotANumber { row: 0, column: 1 }));
    let column = Matrix::from([[f64::NAN]]);
    assert_eq!(metric::binary_accuracy(&column, &[0], 0.5), Err(MetricError::NotANumber { row: 0, column: 0 }));
    let scores = Matrix::from([[0.0, 1.0], [1.0, 0.0]]);
    assert_eq!(metric::accuracy(&scores, &[0]), Err(MetricError::Mismatch { rows: 2, labels: 1 }));
    assert_eq!(
        metric::top_k_accuracy(&scores, &[0, 2], 1).unwrap_err().to_string(),
        "class 2 at position 1: with 2 classes, they go from 0 to 1"
    );
    assert!(matches!(metric::binary_accuracy(&scores, &[0, 1], 0.5), Err(MetricError::Shape { .. })));
    assert!(metric::predicted_classes(&Matrix::<f64>::zeros(2, 0)).is_err());
    let mut confusion = ConfusionMatrix::new(3);
    assert!(confusion.add_batch(&scores, &[0, 1]).is_err());
    assert!(confusion.add(3, 0).is_err());
    assert!(confusion.merge(&ConfusionMatrix::new(2)).is_err());
    assert_eq!(confusion, ConfusionMatrix::new(3));
}

#[test]
fn targets_that_are_no_classes_are_refused() {
    for bad in [0.5, -1.0, f64::NAN, f64::INFINITY, 1e300] {
        let error = metric::target_classes(&Matrix::from([[0.0], [bad]])).unwrap_err();
        assert!(matches!(error, MetricError::NotAClass { row: 1, .. }), "{bad}");
    }
    assert_eq!(metric::target_classes(&Matrix::from([[-0.0_f32], [3.0]])).unwrap(), [0, 3]);
}

#[test]
fn an_empty_table_has_scores_of_0() {
    for classes in [0, 1, 3] {
        let confusion = ConfusionMatrix::new(classes);
        for score in [confusion.accuracy(), confusion.balanced_accuracy(), confusion.kappa(), confusion.correlation()] {
            assert_eq!(score.to_bits(), 0);
        }
        let f1 = confusion.averaged(Average::Micro, ConfusionMatrix::f1);
        assert_eq!(f1.to_bits(), 0);
        assert!(!confusion.to_string().is_empty());
    }
}
