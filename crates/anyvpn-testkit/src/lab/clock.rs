//! A clock for a client and a server that are tested together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyvpn_core::Timestamp;
use futures_core::future::BoxFuture;

/// How long a side sleeps in real time before it looks at the clock again.
const LOOK: Duration = Duration::from_millis(1);

/// Time that moves only when nothing else can happen.
///
/// Waits of the client outside of a request end at once. Within a request the clock stands, until
/// the server says that it waits too: then it moves to the earliest end of a wait on either side. So
/// a time-out of 30 seconds takes a millisecond, and no busy machine makes one happen.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    origin: Instant,
    epoch: Timestamp,
    times: Mutex<Times>,
}

#[derive(Default)]
struct Times {
    elapsed: Duration,
    /// Numbers the waits and the requests, in the order in which they began.
    count: u64,
    /// The requests under way, by their numbers.
    requests: Vec<u64>,
    /// When the client's waits end.
    client: BTreeMap<u64, Duration>,
    /// When the server's waits end.
    server: BTreeMap<u64, Duration>,
}

impl Times {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Moves to the earliest end of a wait, if the request under way waits for the server in vain.
    fn advance(&mut self) {
        let Some(request) = self.requests.first() else {
            return;
        };
        // A wait that is older belongs to a connection that was given up.
        let server = self.server.range(request..).map(|(_, end)| *end).min();
        if let (Some(server), Some(client)) = (server, self.client.values().min()) {
            self.elapsed = self.elapsed.max(server.min(*client));
        }
    }
}

impl Clock {
    /// A clock that begins at this time of day.
    #[must_use]
    pub fn new(epoch: Timestamp) -> Self {
        let times = Mutex::default();
        Self(Arc::new(Inner { origin: Instant::now(), epoch, times }))
    }

    /// How far it has moved.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.times().elapsed
    }

    /// A wait of the server's, for [`SandboxBuilder::wait_with`].
    ///
    /// [`SandboxBuilder::wait_with`]: anyvpn_sandbox::SandboxBuilder::wait_with
    pub fn server_waits(&self, time: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            let wait = Waiting::begin(clock, time, Side::Server);
            while !wait.is_over() {
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    /// A request that is under way until this is dropped.
    pub(crate) fn request(&self) -> UnderWay {
        let mut times = self.times();
        let number = times.number();
        times.requests.push(number);
        UnderWay { clock: self.clone(), number }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl anyvpn_http::Clock for Clock {
    fn now(&self) -> Timestamp {
        self.0.epoch.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn instant(&self) -> Instant {
        self.0.origin + self.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            let wait = Waiting::begin(clock.clone(), time, Side::Client);
            // What else is ready goes first, as it would while time passes.
            tokio::task::yield_now().await;
            loop {
                {
                    let mut times = clock.times();
                    if times.requests.is_empty() {
                        times.elapsed = times.elapsed.max(wait.end);
                    }
                    times.advance();
                }
                if wait.is_over() {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        })
    }
}

/// See [`Clock::request`].
pub(crate) struct UnderWay {
    clock: Clock,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.clock.times().requests.retain(|number| *number != self.number);
    }
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

/// A wait, known to the clock until it is dropped.
struct Waiting {
    clock: Clock,
    side: Side,
    number: u64,
    end: Duration,
}

impl Waiting {
    fn begin(clock: Clock, time: Duration, side: Side) -> Self {
        let mut times = clock.times();
        let number = times.number();
        let end = times.elapsed.saturating_add(time);
        match side {
            Side::Client => times.client.insert(number, end),
            Side::Server => times.server.insert(number, end),
        };
        drop(times);
        Self { clock, side, number, end }
    }

    fn is_over(&self) -> bool {
        self.clock.times().elapsed >= self.end
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut times = self.clock.times();
        match self.side {
            Side::Client => times.client.remove(&self.number),
            Side::Server => times.server.remove(&self.number),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyvpn_http::Clock as _;

    use super::Clock;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn outside_of_a_request_a_wait_is_over_at_once() {
        let clock = Clock::new("2026-01-01T00:00:00Z".parse().unwrap());
        clock.sleep(3600 * SECOND).await;
        assert_eq!(clock.elapsed(), 3600 * SECOND);
        assert_eq!(clock.now().to_string(), "2026-01-01T01:00:00Z");
    }

    #[tokio::test]
    async fn within_one_it_ends_when_both_sides_wait() {
        let clock = Clock::new("2026-01-01T00:00:00Z".parse().unwrap());
        // A connection that was given up does not count.
        let old = tokio::spawn(clock.server_waits(SECOND));
        tokio::task::yield_now().await;
        let request = clock.request();
        let sleep = tokio::spawn(clock.sleep(30 * SECOND));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!sleep.is_finished() && clock.elapsed().is_zero());
        // The earlier end comes first, and then the other one.
        clock.server_waits(2 * SECOND).await;
        assert_eq!(clock.elapsed(), 2 * SECOND);
        let silence = tokio::spawn(clock.server_waits(Duration::MAX));
        sleep.await.unwrap();
        assert_eq!(clock.elapsed(), 30 * SECOND);
        old.await.unwrap();
        assert!(!silence.is_finished());
        drop(request);
        silence.abort();
    }
}
