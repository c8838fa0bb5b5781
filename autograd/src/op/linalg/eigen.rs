//! Eigenvalues and eigenvectors of symmetric matrices.

use crate::kernel::linalg::{CLOSE, Task, unsplit};
use crate::kernel::{Fault, View};
use crate::matrix::Matrix;
use crate::op::case::{Case, Domain, Examples};
use crate::op::linalg::cholesky::symmetric_part;
use crate::op::linalg::solve::square;
use crate::op::{Applied, Linear, Rule, sum_of, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// The eigenvalues of `(A + Aᵀ) / 2`, in ascending order: an operation, because a factorisation cannot be composed
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eigenvalues;

impl Rule for Eigenvalues {
    fn name(self) -> &'static str {
        "eigenvalues_symmetric"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        Ok(Shape::new(square(inputs)?.rows, 1))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Eigenvalues(inputs[0]), out)
    }

    /// `V diag(g) Vᵀ`
    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let vectors = at.inputs[0].unary(Eigenvectors);
        let weights = g.diag_matrix(0).binary(Unsplit, at.output);
        symmetric_part(vectors.matmul(weights).matmul(vectors.transpose()))
    }

    /// The diagonal of `Vᵀ dA V`.
    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let vectors = at.inputs[0].unary(Eigenvectors);
        let moved = sum_of(tangents.iter().flatten().map(|dx| symmetric_part(*dx)));
        let inside = vectors.transpose().matmul(moved).matmul(vectors);
        inside.binary(Unsplit, at.output).diag_part(0)
    }
}

impl Examples for Eigenvalues {
    fn examples() -> Vec<Case> {
        [(1, 1), (3, 3), (4, 4)].map(|shape| Case::shaped(Eigenvalues, [(Domain::Dominant, shape)])).to_vec()
    }
}

/// The unit eigenvectors of `(A + Aᵀ) / 2`, one a column: an operation, because a factorisation cannot be composed
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Eigenvectors;

impl Eigenvectors {
    /// `1 / (λⱼ - λᵢ)`, 0 in the diagonal, NaN between equal eigenvalues.
    fn reciprocal_gaps<T: Real>(values: Var<'_, T>) -> Var<'_, T> {
        let n = values.rows();
        if n == 0 {
            return values.reshape(0, 0);
        }
        let unit = values.graph().constant(Matrix::from_fn(n, n, |i, j| T::from_usize(usize::from(i == j))));
        let close = values.abs().max() * (T::from_f64(CLOSE) * T::from_usize(n) * T::EPSILON);
        let gaps = values.transpose() - values;
        let equal = gaps.abs().le(close);
        let reciprocals = equal.select(values.scalar(T::NAN), equal.select(values.scalar(T::ONE), gaps).recip());
        unit.select(values.scalar(T::ZERO), reciprocals)
    }
}

impl Rule for Eigenvectors {
    fn name(self) -> &'static str {
        "eigenvectors_symmetric"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        square(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Eigenvectors(inputs[0]), out)
    }

    /// `V (F ⊙ Vᵀ g) Vᵀ` with the reciprocal gaps `F`.
    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let vectors = at.output;
        let factors = Self::reciprocal_gaps(at.inputs[0].unary(Eigenvalues));
        let inside = factors * vectors.transpose().matmul(g);
        symmetric_part(vectors.matmul(inside).matmul(vectors.transpose()))
    }

    /// `V (F ⊙ Vᵀ dA V)`
    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let vectors = at.output;
        let factors = Self::reciprocal_gaps(at.inputs[0].unary(Eigenvalues));
        let moved = sum_of(tangents.iter().flatten().map(|dx| symmetric_part(*dx)));
        vectors.matmul(factors * vectors.transpose().matmul(moved).matmul(vectors))
    }
}

impl Examples for Eigenvectors {
    fn examples() -> Vec<Case> {
        [(1, 1), (3, 3), (4, 4)].map(|shape| Case::shaped(Eigenvectors, [(Domain::Dominant, shape)])).to_vec()
    }
}

/// The diagonal of a matrix in the basis of eigenvectors, if equal eigenvalues (second operand) have equal parts of it, NaN
/// if they have not: a kernel, because eigenvalues are equal in groups
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsplit;

impl Linear for Unsplit {
    const NAME: &'static str = "unsplit";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [m, values] = two(inputs)?;
        let shape = square(&[m])?;
        if values == Shape::new(shape.rows, 1) {
            Ok(shape)
        } else {
            Err("an eigenvalue is needed for each row".to_owned())
        }
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        unsplit(inputs[0], inputs[1], out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.binary(self, at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for Unsplit {
    fn examples() -> Vec<Case> {
        [3, 1].map(|n| Case::shaped(Unsplit, [(Domain::ALL, (n, n)), (Domain::Order, (n, 1))])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The eigenvalues of a symmetric matrix, in ascending order. (Feature `linalg`.)
    ///
    /// All of `A` is read: they are those of its symmetric part `(A + Aᵀ) / 2`.
    ///
    /// # Derivative
    /// `V diag(g) Vᵀ` with the unit eigenvectors in the columns of `V`. Where eigenvalues are equal (closer than `4 n ε` of the
    /// largest), only functions that treat them alike have a derivative, such as their sum: the gradient is that if their
    /// cotangents are equal, and NaN if not. A second derivative there is NaN: at equal eigenvalues write traces of products
    /// instead of sums of powers, and [`determinant`](Self::determinant) instead of the product.
    ///
    /// # Shapes
    /// `(n, n) → (n, 1)`
    ///
    /// # Domain and edge cases
    /// Each is off by at most some `n ε` of the largest.
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
    /// let a = graph.variable([[2.0, 0.0], [0.0, -3.0]]);
    /// let largest = a.eigenvalues_symmetric().max();
    /// assert_eq!(largest.item(), 2.0);
    /// assert_eq!(largest.gradient(a).value().as_slice(), [1.0, 0.0, 0.0, 0.0]);
    /// ```
    ///
    /// # References
    /// J. Magnus, "On differentiating eigenvalues and eigenvectors", 1985, theorem 1.
    #[must_use]
    #[track_caller]
    pub fn eigenvalues_symmetric(self) -> Self {
        self.unary(Eigenvalues)
    }

    /// Unit eigenvectors of a symmetric matrix, one a column, in the order of [its
    /// eigenvalues](Self::eigenvalues_symmetric). (Feature `linalg`.)
    ///
    /// All of `A` is read: they are those of its symmetric part. The element of largest magnitude of each is positive; use
    /// them in ways in which the sign does not matter.
    ///
    /// # Derivative
    /// `V (F ⊙ Vᵀ g) Vᵀ`, symmetric part, with `Fᵢⱼ = 1 / (λⱼ - λᵢ)` and 0 in the diagonal. NaN if two eigenvalues are equal
    /// (closer than `4 n ε` of the largest), because then the vectors are not a function of the matrix.
    ///
    /// # Shapes
    /// `(n, n) → (n, n)`
    ///
    /// # Domain and edge cases
    /// Orthogonal to some `n ε`; each is off by some `n ε |A|` over the distance of its eigenvalue from the next.
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
    /// let a = graph.variable([[2.0, 0.0], [0.0, -3.0]]);
    /// assert_eq!(a.eigenvectors_symmetric().value().as_slice(), [0.0, 1.0, 1.0, 0.0]);
    /// ```
    ///
    /// # References
    /// J. Magnus, "On differentiating eigenvalues and eigenvectors", 1985, theorem 1.
    #[must_use]
    #[track_caller]
    pub fn eigenvectors_symmetric(self) -> Self {
        self.unary(Eigenvectors)
    }
}
