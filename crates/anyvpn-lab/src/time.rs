//! The sandbox's clock as a client's virtual time.

use std::time::Duration;

use anyvpn_core::Timestamp;
use anyvpn_sandbox::Clock;
use anyvpn_testkit::time::{TimeSource, VirtualTime};

/// A client's time that is the sandbox's: waits move the sandbox's clock, and who moves that one ends
/// waits.
#[must_use]
pub fn of_sandbox(clock: &Clock) -> VirtualTime {
    VirtualTime::over(SandboxTime::new(clock.clone(), clock.clone()))
}

/// The time of day of one clock, and the deadlines of another, which may be the same.
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
