//! Formulas of several operations, each computed in one loop.
//!
//! Operation by operation, a block of numbers is read and written again each time; in a loop over the whole formula what lies
//! between stays in the processor's registers. An update by RMSprop takes two such loops in place of ten. Only formulas
//! that occur in nearly every training step have one. The bits are those of the operations, one after the other.

use core::array::from_fn;

use pulp::{Arch, Simd, WithSimd};

use crate::op::{Add, Compare, Div, FlushSubnormal, Mul, Op, Pointwise, Relu, Rsqrt, Select, Sqrt, Square, Sub};
use crate::scalar::Real;

/// What formulas are written in: numbers when they are computed, trees when they are looked for.
trait Term: Clone {
    /// The operation, applied.
    fn of<const N: usize>(op: impl Pointwise<N> + Into<Op>, operands: [Self; N]) -> Self;
}

/// `s ← ρ s + (1 - ρ) g²`, without subnormal numbers
#[inline(always)]
fn mean_square<V: Term>([mean, x]: [V; 2], [kept, new]: [V; 2]) -> V {
    decayed(mean, V::of(Square, [x]), [kept, new])
}

/// `m ← β m + (1 - β) g`, without subnormal numbers
#[inline(always)]
fn mean<V: Term>([mean, x]: [V; 2], weights: [V; 2]) -> V {
    decayed(mean, x, weights)
}

#[inline(always)]
fn decayed<V: Term>(mean: V, x: V, [kept, new]: [V; 2]) -> V {
    let sum = V::of(Add, [V::of(Mul, [mean, kept]), V::of(Mul, [x, new])]);
    V::of(FlushSubnormal, [sum])
}

/// `v ← μ v + g`, without subnormal numbers
#[inline(always)]
fn velocity<V: Term>([velocity, x]: [V; 2], [kept]: [V; 1]) -> V {
    V::of(FlushSubnormal, [V::of(Add, [V::of(Mul, [velocity, kept]), x])])
}

/// `w ← w - η g`
#[inline(always)]
fn descent<V: Term>([w, x]: [V; 2], [rate]: [V; 1]) -> V {
    V::of(Sub, [w, V::of(Mul, [x, rate])])
}

/// `w ← w - η g / √(s + ε)`
#[inline(always)]
fn rms_prop<V: Term>([w, x, square]: [V; 3], [rate, epsilon]: [V; 2]) -> V {
    let root = V::of(Rsqrt, [V::of(Add, [square, epsilon])]);
    V::of(Sub, [w, V::of(Mul, [V::of(Mul, [x, rate]), root])])
}

/// `w ← w - η m / (√s / c + ε)`
#[inline(always)]
fn adam<V: Term>([w, mean, square]: [V; 3], [rate, correction, epsilon]: [V; 3]) -> V {
    let root = V::of(Add, [V::of(Div, [V::of(Sqrt, [square]), correction]), epsilon]);
    V::of(Sub, [w, V::of(Div, [V::of(Mul, [rate, mean]), root])])
}

/// `max(x + b, 0)`
#[inline(always)]
fn relu_of_sum<V: Term>([x, bias]: [V; 2], []: [V; 0]) -> V {
    V::of(Relu, [V::of(Add, [x, bias])])
}

/// The cotangent behind `max(x, 0)`, without subnormal numbers
#[inline(always)]
fn behind_relu<V: Term>([x, cotangent]: [V; 2], [zero, otherwise]: [V; 2]) -> V {
    let above = V::of(Compare::Less, [zero, x]);
    V::of(FlushSubnormal, [V::of(Select, [above, cotangent, otherwise])])
}

macro_rules! formulas {
    ($($name:ident: $function:ident, $full:literal $single:literal;)*) => {
        /// Formulas that have a loop of their own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Formula {
            $(#[doc = concat!("See [`", stringify!($function), "`].")] $name,)*
        }

        impl Formula {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How many operands it has that are as long as the result.
            pub(crate) fn full(self) -> usize {
                match self {
                    $(Self::$name => $full,)*
                }
            }

            /// How many operands it has.
            #[cfg(test)]
            fn operands(self) -> usize {
                match self {
                    $(Self::$name => $full + $single,)*
                }
            }

            /// Its operations.
            pub(crate) fn tree(self) -> Tree {
                match self {
                    $(Self::$name => $function::<Tree>(from_fn(Tree::Operand), from_fn(|k| Tree::Operand($full + k))),)*
                }
            }

            /// Computes it. First come the operands that are as long as `out`, then those that are a single number. One that
            /// is empty is what stands in `out`.
            pub(crate) fn run<T: Real>(self, operands: &[&[T]], out: &mut [T]) {
                match self {
                    $(Self::$name => run::<T, $full, $single>(
                        #[inline(always)]
                        |full, single| $function(full, single),
                        #[inline(always)]
                        |full, single| $function(full, single),
                        operands,
                        out,
                    ),)*
                }
            }
        }
    };
}

/// Most operands of a formula.
pub(crate) const MOST: usize = 6;

// Of two that fit, the first is taken.
formulas! {
    MeanSquare: mean_square, 2 2;
    Mean: mean, 2 2;
    Velocity: velocity, 2 1;
    RmsProp: rms_prop, 3 2;
    Adam: adam, 3 3;
    Descent: descent, 2 1;
    ReluOfSum: relu_of_sum, 2 0;
    BehindRelu: behind_relu, 2 2;
}

/// A formula as a tree of operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    /// The operand of this number.
    Operand(usize),
    Apply(Op, Vec<Tree>),
}

impl Term for Tree {
    fn of<const N: usize>(op: impl Pointwise<N> + Into<Op>, operands: [Self; N]) -> Self {
        Self::Apply(op.into(), operands.to_vec())
    }
}

/// A number by the shorter ways of operations, and whether they may be taken.
#[derive(Clone, Copy)]
struct Short<T>(T, bool);

impl<T: Real> Term for Short<T> {
    #[inline(always)]
    fn of<const N: usize>(op: impl Pointwise<N> + Into<Op>, operands: [Self; N]) -> Self {
        let (value, fits) = op.short(operands.map(|x| x.0));
        Self(value, operands.iter().fold(fits, |all, x| all & x.1))
    }
}

/// A number by operations as they are.
#[derive(Clone, Copy)]
struct Exact<T>(T);

impl<T: Real> Term for Exact<T> {
    #[inline(always)]
    fn of<const N: usize>(op: impl Pointwise<N> + Into<Op>, operands: [Self; N]) -> Self {
        Self(op.value(operands.map(|x| x.0)))
    }
}

#[inline(always)]
fn run<T: Real, const F: usize, const S: usize>(
    short: impl Fn([Short<T>; F], [Short<T>; S]) -> Short<T>,
    exact: impl Fn([Exact<T>; F], [Exact<T>; S]) -> Exact<T>,
    operands: &[&[T]],
    out: &mut [T],
) {
    let full = from_fn(|k| operands[k]);
    let single = from_fn(|k| operands[F + k][0]);
    Arch::new().dispatch(Loop { short, exact, full, single, out });
}

/// Numbers that are computed before they are written, so that `out` may be an operand.
const CHUNK: usize = 64;

struct Loop<'a, T, F, G, const N: usize, const S: usize> {
    short: F,
    exact: G,
    full: [&'a [T]; N],
    single: [T; S],
    out: &'a mut [T],
}

impl<T, F, G, const N: usize, const S: usize> WithSimd for Loop<'_, T, F, G, N, S>
where
    T: Real,
    F: Fn([Short<T>; N], [Short<T>; S]) -> Short<T>,
    G: Fn([Exact<T>; N], [Exact<T>; S]) -> Exact<T>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<A: Simd>(self, _: A) {
        let Self { short, exact, full, single, out } = self;
        let chunk = |full: [&[T; CHUNK]; N]| {
            let (results, fit) = chunk(full, |x| short(x.map(|x| Short(x, true)), single.map(|x| Short(x, true))));
            if fit { results } else { from_fn(|i| exact(full.map(|x| Exact(x[i])), single.map(Exact)).0) }
        };
        let (whole, rest) = out.as_chunks_mut();
        let mut chunks: [_; N] = from_fn(|k| full[k].as_chunks().0.iter());
        for out in whole {
            let full = from_fn(|k| chunks[k].next().unwrap_or(&*out));
            *out = chunk(full);
        }
        if !rest.is_empty() {
            let mut padded = [[T::ONE; CHUNK]; N];
            for (padded, full) in padded.iter_mut().zip(full) {
                let now = if full.is_empty() { &*rest } else { full.as_chunks::<CHUNK>().1 };
                padded[..now.len()].copy_from_slice(now);
            }
            let results = chunk(padded.each_ref());
            rest.copy_from_slice(&results[..rest.len()]);
        }
    }
}

/// Results, and whether the shorter ways could be taken for all.
#[inline(always)]
fn chunk<T: Real, const N: usize>(full: [&[T; CHUNK]; N], f: impl Fn([T; N]) -> Short<T>) -> ([T; CHUNK], bool) {
    let (mut results, mut fit) = ([T::ZERO; CHUNK], true);
    for (i, result) in results.iter_mut().enumerate() {
        let Short(value, fits) = f(full.map(|x| x[i]));
        *result = value;
        fit &= fits;
    }
    (results, fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::View;
    use crate::shape::Shape;

    /// The value of a tree, operation by operation.
    fn value<T: Real>(tree: &Tree, operands: &[&[T]]) -> Vec<T> {
        match tree {
            Tree::Operand(k) => operands[*k].to_vec(),
            Tree::Apply(op, inputs) => {
                let inputs: Vec<Vec<T>> = inputs.iter().map(|input| value(input, operands)).collect();
                let views: Vec<View<'_, T>> = inputs.iter().map(|x| View::new(x, Shape::new(1, x.len()))).collect();
                let mut out = vec![T::ZERO; inputs.iter().map(Vec::len).max().unwrap_or(1)];
                op.forward(&views, &mut out).unwrap();
                out
            }
        }
    }

    fn check<T: Real>(number: impl Fn(usize) -> T) {
        for &formula in Formula::ALL {
            assert!(formula.operands() <= MOST, "{formula:?}");
            for len in [1, 7, 64, 300] {
                let columns: Vec<Vec<T>> = (0..6)
                    .map(|k| {
                        (0..if k < formula.full() { len } else { 1 }).map(|i| number(7 * i + 3 * k + len)).collect()
                    })
                    .collect();
                let operands: Vec<&[T]> = columns.iter().map(Vec::as_slice).collect();
                let mut out = vec![T::ONE; len];
                formula.run(&operands, &mut out);
                let mut in_place = columns[0].clone();
                formula.run(&[&[&[][..]], &operands[1..]].concat(), &mut in_place);
                let right = value(&formula.tree(), &operands);
                for (i, (found, right)) in out.iter().zip(&right).chain(in_place.iter().zip(&right)).enumerate() {
                    let same = found.to_f64().to_bits() == right.to_f64().to_bits() || found.is_nan() && right.is_nan();
                    assert!(same, "{formula:?} of {len} numbers: number {i} is {found:e} and not {right:e}");
                }
            }
        }
    }

    #[test]
    fn formulas_have_the_bits_of_their_operations() {
        let positive = |i: usize| 0.01 + (f64::from_usize(i) * 0.618).fract();
        check::<f64>(positive);
        check::<f32>(|i| f32::from_f64(positive(i)));
        check::<f64>(|i| positive(i) - 0.5);
        check::<f32>(|i| f32::from_f64(positive(i) - 0.5));
    }

    #[test]
    fn formulas_have_the_bits_of_their_operations_at_special_numbers() {
        let special =
            [0.0, -0.0, 1e-310, -1e-310, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300, 1e-300, -2.0, 3.0];
        check::<f64>(|i| special[i * i % special.len()]);
        check::<f64>(|i| special[i % special.len()]);
        let special = [0.0, -0.0, 1e-40, -1e-40, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e38, 1e-37, -2.0, 3.0];
        check::<f32>(|i| special[i * i % special.len()]);
        check::<f32>(|i| special[i % special.len()]);
    }
}
