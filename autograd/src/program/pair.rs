//! Operations on the same operand that cost less together than one after the other.
//!
//! Each has the bits that it has alone: its formula is the half of one that gives both.

use std::collections::{HashMap, HashSet};

use crate::kernel::{elementwise, math};
use crate::op::Op;
use crate::program::simplify::Term;
use crate::scalar::Real;

/// Operations that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pair {
    /// `tanh x` and `1/cosh² x`.
    Tanh,
    /// The sigmoids of `x` and of `−x`.
    Sigmoid,
}

impl Pair {
    /// All of them: the first term, and the second.
    pub(crate) fn all(terms: &[Term]) -> HashMap<usize, (Self, usize)> {
        Self::among(terms, 0..terms.len())
    }

    /// Those of which both terms are `among` these. Nobody is the first of one pair and the second of another.
    pub(crate) fn among(terms: &[Term], among: impl Iterator<Item = usize> + Clone) -> HashMap<usize, (Self, usize)> {
        let kind = |i: usize| {
            let tanh = matches!(terms[i].op, Op::Tanh(_)).then_some(Self::Tanh);
            tanh.or(matches!(terms[i].op, Op::Sigmoid(_)).then_some(Self::Sigmoid))
        };
        let by_operand = |i: usize| Some(((kind(i)?, terms[i].inputs[0]), i));
        let is_full = |&((_, x), i): &((Self, usize), usize)| terms[x].shape == terms[i].shape;
        let firsts: HashMap<(Self, usize), usize> = among.clone().filter_map(by_operand).filter(is_full).collect();
        if firsts.is_empty() {
            return HashMap::new();
        }
        let wanted = |i: usize| {
            let &x = terms[i].inputs.first()?;
            let derivative = matches!(terms[i].op, Op::SechSquared(_)).then_some((Self::Tanh, x));
            let is_negated = matches!((terms[i].op, terms[x].op), (Op::Sigmoid(_), Op::Neg(_)));
            derivative.or_else(|| is_negated.then(|| (Self::Sigmoid, terms[x].inputs[0])))
        };
        let pair = |second: usize| {
            let wanted = wanted(second)?;
            let first = *firsts.get(&wanted)?;
            (first < second && terms[first].shape == terms[second].shape).then_some((first, (wanted.0, second)))
        };
        let mut pairs: HashMap<usize, (Self, usize)> = among.filter_map(pair).collect();
        let seconds: HashSet<usize> = pairs.values().map(|&(_, second)| second).collect();
        pairs.retain(|first, _| !seconds.contains(first));
        pairs
    }

    /// The term that the second alone needs, and the pair does not: that of which the second is the sigmoid.
    pub(crate) fn spares(self, terms: &[Term], second: usize) -> Option<usize> {
        match self {
            Self::Tanh => None,
            Self::Sigmoid => Some(terms[second].inputs[0]),
        }
    }

    /// Computes both, of the sum of what stands in one or two slices.
    #[inline(always)]
    pub(crate) fn forward<T: Real, const M: usize>(self, x: [&[T]; M], out: [&mut [T]; 2]) {
        match self {
            Self::Tanh => elementwise::map_pair(
                #[inline(always)]
                |x| math::tanh_begun(x),
                #[inline(always)]
                |x, begun| math::tanh_and_sech_squared_of(x, begun),
                x,
                out,
            ),
            Self::Sigmoid => elementwise::map_pair(
                #[inline(always)]
                |x| math::sigmoids_begun(x),
                #[inline(always)]
                |x, begun| math::sigmoids_of(x, begun),
                x,
                out,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::program::schedule::Step;
    use crate::var::Var;

    /// For each instruction of the one kernel of `outputs`, the pair that it computes. The kernel gives the bits of values on
    /// demand.
    fn instructions(outputs: &[Var<'_, f64>]) -> Vec<Option<Pair>> {
        let mut program = outputs[0].graph().compile(&[], &[], outputs).unwrap();
        program.execute().unwrap();
        for (i, output) in outputs.iter().enumerate() {
            assert_eq!(program.output(i), output.value(), "output {i}");
        }
        let [Step::Fused(kernel)] = program.steps.as_slice() else { panic!("{:?}", program.steps) };
        kernel.code.iter().map(|instruction| instruction.second.map(|(pair, _)| pair)).collect()
    }

    #[test]
    fn what_only_the_second_of_a_pair_reads_is_not_computed() {
        let graph = Graph::new();
        let x = graph.variable(Matrix::from_fn(40, 30, |i, j| f64::from_usize(30 * i + j) * 0.01 - 6.0));
        let z = x * 1.5;
        assert_eq!(instructions(&[z.tanh(), z.sech_squared()]), [None, Some(Pair::Tanh)]);
        assert_eq!(instructions(&[z.sigmoid(), (-z).sigmoid()]), [None, Some(Pair::Sigmoid)]);
        assert_eq!(instructions(&[z.sigmoid(), (-z).sigmoid(), -z]), [None, Some(Pair::Sigmoid), None]);
    }
}
