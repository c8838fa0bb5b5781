//! How much rounding may do to the values of a recorded function: its numbers are made a little wrong, and what comes of it
//! is seen. No rule of a derivative takes part, so a wrong one does not hide it.
//!
//! # References
//! D. S. Parker, *Monte Carlo Arithmetic: exploiting randomness in floating-point arithmetic*, UCLA report CSD-970002 (1997).

use std::collections::HashSet;

use super::quiet::catch;
use super::random::SplitMix64;
use super::replay::{Held, Twin, numbers};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::NodeId;
use crate::scalar::Real;
use crate::var::Var;

/// A value is what is left of numbers that cancelled if those were larger by so many times.
const CANCELLED: f64 = 16.0;
/// Errors that cancel in one draw do not in another.
const DRAWS: u64 = 4;
/// Among so many numbers of an operand a result is not looked for: it would take longer than all else.
const MANY: usize = 1 << 16;

/// A part of a graph, from some nodes to others.
#[derive(Clone, Copy)]
pub(super) struct Stretch<'a, U: Real> {
    pub(super) graph: &'a Graph<U>,
    pub(super) sources: &'a [NodeId],
    pub(super) targets: &'a [NodeId],
    pub(super) held: Held,
}

impl<U: Real> Stretch<'_, U> {
    /// For each element of the targets, the size of the numbers that it is what is left of, where they cancelled; else 0. Its
    /// rounding is that of a number of this size: `4 σ(x) - 2` near 0 has the rounding of 2.
    pub(super) fn cancelled(self) -> Vec<Vec<f64>> {
        // Far above rounding, and so small that its square is lost beside it; and rounding itself: what cancels within one
        // operation, exactly but for its own rounding, moves by no more for larger errors.
        let errors = [(U::EPSILON.to_f64().sqrt(), DRAWS), (4.0 * U::EPSILON.to_f64(), DRAWS / 2)];
        let [mut sizes, own] = errors.map(|(error, draws)| {
            let mut sizes = self.moved_by(error, draws);
            sizes.iter_mut().flatten().for_each(|size| *size /= error);
            sizes
        });
        sizes.iter_mut().flatten().zip(own.iter().flatten()).for_each(|(size, own)| *size = size.max(*own));
        for (sizes, target) in sizes.iter_mut().zip(self.targets) {
            let values = numbers(self.graph, *target).unwrap_or_default();
            for (size, y) in sizes.iter_mut().zip(values) {
                *size = if *size > CANCELLED * y.abs() { *size } else { 0.0 };
            }
        }
        sizes
    }

    /// By how much the elements of the targets move at most, in so many draws, if the sources and all that is computed from
    /// them have a random relative error of this size; 0 where that is not known.
    pub(super) fn moved_by(self, error: f64, draws: u64) -> Vec<Vec<f64>> {
        let values: Vec<Vec<f64>> =
            self.targets.iter().map(|id| numbers(self.graph, *id).unwrap_or_default()).collect();
        let mut most: Vec<Vec<f64>> = values.iter().map(|values| vec![0.0; values.len()]).collect();
        for draw in 0..draws {
            // What takes an index or a flag may refuse one that is a little wrong.
            let Ok(Ok(wrong)) = catch(|| self.made_wrong(error, SplitMix64::new(draw))) else { continue };
            let moves = values.iter().flatten().zip(wrong.iter().flatten()).map(|(y, wrong)| (wrong - y).abs());
            let finite = most.iter_mut().flatten().zip(moves).filter(|(_, moves)| moves.is_finite());
            finite.for_each(|(most, moves)| *most = most.max(moves));
        }
        most
    }

    /// The values of the targets with such errors.
    fn made_wrong(self, error: f64, mut random: SplitMix64) -> Result<Vec<Vec<f64>>, String> {
        let twin = Graph::new();
        let mut copy = Twin::new(self.graph, &twin, self.held);
        let mut wrong = |y| with_errors(y, error, &mut random);
        let mut inputs = Vec::new();
        for source in self.sources {
            inputs.push(wrong(copy.constant(*source)?)?);
        }
        let outputs = copy.record(self.sources, &inputs, self.targets, wrong)?;
        outputs.iter().map(|output| numbers(&twin, output.id())).collect()
    }
}

/// A value with a random relative error in each element. What is one of the operands, as a maximum is, was not rounded.
fn with_errors<'g, U: Real>(y: Var<'g, U>, error: f64, random: &mut SplitMix64) -> Result<Var<'g, U>, String> {
    let graph = y.graph();
    let mut exact = HashSet::new();
    for x in y.operands().into_iter().filter(|x| x.shape().len() <= MANY) {
        exact.extend(numbers(graph, x.id())?.iter().map(|x| x.abs().to_bits()));
    }
    let values = numbers(graph, y.id())?;
    let errors = values.iter().map(|y| if exact.contains(&y.abs().to_bits()) { 0.0 } else { random.weight() });
    let factors = errors.map(|weight| U::from_f64(1.0 + error * weight)).collect();
    Ok(y * graph.constant(Matrix::new(y.rows(), y.cols(), factors)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Cofactors, Op};

    #[test]
    fn what_cancels_within_one_operation_has_the_rounding_of_its_terms() {
        // Minors of equal rows are 0. What rounding leaves of them is no larger for larger errors of the operands.
        let graph = Graph::<f64>::new();
        let row = graph.variable([[0.3, 0.7, 0.9]]);
        let rows = row.broadcast((3, 3));
        let fixed = graph.constant([[1.9, -0.3, 0.4], [0.2, 1.1, -0.7], [0.6, 0.5, 0.8]]);
        let minors = graph.try_apply(Op::Cofactors(Cofactors), &[fixed, rows, rows]).unwrap();
        let (sources, targets) = ([row.id()], [minors.id()]);
        let held = Held::NOTHING;
        let cancelled = Stretch { graph: &graph, sources: &sources, targets: &targets, held }.cancelled();
        assert!(cancelled[0].iter().any(|size| (0.05..50.0).contains(size)), "{cancelled:?}");
    }
}
