//! Operations on the same operand that cost less together than one after the other.
//!
//! Each has the bits that it has alone: its formula is the half of one that gives both.

use std::collections::HashMap;

use crate::kernel::{elementwise, math};
use crate::op::Op;
use crate::program::simplify::Term;
use crate::scalar::Real;

/// Of the terms `among`, each `tanh x` that stands before its derivative, `1/cosh² x`, with that.
pub(crate) fn pairs(terms: &[Term], among: impl Iterator<Item = usize> + Clone) -> HashMap<usize, usize> {
    let first = |i: &usize| matches!(terms[*i].op, Op::Tanh(_)) && terms[terms[*i].inputs[0]].shape == terms[*i].shape;
    let firsts: HashMap<usize, usize> = among.clone().filter(first).map(|i| (terms[i].inputs[0], i)).collect();
    let seconds = among.filter(|&i| matches!(terms[i].op, Op::SechSquared(_)));
    let with_first = seconds.filter_map(|second| Some((*firsts.get(&terms[second].inputs[0])?, second)));
    with_first.filter(|&(first, second)| first < second && terms[first].shape == terms[second].shape).collect()
}

/// Operations that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `tanh x` and `1/cosh² x`.
    Tanh,
    /// The sigmoids of `x` and of `−x`.
    Sigmoid,
}

impl Pair {
    /// All of them: the first term, and the second.
    pub(crate) fn all(terms: &[Term]) -> HashMap<usize, (Self, usize)> {
        let tanhs = pairs(terms, 0..terms.len()).into_iter().map(|(first, second)| (first, (Self::Tanh, second)));
        let of = |i: usize| (terms[i].inputs[0], i);
        let sigmoids = || (0..terms.len()).filter(|&i| matches!(terms[i].op, Op::Sigmoid(_)));
        let firsts: HashMap<usize, usize> = sigmoids().map(of).collect();
        let seconds = sigmoids().map(of).filter(|&(input, _)| matches!(terms[input].op, Op::Neg(_)));
        let pair = |(negative, second): (usize, usize)| {
            let first = *firsts.get(&terms[negative].inputs[0])?;
            let fits = first < second && terms[first].shape == terms[second].shape;
            fits.then_some((first, (Self::Sigmoid, second)))
        };
        let pairs: HashMap<usize, (Self, usize)> = seconds.filter_map(pair).chain(tanhs).collect();
        let is_second = |i: usize| pairs.values().any(|&(_, second)| second == i);
        pairs.iter().filter(|(first, _)| !is_second(**first)).map(|(&first, &pair)| (first, pair)).collect()
    }

    /// Computes both.
    pub(crate) fn forward<T: Real>(self, x: &[T], out: [&mut [T]; 2]) {
        match self {
            Self::Tanh => forward(x, out),
            Self::Sigmoid => elementwise::map_pair(
                #[inline(always)]
                |x| math::sigmoids(x),
                x,
                out,
            ),
        }
    }
}

/// Computes `tanh x` and `1/cosh² x`.
pub(crate) fn forward<T: Real>(x: &[T], out: [&mut [T]; 2]) {
    elementwise::map_pair(
        #[inline(always)]
        |x| math::tanh_and_sech_squared(x),
        x,
        out,
    );
}
