//! Shapes: the two numbers that every value has.

use core::fmt;

/// `rows x cols`. A scalar is `1x1`, a row `1xn`, a column `mx1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl Shape {
    /// The shape of a scalar, `1x1`.
    pub const SCALAR: Shape = Shape { rows: 1, cols: 1 };

    /// `rows x cols`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Shape;
    /// assert_eq!(Shape::new(2, 3), Shape::from((2, 3)));
    /// ```
    #[must_use]
    pub const fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols }
    }

    /// Number of elements, `rows * cols`; `usize::MAX` if that is more.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(autograd::Shape::new(2, 3).len(), 6);
    /// ```
    #[must_use]
    pub const fn len(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether there is no element.
    ///
    /// # Examples
    /// ```
    /// assert!(autograd::Shape::new(2, 0).is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.rows == 0 || self.cols == 0
    }

    /// Whether this is `1x1`.
    ///
    /// # Examples
    /// ```
    /// assert!(autograd::Shape::new(1, 1).is_scalar());
    /// ```
    #[must_use]
    pub const fn is_scalar(self) -> bool {
        self.rows == 1 && self.cols == 1
    }

    /// `cols x rows`.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(autograd::Shape::new(2, 3).transposed().to_string(), "3x2");
    /// ```
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows }
    }

    /// The shape that both broadcast to: in each direction the lengths are equal, or one of them is 1.
    ///
    /// ```
    /// use autograd::Shape;
    /// assert_eq!(Shape::new(3, 1).broadcast(Shape::new(1, 4)), Some(Shape::new(3, 4)));
    /// assert_eq!(Shape::new(3, 2).broadcast(Shape::new(2, 3)), None);
    /// ```
    #[must_use]
    pub fn broadcast(self, other: Self) -> Option<Self> {
        let side = |a: usize, b: usize| match (a, b) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        };
        Some(Self { rows: side(self.rows, other.rows)?, cols: side(self.cols, other.cols)? })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.rows, self.cols)
    }
}

impl From<(usize, usize)> for Shape {
    fn from((rows, cols): (usize, usize)) -> Self {
        Self { rows, cols }
    }
}
