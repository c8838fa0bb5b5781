//! Distances between the rows of two matrices.

use crate::kernel::{Fault, View, distance};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Rule, sum_of, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `Σ (x - y)²` of each row of `x` and each of `y`: a kernel, because `x² + y² - 2 x y` cancels where rows are near each
/// other, and all differences are `m n k` numbers
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SqDist;

/// `2 Σⱼ dᵢⱼ (xᵢ - yⱼ)`
fn pull<'g, T: Real>(d: Var<'g, T>, x: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    (x * d.sum_axis(Axis::Columns) - d.matmul(y)) * T::from_f64(2.0)
}

/// `2 ⟨dxᵢ, xᵢ - yⱼ⟩`
fn push<'g, T: Real>(dx: Var<'g, T>, x: Var<'g, T>, y: Var<'g, T>) -> Var<'g, T> {
    ((dx * x).sum_axis(Axis::Columns) - dx.matmul(y.transpose())) * T::from_f64(2.0)
}

impl Rule for SqDist {
    fn name(self) -> &'static str {
        "sqdist"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, y] = two(inputs)?;
        if x.cols == y.cols {
            return Ok(Shape::new(x.rows, y.rows));
        }
        Err("both must have the same number of columns".to_owned())
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        distance::squared(inputs[0], inputs[1], out);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let (x, y) = (at.inputs[0], at.inputs[1]);
        if slot == 0 { pull(g, x, y) } else { pull(g.transpose(), y, x) }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let (x, y) = (at.inputs[0], at.inputs[1]);
        let left = tangents[0].map(|dx| push(dx, x, y));
        let right = tangents[1].map(|dy| push(dy, y, x).transpose());
        sum_of([left, right].into_iter().flatten())
    }
}

impl Examples for SqDist {
    fn examples() -> Vec<Case> {
        let case = |x, y| Case::shaped(SqDist, [(Domain::ALL, x), (Domain::ALL, y)]);
        vec![case((3, 4), (2, 4)), case((1, 1), (3, 1))]
    }
}

impl<T: Real> Var<'_, T> {
    /// The squared Euclidean distance of each row of `x` to each row of `y`.
    ///
    /// # Derivative
    /// `2 (x - y)` towards the row of `x`, its negative towards that of `y`.
    ///
    /// # Shapes
    /// `(m, k), (n, k) → (m, n)`
    ///
    /// # Domain and edge cases
    /// By differences: accurate where rows are near each other.
    ///
    /// # Panics
    /// If the operands have different numbers of columns.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[0.0, 0.0]]), graph.variable([[3.0, 4.0], [0.0, 1.0]]));
    /// assert_eq!(x.sqdist(y).value().as_slice(), [25.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sqdist(self, other: Self) -> Self {
        self.binary(SqDist, other)
    }

    /// The distance of each row of `x` to each row of `y`: the [`p`-norm](Self::norm) of their difference.
    ///
    /// # Derivative
    /// That of the norm of the difference; 0 where the rows are equal.
    ///
    /// # Shapes
    /// `(m, k), (n, k) → (m, n)`
    ///
    /// # Domain and edge cases
    /// For `p = 2` the root of [`sqdist`](Self::sqdist), which overflows where the square does; all other norms keep all
    /// `m n k` differences.
    ///
    /// # Panics
    /// If the operands have different numbers of columns.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[0.0, 0.0]]), graph.variable([[3.0, 4.0], [0.0, 1.0]]));
    /// assert_eq!(x.cdist(y, 2.0).value().as_slice(), [5.0, 1.0]);
    /// assert_eq!(x.cdist(y, 1.0).value().as_slice(), [7.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cdist(self, other: Self, p: T) -> Self {
        match p.to_f64() {
            2.0 => {
                let (squares, zero) = (self.sqdist(other), self.scalar(T::ZERO));
                squares.equal(zero).select(zero, squares.sqrt())
            }
            _ => {
                let (m, n) = (self.rows(), other.rows());
                (self.enlarged(n, 1) - other.tile(m, 1)).norm_axis(Axis::Columns, p).reshape(m, n)
            }
        }
    }
}
