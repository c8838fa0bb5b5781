//! Derivatives of the determinant, at any matrix and of any order, without a division.

use nalgebra::linalg::FullPivLU;
use nalgebra::{DMatrix, RealField};

use super::scaled::Scaled;
use super::write;
use crate::kernel::View;
use crate::scalar::Real;

/// The gradient by `A` of the derivative of `det A` along each of `directions`: the cofactors if there are none.
///
/// `P A Q = L D U` with triangular factors of unit diagonal and elements of at most 1, and no factor has a pivot in it that is
/// near 0: those stand in the diagonal `D`. With `E = L⁻¹ P V Q U⁻¹` the determinant of `A + V` is `±det(D + E)`.
pub(super) fn cofactors<T: Real + RealField>(a: DMatrix<T>, directions: &[View<'_, T>], out: &mut [T]) {
    let n = a.nrows();
    if n == 0 {
        return;
    }
    let factors = FullPivLU::new(a);
    let (lower, mut upper) = (factors.l(), factors.u());
    let pivots: Vec<T> = (0..n).map(|i| upper[(i, i)]).collect();
    for (i, &pivot) in pivots.iter().enumerate() {
        for j in i..n {
            upper[(i, j)] = match (i == j, pivot == T::ZERO) {
                (true, _) => T::ONE,
                (false, true) => T::ZERO,
                (false, false) => upper[(i, j)] / pivot,
            };
        }
    }
    let inside = |v: &View<'_, T>| {
        let mut e = DMatrix::from_row_slice(n, n, v.data);
        factors.p().permute_rows(&mut e);
        factors.q().permute_columns(&mut e);
        lower.solve_lower_triangular_unchecked_mut(&mut e);
        let mut e = e.transpose();
        upper.tr_solve_upper_triangular_unchecked_mut(&mut e);
        e.transpose()
    };
    let sign: T = factors.p().determinant::<T>() * factors.q().determinant::<T>();
    let directions: Vec<DMatrix<T>> = directions.iter().map(inside).collect();
    let mut result = Expansion::new(&pivots, sign, &directions).gradient();
    lower.tr_solve_lower_triangular_unchecked_mut(&mut result);
    let mut result = result.transpose();
    upper.solve_upper_triangular_unchecked_mut(&mut result);
    let mut result = result.transpose();
    factors.p().inv_permute_rows(&mut result);
    factors.q().inv_permute_columns(&mut result);
    write(&result, out);
}

/// The part of `det(D + E₁ + … + Eₖ + F)` that is linear in each, for a diagonal `D`: a sum over all choices of different rows,
/// one for each matrix, of the determinant of these rows and columns times the other elements of `D`.
struct Expansion<'a, T> {
    directions: &'a [DMatrix<T>],
    pivots: Vec<Scaled>,
    /// The product of all pivots that are not 0, with the sign, and how many are 0.
    product: Scaled,
    zeros: usize,
    /// The row of `F`, then those of the directions.
    rows: Vec<usize>,
    /// The minors of the first rows of the directions, by the set of columns.
    minors: Vec<T>,
    /// The derivative by `F`.
    gradient: DMatrix<T>,
}

impl<'a, T: Real + RealField> Expansion<'a, T> {
    fn new(pivots: &[T], sign: T, directions: &'a [DMatrix<T>]) -> Self {
        let pivots: Vec<Scaled> = pivots.iter().map(|pivot| Scaled::new(pivot.to_f64())).collect();
        let nonzero = pivots.iter().filter(|pivot| !pivot.is_zero());
        let product = nonzero.fold(Scaled::new(sign.to_f64()), |product, pivot| product.times(*pivot));
        let n = pivots.len();
        Self {
            directions,
            product,
            zeros: pivots.iter().filter(|pivot| pivot.is_zero()).count(),
            pivots,
            rows: Vec::new(),
            minors: Vec::new(),
            gradient: DMatrix::zeros(n, n),
        }
    }

    fn gradient(mut self) -> DMatrix<T> {
        // Fewer rows than matrices: the determinant has no such derivative.
        if self.directions.len() < self.pivots.len() {
            self.minors = vec![T::ZERO; 2 << self.directions.len()];
            self.choose();
        }
        self.gradient
    }

    /// All choices of the remaining rows: a recursion over the order of the derivative.
    fn choose(&mut self) {
        if self.rows.len() > self.directions.len() {
            return self.add();
        }
        for row in 0..self.pivots.len() {
            if !self.rows.contains(&row) {
                self.rows.push(row);
                self.choose();
                self.rows.pop();
            }
        }
    }

    /// The product of the pivots in other rows, or `None` if one of them is 0.
    fn others(&self) -> Option<T> {
        let chosen = self.rows.iter().map(|&row| self.pivots[row]);
        let zeros = chosen.clone().filter(|pivot| pivot.is_zero()).count();
        let divided = |product: Scaled, pivot: Scaled| if pivot.is_zero() { product } else { product.over(pivot) };
        (zeros == self.zeros).then(|| chosen.fold(self.product, divided).get())
    }

    /// The term of the chosen rows.
    fn add(&mut self) {
        let Some(others) = self.others() else { return };
        let all = self.rows.len();
        self.minors.fill(T::ZERO);
        self.minors[0] = T::ONE;
        // Each set of columns after those that it contains; as many rows as columns.
        for set in 1..1_usize << all {
            let used = set.count_ones() as usize;
            if used == all {
                continue;
            }
            let mut minor = T::ZERO;
            for (position, column) in (0..all).filter(|column| set >> column & 1 == 1).enumerate() {
                let element = self.directions[used - 1][(self.rows[used], self.rows[column])];
                let rest = element * self.minors[set & !(1 << column)];
                minor += if (used - 1 - position).is_multiple_of(2) { rest } else { -rest };
            }
            self.minors[set] = minor;
        }
        let full = (1_usize << all) - 1;
        for column in 0..all {
            let cofactor = self.minors[full & !(1 << column)] * others;
            let place = (self.rows[0], self.rows[column]);
            self.gradient[place] += if column.is_multiple_of(2) { cofactor } else { -cofactor };
        }
    }
}
