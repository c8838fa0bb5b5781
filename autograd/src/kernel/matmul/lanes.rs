//! Vectors of either element type under every instruction set, so that the loops are written once.

use core::cell::Cell;
use std::thread::LocalKey;

use pulp::{Simd, bytemuck};

use crate::scalar::Real;

/// An element type with the vectors of the instruction set `S`.
pub(crate) trait Lanes: Real {
    /// As many elements as one register holds.
    type Vector<S: Simd>: Copy;

    /// Every lane is `x`.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// `a * b + c`, fused where the processor has an instruction for it.
    fn mul_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// The sum of all lanes, in an order that only the instruction set decides.
    fn total<S: Simd>(simd: S, x: Self::Vector<S>) -> Self;
    /// The first elements of `x`, as many as there are lanes; 0 in the lanes behind the end of `x`.
    fn load<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    /// The first lanes of `x` to `to`, as many as it has room for.
    fn store<S: Simd>(simd: S, x: Self::Vector<S>, to: &mut [Self]);
    /// The full vectors in `x`.
    fn vectors<S: Simd>(x: &[Self]) -> &[Self::Vector<S>];
    /// The full vectors in `x`.
    fn vectors_mut<S: Simd>(x: &mut [Self]) -> &mut [Self::Vector<S>];
    /// The lanes of a vector.
    fn numbers<S: Simd>(x: &Self::Vector<S>) -> &[Self];
    /// Memory of this thread that outlives a product. Who uses it takes it and puts it back.
    fn scratch() -> &'static LocalKey<Cell<Vec<Self>>>;
    /// The same for a part of a product.
    fn part_scratch() -> &'static LocalKey<Cell<Vec<Self>>>;
}

/// Number of elements in a vector.
#[inline(always)]
pub(super) const fn lanes<S: Simd, T: Lanes>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

macro_rules! lanes {
    ($t:ident: $v:ident, $splat:ident, $mul_add:ident, $sum:ident,
     $load:ident, $store:ident, $split:ident, $split_mut:ident) => {
        impl Lanes for $t {
            type Vector<S: Simd> = S::$v;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$v {
                simd.$splat(x)
            }

            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$v, b: S::$v, c: S::$v) -> S::$v {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn total<S: Simd>(simd: S, x: S::$v) -> Self {
                simd.$sum(x)
            }

            #[inline(always)]
            fn load<S: Simd>(simd: S, x: &[Self]) -> S::$v {
                simd.$load(x)
            }

            #[inline(always)]
            fn store<S: Simd>(simd: S, x: S::$v, to: &mut [Self]) {
                simd.$store(to, x);
            }

            #[inline(always)]
            fn vectors<S: Simd>(x: &[Self]) -> &[S::$v] {
                S::$split(x).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(x: &mut [Self]) -> &mut [S::$v] {
                S::$split_mut(x).0
            }

            #[inline(always)]
            fn numbers<S: Simd>(x: &S::$v) -> &[Self] {
                bytemuck::cast_slice(core::slice::from_ref(x))
            }

            fn scratch() -> &'static LocalKey<Cell<Vec<Self>>> {
                thread_local! {
                    static SCRATCH: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                }
                &SCRATCH
            }

            fn part_scratch() -> &'static LocalKey<Cell<Vec<Self>>> {
                thread_local! {
                    static SCRATCH: Cell<Vec<$t>> = const { Cell::new(Vec::new()) };
                }
                &SCRATCH
            }
        }
    };
}

lanes!(f32: f32s, splat_f32s, mul_add_e_f32s, reduce_sum_f32s,
       partial_load_f32s, partial_store_f32s, as_simd_f32s, as_mut_simd_f32s);
lanes!(f64: f64s, splat_f64s, mul_add_e_f64s, reduce_sum_f64s,
       partial_load_f64s, partial_store_f64s, as_simd_f64s, as_mut_simd_f64s);
