//! Results that grow along a row: each element from the ones before it. One of them, the linear recurrence, is what the
//! derivatives of all others are made of.

use crate::kernel::{Fault, View, cumulative, reduce};
use crate::op::case::{Case, Domain, Examples};
use crate::op::{Applied, Axis, Embed, Linear, Pieces, Rule, Slice, one, sum_of, two};
use crate::scalar::Real;
use crate::shape::Shape;
use crate::var::Var;

pub use crate::kernel::cumulative::Direction;

/// The sums of all elements so far of each row: a kernel, because sums of slices would take `n²` additions
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CumSum(pub Direction);

impl Linear for CumSum {
    const NAME: &'static str = "cumsum";

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::map_rows(inputs[0], out, |x, out| cumulative::sum(x, self.0, out));
        Ok(())
    }

    fn transpose<'g, T: Real>(self, _: usize, g: Var<'g, T>, _: &Applied<'g, T>) -> Var<'g, T> {
        g.unary(CumSum(self.0.reversed()))
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for CumSum {
    fn examples() -> Vec<Case> {
        let case = |direction, shape| Case::shaped(CumSum(direction), [(Domain::ALL, shape)]);
        vec![case(Direction::Forward, (3, 4)), case(Direction::Backward, (3, 4)), case(Direction::Forward, (2, 1))]
    }
}

/// `yᵢ = xᵢ + aᵢ yᵢ₋₁` along each row: a kernel, because no composition of the others is a recurrence
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearScan(pub Direction);

impl LinearScan {
    /// The same recurrence, run backward over `g`, is the transposed map.
    fn transposed<'g, T: Real>(self, g: Var<'g, T>, a: Var<'g, T>) -> Var<'g, T> {
        let back = self.0.reversed();
        g.binary(Self(back), previous(a, back))
    }
}

impl Rule for LinearScan {
    fn name(self) -> &'static str {
        "linear_scan"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        let [x, a] = two(inputs)?;
        if x == a { Ok(x) } else { Err("both must have the same shape".to_owned()) }
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        let mut factors = inputs[1].rows();
        reduce::map_rows(inputs[0], out, |x, out| {
            if let Some(a) = factors.next() {
                cumulative::linear(x, a, self.0, out);
            }
        });
        Ok(())
    }

    fn vjp<'g, T: Real>(self, slot: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let along = self.transposed(g, at.inputs[1]);
        if slot == 0 { along } else { along.strong_mul(previous(at.output, self.0)) }
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let of_factors = tangents[1].map(|da| da.strong_mul(previous(at.output, self.0)));
        let along = sum_of([tangents[0], of_factors].into_iter().flatten());
        along.binary(self, at.inputs[1])
    }

    fn by_rows(self) -> bool {
        true
    }

    fn is_affine(self, slot: usize) -> bool {
        slot == 0
    }
}

impl Examples for LinearScan {
    fn examples() -> Vec<Case> {
        let case = |direction, shape| Case::shaped(LinearScan(direction), [(Domain::ALL, shape); 2]);
        vec![case(Direction::Forward, (3, 4)), case(Direction::Backward, (2, 5)), case(Direction::Forward, (2, 1))]
    }
}

/// What stands before each element when running in that direction; 0 before the first.
fn previous<T: Real>(x: Var<'_, T>, direction: Direction) -> Var<'_, T> {
    let shape = x.shape();
    let rest = Shape::new(shape.rows, shape.cols.saturating_sub(1));
    let (from, to) = match direction {
        Direction::Forward => (0, shape.cols - rest.cols),
        Direction::Backward => (shape.cols - rest.cols, 0),
    };
    x.unary(Slice::block((0, from), rest)).unary(Embed::block((0, to), shape))
}

/// 1 at the start of each row, 0 elsewhere.
fn start<T: Real>(like: Var<'_, T>, direction: Direction) -> Var<'_, T> {
    let shape = like.shape();
    let at = match direction {
        Direction::Forward => 0,
        Direction::Backward => shape.cols - 1,
    };
    like.graph().fill(Shape::new(shape.rows, 1), T::ONE).unary(Embed::block((0, at), shape))
}

/// The products of all other elements of each row, without a division: exact where elements are 0.
fn product_of_others<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    if x.cols() == 0 {
        return x;
    }
    let before = |direction| start(x, direction).binary(LinearScan(direction), previous(x, direction));
    before(Direction::Forward) * before(Direction::Backward)
}

/// The product of each row: a kernel, because the last of the products so far is slower and stores all of them
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prod;

impl Rule for Prod {
    fn name(self) -> &'static str {
        "prod"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        Ok(Shape::new(one(inputs)?.rows, 1))
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::per_row(inputs[0], out, reduce::product);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        g.strong_mul(product_of_others(at.inputs[0]))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let others = product_of_others(at.inputs[0]);
        sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(others))).sum_axis(Axis::Columns)
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for Prod {
    fn examples() -> Vec<Case> {
        [(3, 4), (1, 5), (2, 1)].map(|shape| Case::shaped(Prod, [(Domain::ALL, shape)])).to_vec()
    }
}

/// The largest element so far of each row: a kernel, because it is no linear recurrence
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CumMax;

/// How the results of [`CumMax`] hang on their operand: where an element is the largest so far, how many are, and
/// where the result stays the same up to the next element.
fn largest_so_far<'g, T: Real>(at: &Applied<'g, T>) -> (Var<'g, T>, Var<'g, T>, Var<'g, T>) {
    let (x, y) = (at.inputs[0], at.output);
    let hit = x.equal(y);
    let count = hit.binary(LinearScan(Direction::Forward), y.equal(previous(y, Direction::Forward)));
    (hit, count, y.equal(previous(y, Direction::Backward)))
}

impl Rule for CumMax {
    fn name(self) -> &'static str {
        "cummax"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::map_rows(inputs[0], out, cumulative::max);
        Ok(())
    }

    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let (hit, count, stays) = largest_so_far(at);
        let share = g.strong_mul(count.scalar(T::ONE) / count);
        hit.strong_mul(share.binary(LinearScan(Direction::Backward), stays))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let (hit, count, _) = largest_so_far(at);
        let stayed = at.output.equal(previous(at.output, Direction::Forward));
        let moved = sum_of(tangents.iter().flatten().map(|dx| hit.strong_mul(*dx)));
        let moved = moved.binary(LinearScan(Direction::Forward), stayed);
        moved.strong_mul(count.scalar(T::ONE) / count)
    }

    fn by_rows(self) -> bool {
        true
    }

    fn frozen<'g, T: Real>(self, x: &[Var<'g, T>], at: &[Var<'g, T>]) -> Option<Var<'g, T>> {
        let largest = at[0].unary(self);
        let (hit, stays) = (at[0].equal(largest), largest.equal(previous(largest, Direction::Forward)));
        let scan = |x: Var<'g, T>| x.binary(LinearScan(Direction::Forward), stays);
        Some(scan(hit.select(x[0], x[0].scalar(T::ZERO))) / scan(hit))
    }

    fn pieces<T: Real>(self, inputs: &[View<'_, T>]) -> Option<Pieces<T>> {
        let (mut switch, mut margin) = (Vec::new(), Vec::new());
        for row in inputs[0].rows() {
            let (mut first, mut second) = (T::NEG_INFINITY, T::NEG_INFINITY);
            for (j, &x) in row.iter().enumerate() {
                let ahead = j == 0 || x > first;
                switch.push(T::from_usize(usize::from(ahead) + usize::from(ahead || x == first)));
                if ahead {
                    (first, second) = (x, first);
                } else if x > second {
                    second = x;
                }
                margin.push(if first == second && j > 0 { T::ZERO } else { first - second });
            }
        }
        Some(Pieces { switch, margin })
    }
}

impl Examples for CumMax {
    fn examples() -> Vec<Case> {
        [(3, 4), (1, 6), (2, 1)].map(|shape| Case::shaped(CumMax, [(Domain::Distinct, shape)])).to_vec()
    }
}

/// `ln Σ eˣ` of all elements so far of each row, with the largest taken out so that nothing overflows
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogCumSumExp;

/// `e^(a - b)` for `a ≤ b`; 0 where `a` is -∞, also if `b` is.
fn exp_of_difference<'g, T: Real>(a: Var<'g, T>, b: Var<'g, T>) -> Var<'g, T> {
    let nothing = a.equal(a.scalar(T::NEG_INFINITY));
    nothing.select(a.scalar(T::ZERO), (a - b).exp())
}

impl Rule for LogCumSumExp {
    fn name(self) -> &'static str {
        "log_cum_sum_exp"
    }

    fn shape(self, inputs: &[Shape]) -> Result<Shape, String> {
        one(inputs)
    }

    fn forward<T: Real>(self, inputs: &[View<'_, T>], out: &mut [T]) -> Result<(), Fault> {
        reduce::map_rows(inputs[0], out, cumulative::log_sum_exp);
        Ok(())
    }

    /// `Σₖ gₖ e^(xᵢ - yₖ)` over `k ≥ i`, from the last on: all exponents are of differences that are not positive.
    fn vjp<'g, T: Real>(self, _: usize, g: Var<'g, T>, at: &Applied<'g, T>) -> Var<'g, T> {
        let (x, y) = (at.inputs[0], at.output);
        let decay = exp_of_difference(y, previous(y, Direction::Backward));
        g.binary(LinearScan(Direction::Backward), decay).strong_mul(exp_of_difference(x, y))
    }

    fn jvp<'g, T: Real>(self, tangents: &[Option<Var<'g, T>>], at: &Applied<'g, T>) -> Var<'g, T> {
        let (x, y) = (at.inputs[0], at.output);
        let weights = exp_of_difference(x, y);
        let decay = exp_of_difference(previous(y, Direction::Forward), y);
        let moved = sum_of(tangents.iter().flatten().map(|dx| dx.strong_mul(weights)));
        moved.binary(LinearScan(Direction::Forward), decay)
    }

    fn by_rows(self) -> bool {
        true
    }
}

impl Examples for LogCumSumExp {
    fn examples() -> Vec<Case> {
        [(3, 4), (2, 1)].map(|shape| Case::shaped(LogCumSumExp, [(Domain::ALL, shape)])).to_vec()
    }
}

impl<T: Real> Var<'_, T> {
    /// The product of all elements.
    ///
    /// # Derivative
    /// For each element the product of all others, without a division: exact where elements are 0, to every order. A
    /// cotangent that is exactly 0 contributes exactly 0.
    ///
    /// # Shapes
    /// `(m, n) → (1, 1)`; 1 if there is no element.
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 1, NaN, ∞, -∞. From left to right, row by row: half a unit in the last
    /// place for each multiplication; infinite where that overflows on the way.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[2.0, 0.0, 5.0]]);
    /// let y = x.prod();
    /// assert_eq!(y.item(), 0.0);
    /// assert_eq!(y.gradient(x).value().as_slice(), [0.0, 10.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn prod(self) -> Self {
        self.flat().unary(Prod)
    }

    /// The product along an axis.
    ///
    /// # Derivative
    /// For each element the product of all others, as of [`prod`](Self::prod).
    ///
    /// # Shapes
    /// [`Axis::Rows`]: `(m, n) → (1, n)`; [`Axis::Columns`]: `(m, n) → (m, 1)`
    ///
    /// # Domain and edge cases
    /// Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: 1, NaN, ∞, -∞.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.prod_axis(Axis::Rows).value().as_slice(), [3.0, 8.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn prod_axis(self, axis: Axis) -> Self {
        self.by_rows(axis, Prod)
    }

    /// The sums of all elements so far along an axis.
    ///
    /// # Derivative
    /// The sums of the cotangent from the other end.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [∞, ∞], [∞, NaN]. Of nothing: nothing. What rounding loses is kept:
    /// each sum is that of the numbers to half a unit in its last place plus `n² ε²` of the sum of the magnitudes.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.cumsum(Axis::Columns).value().as_slice(), [1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # References
    /// T. Ogita, S. Rump, S. Oishi, "Accurate sum and dot product", 2005, algorithm 4.4.
    #[must_use]
    #[track_caller]
    pub fn cumsum(self, axis: Axis) -> Self {
        self.by_rows(axis, CumSum(Direction::Forward))
    }

    /// The products of all elements so far along an axis.
    ///
    /// # Derivative
    /// Without a division: exact where elements are 0, to every order.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [∞, ∞], [∞, -∞]. Of nothing: nothing.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[2.0, 3.0, 0.0, 5.0]]);
    /// assert_eq!(x.cumprod(Axis::Columns).value().as_slice(), [2.0, 6.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cumprod(self, axis: Axis) -> Self {
        if self.shape().is_empty() {
            return self;
        }
        match axis {
            Axis::Columns => {
                let first = self.slice(0..self.rows(), 0..1).unary(Embed::block((0, 0), self.shape()));
                first.linear_scan(self, Direction::Forward)
            }
            Axis::Rows => self.transpose().cumprod(Axis::Columns).transpose(),
        }
    }

    /// The linear recurrence `yᵢ = xᵢ + aᵢ yᵢ₋₁` along each row, in that direction, from `y = x` at its start: discounted
    /// sums, exponential averages, filters of first order. The first factor is not used.
    ///
    /// # Derivative
    /// To `x` the same recurrence from the other end; to each factor that times the result before it.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)` with factors that broadcast to `(m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [∞, ∞], [∞, NaN]. Of nothing: nothing.
    ///
    /// # Panics
    /// If the factors do not broadcast to the shape of `x`.
    ///
    /// # Examples
    /// ```
    /// use autograd::op::Direction;
    /// let graph = autograd::Graph::new();
    /// let rewards = graph.variable([[1.0, 1.0, 1.0]]);
    /// let returns = rewards.linear_scan(graph.constant(0.5), Direction::Backward);
    /// assert_eq!(returns.value().as_slice(), [1.75, 1.5, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn linear_scan(self, factors: Self, direction: Direction) -> Self {
        self.binary(LinearScan(direction), factors.broadcast(self.shape()))
    }

    /// The largest element so far along an axis. The smallest: `-(-x).cummax(axis)`.
    ///
    /// # Derivative
    /// 1 for the largest so far, 0 for the others; ties share it evenly.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [∞, ∞], [∞, ∞]. Of nothing: nothing. NaN from the first NaN on.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1.0, 3.0, 2.0]]);
    /// let y = x.cummax(Axis::Columns);
    /// assert_eq!(y.value().as_slice(), [1.0, 3.0, 3.0]);
    /// assert_eq!(y.sum().gradient(x).value().as_slice(), [1.0, 2.0, 0.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn cummax(self, axis: Axis) -> Self {
        self.by_rows(axis, CumMax)
    }

    /// `ln Σ eˣ` of all elements so far along an axis: never overflows.
    ///
    /// # Derivative
    /// `∂yₖ/∂xᵢ = e^(xᵢ - yₖ)` for `i ≤ k`.
    ///
    /// # Shapes
    /// `(m, n) → (m, n)`
    ///
    /// # Domain and edge cases
    /// Of [NaN, 1], [∞, 1], [∞, -∞]: [NaN, NaN], [∞, ∞], [∞, ∞]. Of nothing: nothing. -∞, with derivative 0, where all
    /// so far are -∞.
    ///
    /// # Examples
    /// ```
    /// use autograd::Axis;
    /// let graph = autograd::Graph::new();
    /// let x = graph.variable([[1000.0, 1000.0]]);
    /// assert_eq!(x.log_cum_sum_exp(Axis::Columns).value().as_slice(), [1000.0, 1000.0 + 2f64.ln()]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn log_cum_sum_exp(self, axis: Axis) -> Self {
        self.by_rows(axis, LogCumSumExp)
    }
}
