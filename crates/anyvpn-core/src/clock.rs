//! The clock, which programs can replace, so that no test waits.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;

use crate::{Error, Timestamp};

/// 24 hours, which is what providers mean by a day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The clock of a provider, with which it reads the time and waits.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time of day, for `Retry-After` dates and expiry.
    fn now(&self) -> Timestamp;

    /// Returns the monotonic time, for deadlines.
    fn instant(&self) -> Instant;

    /// Waits for this long. Dropping the future ends the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Checks that the clock works in the current task. A client calls this first.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if it does not, for example outside a tokio runtime.
    fn ready(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Runs `work` for at most this long. Returns `None` if the time ran out. Work that is ready at once
/// starts no timer.
pub async fn within<T>(
    clock: &dyn Clock,
    time: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut timer = None;
    poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        let timer = timer.get_or_insert_with(|| clock.sleep(time));
        timer.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// The clock of this machine, with tokio's timer.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[cfg(feature = "tokio")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // We do not use `Timestamp::now`, which panics if the clock is far off.
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let since = jiff::SignedDuration::try_from(since);
        since.and_then(Timestamp::from_duration).unwrap_or(Timestamp::MAX)
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn ready(&self) -> Result<(), Error> {
        // Without a runtime, tokio would panic.
        tokio::runtime::Handle::try_current().map(drop).map_err(|_| {
            Error::new(crate::ErrorKind::InvalidRequest)
                .with_detail("a call needs a tokio runtime around it; nothing was sent")
        })
    }
}
