//! Pictures of a graph, as text for Graphviz and Mermaid.

use core::fmt::Write;

use crate::node::NodeId;
use crate::op::Op;
use crate::scalar::Real;
use crate::var::Var;

/// What is drawn of a graph: what some values are computed from, with their shapes, and on request their numbers and
/// gradients.
///
/// ```
/// use autograd::{Graph, Picture};
/// let graph = Graph::new();
/// let x = graph.variable(3.0).named("x");
/// let y = (x * x).named("y");
/// let dot = Picture::of(&[y]).values().gradients(y).to_dot();
/// assert!(dot.contains("x\\nvariable 1x1\\nvalue 3\\ngradient 6"));
/// let mermaid = Picture::of(&[y]).to_mermaid();
/// assert!(mermaid.starts_with("flowchart LR"));
/// ```
#[derive(Clone, Debug)]
pub struct Picture<'g, T: Real> {
    roots: Vec<Var<'g, T>>,
    values: bool,
    target: Option<Var<'g, T>>,
}

impl<'g, T: Real> Picture<'g, T> {
    /// Draws what `roots` are computed from.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0).named("x");
    /// let y = x.square();
    /// assert!(autograd::Picture::of(&[y]).to_dot().contains("square"));
    /// ```
    #[must_use]
    pub fn of(roots: &[Var<'g, T>]) -> Self {
        Self { roots: roots.to_vec(), values: false, target: None }
    }

    /// With the numbers of small values (at most four elements).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0).named("x");
    /// let y = x.square();
    /// assert!(autograd::Picture::of(&[y]).values().to_dot().contains('9'));
    /// ```
    #[must_use]
    pub fn values(mut self) -> Self {
        self.values = true;
        self
    }

    /// With the gradient of the scalar `target` by each small value. This records the gradients into the graph.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0).named("x");
    /// let y = x.square();
    /// assert!(autograd::Picture::of(&[y]).gradients(y).to_dot().contains('6'));
    /// ```
    #[must_use]
    pub fn gradients(mut self, target: Var<'g, T>) -> Self {
        self.target = Some(target);
        self
    }

    /// The picture in the language of Graphviz: `dot -Tsvg`.
    ///
    /// # Panics
    /// If values are asked for that depend on an input, or gradients of what is no scalar.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0).named("x");
    /// let y = x.square();
    /// assert!(autograd::Picture::of(&[y]).to_dot().starts_with("digraph"));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n");
        for (var, label) in self.labels() {
            let style = if var.op().is_leaf() { ", style=rounded" } else { "" };
            let label = label.join("\\n").replace('"', "\\\"");
            let _ = writeln!(text, "  n{} [label=\"{label}\"{style}];", var.id().index());
        }
        for (from, to) in self.edges() {
            let _ = writeln!(text, "  n{} -> n{};", from.index(), to.index());
        }
        text.push_str("}\n");
        text
    }

    /// The picture in the language of Mermaid, which many pages show.
    ///
    /// # Panics
    /// If values are asked for that depend on an input, or gradients of what is no scalar.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0).named("x");
    /// let y = x.square();
    /// assert!(autograd::Picture::of(&[y]).to_mermaid().starts_with("flowchart"));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (var, label) in self.labels() {
            let (open, close) = if var.op().is_leaf() { ("([", "])") } else { ("[", "]") };
            let label = label.join("<br>").replace('"', "#quot;");
            let _ = writeln!(text, "  n{}{open}\"{label}\"{close}", var.id().index());
        }
        for (from, to) in self.edges() {
            let _ = writeln!(text, "  n{} --> n{}", from.index(), to.index());
        }
        text
    }

    /// The nodes, inputs before users.
    fn nodes(&self) -> Vec<Var<'g, T>> {
        let Some(first) = self.roots.first() else { return Vec::new() };
        let graph = first.graph();
        let mut seen: Vec<bool> = vec![false; graph.len()];
        let mut stack: Vec<NodeId> = self.roots.iter().map(|root| root.id()).collect();
        while let Some(id) = stack.pop() {
            if !core::mem::replace(&mut seen[id.index()], true) {
                stack.extend(graph.nodes.borrow().get(id).inputs);
            }
        }
        let drawn = seen.iter().enumerate().filter(|(_, seen)| **seen);
        drawn.map(|(i, _)| graph.var(NodeId::new(i))).collect()
    }

    fn edges(&self) -> Vec<(NodeId, NodeId)> {
        let edge = |var: Var<'g, T>| {
            let inputs = var.graph().nodes.borrow().get(var.id()).inputs.to_vec();
            inputs.into_iter().map(move |input| (input, var.id()))
        };
        self.nodes().into_iter().flat_map(edge).collect()
    }

    /// What is written on each node, a line each.
    #[track_caller]
    fn labels(&self) -> Vec<(Var<'g, T>, Vec<String>)> {
        let nodes = self.nodes();
        let gradients = self.target.map(|target| target.gradient_or_zero(nodes.clone()));
        let label = |(i, var): (usize, &Var<'g, T>)| {
            let constant = if let Op::Fill(value) = var.op() { Some(format!("{value:?}")) } else { None };
            let operation = format!("{} {}", constant.as_deref().unwrap_or(var.op().name()), var.shape());
            let mut lines: Vec<String> = var.name().into_iter().chain([operation]).collect();
            let small = var.shape().len() <= 4;
            if self.values && small && !matches!(var.op(), Op::Fill(_)) {
                lines.push(format!("value {}", numbers(*var)));
            }
            if let (Some(gradients), true) = (&gradients, small) {
                lines.push(format!("gradient {}", numbers(gradients[i])));
            }
            (*var, lines)
        };
        nodes.iter().enumerate().map(label).collect()
    }
}

/// Few numbers in a line, with four digits.
#[track_caller]
fn numbers<T: Real>(var: Var<'_, T>) -> String {
    let value = var.peek();
    let texts: Vec<String> = value.as_slice().iter().map(|x| short(x.to_f64())).collect();
    texts.join(" ")
}

fn short(x: f64) -> String {
    let text = format!("{x:.4}");
    if !x.is_finite() || x != 0.0 && x.abs() < 1e-3 || x.abs() >= 1e6 {
        return format!("{x:.3e}");
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
