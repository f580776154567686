//! Dropping a future at any point leaves nothing behind that blocks others: no permit, no sign-in,
//! no lock, no task.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_http::{
    Binding, BoundToken, Client, ClientBuilder, Dialect, MemoryStore, Operation, Replay, Reply,
    Request, Security, SystemClock, TokenManager, TokenSource, TokenStore,
};
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use anyvpn_testkit::scripted::{Script, Step};
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// A provider that allows one creation in ten seconds.
struct Slow;

const INTERVAL: Duration = Duration::from_secs(10);

impl Dialect for Slow {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn min_interval(operation: OperationId) -> Option<Duration> {
        (operation == Create::ID).then_some(INTERVAL)
    }

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        security.attach_bearer(token, to)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        !reply.body.starts_with(b"<")
    }

    fn refusal(reply: &Reply) -> Error {
        Error::new(match reply.status.as_u16() {
            401 => ErrorKind::Unauthorized,
            429 => ErrorKind::RateLimited,
            _ => ErrorKind::Refused,
        })
    }
}

/// Operations that differ in what may be repeated. Each request names its sender.
macro_rules! operations {
    ($($name:ident: $replay:ident;)+) => {$(
        struct $name(usize);

        impl Operation for $name {
            type Dialect = Slow;
            type Output = u32;
            const ID: OperationId = OperationId::new("slow", stringify!($name));
            const REPLAY: Replay = Replay::$replay;

            fn security(&self) -> Security {
                Security::required(&["bearer"])
            }

            fn request(&self) -> Result<Request, Error> {
                Request::post("/{caller}").path("caller", self.0)
            }

            fn decode(&self, reply: &Reply) -> Result<u32, Error> {
                Slow::decode(reply)
            }
        }
    )+};
}

operations! {
    Read: Safe;
    Create: Once;
}

fn builder(transport: Arc<dyn Transport>) -> ClientBuilder<Slow> {
    Client::<Slow>::builder("https://vpn.example.com").token("t0ken").transport(transport)
}

/// Returns the senders of the requests, in order.
fn senders(script: &Script) -> Vec<usize> {
    let sent = script.sent();
    sent.iter().map(|request| request.uri().path()[1..].parse().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_does_not_block_others_and_ends_with_its_client() {
    let limited = || Step::json(429, "").with_header("retry-after", "7");
    let ok = || Step::json(200, "7");
    let troubles: [&[Step]; 4] =
        [&[], &[limited()], &[Step::Refuse, limited()], &[Step::Reset, Step::Cut(200, "7".into())]];
    for once in [false, true] {
        for trouble in troubles {
            let lost = matches!(trouble.first(), Some(Step::Reset));
            if once && lost {
                continue;
            }
            let polls = at_every_poll(async |polls| {
                let steps = trouble.iter().cloned().chain(std::iter::repeat_with(ok).take(9));
                let (began, script) = (Instant::now(), Halting::new(Script::new(steps)));
                let transport = Arc::new(script.clone());
                let gone = Arc::downgrade(&transport);
                let client = builder(transport).build().unwrap();
                let call = |caller| {
                    let client = client.clone();
                    async move {
                        match once {
                            true => client.call(Create(caller)).await,
                            false => client.call(Read(caller)).await,
                        }
                    }
                };
                let ended = poll_at_most(polls, call(1)).await.is_some();
                script.settled().await;
                assert_eq!(call(2).await.unwrap(), 7, "after {polls} polls");
                let sent = senders(script.inner());
                let limited = trouble.iter().any(|step| matches!(step, Step::Reply(429, ..)));
                let most = 1 + usize::from(limited && once) + if once { 0 } else { 2 };
                assert!(sent.iter().filter(|it| **it == 1).count() <= most, "{sent:?}");
                // An operation with a limit waits ten seconds before every attempt but the first, and
                // the pause of seven seconds is within them. Others wait for the pause and the retries.
                let attempts = u64::try_from(1 + trouble.len()).unwrap();
                let most = if once { attempts * 10 + 1 } else { 20 };
                assert!(began.elapsed() < Duration::from_secs(most), "{:?}", began.elapsed());
                drop(client);
                assert!(gone.upgrade().is_none(), "something lives on after {polls} polls");
                ended
            })
            .await;
            assert!(polls >= 5, "only {polls} moments to give up");
        }
    }
}

/// Whichever caller in the queue gives up, and wherever, the others keep their order and lose at
/// most the one slot that may have been used.
#[tokio::test(start_paused = true)]
async fn a_dropped_caller_leaves_the_queue() {
    for gone in 0..4 {
        at_every_poll(async |polls| {
            let (began, script) = (Instant::now(), Halting::new(Script::new(vec![ok(); 9])));
            let client = builder(Arc::new(script.clone())).build().unwrap();
            let mut ended = false;
            let calls = (0..4).map(|caller| {
                let client = client.clone();
                Box::pin(async move {
                    let polls = if caller == gone { polls } else { usize::MAX };
                    poll_at_most(polls, client.call(Create(caller))).await.map(Result::unwrap)
                })
            });
            let outcomes = join_all(calls).await;
            script.settled().await;
            for (caller, outcome) in outcomes.iter().enumerate() {
                assert!(outcome.is_some() || caller == gone, "{caller} after {polls} polls");
            }
            ended |= outcomes[gone].is_some();
            let sent = senders(script.inner());
            let mut expected = vec![0, 1, 2, 3];
            if !sent.contains(&gone) {
                expected.remove(gone);
            }
            assert_eq!(sent, expected, "{gone} gave up after {polls} polls");
            // The permit of a caller that gave up after getting it may stay unused.
            let turns = began.elapsed().as_secs() / INTERVAL.as_secs();
            assert!((sent.len() as u64 - 1..=3).contains(&turns), "{turns} turns for {sent:?}");
            assert_eq!(client.wait_for(Create::ID), INTERVAL, "somebody is still in the queue");
            ended
        })
        .await;
    }
}

fn ok() -> Step {
    Step::json(200, "7")
}

/// A server that creates tokens and accepts only the newest one.
#[derive(Default)]
struct Server {
    made: AtomicUsize,
    valid: Mutex<Option<String>>,
}

impl Server {
    fn make(&self) -> String {
        let token = format!("token-{}", self.made.fetch_add(1, Ordering::SeqCst));
        *self.valid.lock().unwrap() = Some(token.clone());
        token
    }
}

impl Transport for Server {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let sent = request.headers()["authorization"].to_str().unwrap();
        let valid = self.valid.lock().unwrap().as_ref().map(|token| format!("Bearer {token}"));
        let status = if valid.as_deref() == Some(sent) { 200 } else { 401 };
        let reply = http::Response::builder().status(status);
        Box::pin(async move {
            let body = stream::iter([Ok(Bytes::from_static(b"7"))]).boxed();
            Ok(reply.body(body).unwrap())
        })
    }
}

/// Signing in takes some time before and after the token is created.
struct SlowSignIn(Arc<Server>);

#[async_trait]
impl TokenSource for SlowSignIn {
    type Token = Secret;
    type Credential = Secret;

    fn credential(&self, token: Secret) -> Secret {
        token
    }

    fn secret(token: &Secret) -> &Secret {
        token
    }

    fn secret_of(token: &Secret) -> Option<&Secret> {
        Some(token)
    }

    async fn make(&self, _: Option<&BoundToken<Secret>>) -> Result<Secret, Error> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let token = self.0.make();
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Ok(Secret::from(token))
    }
}

/// All callers that need a token wait for the same sign-in. It remains the only one, whichever of
/// them gives up.
#[tokio::test(start_paused = true)]
async fn a_sign_in_that_has_begun_comes_to_its_end() {
    for old in [None, Some("of-last-year")] {
        for dropped in [&[0][..], &[1], &[0, 1, 2], &[0, 1, 2, 3]] {
            at_every_poll(async |polls| {
                let server = Arc::new(Server::default());
                let transport = Arc::new(Halting::new(SharedServer(Arc::clone(&server))));
                let binding = || Binding::new("slow", "https://vpn.example.com", None);
                let old = old.map(|old| BoundToken::new(binding(), Secret::from(old)));
                let store = Halting::new(MemoryStore::new(old));
                let sign_in = SlowSignIn(Arc::clone(&server));
                let clock = Arc::new(SystemClock);
                let stored = TokenManager::new(sign_in, Arc::new(store.clone()), binding(), clock);
                let gone = Arc::downgrade(&transport);
                let client = builder(transport).credentials(stored).build().unwrap();
                let calls = (0..4).map(|caller| {
                    let polls = if dropped.contains(&caller) { polls } else { usize::MAX };
                    poll_at_most(polls, client.call(Read(caller)))
                });
                let outcomes = join_all(calls).await;
                for (caller, outcome) in outcomes.iter().enumerate() {
                    let done = matches!(outcome, Some(Ok(7)));
                    assert!(done || dropped.contains(&caller) && outcome.is_none(), "{outcome:?}");
                }
                assert_eq!(client.call(Read(9)).await.unwrap(), 7);
                assert_eq!(server.made.load(Ordering::SeqCst), 1, "after {polls} polls");
                assert_eq!(kept(&store).await, *server.valid.lock().unwrap());
                drop(client);
                settle().await;
                assert!(gone.upgrade().is_none(), "something lives on after {polls} polls");
                outcomes.iter().all(Option::is_some)
            })
            .await;
        }
    }
}

struct SharedServer(Arc<Server>);

impl Transport for SharedServer {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        self.0.send(request)
    }
}

async fn kept(store: &Halting<MemoryStore<Secret>>) -> Option<String> {
    let stored = store.load().await.unwrap();
    stored.map(|stored| stored.token.expose().to_owned())
}

/// Lets every ready task run.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
