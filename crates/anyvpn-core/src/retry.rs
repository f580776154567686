//! How often and how soon a failed call is retried.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::SplitMix64;

/// How often and how soon a call is retried, if its [`Replay`](crate::Replay) allows that.
///
/// Before each repetition the call waits for the server's `Retry-After` or for an exponential delay
/// with jitter, whichever is longer. A wait that would exceed [`Limits::call`](crate::Limits::call)
/// ends the call instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of attempts, including the first; 1 means that nothing is retried. Default 4.
    pub attempts: u32,
    /// The first delay; each later one is twice as long. A random part of the same length is added to
    /// each. Default 250 ms.
    pub first_delay: Duration,
    /// The longest delay, before the random part is added. Default 10 s.
    pub longest_delay: Duration,
    /// The seed of the random part; with `None`, each call takes a new one.
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
    /// Returns the random numbers for one call, or for any other random wait.
    #[must_use]
    pub fn jitter(&self) -> SplitMix64 {
        SplitMix64::new(self.jitter_seed.unwrap_or_else(|| RandomState::new().hash_one(())))
    }

    /// Returns the delays of one call, one for each repetition.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let Self { attempts, first_delay, longest_delay, .. } = *self;
        let mut random = self.jitter();
        (0..attempts.saturating_sub(1)).map(move |earlier| {
            let delay = first_delay.saturating_mul(2_u32.saturating_pow(earlier));
            let delay = delay.min(longest_delay);
            delay.saturating_add(delay / 1024 * random.below(1024) as u32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // With a seed the numbers are repeatable. Without one they differ in each process.
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
