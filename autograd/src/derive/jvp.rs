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
        self.graph().assert_tangents("jvp", sources, tangents);
        match self.graph().push_forward(&[self], sources, tangents)[0] {
            Some(tangent) => tangent,
            None => match sources.first() {
                Some(source) => self.graph().not_connected("jvp", self.id(), source.id()),
                None => panic!("jvp: there is no source"),
            },
        }
    }
}

impl<T: Real> Graph<T> {
    /// Each source needs one tangent of its shape.
    #[track_caller]
    pub(crate) fn assert_tangents(&self, what: &'static str, sources: &[Var<'_, T>], tangents: &[Var<'_, T>]) {
        assert!(
            sources.len() == tangents.len(),
            "{what}: {} sources, {} tangents: each source needs one tangent",
            sources.len(),
            tangents.len()
        );
        for (source, tangent) in sources.iter().zip(tangents) {
            source.assert_of(self);
            tangent.assert_of(self);
            assert!(
                source.shape() == tangent.shape(),
                "{what}: {} by {}: a tangent must have the shape of its source; made at {} and {}",
                source.shape(),
                tangent.shape(),
                source.site(),
                tangent.site()
            );
        }
    }

    /// Walks from `sources` to `targets`, passing tangents on; `None` for targets at which none arrives.
    pub(crate) fn push_forward<'g>(
        &'g self,
        targets: &[Var<'g, T>],
        sources: &[Var<'g, T>],
        tangents: &[Var<'g, T>],
    ) -> Vec<Option<Var<'g, T>>> {
        let targets: Vec<NodeId> = targets.iter().map(|target| target.id()).collect();
        let Some(last) = targets.iter().copied().max() else { return Vec::new() };
        let ids: Vec<NodeId> = sources.iter().map(|source| source.id()).collect();
        let (dependence, needed) = {
            let nodes = self.nodes.borrow();
            (Dependence::new(&nodes, &ids, last), crate::derive::needed(&nodes, &targets))
        };
        let mut known: Vec<Option<Var<'g, T>>> = vec![None; last.index() + 1];
        for (source, tangent) in sources.iter().zip(tangents) {
            if let Some(known) = known.get_mut(source.id().index()) {
                *known = Some(known.map_or(*tangent, |sum| sum + *tangent));
            }
        }
        for i in 0..=last.index() {
            let id = NodeId::new(i);
            if !needed[i] || !dependence.of(id) {
                continue;
            }
            let (at, op, site) = self.applied(id);
            let along =
                |(slot, input): (usize, &Var<'g, T>)| known[input.id().index()].filter(|_| op.differentiable(slot));
            let inputs: SmallVec<[Option<Var<'g, T>>; 2]> = at.inputs.iter().enumerate().map(along).collect();
            if inputs.iter().any(Option::is_some) {
                known[i] = Some(self.at(site, || {
                    let along = self.jvp_of(op, &inputs, &at);
                    // Only a source has a tangent already: if it depends on another one, it moves by both.
                    known[i].map_or(along, |given| given + along)
                }));
            }
        }
        targets.iter().map(|target| known[target.index()]).collect()
    }
}
