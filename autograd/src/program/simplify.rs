//! First pass: only what is needed, each thing once, exact algebra.
//!
//! | rewrite | why it is exact |
//! |---|---|
//! | `x * 1`, `x / 1`, `x - 0`, `x + (-0)` → `x` | IEEE 754 |
//! | `x * (-1)` → `-x`, `--x` → `x` | only the sign bit changes |
//! | `1 ⊙ d` → `d` (strong product) | a cotangent of 1 is not 0 |
//! | pointwise of constants → constant | the same kernel computes it |
//! | `detach x` → `x` | the derivatives were taken before |
//! | `(xᵀ)ᵀ` → `x` | numbers only move |
//! | `0 < x` → `0 < relu x`, if there is a `relu x` | the same numbers are positive; `x` need not be kept |
//! | sum down one row → the row | it is copied |
//! | `f(broadcast x)` → `f(x)` | pointwise kernels broadcast by themselves |
//! | a sum of products → its products and sums, where those are kernels | it is the same by definition |
//! | equal operation, equal operands → one node; `x + y`, `x * y` with `y + x`, `y * x` | IEEE 754: both commute |
//!
//! Transposed operands of a matrix product became its flags when it was recorded: the product may add up in another
//! order then, and values on demand must do the same.

use core::hash::{Hash, Hasher};
use core::panic::Location;

use smallvec::SmallVec;

use crate::kernel::View;
use crate::mix::Mix;
use crate::node::{NodeId, Nodes};
use crate::op::{Add, Axis, Bits, Compare, Mul, Op, Relu, Sum};
use crate::scalar::Real;
use crate::shape::Shape;

/// A node of the simplified graph. Inputs come before users.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) op: Op,
    pub(crate) inputs: SmallVec<[usize; 2]>,
    pub(crate) shape: Shape,
    pub(crate) site: &'static Location<'static>,
    pub(crate) in_derivative: bool,
    /// The node it comes from (one of them, where several became one).
    pub(crate) origin: NodeId,
}

/// The simplified graph, and where the nodes asked for ended up.
#[derive(Debug)]
pub(crate) struct Simplified {
    pub(crate) terms: Vec<Term>,
    pub(crate) roots: Vec<usize>,
}

/// Simplifies what `roots` are computed from. Sums of products stay if no value has more than `tiny` elements.
pub(crate) fn simplify<T: Real>(nodes: &Nodes, roots: &[NodeId], tiny: usize) -> Simplified {
    let needed = reachable(nodes.len(), roots.iter().map(|id| id.index()), |i, visit| {
        nodes.get(NodeId::new(i)).inputs.iter().for_each(|input| visit(input.index()));
    });
    let (mut count, mut are_tiny) = (0, true);
    for i in (0..nodes.len()).filter(|&i| needed[i]) {
        let node = nodes.get(NodeId::new(i));
        count += if let Op::SumOfProducts(_) = node.op { node.inputs.len() } else { 1 };
        are_tiny &= node.shape.len() <= tiny;
    }
    let mut builder = Builder { terms: Vec::with_capacity(count), known: Known::new(count) };
    let mut place = vec![usize::MAX; nodes.len()];
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| needed[*i]) {
        let inputs = node.inputs.iter().map(|input| place[input.index()]).collect();
        let term = Term {
            op: node.op,
            inputs,
            shape: node.shape,
            site: node.site,
            in_derivative: node.in_derivative,
            origin: NodeId::new(i),
        };
        let in_full = matches!(term.op, Op::SumOfProducts(_)) && !are_tiny;
        place[i] = if in_full { builder.products::<T>(&term) } else { builder.add::<T>(term) };
    }
    builder.finish(roots.iter().map(|id| place[id.index()]).collect())
}

/// Which of `count` nodes are reached from `roots`, where each node's inputs stand before it.
fn reachable(
    count: usize,
    roots: impl Iterator<Item = usize>,
    inputs: impl Fn(usize, &mut dyn FnMut(usize)),
) -> Vec<bool> {
    let mut reached = vec![false; count];
    roots.for_each(|root| reached[root] = true);
    for i in (0..count).rev() {
        if reached[i] {
            inputs(i, &mut |input| reached[input] = true);
        }
    }
    reached
}

/// The places of terms by what they compute: a hash table with open addressing, at most half full.
///
/// A term is looked for near the place of its newest operand, so that terms that are recorded one after the other lie beside
/// each other, however large the graph; an operand with too many users sends those beyond the first ones all over the table.
struct Known {
    /// The hash of a term, and one more than its place: 0 where there is none. As many as a power of 2.
    table: Vec<u64>,
}

impl Known {
    /// Slots over which the users of one operand are spread.
    const SPREAD: usize = 1 << 8;
    /// Slots in a row that are looked at there.
    const NEAR: usize = 8;

    /// For at most so many terms.
    fn new(terms: usize) -> Self {
        Self { table: vec![0; (2 * terms).next_power_of_two().max(2)] }
    }

    fn hash(term: &Term) -> u64 {
        let mut mix = Mix::default();
        term.op.hash(&mut mix);
        if let ([x, y], Op::Add(_) | Op::Mul(_)) = (term.inputs.as_slice(), term.op) {
            mix.write_usize(*x.min(y));
            mix.write_usize(*x.max(y));
        } else {
            term.inputs.iter().for_each(|input| mix.write_usize(*input));
        }
        mix.top(u32::BITS) as u64
    }

    fn same(a: &Term, b: &Term) -> bool {
        let commuted = || match (a.inputs.as_slice(), b.inputs.as_slice()) {
            ([x, y], [u, v]) => x == v && y == u && matches!(a.op, Op::Add(_) | Op::Mul(_)),
            _ => false,
        };
        a.op == b.op && a.shape == b.shape && (a.inputs == b.inputs || commuted())
    }

    /// The place of a term that computes the same as `term`.
    fn find(&self, terms: &[Term], term: &Term) -> Option<usize> {
        self.probe(terms, term, Self::hash(term)).ok()
    }

    /// The same, or the next place, at which the term then must be put.
    fn find_or_add(&mut self, terms: &[Term], term: &Term) -> usize {
        let hash = Self::hash(term);
        match self.probe(terms, term, hash) {
            Ok(place) => place,
            Err(at) => {
                self.table[at] = hash << u32::BITS | u64::from(mark(terms.len()));
                terms.len()
            }
        }
    }

    /// The place of an equal term, or where in the table there is room for this one.
    #[allow(clippy::cast_possible_truncation, reason = "a mark has 32 bits, and as many of the hash name a slot")]
    fn probe(&self, terms: &[Term], term: &Term, hash: u64) -> Result<usize, usize> {
        let last = self.table.len() - 1;
        let newest = term.inputs.iter().max().map_or(0, |newest| newest + 1);
        let near = 2 * newest + hash as usize % Self::SPREAD;
        let far = (hash << self.table.len().ilog2() >> u32::BITS) as usize;
        for at in (near..near + Self::NEAR).chain(far..) {
            let at = at & last;
            let slot = self.table[at];
            let place = slot as u32 as usize;
            if place == 0 {
                return Err(at);
            }
            if slot >> u32::BITS == hash && Self::same(&terms[place - 1], term) {
                return Ok(place - 1);
            }
        }
        unreachable!("at most half of the slots are taken")
    }
}

/// What stands in the table for the term at `place`: there are no more terms than nodes, which fit.
fn mark(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or_else(|_| unreachable!("a graph holds fewer nodes"))
}

struct Builder {
    terms: Vec<Term>,
    known: Known,
}

impl Builder {
    /// The place of a term that computes the same as `term`.
    fn add<T: Real>(&mut self, mut term: Term) -> usize {
        if term.op.is_pointwise() {
            self.drop_broadcasts(&mut term);
            if let Some(value) = self.fold::<T>(&term) {
                return self.insert(Term { op: Op::Fill(value), inputs: SmallVec::new(), ..term });
            }
        }
        match self.rewrite::<T>(&term) {
            Some(Rewrite::Same(other)) if self.terms[other].shape == term.shape => other,
            Some(Rewrite::Op(op, inputs)) => self.add::<T>(Term { op, inputs, ..term }),
            Some(Rewrite::Same(_)) | None => self.insert(term),
        }
    }

    /// The place of the last term of a sum of products.
    fn products<T: Real>(&mut self, term: &Term) -> usize {
        let of = |op: Op, inputs: [usize; 2]| {
            let Term { shape, site, in_derivative, origin, .. } = *term;
            Term { op, inputs: SmallVec::from(inputs), shape, site, in_derivative, origin }
        };
        let mut sum = None;
        for &pair in term.inputs.as_chunks::<2>().0 {
            let product = self.add::<T>(of(Mul.into(), pair));
            sum = Some(sum.map_or(product, |sum| self.add::<T>(of(Add.into(), [sum, product]))));
        }
        sum.unwrap_or_else(|| unreachable!("there is at least one pair"))
    }

    fn insert(&mut self, term: Term) -> usize {
        let next = self.terms.len();
        if !matches!(term.op, Op::Input | Op::Variable | Op::Constant) {
            let place = self.known.find_or_add(&self.terms, &term);
            if place != next {
                return place;
            }
        }
        self.terms.push(term);
        next
    }

    /// Pointwise kernels broadcast by themselves; their own shape stays.
    fn drop_broadcasts(&self, term: &mut Term) {
        for input in &mut term.inputs {
            if let Op::Broadcast(_) = self.terms[*input].op {
                *input = self.terms[*input].inputs[0];
            }
        }
    }

    fn constant(&self, place: usize) -> Option<Bits> {
        if let Op::Fill(value) = self.terms[place].op { Some(value) } else { None }
    }

    /// The value of a pointwise operation on constants.
    fn fold<T: Real>(&self, term: &Term) -> Option<Bits> {
        let values: Option<SmallVec<[T; 4]>> =
            term.inputs.iter().map(|input| self.constant(*input).map(Bits::get)).collect();
        let values = values?;
        let views: SmallVec<[View<'_, T>; 4]> =
            values.iter().map(|value| View::new(core::slice::from_ref(value), Shape::SCALAR)).collect();
        let mut out = [T::ZERO];
        T::forward(term.op, &views, &mut out).ok()?;
        Some(Bits::new(out[0]))
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "a rewrite names what it knows; the rest stays as it is")]
    fn rewrite<T: Real>(&self, term: &Term) -> Option<Rewrite> {
        let constant = |slot: usize| self.constant(term.inputs[slot]).map(Bits::get::<T>);
        let is = |slot: usize, value: f64| constant(slot).is_some_and(|c| c.to_f64().to_bits() == value.to_bits());
        let same = |slot: usize| Some(Rewrite::Same(term.inputs[slot]));
        match term.op {
            Op::Mul(_) if is(0, 1.0) => same(1),
            Op::Mul(_) | Op::Div(_) if is(1, 1.0) => same(0),
            Op::Mul(_) if is(0, -1.0) => self.negated(term, 1),
            Op::Mul(_) | Op::Div(_) if is(1, -1.0) => self.negated(term, 0),
            Op::StrongMul(_) if is(0, 1.0) => same(1),
            Op::Sub(_) if is(1, 0.0) => same(0),
            Op::Add(_) if is(1, -0.0) => same(0),
            Op::Add(_) if is(0, -0.0) => same(1),
            Op::Compare(Compare::Less) if is(0, 0.0) => self.positive(term),
            Op::Sum(Sum(Some(Axis::Rows))) if self.terms[term.inputs[0]].shape.rows == 1 => same(0),
            Op::Neg(_) => match self.terms[term.inputs[0]].op {
                Op::Neg(_) => Some(Rewrite::Same(self.terms[term.inputs[0]].inputs[0])),
                _ => None,
            },
            Op::Select(_) => constant(0).and_then(|flag| same(if flag == T::ZERO { 2 } else { 1 })),
            Op::Detach(_) | Op::Reshape(_) | Op::Broadcast(_) if self.terms[term.inputs[0]].shape == term.shape => {
                same(0)
            }
            Op::Transpose(_) => match self.terms[term.inputs[0]].op {
                Op::Transpose(_) => Some(Rewrite::Same(self.terms[term.inputs[0]].inputs[0])),
                Op::Fill(value) => Some(Rewrite::Op(Op::Fill(value), SmallVec::new())),
                _ => None,
            },
            Op::Reshape(_) | Op::Broadcast(_) | Op::Slice(_) => {
                self.constant(term.inputs[0]).map(|value| Rewrite::Op(Op::Fill(value), SmallVec::new()))
            }
            _ => None,
        }
    }

    fn negated(&self, term: &Term, slot: usize) -> Option<Rewrite> {
        let operand = term.inputs[slot];
        let negated = Rewrite::Op(crate::op::Neg.into(), SmallVec::from_slice(&[operand]));
        (self.terms[operand].shape == term.shape).then_some(negated)
    }

    /// Reads the rectified operand, which is there for other users, in place of the operand.
    fn positive(&self, term: &Term) -> Option<Rewrite> {
        let relu = Term { op: Relu.into(), inputs: SmallVec::from_slice(&term.inputs[1..]), ..term.clone() };
        let rectified = self.known.find(&self.terms, &relu)?;
        Some(Rewrite::Op(term.op, SmallVec::from_slice(&[term.inputs[0], rectified])))
    }

    /// Drops what the rewrites left without a user.
    fn finish(self, roots: Vec<usize>) -> Simplified {
        let mut terms = self.terms;
        let used = reachable(terms.len(), roots.iter().copied(), |i, visit| {
            terms[i].inputs.iter().for_each(|input| visit(*input));
        });
        let mut place = vec![usize::MAX; terms.len()];
        let (mut seen, mut kept) = (0, 0);
        terms.retain_mut(|term| {
            let keep = used[seen];
            if keep {
                term.inputs.iter_mut().for_each(|input| *input = place[*input]);
                place[seen] = kept;
                kept += 1;
            }
            seen += 1;
            keep
        });
        Simplified { terms, roots: roots.into_iter().map(|root| place[root]).collect() }
    }
}

enum Rewrite {
    /// It is what another term computes.
    Same(usize),
    /// Another operation computes it.
    Op(Op, SmallVec<[usize; 2]>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::var::Var;

    /// What is left of the graph under `root`, one term a line: place, operation, operands, shape.
    fn simplified(root: Var<'_, f64>) -> Vec<String> {
        let simplified = simplify::<f64>(&root.graph().nodes.borrow(), &[root.id()], 0);
        let line = |(i, term): (usize, &Term)| {
            let inputs: Vec<String> = term.inputs.iter().map(|input| format!("%{input}")).collect();
            let constant = if let Op::Fill(value) = term.op { Some(value.get::<f64>().to_string()) } else { None };
            let name = constant.unwrap_or_else(|| term.op.name().to_owned());
            format!("%{i} = {name}({}) {}", inputs.join(", "), term.shape)
        };
        simplified.terms.iter().enumerate().map(line).collect()
    }

    fn column(graph: &Graph<f64>) -> Var<'_, f64> {
        graph.variable(Matrix::from([[1.0], [2.0]]))
    }

    #[test]
    fn neutral_numbers_vanish() {
        let graph = Graph::new();
        let x = column(&graph);
        for same in [x * 1.0, 1.0 * x, x / 1.0, x - 0.0, x + -0.0, -0.0 + x, -(-x), (x * -1.0) * -1.0] {
            assert_eq!(simplified(same), ["%0 = variable() 2x1"]);
        }
    }

    #[test]
    fn adding_plus_zero_stays_since_it_changes_minus_zero() {
        let graph = Graph::new();
        let expected = ["%0 = variable() 2x1", "%1 = 0() 1x1", "%2 = add(%0, %1) 2x1"];
        assert_eq!(simplified(column(&graph) + 0.0), expected);
    }

    #[test]
    fn a_product_with_minus_one_is_a_change_of_sign() {
        let graph = Graph::new();
        assert_eq!(simplified(column(&graph) * -1.0), ["%0 = variable() 2x1", "%1 = neg(%0) 2x1"]);
    }

    #[test]
    fn a_cotangent_of_one_needs_no_strong_zero() {
        let graph = Graph::new();
        let x = column(&graph);
        assert_eq!(simplified(graph.filled(2, 1, 1.0).strong_mul(x)), ["%0 = variable() 2x1"]);
    }

    #[test]
    fn constants_are_folded_by_the_kernel_that_would_compute_them() {
        let graph = Graph::new();
        let two = graph.filled(1, 1, 2.0);
        assert_eq!(simplified((two * 3.0).sqrt()), [format!("%0 = {}() 1x1", 6f64.sqrt())]);
    }

    #[test]
    fn moves_of_constants_and_moves_to_the_same_shape_vanish() {
        let graph = Graph::new();
        let x = column(&graph);
        let seven = graph.filled(2, 1, 7.0);
        assert_eq!(simplified(seven.transpose()), ["%0 = 7() 1x2"]);
        assert_eq!(simplified(seven.reshape(1, 2)), ["%0 = 7() 1x2"]);
        assert_eq!(simplified(seven.slice(0..1, 0..1)), ["%0 = 7() 1x1"]);
        assert_eq!(simplified(graph.filled(1, 1, 7.0).broadcast((3, 2))), ["%0 = 7() 3x2"]);
        for same in [x.reshape(2, 1), x.detach(), x.transpose().transpose()] {
            assert_eq!(simplified(same), ["%0 = variable() 2x1"]);
        }
    }

    #[test]
    fn pointwise_kernels_broadcast_by_themselves() {
        let graph = Graph::new();
        let (x, row) = (graph.input(3, 2), graph.input(1, 2));
        let expected = ["%0 = input() 3x2", "%1 = input() 1x2", "%2 = mul(%0, %1) 3x2"];
        assert_eq!(simplified(x * row.broadcast((3, 2))), expected);
    }

    #[test]
    fn a_sum_of_products_is_computed_by_products_and_sums() {
        let graph = Graph::new();
        let (x, y) = (graph.variable(2.0), graph.variable(3.0));
        let expected = [
            "%0 = variable() 1x1",
            "%1 = variable() 1x1",
            "%2 = mul(%0, %1) 1x1",
            "%3 = add(%2, %0) 1x1",
            "%4 = add(%3, %2) 1x1",
        ];
        assert_eq!(simplified(Var::sum_of_products([(x, y), (x, x.scalar(1.0)), (y, x)])), expected);
    }

    #[test]
    fn a_choice_by_a_constant_is_made() {
        let graph = Graph::new();
        let (x, y) = (column(&graph), column(&graph));
        let one = x.scalar(1.0);
        assert_eq!(simplified(one.select(x, y.exp())), ["%0 = variable() 2x1"]);
        let expected = ["%0 = variable() 2x1", "%1 = exp(%0) 2x1"];
        assert_eq!(simplified(x.scalar(0.0).select(x, y.exp())), expected);
    }

    #[test]
    fn the_derivative_of_a_rectifier_reads_its_result() {
        let graph = Graph::new();
        let x = column(&graph) + column(&graph);
        let y = x.relu();
        let expected = [
            "%0 = variable() 2x1",
            "%1 = variable() 2x1",
            "%2 = add(%0, %1) 2x1",
            "%3 = relu(%2) 2x1",
            "%4 = 0() 1x1",
            "%5 = compare(%4, %3) 2x1",
            "%6 = mul(%3, %5) 2x1",
        ];
        assert_eq!(simplified(y * x.gt(x.scalar(0.0))), expected);
    }

    #[test]
    fn the_sum_down_a_single_row_is_the_row() {
        let graph = Graph::new();
        let row = graph.variable([[1.0, -0.0]]);
        assert_eq!(simplified(row.sum_axis(Axis::Rows)), ["%0 = variable() 1x2"]);
    }

    #[test]
    fn what_is_computed_twice_is_computed_once() {
        let graph = Graph::new();
        let (x, y) = (column(&graph), column(&graph));
        let expected = [
            "%0 = variable() 2x1",
            "%1 = variable() 2x1",
            "%2 = mul(%0, %1) 2x1",
            "%3 = exp(%2) 2x1",
            "%4 = sub(%3, %3) 2x1",
        ];
        assert_eq!(simplified((x * y).exp() - (y * x).exp()), expected);
    }

    #[test]
    fn what_is_computed_twice_is_found_among_many_users_of_one_operand() {
        let graph = Graph::new();
        let weights: Vec<Var<'_, f64>> = (0..3000).map(|i| graph.variable(f64::from(i))).collect();
        let x = graph.variable(0.5);
        let products = |commuted: bool| weights.iter().map(move |&w| if commuted { x * w } else { w * x });
        let sum = products(false).chain(products(true)).sum::<Var<'_, f64>>();
        let terms = simplified(sum);
        assert_eq!(terms.iter().filter(|term| term.contains("mul")).count(), weights.len());
    }

    #[test]
    fn what_nobody_asked_for_is_dropped() {
        let graph = Graph::new();
        let x = column(&graph);
        let _unused = x.exp().sum();
        assert_eq!(simplified(x.tanh()), ["%0 = variable() 2x1", "%1 = tanh(%0) 2x1"]);
    }
}
