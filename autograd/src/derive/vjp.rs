//! Reverse mode: vector–Jacobian products and gradients.

use smallvec::SmallVec;

use crate::derive::cotangents::Cotangents;
use crate::derive::{Dependence, Sources};
use crate::graph::Graph;
use crate::node::NodeId;
use crate::op::Passes;
use crate::scalar::Real;
use crate::var::Var;

impl<'g, T: Real> Var<'g, T> {
    /// The gradient of this scalar by each of `sources`, recorded in the same graph, so that it can be
    /// differentiated again.
    ///
    /// # Shapes
    /// `(1, 1)` by `(m, n) → (m, n)`
    ///
    /// # Panics
    /// If this is not `1x1`, or if it does not depend on a source: the message says where the path was cut.
    /// [`gradient_or_zero`](Self::gradient_or_zero) takes such a gradient to be zero.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let y = x.powi(3);
    /// let first = y.gradient(x);
    /// let second = first.gradient(x);
    /// assert_eq!((first.item(), second.item()), (12.0, 12.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gradient<S: Sources<'g, T>>(self, sources: S) -> S::Derivatives {
        self.assert_scalar();
        self.pull("gradient", self.ones(), &sources, Missing::Panic)
    }

    /// [`gradient`](Self::gradient), with zeros for sources on which this does not depend.
    ///
    /// # Panics
    /// If this is not `1x1`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(2.0), graph.variable(5.0));
    /// let [dx, dy] = x.square().gradient_or_zero([x, y]);
    /// assert_eq!((dx.item(), dy.item()), (4.0, 0.0));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gradient_or_zero<S: Sources<'g, T>>(self, sources: S) -> S::Derivatives {
        self.assert_scalar();
        self.pull("gradient", self.ones(), &sources, Missing::Zero)
    }

    /// The vector–Jacobian product: for each source `x` the gradient of `⟨cotangent, self⟩` by `x`.
    ///
    /// # Shapes
    /// `(p, q)` with a cotangent `(p, q)` by `(m, n) → (m, n)`
    ///
    /// # Panics
    /// If the cotangent has another shape than this value, or as [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let cotangent = graph.constant([[10.0, 100.0]]);
    /// let dx = x.square().vjp(cotangent, x);
    /// assert_eq!(dx.value().as_slice(), [20.0, 400.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn vjp<S: Sources<'g, T>>(self, cotangent: Self, sources: S) -> S::Derivatives {
        cotangent.assert_of(self.graph());
        assert!(
            cotangent.shape() == self.shape(),
            "vjp: {} by {}: the cotangent must have the shape of the value; made at {} and {}",
            self.shape(),
            cotangent.shape(),
            self.site(),
            cotangent.site()
        );
        self.pull("vjp", cotangent, &sources, Missing::Panic)
    }

    #[track_caller]
    fn assert_scalar(self) {
        assert!(
            self.shape().is_scalar(),
            "gradient: the {} value made at {} is no scalar: sum it, or give a cotangent to vjp",
            self.shape(),
            self.site()
        );
    }

    #[track_caller]
    fn ones(self) -> Self {
        self.graph().fill(self.shape(), T::ONE)
    }

    #[track_caller]
    fn pull<S: Sources<'g, T>>(
        self,
        what: &'static str,
        cotangent: Self,
        sources: &S,
        missing: Missing,
    ) -> S::Derivatives {
        let graph = self.graph();
        let ids: Vec<NodeId> = sources.vars().iter().map(|source| source.id()).collect();
        for source in sources.vars() {
            source.assert_of(graph);
        }
        let cotangents = graph.pull_back(self.id(), cotangent, &ids);
        let mut derivatives = Vec::with_capacity(ids.len());
        // A loop: closures are not `#[track_caller]`, and it is the user's line that is to be named.
        for (cotangent, source) in cotangents.into_iter().zip(sources.vars()) {
            derivatives.push(match (cotangent, missing) {
                (Some(cotangent), _) => cotangent,
                (None, Missing::Zero) => graph.fill(source.shape(), T::ZERO),
                (None, Missing::Panic) => graph.not_connected(what, self.id(), source.id()),
            });
        }
        sources.arrange(derivatives)
    }
}

/// What to do where no derivative flows.
#[derive(Clone, Copy)]
enum Missing {
    Panic,
    Zero,
}

impl<T: Real> Graph<T> {
    /// The cotangents of `sources`.
    fn pull_back<'g>(&'g self, target: NodeId, cotangent: Var<'g, T>, sources: &[NodeId]) -> Vec<Option<Var<'g, T>>> {
        let cotangents = self.walk_back(target, cotangent, sources);
        sources.iter().map(|&id| cotangents.of(id)).collect()
    }

    /// The cotangents of all nodes on the way from `target` back to `sources`.
    pub(crate) fn cotangents<'g>(
        &'g self,
        target: NodeId,
        cotangent: Var<'g, T>,
        sources: &[NodeId],
    ) -> Vec<Option<Var<'g, T>>> {
        let cotangents = self.walk_back(target, cotangent, sources);
        (0..=target.index()).map(|i| cotangents.of(NodeId::new(i))).collect()
    }

    /// Walks from `target` back to `sources`, adding up the cotangents of each node before passing them on.
    fn walk_back<'g>(&'g self, target: NodeId, cotangent: Var<'g, T>, sources: &[NodeId]) -> Cotangents<'g, T> {
        let (dependence, uses) = Dependence::with_uses(&self.nodes.borrow(), sources, target);
        let mut cotangents = Cotangents::new(self, uses);
        if dependence.of(target) {
            cotangents.add(target, cotangent.id(), target);
        }
        let first = sources.iter().map(|id| id.index()).min().unwrap_or(0);
        for id in (first..=target.index()).rev().map(NodeId::new) {
            let Some(g) = cotangents.settle(id) else { continue };
            if self.passed_on(id, g, &dependence, &mut cotangents) {
                continue;
            }
            let (at, op, site) = self.applied(id);
            let flows = |slot: usize| dependence.of(at.inputs[slot].id()) && op.differentiable(slot);
            self.at(site, || {
                self.vjp_of(op, Var::new(self, g), &at, flows, |slot, part| {
                    debug_assert_eq!(part.shape(), at.inputs[slot].shape(), "{}, slot {slot}", op.name());
                    cotangents.add(at.inputs[slot].id(), part.id(), id);
                });
            });
        }
        cotangents
    }

    /// Passes `g` on through sums and products of numbers; `false` if the node is something else.
    #[inline]
    fn passed_on(&self, id: NodeId, g: NodeId, dependence: &Dependence, cotangents: &mut Cotangents<'_, T>) -> bool {
        let (passes, inputs) = {
            let nodes = self.nodes.borrow();
            let node = nodes.get(id);
            (node.passes, SmallVec::<[NodeId; 4]>::from_slice(node.inputs))
        };
        for (slot, &input) in inputs.iter().enumerate().filter(|(_, input)| dependence.of(**input)) {
            match passes {
                Passes::ByRule => return false,
                Passes::AsItIs => cotangents.add(input, g, id),
                Passes::TimesPartner => cotangents.add_product(input, [g, inputs[slot ^ 1]], id),
            }
        }
        true
    }
}
