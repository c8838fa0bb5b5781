//! Operations of the registry with faults in their derivative rules.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use autograd::op::{self, CustomOp};
use autograd::{Axis, Graph, Matrix, Op, Real, Shape, Var, View};

use crate::check::rivals::Random;

/// What kind of mistake it is: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Sign,
    Factor,
    Transposed,
    DroppedTerm,
    NotSummed,
    OffByOne,
    WrongBranch,
    Thousandth,
    Stale,
    Overwritten,
    Detached,
    SecondOnly,
}

impl Class {
    pub(crate) const ALL: [Self; 12] = [
        Self::Sign,
        Self::Factor,
        Self::Transposed,
        Self::DroppedTerm,
        Self::NotSummed,
        Self::OffByOne,
        Self::WrongBranch,
        Self::Thousandth,
        Self::Stale,
        Self::Overwritten,
        Self::Detached,
        Self::SecondOnly,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Factor => "factor ½, 2, n",
            Self::Transposed => "transposed",
            Self::DroppedTerm => "dropped term",
            Self::NotSummed => "missing un-broadcast",
            Self::OffByOne => "off-by-one index",
            Self::WrongBranch => "wrong branch at a kink",
            Self::Thousandth => "× (1 ± 1e-3)",
            Self::Stale => "stale value",
            Self::Overwritten => "overwritten, not accumulated",
            Self::Detached => "detached",
            Self::SecondOnly => "second order only",
        }
    }
}

/// What is wrong with the contribution to one operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Multiplied by a number.
    Times(f64),
    /// Multiplied by the number of its elements.
    Count,
    /// Its numbers in the order of the transposed.
    Transposed,
    /// Zeros.
    Zero,
    /// One element of the cotangent does not count.
    TermDropped,
    /// Left in the shape of the result.
    ShapeOfResult,
    /// The first row or column of what should be summed.
    FirstOfMany,
    /// Each number one place too far on.
    Rolled,
    /// The decisions of operands that are this much larger.
    OtherBranch(f64),
    /// Computed from other values of the operands.
    Stale,
    /// The operand is used twice, and only the contribution of this use is kept: 0 or 1.
    OnlyUse(usize),
    /// Right, but it does not depend on the operands.
    Constant,
    /// Right, but its derivative by the operands is this many times what it should be.
    SecondTimes(f64),
}

/// All faults that can be made in the rule of an operation, by operand `slot` of these shapes.
pub(crate) fn faults(op: Op, shapes: &[Shape], slot: usize, result: Shape) -> Vec<(Class, Fault)> {
    let own = shapes[slot];
    let slots = (0..shapes.len()).filter(|slot| op.differentiable(*slot)).count();
    let mut all = vec![
        (Class::Sign, Fault::Times(-1.0)),
        (Class::Factor, Fault::Times(0.5)),
        (Class::Factor, Fault::Times(2.0)),
        (Class::Thousandth, Fault::Times(1.001)),
        (Class::Thousandth, Fault::Times(0.999)),
        (Class::Stale, Fault::Stale),
        (Class::Overwritten, Fault::OnlyUse(0)),
        (Class::Overwritten, Fault::OnlyUse(1)),
        (Class::Detached, Fault::Constant),
        (Class::SecondOnly, Fault::SecondTimes(2.0)),
        (Class::SecondOnly, Fault::SecondTimes(-1.0)),
        // Of one operand, it is a value that was detached; of several, a term of the sum.
        (if slots > 1 { Class::DroppedTerm } else { Class::Detached }, Fault::Zero),
    ];
    if own.len() > 1 {
        all.extend([(Class::Factor, Fault::Count), (Class::OffByOne, Fault::Rolled)]);
    }
    if own.rows > 1 && own.cols > 1 {
        all.push((Class::Transposed, Fault::Transposed));
    }
    if result.len() > 1 {
        all.push((Class::DroppedTerm, Fault::TermDropped));
    }
    if op.is_pointwise() && own != result {
        all.extend([(Class::NotSummed, Fault::ShapeOfResult), (Class::NotSummed, Fault::FirstOfMany)]);
    }
    all.extend([1.0, -1.0].map(|side| (Class::WrongBranch, Fault::OtherBranch(side / 1024.0))));
    all
}

/// An operation of the registry with a fault in the rule by one operand; or, without one, as it is.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) op: Op,
    pub(crate) slot: usize,
    pub(crate) fault: Option<Fault>,
    /// The operand is used twice: the mean of its elements is added, less `base`.
    pub(crate) twice: bool,
    pub(crate) base: f64,
    /// Other values of the operands, for a rule that uses those.
    pub(crate) elsewhere: Vec<Matrix<f64>>,
}

impl Mutant {
    /// The mutant for operands that have these values.
    pub(crate) fn new(op: Op, slot: usize, fault: Option<Fault>, values: &[Matrix<f64>]) -> Self {
        let base = mean(&values[slot]);
        let elsewhere =
            values.iter().enumerate().map(|(slot, x)| if op.differentiable(slot) { moved(x) } else { x.clone() });
        Self { op, slot, fault, twice: matches!(fault, Some(Fault::OnlyUse(_))), base, elsewhere: elsewhere.collect() }
    }

    /// Without its fault.
    pub(crate) fn healed(&self) -> Self {
        Self { fault: None, ..self.clone() }
    }

    /// Whether its rule differs from the healthy one as a function: for a random cotangent, at operands with these values or at
    /// one of a few points near by, in a contribution or in the derivative of one, by more than 1e-9 of the largest.
    ///
    /// It knows nothing of the function that the operation is part of, nor of the checker.
    pub(crate) fn is_other(&self, values: &[Matrix<f64>], result: Shape) -> bool {
        let mut random = Random::new(5);
        (0..5).any(|k| {
            let mut near = |x: &f64| if k == 0 { *x } else { x + random.normal() / 64.0 * x.abs().max(1.0) };
            let at: Vec<Matrix<f64>> = values
                .iter()
                .enumerate()
                .map(|(slot, x)| {
                    if self.op.differentiable(slot) {
                        Matrix::new(x.rows(), x.cols(), x.as_slice().iter().map(&mut near).collect())
                    } else {
                        x.clone()
                    }
                })
                .collect();
            let g = Matrix::from_fn(result.rows, result.cols, |_, _| random.normal());
            let [right, wrong] = [None, self.fault].map(|fault| {
                let mutant = Self { fault, ..self.clone() };
                catch_unwind(AssertUnwindSafe(|| mutant.rule(&at, &g))).ok().flatten()
            });
            let Some(right) = right.filter(|all| all.iter().all(|x| x.is_finite())) else { return false };
            let Some(wrong) = wrong else { return true };
            let size = right.iter().chain(&wrong).fold(0.0, |max: f64, x| max.max(x.abs()));
            let agree = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * size;
            right.len() != wrong.len() || !right.iter().zip(&wrong).all(agree)
        })
    }

    /// The contribution to the operand, and the gradient of a weighted sum of it by the operands and the cotangent; `None` if it
    /// has not the shape of the operand.
    fn rule(&self, values: &[Matrix<f64>], g: &Matrix<f64>) -> Option<Vec<f64>> {
        let graph = Graph::<f64>::new();
        let x: Vec<_> = values.iter().map(|x| graph.variable(x)).collect();
        let g = graph.variable(g);
        let part = self.vjp(g, &x, g)[self.slot]?;
        if part.shape() != x[self.slot].shape() {
            return None;
        }
        let mut random = Random::new(6);
        let weights = Matrix::from_fn(part.rows(), part.cols(), |_, _| random.normal());
        let mut sources: Vec<_> = self.slots(x.len()).into_iter().map(|slot| x[slot]).collect();
        sources.push(g);
        let slopes = (part * graph.constant(weights)).sum().gradient_or_zero(sources.as_slice());
        let all = core::iter::once(part).chain(slopes);
        Some(all.flat_map(|x| x.value().as_slice().to_vec()).collect())
    }

    fn slots(&self, operands: usize) -> Vec<usize> {
        (0..operands).filter(|slot| self.op.differentiable(*slot)).collect()
    }

    /// The contributions of the operation itself, each operand a node of its own.
    fn right<'g, T: Real>(&self, g: Var<'g, T>, x: &[Var<'g, T>]) -> Vec<Option<Var<'g, T>>> {
        let x: Vec<_> = x.iter().map(|x| apply(op::Reshape(x.shape()), &[*x])).collect();
        let slots = self.slots(x.len());
        let sources: Vec<_> = slots.iter().map(|slot| x[*slot]).collect();
        let mut parts = apply(self.op, &x).vjp(g, sources.as_slice()).into_iter();
        (0..x.len()).map(|slot| if slots.contains(&slot) { parts.next() } else { None }).collect()
    }

    fn part<'g, T: Real>(&self, g: Var<'g, T>, x: &[Var<'g, T>]) -> Var<'g, T> {
        self.right(g, x)[self.slot].expect("it is differentiable")
    }

    /// The contribution to the operand, with the fault.
    fn wrong<'g, T: Real>(&self, fault: Fault, g: Var<'g, T>, x: &[Var<'g, T>]) -> Var<'g, T> {
        let number = |x: f64| T::from_f64(x);
        let own = x[self.slot].shape();
        let part = || self.part(g, x);
        let still = || self.part(g, &x.iter().map(|x| x.detach()).collect::<Vec<_>>());
        match fault {
            Fault::Times(factor) => part() * number(factor),
            Fault::Count => part() * T::from_usize(own.len()),
            Fault::Transposed => part().transpose().reshape(own.rows, own.cols),
            Fault::Zero => part() * T::ZERO,
            Fault::TermDropped => {
                let (rows, cols, middle) = (g.rows(), g.cols(), g.shape().len() / 2);
                let kept = Matrix::from_fn(rows, cols, |i, j| if i * cols + j == middle { T::ZERO } else { T::ONE });
                self.part(g * g.graph().constant(kept), x)
            }
            Fault::ShapeOfResult => self.spread(g, x),
            Fault::FirstOfMany => self.spread(g, x).slice(0..own.rows, 0..own.cols),
            Fault::Rolled => {
                let (len, flat) = (own.len(), part().reshape(own.len(), 1));
                let rolled = Var::concat(&[flat.slice(1..len, 0..1), flat.slice(0..1, 0..1)], Axis::Rows);
                rolled.reshape(own.rows, own.cols)
            }
            Fault::OtherBranch(step) => self.other_branch(step, g, x),
            Fault::Stale => {
                let x: Vec<_> = self.elsewhere.iter().map(|x| g.graph().variable(x.cast::<T>())).collect();
                self.part(g, &x)
            }
            Fault::OnlyUse(0) => part(),
            Fault::OnlyUse(_) => self.second_use(g, own),
            Fault::Constant => still(),
            Fault::SecondTimes(factor) => part() * number(factor) + still() * number(1.0 - factor),
        }
    }

    /// The contribution of the mean.
    fn second_use<'g, T: Real>(&self, g: Var<'g, T>, own: Shape) -> Var<'g, T> {
        (g.sum() / T::from_usize(own.len())).broadcast(own)
    }

    /// The contribution to the operand if that had been broadcast before.
    fn spread<'g, T: Real>(&self, g: Var<'g, T>, x: &[Var<'g, T>]) -> Var<'g, T> {
        let mut x = x.to_vec();
        x[self.slot] = x[self.slot].broadcast(g.shape());
        self.part(g, &x)
    }

    /// The derivative of the piece that operands which are a little larger, or smaller, are on; the right one if there are none.
    fn other_branch<'g, T: Real>(&self, step: f64, g: Var<'g, T>, x: &[Var<'g, T>]) -> Var<'g, T> {
        let x: Vec<_> = x.iter().map(|x| apply(op::Reshape(x.shape()), &[*x])).collect();
        let mut at: Vec<_> = x.iter().map(|x| x.detach()).collect();
        let own = x[self.slot].shape();
        // Not all by the same, so that no tie stays one.
        let by = Matrix::from_fn(own.rows, own.cols, |i, j| T::from_f64(step) * T::from_usize(own.cols * i + j + 1));
        at[self.slot] = at[self.slot] + g.graph().constant(by);
        match self.op.frozen(&x, &at) {
            Some(piece) => (piece.broadcast(g.shape()) * g).sum().gradient_or_zero(x[self.slot]),
            None => self.part(g, &x),
        }
    }
}

/// The operation, recorded where its operands are.
fn apply<'g, T: Real>(op: impl Into<Op>, x: &[Var<'g, T>]) -> Var<'g, T> {
    x[0].graph().try_apply(op, x).expect("the operands fit")
}

fn mean(x: &Matrix<f64>) -> f64 {
    let graph = Graph::new();
    graph.constant(x).mean().item()
}

/// Between each number and the next: other numbers of the same range.
fn moved(x: &Matrix<f64>) -> Matrix<f64> {
    let (all, cols) = (x.as_slice(), x.cols());
    Matrix::from_fn(x.rows(), cols, |i, j| {
        let (own, next) = (all[i * cols + j], all[(i * cols + j + 1) % all.len()]);
        if all.len() == 1 { own * 0.9375 } else { 0.75 * own + 0.25 * next }
    })
}

impl<T: Real> CustomOp<T> for Mutant {
    fn name(&self) -> &'static str {
        "mutant"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        let graph = Graph::<T>::new();
        let operands: Vec<_> = operands.iter().map(|shape| graph.filled(shape.rows, shape.cols, T::ONE)).collect();
        graph.try_apply(self.op, &operands).map(|y| y.shape()).map_err(|error| error.rule)
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        let graph = Graph::<T>::new();
        let constant =
            |x: &View<'_, T>| graph.constant(Matrix::new(x.shape().rows, x.shape().cols, x.as_slice().to_vec()));
        let x: Vec<_> = operands.iter().map(constant).collect();
        let y = apply(self.op, &x);
        let y = if self.twice { y + (x[self.slot].mean() - T::from_f64(self.base)) } else { y };
        out.copy_from_slice(y.value().as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, x: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        let mut parts = self.right(g, x);
        let own = x[self.slot].shape();
        parts[self.slot] = match self.fault {
            Some(fault) => Some(self.wrong(fault, g, x)),
            None if self.twice => parts[self.slot].map(|part| part + self.second_use(g, own)),
            None => parts[self.slot],
        };
        parts
    }

    fn differentiable(&self, slot: usize) -> bool {
        self.op.differentiable(slot)
    }

    fn frozen<'g>(&self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        let y = self.op.frozen(x, at)?;
        Some(if self.twice { y + (x[self.slot].mean() - T::from_f64(self.base)) } else { y })
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(self.clone()))
    }
}
