//! Bounds of a call, and how it is repeated.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::json_bounds;

/// What a call may take at most. Every field can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS of one attempt. Default 10 s. Not applied to a client of the
    /// caller's own, which has its own.
    pub connect: Duration,
    /// One attempt, from its first byte to the last of the reply's body. Default 30 s.
    pub attempt: Duration,
    /// The whole call: finding and renewing its credential (which includes waiting for a store's
    /// lock), all attempts, and the waits between them. Default 2 min. The time in the queue of an
    /// operation that the vendor allows only so often is not part of it: see
    /// [`Client::wait_for`](crate::Client::wait_for).
    pub call: Duration,
    /// The reply's headers, in bytes. Default 64 KiB: eight times what servers and proxies usually
    /// allow. The transport has a bound of its own, of some 400 KiB and 100 headers.
    pub head: usize,
    /// The reply's body as it is on the wire, in bytes. Default 16 MiB: five times the list of
    /// 10,000 servers.
    pub reply: usize,
    /// The reply's body after decompression, in bytes. Default 64 MiB.
    pub decompressed: usize,
    /// JSON values in a reply of more than 64 KiB, each element, property and container counted.
    /// Default 500,000: three times the list of 10,000 servers. Two bytes of JSON can become
    /// hundreds in memory; this bounds how many.
    pub values: usize,
    /// What the elements of a list take in memory over all of its pages, in bytes. Default 64 MiB:
    /// twenty times the list of 10,000 servers. A list that never ends is an error there.
    pub list: usize,
    /// Arrays and objects within each other. Default 128, which is also the most: the JSON parser
    /// ends there.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(30),
            call: Duration::from_secs(120),
            head: 64 << 10,
            reply: 16 << 20,
            decompressed: 64 << 20,
            values: 500_000,
            list: 64 << 20,
            nesting: json_bounds::PARSER_DEPTH,
        }
    }
}

/// How often and how soon a call is repeated, where its [`Replay`](crate::Replay) allows it.
///
/// A wait is the larger of the server's `Retry-After` and an exponential delay with jitter; one that
/// would pass [`Limits::call`] ends the call instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one counted; 1 never repeats. Default 4.
    pub attempts: u32,
    /// The first delay; each later one is twice as long. Up to as much again is added as jitter.
    /// Default 250 ms.
    pub first_delay: Duration,
    /// The longest delay. Default 10 s.
    pub longest_delay: Duration,
    /// The seed of the jitter; `None` takes a new one each call.
    pub jitter_seed: Option<u64>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_delay: Duration::from_millis(250),
            longest_delay: Duration::from_secs(10),
            jitter_seed: None,
        }
    }
}

impl RetryPolicy {
    /// The delays of one call, one for each repetition.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let Self { attempts, first_delay, longest_delay, jitter_seed } = *self;
        let seed = jitter_seed.unwrap_or_else(|| RandomState::new().hash_one(()));
        (0..attempts.saturating_sub(1)).map(move |earlier| {
            let delay = first_delay.saturating_mul(2_u32.saturating_pow(earlier));
            let delay = delay.min(longest_delay);
            delay.saturating_add(delay / 1024 * (random(seed, earlier) % 1024) as u32)
        })
    }
}

/// A number of a sequence that the seed begins: SplitMix64, the same with every version of Rust.
fn random(seed: u64, earlier: u32) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(earlier) + 1));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_splitmix64() {
        let published =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([0, 1, 2].map(|earlier| random(1_234_567, earlier)), published);
    }

    #[test]
    fn delays_double_up_to_the_longest_with_as_much_again_at_random() {
        let delays = |attempts, seed| {
            let policy = RetryPolicy { attempts, jitter_seed: seed, ..RetryPolicy::default() };
            policy.delays().collect::<Vec<_>>()
        };
        for seed in (0..100).map(Some).chain([None]) {
            let wanted = [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000];
            let delays = delays(9, seed);
            assert_eq!(delays.len(), wanted.len());
            for (delay, wanted) in delays.into_iter().zip(wanted.map(Duration::from_millis)) {
                assert!((wanted..wanted * 2).contains(&delay), "{delay:?} of {wanted:?}");
            }
        }
        // Repeatable with a seed, and else the same as nobody's.
        assert_eq!(delays(4, Some(1)), delays(4, Some(1)));
        assert_ne!(delays(4, Some(1)), delays(4, Some(2)));
        assert_ne!(delays(4, None), delays(4, None));
        let last = delays(40, Some(1));
        assert_ne!(last[37], last[38], "each has its own jitter");
        assert_eq!((delays(0, None), delays(1, None)), (vec![], vec![]));
        let endless = RetryPolicy {
            first_delay: Duration::MAX,
            longest_delay: Duration::MAX,
            ..RetryPolicy::default()
        };
        assert_eq!(endless.delays().last(), Some(Duration::MAX));
    }
}
