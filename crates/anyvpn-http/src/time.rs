//! The clock of this machine, and work that is bounded in time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use anyvpn_core::{Clock, Error, Timestamp};
use futures_core::future::BoxFuture;
use jiff::SignedDuration;

use crate::transport::current_runtime;

/// The clock of this machine, with tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Not `Timestamp::now`, which panics where the clock is far off.
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        SignedDuration::try_from(since).and_then(Timestamp::from_duration).unwrap_or(Timestamp::MAX)
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn ready(&self) -> Result<(), Error> {
        current_runtime().map(drop)
    }
}

/// Does `work` for so long at most; `None` when the time was over. What is done at once starts no
/// timer.
pub(crate) async fn within<T>(
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
