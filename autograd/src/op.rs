//! The operations: one registry line joins each to its block in `op/`.
//!
//! Three kinds of rule keep most blocks tiny. A `Pointwise` rule is one formula on numbers and the product of
//! a cotangent with its derivative; a `Linear` rule is a forward and its transpose; a general `Rule` gives
//! everything by hand. The adaptors here derive the rest: vector–Jacobian and Jacobian–vector products,
//! broadcasting, un-broadcasting, vectorised kernels.

use core::fmt;

use smallvec::SmallVec;

use crate::kernel::elementwise::{self, Places};
use crate::kernel::{Fault, View};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub mod activation;
pub mod arithmetic;
pub mod arrange;
pub mod case;
#[cfg(feature = "linalg")]
pub mod cholesky;
pub mod compare;
pub mod cumulative;
pub mod custom;
#[cfg(feature = "linalg")]
pub mod determinant;
pub mod diagonal;
pub mod distance;
#[cfg(feature = "linalg")]
pub mod eigen;
pub mod exponential;
pub mod extreme;
pub mod flush;
pub mod gate;
pub mod hyperbolic;
pub mod index;
pub mod logarithm;
pub mod matmul;
pub mod norm;
pub mod normalize;
pub mod power;
mod product;
pub mod rectifier;
pub mod reduce;
pub mod rounding;
#[cfg(feature = "linalg")]
pub mod solve;
pub mod sort;
pub mod special;
pub mod statistics;
pub mod structure;
pub mod trigonometric;

pub use activation::*;
pub use arithmetic::*;
pub use arrange::Frame;
pub use case::{Case, Domain};
#[cfg(feature = "linalg")]
pub use cholesky::*;
pub use compare::*;
pub use cumulative::*;
pub use custom::{Custom, CustomOp};
#[cfg(feature = "linalg")]
pub use determinant::*;
pub use diagonal::*;
pub use distance::*;
#[cfg(feature = "linalg")]
pub use eigen::*;
pub use exponential::*;
pub use extreme::*;
pub use flush::*;
pub use gate::*;
pub use hyperbolic::*;
pub use index::*;
pub use logarithm::*;
pub use matmul::*;
pub use norm::*;
pub use normalize::*;
pub use power::*;
pub use rectifier::*;
pub use reduce::*;
pub use rounding::*;
#[cfg(feature = "linalg")]
pub use solve::*;
pub use sort::*;
pub use special::*;
pub use statistics::*;
pub use structure::*;
pub use trigonometric::*;

/// A number as data of an operation: compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// The bits of `value`, widened to `f64`.
    #[must_use]
    pub fn new<T: Real>(value: T) -> Self {
        Self(value.to_f64().to_bits())
    }

    /// The number.
    #[must_use]
    pub fn get<T: Real>(self) -> T {
        T::from_f64(f64::from_bits(self.0))
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from_bits(self.0))
    }
}

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

    /// Whether it is done in the time that its operands need to be gathered.
    const CHEAP: bool = false;

    /// The value on numbers: branch-free where possible, so that a loop over it becomes vector code.
    fn value<T: Real>(self, x: [T; N]) -> T;

    /// The loop over [`value`](Self::value), with broadcasting.
    fn map<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) {
        if Self::VECTORISED {
            elementwise::map::<T, N>(
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
}

/// All that the graph, the derivatives and the compiler ask of an operation.
pub(crate) trait Rule: Copy {
    /// The name in messages and pictures.
    fn name(self) -> &'static str;

    /// The shape of the result, or the rule that is broken.
    fn shape(self, inputs: &[Shape]) -> Result<Shape, String>;

    /// The value; `out` has the shape of [`shape`](Self::shape).
    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault>;

    /// The values on numbers, for operations that work element by element; none may read what another writes.
    fn numbers<T: Real>(self, places: &[Places], numbers: &mut [T]) {
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

/// Operations on numbers that are too few to be gathered.
const FEW: usize = 8;

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

    // Each operation a function of its own: one of all would pay for what the longest formula needs.
    #[inline(never)]
    fn numbers<T: Real>(self, places: &[Places], numbers: &mut [T]) {
        if O::CHEAP || places.len() < FEW {
            elementwise::map_places(|x| self.0.value(x), places, numbers);
        } else {
            elementwise::map_gathered::<T, N>(|x, y| self.0.map(x, y), places, numbers);
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
}

/// The sum of at least one term.
pub(crate) fn sum_of<'g, T: Real>(terms: impl Iterator<Item = Var<'g, T>>) -> Var<'g, T> {
    match terms.reduce(|sum, term| sum + term) {
        Some(sum) => sum,
        None => unreachable!("a rule is asked for a tangent only where there is one"),
    }
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

macro_rules! ops {
    ($($(#[$only:meta])? $name:ident: $kind:ident,)*) => {
        /// What a node computes. Data only: `Copy`, comparable, hashable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Op {
            /// A leaf that is fed at each run.
            Input,
            /// A leaf with a value that may change between runs.
            Variable,
            /// A leaf with a value that never changes.
            Constant,
            /// Every element is the same constant.
            Fill(Bits),
            /// An operation of the user's: see [`Graph::custom`](crate::Graph::custom).
            Custom(Custom),
            $($(#[$only])? #[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $($(#[$only])? impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Op::$name(op)
            }
        })*

        impl Op {
            /// The name in messages and pictures.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Op::Input => "input",
                    Op::Variable => "variable",
                    Op::Constant | Op::Fill(_) => "constant",
                    Op::Custom(op) => op.name(),
                    $($(#[$only])? Op::$name(op) => $kind(op).name(),)*
                }
            }

            /// Whether it is a leaf: has no operands.
            #[must_use]
            pub fn is_leaf(self) -> bool {
                matches!(self, Op::Input | Op::Variable | Op::Constant | Op::Fill(_))
            }

            /// Whether it works element by element.
            #[must_use]
            pub fn is_pointwise(&self) -> bool {
                match *self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => false,
                    $($(#[$only])? Op::$name(op) => $kind(op).is_pointwise(),)*
                }
            }

            /// Whether a derivative flows to the operand `slot`.
            #[must_use]
            pub fn differentiable(&self, slot: usize) -> bool {
                match *self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) => false,
                    Op::Custom(op) => op.differentiable(slot),
                    $($(#[$only])? Op::$name(op) => $kind(op).differentiable(slot),)*
                }
            }

            pub(crate) fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) => {
                        Err("a leaf is made by the graph, not applied".to_owned())
                    }
                    Op::Custom(_) => Err("an operation of the user's is applied by Graph::custom".to_owned()),
                    $($(#[$only])? Op::$name(op) => $kind(op).shape(inputs),)*
                }
            }

            /// The value. Called through [`Dispatch`](crate::dispatch::Dispatch), so that it is compiled here.
            pub(crate) fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
                match self {
                    Op::Fill(value) => out.fill(value.get()),
                    Op::Input | Op::Variable | Op::Constant => unreachable!("a leaf is not computed"),
                    Op::Custom(_) => unreachable!("the graph and the program know the user's operations"),
                    $($(#[$only])? Op::$name(op) => return $kind(op).forward(inputs, out),)*
                }
                Ok(())
            }

            /// Values on numbers. Called through [`Dispatch`](crate::dispatch::Dispatch), so that it is compiled here.
            pub(crate) fn numbers<T: Real>(&self, places: &[Places], numbers: &mut [T]) {
                match *self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => {
                        unreachable!("only pointwise operations are computed number by number")
                    }
                    $($(#[$only])? Op::$name(op) => $kind(op).numbers(places, numbers),)*
                }
            }

            pub(crate) fn vjp<'g, T: Real>(
                &self,
                slot: usize,
                g: Var<'g, T>,
                at: &Applied<'g, T>,
            ) -> Var<'g, T> {
                match *self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) => {
                        unreachable!("a leaf has no operands")
                    }
                    Op::Custom(_) => unreachable!("the graph knows the user's operations"),
                    $($(#[$only])? Op::$name(op) => $kind(op).vjp(slot, g, at),)*
                }
            }

            pub(crate) fn jvp<'g, T: Real>(
                self,
                tangents: &[Option<Var<'g, T>>],
                at: &Applied<'g, T>,
            ) -> Var<'g, T> {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) => {
                        unreachable!("a leaf has no operands")
                    }
                    Op::Custom(_) => unreachable!("the graph knows the user's operations"),
                    $($(#[$only])? Op::$name(op) => $kind(op).jvp(tangents, at),)*
                }
            }
        }

        /// Examples of every operation: parameters, operand shapes, and domains that tests draw from.
        #[must_use]
        pub fn cases() -> Vec<Case> {
            let mut cases = Vec::new();
            $($(#[$only])? cases.extend(<$name as case::Examples>::examples());)*
            cases
        }
    };
}

ops! {
    // arithmetic
    Add: binary,
    Sub: binary,
    Mul: binary,
    Div: binary,
    Neg: unary,
    Abs: unary,
    Sign: unary,
    Copysign: binary,
    StrongMul: binary,
    // extreme
    Maximum: binary,
    Minimum: binary,
    Fmax: binary,
    Fmin: binary,
    Clamp: unary,
    // rounding
    Round: unary,
    Fmod: binary,
    Remainder: binary,
    // power
    Square: unary,
    Powi: unary,
    Powf: unary,
    Pow: binary,
    Sqrt: unary,
    Cbrt: unary,
    Hypot: binary,
    // exponential
    Exp: unary,
    Exp2: unary,
    ExpM1: unary,
    // logarithm
    Ln: unary,
    Ln1p: unary,
    Log2: unary,
    Log10: unary,
    Logit: unary,
    LogAddExp: binary,
    // trigonometric
    Sin: unary,
    Cos: unary,
    Tan: unary,
    Asin: unary,
    Acos: unary,
    Atan: unary,
    Atan2: binary,
    // hyperbolic
    Tanh: unary,
    SechSquared: unary,
    Sinh: unary,
    Cosh: unary,
    Asinh: unary,
    Acosh: unary,
    Atanh: unary,
    LogCosh: unary,
    // activation
    Sigmoid: unary,
    Softplus: unary,
    LogSigmoid: unary,
    Softsign: unary,
    Tanhshrink: unary,
    // rectifier
    Relu: unary,
    LeakyRelu: unary,
    Squareplus: unary,
    // gate
    Silu: unary,
    Mish: unary,
    Gelu: unary,
    GeluTanh: unary,
    // special
    Gaussian: unary,
    NormalPdf: unary,
    NormalCdf: unary,
    Erf: unary,
    Erfc: unary,
    Erfinv: unary,
    Lgamma: unary,
    Polygamma: unary,
    // compare
    Compare: binary,
    Select: ternary,
    // reduce
    Sum: linear,
    Max: general,
    Min: general,
    ArgMax: general,
    LogSumExp: general,
    LogMeanExp: general,
    // cumulative
    CumSum: linear,
    LinearScan: general,
    Prod: general,
    CumMax: general,
    LogCumSumExp: general,
    // sort
    ArgSort: general,
    // norm
    Norm: general,
    // statistics
    Center: linear,
    // distance
    SqDist: general,
    // normalize
    Softmax: general,
    LogSoftmax: general,
    // structure
    Transpose: linear,
    Reshape: linear,
    Broadcast: linear,
    Slice: linear,
    Embed: linear,
    Concat: linear,
    Detach: unary,
    // diagonal
    Triangle: linear,
    // index
    GatherRows: linear,
    SegmentSum: linear,
    ScatterRows: linear,
    Pick: linear,
    Place: linear,
    // matmul
    MatMul: general,
    // flush
    FlushSubnormal: unary,
    // solve
    #[cfg(feature = "linalg")] Inverse: general,
    #[cfg(feature = "linalg")] Solve: general,
    #[cfg(feature = "linalg")] SolveTriangular: general,
    // cholesky
    #[cfg(feature = "linalg")] Cholesky: general,
    // determinant
    #[cfg(feature = "linalg")] Determinant: general,
    #[cfg(feature = "linalg")] Cofactors: general,
    #[cfg(feature = "linalg")] LogDeterminant: general,
    // eigen
    #[cfg(feature = "linalg")] Eigenvalues: general,
    #[cfg(feature = "linalg")] Eigenvectors: general,
    #[cfg(feature = "linalg")] Unsplit: linear,
}
