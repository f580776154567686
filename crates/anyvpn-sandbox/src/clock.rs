//! The time that the sandbox believes in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::locked;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// The sandbox's clock. Clones are handles to the same clock.
///
/// ```
/// use anyvpn_sandbox::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::fixed("2026-01-01T00:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(86_400));
/// assert_eq!(clock.now(), "2026-01-02T00:00:00Z".parse()?);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    /// `None` follows the machine's clock.
    start: Option<Timestamp>,
    advanced: Arc<Mutex<Duration>>,
}

impl Clock {
    /// A clock that moves with real time, and further when advanced.
    #[must_use]
    pub fn real() -> Clock {
        Clock { start: None, advanced: Arc::default() }
    }

    /// A clock that stands at `start` until it is advanced.
    #[must_use]
    pub fn fixed(start: Timestamp) -> Clock {
        Clock { start: Some(start), advanced: Arc::default() }
    }

    /// The time, at the latest [`Timestamp::MAX`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let start = self.start.unwrap_or_else(Timestamp::now);
        start.checked_add(*locked(&self.advanced)).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward; it cannot be moved back.
    pub fn advance(&self, by: Duration) {
        let mut advanced = locked(&self.advanced);
        *advanced = advanced.saturating_add(by);
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::real()
    }
}
