//! Numbers with an exponent of their own, so that a product overflows only if its value does.

use crate::scalar::Real;

/// `mantissa · 2^exponent`, where the mantissa is 0, not finite, or between 1 and 2 in magnitude.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaled {
    mantissa: f64,
    exponent: i64,
}

const FRACTION_BITS: u32 = 52;
const BIAS: i64 = 1023;

impl Scaled {
    pub(super) const ONE: Self = Self { mantissa: 1.0, exponent: 0 };

    pub(super) fn new(x: f64) -> Self {
        Self { mantissa: x, exponent: 0 }.normalised()
    }

    fn normalised(self) -> Self {
        let Self { mantissa, exponent } = self;
        if mantissa == 0.0 || !mantissa.is_finite() {
            return Self { mantissa, exponent: 0 };
        }
        if mantissa.abs() < f64::MIN_POSITIVE {
            // Subnormal numbers have no exponent: 2^64 makes them normal.
            return Self { mantissa: mantissa * power_of_two(64), exponent: exponent - 64 }.normalised();
        }
        let biased = mantissa.abs().to_bits() >> FRACTION_BITS;
        let own = i64::try_from(biased).unwrap_or(0) - BIAS;
        // Exact, also for the largest exponent, whose power has a subnormal reciprocal.
        Self { mantissa: mantissa * power_of_two(-own / 2) * power_of_two(-own - (-own / 2)), exponent: exponent + own }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { mantissa: self.mantissa * other.mantissa, exponent: self.exponent + other.exponent }.normalised()
    }

    pub(super) fn over(self, other: Self) -> Self {
        Self { mantissa: self.mantissa / other.mantissa, exponent: self.exponent - other.exponent }.normalised()
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// The nearest number: 0 or infinite beyond the range.
    pub(super) fn get<T: Real>(self) -> T {
        // Two steps, for each power must be a normal number; beyond them the result is 0 or infinite anyway.
        let exponent = self.exponent.clamp(-2000, 2000);
        let half = exponent / 2;
        T::from_f64(self.mantissa * power_of_two(half) * power_of_two(exponent - half))
    }

    /// `ln |x|`
    pub(super) fn ln(self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "no product of numbers in memory has an exponent beyond 2^53")]
        let exponent = self.exponent as f64;
        let mantissa = self.mantissa.abs();
        // A mantissa around 1, so that nothing cancels where the number is just below 1.
        let (mantissa, exponent) =
            if mantissa > core::f64::consts::SQRT_2 { (mantissa / 2.0, exponent + 1.0) } else { (mantissa, exponent) };
        crate::kernel::math::ln(mantissa) + exponent * core::f64::consts::LN_2
    }

    /// -1, 0 or 1
    pub(super) fn signum(self) -> f64 {
        if self.mantissa == 0.0 { 0.0 } else { self.mantissa.signum() }
    }
}

/// `2^k` for exponents of normal numbers.
fn power_of_two(k: i64) -> f64 {
    f64::from_bits(u64::try_from(k + BIAS).unwrap_or(0) << FRACTION_BITS)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "powers of 2 are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_product_overflows_only_if_its_value_does() {
        let numbers = [1e200, -1e200, 3.0, 1e-200, 1e-200, f64::MAX, 1.0 / f64::MAX];
        let product = |factors: &[f64]| factors.iter().fold(Scaled::ONE, |p, x| p.times(Scaled::new(*x)));
        // As many roundings as factors.
        assert!((product(&numbers[..5]).get::<f64>() / -3.0 - 1.0).abs() <= 5.0 * f64::EPSILON);
        assert!((product(&numbers[5..]).get::<f64>() - 1.0).abs() <= 4.0 * f64::EPSILON);
        assert_eq!(product(&[f64::MAX, f64::MAX]).get::<f64>(), f64::INFINITY);
        assert_eq!(product(&[f64::MAX, -2.0]).get::<f64>(), f64::NEG_INFINITY);
        assert_eq!(product(&[f64::MIN_POSITIVE, 2f64.powi(-60)]).get::<f64>(), 0.0);
    }

    #[test]
    fn a_number_comes_back() {
        for x in [1.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, -3e-310, 0.0, 1e300, f64::INFINITY] {
            assert_eq!(Scaled::new(x).get::<f64>(), x, "{x:e}");
        }
        assert!(Scaled::new(f64::NAN).get::<f64>().is_nan());
    }

    #[test]
    fn logarithms_of_products_do_not_overflow_and_do_not_cancel() {
        let huge = Scaled::new(1e300).times(Scaled::new(-1e300));
        assert!((huge.ln() / (600.0 * core::f64::consts::LN_10) - 1.0).abs() < 1e-15);
        let below_one = 1.0 - f64::EPSILON;
        assert!((Scaled::new(below_one).ln() / -f64::EPSILON - 1.0).abs() <= f64::EPSILON);
        assert_eq!((Scaled::new(0.0).ln(), Scaled::new(0.0).signum()), (f64::NEG_INFINITY, 0.0));
        assert_eq!(huge.signum(), -1.0);
    }
}
