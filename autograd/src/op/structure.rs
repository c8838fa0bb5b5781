//! The same numbers in another place or shape.

use core::ops::Range;

use crate::kernel::{Fault, View, structure};
use crate::op::case::{Case, Domain, Examples};
use crate::op::reduce::Axis;
use crate::op::{Applied, Linear, Pointwise, one};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

/// Rows become columns
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transpose;

impl Linear for Transpose {
    const NAME: &'static str = "transpose";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        Ok(one(inputs)?.transposed())
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::transpose(inputs[0], out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: &Applied<'g, T>) -> Var<'g, T> {
        g.transpose()
    }
}

impl Examples for Transpose {
    fn examples() -> Vec<Case> {
        vec![Case::shaped(Transpose, [(Domain::ALL, (3, 5))])]
    }
}

/// The same elements, row by row, in another shape
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reshape(pub Shape);

impl Linear for Reshape {
    const NAME: &'static str = "reshape";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = one(inputs)?;
        if input.len() == self.0.len() {
            return Ok(self.0);
        }
        Err(format!("{} elements cannot become {}, which has {}", input.len(), self.0, self.0.len()))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        out.copy_from_slice(inputs[0].data);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let shape = at.inputs[0].shape();
        g.reshape(shape.rows, shape.cols)
    }
}

impl Examples for Reshape {
    fn examples() -> Vec<Case> {
        vec![Case::shaped(Reshape(Shape::new(2, 6)), [(Domain::ALL, (3, 4))])]
    }
}

/// One row, column or number repeated to a shape
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast(pub Shape);

impl Linear for Broadcast {
    const NAME: &'static str = "broadcast";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        if one(inputs)?.broadcast(self.0) == Some(self.0) {
            return Ok(self.0);
        }
        Err(format!("each side must equal that of {}, or be 1", self.0))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::broadcast(inputs[0], self.0, out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.sum_to(at.inputs[0].shape())
    }
}

impl Examples for Broadcast {
    fn examples() -> Vec<Case> {
        [(1, 1), (1, 4), (3, 1), (3, 4)]
            .map(|shape| Case::shaped(Broadcast(Shape::new(3, 4)), [(Domain::ALL, shape)]))
            .to_vec()
    }
}

/// A block of rows and columns, or some of them at equal steps: a kernel, because other ways copy all elements
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Where the block starts: row and column.
    pub start: (usize, usize),
    /// How large it is.
    pub shape: Shape,
    /// From one row, and one column, to the next; backward if negative.
    pub step: (isize, isize),
}

impl Slice {
    /// Rows and columns that stand beside each other.
    pub(crate) fn block(start: (usize, usize), shape: Shape) -> Self {
        Self { start, shape, step: (1, 1) }
    }

    /// The place of the numbers in a matrix with `cols` columns.
    fn places(self, cols: usize) -> structure::Places {
        structure::Places { start: self.start, shape: self.shape, step: self.step, cols }
    }
}

impl Linear for Slice {
    const NAME: &'static str = "slice";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let input = one(inputs)?;
        if self.step.0 == 0 || self.step.1 == 0 {
            return Err("steps must not be 0".to_owned());
        }
        let fits = |start: usize, len: usize, step: isize, whole: usize| match len.checked_sub(1) {
            None => start <= whole,
            Some(steps) => {
                let last = isize::try_from(steps).ok().and_then(|steps| steps.checked_mul(step));
                let last = last.and_then(|way| start.checked_add_signed(way));
                start < whole && last.is_some_and(|last| last < whole)
            }
        };
        let rows = fits(self.start.0, self.shape.rows, self.step.0, input.rows);
        if rows && fits(self.start.1, self.shape.cols, self.step.1, input.cols) {
            return Ok(self.shape);
        }
        let (row, col) = self.start;
        let steps = match self.step {
            (1, 1) => String::new(),
            (down, right) => format!(" in steps of {down} and {right}"),
        };
        Err(format!("the {} block at row {row}, column {col}{steps} reaches outside", self.shape))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::slice(inputs[0].data, self.places(inputs[0].shape.cols), out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.unary(Embed { start: self.start, shape: at.inputs[0].shape(), step: self.step })
    }
}

impl Examples for Slice {
    fn examples() -> Vec<Case> {
        let case = |start, (rows, cols), step| {
            let op = Slice { start, shape: Shape::new(rows, cols), step };
            Case::shaped(op, [(Domain::ALL, (4, 5))])
        };
        vec![case((1, 2), (2, 3), (1, 1)), case((0, 1), (2, 2), (3, 2)), case((3, 4), (4, 3), (-1, -2))]
    }
}

/// A block in a matrix of zeros: the transpose of [`Slice`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embed {
    /// Where the block starts: row and column.
    pub start: (usize, usize),
    /// The shape of the whole.
    pub shape: Shape,
    /// From one row, and one column, of the block to the next; backward if negative.
    pub step: (isize, isize),
}

impl Embed {
    /// Rows and columns that stand beside each other.
    pub(crate) fn block(start: (usize, usize), shape: Shape) -> Self {
        Self { start, shape, step: (1, 1) }
    }

    /// What takes a block of `shape` out again.
    fn slice(self, shape: Shape) -> Slice {
        Slice { start: self.start, shape, step: self.step }
    }
}

impl Linear for Embed {
    const NAME: &'static str = "embed";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let block = one(inputs)?;
        self.slice(block).shape(&[self.shape])?;
        Ok(self.shape)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        structure::embed(inputs[0].data, self.slice(inputs[0].shape).places(self.shape.cols), out);
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.unary(self.slice(at.inputs[0].shape()))
    }
}

impl Examples for Embed {
    fn examples() -> Vec<Case> {
        let case = |start, step, block| {
            let op = Embed { start, shape: Shape::new(4, 5), step };
            Case::shaped(op, [(Domain::ALL, block)])
        };
        vec![case((1, 2), (1, 1), (2, 3)), case((3, 0), (-3, 2), (2, 3))]
    }
}

/// Matrices one below the other, or side by side
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat(pub Axis);

impl Linear for Concat {
    const NAME: &'static str = "concat";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let Some(first) = inputs.first() else {
            return Err("takes at least one operand".to_owned());
        };
        let total = |side: fn(&Shape) -> usize| {
            let sides = inputs.iter().map(side);
            sides.fold(0, usize::saturating_add)
        };
        match self.0 {
            Axis::Rows if inputs.iter().all(|shape| shape.cols == first.cols) => {
                Ok(Shape::new(total(|shape| shape.rows), first.cols))
            }
            Axis::Columns if inputs.iter().all(|shape| shape.rows == first.rows) => {
                Ok(Shape::new(first.rows, total(|shape| shape.cols)))
            }
            Axis::Rows => Err("all must have the same number of columns".to_owned()),
            Axis::Columns => Err("all must have the same number of rows".to_owned()),
        }
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        match self.0 {
            Axis::Rows => structure::below(inputs, out),
            Axis::Columns => structure::beside(inputs, out),
        }
        Ok(())
    }

    fn transpose<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let before = at.inputs[..slot].iter().map(|input| input.shape());
        let start = match self.0 {
            Axis::Rows => (before.map(|shape| shape.rows).sum(), 0),
            Axis::Columns => (0, before.map(|shape| shape.cols).sum()),
        };
        g.unary(Slice::block(start, at.inputs[slot].shape()))
    }
}

impl Examples for Concat {
    fn examples() -> Vec<Case> {
        let parts =
            |axis, shapes: [(usize, usize); 3]| Case::shaped(Concat(axis), shapes.map(|shape| (Domain::ALL, shape)));
        vec![parts(Axis::Rows, [(2, 3), (1, 3), (4, 3)]), parts(Axis::Columns, [(2, 3), (2, 1), (2, 2)])]
    }
}

/// The same numbers, from which no derivative flows back
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Detach;

impl Pointwise<1> for Detach {
    const NAME: &'static str = "detach";
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Real>(self, [x]: [T; 1]) -> T {
        x
    }

    fn derivative<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: [Var<'g, T>; 1], _: Var<'g, T>) -> Var<'g, T> {
        g.strong_mul(g.scalar(T::ZERO))
    }

    fn differentiable(self, _: usize) -> bool {
        false
    }
}

impl Examples for Detach {
    fn examples() -> Vec<Case> {
        vec![Case::pointwise(Detach, [Domain::ALL])]
    }
}

impl<'g, T: Real> Var<'g, T> {
    /// The transpose.
    ///
    /// # Derivative
    /// The transpose of the cotangent.
    ///
    /// # Shapes
    /// `(m, n) → (n, m)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.transpose().value().as_slice(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn transpose(self) -> Self {
        self.unary(Transpose)
    }

    /// The same elements, row by row, in another shape.
    ///
    /// # Derivative
    /// The cotangent in the old shape.
    ///
    /// # Shapes
    /// `(m, n) → (rows, cols)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Empty stays empty.
    ///
    /// # Panics
    /// If the number of elements differs.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0, 4.0]]);
    /// assert_eq!(x.reshape(2, 2).value().row(1), [3.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn reshape(self, rows: usize, cols: usize) -> Self {
        self.unary(Reshape(Shape::new(rows, cols)))
    }

    /// A row, column or number repeated to `shape`. The operators broadcast by themselves.
    ///
    /// # Derivative
    /// The cotangent summed over what was repeated.
    ///
    /// # Shapes
    /// `(1, 1)`, `(1, n)`, `(m, 1)` or `(m, n)` `→ (m, n)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Empty stays empty.
    ///
    /// # Panics
    /// If a side is neither 1 nor that of `shape`.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0]]);
    /// assert_eq!(x.broadcast((2, 2)).value().as_slice(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn broadcast(self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        if self.shape() == shape { self } else { self.unary(Broadcast(shape)) }
    }

    /// The block of some rows and columns.
    ///
    /// # Derivative
    /// The cotangent at the place of the block, 0 elsewhere.
    ///
    /// # Shapes
    /// `(m, n) → (rows.len(), cols.len())`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. A block may be empty.
    ///
    /// # Panics
    /// If the block reaches outside.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.slice(0..2, 1..2).value().as_slice(), [2.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        self.unary(Slice::block((rows.start, cols.start), Shape::new(rows.len(), cols.len())))
    }

    /// Matrices one below the other ([`Axis::Rows`]) or side by side ([`Axis::Columns`]).
    ///
    /// # Derivative
    /// To each its block of the cotangent.
    ///
    /// # Shapes
    /// Rows: `(m₁, n), (m₂, n), … → (m₁ + m₂ + …, n)`; columns: `(m, n₁), (m, n₂), … → (m, n₁ + n₂ + …)`
    ///
    /// # Domain and edge cases
    /// Numbers are moved as they are, NaN, ±∞ and -0 too. Parts may be empty.
    ///
    /// # Panics
    /// If there is no operand, or their other sides differ.
    ///
    /// # Examples
    /// ```
    /// use autograd::{Axis, Var};
    /// let graph = autograd::Graph::new();
    /// let (x, y) = (graph.variable([[1.0, 2.0]]), graph.variable([[3.0, 4.0]]));
    /// let z = Var::concat(&[x, y], Axis::Rows);
    /// assert_eq!(z.value(), autograd::Matrix::from([[1.0, 2.0], [3.0, 4.0]]));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn concat(parts: &[Self], axis: Axis) -> Self {
        assert!(!parts.is_empty(), "concat: takes at least one operand");
        Self::nary(Concat(axis), parts)
    }

    /// The same numbers as if they were constant.
    ///
    /// # Derivative
    /// None: the path is cut, and a gradient that has no other path is an error that names this line.
    ///
    /// # Domain and edge cases
    /// Values are as they are, NaN and ±∞ too. Empty stays empty.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable(3.0);
    /// let y = x * x.detach();
    /// assert_eq!(y.gradient(x).item(), 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn detach(self) -> Self {
        self.unary(Detach)
    }
}
