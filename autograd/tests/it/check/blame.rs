//! Faults in rules: which operation, which line, which element, which cause.

use autograd::check::{BlameKind, Cause, Check, Verdict};
use autograd::op::CustomOp;
use autograd::{Axis, Matrix, Real, Shape, Var, View};

/// `x W`, with a derivative that can be wrong in several ways.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    Sign,
    Half,
    Transposed,
    DroppedTerm,
    OffByOne,
    Stale,
    OneElement,
}

struct Product(Fault);

impl<T: Real> CustomOp<T> for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(Shape::new(x[0].rows, x[1].cols))
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        let (a, b) = (x[0], x[1]);
        let (n, k) = (b.shape().cols, a.shape().cols);
        for (place, out) in out.iter_mut().enumerate() {
            let (i, j) = (place / n, place % n);
            *out = (0..k).map(|l| a.as_slice()[i * k + l] * b.as_slice()[l * n + j]).sum();
        }
    }

    fn vjp<'g>(&self, g: Var<'g, T>, x: &[Var<'g, T>], y: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        let (dx, dw) = (g.matmul(x[1].transpose()), x[0].transpose().matmul(g));
        let dw = match self.0 {
            Fault::None => dw,
            Fault::Sign => -dw,
            Fault::Half => dw * T::from_f64(0.5),
            Fault::Transposed => dw.transpose(),
            Fault::DroppedTerm => x[0].slice(0..1, 0..x[0].cols()).transpose().matmul(g.slice(0..1, 0..g.cols())),
            Fault::OffByOne => {
                let (m, n) = (dw.rows(), dw.cols());
                Var::concat(&[dw.slice(1..m, 0..n), dw.slice(0..1, 0..n)], Axis::Rows)
            }
            Fault::Stale => (dw.detach() * T::ZERO) + dw.graph().constant(Matrix::ones(dw.rows(), dw.cols())),
            Fault::OneElement => {
                let mask =
                    Matrix::from_fn(dw.rows(), dw.cols(), |i, j| if (i, j) == (2, 1) { T::ZERO } else { T::ONE });
                dw * dw.graph().constant(mask)
            }
        };
        let _ = y;
        vec![Some(dx), Some(dw)]
    }
}

fn operands() -> [Matrix<f64>; 2] {
    [
        Matrix::from([[0.5, -1.25, 2.0], [0.75, 1.5, -0.375]]),
        Matrix::from([[0.5, -0.25, 1.0], [1.0, 0.75, -2.0], [-1.5, 0.125, 0.5]]),
    ]
}

#[test]
fn faults_in_a_rule_are_found_and_the_operation_line_and_operand_named() {
    let faults = [
        Fault::Sign,
        Fault::Half,
        Fault::Transposed,
        Fault::DroppedTerm,
        Fault::OffByOne,
        Fault::Stale,
        Fault::OneElement,
    ];
    for fault in faults {
        let line = line!() + 2;
        let report = Check::new().second_order(false).function(
            |[x, w]| (x.graph().custom(Product(fault), &[x, w]).tanh() + x.square().sum()).log_softmax(Axis::Columns),
            operands(),
        );
        assert_eq!(report.verdict, Verdict::Fail, "{fault:?}:\n{report}");
        let blame = &report.blame[0];
        assert_eq!(
            (blame.op.as_str(), blame.operand, blame.kind),
            ("product", 1, BlameKind::Vjp),
            "{fault:?}:\n{report}"
        );
        assert_eq!(blame.site.as_ref().unwrap().line, line, "{report}");
        assert_eq!(report.blame.len(), 1, "{fault:?}:\n{report}");
        let cause = blame.cause.as_ref();
        let expected = match fault {
            Fault::Sign => matches!(cause, Some(Cause::Sign)),
            Fault::Half => matches!(cause, Some(Cause::Factor { ratio }) if (ratio - 0.5).abs() < 1e-6),
            Fault::Transposed => matches!(cause, Some(Cause::Transposed)),
            Fault::OffByOne => matches!(cause, Some(Cause::Permuted { .. })),
            Fault::OneElement => blame.worst.input.index == [2, 1],
            Fault::None | Fault::DroppedTerm | Fault::Stale => true,
        };
        assert!(expected, "{fault:?}: {cause:?}\n{report}");
    }
    let healthy = Check::new().function(|[x, w]| x.graph().custom(Product(Fault::None), &[x, w]).tanh(), operands());
    healthy.assert_pass();
}

#[test]
fn a_rule_that_gives_a_contribution_of_the_wrong_shape_is_named() {
    let line = line!() + 2;
    let report = Check::new().function(
        |[x]| x.exp().with_gradient(&[x], |g, x, _| vec![(g * x[0].exp()).transpose()]).tanh().sum(),
        [operands()[0].clone()],
    );
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let [blame] = &report.blame[..] else { panic!("{report}") };
    assert_eq!((blame.op.as_str(), blame.operand, blame.kind), ("with_gradient", 1, BlameKind::Shape), "{report}");
    assert_eq!(blame.site.as_ref().unwrap().line, line, "{report}");
}

/// `e^x`, with a derivative of the derivative that is wrong: the rule uses numbers instead of the operand.
struct Exponential;

impl<T: Real> CustomOp<T> for Exponential {
    fn name(&self) -> &'static str {
        "exponential"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(x[0])
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        out.iter_mut().zip(x[0].as_slice()).for_each(|(y, x)| *y = T::from_f64(x.to_f64().exp()));
    }

    fn vjp<'g>(&self, g: Var<'g, T>, x: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g * x[0].detach().exp())]
    }
}

#[test]
fn a_rule_with_a_wrong_derivative_is_named_at_second_order() {
    let report = Check::new().function(|[x, w]| x.graph().custom(Exponential, &[x.matmul(w)]).sum(), operands());
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let blame = &report.blame[0];
    assert_eq!((blame.op.as_str(), blame.kind), ("exponential", BlameKind::Second), "{report}");
    assert_eq!(report.blame.len(), 1, "{report}");
}

#[test]
fn both_of_two_faults_are_named() {
    let report = Check::new().function(
        |[x, w]| {
            let z = x.graph().custom(Product(Fault::Half), &[x, w]);
            z.exp().with_gradient(&[z], |g, _, y| vec![-(g * y)]).sum()
        },
        operands(),
    );
    let mut named: Vec<&str> = report.blame.iter().map(|blame| blame.op.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, ["product", "with_gradient"], "{report}");
}

/// Its value depends on how often it was called.
struct Counter(std::sync::atomic::AtomicU32);

impl<T: Real> CustomOp<T> for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn shape(&self, x: &[Shape]) -> Result<Shape, String> {
        Ok(x[0])
    }

    fn forward(&self, x: &[View<'_, T>], out: &mut [T]) {
        let calls = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        out.iter_mut().zip(x[0].as_slice()).for_each(|(y, x)| *y = *x + T::from_f64(f64::from(calls)));
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g)]
    }
}

#[test]
fn an_operation_with_a_memory_does_not_pass() {
    let report = Check::new().function(
        |[x]| x.graph().custom(Counter(std::sync::atomic::AtomicU32::new(0)), &[x]).square().sum(),
        [operands()[0].clone()],
    );
    assert!(!report.is_pass(), "{report}");
}

#[test]
fn a_mask_of_infinities_is_no_fault() {
    // As attention masks what is to come.
    let report = Check::new().function(
        |[x]| {
            let mask = x.graph().constant([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]);
            x.masked_fill(mask, f64::NEG_INFINITY).softmax(Axis::Columns).square().sum()
        },
        [operands()[0].clone()],
    );
    report.assert_pass();
}
