//! Forward mode: Jacobian–vector products.

use smallvec::SmallVec;

use crate::derive::{Dependence, Sources};
use crate::graph::Graph;
use crate::node::NodeId;
use crate::scalar::Real;
use crate::var::Var;

impl<'g, T: Real> Var<'g, T> {
    /// The Jacobian–vector product: the derivative of this value when each source moves along its tangent. A
    /// source that depends on another one also moves with that: this is the adjoint of [`vjp`](Self::vjp).
    ///
    /// # Shapes
    /// `(p, q)` by `(m, n)` along `(m, n) → (p, q)`
    ///
    /// # Panics
    /// If there are not as many tangents as sources, a tangent has another shape than its source, or the value
    /// depends on none of the sources: the message says where the path was cut.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let tangent = graph.constant([[10.0, 100.0]]);
    /// let dy = x.square().jvp(x, tangent);
    /// assert_eq!(dy.value().as_slice(), [20.0, 400.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn jvp<S: Sources<'g, T>>(self, sources: S, tangents: S) -> Self {
        let (sources, tangents) = (sources.vars(), tangents.vars());
        assert!(
            sources.len() == tangents.len(),
            "jvp: {} sources, {} tangents: each source needs one tangent",
            sources.len(),
            tangents.len()
        );
        for (source, tangent) in sources.iter().zip(tangents) {
            source.assert_of(self.graph());
            tangent.assert_of(self.graph());
            assert!(
                source.shape() == tangent.shape(),
                "jvp: {} by {}: a tangent must have the shape of its source; made at {} and {}",
                source.shape(),
                tangent.shape(),
                source.site(),
                tangent.site()
            );
        }
        match self.graph().push_forward(self.id(), sources, tangents) {
            Some(tangent) => tangent,
            None => match sources.first() {
                Some(source) => self.graph().not_connected("jvp", self.id(), source.id()),
                None => panic!("jvp: there is no source"),
            },
        }
    }
}

impl<T: Real> Graph<T> {
    /// Walks from `sources` to `target`, passing tangents on; `None` if none arrives.
    fn push_forward<'g>(
        &'g self,
        target: NodeId,
        sources: &[Var<'g, T>],
        tangents: &[Var<'g, T>],
    ) -> Option<Var<'g, T>> {
        let ids: Vec<NodeId> = sources.iter().map(|source| source.id()).collect();
        let (dependence, needed) = {
            let nodes = self.nodes.borrow();
            (Dependence::new(&nodes, &ids, target), crate::derive::needed(&nodes, target))
        };
        let mut known: Vec<Option<Var<'g, T>>> = vec![None; target.index() + 1];
        for (source, tangent) in sources.iter().zip(tangents) {
            if let Some(known) = known.get_mut(source.id().index()) {
                *known = Some(known.map_or(*tangent, |sum| sum + *tangent));
            }
        }
        for i in 0..=target.index() {
            let id = NodeId::new(i);
            if !needed[i] || !dependence.of(id) {
                continue;
            }
            let (at, site) = self.applied(id);
            let op = at.output.op();
            let along = |(slot, input): (usize, &Var<'g, T>)| {
                known[input.id().index()].filter(|_| op.differentiable(slot))
            };
            let inputs: SmallVec<[Option<Var<'g, T>>; 2]> = at.inputs.iter().enumerate().map(along).collect();
            if inputs.iter().any(Option::is_some) {
                known[i] = Some(self.at(site, || {
                    let along = op.jvp(&inputs, &at);
                    // Only a source has a tangent already: if it depends on another one, it moves by both.
                    known[i].map_or(along, |given| given + along)
                }));
            }
        }
        known[target.index()]
    }
}
