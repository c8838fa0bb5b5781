//! Every operation of the registry, in both element types, both modes, first and second order: away from kinks and on them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use autograd::check::{Check, Verdict};
use autograd::op::{self, Case, Domain};
use autograd::{Graph, Matrix, Op, Real, Shape, Var};

use crate::operations::dominance;

/// An operation applied to some matrices: those to which derivatives flow are what is checked.
struct Applied<'a> {
    op: Op,
    operands: &'a [Matrix<f64>],
}

impl Applied<'_> {
    fn check<T: Real>(&self, check: &Check) -> autograd::check::Report {
        let cast: Vec<Matrix<T>> = self.operands.iter().map(Matrix::cast).collect();
        let slots = (0..cast.len()).filter(|slot| self.op.differentiable(*slot));
        let names: Vec<String> = slots.clone().map(|slot| format!("operand {slot}")).collect();
        let inputs: Vec<(&str, &Matrix<T>)> =
            names.iter().map(String::as_str).zip(slots.map(|slot| &cast[slot])).collect();
        check.named(&inputs, |x| self.record(x, &cast))
    }

    fn record<'g, T: Real>(&self, x: &[Var<'g, T>], all: &[Matrix<T>]) -> Var<'g, T> {
        let graph: &'g Graph<T> = x[0].graph();
        let mut x = x.iter();
        let operand = |(slot, value): (usize, &Matrix<T>)| {
            if self.op.differentiable(slot) { *x.next().unwrap() } else { graph.constant(value) }
        };
        let operands: Vec<_> = all.iter().enumerate().map(operand).collect();
        graph.try_apply(self.op, &operands).unwrap()
    }
}

/// The next of a fixed sequence of numbers below `bound`.
pub(super) fn draw(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % bound
}

fn whole(k: usize) -> f64 {
    f64::from(u32::try_from(k).unwrap())
}

pub(super) fn operand(state: &mut u64, domain: Domain, shape: Shape) -> Matrix<f64> {
    let mut order: Vec<usize> = (0..shape.len().max(24)).collect();
    let count = if domain == Domain::Order { shape.len() } else { order.len() };
    order.truncate(count);
    for i in (1..order.len()).rev() {
        order.swap(i, draw(state, i + 1));
    }
    let mut order = order.into_iter();
    Matrix::from_fn(shape.rows, shape.cols, |i, j| match domain {
        Domain::Range { low, high, kinks } => loop {
            let x = low + (high - low) * whole(draw(state, 1025)) / 1024.0;
            if kinks.iter().all(|kink| (x - kink).abs() >= 1.0 / 16.0) {
                return x;
            }
        },
        Domain::Lattice { phase } => (whole(draw(state, 16)) - 8.0 + phase) / 4.0,
        Domain::Distinct => (whole(order.next().unwrap()) - 12.0) / 8.0,
        Domain::Index { bound } => whole(draw(state, bound)),
        Domain::Order => whole(order.next().unwrap()),
        Domain::Flag => whole(draw(state, 2)),
        Domain::Dominant => (whole(draw(state, 17)) - 8.0) / 16.0 + dominance(i, j),
    })
}

pub(super) fn shapes(case: &Case) -> Vec<Vec<Shape>> {
    if !case.shapes.is_empty() {
        return vec![case.shapes.clone()];
    }
    let arranged = |shapes: &[(usize, usize)]| {
        let shapes = shapes.iter().cycle().take(case.domains.len());
        shapes.map(|shape| Shape::from(*shape)).collect::<Vec<_>>()
    };
    let all = [&[(2, 3)][..], &[(1, 1)], &[(2, 3), (1, 3)], &[(2, 1), (2, 3)], &[(1, 1), (3, 2)], &[(3, 1), (1, 2)]];
    all[..if case.domains.len() == 1 { 2 } else { all.len() }].iter().map(|shapes| arranged(shapes)).collect()
}

/// Runs `judge` on `count` draws of operands for every case and arrangement of shapes.
fn for_all(count: usize, own: impl Fn(&mut u64, Domain, Shape) -> Matrix<f64>, judge: impl Fn(&Applied<'_>)) {
    let mut state = 2026;
    for case in op::cases() {
        if (0..case.domains.len()).all(|slot| !case.op.differentiable(slot)) {
            continue;
        }
        for shapes in shapes(&case) {
            for _ in 0..count {
                let operands: Vec<_> =
                    case.domains.iter().zip(&shapes).map(|(domain, shape)| own(&mut state, *domain, *shape)).collect();
                judge(&Applied { op: case.op, operands: &operands });
            }
        }
    }
}

#[test]
fn every_operation_passes_in_f64() {
    for_all(4, operand, |at| {
        let report = at.check::<f64>(&Check::new());
        assert!(report.is_pass(), "{:?} at {:?}:\n{report}", at.op, at.operands);
        assert!(report.kinks.is_empty(), "{:?} at {:?}:\n{report}", at.op, at.operands);
    });
}

/// Some second derivatives of these eigenvalues are what is left of larger numbers that cancelled, with their rounding.
#[test]
fn derivatives_that_cancel_pass_with_every_seed() {
    let a = Matrix::from([
        [5.9375, 0.3125, -0.4375, -0.375],
        [-0.25, 11.5625, -0.1875, 0.375],
        [-0.375, -0.1875, 18.125, 0.5],
        [0.1875, -0.375, -0.375, 24.25],
    ]);
    for seed in 0..500 {
        let report = Check::new().seed(seed).named(&[("a", &a)], |x| x[0].eigenvalues_symmetric());
        assert!(report.is_pass(), "seed {seed}:\n{report}");
    }
}

#[test]
fn every_operation_passes_in_f32() {
    for_all(2, operand, |at| {
        let report = at.check::<f32>(&Check::new());
        assert!(report.is_pass(), "{:?} at {:?}:\n{report}", at.op, at.operands);
    });
}

/// Numbers that are often on kinks and in ties.
pub(super) fn kinky(state: &mut u64, domain: Domain, shape: Shape) -> Matrix<f64> {
    const NUMBERS: [f64; 11] = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.5, 2.0];
    match domain {
        Domain::Range { kinks, low, high } if !kinks.is_empty() => Matrix::from_fn(shape.rows, shape.cols, |_, _| {
            loop {
                let x = NUMBERS[draw(state, NUMBERS.len())];
                if (low..=high).contains(&x) {
                    return x;
                }
            }
        }),
        Domain::Lattice { .. } | Domain::Distinct => {
            Matrix::from_fn(shape.rows, shape.cols, |_, _| NUMBERS[draw(state, NUMBERS.len())])
        }
        Domain::Range { .. } | Domain::Index { .. } | Domain::Order | Domain::Flag | Domain::Dominant => {
            operand(state, domain, shape)
        }
    }
}

#[test]
fn every_operation_passes_on_its_kinks_and_ties() {
    let seen = RefCell::new(BTreeMap::new());
    for_all(8, kinky, |at| {
        let report = at.check::<f64>(&Check::new());
        assert!(report.is_pass(), "{:?} at {:?}:\n{report}", at.op, at.operands);
        *seen.borrow_mut().entry(at.op.name()).or_insert(0) += report.kinks.len();
    });
    // Every operation whose examples name kinks was on one of them.
    let seen = seen.into_inner();
    let never: Vec<&str> = names_of_kinks().into_iter().filter(|name| seen.get(name) == Some(&0)).collect();
    assert!(never.is_empty(), "never on a kink: {never:?}");
}

/// The operations that are differentiated and whose examples name kinks.
fn names_of_kinks() -> BTreeSet<&'static str> {
    let kinks = |domain: &Domain| matches!(domain, Domain::Range { kinks, .. } if !kinks.is_empty());
    let named = op::cases().into_iter().filter(|case| case.domains.iter().any(kinks));
    named.map(|case| case.op.name()).collect()
}

/// The derivative of every operation times 1.001, as if its rule said so.
#[test]
fn every_operation_with_a_derivative_that_is_off_by_a_thousandth_fails() {
    for_all(1, operand, |at| {
        let (op, operands) = (at.op, at.operands.to_vec());
        let slots: Vec<usize> = (0..operands.len()).filter(|slot| op.differentiable(*slot)).collect();
        let inputs: Vec<(&str, &Matrix<f64>)> = slots.iter().map(|slot| ("x", &operands[*slot])).collect();
        let report = Check::new().second_order(false).named(&inputs, |x| {
            let (slots, operands) = (slots.clone(), operands.clone());
            at.record(x, &operands).with_gradient(x, move |g, x, _| {
                let again = Applied { op, operands: &operands }.record(x, &operands);
                again.vjp(g * 1.001, x).into_iter().take(slots.len()).collect()
            })
        });
        let flat = report.parts.iter().all(|part| part.largest_error == 0.0);
        assert!(flat || report.verdict == Verdict::Fail, "{:?} at {:?}:\n{report}", at.op, at.operands);
        assert!(flat || report.blame[0].op == "with_gradient", "{report}");
    });
}
