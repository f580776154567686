//! Lets a client use the sandbox's clock as its virtual time.

use std::time::Duration;

use anyvpn_core::Timestamp;
use anyvpn_sandbox::Clock;
use anyvpn_testkit::time::{TimeSource, VirtualTime};

/// Returns a virtual time that follows the sandbox's clock: waits advance the clock, and advancing the
/// clock ends waits.
#[must_use]
pub fn of_sandbox(clock: &Clock) -> VirtualTime {
    VirtualTime::over(SandboxTime::new(clock.clone(), clock.clone()))
}

/// A virtual time: one clock gives the time of day, the other decides when timers end. Both may be the
/// same.
pub(crate) struct SandboxTime {
    day: Clock,
    waits: Clock,
    began: Timestamp,
}

impl SandboxTime {
    pub(crate) fn new(day: Clock, waits: Clock) -> Self {
        let began = waits.now();
        Self { day, waits, began }
    }
}

impl TimeSource for SandboxTime {
    fn now(&self) -> Timestamp {
        self.day.now()
    }

    fn elapsed(&self) -> Duration {
        let passed = self.waits.now().duration_since(self.began);
        Duration::try_from(passed).unwrap_or_default()
    }

    fn advance(&self, by: Duration) {
        self.waits.advance(by);
    }
}
