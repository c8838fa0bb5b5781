//! Linear algebra on factorisations (feature `linalg`).

pub mod cholesky;
pub mod determinant;
pub mod eigen;
pub mod solve;

pub use cholesky::*;
pub use determinant::*;
pub use eigen::*;
pub use solve::*;
