//! Factorisations, in one thread: the numbers of `nalgebra`, with a fault where it says "no" or nothing.

use nalgebra::linalg::{Cholesky, LU, SymmetricEigen};
use nalgebra::{DMatrix, DVector, RealField};

use crate::kernel::{Broken, Fault, View};
use crate::scalar::Real;

mod cofactors;
mod scaled;
mod spectrum;
mod triangular;

pub(crate) use spectrum::{CLOSE, unsplit};
pub use triangular::Triangular;
pub(crate) use triangular::substitute;

use scaled::Scaled;

/// What a factorisation is for, with its operands.
#[derive(Clone, Copy, Debug)]
pub enum Task<'a, T> {
    /// `A⁻¹`
    Inverse(View<'a, T>),
    /// `A X = B`
    Solve(View<'a, T>, View<'a, T>),
    /// `Aᵀ X = B`
    SolveTransposed(View<'a, T>, View<'a, T>),
    /// The lower factor of the symmetric part.
    Cholesky(View<'a, T>),
    /// `det A`
    Determinant(View<'a, T>),
    /// `ln |det A|` and the sign.
    LogDeterminant(View<'a, T>),
    /// The derivatives of the determinant of the first along the others, by the first.
    Cofactors(&'a [View<'a, T>]),
    /// Those of the symmetric part, in ascending order.
    Eigenvalues(View<'a, T>),
    /// The unit vectors of these, one a column.
    Eigenvectors(View<'a, T>),
}

/// Carries out a task.
pub(crate) fn run<T: Real + RealField>(task: Task<'_, T>, out: &mut [T]) -> Result<(), Fault> {
    match task {
        Task::Inverse(a) => {
            let mut x = DMatrix::identity(a.shape.rows, a.shape.rows);
            solve_in_place(matrix(a)?, &mut x)?;
            write(&x, out);
        }
        Task::Solve(a, b) => {
            let mut x = unchecked(b);
            solve_in_place(matrix(a)?, &mut x)?;
            write(&x, out);
        }
        Task::SolveTransposed(a, b) => {
            let mut x = unchecked(b);
            solve_in_place(matrix(a)?.transpose(), &mut x)?;
            write(&x, out);
        }
        Task::Cholesky(a) => write(&cholesky(symmetric(a)?)?, out),
        Task::Determinant(a) => out[0] = determinant(matrix(a)?).get(),
        Task::LogDeterminant(a) => {
            let value = determinant(matrix(a)?);
            out.copy_from_slice(&[<T as Real>::from_f64(value.ln()), <T as Real>::from_f64(value.signum())]);
        }
        Task::Cofactors(operands) => cofactors::cofactors(matrix(operands[0])?, &operands[1..], out),
        Task::Eigenvalues(a) => out.copy_from_slice(eigen(symmetric(a)?)?.0.as_slice()),
        Task::Eigenvectors(a) => write(&eigen(symmetric(a)?)?.1, out),
    }
    Ok(())
}

/// The matrix, if it is finite: what is not makes some factorisations run for ever, and others give finite numbers.
fn matrix<T: Real + RealField>(a: View<'_, T>) -> Result<DMatrix<T>, Fault> {
    match a.data.iter().position(|x| !Real::is_finite(*x)) {
        Some(position) => Err(Fault { position, value: a.data[position].to_f64(), rule: Broken::NotFinite }),
        None => Ok(unchecked(a)),
    }
}

fn unchecked<T: Real + RealField>(a: View<'_, T>) -> DMatrix<T> {
    DMatrix::from_row_slice(a.shape.rows, a.shape.cols, a.data)
}

/// `(A + Aᵀ) / 2`, exactly `A` where that is symmetric.
fn symmetric<T: Real + RealField>(a: View<'_, T>) -> Result<DMatrix<T>, Fault> {
    let a = matrix(a)?;
    let half = <T as Real>::from_f64(0.5);
    Ok(DMatrix::from_fn(a.nrows(), a.ncols(), |i, j| {
        if a[(i, j)] == a[(j, i)] { a[(i, j)] } else { a[(i, j)] * half + a[(j, i)] * half }
    }))
}

/// Row by row.
fn write<T: Real + RealField>(x: &DMatrix<T>, out: &mut [T]) {
    for (row, out) in out.chunks_exact_mut(x.ncols().max(1)).enumerate() {
        out.iter_mut().zip(x.row(row).iter()).for_each(|(out, x)| *out = *x);
    }
}

fn fault(position: usize, rule: Broken) -> Fault {
    Fault { position, value: 0.0, rule }
}

/// `x ← A⁻¹ x`, by elimination with row exchanges.
fn solve_in_place<T: Real + RealField>(a: DMatrix<T>, x: &mut DMatrix<T>) -> Result<(), Fault> {
    if a.is_empty() {
        return Ok(());
    }
    let factors = LU::new(a);
    if factors.solve_mut(x) {
        return Ok(());
    }
    let pivots = factors.u();
    let first = (0..pivots.nrows()).find(|&i| pivots[(i, i)] == T::ZERO);
    Err(fault(first.unwrap_or(0), Broken::Singular))
}

/// The product of the pivots, with the sign of the row exchanges.
fn determinant<T: Real + RealField>(a: DMatrix<T>) -> Scaled {
    if a.is_empty() {
        return Scaled::ONE;
    }
    let factors = LU::new(a);
    let sign: T = factors.p().determinant();
    let pivots = factors.u();
    (0..pivots.nrows()).fold(Scaled::new(sign.to_f64()), |det, i| det.times(Scaled::new(pivots[(i, i)].to_f64())))
}

fn cholesky<T: Real + RealField>(a: DMatrix<T>) -> Result<DMatrix<T>, Fault> {
    let n = a.nrows();
    match Cholesky::new(a.clone()) {
        Some(factor) => Ok(factor.unpack()),
        None => {
            let positive = |order: usize| Cholesky::new(a.view((0, 0), (order, order)).into_owned()).is_some();
            let least = (1..=n).find(|&order| !positive(order)).unwrap_or(n);
            Err(fault(least, Broken::NotPositiveDefinite))
        }
    }
}

/// Eigenvalues in ascending order, and a unit vector of each, whose largest element is positive.
fn eigen<T: Real + RealField>(a: DMatrix<T>) -> Result<(DVector<T>, DMatrix<T>), Fault> {
    /// Far more steps than ever needed for each eigenvalue: some two on average.
    const STEPS: usize = 200;
    let n = a.nrows();
    if n == 0 {
        return Ok((DVector::zeros(0), a));
    }
    let found = SymmetricEigen::try_new(a, <T as Real>::EPSILON, STEPS * n);
    let Some(SymmetricEigen { eigenvalues, eigenvectors }) = found else {
        return Err(fault(0, Broken::NoConvergence));
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| eigenvalues[i].to_f64().total_cmp(&eigenvalues[j].to_f64()));
    let sign = |k: usize| {
        let column = eigenvectors.column(k);
        if column[column.icamax()] < T::ZERO { -T::ONE } else { T::ONE }
    };
    let signs: Vec<T> = (0..n).map(sign).collect();
    let values = DVector::from_fn(n, |i, _| eigenvalues[order[i]]);
    Ok((values, DMatrix::from_fn(n, n, |i, j| eigenvectors[(i, order[j])] * signs[order[j]])))
}
