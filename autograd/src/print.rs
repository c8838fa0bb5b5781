//! A graph for people: formulas, and pictures for Graphviz and Mermaid.

use core::fmt;

use crate::graph::Graph;
use crate::op::{Bits, Op};
use crate::program::simplify::{Term, simplify};
use crate::scalar::Real;
use crate::var::Var;

mod picture;

pub use picture::Picture;

/// The formula by which it is computed, after exact algebra: operands by their [names](Var::named), intermediate values
/// that are used more than once, or that have names, on lines of their own before.
///
/// `⊙` multiplies element by element, `ᵀ` transposes, two factors side by side are a matrix product, `σ` is the sigmoid
/// and `σ′` its derivative, `[x > 0]` is 1 where it holds and 0 elsewhere.
///
/// ```
/// let graph = autograd::Graph::new();
/// let x = graph.variable([[1.0, 2.0]]).named("x");
/// let w = graph.variable([[3.0], [4.0]]).named("w");
/// let z = x.matmul(w).named("z");
/// let y = z.sigmoid();
/// assert_eq!(y.to_string(), "z = x w\nσ(z)");
/// assert_eq!(y.gradient(w).to_string(), "z = x w\nxᵀ σ′(z)");
/// ```
impl<T: Real> fmt::Display for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = self.graph();
        let simplified = simplify::<T>(&graph.nodes.borrow(), &[self.id()], 0);
        let root = simplified.roots[0];
        let mut printer = Printer::new(graph, &simplified.terms);
        printer.give_names(root);
        for place in 0..root {
            if printer.defined[place] {
                let formula = printer.formula(place, true, MAX_DEPTH);
                writeln!(f, "{} = {}", printer.name(place), formula.text)?;
            }
        }
        let formula = printer.formula(root, true, MAX_DEPTH).text;
        match graph.names.borrow().get(&simplified.terms[root].origin) {
            Some(name) if *name != formula => write!(f, "{name} = {formula}"),
            _ => f.write_str(&formula),
        }
    }
}

/// Operations within each other before a value gets a line of its own.
const MAX_DEPTH: usize = 12;

/// How tightly a formula holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Sum,
    Product,
    Sign,
    Matrix,
    Power,
    Whole,
}

/// A formula with its outermost binding.
#[derive(Clone, Debug)]
struct Formula {
    text: String,
    binding: Binding,
}

impl Formula {
    fn new(binding: Binding, text: String) -> Self {
        Self { text, binding }
    }

    /// As an operand of something that binds as `least` says.
    fn within(self, least: Binding) -> String {
        if self.binding >= least { self.text } else { format!("({})", self.text) }
    }
}

struct Printer<'a, T: Real> {
    graph: &'a Graph<T>,
    terms: &'a [Term],
    names: Vec<Option<String>>,
    /// Terms that have a line of their own.
    defined: Vec<bool>,
}

impl<'a, T: Real> Printer<'a, T> {
    fn new(graph: &'a Graph<T>, terms: &'a [Term]) -> Self {
        Self { graph, terms, names: vec![None; terms.len()], defined: vec![false; terms.len()] }
    }

    /// Names for leaves, for what the user named, for what is used more than once, and for what is nested too deep.
    fn give_names(&mut self, root: usize) {
        let mut uses = vec![0; self.terms.len()];
        for term in self.terms {
            term.inputs.iter().for_each(|&input| uses[input] += 1);
        }
        let mut depth = vec![0; self.terms.len()];
        for (i, term) in self.terms.iter().enumerate() {
            depth[i] = 1 + term.inputs.iter().map(|&input| depth[input]).max().unwrap_or(0);
            let given = self.graph.names.borrow().get(&term.origin).cloned();
            let is_leaf = term.op.is_leaf();
            let own_line = !is_leaf && i != root;
            let shared = uses[i] > 1 && !self.is_short(term);
            if own_line && (given.is_some() || shared || depth[i] >= MAX_DEPTH) {
                self.defined[i] = true;
                depth[i] = 0;
            }
            if self.defined[i] || is_leaf {
                self.names[i] = given;
            }
        }
    }

    /// Whether it is as short as a name for it would be.
    #[allow(clippy::wildcard_enum_match_arm, reason = "everything else is longer")]
    fn is_short(&self, term: &Term) -> bool {
        let of_leaf = term.inputs.first().is_some_and(|&input| self.terms[input].op.is_leaf());
        match term.op {
            Op::Transpose(_) | Op::Neg(_) | Op::Broadcast(_) => of_leaf,
            _ => false,
        }
    }

    fn name(&self, place: usize) -> String {
        match (&self.names[place], self.terms[place].op) {
            (Some(name), _) => name.clone(),
            (None, Op::Fill(value)) => number(value),
            (None, op) if op.is_leaf() => format!("{}{}", op.name(), self.terms[place].origin.index()),
            (None, _) => format!("t{}", self.terms[place].origin.index()),
        }
    }

    /// The formula of a term: its name, if it has a line of its own, unless that line is asked for.
    fn formula(&self, place: usize, definition: bool, depth: usize) -> Formula {
        let term = &self.terms[place];
        if term.op.is_leaf() || depth == 0 || (self.defined[place] && !definition) {
            let name = self.name(place);
            let binding = if name.starts_with('-') { Binding::Sign } else { Binding::Whole };
            return Formula::new(binding, name);
        }
        if let Some(operand) = self.derivative_of_sigmoid(term) {
            let operand = self.formula(operand, false, depth - 1).text;
            return Formula::new(Binding::Whole, format!("σ′({operand})"));
        }
        let operands = term.inputs.iter().map(|&input| self.formula(input, false, depth - 1));
        self.apply(term, operands.collect())
    }

    /// Recognises `σ(x) ⊙ σ(-x)`.
    fn derivative_of_sigmoid(&self, term: &Term) -> Option<usize> {
        let (Op::Mul(_), &[a, b]) = (term.op, term.inputs.as_slice()) else { return None };
        let argument = |place: usize| {
            let term = &self.terms[place];
            matches!(term.op, Op::Sigmoid(_)).then(|| term.inputs[0])
        };
        let (x, y) = (argument(a)?, argument(b)?);
        let is_minus =
            |y: usize, x: usize| matches!(self.terms[y].op, Op::Neg(_)) && self.terms[y].inputs.as_slice() == [x];
        if is_minus(y, x) { Some(x) } else { is_minus(x, y).then_some(y) }
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the rest is written as a function")]
    fn apply(&self, term: &Term, mut operands: Vec<Formula>) -> Formula {
        let scalar = |slot: usize| self.terms[term.inputs[slot]].shape.is_scalar();
        let mut next = || operands.remove(0);
        match term.op {
            Op::Add(_) => {
                let (a, b) = (next().within(Binding::Sum), next().within(Binding::Sum));
                let sum = match b.strip_prefix('-') {
                    Some(rest) => format!("{a} - {rest}"),
                    None => format!("{a} + {b}"),
                };
                Formula::new(Binding::Sum, sum)
            }
            Op::Sub(_) => {
                let (a, b) = (next().within(Binding::Sum), next().within(Binding::Product));
                Formula::new(Binding::Sum, format!("{a} - {b}"))
            }
            Op::Mul(_) | Op::StrongMul(_) => {
                let number = |slot: usize| matches!(self.terms[term.inputs[slot]].op, Op::Fill(_));
                let sign = if [0, 1].into_iter().any(|i| scalar(i) || number(i)) { "·" } else { "⊙" };
                let (a, b) = (next(), next());
                let swap = number(1) || scalar(1) && !scalar(0);
                let (a, b) = if swap { (b, a) } else { (a, b) };
                let (a, b) = (factor(a), factor(b));
                Formula::new(Binding::Product, format!("{a} {sign} {b}"))
            }
            Op::Div(_) => {
                let (a, b) = (next().within(Binding::Product), next().within(Binding::Sign));
                Formula::new(Binding::Product, format!("{a} / {b}"))
            }
            Op::Neg(_) => Formula::new(Binding::Sign, format!("-{}", next().within(Binding::Sign))),
            Op::MatMul(product) => {
                let (a, b) = (next(), next());
                let a = transposed(a, product.transpose_left);
                let b = transposed(b, product.transpose_right);
                Formula::new(Binding::Matrix, format!("{a} {b}"))
            }
            Op::Transpose(_) => Formula::new(Binding::Power, transposed(next(), true)),
            #[cfg(feature = "linalg")]
            Op::Inverse(_) => Formula::new(Binding::Power, format!("{}⁻¹", next().within(Binding::Whole))),
            #[cfg(feature = "linalg")]
            Op::Solve(solve) => {
                let (a, b) = (next(), next());
                let a = if solve.transposed { transposed(a, true) } else { a.text };
                Formula::new(Binding::Whole, format!("solve({a}, {})", b.text))
            }
            #[cfg(feature = "linalg")]
            Op::SolveTriangular(solve) => {
                let (a, b) = (triangle(next(), solve.0), next());
                Formula::new(Binding::Whole, format!("solve({a}, {})", b.text))
            }
            Op::Square(_) => Formula::new(Binding::Power, format!("{}²", next().within(Binding::Whole))),
            Op::Powi(power) => {
                let base = next().within(Binding::Whole);
                Formula::new(Binding::Power, format!("{base}{}", superscript(power.0)))
            }
            Op::Powf(power) => {
                let base = next().within(Binding::Whole);
                Formula::new(Binding::Power, format!("{base}^{}", number(power.0)))
            }
            Op::Sigmoid(_) => Formula::new(Binding::Whole, format!("σ({})", next().text)),
            Op::Sqrt(_) => Formula::new(Binding::Power, format!("√{}", next().within(Binding::Whole))),
            Op::Abs(_) => Formula::new(Binding::Whole, format!("|{}|", next().text)),
            Op::Broadcast(_) | Op::FlushSubnormal(_) => next(),
            Op::Compare(compare) => {
                use crate::op::Compare;
                let sign = match compare {
                    Compare::Less => "<",
                    Compare::LessOrEqual => "≤",
                    Compare::Equal => "=",
                };
                let (a, b) = (next().text, next().text);
                Formula::new(Binding::Whole, format!("[{a} {sign} {b}]"))
            }
            Op::Select(_) => {
                let (flag, x, y) = (next(), next(), next());
                if y.text == "0" {
                    let x = x.within(Binding::Product);
                    return Formula::new(Binding::Product, format!("{x} ⊙ {}", flag.within(Binding::Product)));
                }
                Formula::new(Binding::Whole, format!("where({}, {}, {})", flag.text, x.text, y.text))
            }
            op => {
                let operands: Vec<String> = operands.into_iter().map(|operand| operand.text).collect();
                Formula::new(Binding::Whole, format!("{}({})", function(op), operands.join(", ")))
            }
        }
    }
}

/// The name of an operation with what distinguishes it.
#[allow(clippy::wildcard_enum_match_arm, reason = "most names say it all")]
fn function(op: Op) -> String {
    use crate::op::{Axis, Sum};
    match op {
        Op::Sum(Sum(Some(Axis::Rows))) => "sum_rows".to_owned(),
        Op::Sum(Sum(Some(Axis::Columns))) => "sum_columns".to_owned(),
        op => op.name().to_owned(),
    }
}

/// The triangle that is solved with.
#[cfg(feature = "linalg")]
fn triangle(formula: Formula, kind: crate::op::Triangular) -> String {
    use crate::op::Part;
    let text = match (kind.part, kind.unit_diagonal) {
        (Part::Lower, false) => format!("tril({})", formula.text),
        (Part::Lower, true) => format!("(tril({}, -1) + I)", formula.text),
        (Part::Upper, false) => format!("triu({})", formula.text),
        (Part::Upper, true) => format!("(triu({}, 1) + I)", formula.text),
    };
    if kind.transposed { text + "ᵀ" } else { text }
}

/// A factor of an element-by-element product: matrix products stand in parentheses.
fn factor(formula: Formula) -> String {
    let least = if formula.binding == Binding::Matrix { Binding::Power } else { Binding::Product };
    formula.within(least)
}

fn transposed(formula: Formula, transpose: bool) -> String {
    if transpose { format!("{}ᵀ", formula.within(Binding::Whole)) } else { formula.within(Binding::Matrix) }
}

fn number(value: Bits) -> String {
    format!("{}", value.get::<f64>())
}

fn superscript(n: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    n.to_string().chars().map(digit).collect()
}
