//! Many numbers to one: of the whole matrix, or along one axis.
//!
//! Apart from [`Sum`] the operations work on rows; the methods bring the other directions to that by
//! transposing or reshaping.

use crate::kernel::{Fault, View, reduce};
use crate::op::case::{Case, Domain, Examples};
use crate::op::rule::nearer;
use crate::op::{Applied, Linear, Op, Pieces, Rule, one};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// A direction of a matrix: the index that is run over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Down the rows, axis 0: a reduction of `m x n` gives `1 x n`.
    Rows,
    /// Along the columns, axis 1: a reduction of `m x n` gives `m x 1`.
    Columns,
}

/// The sum of all elements, or along an axis
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sum(pub Option<Axis>);

impl Linear for Sum {
    const NAME: &'static str = "sum";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = one(inputs)?;
        Ok(match self.0 {
            None => Shape::SCALAR,
            Some(Axis::Rows) => Shape::new(1, input.cols),
            Some(Axis::Columns) => Shape::new(input.rows, 1),
        })
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        match self.0 {
            None => out[0] = reduce::sum(inputs[0].data),
            Some(Axis::Rows) => reduce::sum_rows(inputs[0], out),
            Some(Axis::Columns) => reduce::sum_columns(inputs[0], out),
        }
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.broadcast(at.inputs[0].shape())
    }

    fn by_rows(self) -> bool {
        self.0 == Some(Axis::Columns)
    }
}

impl Examples for Sum {
    fn examples() -> Vec<Case> {
        [None, Some(Axis::Rows), Some(Axis::Columns)]
            .map(|axis| Case::shaped(Sum(axis), [(Domain::ALL, (3, 4))]))
            .to_vec()
    }
}

/// What a reduction of each row has in common: `(m, n) → (m, 1)`.
fn row_reduced(inputs: &[Shape]) -> Result<Shape, String> {
    Ok(Shape::new(one(inputs)?.rows, 1))
}

/// The same where rows must not be empty.
fn row_chosen(inputs: &[Shape]) -> Result<Shape, String> {
    if one(inputs)?.cols == 0 {
        return Err("there is no element to choose from".to_owned());
    }
    row_reduced(inputs)
}

/// The part of each element in its row's extreme: 1, shared evenly between ties.
fn tie_weights<'g, T: Real>(at: &Applied<'g, T>) -> Var<'g, T> {
    let hit = at.inputs[0].equal(at.output);
    hit / hit.sum_axis(Axis::Columns)
}

/// Which elements of each row are its extreme, and how far the next one is from it: 0 between ties.
fn leaders<T: Real>(x: View<'_, T>, extreme: fn(&[T]) -> T) -> Pieces<T> {
    let (mut switch, mut margin) = (Vec::new(), Vec::new());
    for row in x.rows() {
        let best = extreme(row);
        switch.extend(row.iter().map(|x| if *x == best { T::ONE } else { T::ZERO }));
        let ties = row.iter().filter(|x| **x == best).count();
        let behind = row.iter().filter(|x| **x != best).map(|x| (*x - best).abs());
        margin.push(if ties > 1 { T::ZERO } else { behind.fold(T::INFINITY, nearer) });
    }
    Pieces { switch, margin }
}

macro_rules! extreme {
    ($op:ident, $name:literal, $doc:literal, $kernel:path) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $op;

        impl Rule for $op {
            fn name(self) -> &'static str {
                $name
            }

            fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
                row_chosen(inputs)
            }

            fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
                reduce::per_row(inputs[0], out, $kernel);
                Ok(())
            }

            fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
                g.strong_mul(tie_weights(at))
            }

            fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
                let terms = tangents.iter().flatten().map(|dx| dx.strong_mul(tie_weights(at)));
                crate::op::sum_of(terms).sum_axis(Axis::Columns)
            }

            fn by_rows(self) -> bool {
                true
            }

            fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
                let hit = at[0].equal(at[0].unary(self));
                let sum = hit.select(x[0], x[0].scalar(T::ZERO)).sum_axis(Axis::Columns);
                Some(sum / hit.sum_axis(Axis::Columns))
            }

            fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
                Some(leaders(inputs[0], $kernel))
            }
        }

        impl Examples for $op {
            fn examples() -> Vec<Case> {
                [(3, 4), (1, 1), (2, 1)].map(|shape| Case::shaped($op, [(Domain::Distinct, shape)])).to_vec()
            }
        }
    };
}

extreme!(Max, "max", "The largest element of each row; ties share the derivative evenly", reduce::max);
extreme!(Min, "min", "The smallest element of each row; ties share the derivative evenly", reduce::min);

/// The column of the largest element of each row, the first of ties
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgMax;

impl Rule for ArgMax {
    fn name(self) -> &'static str {
        "arg_max"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        row_chosen(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::per_row(inputs[0], out, |row| T::from_usize(reduce::arg_max(row)));
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
        let switch = inputs[0].rows().map(|row| T::from_usize(reduce::arg_max(row))).collect();
        Some(Pieces { switch, ..leaders(inputs[0], reduce::max) })
    }
}

impl Examples for ArgMax {
    fn examples() -> Vec<Case> {
        vec![Case::shaped(ArgMax, [(Domain::Distinct, (3, 4))])]
    }
}

/// `ln Σ eˣ` of each row, with the largest element taken out so that nothing overflows
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSumExp;

impl Rule for LogSumExp {
    fn name(self) -> &'static str {
        "log_sum_exp"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        row_reduced(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::log_sum_exp_rows(inputs[0], out);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(at.inputs[0].softmax(Axis::Columns))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let weights = at.inputs[0].softmax(Axis::Columns);
        crate::op::sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(weights))).sum_axis(Axis::Columns)
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for LogSumExp {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(LogSumExp, [(Domain::ALL, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The sum of all elements.
    ///
    /// # Derivative
    /// 1 for each element.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`; 0 if there is no element.
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 0, NaN, ∞, NaN. Up to 32 numbers are summed with a single rounding,
    /// unless they cancel to less than `n² ε` of their magnitude. Longer sums are within half a unit in the last place
    /// plus `15.5 ε` times the sum of the magnitudes, whatever their length.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum().item(), 10.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sum(self) -> Self {
        self.unary(Sum(None))
    }

    /// The sum along an axis.
    ///
    /// # Derivative
    /// 1 for each element.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 0, NaN, ∞, NaN.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_axis(Axis::Rows).value().as_slice(), [4.0, 6.0]);
    /// assert_eq!(x.sum_axis(Axis::Columns).value().as_slice(), [3.0, 7.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sum_axis(self, axis: Axis) -> Self {
        self.unary(Sum(Some(axis)))
    }

    /// The mean of all elements.
    ///
    /// # Derivative
    /// `1/(m n)` for each element.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`; NaN if there is no element.
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, ∞, NaN.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean().item(), 2.5);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mean(self) -> Self {
        self.sum() / T::from_usize(self.shape().len())
    }

    /// The mean along an axis.
    ///
    /// # Derivative
    /// One over the number of elements that are averaged.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: NaN, NaN, ∞, NaN.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_axis(Axis::Rows).value().as_slice(), [2.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mean_axis(self, axis: Axis) -> Self {
        let count = match axis {
            Axis::Rows => self.rows(),
            Axis::Columns => self.cols(),
        };
        self.sum_axis(axis) / T::from_usize(count)
    }

    /// The largest element.
    ///
    /// # Derivative
    /// 1 for the largest, 0 for the others; ties share it evenly.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, ∞, ∞. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 4.0], [4.0, 2.0]]);
    /// let y = x.max();
    /// assert_eq!(y.item(), 4.0);
    /// assert_eq!(y.gradient(x).value().as_slice(), [0.0, 0.5, 0.5, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn max(self) -> Self {
        self.flat().unary(Max)
    }

    /// The largest element along an axis.
    ///
    /// # Derivative
    /// 1 for the largest, 0 for the others; ties share it evenly.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, ∞, ∞. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 2.0]]);
    /// assert_eq!(x.max_axis(Axis::Rows).value().as_slice(), [3.0, 5.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn max_axis(self, axis: Axis) -> Self {
        self.by_rows(axis, Max)
    }

    /// The smallest element.
    ///
    /// # Derivative
    /// 1 for the smallest, 0 for the others; ties share it evenly.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, 1, -∞. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 2.0]]);
    /// assert_eq!(x.min().item(), 1.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn min(self) -> Self {
        self.flat().unary(Min)
    }

    /// The smallest element along an axis.
    ///
    /// # Derivative
    /// 1 for the smallest, 0 for the others; ties share it evenly.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, NaN, 1, -∞. NaN if any element is NaN.
    ///
    /// # Panics
    /// If there is no element along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 2.0]]);
    /// assert_eq!(x.min_axis(Axis::Columns).value().as_slice(), [1.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn min_axis(self, axis: Axis) -> Self {
        self.by_rows(axis, Min)
    }

    /// The index of the largest element along an axis, the first of ties, as a whole number.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, 0, 0, 0. The first NaN if there is one.
    ///
    /// # Panics
    /// If there is no element along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 2.0]]);
    /// assert_eq!(x.arg_max(Axis::Columns).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn arg_max(self, axis: Axis) -> Self {
        self.by_rows(axis, ArgMax)
    }

    /// The index of the smallest element along an axis, the first of ties, as a whole number.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: a panic, 0, 1, 1. The first NaN if there is one.
    ///
    /// # Panics
    /// If there is no element along the axis.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 5.0], [3.0, 2.0]]);
    /// assert_eq!(x.arg_min(Axis::Columns).value().as_slice(), [0.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn arg_min(self, axis: Axis) -> Self {
        (-self).by_rows(axis, ArgMax)
    }

    /// `ln Σ eˣ` over all elements, with the largest taken out: never overflows.
    ///
    /// # Derivative
    /// The [`softmax`](Self::softmax) of all elements.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: -∞, NaN, ∞, ∞. -∞, with derivative 0, if there is no element or all are
    /// -∞.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1000.0, 1000.0]]);
    /// assert_eq!(x.log_sum_exp().item(), 1000.0 + 2f64.ln());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_sum_exp(self) -> Self {
        self.flat().unary(LogSumExp)
    }

    /// `ln Σ eˣ` along an axis, with the largest element taken out: never overflows.
    ///
    /// # Derivative
    /// The [`softmax`](Self::softmax) along the axis.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: -∞, NaN, ∞, ∞. -∞, with derivative 0, where there is no element or all
    /// are -∞.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1000.0, 1000.0], [0.0, -1000.0]]);
    /// assert_eq!(x.log_sum_exp_axis(Axis::Columns).value().as_slice(), [1000.0 + 2f64.ln(), 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_sum_exp_axis(self, axis: Axis) -> Self {
        self.by_rows(axis, LogSumExp)
    }

    /// All elements in one row.
    #[track_caller]
    pub(crate) fn flat(self) -> Self {
        if self.rows() == 1 { self } else { self.reshape(1, self.shape().len()) }
    }

    /// Applies what works on rows along an axis.
    #[track_caller]
    pub(crate) fn by_rows(self, axis: Axis, op: impl Into<Op>) -> Self {
        match axis {
            Axis::Columns => self.unary(op),
            Axis::Rows => self.transpose().unary(op).transpose(),
        }
    }
}
