//! A hash that costs little. Nobody who could choose keys so that they collide is to be feared here.

use core::hash::Hasher;

/// Multiplies and folds, word by word.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mix(u64);

/// Odd, with bits that look random: the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Mix {
    /// The highest `bits` of the hash.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "a few bits are left")]
    pub(crate) fn top(self, bits: u32) -> usize {
        (self.0.wrapping_mul(FACTOR) >> (u64::BITS - bits)) as usize
    }
}

impl Hasher for Mix {
    /// Both halves of a product: what is in the high bits must reach the low ones.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "that is the low half")]
    fn finish(&self) -> u64 {
        let product = u128::from(self.0) * u128::from(FACTOR);
        (product >> 64) as u64 ^ product as u64
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
}
