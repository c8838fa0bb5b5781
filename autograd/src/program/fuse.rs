//! Second pass: terms become kernels, each of which runs over its rows once; kernels are put in order.
//!
//! A kernel is made of a *head*, a matrix product, of which it has the rows one band after the other; a *body*, terms whose
//! rows come from the same rows of their operands; and *tails*, sums over the body. Each part may be missing.
//!
//! Each kernel has a level, larger than that of all kernels that it reads from. A term joins the kernels of its operands
//! if all operands of the highest level come from kernels over the same rows, of which at most one has a head: kernels of
//! one level cannot depend on each other, so they may merge, and no cycle can arise. What is read by one later kernel alone
//! moves there at the end, so that it need not be stored.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::kernel::matmul;
use crate::kernel::reduce::running;
use crate::op::{Axis, Op, Sum};
use crate::program::pair::Pair;
use crate::program::simplify::Term;
use crate::shape::Shape;

/// Most columns of what shares a kernel with other shapes.
pub(crate) const WIDEST: usize = 512;

/// Rows that a sum may always ask to be kept together.
const TOGETHER: usize = 32;

/// Parts that must be left of a large kernel if a sum asks for more: otherwise there would be nothing to do for other threads.
const FEWEST: usize = 16;

/// Users that are too many to look at each.
const MANY_USERS: usize = 64;

/// Elements of a kernel that is too small for more than one thread.
const SMALL: usize = 1 << 15;

/// Terms that run as one kernel.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) head: Option<usize>,
    /// In the order of computation. A term of any other kind stands alone.
    pub(crate) body: Vec<usize>,
    pub(crate) tails: Vec<usize>,
}

impl Group {
    /// Its terms in the order of computation.
    pub(crate) fn members(&self) -> impl Iterator<Item = usize> + '_ {
        self.head.iter().chain(&self.body).chain(&self.tails).copied()
    }

    /// The term that is computed by itself, if it is one.
    pub(crate) fn single(&self, terms: &[Term]) -> Option<usize> {
        match (self.head, self.body.as_slice(), self.tails.as_slice()) {
            (Some(head), [], []) => Some(head),
            (None, &[only], []) if Space::of(terms, only).is_none() => Some(only),
            _ => None,
        }
    }
}

/// What the terms of a kernel have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// So many rows.
    Rows(usize),
    /// This shape.
    Shape(Shape),
}

impl Space {
    /// The kernels that a term may belong to; `None` if it stands alone.
    pub(crate) fn of(terms: &[Term], i: usize) -> Option<Self> {
        let term = &terms[i];
        let narrow = |shape: Shape| !shape.is_empty() && shape.cols <= WIDEST;
        let shaped = if narrow(term.shape) { Self::Rows(term.shape.rows) } else { Self::Shape(term.shape) };
        if term.op.is_pointwise() || is_head(terms, i) {
            return Some(shaped);
        }
        let fits = |shape: Shape| narrow(shape) && shape.rows == term.shape.rows;
        let by_rows = term.op.by_rows() && fits(term.shape);
        (by_rows && term.inputs.iter().all(|&input| fits(terms[input].shape))).then_some(shaped)
    }
}

/// Whether other terms may follow it band by band.
pub(crate) fn is_head(terms: &[Term], i: usize) -> bool {
    matches!(terms[i].op, Op::MatMul(_)) && !terms[i].shape.is_empty()
}

/// The multiply-adds for each element of a product.
pub(crate) fn steps(terms: &[Term], product: usize) -> usize {
    let Op::MatMul(op) = terms[product].op else { return 0 };
    let left = terms[terms[product].inputs[0]].shape;
    if op.transpose_left { left.rows } else { left.cols }
}

/// The kinds of sums that a kernel does on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// The sum of all.
    Total,
    /// The sums of columns.
    Columns,
}

impl Tail {
    #[allow(clippy::wildcard_enum_match_arm, reason = "all others are no sums, or sums within rows")]
    pub(crate) fn of(terms: &[Term], i: usize) -> Option<Self> {
        let one_column = |i: usize| terms[terms[i].inputs[0]].shape.cols == 1;
        match terms[i].op {
            Op::Sum(Sum(None)) => Some(Self::Total),
            Op::Sum(Sum(Some(Axis::Rows))) if one_column(i) => Some(Self::Total),
            Op::Sum(Sum(Some(Axis::Rows))) => Some(Self::Columns),
            _ => None,
        }
    }

    /// Rows of `cols` numbers that must not be cut apart.
    pub(crate) fn rows_together(self, cols: usize) -> usize {
        match self {
            Self::Columns => running::ROWS_TOGETHER,
            // Both are powers of two times something: what is missing to a whole block.
            Self::Total => running::NUMBERS_TOGETHER >> cols.trailing_zeros().min(running::NUMBERS_TOGETHER.ilog2()),
        }
    }
}

/// Groups all terms but leaves, and puts the groups in order. `roots` are wanted after the run.
pub(crate) fn fuse(terms: &[Term], roots: impl Iterator<Item = usize>) -> Vec<Group> {
    let mut fusion =
        Fusion { terms, kernels: Vec::new(), kernel_of: vec![NONE; terms.len()], role: vec![Role::Body; terms.len()] };
    for (i, term) in terms.iter().enumerate().filter(|(_, term)| !term.op.is_leaf()) {
        fusion.place(i, term);
    }
    for i in 0..terms.len() {
        if fusion.kernel_of[i] != NONE {
            fusion.kernel_of[i] = fusion.find(fusion.kernel_of[i]);
        }
    }
    fusion.sink(roots);
    fusion.ordered()
}

const NONE: usize = usize::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Head,
    Body,
    Tail,
}

struct Kernel {
    level: usize,
    /// What terms must have in common with it to join; `None` if nothing joins.
    space: Option<Space>,
    head: Option<usize>,
    /// Union–find: the kernel it was merged into.
    merged: Option<usize>,
}

struct Fusion<'a> {
    terms: &'a [Term],
    kernels: Vec<Kernel>,
    kernel_of: Vec<usize>,
    role: Vec<Role>,
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
        let producers: Vec<usize> = inputs.iter().map(|&input| self.find(self.kernel_of[input])).collect();
        let top = producers.iter().map(|&kernel| self.kernels[kernel].level).max();
        let highest: Vec<(usize, usize)> =
            inputs.into_iter().zip(producers).filter(|&(_, kernel)| Some(self.kernels[kernel].level) == top).collect();
        if is_head(self.terms, i) {
            self.role[i] = Role::Head;
        } else if let Some(kernel) = self.host_of_tail(i, &highest) {
            self.role[i] = Role::Tail;
            self.kernel_of[i] = kernel;
            return;
        } else if let Some(kernel) = self.host(i, &highest) {
            self.kernel_of[i] = kernel;
            return;
        }
        let head = is_head(self.terms, i).then_some(i);
        let space = Space::of(self.terms, i);
        self.kernel_of[i] = self.kernels.len();
        self.kernels.push(Kernel { level: top.map_or(0, |level| level + 1), space, head, merged: None });
    }

    /// The kernel that does this sum on the way.
    fn host_of_tail(&self, i: usize, highest: &[(usize, usize)]) -> Option<usize> {
        let tail = Tail::of(self.terms, i)?;
        let &[(input, kernel)] = highest else { return None };
        let Kernel { space, head, .. } = self.kernels[kernel];
        let shape = self.terms[input].shape;
        let product = head.map_or(0, |head| self.terms[head].shape.len() * steps(self.terms, head));
        let small = shape.len() <= SMALL && product < matmul::PARALLEL;
        let fits = small || tail.rows_together(shape.cols) <= TOGETHER.max(shape.rows / FEWEST);
        (space.is_some() && self.role[input] != Role::Tail && !shape.is_empty() && fits).then_some(kernel)
    }

    /// The kernel that it joins, made of those of its highest operands.
    fn host(&mut self, i: usize, highest: &[(usize, usize)]) -> Option<usize> {
        let &(_, host) = highest.first()?;
        let space = Space::of(self.terms, i)?;
        let head = highest.iter().find_map(|&(_, kernel)| self.kernels[kernel].head);
        let joins = |&(input, kernel): &(usize, usize)| {
            let Kernel { space: other, head: other_head, .. } = self.kernels[kernel];
            other == Some(space) && self.role[input] != Role::Tail && (other_head.is_none() || other_head == head)
        };
        if !highest.iter().all(joins) {
            return None;
        }
        for &(_, other) in &highest[1..] {
            if other != host {
                self.kernels[other].merged = Some(host);
            }
        }
        self.kernels[host].head = head;
        Some(host)
    }

    /// Moves what only one later kernel over the same rows reads there, unless more would have to be stored for it.
    fn sink(&mut self, roots: impl Iterator<Item = usize>) {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.terms.len()];
        for (i, term) in self.terms.iter().enumerate() {
            term.inputs.iter().for_each(|&input| users[input].push(i));
        }
        let mut wanted = vec![false; self.terms.len()];
        roots.for_each(|root| wanted[root] = true);
        let first_of: HashMap<usize, usize> =
            Pair::all(self.terms).into_iter().map(|(first, (_, second))| (second, first)).collect();
        for i in (0..self.terms.len()).rev() {
            let own = self.kernel_of[i];
            let Some(&user) = users[i].first() else { continue };
            let target = self.kernel_of[user];
            let movable = own != NONE && own != target && !wanted[i] && self.role[i] == Role::Body;
            let here = |user: &usize| self.kernel_of[*user] == target && self.role[*user] != Role::Head;
            let space = Space::of(self.terms, i);
            // What costs little beside another operation stays with that, unless that may move, too.
            let moves = |user: &usize| *user == i || self.kernel_of[*user] == target;
            let parted =
                |&first: &usize| self.kernel_of[first] == own && (wanted[first] || !users[first].iter().all(moves));
            if !movable || first_of.get(&i).is_some_and(parted) {
                continue;
            }
            if space.is_none() || self.kernels[target].space != space || !users[i].iter().all(here) {
                continue;
            }
            let needed = |input: usize| users[input].iter().any(|&user| user != i && self.kernel_of[user] == own);
            let stays =
                |&&input: &&usize| self.kernel_of[input] == own && (users[input].len() > MANY_USERS || needed(input));
            if self.terms[i].inputs.iter().filter(stays).count() <= 1 {
                self.kernel_of[i] = target;
            }
        }
    }

    /// The kernels in an order in which producers come first; among those that could be next, the one whose last
    /// term was recorded first.
    fn ordered(self) -> Vec<Group> {
        let mut groups: Vec<Group> = (0..self.kernels.len()).map(|_| Group::default()).collect();
        for (i, &kernel) in self.kernel_of.iter().enumerate().filter(|(_, kernel)| **kernel != NONE) {
            match self.role[i] {
                Role::Head => groups[kernel].head = Some(i),
                Role::Body => groups[kernel].body.push(i),
                Role::Tail => groups[kernel].tails.push(i),
            }
        }
        let mut users: Vec<Vec<usize>> = (0..groups.len()).map(|_| Vec::new()).collect();
        let mut waiting = vec![0_usize; groups.len()];
        for (kernel, group) in groups.iter().enumerate() {
            let inputs = group.members().flat_map(|i| &self.terms[i].inputs);
            let mut producers: Vec<usize> = inputs
                .map(|&input| self.kernel_of[input])
                .filter(|&producer| producer != NONE && producer != kernel)
                .collect();
            producers.sort_unstable();
            producers.dedup();
            waiting[kernel] = producers.len();
            producers.into_iter().for_each(|producer| users[producer].push(kernel));
        }
        let last: Vec<Option<usize>> = groups.iter().map(|group| group.members().max()).collect();
        let ready = (0..groups.len()).filter(|&k| waiting[k] == 0 && last[k].is_some());
        let mut ready: BinaryHeap<_> = ready.map(|kernel| Reverse((last[kernel], kernel))).collect();
        let mut order = Vec::new();
        while let Some(Reverse((_, kernel))) = ready.pop() {
            order.push(kernel);
            for &user in &users[kernel] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    ready.push(Reverse((last[user], user)));
                }
            }
        }
        order.into_iter().map(|kernel| core::mem::take(&mut groups[kernel])).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::View;
    use crate::op::{Domain, cases};
    use crate::scalar::Real;
    use crate::shape::Shape;

    /// An operand of an example: numbers of its domain, in no order.
    fn operand(domain: Domain, shape: Shape) -> Vec<f64> {
        let number = |k: usize| match domain {
            Domain::Range { low, high, .. } => low + (high - low) * (f64::from_usize(k) * 0.618).fract(),
            Domain::Lattice { phase } => (f64::from_usize(k % 5) + phase) / 4.0,
            Domain::Distinct => f64::from_usize(k * 7 % 11) / 8.0,
            Domain::Index { bound } => f64::from_usize(k % bound),
            Domain::Order | Domain::Dominant => f64::from_usize(k),
            Domain::Flag => f64::from_usize(k % 2),
        };
        (0..shape.len()).map(number).collect()
    }

    #[test]
    fn operations_by_row_give_each_row_from_the_same_row_alone() {
        let mut checked = 0;
        for case in cases().into_iter().filter(|case| case.op.by_rows()) {
            let operands: Vec<(Vec<f64>, Shape)> = case
                .domains
                .iter()
                .zip(&case.shapes)
                .map(|(&domain, &shape)| (operand(domain, shape), shape))
                .collect();
            let shapes: Vec<Shape> = operands.iter().map(|(_, shape)| *shape).collect();
            let shape = case.op.shape(&shapes).unwrap();
            let views: Vec<View<'_, f64>> = operands.iter().map(|(data, shape)| View::new(data, *shape)).collect();
            let (mut whole, mut by_rows) = (vec![0.0; shape.len()], vec![0.0; shape.len()]);
            case.op.forward(&views, &mut whole).unwrap();
            for (i, out) in by_rows.chunks_mut(shape.cols).enumerate() {
                let row = |view: &View<'_, f64>| -> (Vec<f64>, Shape) {
                    assert_eq!(view.shape.rows, shape.rows, "{:?}", case.op);
                    (view.rows().nth(i).unwrap().to_vec(), Shape::new(1, view.shape.cols))
                };
                let rows: Vec<(Vec<f64>, Shape)> = views.iter().map(row).collect();
                let rows: Vec<View<'_, f64>> = rows.iter().map(|(data, shape)| View::new(data, *shape)).collect();
                case.op.forward(&rows, out).unwrap();
            }
            let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&whole), bits(&by_rows), "{:?}", case.op);
            checked += 1;
        }
        assert!(checked > 20, "{checked} cases");
    }
}
