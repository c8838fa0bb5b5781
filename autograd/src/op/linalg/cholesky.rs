//! The Cholesky factor and what follows from it.

use crate::kernel::linalg::{Task, Triangular};
use crate::kernel::{Fault, View};
use crate::op::case::{Case, Domain, Examples};
use crate::op::linalg::solve::square;
use crate::op::{Applied, Rule, sum_of};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// The lower triangular `L` with `L Lᵀ = (A + Aᵀ) / 2`: an operation, because a factorisation cannot be composed
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cholesky;

/// `(A + Aᵀ) / 2`
pub(crate) fn symmetric_part<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    (x + x.transpose()) * T::from_f64(0.5)
}

/// The lower triangle, with half of the diagonal.
fn lower_half<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    (x.tril(0) + x.tril(-1)) * T::from_f64(0.5)
}

impl Rule for Cholesky {
    fn name(self) -> &'static str {
        "cholesky"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        square(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Cholesky(inputs[0]), out)
    }

    /// `L⁻ᵀ S L⁻¹`, where `S` is the symmetric part of the lower half of `Lᵀ g`.
    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let lower = at.output;
        let inner = symmetric_part(lower_half(lower.transpose().matmul(g)));
        let back = |x: Var<'g, T>| lower.solve_triangular(x, Triangular::LOWER.transpose());
        symmetric_part(back(back(inner).transpose()))
    }

    /// `L` times the lower half of `L⁻¹ dA L⁻ᵀ`.
    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let lower = at.output;
        let inside = |x: Var<'g, T>| lower.solve_triangular(x, Triangular::LOWER);
        let moved = sum_of(tangents.iter().flatten().map(|dx| symmetric_part(*dx)));
        lower.matmul(lower_half(inside(inside(moved).transpose())))
    }
}

impl Examples for Cholesky {
    fn examples() -> Vec<Case> {
        [(1, 1), (3, 3), (4, 4)].map(|shape| Case::shaped(Cholesky, [(Domain::Dominant, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The Cholesky factor: the lower triangular `L` with positive diagonal and `L Lᵀ = A`. (Feature `linalg`.)
    ///
    /// All of `A` is read: what is factorised is its symmetric part `(A + Aᵀ) / 2`, which is `A` to the last bit where that is
    /// symmetric. So the gradient is the derivative by each element, and symmetric.
    ///
    /// # Derivative
    /// `L⁻ᵀ S L⁻¹`, where `S` is the symmetric part of the lower triangle of `Lᵀ g` with half of its diagonal.
    ///
    /// # Shapes
    /// `(n, n) → (n, n)`, zeros above the diagonal
    ///
    /// # Domain and edge cases
    /// Backward stable: `L Lᵀ` is `A` to some `n ε |A|`. A matrix with a smallest eigenvalue near that is refused or not as
    /// rounding falls.
    ///
    /// # Panics
    /// If it is not square.
    ///
    /// # Errors
    /// When it is computed: [`NotPositiveDefinite`](crate::RunError::NotPositiveDefinite), with the order of the leading block
    /// that is not; [`NotFinite`](crate::RunError::NotFinite) if an element is infinite or NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[4.0, 2.0], [2.0, 10.0]]);
    /// assert_eq!(a.cholesky().value().as_slice(), [2.0, 0.0, 1.0, 3.0]);
    /// ```
    ///
    /// # References
    /// I. Murray, "Differentiation of the Cholesky decomposition", 2016, equations 8 and 10.
    #[must_use]
    #[track_caller]
    pub fn cholesky(self) -> Self {
        self.unary(Cholesky)
    }

    /// `ln det A` of a symmetric positive definite matrix, by its [`cholesky`](Self::cholesky) factor: never overflows. (Feature
    /// `linalg`.)
    ///
    /// # Derivative
    /// `A⁻¹` of the symmetric part of `A`.
    ///
    /// # Shapes
    /// `(n, n) → (1, 1)`; 0 if `n` is 0
    ///
    /// # Domain and edge cases
    /// All of `A` is read: it is that of the symmetric part.
    ///
    /// # Panics
    /// If it is not square.
    ///
    /// # Errors
    /// As [`cholesky`](Self::cholesky).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[4.0, 2.0], [2.0, 10.0]]);
    /// assert!((a.log_determinant_spd().item() - 36f64.ln()).abs() < 1e-15);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_determinant_spd(self) -> Self {
        self.cholesky().diag_part(0).ln().sum() * T::from_f64(2.0)
    }
}
