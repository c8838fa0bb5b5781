//! Numbers too small to be normal.

use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// 0 in place of subnormal numbers: an operation, since processors are many times slower with these
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlushSubnormal;

impl Pointwise<1> for FlushSubnormal {
    const NAME: &'static str = "flush_subnormal";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        if x.abs() < T::MIN_POSITIVE { T::ZERO } else { x }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        Some(x - (at - at.flush_subnormal()))
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        let inside = x.abs() < T::MIN_POSITIVE;
        Some((if inside { T::ONE } else { T::ZERO }, (x.abs() - T::MIN_POSITIVE).abs()))
    }
}

impl Examples for FlushSubnormal {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(FlushSubnormal, [Domain::ALL])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `x`, but 0 where `x` is subnormal: smaller in magnitude than 1.2e-38 (`f32`) or 2.2e-308 (`f64`).
    ///
    /// Processors compute with subnormal numbers many times slower than with others. They arise where something decays for
    /// long (the moments of an optimiser) or saturates (the cotangents behind a sigmoid), and are then worth nothing.
    /// Matrix products flush the cotangents that they pass on; optimisers flush their moments.
    ///
    /// # Derivative
    /// 1, as if nothing was flushed.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -∞, 0, 0, ∞, NaN; derivative 1, 1, 1, 1, 1.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::<f64>::new();
    /// let x = graph.variable([[1.0, 1e-310]]);
    /// assert_eq!(x.flush_subnormal().value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn flush_subnormal(self) -> Self {
        self.unary(FlushSubnormal)
    }
}
