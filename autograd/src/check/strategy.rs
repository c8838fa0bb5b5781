//! Strategies for property tests of derivatives (feature `proptest`): matrices by shape and domain, points away from
//! kinks and on them, cotangents.
//!
//! What they draw is short in decimal notation, and shrinks: numbers to those of few digits, matrices to `1x1`, else to
//! `2x3` or another shape that is not square, for a square one hides a missing transpose.
//!
//! ```
//! use autograd::Graph;
//! use autograd::check::strategy::{self, Domain, Shapes};
//! use proptest::prelude::*;
//!
//! proptest!(|(x in strategy::matrix(Shapes::upto(4, 4), Domain::Positive))| {
//!     let graph = Graph::new();
//!     let v = graph.variable(&x);
//!     let dv = (v * v.ln()).sum().gradient(v);
//!     for (x, dx) in x.as_slice().iter().zip(dv.value().as_slice()) {
//!         prop_assert!((dx - (x.ln() + 1.0)).abs() < 1e-14);
//!     }
//! });
//! ```

use core::ops::RangeInclusive;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::matrix::Matrix;
use crate::shape::Shape;

/// Shapes to draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shapes {
    rows: RangeInclusive<usize>,
    cols: RangeInclusive<usize>,
}

impl Shapes {
    /// Numbers of rows and of columns in these ranges.
    ///
    /// # Panics
    /// If a range is empty.
    #[must_use]
    #[track_caller]
    pub fn new(rows: RangeInclusive<usize>, cols: RangeInclusive<usize>) -> Self {
        assert!(!rows.is_empty() && !cols.is_empty(), "Shapes: {rows:?} by {cols:?}: a range is empty");
        Self { rows, cols }
    }

    /// At least one and at most so many rows and columns.
    ///
    /// # Panics
    /// If one is 0.
    #[must_use]
    #[track_caller]
    pub fn upto(rows: usize, cols: usize) -> Self {
        Self::new(1..=rows, 1..=cols)
    }

    /// One shape only.
    #[must_use]
    pub fn exactly(rows: usize, cols: usize) -> Self {
        Self { rows: rows..=rows, cols: cols..=cols }
    }

    /// All shapes: the scalar, then those that are not square, then squares, then empty ones; small ones first.
    fn in_order(&self) -> Vec<Shape> {
        let all = self.rows.clone().flat_map(|rows| self.cols.clone().map(move |cols| Shape::new(rows, cols)));
        let mut all: Vec<Shape> = all.collect();
        let rank = |shape: &Shape| match (shape.rows, shape.cols) {
            (1, 1) => 0,
            (2, 3) => 1,
            (m, n) if m == 0 || n == 0 => 5,
            (m, n) if m == n => 4,
            // Rows and columns hide what is summed along the wrong axis.
            (1, _) | (_, 1) => 3,
            _ => 2,
        };
        all.sort_by_key(|shape| (rank(shape), shape.len(), shape.rows));
        all
    }

    /// A strategy for a shape.
    pub fn strategy(&self) -> impl Strategy<Value = Shape> + use<> {
        let shapes = self.in_order();
        (0..shapes.len()).prop_map(move |i| shapes[i])
    }
}

/// What the elements of a matrix are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Domain {
    /// Between -2 and 2.
    Real,
    /// Between 0.1 and 3.
    Positive,
    /// Between 0.05 and 0.95.
    Unit,
    /// Between -2 and 2, at least 0.1 away from 0.
    NonZero,
    /// At least 0.1 apart from each other.
    Distinct,
    /// Rows of positive numbers that add up to 1, to the last bits.
    Simplex,
    /// Among usual numbers ±0, ±1, tiny, subnormal and huge ones, ±∞ and NaN.
    Special,
}

/// Numbers of two decimals from `low` to `high`, which are in hundredths; it shrinks towards those with fewer decimals, and
/// small ones.
fn decimal(low: i32, high: i32) -> impl Strategy<Value = f64> + Clone {
    one_of(simplest_first((low..=high).map(|k| f64::from(k) / 100.0).collect()))
}

/// Whole numbers, then those of one decimal, then the others; small before large, positive before negative.
fn simplest_first(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(|x, y| decimals(*x).cmp(&decimals(*y)).then(x.abs().total_cmp(&y.abs())).then(y.total_cmp(x)));
    numbers
}

/// How many decimals a number has, of at most two.
fn decimals(x: f64) -> u8 {
    let near = |x: f64| (x - x.round()).abs() < 1e-9;
    u8::from(!near(x)) + u8::from(!near(x * 10.0))
}

/// One of a list; it shrinks towards its start.
fn one_of(numbers: Vec<f64>) -> impl Strategy<Value = f64> + Clone {
    let numbers: Arc<[f64]> = numbers.into();
    (0..numbers.len()).prop_map(move |i| numbers[i])
}

const SPECIAL: [f64; 14] = [
    0.0,
    1.0,
    -1.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1e-300,
    -1e-300,
    5e-324,
    -5e-324,
    1e300,
    -1e300,
    f64::MIN_POSITIVE,
];

/// The elements of a matrix, row by row.
fn elements(shape: Shape, domain: Domain) -> BoxedStrategy<Vec<f64>> {
    let count = shape.len();
    let free = |low: i32, high: i32| vec(decimal(low, high), count).boxed();
    match domain {
        Domain::Real => free(-200, 200),
        Domain::Positive => free(10, 300),
        Domain::Unit => free(5, 95),
        Domain::NonZero => {
            let sign = any::<bool>().prop_map(|negative| if negative { -1.0 } else { 1.0 });
            vec((decimal(10, 200), sign).prop_map(|(x, sign)| x * sign), count).boxed()
        }
        Domain::Distinct => distinct(count),
        Domain::Simplex => {
            let normal = move |numbers: Vec<f64>| -> Vec<f64> {
                let rows = numbers.chunks(shape.cols.max(1));
                rows.flat_map(|row| row.iter().map(|x| x / row.iter().sum::<f64>()).collect::<Vec<_>>()).collect()
            };
            vec((1..=10).prop_map(f64::from), count).prop_map(normal).boxed()
        }
        Domain::Special => vec(prop_oneof![3 => decimal(-200, 200), 2 => select(SPECIAL.to_vec())], count).boxed(),
    }
}

/// Numbers in any order, each at least 0.1 larger than the next smaller one.
fn distinct(count: usize) -> BoxedStrategy<Vec<f64>> {
    let order = Just((0..count).collect::<Vec<usize>>()).prop_shuffle();
    let gaps = vec(10..=30i32, count);
    let place = |(order, gaps): (Vec<usize>, Vec<i32>)| {
        let start = -10 * i32::try_from(gaps.len()).unwrap_or(i32::MAX / 10);
        let ladder = gaps.iter().scan(start, |hundredths, gap| {
            *hundredths += gap;
            Some(f64::from(*hundredths) / 100.0)
        });
        let ladder: Vec<f64> = ladder.collect();
        order.into_iter().map(|k| ladder[k]).collect()
    };
    (order, gaps).prop_map(place).boxed()
}

fn of_shape(shape: Shape, domain: Domain) -> impl Strategy<Value = Matrix<f64>> {
    elements(shape, domain).prop_map(move |data| Matrix::new(shape.rows, shape.cols, data))
}

/// Matrices by shape and domain.
///
/// # Examples
/// ```
/// use autograd::check::strategy::{Domain, Shapes, matrix};
/// use proptest::prelude::*;
/// proptest!(|(p in matrix(Shapes::new(1..=3, 2..=5), Domain::Simplex))| {
///     for i in 0..p.rows() {
///         prop_assert!((p.row(i).iter().sum::<f64>() - 1.0).abs() < 1e-15);
///     }
/// });
/// ```
pub fn matrix(shapes: Shapes, domain: Domain) -> impl Strategy<Value = Matrix<f64>> {
    shapes.strategy().prop_flat_map(move |shape| of_shape(shape, domain))
}

/// Two matrices whose shapes broadcast: equal, or one of them a row, a column or a scalar.
///
/// # Examples
/// ```
/// use autograd::check::strategy::{Domain, Shapes, broadcasting};
/// use proptest::prelude::*;
/// proptest!(|((x, y) in broadcasting(Shapes::upto(3, 4), [Domain::Real, Domain::Positive]))| {
///     prop_assert!(x.shape().broadcast(y.shape()).is_some());
/// });
/// ```
pub fn broadcasting(shapes: Shapes, domains: [Domain; 2]) -> impl Strategy<Value = (Matrix<f64>, Matrix<f64>)> {
    (shapes.strategy(), 0..4usize, any::<bool>()).prop_flat_map(move |(shape, form, swapped)| {
        let small = [shape, Shape::new(1, shape.cols), Shape::new(shape.rows, 1), Shape::SCALAR][form];
        let (left, right) = if swapped { (small, shape) } else { (shape, small) };
        (of_shape(left, domains[0]), of_shape(right, domains[1]))
    })
}

/// Symmetric positive definite `n x n` matrices `A Aᵀ + n I`, whose condition is moderate.
///
/// # Examples
/// ```
/// use autograd::check::strategy::positive_definite;
/// use proptest::prelude::*;
/// proptest!(|(a in positive_definite(1..=4))| {
///     prop_assert_eq!(a.transpose(), a.clone());
///     prop_assert!((0..a.rows()).all(|i| a[(i, i)] > 0.0));
/// });
/// ```
pub fn positive_definite(sides: RangeInclusive<usize>) -> impl Strategy<Value = Matrix<f64>> {
    // One decimal, so that sums of products are short, too.
    let square = |n: usize| {
        vec((-10..=10).prop_map(|k| f64::from(k) / 10.0), n * n).prop_map(move |data| Matrix::new(n, n, data))
    };
    sides.prop_flat_map(square).prop_map(|a| {
        let n = a.rows();
        let dot = |i: usize, j: usize| a.row(i).iter().zip(a.row(j)).map(|(x, y)| x * y).sum::<f64>();
        let shift = |i: usize, j: usize| if i == j { f64::from(u32::try_from(n).unwrap_or(u32::MAX)) } else { 0.0 };
        Matrix::from_fn(n, n, |i, j| ((dot(i, j) + shift(i, j)) * 100.0).round() / 100.0)
    })
}

/// Lower triangular `n x n` matrices with a diagonal between 0.5 and 3; transposed they are upper ones.
///
/// # Examples
/// ```
/// use autograd::check::strategy::triangular;
/// use proptest::prelude::*;
/// proptest!(|(l in triangular(2..=4))| {
///     prop_assert!(l[(0, 1)] == 0.0 && l[(1, 1)] >= 0.5);
/// });
/// ```
pub fn triangular(sides: RangeInclusive<usize>) -> impl Strategy<Value = Matrix<f64>> {
    sides.prop_flat_map(|n| {
        let (below, diagonal) = (vec(decimal(-200, 200), n * n), vec(decimal(50, 300), n));
        (below, diagonal).prop_map(move |(below, diagonal)| {
            Matrix::from_fn(n, n, |i, j| match i.cmp(&j) {
                core::cmp::Ordering::Greater => below[i * n + j],
                core::cmp::Ordering::Equal => diagonal[i],
                core::cmp::Ordering::Less => 0.0,
            })
        })
    })
}

/// Matrices with elements between -2 and 2 that are at least 0.1 away from each of `kinks`.
///
/// # Panics
/// If there is no such number.
///
/// # Examples
/// ```
/// use autograd::check::strategy::{Shapes, away_from};
/// use proptest::prelude::*;
/// proptest!(|(x in away_from(Shapes::upto(3, 3), &[-1.0, 0.0, 1.0]))| {
///     prop_assert!(x.as_slice().iter().all(|x| (x.abs() - 1.0).abs() >= 0.1 && x.abs() >= 0.1));
/// });
/// ```
#[track_caller]
pub fn away_from(shapes: Shapes, kinks: &[f64]) -> impl Strategy<Value = Matrix<f64>> {
    let clear = |x: &f64| kinks.iter().all(|kink| (x - kink).abs() >= 0.1);
    let free: Vec<f64> = (-200..=200).map(|k| f64::from(k) / 100.0).filter(clear).collect();
    assert!(!free.is_empty(), "away_from: no number from -2 to 2 is 0.1 away from all of {kinks:?}");
    let free = one_of(simplest_first(free));
    shapes.strategy().prop_flat_map(move |shape| {
        vec(free.clone(), shape.len()).prop_map(move |data| Matrix::new(shape.rows, shape.cols, data))
    })
}

/// Matrices of which about half the elements lie exactly on one of `kinks`, so that several often tie. The others are
/// between -2 and 2.
///
/// # Examples
/// ```
/// use autograd::Graph;
/// use autograd::check::strategy::{Shapes, on_kinks};
/// use proptest::prelude::*;
/// proptest!(|(x in on_kinks(Shapes::upto(3, 3), &[0.0]))| {
///     let graph = Graph::new();
///     let v = graph.variable(&x);
///     let dv = v.relu().sum().gradient(v).value();
///     prop_assert!(x.as_slice().iter().zip(dv.as_slice()).all(|(x, dx)| (*x > 0.0) == (*dx == 1.0)));
/// });
/// ```
pub fn on_kinks(shapes: Shapes, kinks: &[f64]) -> impl Strategy<Value = Matrix<f64>> + use<> {
    let kinks = kinks.to_vec();
    shapes.strategy().prop_flat_map(move |shape| {
        let element = match kinks.as_slice() {
            [] => decimal(-200, 200).boxed(),
            kinks => prop_oneof![select(kinks.to_vec()), decimal(-200, 200)].boxed(),
        };
        vec(element, shape.len()).prop_map(move |data| Matrix::new(shape.rows, shape.cols, data))
    })
}

/// Matrices in which most elements occur several times: for `max`, `sort`, `median` and their kin.
///
/// # Examples
/// ```
/// use autograd::check::strategy::{Shapes, tied};
/// use proptest::prelude::*;
/// proptest!(|(x in tied(Shapes::exactly(3, 4)))| {
///     let mut sorted = x.into_vec();
///     sorted.sort_by(f64::total_cmp);
///     prop_assert!(sorted.windows(2).any(|pair| pair[0] == pair[1]));
/// });
/// ```
pub fn tied(shapes: Shapes) -> impl Strategy<Value = Matrix<f64>> {
    shapes.strategy().prop_flat_map(|shape| {
        vec((-1..=1).prop_map(f64::from), shape.len()).prop_map(move |data| Matrix::new(shape.rows, shape.cols, data))
    })
}

/// Cotangents or tangents of a shape: no element 0, no two elements equal (up to 40 of them), so that a sum over the wrong
/// elements or a transpose shows.
///
/// # Examples
/// ```
/// use autograd::check::strategy::covector;
/// use proptest::prelude::*;
/// proptest!(|(g in covector((2, 3)))| {
///     prop_assert!(g.as_slice().iter().all(|x| *x != 0.0) && g[(0, 1)] != g[(1, 0)]);
/// });
/// ```
pub fn covector(shape: impl Into<Shape>) -> impl Strategy<Value = Matrix<f64>> {
    let shape: Shape = shape.into();
    // ±0.1, ±0.2 … ±2: all of them in some order, then from the start again.
    let mut numbers: Vec<f64> = Vec::with_capacity(40);
    for k in 1..=20 {
        numbers.extend([f64::from(k) / 10.0, f64::from(-k) / 10.0]);
    }
    Just(numbers).prop_shuffle().prop_map(move |numbers| {
        let mut endless = numbers.iter().copied().cycle();
        Matrix::from_fn(shape.rows, shape.cols, |_, _| endless.next().unwrap_or(1.0))
    })
}

#[cfg(test)]
mod tests {
    use core::fmt::Debug;

    use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

    use super::*;

    fn runner(cases: u32) -> TestRunner {
        let rng_seed = RngSeed::Fixed(2026);
        TestRunner::new(Config { cases, rng_seed, failure_persistence: None, ..Config::default() })
    }

    fn hold<S: Strategy>(strategy: &S, holds: impl Fn(&S::Value) -> bool) {
        let property = |value: S::Value| {
            let fails = TestCaseError::fail(format!("{value:?}"));
            if holds(&value) { Ok(()) } else { Err(fails) }
        };
        runner(300).run(strategy, property).unwrap();
    }

    /// What a property that `fails` for shrinks to.
    fn shrunken<S: Strategy>(strategy: &S, fails: impl Fn(&S::Value) -> bool) -> S::Value
    where
        S::Value: Debug,
    {
        let property = |value| if fails(&value) { Err(TestCaseError::fail("as planned")) } else { Ok(()) };
        match runner(1000).run(strategy, property) {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("it does not fail: {other:?}"),
        }
    }

    fn all(x: &Matrix<f64>, holds: impl Fn(f64) -> bool) -> bool {
        x.as_slice().iter().all(|x| holds(*x))
    }

    fn apart(x: &Matrix<f64>) -> f64 {
        let mut sorted = x.as_slice().to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn elements_lie_in_their_domains_and_shapes_in_their_ranges() {
        let of = |domain| matrix(Shapes::new(0..=3, 2..=4), domain);
        hold(&of(Domain::Real), |x| x.rows() <= 3 && (2..=4).contains(&x.cols()) && all(x, |x| x.abs() <= 2.0));
        hold(&of(Domain::Positive), |x| all(x, |x| (0.1..=3.0).contains(&x)));
        hold(&of(Domain::Unit), |x| all(x, |x| (0.05..=0.95).contains(&x)));
        hold(&of(Domain::NonZero), |x| all(x, |x| (0.1..=2.0).contains(&x.abs())));
        hold(&of(Domain::Distinct), |x| apart(x) > 0.099);
        hold(&of(Domain::Simplex), |x| {
            (0..x.rows()).all(|i| (x.row(i).iter().sum::<f64>() - 1.0).abs() < 1e-15) && all(x, |x| x > 0.0)
        });
        hold(&away_from(Shapes::upto(3, 3), &[0.0, 1.5]), |x| all(x, |x| x.abs() >= 0.1 && (x - 1.5).abs() >= 0.1));
    }

    #[test]
    fn every_special_value_occurs() {
        let seen = core::cell::RefCell::new(Vec::new());
        hold(&matrix(Shapes::upto(4, 4), Domain::Special), |x| {
            seen.borrow_mut().extend(x.as_slice().iter().map(|x| x.to_bits()));
            true
        });
        assert!(SPECIAL.iter().all(|x| seen.borrow().contains(&x.to_bits())));
    }

    #[test]
    fn positive_definite_matrices_have_positive_pivots() {
        hold(&positive_definite(1..=4), |a| {
            let n = a.rows();
            let mut rest = a.clone();
            (0..n).all(|k| {
                let pivot = rest[(k, k)];
                rest = Matrix::from_fn(n, n, |i, j| {
                    if i > k { rest[(i, j)] - rest[(i, k)] * rest[(k, j)] / pivot } else { rest[(i, j)] }
                });
                pivot > 0.1
            })
        });
    }

    #[test]
    fn kinks_are_hit_and_ties_are_frequent() {
        let on = on_kinks(Shapes::exactly(4, 4), &[0.5]);
        hold(&on, |x| x.as_slice().iter().any(|x| (x - 0.5).abs() == 0.0));
        hold(&tied(Shapes::exactly(2, 3)), |x| apart(x) == 0.0);
        hold(&covector((4, 5)), |g| apart(g) > 0.09 && all(g, |g| g != 0.0));
    }

    #[test]
    fn shapes_shrink_to_a_scalar_and_else_to_what_is_not_square() {
        let strategy = matrix(Shapes::upto(5, 5), Domain::Real);
        assert_eq!(shrunken(&strategy, |_| true).shape(), Shape::SCALAR);
        assert_eq!(shrunken(&strategy, |x| x.len() > 1).shape(), Shape::new(2, 3));
        assert_eq!(shrunken(&strategy, |x| x.rows() >= 3 && x.cols() >= 3).shape(), Shape::new(3, 4));
        let small = matrix(Shapes::upto(2, 2), Domain::Real);
        assert_eq!(shrunken(&small, |x| x.rows() == 2 && x.cols() == 2).shape(), Shape::new(2, 2));
    }

    #[test]
    fn numbers_shrink_to_short_ones() {
        let strategy = matrix(Shapes::upto(4, 4), Domain::Positive);
        let bounded = shrunken(&strategy, |x| x.as_slice().iter().any(|x| *x > 0.4));
        assert!(bounded.shape() == Shape::SCALAR && bounded.item() <= 1.0, "{bounded}");
        assert_eq!(shrunken(&strategy, |x| x.len() > 4), Matrix::ones(2, 3));
        let clear = away_from(Shapes::upto(2, 2), &[0.0, 1.0]);
        assert_eq!(shrunken(&clear, |_| true), Matrix::scalar(-1.0));
    }

    fn panic_of<R>(f: impl FnOnce() -> R) -> String {
        let Err(payload) = std::panic::catch_unwind(core::panic::AssertUnwindSafe(f)) else {
            panic!("it does not panic");
        };
        *payload.downcast::<String>().expect("a text")
    }

    #[test]
    fn ranges_without_an_element_are_refused() {
        #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
        let shapes = panic_of(|| Shapes::new(2..=1, 1..=1));
        assert_eq!(shapes, "Shapes: 2..=1 by 1..=1: a range is empty");
        let everywhere: Vec<f64> = (-20..=20).map(|k| f64::from(k) / 10.0).collect();
        let nowhere = panic_of(|| away_from(Shapes::upto(1, 1), &everywhere));
        let expected = format!("away_from: no number from -2 to 2 is 0.1 away from all of {everywhere:?}");
        assert_eq!(nowhere, expected);
    }

    #[test]
    fn operands_that_broadcast_take_all_forms() {
        let forms = core::cell::RefCell::new(std::collections::HashSet::new());
        hold(&broadcasting(Shapes::exactly(2, 3), [Domain::Real, Domain::Positive]), |(x, y)| {
            forms.borrow_mut().insert((x.shape(), y.shape()));
            x.shape().broadcast(y.shape()) == Some(Shape::new(2, 3)) && all(y, |y| y > 0.0)
        });
        assert_eq!(forms.borrow().len(), 7);
    }
}
