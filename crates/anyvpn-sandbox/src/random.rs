//! Numbers, names and keys that the seed determines.

pub(crate) const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const HEXADECIMAL: &[u8] = b"0123456789abcdef";

/// SplitMix64: a dozen lines, and the same sequence in every version, so that a seed in a bug report
/// stays valid. Nothing here needs to be hard to guess.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Creates the sequence of a seed for a purpose. Different purposes give different sequences.
    pub(crate) fn new(seed: u64, purpose: u64) -> Random {
        let mut random = Random(seed);
        random.0 = random.next() ^ purpose;
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, which must not be zero.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }

    /// Returns a number of the range that is not `taken`; `None` if all are.
    pub(crate) fn free(
        &mut self,
        range: std::ops::Range<u32>,
        taken: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let length = range.end - range.start;
        let first = self.below(length);
        (0..length).map(|step| range.start + (first + step) % length).find(|number| !taken(*number))
    }

    /// Returns `length` characters of `alphabet`, which must be ASCII.
    pub(crate) fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        let end = alphabet.len() as u32;
        (0..length).map(|_| char::from(alphabet[self.below(end) as usize])).collect()
    }

    /// Returns random bytes for a WireGuard key.
    pub(crate) fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        for part in key.chunks_exact_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes());
        }
        key
    }

    /// Returns a private key with the bits that `wg genkey` sets.
    pub(crate) fn private_key(&mut self) -> [u8; 32] {
        let mut key = self.key();
        key[0] &= 248;
        key[31] = key[31] & 127 | 64;
        key
    }
}
