//! Where the first infinity or NaN comes from.

use core::fmt;
use core::panic::Location;

use crate::error::RunError;
use crate::graph::Graph;
use crate::kernel::View;
use crate::node::NodeId;
use crate::op::custom::{self, Customs};
use crate::op::{Bits, Op};
use crate::program::Program;
use crate::program::simplify::{Term, simplify};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// The first value that is infinite or NaN: the operation, the user's line, the element, and what it was computed from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NonFinite {
    /// The operation that gave it.
    pub op: &'static str,
    /// The line that recorded it; for a derivative, the line of the operation that is differentiated.
    pub site: &'static Location<'static>,
    /// Whether it is part of a derivative.
    pub in_derivative: bool,
    /// Its node.
    pub node: NodeId,
    /// The shape of the value.
    pub shape: Shape,
    /// Row and column of the first element that is not finite.
    pub element: (usize, usize),
    /// That element.
    pub value: f64,
    /// What it was computed from, all finite.
    pub operands: Vec<TracedOperand>,
}

/// An operand of what is not finite.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TracedOperand {
    /// The operation that gave it.
    pub op: &'static str,
    /// The line that recorded it.
    pub site: &'static Location<'static>,
    /// Its shape.
    pub shape: Shape,
    /// Its number at the same element, for operations that work element by element.
    pub value: Option<f64>,
    /// Its smallest and its largest number.
    pub range: (f64, f64),
}

/// Operands that are written out.
const LISTED: usize = 8;

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.in_derivative { " in the derivative of the line" } else { " recorded at" };
        let (row, col) = self.element;
        write!(f, "{}{part} {}: ", self.op, self.site)?;
        write!(f, "element ({row}, {col}) of {} is {}", self.shape, self.value)?;
        for operand in self.operands.iter().take(LISTED) {
            write!(f, "; computed from the {} {} of {}: ", operand.shape, operand.op, operand.site)?;
            match operand.value {
                Some(value) => write!(f, "{value} there")?,
                None => write!(f, "numbers from {:?} to {:?}", operand.range.0, operand.range.1)?,
            }
        }
        match self.operands.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "; and from {more} more"),
        }
    }
}

impl<T: Real> Graph<T> {
    /// The first value that is infinite or NaN among those that `targets` are computed from, operands before users, or
    /// `None` if there is none. For a derivative, give its variables as targets: what is first in forward order is found
    /// before what is first in the backward pass.
    ///
    /// # Errors
    /// If a number that serves as an index is out of range, or a matrix has no factorisation.
    ///
    /// # Panics
    /// If it depends on an [`input`](Self::input), which has no value.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[4.0, 1.0]]);
    /// let y = (x - 2.0).sqrt().sum();
    /// let found = graph.trace_non_finite(&[y])?.unwrap();
    /// assert_eq!((found.op, found.element, found.operands[0].value), ("sqrt", (0, 1), Some(-1.0)));
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    #[track_caller]
    pub fn trace_non_finite(&self, targets: &[Var<'_, T>]) -> Result<Option<NonFinite>, RunError> {
        let roots: Vec<NodeId> = targets.iter().map(|target| target.id()).collect();
        let simplified = simplify::<T>(&self.nodes.borrow(), &roots, 0);
        let values = self.values.borrow();
        let unfed = simplified.terms.iter().find(|term| term.op == Op::Input);
        if let Some(input) = unfed {
            panic!("trace_non_finite: the input made at {} has a value only while a program runs", input.site);
        }
        trace(&simplified.terms, |_, origin| values.get(origin), &self.customs.borrow())
    }
}

impl<T: Real> Program<T> {
    /// The first value that would be infinite or NaN if the program ran with the inputs and states that it has now, operands
    /// before users, or `None` if there is none. Changes nothing, and allocates: it is for finding an error, not for use at
    /// every step.
    ///
    /// # Errors
    /// If a number that serves as an index is out of range, or a matrix has no factorisation.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.input(1, 2);
    /// let y = (x - 2.0).ln();
    /// let mut program = graph.compile(&[x], &[], &[y])?;
    /// program.run(&[&[[5.0, 1.0]].into()])?;
    /// let found = program.trace_non_finite()?.unwrap();
    /// assert_eq!(found.op, "ln");
    /// assert!(found.to_string().contains("element (0, 1) of 1x2 is NaN"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trace_non_finite(&self) -> Result<Option<NonFinite>, RunError> {
        trace(self.terms(), |place, _| self.leaf(place), self.customs())
    }
}

/// Computes all terms one by one until one is not finite.
fn trace<'a, T: Real>(
    terms: &[Term],
    leaf: impl Fn(usize, NodeId) -> &'a [T],
    customs: &Customs<T>,
) -> Result<Option<NonFinite>, RunError> {
    let mut values: Vec<Vec<T>> = Vec::with_capacity(terms.len());
    for (place, term) in terms.iter().enumerate() {
        let value = compute(place, term, terms, &values, &leaf, customs)?;
        let bad = value.iter().position(|x| !x.is_finite());
        values.push(value);
        if let Some(bad) = bad {
            return Ok(Some(describe(term, bad, terms, &values)));
        }
    }
    Ok(None)
}

fn compute<'a, T: Real>(
    place: usize,
    term: &Term,
    terms: &[Term],
    values: &[Vec<T>],
    leaf: &impl Fn(usize, NodeId) -> &'a [T],
    customs: &Customs<T>,
) -> Result<Vec<T>, RunError> {
    let constant = if let Op::Fill(value) = term.op { Some(value) } else { None };
    if let Some(value) = constant.map(Bits::get) {
        return Ok(vec![value; term.shape.len()]);
    }
    if term.op.is_leaf() {
        return Ok(leaf(place, term.origin).to_vec());
    }
    // A pointwise term may be larger than its operands: what broadcast them was dropped.
    let spread = |&input: &usize| {
        let (value, shape) = (&values[input], terms[input].shape);
        if !term.op.is_pointwise() || shape == term.shape {
            return (value.clone(), shape);
        }
        let mut full = vec![T::ZERO; term.shape.len()];
        crate::kernel::structure::broadcast(View::new(value, shape), term.shape, &mut full);
        (full, term.shape)
    };
    let operands: Vec<(Vec<T>, Shape)> = term.inputs.iter().map(spread).collect();
    let views: Vec<View<'_, T>> = operands.iter().map(|(value, shape)| View::new(value, *shape)).collect();
    let mut out = vec![T::ZERO; term.shape.len()];
    custom::forward(customs, term.op, &views, &mut out).map_err(|fault| fault.at(term.op.name(), term.site))?;
    Ok(out)
}

fn describe<T: Real>(term: &Term, bad: usize, terms: &[Term], values: &[Vec<T>]) -> NonFinite {
    let element = (bad / term.shape.cols.max(1), bad % term.shape.cols.max(1));
    let operand = |&input: &usize| {
        let (operand, value) = (&terms[input], &values[input]);
        let row = if operand.shape.rows == 1 { 0 } else { element.0 };
        let col = if operand.shape.cols == 1 { 0 } else { element.1 };
        let range = value
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x.to_f64()), high.max(x.to_f64())));
        let there = term.op.is_pointwise().then(|| value[row * operand.shape.cols + col].to_f64());
        TracedOperand { op: operand.op.name(), site: operand.site, shape: operand.shape, value: there, range }
    };
    NonFinite {
        op: term.op.name(),
        site: term.site,
        in_derivative: term.in_derivative,
        node: term.origin,
        shape: term.shape,
        element,
        value: values.last().map_or(f64::NAN, |value| value[bad].to_f64()),
        operands: term.inputs.iter().map(operand).collect(),
    }
}
