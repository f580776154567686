//! The sandbox's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::locked;

/// The seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// The sandbox's clock. Clones share the same time.
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
    /// Creates a clock that follows real time, and can be advanced further.
    #[must_use]
    pub fn real() -> Clock {
        Clock { start: None, advanced: Arc::default() }
    }

    /// Creates a clock that stands still at `start` until it is advanced.
    #[must_use]
    pub fn fixed(start: Timestamp) -> Clock {
        Clock { start: Some(start), advanced: Arc::default() }
    }

    /// Returns the time, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let start = self.start.unwrap_or_else(Timestamp::now);
        start.checked_add(*locked(&self.advanced)).unwrap_or(Timestamp::MAX)
    }

    /// Advances the clock. It cannot be set back.
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
