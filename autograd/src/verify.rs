//! What a well-formed graph satisfies.

use crate::graph::Graph;
use crate::op::Op;
use crate::scalar::Real;
use crate::shape::Shape;

impl<T: Real> Graph<T> {
    /// Checks the invariants that everything else relies on:
    ///
    /// 1. inputs stand before their users;
    /// 2. every node has the shape that its operation's rule gives;
    /// 3. leaves with a value have one of their shape.
    ///
    /// # Errors
    /// Says which node breaks which of them. A graph made through the public methods never does.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(2.0);
    /// let _ = x.exp().gradient(x);
    /// assert_eq!(graph.verify(), Ok(()));
    /// ```
    pub fn verify(&self) -> Result<(), String> {
        let nodes = self.nodes.borrow();
        let values = self.values.borrow();
        for (i, node) in nodes.iter().enumerate() {
            let id = crate::NodeId::new(i);
            if let Some(input) = node.inputs.iter().find(|input| **input >= id) {
                return Err(format!("{id} {}: input {input} does not stand before it", node.op.name()));
            }
            let has_value = values.has(id);
            if matches!(node.op, Op::Variable | Op::Constant) && !has_value {
                return Err(format!("{id} {}: a leaf without its value", node.op.name()));
            }
            if has_value && values.get(id).len() != node.shape.len() {
                return Err(format!("{id} {}: a value of another shape", node.op.name()));
            }
            if node.op.is_leaf() {
                continue;
            }
            let shapes: Vec<Shape> = node.inputs.iter().map(|input| nodes.kind(*input).shape).collect();
            let shape = self.rule(node.op, &shapes).map_err(|rule| format!("{id} {}: {rule}", node.op.name()))?;
            if shape != node.shape {
                return Err(format!("{id} {}: shape {}, its rule gives {shape}", node.op.name(), node.shape));
            }
        }
        Ok(())
    }
}
