//! The client observes AddClient's limit of one call in 10 seconds: callers wait in order of
//! arrival. The tests use no real time.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use anyvpn_core::{Activity, ActivityKind, CallEvent, CallObserver, OperationId};
use anyvpn_http::{Credentials, Limits, Operation};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use anyvpn_vpngn::ops::{AddClient, CloseClient, CreatedClient, GetProducts, OPERATIONS};
use anyvpn_vpngn::{Access, Error, ErrorKind, Proof, Vpngn};
use async_trait::async_trait;
use futures_util::future::join_all;
use world::{Credential, World, newcomer, on_sandbox_time};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn client(proof: Proof, steps: impl IntoIterator<Item = Step>) -> (Vpngn, Script, VirtualTime) {
    let (script, clock) = (Script::new(steps), VirtualTime::default());
    let builder = Vpngn::brand("acme").unwrap().credential(Access::new("key", proof));
    let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock.clone()));
    (builder.build().unwrap(), script, clock)
}

fn done(times: usize) -> Vec<Step> {
    vec![Step::json(200, r#"{"status":"success"}"#); times]
}

fn limited(retry_after: &str) -> Step {
    Step::json(429, r#"{"status":"error","message":"wait"}"#)
        .with_header("retry-after", retry_after)
}

fn email(number: usize) -> String {
    format!("{number}@example.com")
}

/// Returns the numbers of the customers that were sent, in order.
fn sent(script: &Script) -> Vec<usize> {
    let sent = script.sent();
    let sent = sent.iter().map(|request| {
        let (_, email) =
            url::form_urlencoded::parse(request.body()).find(|(name, _)| name == "email").unwrap();
        email.split_once('@').unwrap().0.parse().unwrap()
    });
    sent.collect()
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<CreatedClient, Error>> + 'a>>;

fn call(vpngn: &Vpngn, number: usize) -> Call<'_> {
    Box::pin(vpngn.call(newcomer(&email(number))))
}

/// Polls each of the calls this often, in order, unless it is ready.
async fn poll(calls: &mut [Call<'_>], times: usize) {
    for _ in 0..times {
        for call in &mut *calls {
            let ready =
                poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready())).await;
            assert!(!ready, "it did not wait");
        }
    }
}

fn wait_for(vpngn: &Vpngn) -> Duration {
    vpngn.client().wait_for(AddClient::ID)
}

#[tokio::test]
async fn callers_go_in_order_ten_seconds_apart() {
    let (vpngn, script, clock) = client(Proof::None, done(20));
    let calls = (0..20).map(|number| vpngn.call(newcomer(&email(number))));
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(sent(&script), Vec::from_iter(0..20));
    // The last call waited longer than a call may take, because waiting for a permit does not
    // count.
    assert_eq!(clock.elapsed(), seconds(190));
    assert!(clock.elapsed() > Limits::default().call);
    assert_eq!(clock.waits(), vec![seconds(10); 19]);
}

/// All clones of a client share its permits, whatever else they do.
#[tokio::test]
async fn clones_of_a_client_share_the_rate_limit() {
    let (vpngn, script, clock) = client(Proof::None, done(3));
    let other = vpngn.with_access(Access::new("key", Proof::None)).for_customer("a@example.com");
    vpngn.call(newcomer(&email(0))).await.unwrap();
    other.call(newcomer(&email(1))).await.unwrap();
    vpngn.clone().call(newcomer(&email(2))).await.unwrap();
    assert_eq!((sent(&script), clock.elapsed()), (vec![0, 1, 2], seconds(20)));
}

#[tokio::test]
async fn the_wait_for_the_rate_limit_is_reported() {
    let (vpngn, _script, _clock) = client(Proof::None, done(9));
    assert_eq!(wait_for(&vpngn), Duration::ZERO);
    vpngn.call(newcomer(&email(0))).await.unwrap();
    assert_eq!(wait_for(&vpngn), seconds(10));
    let mut waiting = [call(&vpngn, 1), call(&vpngn, 2)];
    poll(&mut waiting, 1).await;
    assert_eq!(wait_for(&vpngn), seconds(30));
    let [first, second] = waiting;
    drop(second);
    assert_eq!(wait_for(&vpngn), seconds(20));
    first.await.unwrap();
    assert_eq!(wait_for(&vpngn), seconds(10));
    let others = OPERATIONS.iter().map(|entry| entry.id).filter(|id| *id != AddClient::ID);
    for operation in others.chain([OperationId::new("vpngn", "no-such")]) {
        assert_eq!(vpngn.client().wait_for(operation), Duration::ZERO, "{operation}");
    }
}

/// Records the customers' waits for a permit.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

impl CallObserver for Waits {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        assert!(matches!(activity.kind, ActivityKind::Call { operation: AddClient::ID, .. }));
        if let CallEvent::WaitingForPermit { wait, .. } = event {
            self.0.lock().unwrap().push(*wait);
        }
    }
}

#[tokio::test]
async fn the_observer_gets_the_wait_of_each_caller() {
    let clock = VirtualTime::default();
    let waits = Arc::new(Waits::default());
    let vpngn = Vpngn::brand("acme").unwrap().credential(Access::new("key", Proof::None));
    let vpngn = vpngn.transport(Arc::new(Script::new(done(3)))).clock(Arc::new(clock));
    let vpngn = vpngn.observer(waits.clone()).build().unwrap();
    for outcome in join_all((0..3).map(|number| vpngn.call(newcomer(&email(number))))).await {
        outcome.unwrap();
    }
    // The third call is behind the second, and then first in the queue.
    assert_eq!(*waits.0.lock().unwrap(), [10, 20, 10].map(seconds));
}

/// Whichever waiting call gives up, at any point, the others keep their order and lose no time.
#[tokio::test]
async fn a_cancelled_caller_does_not_block_others() {
    for gone in 0..4 {
        for polls in 0..2 {
            let (vpngn, script, clock) = client(Proof::None, done(9));
            vpngn.call(newcomer(&email(9))).await.unwrap();
            let mut calls = [0, 1, 2, 3].map(|number| call(&vpngn, number));
            poll(&mut calls, polls).await;
            let mut calls = Vec::from(calls);
            drop(calls.remove(gone));
            for outcome in join_all(calls).await {
                outcome.unwrap();
            }
            let stayed = [0, 1, 2, 3].into_iter().filter(|number| *number != gone);
            let order: Vec<_> = std::iter::once(9).chain(stayed).collect();
            assert_eq!(sent(&script), order, "{gone} gave up after {polls} polls");
            assert_eq!(clock.elapsed(), seconds(30), "{gone} gave up after {polls} polls");
        }
    }
}

#[tokio::test]
async fn calls_with_a_secret_key_are_exempt_from_the_rate_limit() {
    for proof in [Proof::SecretKey("secret".into()), Proof::Whitelisted] {
        let (server, script, clock) = client(proof, done(9));
        let anybody = server.with_access(Access::new("key", Proof::None));
        for number in 0..5 {
            server.call(newcomer(&email(number))).await.unwrap();
        }
        assert_eq!(wait_for(&anybody), Duration::ZERO);
        anybody.call(newcomer(&email(5))).await.unwrap();
        server.call(newcomer(&email(6))).await.unwrap();
        assert_eq!(clock.elapsed(), Duration::ZERO);
        assert_eq!(sent(&script), Vec::from_iter(0..7));
    }
}

/// Other calls do not wait for a permit.
#[tokio::test]
async fn only_adding_a_client_waits() {
    let (vpngn, script, clock) = client(Proof::None, done(9));
    vpngn.call(newcomer(&email(0))).await.unwrap();
    let password = vpngn.with_access(Access::new("key", Proof::Password("p".into())));
    password.call(GetProducts { email: email(1) }).await.unwrap();
    password.call(CloseClient { email: email(2) }).await.unwrap();
    assert_eq!((sent(&script), clock.elapsed()), (vec![0, 1, 2], Duration::ZERO));
}

#[tokio::test]
async fn a_429_is_honoured_on_top() {
    // Another program with the same address has just added a client.
    let steps = [vec![limited("7")], done(2)].concat();
    let (vpngn, script, clock) = client(Proof::None, steps);
    // The call is retried no sooner than the limit allows, whatever the refusal says, because the
    // provider counts both attempts.
    vpngn.call(newcomer(&email(0))).await.unwrap();
    assert_eq!((sent(&script), clock.elapsed()), (vec![0, 0], seconds(10)));
    vpngn.call(newcomer(&email(1))).await.unwrap();
    assert_eq!((sent(&script), clock.elapsed()), (vec![0, 0, 1], seconds(20)));

    // A wait that is longer than the interval delays all of the client's calls.
    let steps = [vec![limited("45")], done(2)].concat();
    let (vpngn, script, clock) = client(Proof::None, steps);
    for outcome in join_all([call(&vpngn, 0), call(&vpngn, 1)]).await {
        outcome.unwrap();
    }
    assert_eq!((sent(&script)[0], script.arrived()), (0, 3));
    // Two calls that wait at the same time advance this clock by the sum of their waits.
    assert!((45..=100).contains(&clock.elapsed().as_secs()), "{:?}", clock.elapsed());

    // A wait that is longer than a call may take is reported, and nothing is sent meanwhile.
    let (vpngn, script, clock) = client(Proof::None, [limited("3600")]);
    let error = vpngn.call(newcomer(&email(0))).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(seconds(3600))));
    assert_eq!((script.arrived(), clock.elapsed()), (1, Duration::ZERO));

    // A server's 429 is honoured too.
    let steps = [vec![limited("7")], done(1)].concat();
    let (vpngn, script, clock) = client(Proof::Whitelisted, steps);
    vpngn.call(newcomer(&email(0))).await.unwrap();
    assert_eq!((script.arrived(), clock.elapsed()), (2, seconds(7)));
}

/// Every attempt takes a permit, whatever the result of the previous one.
#[tokio::test]
async fn a_repetition_waits_its_ten_seconds_too() {
    let unasked = Step::json(429, r#"{"status":"error","message":"wait"}"#);
    let (vpngn, script, clock) = client(Proof::None, [vec![unasked], done(1)].concat());
    vpngn.call(newcomer(&email(0))).await.unwrap();
    assert_eq!((script.arrived(), clock.elapsed()), (2, seconds(10)));
    assert_eq!(wait_for(&vpngn), seconds(10));

    // Four attempts of three customers.
    let steps = [vec![limited("1")], done(3)].concat();
    let (vpngn, script, clock) = client(Proof::None, steps);
    for number in 0..3 {
        vpngn.call(newcomer(&email(number))).await.unwrap();
    }
    assert_eq!((sent(&script), clock.elapsed()), (vec![0, 0, 1, 2], seconds(30)));
}

/// Credentials that are never found, for example because a store is locked.
struct Nowhere;

#[async_trait]
impl Credentials<Access> for Nowhere {
    async fn current(&self) -> Result<Option<Access>, Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_credential_is_waited_for_as_long_as_a_call_may_take() {
    let (script, clock) = (Script::new(done(1)), VirtualTime::default());
    let builder = Vpngn::brand("acme").unwrap().credentials(Nowhere);
    let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock.clone()));
    let vpngn = builder.build().unwrap();
    let error = vpngn.call(newcomer(&email(0))).await.unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::Timeout, Limits::default().call));
    assert_eq!((script.arrived(), wait_for(&vpngn)), (0, Duration::ZERO));
}

/// A call that is refused locally uses no permit.
#[tokio::test]
async fn a_call_that_is_rejected_locally_uses_no_permit() {
    let (vpngn, script, _clock) = client(Proof::LongToken("t".into()), done(1));
    let error = vpngn.call(newcomer(&email(0))).await.unwrap_err();
    assert_eq!((error.kind(), script.arrived()), (ErrorKind::InvalidRequest, 0));
    assert_eq!(wait_for(&vpngn), Duration::ZERO);
}

/// The sandbox counts too, with the same clock, and never has to refuse.
#[tokio::test]
async fn the_sandbox_finds_the_pace_right() {
    for seed in 0..8 {
        let world = World::from(still_sandbox().seed(seed)).await;
        let builder = on_sandbox_time(world.builder(Credential::None), &world.sandbox);
        let vpngn = builder.build().unwrap();
        let began = world.sandbox.clock().now();
        for number in 0..5 {
            call(&vpngn, number).await.unwrap();
        }
        let took = world.sandbox.clock().now().duration_since(began);
        assert_eq!(took.as_secs(), 40, "seed {seed}");
        assert_eq!(world.arrived(AddClient::ID), 5, "seed {seed}");
        assert!(world.sandbox.received().iter().all(|it| it.status == Some(200)), "seed {seed}");
        assert_eq!(world.sandbox.vpngn().customers(), 6, "seed {seed}");
    }
}
