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

/// Computes both terms of a pair.
pub(crate) fn forward<T: Real>(x: &[T], out: [&mut [T]; 2]) {
    elementwise::map_pair(
        #[inline(always)]
        |x| math::tanh_and_sech_squared(x),
        x,
        out,
    );
}
