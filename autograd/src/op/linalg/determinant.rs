//! Determinants.

use crate::kernel::linalg::Task;
use crate::kernel::{Fault, View};
use crate::op::case::{Case, Domain, Examples};
use crate::op::linalg::solve::square;
use crate::op::{Applied, Rule, sum_of};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `det A`: an operation, because a factorisation cannot be composed
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Determinant;

impl Rule for Determinant {
    fn name(self) -> &'static str {
        "determinant"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        square(inputs).map(|_| Shape::SCALAR)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Determinant(inputs[0]), out)
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(at.inputs[0].unary(Cofactors))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let cofactors = at.inputs[0].unary(Cofactors);
        sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(cofactors).sum()))
    }
}

impl Examples for Determinant {
    fn examples() -> Vec<Case> {
        [(1, 1), (2, 2), (3, 3), (4, 4)].map(|shape| Case::shaped(Determinant, [(Domain::ALL, shape)])).to_vec()
    }
}

/// The gradient of `det A`, or of its derivative along the operands after the first: `∂/∂A Dᵏ det(A)[V₁, …, Vₖ]`. A
/// kernel, because `det(A) A⁻ᵀ` does not exist where `A` is singular, but this does
///
/// It is linear in each `V`, and its product with one more direction is symmetric in all of them, so it is its own
/// derivative: by `V` with the tangent in the place of `V`, by `A` with the tangent as one more direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cofactors;

impl Cofactors {
    /// The product of `moved` with the derivative by the operand `slot`, in both modes.
    fn along<'g, T: Real>(self, slot: usize, moved: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let mut operands = at.inputs.clone();
        if slot == 0 {
            operands.push(moved)
        } else {
            operands[slot] = moved
        }
        Var::nary(self, &operands)
    }
}

impl Rule for Cofactors {
    fn name(self) -> &'static str {
        "cofactors"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let Some((a, directions)) = inputs.split_first() else {
            return Err("takes at least one operand".to_owned());
        };
        let shape = square(&[*a])?;
        if directions.iter().all(|v| *v == shape) { Ok(shape) } else { Err("all must have the same shape".to_owned()) }
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Cofactors(inputs), out)
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        self.along(slot, g, at)
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let tangents = tangents.iter().enumerate();
        sum_of(tangents.filter_map(|(slot, moved)| Some(self.along(slot, (*moved)?, at))))
    }
}

impl Examples for Cofactors {
    fn examples() -> Vec<Case> {
        let all = |shape| (Domain::ALL, shape);
        vec![
            Case::shaped(Cofactors, [all((3, 3))]),
            Case::shaped(Cofactors, [all((4, 4))]),
            Case::shaped(Cofactors, [all((3, 3)); 2]),
            Case::shaped(Cofactors, [all((4, 4)); 2]),
            Case::shaped(Cofactors, [all((3, 3)); 3]),
            Case::shaped(Cofactors, [all((1, 1)); 2]),
        ]
    }
}

/// `ln |det A|` and the sign of `det A`, side by side: an operation, because the determinant itself may overflow
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogDeterminant;

impl Rule for LogDeterminant {
    fn name(self) -> &'static str {
        "log_abs_determinant"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        square(inputs).map(|_| Shape::new(1, 2))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::LogDeterminant(inputs[0]), out)
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.slice(0..1, 0..1) * at.inputs[0].inverse().transpose()
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let inverse = at.inputs[0].inverse().transpose();
        sum_of(tangents.iter().flatten().map(|dx| (*dx * inverse).sum())).diag_embedded()
    }
}

impl Examples for LogDeterminant {
    fn examples() -> Vec<Case> {
        [(1, 1), (3, 3), (4, 4)].map(|shape| Case::shaped(LogDeterminant, [(Domain::Dominant, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// A number, and 0 beside it.
    fn diag_embedded(self) -> Self {
        self.unary(crate::op::Embed::block((0, 0), Shape::new(1, 2)))
    }

    /// The determinant. (Feature `linalg`.)
    ///
    /// # Derivative
    /// The matrix of cofactors times `g`, `det(A) A⁻ᵀ` where `A` has an inverse. It is right to every order at every matrix: a
    /// determinant is a polynomial, and no derivative divides by it. At a singular matrix of rank `n - 1` the gradient is a
    /// matrix of rank 1, below that it is 0.
    ///
    /// A derivative of order `k` takes some `nᵏ` steps from the third order on: for many of them at matrices that have inverses,
    /// write `sign · exp` of [`log_abs_determinant`](Self::log_abs_determinant).
    ///
    /// # Shapes
    /// `(n, n) → (1, 1)`; 1 if `n` is 0
    ///
    /// # Domain and edge cases
    /// The determinant of a matrix that differs from `A` by some `n ε |A|`. Infinite only where the result overflows, not on the way.
    ///
    /// # Panics
    /// If it is not square.
    ///
    /// # Errors
    /// When it is computed: [`NotFinite`](crate::RunError::NotFinite) if an element is infinite or NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[1.0, 2.0], [2.0, 4.0]]);
    /// let det = a.determinant();
    /// assert_eq!(det.item(), 0.0);
    /// assert_eq!(det.gradient(a).value().as_slice(), [4.0, -2.0, -2.0, 1.0]);
    /// ```
    ///
    /// # References
    /// M. Giles, "An extended collection of matrix derivative results", 2008, section 2.2.4; for singular matrices R. Bhatia, T.
    /// Jain, "Higher order derivatives and perturbation bounds for determinants", 2009, theorem 1.
    #[must_use]
    #[track_caller]
    pub fn determinant(self) -> Self {
        self.unary(Determinant)
    }

    /// `ln |det A|`, and the sign of `det A`: -1, 0 or 1. Neither overflows. (Feature `linalg`.)
    ///
    /// # Derivative
    /// `A⁻ᵀ` to the logarithm. The sign is constant: the path is cut.
    ///
    /// # Shapes
    /// `(n, n) → (1, 1), (1, 1)`; 0 and 1 if `n` is 0
    ///
    /// # Domain and edge cases
    /// -∞ and 0 if a pivot is exactly 0.
    ///
    /// # Panics
    /// If it is not square.
    ///
    /// # Errors
    /// When it is computed: [`NotFinite`](crate::RunError::NotFinite) if an element is infinite or NaN; when a derivative of it is:
    /// [`Singular`](crate::RunError::Singular) if a pivot is exactly 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[0.0, 1e200], [1e200, 0.0]]);
    /// let (log, sign) = a.log_abs_determinant();
    /// assert!((log.item() - 400.0 * 10f64.ln()).abs() < 1e-12);
    /// assert_eq!(sign.item(), -1.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_abs_determinant(self) -> (Self, Self) {
        let both = self.unary(LogDeterminant);
        (both.slice(0..1, 0..1), both.slice(0..1, 1..2).detach())
    }
}
