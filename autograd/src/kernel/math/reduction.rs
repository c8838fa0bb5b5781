//! Radians to quadrants.

use super::bits::upper;
use super::trigonometric::Reduced;

/// Up to here [`reduce_moderate`] does.
pub(super) const MODERATE: f64 = 1_048_576.0;

/// `x = k π/2 + r + rest` for `|x| ≤ 2²⁰`.
///
/// Cody and Waite's reduction with π/2 in four parts; `k` times each of the first three is exact, and the rounding
/// errors of the subtractions are kept.
#[inline(always)]
pub(super) fn reduce_moderate(x: f64) -> Reduced {
    // 1.5·2⁵²: adding it leaves an integer in the last bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const HALF_PI: [f64; 4] =
        [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_711_166_5e-21, 8.478_427_660_368_9e-32];
    let shifted = x * core::f64::consts::FRAC_2_PI + SHIFT;
    let k = shifted - SHIFT;
    let (a, a_lost) = subtract(x - k * HALF_PI[0], k * HALF_PI[1]);
    let (b, b_lost) = subtract(a, k * HALF_PI[2]);
    let tail = (a_lost + b_lost) - k * HALF_PI[3];
    let r = b + tail;
    (shifted.to_bits(), r, (b - r) + tail)
}

/// `a − b` and its rounding error.
#[inline(always)]
fn subtract(a: f64, b: f64) -> (f64, f64) {
    let difference = a - b;
    let back = difference - a;
    (difference, (a - (difference - back)) - (b + back))
}

/// `x = k π/2 + r + rest` for any `x`.
#[inline(always)]
pub(super) fn reduce(x: f64) -> Reduced {
    if x.abs() <= MODERATE { reduce_moderate(x) } else { reduce_huge(x) }
}

/// The same for `|x| > 2²⁰`, by Payne and Hanek's method: `x` times those 192 bits of 2/π that matter modulo 4.
#[cold]
#[inline(never)]
fn reduce_huge(x: f64) -> Reduced {
    if !x.is_finite() {
        return (0, f64::NAN, f64::NAN);
    }
    let mantissa = u128::from((x.to_bits() & ((1 << 52) - 1)) | (1 << 52));
    // |x| = mantissa · 2^(exponent − 1075). With a word of zeros before the table, bit 64 + i weighs 2^(−1−i); from the
    // bit on whose product with the mantissa has the weight 2 in its last place, nothing is a multiple of 4.
    let exponent = x.to_bits() >> 52 & 0x7FF;
    let first = exponent - (1075 + 2 - 64);
    let product = multiply(mantissa, window(first));

    // The two upper bits are quadrants, the next 126 their fraction, to be rounded to the nearest quadrant.
    let fraction = (product << 2).cast_signed();
    let quadrant = (product >> 126).wrapping_add(u128::from(fraction < 0));
    let size = fraction.unsigned_abs();
    let (high, low) = to_two_words(size);
    let (r, rest) = times_half_pi(high, low);
    let (negative, sign) = (x < 0.0, if (fraction < 0) == (x < 0.0) { 1.0 } else { -1.0 });
    #[allow(clippy::cast_possible_truncation, reason = "two bits matter")]
    let quadrant = if negative { quadrant.wrapping_neg() } else { quadrant } as u64;
    (quadrant, sign * r, sign * rest)
}

/// A word of zeros, and 2/π after the point.
const TWO_OVER_PI: [u64; 21] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// The three words of [`TWO_OVER_PI`] from bit `first` on.
fn window(first: u64) -> [u64; 3] {
    let (word, shift) = (usize::try_from(first / 64).unwrap_or(usize::MAX), first % 64);
    let at = |i: usize| TWO_OVER_PI.get(word.saturating_add(i)).copied().unwrap_or(0);
    let from = |i: usize| if shift == 0 { at(i) } else { at(i) << shift | at(i + 1) >> (64 - shift) };
    [from(0), from(1), from(2)]
}

/// Bits 64 to 191 of `mantissa` times 192 bits.
fn multiply(mantissa: u128, words: [u64; 3]) -> u128 {
    let [high, middle, low] = words.map(|word| mantissa.wrapping_mul(u128::from(word)));
    (high << 64).wrapping_add(middle).wrapping_add(low >> 64)
}

/// `size · 2⁻¹²⁸` in two words.
fn to_two_words(size: u128) -> (f64, f64) {
    const UNIT: f64 = 1.0 / 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
    let left = size.leading_zeros().min(127);
    let normal = size << left;
    let scale = UNIT / (1_u128 << left) as f64;
    let (high, low) = (normal >> 75 << 75, normal & ((1 << 75) - 1));
    (high as f64 * scale, low as f64 * scale)
}

/// `(high + low) π/2` in two words.
fn times_half_pi(high: f64, low: f64) -> (f64, f64) {
    const HALF_PI: [f64; 2] = [core::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17];
    let r = high * HALF_PI[0];
    let (a, b) = (upper(high), upper(HALF_PI[0]));
    let (a_low, b_low) = (high - a, HALF_PI[0] - b);
    let lost = ((a * b - r) + a * b_low + a_low * b) + a_low * b_low;
    (r, lost + (high * HALF_PI[1] + low * HALF_PI[0]))
}
