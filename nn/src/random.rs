//! Random numbers that are the same on every machine.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// A reproducible stream of random numbers (xoshiro256++).
///
/// A stream belongs to a *seed* and a *name*. Streams of different names are independent, so the initial weights
/// of `"hidden.0.weight"` stay the same whatever other layers there are and in whichever order they are made.
///
/// The whole numbers, [`unit`](Self::unit), [`uniform`](Self::uniform), [`below`](Self::below) and
/// [`shuffle`](Self::shuffle) are the same bits on every platform; [`normal`](Self::normal) is too, but for the last
/// bit of the 0.03 % of draws beyond ±3.65, which is that of the platform's `ln`.
///
/// ```
/// use nn::Random;
/// let mut weights = Random::stream(7, "hidden.0.weight");
/// let mut again = Random::stream(7, "hidden.0.weight");
/// let mut others = Random::stream(7, "hidden.1.weight");
/// let first = weights.next_u64();
/// assert_eq!(first, again.next_u64());
/// assert_ne!(first, others.next_u64());
/// ```
///
/// # References
/// D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2021.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream of this seed without a name.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::stream(seed, "")
    }

    /// The stream of this seed with this name.
    #[must_use]
    pub fn stream(seed: u64, name: &str) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(mix(seed) ^ fnv1a(name.as_bytes()))))
    }

    /// 64 random bits.
    #[must_use]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number of `[0, 1)`, each multiple of 2⁻⁵³ equally likely.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a f64 exactly")]
    pub fn unit(&mut self) -> f64 {
        const ULP: f64 = f64::EPSILON / 2.0;
        (self.next_u64() >> 11) as f64 * ULP
    }

    /// `low + (high − low) · u` with `u` of `[0, 1)`; rounding may reach `high`.
    #[must_use]
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A draw of the normal distribution with mean 0 and standard deviation 1.
    #[must_use]
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A draw of the standard normal distribution, repeated until it lies within ±2, as Keras does.
    ///
    /// Its standard deviation is 0.8796, see [`Initializer::std`](crate::init::Initializer::std).
    #[must_use]
    pub fn truncated_normal(&mut self) -> f64 {
        loop {
            let x = self.normal();
            if x.abs() <= 2.0 {
                return x;
            }
        }
    }

    /// A whole number of `0..n`, each exactly equally likely; 0 if `n` is 0.
    ///
    /// # References
    /// D. Lemire, "Fast random integer generation in an interval", 2019, algorithm 5.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the two halves of a 128-bit product; the high one is below n")]
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            let low = product as u64;
            if low >= n || low >= n.wrapping_neg().checked_rem(n).unwrap_or(0) {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts the items into a random order (Fisher and Yates).
    pub fn shuffle<U>(&mut self, items: &mut [U]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// The numbers `0..n` in a random order.
    ///
    /// ```
    /// let mut order = nn::Random::new(1).permutation(5);
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    #[must_use]
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

/// FNV-1a of 64 bits: short, and fixed for all time (the hashers of `std` are not).
fn fnv1a(bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(BASIS, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// The finaliser of SplitMix64: neighbouring seeds become unrelated.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the draft "The FNV Non-Cryptographic Hash Algorithm", appendix C.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn streams_never_change() {
        // From an independent implementation in Python; if this fails, every recorded training run has changed.
        let mut random = Random::stream(42, "hidden.0.weight");
        let drawn: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(drawn, GOLDEN_STREAM);
        assert_eq!(Random::stream(42, "batches").permutation(10), GOLDEN_ORDER);
    }

    const GOLDEN_STREAM: [u64; 3] = [0x5371_6ca1_7ae5_6727, 0xeb3b_14f6_6aee_5cfd, 0x19ec_b045_ae1d_c0e5];
    const GOLDEN_ORDER: [usize; 10] = [2, 1, 3, 0, 6, 9, 7, 4, 5, 8];

    #[test]
    fn numbers_below_n_are_equally_likely() {
        let mut random = Random::new(3);
        let mut counts = [0_i32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        // Standard deviation of a count: √(n·p·(1−p)) = 93; five of them.
        assert!(counts.iter().all(|&count| (count - 10_000).abs() < 463), "{counts:?}");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
    }
}
