//! The operations: one registry line joins each to its block in `op/`.
//!
//! Three kinds of rule keep most blocks tiny. A `Pointwise` rule is one formula on numbers and the product of
//! a cotangent with its derivative; a `Linear` rule is a forward and its transpose; a general `Rule` gives
//! everything by hand. The adaptors here derive the rest: vector–Jacobian and Jacobian–vector products,
//! broadcasting, un-broadcasting, vectorised kernels.

use core::fmt;

use crate::kernel::elementwise::{Index, Places};
use crate::kernel::{Fault, View};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub mod activation;
pub mod arithmetic;
pub mod arrange;
pub mod case;
pub mod compare;
pub mod cumulative;
pub mod custom;
pub mod diagonal;
pub mod distance;
pub mod exponential;
pub mod extreme;
pub mod flush;
pub(crate) mod formula;
pub mod gate;
pub mod hyperbolic;
pub mod index;
#[cfg(feature = "linalg")]
pub mod linalg;
pub mod logarithm;
pub mod matmul;
pub mod norm;
pub mod normalize;
pub mod power;
mod product;
pub mod rectifier;
pub mod reduce;
pub mod rounding;
pub(crate) mod rule;
pub mod softsign;
pub mod sort;
pub mod special;
pub mod statistics;
pub mod structure;
pub mod sum_of_products;
pub mod trigonometric;
#[cfg(test)]
mod twins;

pub use activation::*;
pub use arithmetic::*;
pub use arrange::Frame;
pub use case::{Case, Domain};
pub use compare::*;
pub use cumulative::*;
pub use custom::{Custom, CustomOp};
pub use diagonal::*;
pub use distance::*;
pub use exponential::*;
pub use extreme::*;
pub use flush::*;
pub use gate::*;
pub use hyperbolic::*;
pub use index::*;
#[cfg(feature = "linalg")]
pub use linalg::*;
pub use logarithm::*;
pub use matmul::*;
pub use norm::*;
pub use normalize::*;
pub use power::*;
pub use rectifier::*;
pub use reduce::*;
pub use rounding::*;
pub use softsign::*;
pub use sort::*;
pub use special::*;
pub use statistics::*;
pub use structure::*;
pub use sum_of_products::*;
pub use trigonometric::*;

pub(crate) use rule::{
    Applied, Linear, Passes, Pieces, Pointwise, Rule, binary, general, linear, one, sum_of, ternary, three, two, unary,
};

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
        write!(f, "Bits::new({:?})", f64::from_bits(self.0))
    }
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

            /// Whether it works element by element, in an instruction or two each.
            pub(crate) fn is_cheap(self) -> bool {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => false,
                    $($(#[$only])? Op::$name(op) => $kind(op).is_cheap(),)*
                }
            }

            /// Whether each row of the result comes from the same row of the operands alone.
            pub(crate) fn by_rows(self) -> bool {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => false,
                    $($(#[$only])? Op::$name(op) => $kind(op).by_rows(),)*
                }
            }

            /// How a cotangent passes back through it, if operands and result are numbers.
            pub(crate) fn passes(&self) -> Passes {
                match *self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => Passes::ByRule,
                    $($(#[$only])? Op::$name(op) => $kind(op).passes(),)*
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

            /// [`blocks`](Self::blocks) of one number.
            pub(crate) fn numbers<'a, 'o, T: Real, I: Index>(
                runs: impl Iterator<Item = (&'o Op, usize)>,
                places: &'a [Places<I>],
                numbers: &mut [T],
            ) -> &'a [Places<I>] {
                Self::blocks::<T, I, 1>(runs, places, numbers)
            }

            /// Values on blocks of `L` numbers: run after run so many operations of one kind, at the next `places` each, none of
            /// which reads what another of its run writes. Gives the places that are left.
            #[inline(always)]
            pub(crate) fn blocks<'a, 'o, T: Real, I: Index, const L: usize>(
                runs: impl Iterator<Item = (&'o Op, usize)>,
                mut places: &'a [Places<I>],
                numbers: &mut [T],
            ) -> &'a [Places<I>] {
                for (op, count) in runs {
                    let (now, later) = places.split_at(count);
                    places = later;
                    match *op {
                        Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => {
                            unreachable!("only pointwise operations are computed number by number")
                        }
                        $($(#[$only])? Op::$name(op) => $kind(op).numbers::<T, I, L>(now, numbers),)*
                    }
                }
                places
            }

            /// The frozen twin of an operation with kinks, for the [checker](crate::check): its value at the moving operands
            /// `x` with the decisions that it takes at `at`. `None`: it is smooth. An operation of the user's that is made of
            /// this one passes it on as its [own](CustomOp::frozen).
            ///
            /// # Examples
            /// ```
            /// use autograd::{Graph, Op, op::Abs};
            /// let graph = Graph::new();
            /// let (x, at) = (graph.variable(0.5), graph.constant(-2.0));
            /// assert_eq!(Op::from(Abs).frozen(&[x], &[at]).unwrap().item(), -0.5);
            /// ```
            #[must_use]
            pub fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => None,
                    $($(#[$only])? Op::$name(op) => $kind(op).frozen(x, at),)*
                }
            }

            /// Of an operation that is not smooth: on which piece it is. Called through
            /// [`Dispatch`](crate::dispatch::Dispatch).
            pub(crate) fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => None,
                    $($(#[$only])? Op::$name(op) => $kind(op).pieces(inputs),)*
                }
            }

            /// Whether it is linear, up to a constant, in this operand alone.
            pub(crate) fn is_affine(self, slot: usize) -> bool {
                match self {
                    Op::Input | Op::Variable | Op::Constant | Op::Fill(_) | Op::Custom(_) => false,
                    $($(#[$only])? Op::$name(op) => $kind(op).is_affine(slot),)*
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
    PowLess: binary,
    Sqrt: unary,
    Rsqrt: unary,
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
    SigmoidDifference: binary,
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
    // sum_of_products
    SumOfProducts: general,
    // flush
    FlushSubnormal: unary,
    // linalg
    #[cfg(feature = "linalg")] Inverse: general,
    #[cfg(feature = "linalg")] Solve: general,
    #[cfg(feature = "linalg")] SolveTriangular: general,
    #[cfg(feature = "linalg")] Cholesky: general,
    #[cfg(feature = "linalg")] Determinant: general,
    #[cfg(feature = "linalg")] Cofactors: general,
    #[cfg(feature = "linalg")] LogDeterminant: general,
    #[cfg(feature = "linalg")] Eigenvalues: general,
    #[cfg(feature = "linalg")] Eigenvectors: general,
    #[cfg(feature = "linalg")] Unsplit: linear,
}
