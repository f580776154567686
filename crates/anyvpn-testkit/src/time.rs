//! Virtual time, which advances when nothing else can happen, so that tests do not wait.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyvpn_core::Timestamp;
use anyvpn_http::Clock;
use futures_core::future::BoxFuture;

/// How long a server sleeps in real time before it checks the virtual time again.
const LOOK: Duration = Duration::from_millis(1);

/// The source of a [`VirtualTime`], such as the clock of a server that is tested with the client.
pub trait TimeSource: Send + Sync + 'static {
    /// Returns the time of day.
    fn now(&self) -> Timestamp;

    /// Returns how far the time of deadlines has advanced since the source was created.
    fn elapsed(&self) -> Duration;

    /// Advances the time of deadlines.
    fn advance(&self, by: Duration);
}

/// The clock of a client, and of a server that is tested with it. Clones share the same time.
///
/// - While no request is in progress, the shortest wait ends at once and advances the time.
/// - While a request is in progress, the time stands still until the server waits too
///   ([`server_waits`](Self::server_waits)). Then the earliest wait of either side ends.
/// - A request is in progress only if a transport reports it with [`request`](Self::request). Otherwise
///   a reply must be ready when the client first polls for it, as from a
///   [`Script`](crate::scripted::Script).
///
/// So a timeout of 30 seconds takes a millisecond, and a busy machine cannot cause one.
#[derive(Clone)]
pub struct VirtualTime {
    shared: Arc<Shared>,
    /// Waits of this length or more never end.
    endless: Duration,
}

struct Shared {
    began: Instant,
    source: Box<dyn TimeSource>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    /// The next number, for waits and requests in the order in which they begin.
    count: u64,
    /// The requests in progress, by number.
    requests: Vec<u64>,
    /// The client's waits, by end.
    client: BTreeMap<(Duration, u64), Waker>,
    /// The ends of the server's waits, by number.
    server: BTreeMap<u64, Duration>,
    /// The client's waits that have ended.
    over: Vec<Duration>,
}

impl Waits {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn wake_clients(&self) {
        self.client.values().for_each(Waker::wake_by_ref);
    }

    /// Returns the time to advance to when the client's wait `key` is polled.
    fn next(&self, key: (Duration, u64)) -> Option<Duration> {
        let (earliest, _) = self.client.first_key_value()?;
        match self.requests.first() {
            None => (*earliest == key).then_some(key.0),
            // An older wait of the server belongs to a connection that was dropped.
            Some(request) => {
                let server = self.server.range(request..).map(|(_, end)| *end).min();
                server.map(|end| end.min(earliest.0))
            }
        }
    }
}

impl VirtualTime {
    /// Creates a time that begins at this time of day and is advanced only by waits.
    #[must_use]
    pub fn new(epoch: Timestamp) -> Self {
        Self::over(OwnTime { epoch, elapsed: Mutex::default() })
    }

    /// Creates a time with another source, which others may advance too.
    #[must_use]
    pub fn over(source: impl TimeSource) -> Self {
        let (source, waits) = (Box::new(source), Mutex::default());
        let shared = Shared { began: Instant::now(), source, waits };
        Self { shared: Arc::new(shared), endless: Duration::MAX }
    }

    /// Returns the same time, but waits of this length or more never end, such as deadlines of requests
    /// that no transport reports.
    #[must_use]
    pub fn with_endless(self, endless: Duration) -> Self {
        Self { endless, ..self }
    }

    /// Returns how far this time has advanced.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.source.elapsed()
    }

    /// Returns the client's waits that have ended, in order.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.lock().over.clone()
    }

    /// Reports that a request is in progress until the returned guard is dropped.
    #[must_use]
    pub fn request(&self) -> UnderWay {
        let mut waits = self.lock();
        let number = waits.number();
        waits.requests.push(number);
        UnderWay { time: self.clone(), number }
    }

    /// Waits as a server, such as for `SandboxBuilder::wait_with`. It needs a tokio runtime.
    pub fn server_waits(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let time = self.clone();
        Box::pin(async move {
            let end = time.elapsed().saturating_add(duration);
            let number = time.lock().number();
            // Bytes sent before the wait arrive first.
            tokio::time::sleep(LOOK).await;
            time.lock().server.insert(number, end);
            let wait = ServerWait { time, number };
            while wait.time.elapsed() < end {
                wait.time.lock().wake_clients();
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waits> {
        self.shared.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates a time that begins with the year 2026.
impl Default for VirtualTime {
    fn default() -> Self {
        Self::new("2026-01-01T00:00:00Z".parse().expect("the literal is a valid time"))
    }
}

impl Clock for VirtualTime {
    fn now(&self) -> Timestamp {
        self.shared.source.now()
    }

    fn instant(&self) -> Instant {
        self.shared.began + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration >= self.endless {
            return Box::pin(std::future::pending());
        }
        let key = (self.elapsed().saturating_add(duration), self.lock().number());
        Box::pin(Sleep { time: self.clone(), duration, key, began: false })
    }
}

struct OwnTime {
    epoch: Timestamp,
    elapsed: Mutex<Duration>,
}

impl TimeSource for OwnTime {
    fn now(&self) -> Timestamp {
        self.epoch.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, by: Duration) {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

/// A guard: the request is in progress until this is dropped.
pub struct UnderWay {
    time: VirtualTime,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut waits = self.time.lock();
        waits.requests.retain(|number| *number != self.number);
        waits.wake_clients();
    }
}

struct ServerWait {
    time: VirtualTime,
    number: u64,
}

impl Drop for ServerWait {
    fn drop(&mut self) {
        self.time.lock().server.remove(&self.number);
    }
}

/// A wait of the client. It advances the time when it is polled, not when it is created, so that a
/// deadline that is not reached takes no time.
struct Sleep {
    time: VirtualTime,
    duration: Duration,
    key: (Duration, u64),
    began: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (time, key) = (self.time.clone(), self.key);
        let mut waits = time.lock();
        waits.client.insert(key, context.waker().clone());
        if !std::mem::replace(&mut self.began, true) {
            // Other tasks that are ready run first, as they would while time passes.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let elapsed = time.elapsed();
        if elapsed < key.0
            && let Some(left) = waits.next(key).and_then(|next| next.checked_sub(elapsed))
        {
            time.shared.source.advance(left);
            waits.wake_clients();
        }
        if time.elapsed() < key.0 {
            return Poll::Pending;
        }
        waits.over.push(self.duration);
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut waits = self.time.lock();
        waits.client.remove(&self.key);
        waits.wake_clients();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyvpn_http::Clock as _;

    use super::VirtualTime;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn outside_of_a_request_a_wait_is_over_at_once() {
        let time = VirtualTime::default();
        time.sleep(3600 * SECOND).await;
        assert_eq!(time.elapsed(), 3600 * SECOND);
        assert_eq!(time.now().to_string(), "2026-01-01T01:00:00Z");
    }

    #[tokio::test]
    async fn the_shortest_of_several_waits_is_over_first() {
        let time = VirtualTime::default();
        futures_util::future::join(time.sleep(60 * SECOND), time.sleep(2 * SECOND)).await;
        assert_eq!(time.elapsed(), 60 * SECOND);
        assert_eq!(time.waits(), [2 * SECOND, 60 * SECOND]);
    }

    #[tokio::test]
    async fn virtual_time_advances_when_both_sides_of_a_request_wait() {
        let time = VirtualTime::default();
        // A connection that was given up does not count.
        let old = tokio::spawn(time.server_waits(SECOND));
        tokio::task::yield_now().await;
        let request = time.request();
        let sleep = tokio::spawn(time.sleep(30 * SECOND));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!sleep.is_finished() && time.elapsed().is_zero());
        // The earlier end comes first, and then the other one.
        time.server_waits(2 * SECOND).await;
        assert_eq!(time.elapsed(), 2 * SECOND);
        let silence = tokio::spawn(time.server_waits(Duration::MAX));
        sleep.await.unwrap();
        assert_eq!(time.elapsed(), 30 * SECOND);
        old.await.unwrap();
        assert!(!silence.is_finished());
        drop(request);
        silence.abort();
    }

    #[tokio::test]
    async fn a_wait_beyond_the_longest_never_ends() {
        let time = VirtualTime::default();
        let time = time.with_endless(10 * SECOND);
        let deadline = tokio::spawn(time.sleep(10 * SECOND));
        time.sleep(9 * SECOND).await;
        assert!(!deadline.is_finished());
        deadline.abort();
    }
}
