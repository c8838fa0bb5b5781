//! Second pass: pointwise terms of one shape become one kernel; kernels are put in order.
//!
//! Each kernel has a level, larger than that of all kernels that it reads from. A pointwise term joins the
//! kernels of its inputs if all inputs of the highest level come from pointwise kernels of its own shape:
//! kernels of one level cannot depend on each other, so they may merge, and no cycle can arise.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::program::simplify::Term;
use crate::shape::Shape;

/// Terms that run as one kernel: one term of any kind, or several pointwise terms of one shape.
#[derive(Debug)]
pub(crate) struct Group {
    /// In the order of computation.
    pub(crate) members: Vec<usize>,
}

/// Groups all terms but leaves, and puts the groups in order.
pub(crate) fn fuse(terms: &[Term]) -> Vec<Group> {
    let mut fusion = Fusion { terms, kernels: Vec::new(), kernel_of: vec![usize::MAX; terms.len()] };
    for (i, term) in terms.iter().enumerate().filter(|(_, term)| !term.op.is_leaf()) {
        fusion.place(i, term);
    }
    fusion.ordered()
}

struct Kernel {
    level: usize,
    /// The shape that pointwise terms must have to join; `None` if nothing joins.
    shape: Option<Shape>,
    /// Union–find: the kernel it was merged into.
    merged: Option<usize>,
}

struct Fusion<'a> {
    terms: &'a [Term],
    kernels: Vec<Kernel>,
    kernel_of: Vec<usize>,
}

impl Fusion<'_> {
    fn find(&mut self, mut kernel: usize) -> usize {
        while let Some(next) = self.kernels[kernel].merged {
            if let Some(beyond) = self.kernels[next].merged {
                self.kernels[kernel].merged = Some(beyond);
            }
            kernel = next;
        }
        kernel
    }

    fn place(&mut self, i: usize, term: &Term) {
        let inputs: Vec<usize> =
            term.inputs.iter().filter(|&&input| !self.terms[input].op.is_leaf()).copied().collect();
        let producers: Vec<usize> = inputs.into_iter().map(|input| self.find(self.kernel_of[input])).collect();
        let top = producers.iter().map(|&kernel| self.kernels[kernel].level).max();
        let shape = term.op.is_pointwise().then_some(term.shape);
        let highest = |kernel: &usize| Some(self.kernels[*kernel].level) == top;
        let highest: Vec<usize> = producers.iter().copied().filter(highest).collect();
        let joins = shape.is_some() && highest.iter().all(|&kernel| self.kernels[kernel].shape == shape);
        if let (true, Some(&host)) = (joins, highest.first()) {
            for &other in &highest[1..] {
                if other != host {
                    self.kernels[other].merged = Some(host);
                }
            }
            self.kernel_of[i] = host;
        } else {
            self.kernel_of[i] = self.kernels.len();
            self.kernels.push(Kernel { level: top.map_or(0, |level| level + 1), shape, merged: None });
        }
    }

    /// The kernels in an order in which producers come first; among those that could be next, the one whose last
    /// term was recorded first.
    fn ordered(mut self) -> Vec<Group> {
        let mut members: Vec<Vec<usize>> = (0..self.kernels.len()).map(|_| Vec::new()).collect();
        for i in 0..self.terms.len() {
            if self.kernel_of[i] != usize::MAX {
                let kernel = self.find(self.kernel_of[i]);
                self.kernel_of[i] = kernel;
                members[kernel].push(i);
            }
        }
        let mut users: Vec<Vec<usize>> = (0..members.len()).map(|_| Vec::new()).collect();
        let mut waiting = vec![0_usize; members.len()];
        for (kernel, terms) in members.iter().enumerate() {
            let inputs = terms.iter().flat_map(|&i| &self.terms[i].inputs);
            let mut producers: Vec<usize> = inputs
                .map(|&input| self.kernel_of[input])
                .filter(|&producer| producer != usize::MAX && producer != kernel)
                .collect();
            producers.sort_unstable();
            producers.dedup();
            waiting[kernel] = producers.len();
            producers.into_iter().for_each(|producer| users[producer].push(kernel));
        }
        let last = |kernel: usize| members[kernel].last().copied();
        let ready = (0..members.len()).filter(|&k| waiting[k] == 0 && !members[k].is_empty());
        let mut ready: BinaryHeap<_> = ready.map(|kernel| Reverse((last(kernel), kernel))).collect();
        let mut order = Vec::new();
        while let Some(Reverse((_, kernel))) = ready.pop() {
            order.push(kernel);
            for &user in &users[kernel] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    ready.push(Reverse((last(user), user)));
                }
            }
        }
        order.into_iter().map(|kernel| Group { members: core::mem::take(&mut members[kernel]) }).collect()
    }
}
