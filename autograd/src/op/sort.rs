//! Order: positions of the sorted elements, and what is chosen by them.

use crate::kernel::{Fault, View, reduce, sort};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Pieces, Rule, one};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub use crate::kernel::sort::SortOrder;

/// The columns of the elements of each row in sorted order: a kernel, because nothing else compares all with all
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgSort(pub SortOrder);

impl Rule for ArgSort {
    fn name(self) -> &'static str {
        "arg_sort"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::map_rows(inputs[0], out, |x, out| sort::positions(x, self.0, out));
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(g.scalar(T::ZERO)).broadcast(at.inputs[0].shape())
    }

    fn jvp<'g, T: Real>(self, _: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        at.output.scalar(T::ZERO).broadcast(at.output.shape())
    }

    fn differentiable(self, _: usize) -> bool {
        false
    }

    fn by_rows(self) -> bool {
        true
    }

    fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
        let (mut switch, mut margin) = (vec![T::ZERO; inputs[0].data.len()], Vec::new());
        reduce::map_rows(inputs[0], &mut switch, |x, out| sort::positions(x, self.0, out));
        for row in inputs[0].rows() {
            let mut sorted = row.to_vec();
            sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(core::cmp::Ordering::Equal));
            let gap = |a: T, b: T| if a == b { T::ZERO } else { (a - b).abs() };
            let gaps: Vec<T> = sorted.windows(2).map(|pair| gap(pair[0], pair[1])).collect();
            let around = |k: usize| (k > 0).then(|| gaps[k - 1]).into_iter().chain(gaps.get(k).copied());
            let places = (0..row.len()).map(|k| around(k).fold(T::INFINITY, crate::op::rule::nearer));
            match self.0 {
                SortOrder::Ascending => margin.extend(places),
                SortOrder::Descending => margin.extend(places.rev()),
            }
        }
        Some(Pieces { switch, margin })
    }
}

impl Examples for ArgSort {
    fn examples() -> Vec<Case> {
        [SortOrder::Ascending, SortOrder::Descending]
            .map(|order| Case::shaped(ArgSort(order), [(Domain::Distinct, (3, 4))]))
            .to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The indices along an axis that put the elements in order, as whole numbers. Equal elements stay in their order
    /// (the sort is stable), and NaN comes last in both orders.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [1, 0], [1, 0], [1, 0]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Axis, op::SortOrder};
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 1.0, 2.0]]);
    /// assert_eq!(x.arg_sort(Axis::Columns, SortOrder::Ascending).value().as_slice(), [1.0, 2.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn arg_sort(self, axis: Axis, order: SortOrder) -> Self {
        self.by_rows(axis, ArgSort(order))
    }

    /// The elements along an axis in order, and the indices at which they stood: `(values, indices)`. Equal elements
    /// stay in their order, and NaN comes last in both orders.
    ///
    /// # Derivative
    /// Of the values: each cotangent goes to the element that it came from. Of the indices: none, the path is cut.
    ///
    /// # Shapes
    /// `(m, n) → (m, n), (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [1, NaN], [1, ∞], [-∞, ∞]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Axis, op::SortOrder};
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 1.0, 2.0]]);
    /// let (values, indices) = x.sort(Axis::Columns, SortOrder::Descending);
    /// assert_eq!(values.value().as_slice(), [3.0, 2.0, 1.0]);
    /// assert_eq!(indices.value().as_slice(), [0.0, 2.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sort(self, axis: Axis, order: SortOrder) -> (Self, Self) {
        let indices = self.arg_sort(axis, order);
        (self.pick_axis(axis, indices), indices)
    }

    /// The `k` largest elements along an axis, the largest first, and the indices at which they stand:
    /// `(values, indices)`. Of equal ones the first are taken; NaN is smaller than all numbers.
    ///
    /// # Derivative
    /// Of the values: each cotangent goes to the element that it came from. Of the indices: none, the path is cut.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (k, n), (k, n)`; [`Axis::Columns`]: `(m, n) → (m, k), (m, k)`
    ///
    /// # Domain and edge cases
    /// NaN is taken last. For `k = 0` nothing.
    ///
    /// # Panics
    /// If there are fewer than `k` elements along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[3.0, 1.0, 2.0]]);
    /// let (values, indices) = x.top_k(Axis::Columns, 2);
    /// assert_eq!(values.value().as_slice(), [3.0, 2.0]);
    /// assert_eq!(indices.value().as_slice(), [0.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn top_k(self, axis: Axis, k: usize) -> (Self, Self) {
        let order = self.arg_sort(axis, SortOrder::Descending);
        let indices = match axis {
            Axis::Rows => order.slice(0..k, 0..self.cols()),
            Axis::Columns => order.slice(0..self.rows(), 0..k),
        };
        (self.pick_axis(axis, indices), indices)
    }

    /// The median of all elements: of an even number the mean of the two in the middle.
    ///
    /// # Derivative
    /// To the element in the middle, or half to each of the two; of equal ones to the first in the middle.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, ∞, NaN. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// assert_eq!(graph.variable([[5.0, 1.0, 2.0]]).median().item(), 2.0);
    /// assert_eq!(graph.variable([[5.0, 1.0, 2.0, 4.0]]).median().item(), 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn median(self) -> Self {
        self.flat().median_axis(Axis::Columns)
    }

    /// The median along an axis: of an even number the mean of the two in the middle.
    ///
    /// # Derivative
    /// As of [`median`](Self::median).
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, ∞, NaN. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 7.0], [3.0, 8.0], [2.0, 9.0]]);
    /// assert_eq!(x.median_axis(Axis::Rows).value().as_slice(), [2.0, 8.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn median_axis(self, axis: Axis) -> Self {
        if axis == Axis::Rows {
            return self.transpose().median_axis(Axis::Columns).transpose();
        }
        let (rows, count) = (self.rows(), self.cols());
        assert!(
            count > 0,
            "median: {}: there is no element to choose from; operand made at {}",
            self.shape(),
            self.site()
        );
        let (values, _) = self.sort(Axis::Columns, SortOrder::Ascending);
        let middle = values.slice(0..rows, (count - 1) / 2..count / 2 + 1);
        let last = values.slice(0..rows, count - 1..count);
        last.equal(last).select(middle.mean_axis(Axis::Columns), last)
    }
}
