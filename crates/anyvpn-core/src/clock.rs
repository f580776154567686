//! The clock: injected, so that no test waits.

use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;

use crate::{Error, Timestamp};

/// 24 hours, which are a day wherever a provider counts in days.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a provider reads the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, for `Retry-After` dates and expiry.
    fn now(&self) -> Timestamp;

    /// A clock that never goes back, for deadlines.
    fn instant(&self) -> Instant;

    /// Waits. Dropping the future ends the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Checks that it works from here. A client asks before it does anything else for a call.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when it does not, such as outside of a tokio runtime.
    fn ready(&self) -> Result<(), Error> {
        Ok(())
    }
}
