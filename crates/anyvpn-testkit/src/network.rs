//! What the state-machine tests of the providers share: a network between a client and the sandbox
//! on which things go wrong as the test draws them, and a clock that never waits in real time.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use anyvpn_core::{Advice, Error, ErrorKind, Timestamp};
use anyvpn_http::Clock;
use anyvpn_http::transport::{Body, Progress, Transport, TransportError};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Mishap {
    /// Nothing.
    None,
    /// It cannot be sent.
    Refused,
    /// Nobody answers until the time-out.
    Silence {
        /// Whether the work is done.
        done: bool,
    },
    /// The work is done, and a gateway answers in the server's place with this status.
    Gateway(u16),
    /// What the sandbox does to it.
    Server(Fault),
}

/// What happens to the requests of one step of a test, in order: mostly nothing, and never more than
/// a client's attempts.
pub fn mishaps() -> impl Strategy<Value = Vec<Mishap>> {
    let server = prop::sample::select(vec![
        Fault::Wire("reset-before"),
        Fault::Wire("reset-after"),
        Fault::TooManyRequests { retry_after: Some(Duration::from_secs(1)) },
        Fault::TooManyRequests { retry_after: None },
        Fault::Status(500),
        Fault::Status(503),
        Fault::Html(502),
        Fault::Html(200),
        Fault::Wire("cut-body"),
        Fault::Wire("half-json"),
    ]);
    let one = prop_oneof![
        3 => Just(Mishap::None),
        1 => Just(Mishap::Refused),
        2 => any::<bool>().prop_map(|done| Mishap::Silence { done }),
        2 => prop::sample::select(vec![500, 502, 504]).prop_map(Mishap::Gateway),
        8 => server.prop_map(Mishap::Server),
    ];
    prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec(one, 1..=5)]
}

/// Runs a test on drawn cases: the same few each time, or as many others as the variable
/// `ANYVPN_MODEL_CASES` says.
///
/// # Panics
///
/// With the smallest case that fails.
pub fn check<S: Strategy>(few: u32, cases: &S, test: impl AsyncFn(S::Value))
where
    S::Value: std::fmt::Debug,
{
    let many = std::env::var("ANYVPN_MODEL_CASES").ok();
    let many = many.map(|cases| cases.parse().expect("ANYVPN_MODEL_CASES is a number"));
    let config = Config {
        cases: many.unwrap_or(few),
        rng_seed: if many.is_some() { RngSeed::Random } else { RngSeed::Fixed(1) },
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(cases, |case| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("there is a runtime").block_on(test(case));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// A network, and the clock of those who use it.
///
/// Time stands still while a request is under way. When all wait, it moves at once to the end of the
/// shortest wait.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    sandbox: Arc<Sandbox>,
    /// Whose time a wait moves.
    waits: anyvpn_sandbox::Clock,
    origin: (Instant, Timestamp),
    ahead: Mutex<VecDeque<Mishap>>,
    timers: Mutex<Timers>,
}

#[derive(Default)]
struct Timers {
    /// Requests that somebody will answer.
    under_way: usize,
    last: u64,
    /// By their end.
    waiting: BTreeMap<(Instant, u64), Waker>,
}

impl Network {
    /// A network to this sandbox, by way of a real transport. Waits move the clock `waits`, which
    /// may be the sandbox's.
    pub fn new(
        transport: impl Transport,
        sandbox: Arc<Sandbox>,
        waits: anyvpn_sandbox::Clock,
    ) -> Self {
        let origin = (Instant::now(), waits.now());
        let (transport, timers) = (Box::new(transport), Mutex::default());
        let ahead = Mutex::default();
        Self(Arc::new(Inner { transport, sandbox, waits, origin, ahead, timers }))
    }

    /// Lets this happen to the next requests.
    pub fn meet(&self, mishaps: Vec<Mishap>) {
        *locked(&self.0.ahead) = mishaps.into();
    }

    /// Lets nothing happen any more, and says whether all that was to happen did.
    pub fn calm(&self) -> bool {
        self.0.sandbox.clear_faults();
        std::mem::take(&mut *locked(&self.0.ahead)).is_empty()
    }

    fn wake_all(&self) {
        for waker in locked(&self.0.timers).waiting.values() {
            waker.wake_by_ref();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that somebody will answer.
struct UnderWay(Network);

impl UnderWay {
    fn new(network: &Network) -> Self {
        locked(&network.0.timers).under_way += 1;
        Self(network.clone())
    }

    async fn never_ends(self) -> Result<Response<Body>, TransportError> {
        drop(self);
        std::future::pending().await
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        locked(&self.0.0.timers).under_way -= 1;
        self.0.wake_all();
    }
}

impl Transport for Network {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let mishap = locked(&self.0.ahead).pop_front().unwrap_or(Mishap::None);
            let under_way = UnderWay::new(self);
            match &mishap {
                Mishap::Refused => {
                    let reason = "connection refused".to_owned();
                    return Err(TransportError { progress: Progress::NotSent, reason });
                }
                Mishap::Silence { done: false } => return under_way.never_ends().await,
                Mishap::Server(fault) => {
                    let once = FaultRule { times: Some(1), ..FaultRule::always(fault.clone()) };
                    self.0.sandbox.inject(once).expect("the rule is for a known operation");
                }
                Mishap::Silence { done: true } | Mishap::Gateway(_) | Mishap::None => {}
            }
            let (mut head, body) = self.0.transport.send(request).await?.into_parts();
            let mut body: Vec<_> = body.collect().await;
            match mishap {
                Mishap::Silence { .. } => return under_way.never_ends().await,
                Mishap::Gateway(status) => {
                    head.status = StatusCode::from_u16(status).expect("a mishap has a status");
                    head.headers.clear();
                    head.headers.insert(header::CONTENT_TYPE, "text/html".parse().expect("text"));
                    body = vec![Ok("<html>".into())];
                }
                _ => {}
            }
            Ok(Response::from_parts(head, stream::iter(body).boxed()))
        })
    }
}

impl Clock for Network {
    fn now(&self) -> Timestamp {
        self.0.sandbox.clock().now()
    }

    fn instant(&self) -> Instant {
        let (instant, began) = self.0.origin;
        let passed = self.0.waits.now().duration_since(began);
        instant + Duration::try_from(passed).expect("a clock moves forward")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut timers = locked(&self.0.timers);
        timers.last += 1;
        let key = (self.instant() + duration, timers.last);
        Box::pin(Sleep { network: self.clone(), key, began: false })
    }
}

struct Sleep {
    network: Network,
    key: (Instant, u64),
    began: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = locked(&self.network.0.timers);
        timers.waiting.insert(self.key, context.waker().clone());
        if !self.began {
            // What else is ready goes first, as it would while time passes.
            context.waker().wake_by_ref();
            drop(timers);
            self.began = true;
            return Poll::Pending;
        }
        let left = self.key.0.saturating_duration_since(self.network.instant());
        let is_next = timers.waiting.keys().next() == Some(&self.key);
        if !left.is_zero() {
            if timers.under_way > 0 || !is_next {
                return Poll::Pending;
            }
            self.network.0.waits.advance(left);
        }
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        locked(&self.network.0.timers).waiting.remove(&self.key);
        self.network.wake_all();
    }
}

/// What a caller concludes from a call: its value when it was done, and nothing when it was not.
///
/// When the error advises to read back, `read_back` does so, on a network where nothing goes wrong
/// any more. `refusals` are the kinds with which the provider's rules refuse the call; none means
/// that they allow it.
///
/// # Panics
///
/// When the outcome is not what the rules say, and nothing went wrong that could explain it.
pub async fn conclude<T>(
    network: &Network,
    mishaps: &[Mishap],
    refusals: &[ErrorKind],
    outcome: Result<T, Error>,
    read_back: impl AsyncFnOnce() -> Option<T>,
) -> Option<T> {
    network.calm();
    let smooth = mishaps.is_empty();
    match outcome {
        Ok(value) if refusals.is_empty() => Some(value),
        // A deletion whose first attempt was lost, and of which the second found nothing to delete.
        Ok(_) if !smooth && refusals.contains(&ErrorKind::NotFound) => None,
        Ok(_) => panic!("it was done, and not refused with any of {refusals:?}"),
        Err(error) if error.advice() == Advice::ReadBack && !smooth => {
            let found = read_back().await;
            assert!(found.is_none() || refusals.is_empty(), "it was done after all: {error:?}");
            found
        }
        Err(error) => {
            assert!(!smooth || refusals.contains(&error.kind()), "not {refusals:?} but {error:?}");
            None
        }
    }
}
