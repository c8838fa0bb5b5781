//! Inverses and systems of linear equations.

use crate::kernel::linalg::{Task, substitute};
use crate::kernel::structure::Part;
use crate::kernel::{Fault, View};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Op, Rule, one, sum_of, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub use crate::kernel::linalg::Triangular;

/// The shape of a square operand.
pub(crate) fn square(inputs: &[Shape]) -> Result<Shape, String> {
    let shape = one(inputs)?;
    if shape.rows == shape.cols { Ok(shape) } else { Err("the operand must be square".to_owned()) }
}

/// The shape of the solution of a system of equations.
fn solution(inputs: &[Shape]) -> Result<Shape, String> {
    let [a, b] = two(inputs)?;
    if a.rows != a.cols {
        return Err("the left one must be square".to_owned());
    }
    if a.rows == b.rows { Ok(b) } else { Err(format!("both must have as many rows: {} and {}", a.rows, b.rows)) }
}

/// `A⁻¹`: an operation, because a factorisation cannot be composed
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inverse;

impl Rule for Inverse {
    fn name(self) -> &'static str {
        "inverse"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        square(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        T::factorise(Task::Inverse(inputs[0]), out)
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let y = at.output.transpose();
        -y.matmul(g).matmul(y)
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        sum_of(tangents.iter().flatten().map(|dx| -at.output.matmul(*dx).matmul(at.output)))
    }
}

impl Examples for Inverse {
    fn examples() -> Vec<Case> {
        [(1, 1), (3, 3), (4, 4)].map(|shape| Case::shaped(Inverse, [(Domain::Dominant, shape)])).to_vec()
    }
}

/// `A⁻¹ B`, or `(Aᵀ)⁻¹ B`, by elimination: more accurate than the product with the inverse, and faster
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Solve {
    /// Whether the left operand is transposed.
    pub transposed: bool,
}

impl Solve {
    /// Records the solution. What was transposed just before is read transposed instead.
    #[track_caller]
    fn of<'g, T: Real>(mut self, mut a: Var<'g, T>, b: Var<'g, T>) -> Var<'g, T> {
        while let (Op::Transpose(_), Some(input)) = (a.op(), a.first_operand()) {
            (a, self.transposed) = (input, !self.transposed);
        }
        a.binary(self, b)
    }
}

impl Rule for Solve {
    fn name(self) -> &'static str {
        "solve"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        solution(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        let (a, b) = (inputs[0], inputs[1]);
        T::factorise(if self.transposed { Task::SolveTransposed(a, b) } else { Task::Solve(a, b) }, out)
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let back = Self { transposed: !self.transposed }.of(at.inputs[0], g);
        match (slot, self.transposed) {
            (0, false) => -back.matmul(at.output.transpose()),
            (0, true) => -at.output.matmul(back.transpose()),
            _ => back,
        }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let moved = |da: Var<'g, T>| -(if self.transposed { da.transpose() } else { da }).matmul(at.output);
        let right = sum_of([tangents[0].map(moved), tangents[1]].into_iter().flatten());
        self.of(at.inputs[0], right)
    }
}

impl Examples for Solve {
    fn examples() -> Vec<Case> {
        let case = |transposed, n, cols| {
            Case::shaped(Solve { transposed }, [(Domain::Dominant, (n, n)), (Domain::ALL, (n, cols))])
        };
        vec![case(false, 3, 2), case(true, 3, 1), case(false, 1, 2), case(true, 4, 3)]
    }
}

/// The solution of a triangular system by substitution: a kernel, because it reads one triangle only
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SolveTriangular(pub Triangular);

impl SolveTriangular {
    /// The elements that are read, zeros elsewhere.
    fn read<T: Real>(self, a: Var<'_, T>) -> Var<'_, T> {
        let offset = isize::from(self.0.unit_diagonal);
        match self.0.part {
            Part::Lower => a.tril(-offset),
            Part::Upper => a.triu(offset),
        }
    }
}

impl Rule for SolveTriangular {
    fn name(self) -> &'static str {
        "solve_triangular"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        solution(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        substitute(inputs[0], inputs[1], self.0, out)
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let back = at.inputs[0].binary(Self(self.0.transpose()), g);
        match (slot, self.0.transposed) {
            (0, false) => -self.read(back.matmul(at.output.transpose())),
            (0, true) => -self.read(at.output.matmul(back.transpose())),
            _ => back,
        }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let moved = |da: Var<'g, T>| {
            let da = self.read(da);
            -(if self.0.transposed { da.transpose() } else { da }).matmul(at.output)
        };
        let right = sum_of([tangents[0].map(moved), tangents[1]].into_iter().flatten());
        at.inputs[0].binary(self, right)
    }
}

impl Examples for SolveTriangular {
    fn examples() -> Vec<Case> {
        let case = |kind: Triangular, n, cols| {
            Case::shaped(SolveTriangular(kind), [(Domain::Dominant, (n, n)), (Domain::ALL, (n, cols))])
        };
        let (lower, upper) = (Triangular::LOWER, Triangular::UPPER);
        let kinds = [lower, upper, lower.transpose(), upper.transpose()];
        let both = kinds.iter().flat_map(|kind| [*kind, kind.with_unit_diagonal()]);
        both.map(|kind| case(kind, 3, 2)).chain([case(lower, 1, 1)]).collect()
    }
}

impl<T: Real> Var<'_, T> {
    /// The inverse `A⁻¹`. For `A⁻¹ B` use [`solve`](Self::solve). (Feature `linalg`.)
    ///
    /// # Derivative
    /// `-Yᵀ g Yᵀ` with `Y = A⁻¹`.
    ///
    /// # Shapes
    /// `(n, n) → (n, n)`
    ///
    /// # Domain and edge cases
    /// The error is some `n ε κ(A)` relative to the largest element, where `κ` is the condition number `|A| |A⁻¹|`: with
    /// `κ > 1/ε` no digit is right. The inverse of nothing is nothing.
    ///
    /// # Panics
    /// If it is not square.
    ///
    /// # Errors
    /// When it is computed: [`Singular`](crate::RunError::Singular) if a pivot is exactly 0,
    /// [`NotFinite`](crate::RunError::NotFinite) if an element is infinite or NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[2.0, 0.0], [1.0, 4.0]]);
    /// assert_eq!(a.inverse().value().as_slice(), [0.5, 0.0, -0.125, 0.25]);
    /// ```
    ///
    /// # References
    /// M. Giles, "An extended collection of matrix derivative results", 2008, section 2.2.3.
    #[must_use]
    #[track_caller]
    pub fn inverse(self) -> Self {
        self.unary(Inverse)
    }

    /// The solution `X` of `A X = B`. A left operand that was just transposed is read transposed. (Feature `linalg`.)
    ///
    /// # Derivative
    /// `(Aᵀ)⁻¹ g` to `B`, and the negative product of that with `Xᵀ` to `A`.
    ///
    /// # Shapes
    /// `(n, n), (n, k) → (n, k)`
    ///
    /// # Domain and edge cases
    /// The solution is that of a system with a matrix that differs from `A` by rounding: its error is some `n ε κ(A)`, where
    /// `κ` is the condition number, the residual `A X - B` some `n ε |A| |X|` whatever `κ` is. What is infinite or NaN in `B`
    /// propagates.
    ///
    /// # Panics
    /// If `A` is not square, or `B` has another number of rows.
    ///
    /// # Errors
    /// When it is computed: [`Singular`](crate::RunError::Singular) if a pivot is exactly 0,
    /// [`NotFinite`](crate::RunError::NotFinite) if an element of `A` is infinite or NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[2.0, 1.0], [0.0, 4.0]]);
    /// let b = graph.variable([[4.0], [8.0]]);
    /// assert_eq!(a.solve(b).value().as_slice(), [1.0, 2.0]);
    /// ```
    ///
    /// # References
    /// M. Giles, "An extended collection of matrix derivative results", 2008, section 2.3.1.
    #[must_use]
    #[track_caller]
    pub fn solve(self, right: Self) -> Self {
        Solve::default().of(self, right)
    }

    /// The solution `X` of `A X = B`, or of `Aᵀ X = B`, for a triangular `A`: the rest of `A` is not read. (Feature `linalg`.)
    ///
    /// # Derivative
    /// As of [`solve`](Self::solve), but to the elements of `A` that are read only.
    ///
    /// # Shapes
    /// `(n, n), (n, k) → (n, k)`
    ///
    /// # Domain and edge cases
    /// Backward stable, row by row. What is infinite or NaN propagates.
    ///
    /// # Panics
    /// If `A` is not square, or `B` has another number of rows.
    ///
    /// # Errors
    /// When it is computed: [`Singular`](crate::RunError::Singular) if an element of the diagonal is 0, unless that counts as ones.
    ///
    /// # Examples
    /// ```
    /// use autograd::op::Triangular;
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[2.0, 7.0], [1.0, 4.0]]); // the 7 is not read
    /// let b = graph.variable([[4.0], [10.0]]);
    /// assert_eq!(a.solve_triangular(b, Triangular::LOWER).value().as_slice(), [2.0, 2.0]);
    /// ```
    ///
    /// # References
    /// N. Higham, "Accuracy and stability of numerical algorithms", 2nd edition 2002, theorem 8.5.
    #[must_use]
    #[track_caller]
    pub fn solve_triangular(self, right: Self, kind: Triangular) -> Self {
        self.binary(SolveTriangular(kind), right)
    }

    /// The solution `X` of `L Lᵀ X = B` for a lower triangular factor `L`, as [`cholesky`](Self::cholesky) gives it. (Feature
    /// `linalg`.)
    ///
    /// # Derivative
    /// That of the two systems that are solved; to the lower triangle of `L` only.
    ///
    /// # Shapes
    /// `(n, n), (n, k) → (n, k)`
    ///
    /// # Domain and edge cases
    /// Above its diagonal `L` is not read.
    ///
    /// # Panics
    /// If `L` is not square, or `B` has another number of rows.
    ///
    /// # Errors
    /// When it is computed: [`Singular`](crate::RunError::Singular) if an element of the diagonal is 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[4.0, 2.0], [2.0, 10.0]]);
    /// let b = graph.variable([[8.0], [22.0]]);
    /// assert_eq!(a.cholesky().cholesky_solve(b).value().as_slice(), [1.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cholesky_solve(self, right: Self) -> Self {
        let half = self.solve_triangular(right, Triangular::LOWER);
        self.solve_triangular(half, Triangular::LOWER.transpose())
    }
}
