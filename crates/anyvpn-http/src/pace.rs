//! Operations that the vendor allows only so often.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyvpn_core::OperationId;

use crate::Clock;

/// Lets the calls of an operation through at a distance, in the order in which they came.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<OperationId, Arc<Lane>>>);

#[derive(Default)]
struct Lane {
    /// Served in order; whoever holds it is the next to go.
    queue: tokio::sync::Mutex<()>,
    /// How many wait, the next one included.
    waiting: AtomicU32,
    /// The earliest time for the next one.
    next: Mutex<Option<Instant>>,
}

impl Lane {
    /// How long until the next one may go.
    fn ahead(&self, now: Instant) -> Duration {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }
}

/// One that waits; it leaves the queue also when its future is dropped.
struct Waiting<'a>(&'a Lane);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pace {
    fn lane(&self, operation: OperationId) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(operation).or_default())
    }

    /// Waits for the turn. The next turn begins `interval` later, whether the caller uses this one
    /// or not: it may have sent.
    pub(crate) async fn turn(&self, operation: OperationId, interval: Duration, clock: &dyn Clock) {
        let lane = self.lane(operation);
        lane.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&lane);
        let _first = lane.queue.lock().await;
        loop {
            let ahead = lane.ahead(clock.instant());
            if ahead.is_zero() {
                break;
            }
            clock.sleep(ahead).await;
        }
        let next = clock.instant() + interval;
        *lane.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }

    /// How long a call that came now would wait.
    pub(crate) fn ahead(
        &self,
        operation: OperationId,
        interval: Duration,
        now: Instant,
    ) -> Duration {
        let lane = self.lane(operation);
        lane.ahead(now) + interval * lane.waiting.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_for_those_that_came_before() {
        const ID: OperationId = OperationId::new("acme", "create");
        let (pace, now) = (Pace::default(), Instant::now());
        let (interval, rest) = (Duration::from_secs(10), Duration::from_secs(4));
        assert_eq!(pace.ahead(ID, interval, now), Duration::ZERO);
        let lane = pace.lane(ID);
        *lane.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(now + rest);
        assert_eq!(pace.ahead(ID, interval, now), rest);
        lane.waiting.store(2, Ordering::Relaxed);
        assert_eq!(pace.ahead(ID, interval, now), rest + 2 * interval);
    }
}
