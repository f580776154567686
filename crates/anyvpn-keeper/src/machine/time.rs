//! Two clocks, deadlines, and how long to wait after a failure.

use std::time::Duration;

use anyvpn_core::{Error, SplitMix64, Timestamp};

/// The two clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time of day. It can jump.
    pub time: Timestamp,
    /// The time since any moment that stays the same for the life of the machine. It never decreases, and
    /// may stand still while the computer sleeps.
    pub elapsed: Duration,
}

impl Now {
    /// When the time of day is reached, on the clock that does not jump; now, if it has passed.
    pub(crate) fn elapsed_at(&self, time: Timestamp) -> Duration {
        self.elapsed.saturating_add(self.until(time).unwrap_or_default())
    }

    /// How long it is until then; `None` if it has passed.
    pub(crate) fn until(&self, time: Timestamp) -> Option<Duration> {
        Duration::try_from(time.duration_since(self.time)).ok().filter(|left| !left.is_zero())
    }

    /// How long ago that was; `None` if it is still to come.
    pub(crate) fn since(&self, time: Timestamp) -> Option<Duration> {
        Duration::try_from(self.time.duration_since(time)).ok()
    }

    /// The time of day at a moment of the other clock, in whole seconds.
    pub(crate) fn second_at(&self, elapsed: Duration) -> Timestamp {
        let ago = self.elapsed.saturating_sub(elapsed);
        let left = elapsed.saturating_sub(self.elapsed);
        let at = self.time.checked_sub(ago).and_then(|at| at.checked_add(left));
        let second = at.and_then(|at| Timestamp::from_second(at.as_second()));
        second.unwrap_or(Timestamp::MAX)
    }
}

/// The deadlines of one step. Each that is asked about and has not passed is one to wake up at.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    pub now: Now,
    pub wake_at: Option<Duration>,
}

impl Timer {
    pub fn is_due(&mut self, at: Duration) -> bool {
        let is_due = at <= self.now.elapsed;
        if !is_due {
            self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
        }
        is_due
    }
}

/// How long to wait after failures: twice as long after each, up to a limit, and up to a quarter more at
/// random.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackOff {
    pub failures: u32,
    pub until: Duration,
}

impl BackOff {
    pub fn fail(&mut self, now: Now, first: Duration, longest: Duration, random: &mut SplitMix64) {
        let delay = first.saturating_mul(2_u32.saturating_pow(self.failures)).min(longest);
        self.failures = self.failures.saturating_add(1);
        let jitter = delay / 4096 * (random.below(1024) as u32);
        self.until = now.elapsed.saturating_add(delay + jitter);
    }

    /// Waits at least as long as the error asks for.
    pub fn pause(&mut self, now: Now, error: &Error) {
        let asked = error.retry_after().unwrap_or_default();
        self.until = self.until.max(now.elapsed.saturating_add(asked));
    }

    pub fn is_waiting(&self, now: Now) -> bool {
        self.until > now.elapsed
    }

    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
