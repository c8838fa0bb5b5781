//! The three kinds of rule, and the adaptors that make one of the other two of each.

use smallvec::SmallVec;

use crate::kernel::elementwise::{self, Index, Places};
use crate::kernel::{Fault, View};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// An operation that was applied: what a derivative rule sees.
#[derive(Debug)]
pub(crate) struct Applied<'g, T: Real> {
    pub(crate) inputs: SmallVec<[Var<'g, T>; 3]>,
    pub(crate) output: Var<'g, T>,
    /// Whether it computes a number from numbers, element by element.
    pub(crate) is_number: bool,
}

/// A function of numbers, applied element by element with broadcasting.
pub(crate) trait Pointwise<const N: usize>: Copy {
    /// The name in messages and pictures.
    const NAME: &'static str;
    /// Whether the loop over [`value`](Self::value) is compiled for each instruction set. Not where `value` cannot
    /// become vector code, or is used too rarely to be worth the time to compile it.
    const VECTORISED: bool = true;
    /// Whether it is a formula of an instruction or two, done in the time that its operands need to be gathered. Its loop is
    /// compiled once more for operands that are a single number.
    const CHEAP: bool = false;
    /// How a cotangent passes back, if operands and result are numbers.
    const PASSES: Passes = Passes::ByRule;

    /// The value on numbers: branch-free where possible, so that a loop over it becomes vector code.
    fn value<T: Real>(self, x: [T; N]) -> T;

    /// The value by a shorter way, which becomes vector code, and whether that may be taken: if so, with the bits of
    /// [`value`](Self::value); if not, it is any number.
    #[inline(always)]
    fn short<T: Real>(self, x: [T; N]) -> (T, bool) {
        (self.value(x), true)
    }

    /// The loop over [`value`](Self::value), with broadcasting.
    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        if Self::CHEAP {
            elementwise::map::<T, N, true>(
                #[inline(always)]
                |x| self.value(x),
                inputs,
                out,
            );
        } else if Self::VECTORISED {
            elementwise::map::<T, N, false>(
                #[inline(always)]
                |x| self.value(x),
                inputs,
                out,
            );
        } else {
            elementwise::map_plain::<T, N>(|x| self.value(x), inputs, out);
        }
    }

    /// The product of `g` with `∂y/∂x[slot]`, which serves both modes: `g` is a cotangent or a tangent.
    fn derivative<'g, T: Real>(self, slot: usize, g: Var<'g, T>, x: [Var<'g, T>; N], y: Var<'g, T>) -> Var<'g, T>;

    /// Whether a derivative flows to this operand; where none does, the path is cut.
    fn differentiable(self, slot: usize) -> bool {
        let _ = slot;
        true
    }

    /// The frozen twin of a function that is not smooth: at the moving numbers `x`, with the decisions taken at the
    /// constant `at`. There it has the value of the function, and the derivative that our convention says. `None`:
    /// the function is smooth in the operands that it is differentiable by; the others are held anyway.
    fn frozen<'g, T: Real>(self, x: [Var<'g, T>; N], at: [Var<'g, T>; N]) -> Option<Var<'g, T>> {
        let _ = (x, at);
        None
    }

    /// Of a function that is not smooth: which piece it is on (equal numbers, same piece), and how far the nearest
    /// kink is, 0 on it.
    fn piece<T: Real>(self, x: [T; N]) -> Option<(T, T)> {
        let _ = x;
        None
    }

    /// Whether it is linear, up to a constant, in this operand alone.
    fn is_affine(self, slot: usize) -> bool {
        let _ = slot;
        false
    }
}

/// [`Pointwise::map`] of an operation that has a [shorter way](Pointwise::short).
pub(crate) fn map_short<T: Real>(op: impl Pointwise<1>, inputs: &[View<'_, T>], out: &mut [T]) {
    elementwise::map_short(
        #[inline(always)]
        |x| op.short([x]),
        |x| op.value([x]),
        inputs,
        out,
    );
}

/// How a cotangent passes back through an operation on numbers. For sums and products, of which there are many, reverse mode
/// does what their rule says without asking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passes {
    /// As [`Rule::vjp`] says.
    ByRule,
    /// As it is, to each operand: the result is their sum.
    AsItIs,
    /// To each operand times its partner: the result is the sum of the products of the operands in pairs.
    TimesPartner,
}

/// On which of its smooth pieces an operation is.
#[derive(Clone, Debug, PartialEq)]
pub struct Pieces<T> {
    /// Equal lists, same piece.
    pub(crate) switch: Vec<T>,
    /// For each element of the result, how far the nearest kink is: 0 on it.
    pub(crate) margin: Vec<T>,
}

/// A function that is linear in some operands (jointly); the others, such as indices, are data.
pub(crate) trait Linear: Copy {
    /// The name in messages and pictures.
    const NAME: &'static str;

    /// The shape of the result, or the rule that is broken.
    fn shape(self, inputs: &[Shape]) -> Result<Shape, String>;

    /// The value; `out` has the shape of [`shape`](Self::shape).
    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault>;

    /// The transposed map applied to `g`.
    fn transpose<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T>;

    /// Whether it is linear in this operand.
    fn is_linear(self, slot: usize) -> bool {
        let _ = slot;
        true
    }

    /// Whether each row of the result comes from the same row of the operands alone, which all have as many rows, so that
    /// [`forward`](Self::forward) may be given some of the rows.
    fn by_rows(self) -> bool {
        false
    }
}

/// All that the graph, the derivatives and the compiler ask of an operation.
pub(crate) trait Rule: Copy {
    /// The name in messages and pictures.
    fn name(self) -> &'static str;

    /// The shape of the result, or the rule that is broken.
    fn shape(self, inputs: &[Shape]) -> Result<Shape, String>;

    /// The value; `out` has the shape of [`shape`](Self::shape).
    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault>;

    /// The values on blocks of `L` numbers, for operations that work element by element; none may read what another writes.
    /// Unless `L` is 1 or the operation is [cheap](Self::is_cheap), they stand as in [`elementwise::map_stretch`].
    fn numbers<T: Real, I: Index, const L: usize>(self, places: &[Places<I>], numbers: &mut [T]) {
        let _ = (places, numbers);
        unreachable!("{} does not work element by element", self.name())
    }

    /// The cotangent of operand `slot` from that of the result.
    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T>;

    /// The tangent of the result from those of the operands (`None`: zero; at least one is given).
    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T>;

    /// Whether a derivative flows to this operand.
    fn differentiable(self, slot: usize) -> bool {
        let _ = slot;
        true
    }

    /// Whether it works element by element.
    fn is_pointwise(self) -> bool {
        false
    }

    /// Whether it does so in an instruction or two: see [`Pointwise::CHEAP`].
    fn is_cheap(self) -> bool {
        false
    }

    /// How a cotangent passes back, if operands and result are numbers.
    fn passes(self) -> Passes {
        Passes::ByRule
    }

    /// The operation at the moving operands `x` with the decisions taken at the constant operands `at`: see
    /// [`Pointwise::frozen`].
    fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        let _ = (x, at);
        None
    }

    /// Of an operation that is not smooth: on which piece it is.
    fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
        let _ = inputs;
        None
    }

    /// Whether it is linear, up to a constant, in this operand alone.
    fn is_affine(self, slot: usize) -> bool {
        let _ = slot;
        false
    }

    /// Whether each row of the result comes from the same row of the operands alone, which all have as many rows, so that
    /// [`forward`](Self::forward) may be given some of the rows.
    fn by_rows(self) -> bool {
        false
    }
}

/// Makes a [`Rule`] of a [`Pointwise`] one.
#[derive(Clone, Copy)]
pub(crate) struct AsPointwise<const N: usize, O>(O);

pub(crate) fn unary<O>(op: O) -> AsPointwise<1, O> {
    AsPointwise(op)
}

pub(crate) fn binary<O>(op: O) -> AsPointwise<2, O> {
    AsPointwise(op)
}

pub(crate) fn ternary<O>(op: O) -> AsPointwise<3, O> {
    AsPointwise(op)
}

/// Makes a [`Rule`] of a [`Linear`] one.
#[derive(Clone, Copy)]
pub(crate) struct AsLinear<O>(O);

pub(crate) fn linear<O>(op: O) -> AsLinear<O> {
    AsLinear(op)
}

pub(crate) fn general<O: Rule>(op: O) -> O {
    op
}

fn operands<const N: usize, V: Copy>(given: &[V]) -> Result<[V; N], String> {
    given.try_into().map_err(|_| format!("takes {N} operands, not {}", given.len()))
}

impl<const N: usize, O: Pointwise<N>> Rule for AsPointwise<N, O> {
    fn name(self) -> &'static str {
        O::NAME
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let inputs: [Shape; N] = operands(inputs)?;
        let mut shape = inputs[0];
        for input in &inputs[1..] {
            shape = shape.broadcast(*input).ok_or("each side must be equal, or 1 in one of them")?;
        }
        Ok(shape)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        self.0.map(inputs, out);
        Ok(())
    }

    #[inline(always)]
    fn numbers<T: Real, I: Index, const L: usize>(self, places: &[Places<I>], numbers: &mut [T]) {
        if O::CHEAP {
            elementwise::map_places::<T, I, N, L>(|x| self.0.value(x), places, numbers);
        } else if L > 1 {
            elementwise::map_stretch::<T, I, N, L>(&|x, y| self.0.map(x, y), places, numbers);
        } else {
            let most = if O::VECTORISED { elementwise::GATHERED } else { 1 };
            elementwise::map_gathered::<T, I, N>(&|x, y| self.0.map(x, y), most, places, numbers);
        }
    }

    #[inline(never)]
    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let x = core::array::from_fn(|i| at.inputs[i]);
        let part = self.0.derivative(slot, g, x, at.output);
        if at.is_number { part } else { part.sum_to(at.inputs[slot].shape()) }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let x = core::array::from_fn(|i| at.inputs[i]);
        let terms = tangents.iter().enumerate();
        let terms = terms.filter_map(|(slot, dx)| Some(self.0.derivative(slot, (*dx)?, x, at.output)));
        sum_of(terms).broadcast(at.output.shape())
    }

    fn differentiable(self, slot: usize) -> bool {
        self.0.differentiable(slot)
    }

    fn is_pointwise(self) -> bool {
        true
    }

    fn is_cheap(self) -> bool {
        O::CHEAP
    }

    fn passes(self) -> Passes {
        O::PASSES
    }

    fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        self.0.frozen(core::array::from_fn(|i| x[i]), core::array::from_fn(|i| at[i]))
    }

    fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
        self.0.piece([T::ZERO; N])?;
        let shape = inputs.iter().try_fold(Shape::SCALAR, |shape, input| shape.broadcast(input.shape))?;
        let each = |pick: fn((T, T)) -> T| {
            let mut out = vec![T::ZERO; shape.len()];
            let number = |x| self.0.piece(x).map_or(T::ZERO, pick);
            elementwise::map_plain::<T, N>(number, inputs, &mut out);
            out
        };
        Some(Pieces { switch: each(|piece| piece.0), margin: each(|piece| piece.1) })
    }

    fn is_affine(self, slot: usize) -> bool {
        self.0.is_affine(slot)
    }
}

impl<O: Linear> Rule for AsLinear<O> {
    fn name(self) -> &'static str {
        O::NAME
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        self.0.shape(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        self.0.forward(inputs, out)
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        self.0.transpose(slot, g, at)
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let op = at.output.op();
        let operand = |slot: usize| {
            let x = at.inputs[slot];
            let zero = || x.graph().fill(x.shape(), T::ZERO);
            if self.0.is_linear(slot) { tangents[slot].unwrap_or_else(zero) } else { x }
        };
        let operands: SmallVec<[Var<'g, T>; 2]> = (0..at.inputs.len()).map(operand).collect();
        Var::nary(op, &operands)
    }

    fn differentiable(self, slot: usize) -> bool {
        self.0.is_linear(slot)
    }

    fn is_affine(self, slot: usize) -> bool {
        self.0.is_linear(slot)
    }

    fn by_rows(self) -> bool {
        self.0.by_rows()
    }
}

/// The sum of at least one term.
pub(crate) fn sum_of<'g, T: Real>(terms: impl Iterator<Item = Var<'g, T>>) -> Var<'g, T> {
    match terms.reduce(|sum, term| sum + term) {
        Some(sum) => sum,
        None => unreachable!("a rule is asked for a tangent only where there is one"),
    }
}

/// The lesser of two distances.
pub(crate) fn nearer<T: Real>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

/// What an operation that takes one operand says to another number of them.
pub(crate) fn one(inputs: &[Shape]) -> Result<Shape, String> {
    operands::<1, _>(inputs).map(|[shape]| shape)
}

/// The same for two.
pub(crate) fn two(inputs: &[Shape]) -> Result<[Shape; 2], String> {
    operands(inputs)
}

/// The same for three.
pub(crate) fn three(inputs: &[Shape]) -> Result<[Shape; 3], String> {
    operands(inputs)
}
