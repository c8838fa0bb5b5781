//! Random numbers for directions and cotangents: a named generator, the same on every platform.

/// SplitMix64 (Steele, Lea and Flood 2014): passes the usual tests, and is three lines.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 1 or -1.
    pub(crate) fn sign(&mut self) -> f64 {
        if self.next() >> 63 == 0 { 1.0 } else { -1.0 }
    }

    /// A multiple of 1/64 with a magnitude from 1/2 to 3/2: no two are likely to cancel, and it is exact in `f32`.
    pub(crate) fn weight(&mut self) -> f64 {
        let [low, ..] = self.next().to_le_bytes();
        self.sign() * (32.0 + f64::from(low % 65)) / 64.0
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % n).unwrap_or(0)
    }
}
