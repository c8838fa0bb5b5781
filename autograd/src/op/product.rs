//! Products composed of the matrix product and element by element: as accurate, and no faster by a kernel.

use crate::matrix::Matrix;
use crate::op::Axis;
use crate::scalar::Real;
use crate::var::Var;

impl<T: Real> Var<'_, T> {
    /// The outer product `x yᵀ` of two columns.
    ///
    /// # Derivative
    /// `g y` to `x`, `gᵀ x` to `y`.
    ///
    /// # Shapes
    /// `(m, 1), (n, 1) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Products of numbers: `0 · ∞` and NaN give NaN. Empty if either is.
    ///
    /// # Panics
    /// If the operands have different numbers of columns.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0], [2.0]]), graph.variable([[3.0], [4.0]]));
    /// assert_eq!(x.outer(y).value().as_slice(), [3.0, 4.0, 6.0, 8.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn outer(self, other: Self) -> Self {
        self.matmul(other.transpose())
    }

    /// The sum of the products of all elements, with broadcasting: the inner product.
    ///
    /// # Derivative
    /// `y` to `x`, `x` to `y`.
    ///
    /// # Shapes
    /// `(m, n), (m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 0, NaN, ∞, ∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, 2.0]]), graph.variable([[3.0, 4.0]]));
    /// assert_eq!(x.dot(y).item(), 11.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn dot(self, other: Self) -> Self {
        (self * other).sum()
    }

    /// The Kronecker product: block `i, j` is element `i, j` of `x` times `y`.
    ///
    /// # Derivative
    /// To each element of `x` the inner product of its block of the cotangent with `y`, and likewise to `y`.
    ///
    /// # Shapes
    /// `(m, n), (p, q) → (m p, n q)`
    ///
    /// # Domain and edge cases
    /// Products of numbers: `0 · ∞` and NaN give NaN. Empty if either is.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, 2.0]]), graph.variable([[1.0, 10.0]]));
    /// assert_eq!(x.kron(y).value().as_slice(), [1.0, 10.0, 2.0, 20.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn kron(self, other: Self) -> Self {
        self.enlarged(other.rows(), other.cols()) * other.tile(self.rows(), self.cols())
    }

    /// `β x + α a b`, where `x` broadcasts to the shape of the product.
    ///
    /// # Derivative
    /// `β g` to `x`, `α g bᵀ` to `a`, `α aᵀ g` to `b`.
    ///
    /// # Shapes
    /// `(m, n), (m, k), (k, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// As product and sum: `α = 0` and `β = 0` do not hide NaN and ±∞. For `k = 0` it is `β x`.
    ///
    /// # Panics
    /// If the columns of `a` are not as many as the rows of `b`, or `x` does not broadcast with the product.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, a) = (graph.variable(1.0), graph.variable([[1.0, 2.0]]));
    /// assert_eq!(x.addmm(0.5, 2.0, a, a.transpose()).item(), 10.5);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn addmm(self, beta: T, alpha: T, a: Self, b: Self) -> Self {
        self * beta + a.matmul(b) * alpha
    }

    /// The quadratic form `xᵀ a x` of a column.
    ///
    /// # Derivative
    /// `(a + aᵀ) x` to `x`, `x xᵀ` to `a`.
    ///
    /// # Shapes
    /// `(n, 1), (n, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// No product is left out: `0 · ∞` and NaN give NaN. 0 for `n = 0`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, a) = (graph.variable([[1.0], [2.0]]), graph.variable([[1.0, 0.0], [0.0, 3.0]]));
    /// assert_eq!(x.quadratic_form(a).item(), 13.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn quadratic_form(self, a: Self) -> Self {
        self.transpose().matmul(a.matmul(self))
    }

    /// The `k`-th power of a square matrix, by repeated squaring: at most `2 log₂ |k|` products. For `k < 0` that of the
    /// inverse, which takes the feature `linalg`.
    ///
    /// # Derivative
    /// `Σ (aʲ)ᵀ g (aᵏ⁻¹⁻ʲ)ᵀ` over `0 ≤ j < k`; for `k < 0` that of the power of the inverse.
    ///
    /// # Shapes
    /// `(n, n) → (n, n)`
    ///
    /// # Domain and edge cases
    /// The unit matrix for `k = 0`, on which `a` has no influence: a gradient by it is an error.
    ///
    /// # Panics
    /// If it is not square, or `k < 0` without the feature `linalg`.
    ///
    /// # Errors
    /// For `k < 0`, when it is computed: as `inverse`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[1.0, 1.0], [0.0, 1.0]]);
    /// assert_eq!(a.matrix_power(5).value().as_slice(), [1.0, 5.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn matrix_power(self, k: i32) -> Self {
        let n = self.rows();
        assert!(
            n == self.cols(),
            "matrix_power: {}: the operand must be square; operand made at {}",
            self.shape(),
            self.site()
        );
        let base = if k < 0 { self.inverted() } else { self };
        let (mut power, mut square, mut rest) = (None, base, k.unsigned_abs());
        while rest > 0 {
            if rest % 2 == 1 {
                power = Some(match power {
                    None => square,
                    Some(power) => square.matmul(power),
                });
            }
            rest /= 2;
            if rest > 0 {
                square = square.matmul(square);
            }
        }
        match power {
            Some(power) => power,
            None => self.graph().constant(Matrix::from_fn(n, n, |i, j| T::from_usize(usize::from(i == j)))),
        }
    }

    #[cfg(feature = "linalg")]
    #[track_caller]
    fn inverted(self) -> Self {
        self.inverse()
    }

    #[cfg(not(feature = "linalg"))]
    #[track_caller]
    fn inverted(self) -> Self {
        panic!("matrix_power: a negative exponent takes an inverse: enable the feature linalg of autograd");
    }

    /// The cosine of the angle between each row of `x` and that of `y`: their inner product over their lengths, each at
    /// least `eps`.
    ///
    /// # Derivative
    /// That of the quotient; a length below `eps` counts as constant.
    ///
    /// # Shapes
    /// `(m, n), (m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Never overflows: rows are divided by their lengths first. 0 where a row is 0.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[3.0, 4.0]]), graph.variable([[0.0, 2.0]]));
    /// assert_eq!(x.cosine_similarity(y, 1e-8).item(), 0.8);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cosine_similarity(self, other: Self, eps: T) -> Self {
        let two = T::from_f64(2.0);
        let unit = |x: Self| x.normalize(Axis::Columns, two, eps);
        (unit(self) * unit(other)).sum_axis(Axis::Columns)
    }
}
