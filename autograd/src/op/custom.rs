//! Operations and derivatives of the user's own.

use core::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::graph::Graph;
use crate::kernel::{Fault, View};
use crate::node::NodeId;
use crate::op::{Applied, Bits, Op};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// An operation that is written outside of this crate: a forward on numbers and a derivative in graph operations.
///
/// First ask whether it is a composition: any function of [`Var`]s is differentiated, compiled and fused. An operation of
/// one's own is for a forward that cannot be composed: other code, a table, an iteration until convergence.
///
/// ```
/// use autograd::{Graph, Real, Shape, Var, View, op::CustomOp};
///
/// /// The positive root of `y² + x y = 1`, by its formula; the derivative is that of the implicit function.
/// struct Root;
///
/// impl<T: Real> CustomOp<T> for Root {
///     fn name(&self) -> &'static str {
///         "root"
///     }
///     fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
///         Ok(operands[0])
///     }
///     fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
///         let two = T::from_f64(2.0);
///         for (y, &x) in out.iter_mut().zip(operands[0].as_slice()) {
///             *y = ((x * x + two * two).sqrt() - x) / two;
///         }
///     }
///     fn vjp<'g>(&self, g: Var<'g, T>, x: &[Var<'g, T>], y: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
///         vec![Some(-(g * y) / (y + y + x[0]))]
///     }
/// }
///
/// let graph = Graph::new();
/// let x = graph.variable(1.5);
/// let y = graph.custom(Root, &[x]);
/// let first = y.gradient(x);
/// assert_eq!((y.item(), first.item()), (0.5, -0.2));
/// // The rule is differentiated in turn: d²y/dx² = 2 / (x² + 4)^(3/2).
/// assert!((first.gradient(x).item() - 2.0 / 15.625).abs() < 1e-15);
/// ```
pub trait CustomOp<T: Real>: Send + Sync + 'static {
    /// The name in messages and pictures.
    fn name(&self) -> &'static str;

    /// The shape of the result.
    ///
    /// # Errors
    /// The rule that the operands break, as it should stand in a message.
    fn shape(&self, operands: &[Shape]) -> Result<Shape, String>;

    /// Writes the value to `out`, row by row. Must depend on the operands alone.
    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]);

    /// The cotangent of each operand from that of the result, recorded in graph operations, so that it can be
    /// differentiated again. `None` only for operands that are not [`differentiable`](Self::differentiable).
    fn vjp<'g>(&self, g: Var<'g, T>, operands: &[Var<'g, T>], output: Var<'g, T>) -> Vec<Option<Var<'g, T>>>;

    /// The tangent of the result from those of the operands (`None`: zero). Unless it is written, it is had from
    /// [`vjp`](Self::vjp), which is linear in `g`, by transposing that once more.
    fn jvp<'g>(
        &self,
        tangents: &[Option<Var<'g, T>>],
        operands: &[Var<'g, T>],
        output: Var<'g, T>,
    ) -> Option<Var<'g, T>> {
        let _ = (tangents, operands, output);
        None
    }

    /// Whether a derivative flows to this operand; where none does, the path is cut.
    fn differentiable(&self, slot: usize) -> bool {
        let _ = slot;
        true
    }

    /// The frozen twin of an operation with kinks, for the [checker](crate::check): the value at the moving operands `x` with
    /// the decisions taken at the constant operands `at`, recorded in graph operations. There it must have the value of the
    /// operation, and the derivative that [`vjp`](Self::vjp) claims. `None`: the operation is smooth.
    fn frozen<'g>(&self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        let _ = (x, at);
        None
    }

    /// Of an operation with kinks, for the checker: for each element of the result how far the nearest kink is, 0 on it.
    fn margin(&self, operands: &[View<'_, T>]) -> Vec<T> {
        let _ = operands;
        Vec::new()
    }

    /// The same operation on `f64`, by which the checker judges the formula of one on `f32`; without it, it computes
    /// differences in `f32`, which have few digits.
    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        None
    }
}

/// Names an operation of the user's in one graph.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Custom {
    index: u32,
    name: &'static str,
    /// Bit `i` says whether a derivative flows to operand `i`.
    differentiable: u64,
}

/// What [`Custom::differentiable`] has room for.
const MAX_OPERANDS: usize = 64;

/// The operations of the user's that a graph knows, and those of a program.
pub(crate) type Customs<T> = Vec<Arc<dyn CustomOp<T>>>;

impl Custom {
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn differentiable(self, slot: usize) -> bool {
        self.differentiable >> slot & 1 == 1
    }

    pub(crate) fn of<T: Real>(self, customs: &Customs<T>) -> &Arc<dyn CustomOp<T>> {
        &customs[self.index as usize]
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Computes any operation.
pub(crate) fn forward<T: Real>(
    customs: &Customs<T>,
    op: Op,
    inputs: &[View<'_, T>],
    out: &mut [T],
) -> Result<(), Fault> {
    if let Op::Custom(custom) = op {
        custom.of(customs).forward(inputs, out);
        return Ok(());
    }
    T::forward(op, inputs, out)
}

impl<T: Real> Graph<T> {
    /// Applies an operation of the user's.
    ///
    /// # Panics
    /// If its [`shape`](CustomOp::shape) refuses the operands, there are more than 64, or one belongs to another graph.
    #[track_caller]
    pub fn custom<'g>(&'g self, op: impl CustomOp<T>, operands: &[Var<'g, T>]) -> Var<'g, T> {
        assert!(operands.len() <= MAX_OPERANDS, "{}: takes at most {MAX_OPERANDS} operands", op.name());
        for operand in operands {
            operand.assert_of(self);
        }
        let mut customs = self.customs.borrow_mut();
        let slots = (0..operands.len()).filter(|&slot| op.differentiable(slot));
        let differentiable = slots.fold(0, |mask, slot| mask | 1 << slot);
        let name = op.name();
        let Ok(index) = u32::try_from(customs.len()) else { panic!("{name}: too many operations") };
        customs.push(Arc::new(op));
        drop(customs);
        let op = Custom { index, name, differentiable };
        let ids: SmallVec<[NodeId; 4]> = operands.iter().map(|operand| operand.id()).collect();
        self.apply(&Op::Custom(op), &ids)
    }

    /// The shape of an operation's result, or the rule that its operands break.
    pub(crate) fn rule(&self, op: Op, shapes: &[Shape]) -> Result<Shape, String> {
        if let Op::Custom(custom) = op {
            return custom.of(&self.customs.borrow()).shape(shapes);
        }
        if let (Op::ArgMax(_) | Op::ArgSort(_), [x]) = (op, shapes) {
            let largest = 2.0 / T::EPSILON.to_f64();
            if x.cols > 0 && f64::from_usize(x.cols - 1) > largest {
                return Err(format!("{} holds indices exactly up to {largest} only", T::NAME));
            }
        }
        op.shape(shapes)
    }

    /// Gives `take` the cotangents of those operands that derivatives flow to, from that of the result.
    #[track_caller]
    pub(crate) fn vjp_of<'g>(
        &'g self,
        op: Op,
        g: Var<'g, T>,
        at: &Applied<'g, T>,
        flows: impl Fn(usize) -> bool,
        mut take: impl FnMut(usize, Var<'g, T>),
    ) {
        let slots = (0..at.inputs.len()).filter(|&slot| flows(slot));
        let Op::Custom(custom) = op else {
            return slots.for_each(|slot| take(slot, op.vjp(slot, g, at)));
        };
        let rule = custom.of(&self.customs.borrow()).clone();
        let parts = rule.vjp(g, &at.inputs, at.output);
        for slot in slots {
            match parts.get(slot) {
                Some(&Some(part)) if part.shape() == at.inputs[slot].shape() => take(slot, part),
                Some(Some(part)) => panic!(
                    "{}: vjp gives a {} cotangent to operand {slot}, which is {}",
                    custom.name,
                    part.shape(),
                    at.inputs[slot].shape()
                ),
                _ => panic!("{}: vjp gives no cotangent to operand {slot}, which is differentiable", custom.name),
            }
        }
    }

    /// The cotangents of the operands `slots`, in ascending order.
    #[track_caller]
    pub(crate) fn vjps_of<'g>(
        &'g self,
        op: Op,
        g: Var<'g, T>,
        at: &Applied<'g, T>,
        slots: &[usize],
    ) -> SmallVec<[Var<'g, T>; 2]> {
        let mut parts = SmallVec::new();
        self.vjp_of(op, g, at, |slot| slots.contains(&slot), |_, part| parts.push(part));
        parts
    }

    /// The tangent of the result from those of the operands.
    #[track_caller]
    pub(crate) fn jvp_of<'g>(&'g self, op: Op, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let Op::Custom(custom) = op else { return op.jvp(tangents, at) };
        let rule = custom.of(&self.customs.borrow()).clone();
        if let Some(tangent) = rule.jvp(tangents, &at.inputs, at.output) {
            let (found, expected) = (tangent.shape(), at.output.shape());
            assert!(found == expected, "{}: jvp gives a {found} tangent, the value is {expected}", custom.name);
            return tangent;
        }
        // ⟨vjp(g), dx⟩ is linear in g, and its gradient by g is the tangent.
        let shape = at.output.shape();
        let g = self.variable(crate::matrix::Matrix::zeros(shape.rows, shape.cols));
        let mut terms: SmallVec<[Var<'g, T>; 4]> = SmallVec::new();
        let moves = |slot: usize| tangents[slot].is_some();
        self.vjp_of(op, g, at, moves, |slot, part| terms.extend(tangents[slot].map(|dx| (part * dx).sum())));
        let tangent = crate::op::sum_of(terms.into_iter()).gradient_or_zero(g);
        assert!(
            !self.is_computed_from(tangent.id(), g.id()),
            "{}: forward mode needs a vjp that is linear in its cotangent, and this one is not; write its jvp",
            custom.name
        );
        tangent
    }
}

/// A value with another derivative: the first operand is the value, the others are what the rule gives cotangents to.
struct WithGradient<F> {
    rule: F,
}

impl<T, F> CustomOp<T> for WithGradient<F>
where
    T: Real,
    F: for<'g> Fn(Var<'g, T>, &[Var<'g, T>], Var<'g, T>) -> Vec<Var<'g, T>> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "with_gradient"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0])
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(operands[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, operands: &[Var<'g, T>], output: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        let parts = (self.rule)(g, &operands[1..], output);
        core::iter::once(None).chain(parts.into_iter().map(Some)).collect()
    }

    fn differentiable(&self, slot: usize) -> bool {
        slot > 0
    }

    /// What the rule claims to be the derivative of.
    fn frozen<'g>(&self, x: &[Var<'g, T>], _: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        Some(x[0])
    }
}

/// A value with the derivative of another one.
struct StraightThrough;

impl<T: Real> CustomOp<T> for StraightThrough {
    fn name(&self) -> &'static str {
        "straight_through"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0])
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(operands[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![None, Some(g)]
    }

    fn differentiable(&self, slot: usize) -> bool {
        slot > 0
    }

    fn frozen<'g>(&self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        Some(at[0] + (x[1] - at[1]))
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(Self))
    }
}

/// A value with its derivative multiplied by a number.
struct ScaleGradient(Bits);

impl<T: Real> CustomOp<T> for ScaleGradient {
    fn name(&self) -> &'static str {
        "scale_gradient"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0])
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        out.copy_from_slice(operands[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, T>, _: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g * self.0.get::<T>())]
    }

    fn frozen<'g>(&self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        Some(at[0] + (x[0] - at[0]) * self.0.get::<T>())
    }

    fn widened(&self) -> Option<Arc<dyn CustomOp<f64>>> {
        Some(Arc::new(Self(self.0)))
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// This value with a derivative of the user's: `rule(g, sources, y)` gives the cotangent of each of `sources` from
    /// that of this value. All other paths from here are cut.
    ///
    /// The rule is recorded in graph operations, so the derivative can be differentiated again; then the rule itself is,
    /// not the function that it belongs to. Forward mode is had by transposing the rule, which must be linear in `g` for that.
    ///
    /// # Derivative
    /// What the rule says.
    ///
    /// # Domain and edge cases
    /// Values are as they are, NaN and ±∞ too. Strong zeros are up to the rule.
    ///
    /// # Panics
    /// When a derivative is taken: if the rule does not give one cotangent for each source, of its shape; in forward mode, if
    /// it is not linear in `g`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(0.0);
    /// // ln(1 + eˣ), which overflows, with a derivative that does not.
    /// let y = (x.exp() + 1.0).ln().with_gradient(&[x], |g, x, _| vec![g * x[0].sigmoid()]);
    /// assert_eq!((y.item(), y.gradient(x).item()), (2f64.ln(), 0.5));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_gradient(
        self,
        sources: &[Self],
        rule: impl for<'a> Fn(Var<'a, T>, &[Var<'a, T>], Var<'a, T>) -> Vec<Var<'a, T>> + Send + Sync + 'static,
    ) -> Self {
        let operands: Vec<Self> = core::iter::once(self).chain(sources.iter().copied()).collect();
        self.graph().custom(WithGradient { rule }, &operands)
    }

    /// This value with the derivative of `surrogate`: a straight-through estimator.
    ///
    /// # Derivative
    /// That of `surrogate`; none of this value.
    ///
    /// # Domain and edge cases
    /// Values are as they are, NaN and ±∞ too; the derivative is that of `surrogate` there too.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[0.3, -0.2]]);
    /// let spikes = x.sign().straight_through(x.tanh());
    /// assert_eq!(spikes.value().as_slice(), [1.0, -1.0]);
    /// assert_eq!(spikes.sum().gradient(x).value(), x.tanh().sum().gradient(x).value());
    /// ```
    ///
    /// # References
    /// Y. Bengio, N. Léonard, A. Courville, "Estimating or propagating gradients through stochastic neurons", 2013.
    #[must_use]
    #[track_caller]
    pub fn straight_through(self, surrogate: Self) -> Self {
        assert!(
            self.shape() == surrogate.shape(),
            "straight_through: {} by {}: the surrogate must have the shape of the value; made at {} and {}",
            self.shape(),
            surrogate.shape(),
            self.site(),
            surrogate.site()
        );
        self.graph().custom(StraightThrough, &[self, surrogate])
    }

    /// This value with its derivative multiplied by `factor`: a gradient reversal layer, if that is negative.
    ///
    /// # Derivative
    /// `factor`.
    ///
    /// # Domain and edge cases
    /// With the factor -2, at -∞, -0, 0, ∞, NaN: -∞, -0, 0, ∞, NaN; derivative -2, -2, -2, -2, -2.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0);
    /// let y = x.scale_gradient(-0.5);
    /// assert_eq!((y.item(), y.gradient(x).item()), (3.0, -0.5));
    /// ```
    ///
    /// # References
    /// Y. Ganin, V. Lempitsky, "Unsupervised domain adaptation by backpropagation", 2015.
    #[must_use]
    #[track_caller]
    pub fn scale_gradient(self, factor: T) -> Self {
        self.graph().custom(ScaleGradient(Bits::new(factor)), &[self])
    }
}
