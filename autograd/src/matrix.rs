//! Matrices: plain row-major numbers, without any graph.

use core::fmt;
use core::ops::{Index, IndexMut};

use approx::{AbsDiffEq, RelativeEq, UlpsEq};

use crate::scalar::Real;
use crate::shape::Shape;

/// A `rows x cols` matrix of `f32` or `f64`, stored row by row.
///
/// ```
/// use autograd::Matrix;
/// let a = Matrix::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!((a.rows(), a.cols()), (2, 3));
/// assert_eq!(a[(1, 0)], 4.0);
/// assert_eq!(a.row(1), [4.0, 5.0, 6.0]);
/// ```
#[derive(Clone, PartialEq)]
pub struct Matrix<T> {
    shape: Shape,
    data: Vec<T>,
}

impl<T: Real> Matrix<T> {
    /// A `rows x cols` matrix from its elements, row by row.
    ///
    /// # Panics
    /// If `data` does not hold `rows * cols` elements.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// let x = Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x[(1, 0)], 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(rows: usize, cols: usize, data: Vec<T>) -> Self {
        let shape = Shape::new(rows, cols);
        assert!(
            data.len() == shape.len(),
            "Matrix::new: {shape} holds {} elements, the data has {}",
            shape.len(),
            data.len()
        );
        Self { shape, data }
    }

    /// Every element is `value`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::filled(1, 2, 7.0), Matrix::from([[7.0, 7.0]]));
    /// ```
    #[must_use]
    pub fn filled(rows: usize, cols: usize, value: T) -> Self {
        Self { shape: Shape::new(rows, cols), data: vec![value; rows * cols] }
    }

    /// Every element is 0.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::zeros(1, 2), Matrix::from([[0.0, 0.0]]));
    /// ```
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self::filled(rows, cols, T::ZERO)
    }

    /// Every element is 1.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::ones(1, 2), Matrix::from([[1.0, 1.0]]));
    /// ```
    #[must_use]
    pub fn ones(rows: usize, cols: usize) -> Self {
        Self::filled(rows, cols, T::ONE)
    }

    /// Ones on the diagonal, zeros elsewhere.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::identity(2), Matrix::from([[1.0, 0.0], [0.0, 1.0]]));
    /// ```
    #[must_use]
    pub fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| if i == j { T::ONE } else { T::ZERO })
    }

    /// Element `(i, j)` is `f(i, j)`; called row by row.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// let x = Matrix::from_fn(2, 2, |i, j| if i < j { 1.0 } else { 0.0 });
    /// assert_eq!(x, Matrix::from([[0.0, 1.0], [0.0, 0.0]]));
    /// ```
    #[must_use]
    pub fn from_fn(rows: usize, cols: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let data = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))).map(|(i, j)| f(i, j)).collect();
        Self { shape: Shape::new(rows, cols), data }
    }

    /// The `1x1` matrix that holds `value`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::scalar(3.0), Matrix::from([[3.0]]));
    /// ```
    #[must_use]
    pub fn scalar(value: T) -> Self {
        Self::filled(1, 1, value)
    }

    /// The `1xn` matrix that holds `values`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::row_vector(&[1.0, 2.0]), Matrix::from([[1.0, 2.0]]));
    /// ```
    #[must_use]
    pub fn row_vector(values: &[T]) -> Self {
        Self { shape: Shape::new(1, values.len()), data: values.to_vec() }
    }

    /// The `nx1` matrix that holds `values`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::column_vector(&[1.0, 2.0]), Matrix::from([[1.0], [2.0]]));
    /// ```
    #[must_use]
    pub fn column_vector(values: &[T]) -> Self {
        Self { shape: Shape::new(values.len(), 1), data: values.to_vec() }
    }

    /// `rows x cols`.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::<f64>::zeros(2, 3).shape().to_string(), "2x3");
    /// ```
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of rows.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::<f64>::zeros(2, 3).rows(), 2);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.shape.rows
    }

    /// Number of columns.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::<f64>::zeros(2, 3).cols(), 3);
    /// ```
    #[must_use]
    pub fn cols(&self) -> usize {
        self.shape.cols
    }

    /// Number of elements.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::<f64>::zeros(2, 3).len(), 6);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no element.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert!(Matrix::<f64>::zeros(2, 0).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements, row by row.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[1.0, 2.0], [3.0, 4.0]]).as_slice(), [1.0, 2.0, 3.0, 4.0]);
    /// ```
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// The elements, row by row, to be changed.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// let mut x = Matrix::from([[1.0, 2.0]]);
    /// x.as_mut_slice()[1] = 5.0;
    /// assert_eq!(x, Matrix::from([[1.0, 5.0]]));
    /// ```
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The elements, row by row, without a copy.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[1.0], [2.0]]).into_vec(), [1.0, 2.0]);
    /// ```
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// Row `i`.
    ///
    /// # Panics
    /// If there is no such row.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[1.0, 2.0], [3.0, 4.0]]).row(1), [3.0, 4.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn row(&self, i: usize) -> &[T] {
        assert!(i < self.rows(), "row {i} of a {} matrix", self.shape);
        &self.data[i * self.cols()..(i + 1) * self.cols()]
    }

    /// The element of a `1x1` matrix.
    ///
    /// # Panics
    /// If the shape is another one.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[3.0]]).item(), 3.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn item(&self) -> T {
        assert!(self.shape.is_scalar(), "item: the matrix is {}, not 1x1", self.shape);
        self.data[0]
    }

    /// The element `(i, j)`, or `None` outside.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// let x = Matrix::from([[1.0, 2.0]]);
    /// assert_eq!((x.get(0, 1), x.get(1, 0)), (Some(2.0), None));
    /// ```
    #[must_use]
    pub fn get(&self, i: usize, j: usize) -> Option<T> {
        (i < self.rows() && j < self.cols()).then(|| self.data[i * self.cols() + j])
    }

    /// The transpose, as a new matrix.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[1.0, 2.0]]).transpose(), Matrix::from([[1.0], [2.0]]));
    /// ```
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::from_fn(self.cols(), self.rows(), |i, j| self.data[j * self.cols() + i])
    }

    /// `f` of every element.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[1.0, 2.0]]).map(|x| 10.0 * x), Matrix::from([[10.0, 20.0]]));
    /// ```
    #[must_use]
    pub fn map(&self, f: impl FnMut(T) -> T) -> Self {
        Self { shape: self.shape, data: self.data.iter().copied().map(f).collect() }
    }

    /// The same numbers in another element type, rounded to nearest.
    ///
    /// # Examples
    /// ```
    /// use autograd::Matrix;
    /// assert_eq!(Matrix::from([[0.5_f64]]).cast::<f32>(), Matrix::from([[0.5_f32]]));
    /// ```
    #[must_use]
    pub fn cast<U: Real>(&self) -> Matrix<U> {
        Matrix { shape: self.shape, data: self.data.iter().map(|x| U::from_f64(x.to_f64())).collect() }
    }
}

impl<T: Real> Index<(usize, usize)> for Matrix<T> {
    type Output = T;

    #[track_caller]
    fn index(&self, (i, j): (usize, usize)) -> &T {
        assert!(i < self.rows() && j < self.cols(), "element ({i}, {j}) of a {} matrix", self.shape);
        &self.data[i * self.shape.cols + j]
    }
}

impl<T: Real> IndexMut<(usize, usize)> for Matrix<T> {
    #[track_caller]
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut T {
        assert!(i < self.rows() && j < self.cols(), "element ({i}, {j}) of a {} matrix", self.shape);
        &mut self.data[i * self.shape.cols + j]
    }
}

impl<T: Real> From<T> for Matrix<T> {
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

impl<T: Real, const M: usize, const N: usize> From<[[T; N]; M]> for Matrix<T> {
    fn from(rows: [[T; N]; M]) -> Self {
        Self { shape: Shape::new(M, N), data: rows.into_iter().flatten().collect() }
    }
}

impl<T: Real> From<&Matrix<T>> for Matrix<T> {
    fn from(matrix: &Matrix<T>) -> Self {
        matrix.clone()
    }
}

/// Numbers in columns of equal width, at most 8 x 8 of them; larger matrices show their corners.
impl<T: Real> fmt::Display for Matrix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let kept = |n: usize| -> Vec<Option<usize>> {
            if n <= SHOWN {
                return (0..n).map(Some).collect();
            }
            (0..SHOWN / 2).map(Some).chain([None]).chain((n - SHOWN / 2 + 1..n).map(Some)).collect()
        };
        let text = |i: Option<usize>, j: Option<usize>| match (i, j) {
            (Some(i), Some(j)) => match f.precision() {
                Some(digits) => format!("{:.digits$}", self[(i, j)]),
                None => format!("{}", self[(i, j)]),
            },
            (Some(_), None) => "…".to_owned(),
            (None, _) => "⋮".to_owned(),
        };
        if self.shape.is_scalar() {
            return f.write_str(&text(Some(0), Some(0)));
        }
        let cols = kept(self.cols());
        let cells: Vec<Vec<String>> =
            kept(self.rows()).into_iter().map(|i| cols.iter().map(|&j| text(i, j)).collect()).collect();
        let width = cells.iter().flatten().map(|cell| cell.chars().count()).max().unwrap_or(0);
        write!(f, "{} [", self.shape)?;
        for row in &cells {
            write!(f, "\n ")?;
            for cell in row {
                write!(f, " {cell:>width$}")?;
            }
        }
        write!(f, "{}]", if cells.is_empty() { "" } else { "\n" })
    }
}

impl<T: Real> fmt::Debug for Matrix<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Real> AbsDiffEq for Matrix<T> {
    type Epsilon = T;

    fn default_epsilon() -> T {
        T::default_epsilon()
    }

    fn abs_diff_eq(&self, other: &Self, epsilon: T) -> bool {
        self.shape == other.shape && self.data.abs_diff_eq(&other.data, epsilon)
    }
}

impl<T: Real> RelativeEq for Matrix<T> {
    fn default_max_relative() -> T {
        T::default_max_relative()
    }

    fn relative_eq(&self, other: &Self, epsilon: T, max_relative: T) -> bool {
        self.shape == other.shape && self.data.relative_eq(&other.data, epsilon, max_relative)
    }
}

impl<T: Real> UlpsEq for Matrix<T> {
    fn default_max_ulps() -> u32 {
        T::default_max_ulps()
    }

    fn ulps_eq(&self, other: &Self, epsilon: T, max_ulps: u32) -> bool {
        self.shape == other.shape && self.data.ulps_eq(&other.data, epsilon, max_ulps)
    }
}
