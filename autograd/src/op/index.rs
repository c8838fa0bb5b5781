//! Rows and elements chosen by number. Indices are whole numbers; anything else is an error of the run.

use crate::kernel::{Fault, View, structure};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Linear, three, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

fn indices_of(shape: Shape, count: usize) -> Result<(), String> {
    if shape == Shape::new(count, 1) {
        return Ok(());
    }
    Err(format!("the indices must be a column of {count}"))
}

/// Rows by number
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GatherRows;

impl Linear for GatherRows {
    const NAME: &'static str = "gather_rows";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        if indices.cols != 1 {
            return Err("the indices must be a column".to_owned());
        }
        Ok(Shape::new(indices.rows, x.cols))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::gather_rows(inputs[0], inputs[1].data, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.segment_sum(at.inputs[1], at.inputs[0].rows())
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for GatherRows {
    fn examples() -> Vec<Case> {
        let operands = [(Domain::ALL, (4, 3)), (Domain::Index { bound: 4 }, (6, 1))];
        vec![Case::shaped(GatherRows, operands)]
    }
}

/// Rows added up where their number says: the transpose of [`GatherRows`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SegmentSum {
    /// Number of rows of the result.
    pub rows: usize,
}

impl Linear for SegmentSum {
    const NAME: &'static str = "segment_sum";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        indices_of(indices, x.rows)?;
        Ok(Shape::new(self.rows, x.cols))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::segment_sum(inputs[0], inputs[1].data, self.rows, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.gather_rows(at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for SegmentSum {
    fn examples() -> Vec<Case> {
        let operands = [(Domain::ALL, (6, 3)), (Domain::Index { bound: 4 }, (6, 1))];
        vec![Case::shaped(SegmentSum { rows: 4 }, operands)]
    }
}

/// Rows replaced by others where their number says: a kernel, because a sum would need the rows that go to be 0
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScatterRows;

impl Linear for ScatterRows {
    const NAME: &'static str = "scatter_rows";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [base, indices, source] = three(inputs)?;
        indices_of(indices, source.rows)?;
        if base.cols == source.cols {
            return Ok(base);
        }
        Err("both must have the same number of columns".to_owned())
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::scatter_rows(inputs[0], inputs[2], inputs[1].data, out)
    }

    fn transpose<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        if slot == 2 {
            return g.gather_rows(at.inputs[1]);
        }
        g.scatter_rows(at.inputs[1], g.graph().fill(at.inputs[2].shape(), T::ZERO))
    }

    fn is_linear(self, slot: usize) -> bool {
        slot != 1
    }
}

impl Examples for ScatterRows {
    fn examples() -> Vec<Case> {
        let case = |base, count| {
            Case::shaped(ScatterRows, [(Domain::ALL, base), (Domain::Order, (count, 1)), (Domain::ALL, (count, 2))])
        };
        vec![case((5, 2), 3), case((3, 2), 3)]
    }
}

/// Elements of each row, by number
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pick {
    /// How many of each row: one index each.
    pub count: usize,
}

impl Linear for Pick {
    const NAME: &'static str = "pick";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        if self.count == 1 {
            indices_of(indices, x.rows)?;
        }
        let expected = Shape::new(x.rows, self.count);
        if indices == expected { Ok(expected) } else { Err(format!("the indices must be {expected}")) }
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::pick(inputs[0], inputs[1], out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.binary(Place { cols: at.inputs[0].cols() }, at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for Pick {
    fn examples() -> Vec<Case> {
        let case =
            |count| Case::shaped(Pick { count }, [(Domain::ALL, (4, 3)), (Domain::Index { bound: 3 }, (4, count))]);
        vec![case(1), case(5)]
    }
}

/// Elements added up in each row of zeros, by number: the transpose of [`Pick`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of columns of the result.
    pub cols: usize,
}

impl Linear for Place {
    const NAME: &'static str = "place";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        if x.cols == 1 {
            indices_of(indices, x.rows)?;
        }
        if indices == x {
            return Ok(Shape::new(x.rows, self.cols));
        }
        Err("there must be an index for each element".to_owned())
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::place(inputs[0], inputs[1].data, self.cols, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.pick_axis(Axis::Columns, at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for Place {
    fn examples() -> Vec<Case> {
        let case = |count| {
            let operands = [(Domain::ALL, (4, count)), (Domain::Index { bound: 3 }, (4, count))];
            Case::shaped(Place { cols: 3 }, operands)
        };
        vec![case(1), case(5)]
    }
}

impl<T: Real> Var<'_, T> {
    /// Row `indices[i]` of `x` as row `i`; rows may repeat. An embedding table is looked up so.
    ///
    /// # Derivative
    /// Each row of the cotangent is added to the row that it came from.
    ///
    /// # Shapes
    /// `(m, n), (k, 1) → (k, n)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..m`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// let rows = graph.constant([[1.0], [1.0], [0.0]]);
    /// assert_eq!(x.gather_rows(rows).value().as_slice(), [3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gather_rows(self, indices: Self) -> Self {
        self.binary(GatherRows, indices)
    }

    /// Column `indices[i]` of `x` as column `i`; columns may repeat.
    ///
    /// # Derivative
    /// Each column of the cotangent is added to the column that it came from.
    ///
    /// # Shapes
    /// `(m, n), (k, 1) → (m, k)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..n`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// let columns = graph.constant([[1.0], [1.0], [0.0]]);
    /// assert_eq!(x.gather_cols(columns).value().as_slice(), [2.0, 2.0, 1.0, 4.0, 4.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn gather_cols(self, indices: Self) -> Self {
        self.transpose().binary(GatherRows, indices).transpose()
    }

    /// Row `i` of `x` added to row `indices[i]` of a matrix of zeros with `rows` rows; duplicates add up.
    ///
    /// # Derivative
    /// [`gather_rows`](Self::gather_rows) of the cotangent.
    ///
    /// # Shapes
    /// `(k, n), (k, 1) → (rows, n)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..rows`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0], [2.0], [3.0]]);
    /// let rows = graph.constant([[1.0], [1.0], [0.0]]);
    /// assert_eq!(x.segment_sum(rows, 2).value().as_slice(), [3.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn segment_sum(self, indices: Self, rows: usize) -> Self {
        self.binary(SegmentSum { rows }, indices)
    }

    /// `x` with row `i` of `source` added to row `indices[i]`; duplicates add up.
    ///
    /// # Derivative
    /// The cotangent to `x`, its rows at the indices to `source`.
    ///
    /// # Shapes
    /// `(m, n), (k, 1), (k, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..m`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[10.0], [20.0]]);
    /// let (rows, source) = (graph.constant([[1.0], [1.0]]), graph.variable([[1.0], [2.0]]));
    /// assert_eq!(x.scatter_add_rows(rows, source).value().as_slice(), [10.0, 23.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scatter_add_rows(self, indices: Self, source: Self) -> Self {
        self + source.segment_sum(indices, self.rows())
    }

    /// `x` with row `indices[i]` replaced by row `i` of `source`.
    ///
    /// # Derivative
    /// The cotangent without the rows that were replaced to `x`, those rows to `source`.
    ///
    /// # Shapes
    /// `(m, n), (k, 1), (k, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..m`, none of them twice; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[10.0], [20.0]]);
    /// let (rows, source) = (graph.constant([[1.0]]), graph.variable([[1.0]]));
    /// assert_eq!(x.scatter_rows(rows, source).value().as_slice(), [10.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scatter_rows(self, indices: Self, source: Self) -> Self {
        Self::nary(ScatterRows, &[self, indices, source])
    }

    /// Element `indices[i]` of row `i`: the logit of the class that is true.
    ///
    /// # Derivative
    /// The cotangent at the places that were picked, 0 elsewhere.
    ///
    /// # Shapes
    /// `(m, n), (m, 1) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers in `0..n`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Panics
    /// If the indices are not a column with as many rows: [`pick_axis`](Self::pick_axis) takes several of each row.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.pick(graph.constant([[1.0], [0.0]])).value().as_slice(), [2.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pick(self, indices: Self) -> Self {
        self.binary(Pick { count: 1 }, indices)
    }

    /// Elements along an axis, by number, in place `i, j`: element `indices[i, j]` of row `i` for [`Axis::Columns`], of
    /// column `j` for [`Axis::Rows`].
    ///
    /// # Derivative
    /// The cotangent is added at the places that were picked, 0 elsewhere.
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n), (k, n) → (k, n)`; [`Axis::Columns`]: `(m, n), (m, k) → (m, k)`
    ///
    /// # Domain and edge cases
    /// Indices are whole numbers below the length of the axis; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Panics
    /// If the other side of the indices is not that of `x`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.pick_axis(Axis::Rows, graph.constant([[1.0, 0.0]])).value().as_slice(), [3.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pick_axis(self, axis: Axis, indices: Self) -> Self {
        match axis {
            Axis::Rows => {
                let pick = Pick { count: indices.rows() };
                self.transpose().binary(pick, indices.transpose()).transpose()
            }
            Axis::Columns => self.binary(Pick { count: indices.cols() }, indices),
        }
    }

    /// Of a column of whole numbers: row `i` has a 1 in column `x[i]`, 0 elsewhere.
    ///
    /// # Derivative
    /// None: the path is cut.
    ///
    /// # Shapes
    /// `(m, 1) → (m, classes)`
    ///
    /// # Domain and edge cases
    /// Elements are whole numbers in `0..classes`; others are a [`RunError`](crate::RunError) of the run.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let labels = graph.constant([[2.0], [0.0]]);
    /// assert_eq!(labels.one_hot(3).value().as_slice(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn one_hot(self, classes: usize) -> Self {
        let ones = self.graph().fill(Shape::new(self.rows(), 1), T::ONE);
        ones.binary(Place { cols: classes }, self)
    }
}
