//! The worked example of the guide: see [adding an operation](crate::guide::adding_an_op).

use crate::op::Pointwise;
use crate::op::case::{Case, Domain, Examples};
use crate::scalar::Real;
use crate::var::Var;

/// `x / (1 + |x|)`: no composition, for that is `∞ / ∞` at infinity
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softsign;

impl Pointwise<1> for Softsign {
    const NAME: &'static str = "softsign";

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        let y = x / (T::ONE + x.abs());
        if x.abs() == T::INFINITY { T::ONE.copysign(x) } else { y }
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, [x]: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g * (x.abs() + T::ONE).square().recip()
    }

    fn frozen<'g, T: Real>(self, [x]: [Var<'g, T>; 1], [at]: [Var<'g, T>; 1]) -> Option<Var<'g, T>> {
        let limit = at.abs().equal(at.scalar(T::INFINITY));
        Some(limit.select(at.sign(), x / (x * at.sign() + T::ONE)))
    }

    fn piece<T: Real>(self, [x]: [T; 1]) -> Option<(T, T)> {
        Some((if x == T::ZERO { x } else { T::ONE.copysign(x) }, x.abs()))
    }
}

impl Examples for Softsign {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Softsign, [Domain::NON_ZERO])]
    }
}

impl<T: Real> Var<'_, T> {
    /// `x / (1 + |x|)`, element by element.
    ///
    /// # Derivative
    /// `1 / (1 + |x|)²`.
    ///
    /// # Domain and edge cases
    /// At -∞, -0, 0, ∞, NaN: -1, -0, 0, 1, NaN; derivative 0, 1, 1, 0, NaN. At most 1 ulp, the derivative at most 3.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, f64::INFINITY]]);
    /// let y = x.softsign();
    /// assert_eq!(y.value().as_slice(), [0.5, 1.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [0.25, 0.0]);
    /// ```
    ///
    /// # References
    /// J. Bergstra et al., "Quadratic polynomials learn better image features", 2009.
    #[must_use]
    #[track_caller]
    pub fn softsign(self) -> Self {
        self.unary(Softsign)
    }
}
