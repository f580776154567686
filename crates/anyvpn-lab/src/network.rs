//! A network between a client and the sandbox, with faults that a test generates. The providers'
//! state-machine tests share it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind};
use anyvpn_http::transport::{Body, Progress, Transport, TransportError};
use anyvpn_http::{ClientBuilder, Dialect};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use anyvpn_testkit::time::{UnderWay, VirtualTime};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::instrumented::send_whole;
use crate::time::SandboxTime;

/// The fault of a request.
#[derive(Clone, Debug)]
pub enum Mishap {
    /// No fault.
    None,
    /// The request cannot be sent.
    Refused,
    /// There is no answer until the timeout.
    Silence {
        /// Whether the request takes effect.
        done: bool,
    },
    /// The request takes effect, and a gateway answers instead of the server with this status.
    Gateway(u16),
    /// The sandbox causes this fault.
    Server(Fault),
}

/// Generates the faults for the requests of one step, in order. Most requests have none, and there are
/// never more faults than a client has attempts.
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

/// Runs a test on random cases: the same `few` each time, or as many new ones as the environment
/// variable `ANYVPN_MODEL_CASES` says.
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
        runtime.expect("the runtime can be created").block_on(test(case));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// A network and the virtual time of its clients.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    sandbox: Arc<Sandbox>,
    time: VirtualTime,
    ahead: Mutex<VecDeque<Mishap>>,
}

impl Network {
    /// Creates a network to this sandbox, on a real transport. The time of day is the sandbox's. Waits
    /// advance the clock `waits`, which may be the sandbox's own.
    pub fn new(
        transport: impl Transport,
        sandbox: Arc<Sandbox>,
        waits: anyvpn_sandbox::Clock,
    ) -> Self {
        let time = VirtualTime::over(SandboxTime::new(sandbox.clock().clone(), waits));
        Self(Arc::new(Inner {
            transport: Box::new(transport),
            sandbox,
            time,
            ahead: Mutex::default(),
        }))
    }

    /// Connects a client to this network and its time.
    #[must_use]
    pub fn connect<D: Dialect>(&self, builder: ClientBuilder<D>) -> ClientBuilder<D> {
        builder.transport(Arc::new(self.clone())).clock(Arc::new(self.0.time.clone()))
    }

    /// Sets the faults of the next requests.
    pub fn meet(&self, mishaps: Vec<Mishap>) {
        *locked(&self.0.ahead) = mishaps.into();
    }

    /// Removes the remaining faults, and returns whether there were none.
    pub fn calm(&self) -> bool {
        self.0.sandbox.clear_faults();
        std::mem::take(&mut *locked(&self.0.ahead)).is_empty()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for an answer that never comes, while virtual time passes.
async fn never_answered(under_way: UnderWay) -> Result<Response<Body>, TransportError> {
    drop(under_way);
    std::future::pending().await
}

impl Transport for Network {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let mishap = locked(&self.0.ahead).pop_front().unwrap_or(Mishap::None);
            let under_way = self.0.time.request();
            match &mishap {
                Mishap::Refused => {
                    let reason = "connection refused".to_owned();
                    return Err(TransportError { progress: Progress::NotSent, reason });
                }
                Mishap::Silence { done: false } => return never_answered(under_way).await,
                Mishap::Server(fault) => {
                    let once = FaultRule { times: Some(1), ..FaultRule::always(fault.clone()) };
                    self.0.sandbox.inject(once).expect("the operation is known");
                }
                Mishap::Silence { done: true } | Mishap::Gateway(_) | Mishap::None => {}
            }
            let (mut head, mut body) = send_whole(&*self.0.transport, request).await?;
            match mishap {
                Mishap::Silence { .. } => return never_answered(under_way).await,
                Mishap::Gateway(status) => {
                    head.status = StatusCode::from_u16(status).expect("the status is valid");
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

/// Returns what a caller concludes from a call: its value if it took effect, and `None` if it did not.
///
/// If the error advises to read back, `read_back` does so, on a network without further faults.
/// `refusals` are the kinds with which the provider's rules refuse the call; if it is empty, they allow
/// it.
///
/// # Panics
///
/// If the outcome contradicts the rules, and no fault explains that.
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
        // The first attempt of a deletion was lost, and the second found nothing to delete.
        Ok(_) if !smooth && refusals.contains(&ErrorKind::NotFound) => None,
        Ok(_) => panic!("the call took effect, but had to be refused with one of {refusals:?}"),
        Err(error) if error.advice() == Advice::ReadBack && !smooth => {
            let found = read_back().await;
            assert!(
                found.is_none() || refusals.is_empty(),
                "the call took effect although the rules refuse it: {error:?}"
            );
            found
        }
        Err(error) => {
            assert!(
                !smooth || refusals.contains(&error.kind()),
                "expected one of {refusals:?}, got {error:?}"
            );
            None
        }
    }
}
