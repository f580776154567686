//! Random numbers that are determined by a seed.

/// A generator of random numbers from a seed: SplitMix64. The numbers are the same with every version
/// of Rust and of this crate.
///
/// It is for jitter and for repeatable tests. The numbers can be guessed, so never use them for
/// secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Creates the generator for a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns the next number modulo `end`.
    ///
    /// # Panics
    ///
    /// If `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next_u64() % end
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix64;

    #[test]
    fn numbers_match_splitmix64() {
        let mut random = SplitMix64::new(1_234_567);
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(published.map(|_| random.next_u64()), published);
    }
}
