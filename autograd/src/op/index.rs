//! Rows and elements chosen by number. Indices are columns of whole numbers; anything else is an error of the run.

use crate::kernel::{Fault, View, structure};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Linear, two};
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
        g.scatter_rows(at.inputs[1], at.inputs[0].rows())
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
pub struct ScatterRows {
    /// Number of rows of the result.
    pub rows: usize,
}

impl Linear for ScatterRows {
    const NAME: &'static str = "scatter_rows";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        indices_of(indices, x.rows)?;
        Ok(Shape::new(self.rows, x.cols))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::scatter_rows(inputs[0], inputs[1].data, self.rows, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.gather_rows(at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for ScatterRows {
    fn examples() -> Vec<Case> {
        let operands = [(Domain::ALL, (6, 3)), (Domain::Index { bound: 4 }, (6, 1))];
        vec![Case::shaped(ScatterRows { rows: 4 }, operands)]
    }
}

/// One element of each row, by number
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pick;

impl Linear for Pick {
    const NAME: &'static str = "pick";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        indices_of(indices, x.rows)?;
        Ok(Shape::new(x.rows, 1))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::pick(inputs[0], inputs[1].data, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.binary(Place { cols: at.inputs[0].cols() }, at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for Pick {
    fn examples() -> Vec<Case> {
        vec![Case::shaped(Pick, [(Domain::ALL, (4, 3)), (Domain::Index { bound: 3 }, (4, 1))])]
    }
}

/// One element in each row of zeros, by number: the transpose of [`Pick`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Number of columns of the result.
    pub cols: usize,
}

impl Linear for Place {
    const NAME: &'static str = "place";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, indices] = two(inputs)?;
        indices_of(x, x.rows)?;
        indices_of(indices, x.rows)?;
        Ok(Shape::new(x.rows, self.cols))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::place(inputs[0].data, inputs[1].data, self.cols, out)
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.pick(at.inputs[1])
    }

    fn is_linear(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for Place {
    fn examples() -> Vec<Case> {
        let operands = [(Domain::ALL, (4, 1)), (Domain::Index { bound: 3 }, (4, 1))];
        vec![Case::shaped(Place { cols: 3 }, operands)]
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
    /// assert_eq!(x.scatter_rows(rows, 2).value().as_slice(), [3.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scatter_rows(self, indices: Self, rows: usize) -> Self {
        self.binary(ScatterRows { rows }, indices)
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
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.pick(graph.constant([[1.0], [0.0]])).value().as_slice(), [2.0, 3.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn pick(self, indices: Self) -> Self {
        self.binary(Pick, indices)
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
