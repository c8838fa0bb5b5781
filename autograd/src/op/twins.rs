//! Every operation that is not smooth has a frozen twin: with the value of the operation where its decisions were taken, and
//! with that of the operation wherever these are the same.
#![allow(clippy::expect_used, reason = "a failing test panics")]
#![allow(clippy::float_cmp, reason = "infinities and the same pieces are equal exactly")]

use crate::graph::Graph;
use crate::kernel::View;
use crate::matrix::Matrix;
use crate::op::case::{Case, Domain};
use crate::op::{Op, Pieces, cases};
use crate::shape::Shape;

/// Numbers among which kinks, ties and zeros of both signs are frequent.
const NUMBERS: [f64; 13] = [-2.0, -1.5, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 0.0625];

fn shapes(case: &Case) -> Vec<Vec<Shape>> {
    if !case.shapes.is_empty() {
        return vec![case.shapes.clone()];
    }
    let arranged = |shapes: &[(usize, usize)]| {
        let shapes = shapes.iter().cycle().take(case.domains.len());
        shapes.map(|shape| Shape::from(*shape)).collect::<Vec<_>>()
    };
    vec![arranged(&[(3, 4)]), arranged(&[(3, 4), (1, 4)]), arranged(&[(3, 1), (3, 4)])]
}

/// The next of a fixed sequence of numbers below `bound`.
fn draw(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).expect("31 bits") % bound
}

fn operand(state: &mut u64, domain: Domain, shape: Shape) -> Matrix<f64> {
    let mut order: Vec<usize> = (0..shape.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, draw(state, i + 1));
    }
    let whole = |k: usize| f64::from(u32::try_from(k).expect("small"));
    let mut order = order.into_iter();
    Matrix::from_fn(shape.rows, shape.cols, |i, j| match domain {
        Domain::Index { bound } => whole(draw(state, bound)),
        Domain::Flag => whole(draw(state, 2)),
        Domain::Dominant => {
            if i == j {
                8.0
            } else {
                whole(draw(state, 3)) / 2.0
            }
        }
        Domain::Order => whole(order.next().expect("one for each")),
        Domain::Range { .. } | Domain::Lattice { .. } | Domain::Distinct => NUMBERS[draw(state, NUMBERS.len())],
    })
}

fn pieces(op: Op, operands: &[Matrix<f64>]) -> Option<Pieces<f64>> {
    let views: Vec<View<'_, f64>> = operands.iter().map(|x| View::new(x.as_slice(), x.shape())).collect();
    op.pieces(&views)
}

/// Whether two results are equal but for a few roundings of numbers of the size of the operands.
fn close(a: &Matrix<f64>, b: &Matrix<f64>) -> bool {
    let near = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 16.0 * f64::EPSILON;
    a.shape() == b.shape() && a.as_slice().iter().zip(b.as_slice()).all(near)
}

/// The operation at `x`, and its twin with the decisions taken at `at`.
fn values(op: Op, x: &[Matrix<f64>], at: &[Matrix<f64>]) -> Option<(Matrix<f64>, Matrix<f64>)> {
    let graph = Graph::new();
    let [moving, still] = [x, at].map(|all| all.iter().map(|x| graph.constant(x)).collect::<Vec<_>>());
    let twin = op.frozen(&moving, &still)?;
    let own = graph.try_apply(op, &moving).expect("the shapes of an example");
    Some((own.peek(), twin.broadcast(own.shape()).peek()))
}

#[test]
fn a_frozen_twin_has_the_value_of_its_operation_on_the_same_piece() {
    let mut state = 1;
    let (mut on_kinks, mut elsewhere) = (0, 0);
    for case in cases() {
        for shapes in shapes(&case) {
            for _ in 0..60 {
                let draws = |state: &mut u64| -> Vec<Matrix<f64>> {
                    case.domains.iter().zip(&shapes).map(|(domain, shape)| operand(state, *domain, *shape)).collect()
                };
                let (at, mut x) = (draws(&mut state), draws(&mut state));
                let name = case.op.name();
                let Some((own, twin)) = values(case.op, &at, &at) else { continue };
                assert!(close(&own, &twin), "{name} at {at:?}: {own:?}, its twin {twin:?}");
                let here =
                    pieces(case.op, &at).unwrap_or_else(|| panic!("{name} has a twin, and does not say its pieces"));
                assert_eq!(here.margin.len(), own.len(), "{name}: a margin for each element");
                on_kinks += here.margin.iter().filter(|margin| **margin == 0.0).count();
                if state % 2 == 0 {
                    // Near enough to stay on the piece, mostly.
                    x = at.iter().map(|x| x.map(|x| x * 1.03125)).collect();
                }
                let there = pieces(case.op, &x).expect("as before");
                if here.switch == there.switch {
                    elsewhere += 1;
                    let (own, twin) = values(case.op, &x, &at).expect("as before");
                    assert!(close(&own, &twin), "{name} at {x:?}, frozen at {at:?}: {own:?}, its twin {twin:?}");
                }
            }
        }
    }
    assert!(on_kinks > 1000 && elsewhere > 500, "{on_kinks} elements on kinks, {elsewhere} cases elsewhere");
}

#[test]
fn every_operation_with_kinks_has_a_frozen_twin() {
    for case in cases() {
        let kinks = case.domains.iter().any(|domain| match domain {
            Domain::Range { kinks, .. } => !kinks.is_empty(),
            Domain::Lattice { .. } | Domain::Distinct => true,
            Domain::Index { .. } | Domain::Order | Domain::Flag | Domain::Dominant => false,
        });
        let cut = (0..case.domains.len()).all(|slot| !case.op.differentiable(slot));
        let mut state = 1;
        let at: Vec<Matrix<f64>> =
            case.domains.iter().zip(&shapes(&case)[0]).map(|(d, shape)| operand(&mut state, *d, *shape)).collect();
        let name = case.op.name();
        if kinks {
            assert!(cut || values(case.op, &at, &at).is_some(), "{name} names kinks, and has no frozen twin");
            assert!(pieces(case.op, &at).is_some(), "{name} names kinks, and does not say how far they are");
        }
    }
}
