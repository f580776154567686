//! Decides when a client may send: after pauses that the server asked for, and at the rate that the
//! vendor allows for some operations.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyvpn_core::{Error, ErrorKind, OperationId};

use crate::locked::locked;
use crate::{CallEvent, Clock, Observation};

/// Issues a permit for every attempt. A client and its clones share one.
#[derive(Default)]
pub(crate) struct RateLimiter {
    /// The end of the pause that the server asked for.
    pause: Mutex<Option<Instant>>,
    queues: Mutex<HashMap<OperationId, Arc<Queue>>>,
}

/// The attempts of one operation, in order of arrival.
#[derive(Default)]
struct Queue {
    /// Held by the first attempt in the queue.
    first: tokio::sync::Mutex<()>,
    /// The number of waiting attempts, including the first.
    waiting: AtomicU32,
    /// The earliest time for the next permit.
    next: Mutex<Option<Instant>>,
}

impl Queue {
    /// Returns the time until the next permit.
    fn ahead(&self, now: Instant) -> Duration {
        let next = *locked(&self.next);
        next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }
}

/// A place in the queue. It is also given up when the future is dropped.
struct Waiting<'a>(&'a Queue);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl RateLimiter {
    /// Starts a pause of all calls that the server asked for.
    pub(crate) fn pause_until(&self, until: Instant) {
        let mut pause = locked(&self.pause);
        *pause = Some(pause.map_or(until, |earlier| earlier.max(until)));
    }

    fn paused(&self, now: Instant) -> Duration {
        let pause = *locked(&self.pause);
        pause.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn queue(&self, operation: OperationId) -> Arc<Queue> {
        let mut queues = locked(&self.queues);
        Arc::clone(queues.entry(operation).or_default())
    }

    /// Waits for the permit of one attempt, and returns the time spent in the operation's queue; `None`
    /// if there was no wait.
    ///
    /// With a `min_interval`, the next permit is issued that much later, even if the caller does not
    /// use this one, because it may have been sent.
    ///
    /// # Errors
    ///
    /// `RateLimited` if the server asked for a pause that ends after the deadline. Waiting in the queue
    /// has no deadline.
    pub(crate) async fn wait_for_permit(
        &self,
        operation: OperationId,
        min_interval: Option<Duration>,
        deadline: Instant,
        clock: &dyn Clock,
        observation: &Observation,
    ) -> Result<Option<Duration>, Error> {
        let waits = |wait| observation.report(CallEvent::waiting_for_permit(wait));
        let mut waited = false;
        loop {
            let now = clock.instant();
            let pause = self.paused(now);
            if pause.is_zero() {
                break;
            }
            if pause >= deadline.saturating_duration_since(now) {
                return Err(Error::new(ErrorKind::RateLimited)
                    .with_detail("the provider asked to wait, so the request was not sent")
                    .with_retry_after(Some(pause)));
            }
            waited = true;
            waits(pause);
            clock.sleep(pause).await;
        }
        let Some(min_interval) = min_interval else {
            return Ok(waited.then_some(Duration::ZERO));
        };
        let queue = self.queue(operation);
        let began = clock.instant();
        let others = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&queue);
        if others > 0 {
            waits(queue.ahead(began).saturating_add(min_interval.saturating_mul(others)));
        }
        let _first = queue.first.lock().await;
        let now = loop {
            let now = clock.instant();
            // A pause may have started meanwhile.
            let ahead = queue.ahead(now).max(self.paused(now));
            if ahead.is_zero() {
                break now;
            }
            waits(ahead);
            clock.sleep(ahead).await;
        };
        *locked(&queue.next) = Some(now + min_interval);
        let in_queue = now.saturating_duration_since(began);
        Ok((waited || !in_queue.is_zero()).then_some(in_queue))
    }

    /// Returns how long an attempt that arrived now would wait.
    pub(crate) fn wait_for(
        &self,
        operation: OperationId,
        min_interval: Option<Duration>,
        now: Instant,
    ) -> Duration {
        let pause = self.paused(now);
        let Some(min_interval) = min_interval else { return pause };
        let queue = self.queue(operation);
        let waiting = queue.waiting.load(Ordering::Relaxed);
        queue.ahead(now).max(pause).saturating_add(min_interval.saturating_mul(waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_waits_for_earlier_ones_and_for_the_pause() {
        const ID: OperationId = OperationId::new("acme", "create");
        let (limiter, now) = (RateLimiter::default(), Instant::now());
        let (interval, rest) = (Duration::from_secs(10), Duration::from_secs(4));
        let wait_for = || limiter.wait_for(ID, Some(interval), now);
        assert_eq!(wait_for(), Duration::ZERO);
        let queue = limiter.queue(ID);
        *locked(&queue.next) = Some(now + rest);
        assert_eq!(wait_for(), rest);
        queue.waiting.store(2, Ordering::Relaxed);
        assert_eq!(wait_for(), rest + 2 * interval);
        limiter.pause_until(now + 2 * rest);
        assert_eq!(wait_for(), 2 * rest + 2 * interval);
        // A shorter pause does not shorten a longer one.
        limiter.pause_until(now + rest);
        assert_eq!(limiter.wait_for(ID, None, now), 2 * rest);
    }
}
