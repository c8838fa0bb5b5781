//! Jacobians and second derivatives: a few lines on top of [`vjp`](Var::vjp), [`jvp`](Var::jvp) and
//! [`gradient`](Var::gradient).

use core::panic::Location;

use crate::derive::{Dependence, Sources};
use crate::op::{Axis, Embed};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// The gradient of the loss of each sample by itself, for clipping, weighting or inspecting samples one by one.
///
/// `batch` are matrices with a sample a row (features, targets, …); `loss` is given one row of each and records a scalar.
/// It is recorded once for each sample, so time and memory grow with the batch as for the gradient of the mean.
///
/// # Shapes
/// `b` samples, by `(m, n) → (b, m n)`: row `i` is the gradient of sample `i`, row by row; zeros where a sample's loss does
/// not depend on a source
///
/// # Panics
/// If the matrices of the batch have different numbers of rows, there is no sample, or a loss is no scalar.
///
/// # Examples
/// ```
/// use autograd::{Graph, per_sample_gradients};
/// let graph = Graph::new();
/// let x = graph.constant([[1.0], [2.0], [3.0]]);
/// let w = graph.variable(10.0);
/// let each = per_sample_gradients(&[x], |row| (row[0] * w).square(), w);
/// assert_eq!(each.value().as_slice(), [20.0, 80.0, 180.0]);
/// ```
#[must_use]
#[track_caller]
pub fn per_sample_gradients<'g, T: Real, S: Sources<'g, T>>(
    batch: &[Var<'g, T>],
    loss: impl Fn(&[Var<'g, T>]) -> Var<'g, T>,
    sources: S,
) -> S::Derivatives {
    let samples = batch.first().map_or(0, |matrix| matrix.rows());
    let equal = batch.iter().all(|matrix| matrix.rows() == samples);
    assert!(samples > 0 && equal, "per_sample_gradients: each matrix needs one row for each sample");
    let mut gradients: Vec<Vec<Var<'g, T>>> = vec![Vec::new(); sources.vars().len()];
    for i in 0..samples {
        let mut sample = Vec::with_capacity(batch.len());
        for matrix in batch {
            sample.push(matrix.slice(i..i + 1, 0..matrix.cols()));
        }
        for (rows, gradient) in gradients.iter_mut().zip(loss(&sample).gradient_or_zero(sources.vars())) {
            rows.push(gradient.flat());
        }
    }
    let mut stacked = Vec::with_capacity(gradients.len());
    for rows in &gradients {
        stacked.push(Var::concat(rows, Axis::Rows));
    }
    sources.arrange(stacked)
}

impl<'g, T: Real> Var<'g, T> {
    /// The Jacobian: row `i`, column `j` is the derivative of output `i` by input `j`, both counted row by row.
    ///
    /// `J[i, j] = ∂yᵢ/∂xⱼ`
    ///
    /// One [`vjp`](Self::vjp) records each row, or one [`jvp`](Self::jvp) each column, whichever are fewer.
    ///
    /// # Shapes
    /// `(p, q)` by `(m, n) → (p q, m n)`
    ///
    /// # Panics
    /// If this does not depend on the source: the message says where the path was cut.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let y = graph.constant([[3.0], [5.0], [7.0]]).matmul(x.square());
    /// let jacobian = y.jacobian(x);
    /// assert_eq!(jacobian.shape(), (6, 2).into());
    /// assert_eq!(jacobian.value().row(3), [0.0, 20.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn jacobian(self, source: Self) -> Self {
        source.assert_of(self.graph());
        match self.jacobian_if_connected(source) {
            Some(jacobian) => jacobian,
            None => self.graph().not_connected("jacobian", self.id(), source.id()),
        }
    }

    /// The Hessian of this scalar by all elements of `sources`: one source after the other, each row by row.
    ///
    /// `H[i, j] = ∂²y / (∂xᵢ ∂xⱼ)`
    ///
    /// Forward over reverse: the gradient is recorded once, then one [`jvp`](Self::jvp) of it for each column.
    ///
    /// # Shapes
    /// `(1, 1)` by `(m₁, n₁), (m₂, n₂), … → (N, N)` with `N = m₁ n₁ + m₂ n₂ + …`
    ///
    /// # Domain and edge cases
    /// Second derivatives that vanish, as those of a linear function, are zeros.
    ///
    /// # Panics
    /// As [`gradient`](Self::gradient), or if there is no source.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable(2.0), graph.variable(3.0));
    /// let hessian = (x.square() * y).hessian([x, y]);
    /// assert_eq!(hessian.value(), [[6.0, 4.0], [4.0, 0.0]].into());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hessian<S: Sources<'g, T>>(self, sources: S) -> Self {
        let sources = sources.vars();
        assert!(!sources.is_empty(), "hessian: there is no source");
        let gradients = self.gradient(sources);
        let graph = self.graph();
        graph.at(Location::caller(), || {
            let gradient = join(gradients.into_iter().map(Self::column), Axis::Rows);
            let columns = sources.iter().map(|source| {
                let zeros = || graph.fill(Shape::new(gradient.rows(), source.shape().len()), T::ZERO);
                gradient.jacobian_if_connected(*source).unwrap_or_else(zeros)
            });
            join(columns, Axis::Columns)
        })
    }

    /// The product of the Hessian of this scalar with a vector, which has a part for each source: exact, and for
    /// the price of a few gradients, whatever the number of elements.
    ///
    /// `(H v)ᵢ = Σⱼ ∂²y / (∂xᵢ ∂xⱼ) vⱼ`
    ///
    /// Forward over reverse: the [`jvp`](Self::jvp) of the gradient.
    ///
    /// # Shapes
    /// `(1, 1)` by `(m, n)` with a vector `(m, n) → (m, n)`, for each source
    ///
    /// # Domain and edge cases
    /// Second derivatives that vanish, as those of a linear function, are zeros.
    ///
    /// # Panics
    /// If there are not as many vectors as sources, a vector has another shape than its source, or as
    /// [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let v = graph.constant([[1.0, 10.0]]);
    /// let hv = x.powi(3).sum().hessian_vector(x, v);
    /// assert_eq!(hv.value().as_slice(), [6.0, 120.0]);
    /// ```
    ///
    /// # References
    /// B. Pearlmutter, "Fast exact multiplication by the Hessian", 1994.
    #[must_use]
    #[track_caller]
    pub fn hessian_vector<S: Sources<'g, T>>(self, sources: S, vectors: S) -> S::Derivatives {
        let graph = self.graph();
        graph.assert_tangents("hessian_vector", sources.vars(), vectors.vars());
        let gradients = self.gradient(sources.vars());
        let products = graph.push_forward(&gradients, sources.vars(), vectors.vars());
        let products = products.into_iter().zip(sources.vars());
        let zeros = |source: &Self| graph.fill(source.shape(), T::ZERO);
        graph.at(Location::caller(), || {
            sources.arrange(products.map(|(product, source)| product.unwrap_or_else(|| zeros(source))).collect())
        })
    }

    /// The diagonal of the Hessian of this scalar, each element in the place of the one that it belongs to.
    ///
    /// `dᵢ = ∂²y / ∂xᵢ²`
    ///
    /// Costs as much as the whole [`hessian`](Self::hessian): one [`jvp`](Self::jvp) of the gradient for each
    /// element. It needs less memory.
    ///
    /// # Shapes
    /// `(1, 1)` by `(m, n) → (m, n)`, for each source
    ///
    /// # Domain and edge cases
    /// Second derivatives that vanish, as those of a linear function, are zeros.
    ///
    /// # Panics
    /// As [`gradient`](Self::gradient).
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// let diagonal = x.powi(3).sum().hessian_diagonal(x);
    /// assert_eq!(diagonal.value().as_slice(), [6.0, 12.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn hessian_diagonal<S: Sources<'g, T>>(self, sources: S) -> S::Derivatives {
        let gradients = self.gradient(sources.vars());
        self.graph().at(Location::caller(), || {
            let pairs = gradients.into_iter().zip(sources.vars());
            sources.arrange(pairs.map(|(gradient, source)| gradient.own_derivatives(*source)).collect())
        })
    }

    /// The derivative of each element by the element of `source` in the same place.
    fn own_derivatives(self, source: Self) -> Self {
        let shape = source.shape();
        let elements = elements(shape).map(|(i, j)| {
            let tangent = source.unit((i, j));
            let moved = self.graph().push_forward(&[self], &[source], &[tangent])[0]?;
            Some(moved.slice(i..i + 1, j..j + 1))
        });
        match elements.collect::<Option<Vec<Self>>>() {
            Some(elements) if !elements.is_empty() => {
                join(elements.into_iter(), Axis::Rows).reshape(shape.rows, shape.cols)
            }
            _ => self.graph().fill(shape, T::ZERO),
        }
    }

    /// The Jacobian, or `None` if no derivative flows to `source`.
    #[track_caller]
    fn jacobian_if_connected(self, source: Self) -> Option<Self> {
        let graph = self.graph();
        let dependence = Dependence::new(&graph.nodes.borrow(), &[source.id()], self.id());
        dependence.of(self.id()).then(|| {
            let (outputs, inputs) = (self.shape().len(), source.shape().len());
            graph.at(Location::caller(), || match (outputs, inputs) {
                (0, _) | (_, 0) => graph.fill(Shape::new(outputs, inputs), T::ZERO),
                _ if outputs < inputs => self.jacobian_by_rows(source),
                _ => self.jacobian_by_columns(source),
            })
        })
    }

    fn jacobian_by_rows(self, source: Self) -> Self {
        let rows = elements(self.shape()).map(|at| self.vjp(self.unit(at), source).flat());
        join(rows, Axis::Rows)
    }

    fn jacobian_by_columns(self, source: Self) -> Self {
        let columns = elements(source.shape()).map(|at| self.jvp(source, source.unit(at)).flat());
        join(columns, Axis::Rows).transpose()
    }

    /// Of the shape of this value: 1 at one place, 0 elsewhere.
    fn unit(self, start: (usize, usize)) -> Self {
        let (one, shape) = (self.scalar(T::ONE), self.shape());
        if shape.is_scalar() { one } else { one.unary(Embed::block(start, shape)) }
    }

    /// All elements in one column.
    fn column(self) -> Self {
        if self.cols() == 1 { self } else { self.reshape(self.shape().len(), 1) }
    }
}

/// The places of a matrix, row by row.
fn elements(shape: Shape) -> impl Iterator<Item = (usize, usize)> {
    (0..shape.rows).flat_map(move |i| (0..shape.cols).map(move |j| (i, j)))
}

/// Puts at least one part together.
fn join<'g, T: Real>(parts: impl Iterator<Item = Var<'g, T>>, axis: Axis) -> Var<'g, T> {
    let parts: Vec<Var<'g, T>> = parts.collect();
    if let [part] = parts[..] { part } else { Var::concat(&parts, axis) }
}
