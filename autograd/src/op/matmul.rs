//! The matrix product.

use crate::kernel::matmul::{Operand, Order, Threads, Update};
use crate::kernel::{Fault, View};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Op, Rule, sum_of, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// `op(A) op(B)`, where `op` is the transpose if the flag says so
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MatMul {
    /// Whether the left operand is transposed.
    pub transpose_left: bool,
    /// Whether the right operand is transposed.
    pub transpose_right: bool,
}

impl MatMul {
    fn with(transpose_left: bool, transpose_right: bool) -> Self {
        Self { transpose_left, transpose_right }
    }

    /// Records the product of `a` and `b`. What was transposed just before is read transposed instead.
    #[track_caller]
    fn of<'g, T: Real>(mut self, mut a: Var<'g, T>, mut b: Var<'g, T>) -> Var<'g, T> {
        while let (Op::Transpose(_), Some(input)) = (a.op(), a.first_operand()) {
            (a, self.transpose_left) = (input, !self.transpose_left);
        }
        while let (Op::Transpose(_), Some(input)) = (b.op(), b.first_operand()) {
            (b, self.transpose_right) = (input, !self.transpose_right);
        }
        a.binary(self, b)
    }
}

fn operand<T>(view: View<'_, T>, transposed: bool) -> Operand<'_, T> {
    let order = if transposed { Order::Transposed } else { Order::Plain };
    Operand::new(view.data, view.shape, order)
}

impl Rule for MatMul {
    fn name(self) -> &'static str {
        "matmul"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [a, b] = two(inputs)?;
        let a = if self.transpose_left { a.transposed() } else { a };
        let b = if self.transpose_right { b.transposed() } else { b };
        if a.cols == b.rows {
            return Ok(Shape::new(a.rows, b.cols));
        }
        Err(format!("left columns ({}) must equal right rows ({})", a.cols, b.rows))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        let a = operand(inputs[0], self.transpose_left);
        let b = operand(inputs[1], self.transpose_right);
        T::matmul(out, a, b, Update::Overwrite, Threads::Pool);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let (a, b, g) = (at.inputs[0], at.inputs[1], g.flush_subnormal());
        let (ta, tb) = (self.transpose_left, self.transpose_right);
        match (slot, ta, tb) {
            (0, false, _) => Self::with(false, !tb).of(g, b),
            (0, true, _) => Self::with(tb, true).of(b, g),
            (_, _, false) => Self::with(!ta, false).of(a, g),
            (_, _, true) => Self::with(true, ta).of(g, a),
        }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let left = tangents[0].map(|da| self.of(da, at.inputs[1]));
        let right = tangents[1].map(|db| self.of(at.inputs[0], db));
        sum_of([left, right].into_iter().flatten())
    }

    fn is_affine(self, _: usize) -> bool {
        true
    }
}

impl Examples for MatMul {
    fn examples() -> Vec<Case> {
        let case = |ta, tb, a, b| Case::shaped(MatMul::with(ta, tb), [(Domain::ALL, a), (Domain::ALL, b)]);
        vec![
            case(false, false, (3, 4), (4, 2)),
            case(true, false, (4, 3), (4, 2)),
            case(false, true, (3, 4), (2, 4)),
            case(true, true, (4, 3), (2, 4)),
        ]
    }
}

impl<T: Real> Var<'_, T> {
    /// The matrix product `A B`.
    ///
    /// # Derivative
    /// `g Bᵀ` to the left, `Aᵀ g` to the right. Subnormal cotangents count as 0 (see
    /// [`flush_subnormal`](Self::flush_subnormal)).
    ///
    /// # Shapes
    /// `(m, k), (k, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// No product is left out: `0 · ∞` and NaN give NaN. For `k = 0` zeros.
    ///
    /// # Panics
    /// If the left columns are not as many as the right rows.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let a = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = graph.variable([[5.0], [6.0]]);
    /// assert_eq!(a.matmul(b).value().as_slice(), [17.0, 39.0]);
    /// ```
    ///
    /// # References
    /// M. Giles, "An extended collection of matrix derivative results", 2008, section 2.2.
    #[must_use]
    #[track_caller]
    pub fn matmul(self, right: Self) -> Self {
        MatMul::default().of(self, right)
    }
}
