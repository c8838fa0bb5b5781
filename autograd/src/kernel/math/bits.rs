//! Arithmetic on the exponents of `f32` and `f64` in forms that vectorise.

/// What the elementary functions ask of the binary representation of a number.
pub trait Bits: Sized {
    /// `1.5·2^p + 2b`, with `p` explicit mantissa bits and exponent bias `b`.
    ///
    /// `x + SHIFT` rounds `|x| < 2^(p-2)` to the nearest integer `k` (ties to even), and its low bits hold `k + 2b`:
    /// what [`scale`](Bits::scale) expects. `(x + SHIFT) - SHIFT` is `k` as a number.
    const SHIFT: Self;
    /// ln 2 rounded down to few enough bits that an exponent times it is exact.
    const LN_2_HIGH: Self;
    /// ln 2 − [`LN_2_HIGH`](Bits::LN_2_HIGH).
    const LN_2_LOW: Self;
    /// `1.5·2^p + b + 2`: like [`SHIFT`](Bits::SHIFT), but low bits hold `k + b + 2`, as
    /// [`four_times_power`](Bits::four_times_power) expects.
    const POWER_SHIFT: Self;
    /// `k = −b − 2` for `e^(−2x) ≈ 2^k` here: `1/cosh² x` is below the normal numbers.
    const TANH_HIGH: f64;
    /// Below this, `e^x` rounds to 0.
    const EXP_LOW: f64;
    /// Above this, `e^x` rounds to ∞.
    const EXP_HIGH: f64;

    /// `self · 2^k` for `shifted = k + SHIFT`, rounded once even where the result is subnormal.
    #[must_use]
    fn scale(self, shifted: Self) -> Self;
    /// `2^(k-1)` for `shifted = k + SHIFT`, where that is a normal number.
    #[must_use]
    fn half_power(shifted: Self) -> Self;
    /// `2^(k+2)` for `shifted = k + POWER_SHIFT` and `−b − 1 ≤ k ≤ 0`; 0 for `k = −b − 2`.
    #[must_use]
    fn four_times_power(shifted: Self) -> Self;
    /// `(m, e)` with `self = m · 2^e` and `√½ ≤ m < √2`, for positive normal numbers.
    #[must_use]
    fn split(self) -> (Self, Self);
    /// What [`rsqrt`](super::rsqrt) begins with: `1/√x` times 0.866 to 0.919, for positive normal numbers.
    #[must_use]
    fn rsqrt_guess(self) -> Self;
}

macro_rules! bits {
    ($t:ident, $u:ident, mantissa $p:literal $unit:literal, bias $b:literal $bias:literal, ln_2 $high:literal + $low:literal, exp $range:expr, tanh $tanh:literal, rsqrt $guess:literal) => {
        impl Bits for $t {
            const SHIFT: $t = 1.5 * $unit + 2.0 * $bias;
            const LN_2_HIGH: $t = $high;
            const LN_2_LOW: $t = $low;
            const POWER_SHIFT: $t = 1.5 * $unit + $bias + 2.0;
            const TANH_HIGH: f64 = $tanh;
            const EXP_LOW: f64 = $range.0;
            const EXP_HIGH: f64 = $range.1;

            #[inline(always)]
            fn scale(self, shifted: $t) -> $t {
                let k = shifted.to_bits() & (4 * $b + 3);
                let half = k >> 1;
                self * $t::from_bits(half << $p) * $t::from_bits((k - half) << $p)
            }

            #[inline(always)]
            fn half_power(shifted: $t) -> $t {
                $t::from_bits(shifted.to_bits().wrapping_sub($b + 1) << $p)
            }

            #[inline(always)]
            fn four_times_power(shifted: $t) -> $t {
                $t::from_bits(shifted.to_bits() << $p)
            }

            #[inline(always)]
            fn rsqrt_guess(self) -> $t {
                $t::from_bits(($guess as $u).wrapping_sub(self.to_bits() >> 1))
            }

            #[inline(always)]
            fn split(self) -> ($t, $t) {
                const ONE: $u = (1.0 as $t).to_bits();
                const LEAST: $u = core::$t::consts::FRAC_1_SQRT_2.to_bits();
                // An integer in the mantissa of 2^p is that number more than 2^p.
                const UNIT: $t = $unit;
                let moved = self.to_bits().wrapping_add(ONE - LEAST);
                let mantissa = (moved & ((1 << $p) - 1)) + LEAST;
                let exponent = $t::from_bits((moved >> $p) | UNIT.to_bits()) - (UNIT + $bias);
                ($t::from_bits(mantissa), exponent)
            }
        }
    };
}

#[rustfmt::skip]
bits!(f32, u32, mantissa 23 8_388_608.0, bias 127 127.0,
    ln_2 0.693_145_75 + 1.428_606_8e-6, exp (-104.0, 89.0), tanh 44.7, rsqrt 0x5f1f_fff9);
#[rustfmt::skip]
bits!(f64, u64, mantissa 52 4_503_599_627_370_496.0, bias 1023 1023.0,
    ln_2 0.693_147_180_559_890_3 + 5.497_923_018_708_371e-14, exp (-746.0, 710.0), tanh 355.2, rsqrt 0x5fe4_0000_0000_0000);

/// The upper 26 bits of a number: the product of two such numbers is exact.
#[inline(always)]
pub(super) fn upper(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !((1 << 27) - 1))
}
