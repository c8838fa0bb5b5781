//! A whole network of 407,050 parameters in `f32`, in a few hundred evaluations.

use std::sync::Arc;

use autograd::check::{Check, Report};
use autograd::op::CustomOp;
use autograd::{Axis, Matrix, Real, Shape, Var, View};

/// The same number, with a derivative that is wrong at one place.
struct Leak(Option<(usize, usize)>);

impl<T: Real> CustomOp<T> for Leak {
    fn name(&self) -> &'static str {
        "leak"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(x[0])
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(x[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        let at = |i, j| if self.0 == Some((i, j)) { T::ZERO } else { T::ONE };
        vec![Some(g * g.graph().constant(Matrix::from_fn(g.rows(), g.cols(), at)))]
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(Self(self.0)))
    }
}

/// Numbers in -1..1 that follow no simple pattern.
fn scattered(rows: usize, cols: usize, size: f32) -> Matrix<f32> {
    let mut state = 1u32;
    Matrix::from_fn(rows, cols, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        size * (f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0)
    })
}

/// The check of 784-512-10 with relu and cross-entropy on a batch of 16.
fn check(leak: Option<(usize, usize)>) -> Report {
    let (x, w1, b1) = (scattered(16, 784, 1.0), scattered(784, 512, 0.06), scattered(1, 512, 0.1));
    let (w2, b2) = (scattered(512, 10, 0.08), scattered(1, 10, 0.1));
    let named = [("hidden.weight", &w1), ("hidden.bias", &b1), ("output.weight", &w2), ("output.bias", &b2)];
    Check::new().second_order(false).named(&named, |p| {
        let graph = p[0].graph();
        let hidden = (graph.constant(&x).matmul(graph.custom(Leak(leak), &[p[0]])) + p[1]).relu();
        let logits = hidden.matmul(p[2]) + p[3];
        let classes: Vec<f32> = (0..16u8).map(|i| f32::from(i % 10)).collect();
        -logits.log_softmax(Axis::Columns).pick(graph.constant(Matrix::column_vector(&classes))).mean()
    })
}

#[test]
fn a_network_of_407050_parameters_passes_in_few_evaluations() {
    let report = check(None);
    report.assert_pass();
    assert!(report.subject.contains("407050"), "{report}");
    assert!(report.evaluations < 200, "{report}");
}

#[test]
fn one_wrong_weight_of_407050_is_found_and_named() {
    let report = check(Some((300, 123)));
    assert!(report.is_fail(), "{report}");
    let named: Vec<String> = report.mismatches.iter().map(|mismatch| mismatch.input.to_string()).collect();
    assert!(named.contains(&"hidden.weight[300,123]".to_owned()), "{report}");
    let blame = &report.blame[0];
    assert_eq!((blame.op.as_str(), &blame.worst.input.index[..]), ("leak", &[300, 123][..]), "{report}");
    assert!(report.evaluations < 3000, "{report}");
}
