//! Numbers as data of operations.

use core::fmt;

use crate::scalar::Real;

/// A number as data of an operation: compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// The bits of `value`, widened to `f64`.
    #[must_use]
    pub fn new<T: Real>(value: T) -> Self {
        Self(value.to_f64().to_bits())
    }

    /// The number.
    #[must_use]
    pub fn get<T: Real>(self) -> T {
        T::from_f64(f64::from_bits(self.0))
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from_bits(self.0))
    }
}
