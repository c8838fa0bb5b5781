//! What has arrived at each node on the way back.
//!
//! What arrives at a number from several sides is not added up before its cotangent is needed, nor are the products that arrive
//! there recorded: all that is then one [sum of products](SumOfProducts), which has the bits of what it takes the place of.

use core::ops::Range;

use crate::graph::Graph;
use crate::node::NodeId;
use crate::op::{Add, Bits, Mul, Op, SumOfProducts};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub(super) struct Cotangents<'g, T: Real> {
    graph: &'g Graph<T>,
    arrived: Vec<Packed>,
    lists: Vec<List>,
    /// Of all lists: two factors, or a number and [`NodeId::NONE`].
    terms: Vec<[NodeId; 2]>,
    /// The number 1, which makes products of terms that are none.
    one: Option<NodeId>,
}

#[derive(Clone, Copy)]
enum Arrived {
    Nothing,
    One(NodeId),
    /// What is to be added up: which of the lists.
    Listed(u32),
}

/// [`Arrived`] in 4 bytes: there are as many of it as nodes.
#[derive(Clone, Copy)]
struct Packed(u32);

impl Packed {
    const NOTHING: u32 = u32::MAX;
    /// Set in the number of a list. Ids of nodes are smaller, and there are fewer lists than nodes.
    const LISTED: u32 = 1 << 31;

    #[inline]
    fn new(arrived: Arrived) -> Self {
        match arrived {
            Arrived::Nothing => Self(Self::NOTHING),
            Arrived::One(id) => Self(id.number()),
            Arrived::Listed(list) => Self(list | Self::LISTED),
        }
    }

    #[inline]
    fn get(self) -> Arrived {
        match self.0 {
            Self::NOTHING => Arrived::Nothing,
            id @ ..Self::LISTED => Arrived::One(NodeId::new(id as usize)),
            list => Arrived::Listed(list & !Self::LISTED),
        }
    }
}

/// What has arrived at a number that has several users.
#[derive(Clone, Copy)]
struct List {
    /// Where among the terms.
    start: usize,
    count: usize,
    /// The operation that passed on the last of them.
    last: NodeId,
}

impl<'g, T: Real> Cotangents<'g, T> {
    /// For nodes of which each is a number with so many users (`uses`), or something else (0).
    pub(super) fn new(graph: &'g Graph<T>, uses: Vec<u32>) -> Self {
        let (mut lists, mut terms) = (Vec::new(), 0);
        let arrived = uses.into_iter().map(|uses| {
            if uses < 2 {
                return Packed::new(Arrived::Nothing);
            }
            lists.push(List { start: terms, count: 0, last: NodeId::NONE });
            terms += uses as usize;
            Packed::new(Arrived::Listed(NodeId::new(lists.len() - 1).number()))
        });
        let arrived = arrived.collect();
        // Grown step by step they would take twice as much, and be copied: pages that the system clears anew for each graph.
        graph.nodes.borrow_mut().reserve_operands(2 * terms);
        Self { graph, arrived, lists, terms: vec![[NodeId::NONE; 2]; terms], one: None }
    }

    /// Adds what the operation `from` passes on to the cotangent of `to`.
    #[inline]
    pub(super) fn add(&mut self, to: NodeId, part: NodeId, from: NodeId) {
        let cotangent = match self.arrived[to.index()].get() {
            Arrived::Nothing => part,
            // Of matrices: a sum that is made at once needs less memory than its parts.
            Arrived::One(sum) => self.record(Add, &[sum, part], from),
            Arrived::Listed(list) => return self.list(list, [part, NodeId::NONE], from),
        };
        self.arrived[to.index()] = Packed::new(Arrived::One(cotangent));
    }

    /// Adds the product of two numbers.
    #[inline]
    pub(super) fn add_product(&mut self, to: NodeId, factors: [NodeId; 2], from: NodeId) {
        if let Arrived::Listed(list) = self.arrived[to.index()].get() {
            self.list(list, factors, from);
        } else {
            let product = self.record(Mul, &factors, from);
            self.add(to, product, from);
        }
    }

    #[inline]
    fn list(&mut self, list: u32, term: [NodeId; 2], from: NodeId) {
        let list = &mut self.lists[list as usize];
        self.terms[list.start + list.count] = term;
        list.count += 1;
        list.last = from;
    }

    /// Records an operation whose first operand has the shape of its result, in the derivative of `from`.
    fn record(&self, op: impl Into<Op>, operands: &[NodeId], from: NodeId) -> NodeId {
        let (site, shape) = {
            let nodes = self.graph.nodes.borrow();
            (nodes.kind(from).site, operands.first().map_or(Shape::SCALAR, |operand| nodes.kind(*operand).shape))
        };
        self.graph.at(site, || self.graph.push(&op.into(), operands, shape)).id()
    }

    /// The cotangent of a node, to which nothing is added any more.
    #[inline]
    pub(super) fn settle(&mut self, id: NodeId) -> Option<NodeId> {
        match self.arrived[id.index()].get() {
            Arrived::Nothing => None,
            Arrived::One(cotangent) => Some(cotangent),
            Arrived::Listed(list) => {
                let sum = self.add_up(list);
                self.arrived[id.index()] = Packed::new(sum.map_or(Arrived::Nothing, Arrived::One));
                sum
            }
        }
    }

    /// The sum of what is listed.
    fn add_up(&mut self, list: u32) -> Option<NodeId> {
        let List { start, count, last } = self.lists[list as usize];
        Some(match self.terms[start..start + count] {
            [] => return None,
            [[number, NodeId::NONE]] => number,
            [factors] => self.record(Mul, &factors, last),
            [[x, NodeId::NONE], [y, NodeId::NONE]] => self.record(Add, &[x, y], last),
            _ => {
                self.fill_in_ones(start..start + count, last);
                self.record(SumOfProducts, self.terms[start..start + count].as_flattened(), last)
            }
        })
    }

    /// Makes products of terms that are none.
    fn fill_in_ones(&mut self, terms: Range<usize>, from: NodeId) {
        for at in terms {
            if self.terms[at][1] != NodeId::NONE {
                continue;
            }
            let one = self.one.unwrap_or_else(|| self.record(Op::Fill(Bits::new(T::ONE)), &[], from));
            self.one = Some(one);
            self.terms[at][1] = one;
        }
    }

    /// The cotangent of a settled node.
    pub(super) fn of(&self, id: NodeId) -> Option<Var<'g, T>> {
        match self.arrived.get(id.index())?.get() {
            Arrived::One(cotangent) => Some(Var::new(self.graph, cotangent)),
            Arrived::Nothing | Arrived::Listed(_) => None,
        }
    }
}
