//! The clock: injected, so that no test waits.

use std::time::{Duration, Instant};

use anyvpn_core::Timestamp;
use futures_core::future::BoxFuture;

/// Where the pipeline reads the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, for `Retry-After` dates and expiry.
    fn now(&self) -> Timestamp;

    /// A clock that never goes back, for deadlines.
    fn instant(&self) -> Instant;

    /// Waits. Dropping the future ends the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The clock of this machine, with tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
