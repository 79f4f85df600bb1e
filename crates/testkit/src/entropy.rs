//! Randomness that a test can have again.

use greenroom_model::Entropy;
use std::sync::atomic::{AtomicU64, Ordering};

/// An [`Entropy`] whose bytes follow from a seed (SplitMix64). Nothing about it is secret.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// The bytes that follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; zero when `bound` is.
    pub fn below(&self, bound: usize) -> usize {
        match u64::try_from(bound) {
            // Slightly uneven, which no test here can notice.
            Ok(bound @ 1..) => usize::try_from(self.next_u64() % bound).unwrap_or(0),
            _ => 0,
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: u64) -> [u8; 21] {
        let mut bytes = [0; 21];
        SeededEntropy::new(seed).fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_always_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(bytes(7), bytes(7));
        assert_ne!(bytes(7), bytes(8));
        // SplitMix64's published first output for seed 0.
        assert_eq!(SeededEntropy::new(0).next_u64(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let entropy = SeededEntropy::new(1);
        assert_eq!(entropy.below(0), 0);
        assert!((0..1_000).all(|_| entropy.below(3) < 3));
    }
}
