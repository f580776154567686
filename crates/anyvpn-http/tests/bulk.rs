//! Many calls at a time: checks each promise of `bulk`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::cell::Cell;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, NewAccount, OperationId, Secret, SignUp};
use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_http::{Client, Dialect, Operation, Replay, Reply, Request, Security, bulk};
use anyvpn_lab::dropping::poll_at_most;
use anyvpn_testkit::reference::Reference;
use anyvpn_testkit::scripted::{Script, Step};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, stream};
use plain::Plain;
use tokio::time::{Instant, sleep};

const THREE: NonZero<usize> = NonZero::new(3).unwrap();

/// Creates a customer with this number.
struct Create(usize);

impl Operation for Create {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "create");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Request::post("/{customer}").path("customer", self.0)
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}

/// A server that takes one second for each request.
struct Slow(Script);

impl Transport for Slow {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let reply = self.0.send(request);
        Box::pin(async move {
            sleep(Duration::from_secs(1)).await;
            reply.await
        })
    }
}

fn client(script: &Script) -> Client<Plain> {
    let builder = Client::<Plain>::builder("https://vpn.example.com").token("t0ken");
    builder.transport(Arc::new(Slow(script.clone()))).build().unwrap()
}

/// Returns the customers of the requests, in order of arrival.
fn customers(script: &Script) -> Vec<usize> {
    let sent = script.sent();
    sent.iter().map(|request| request.uri().path()[1..].parse().unwrap()).collect()
}

/// Calls that take this long, and how they change these counts.
#[derive(Default)]
struct Counts {
    taken: Cell<usize>,
    running: Cell<usize>,
    most: Cell<usize>,
}

impl Counts {
    fn inputs(&self, number: usize) -> impl Iterator<Item = usize> {
        (0..number).inspect(|_| self.taken.set(self.taken.get() + 1))
    }

    async fn call(&self, time: Duration) {
        self.running.set(self.running.get() + 1);
        self.most.set(self.most.get().max(self.running.get()));
        sleep(time).await;
        self.running.set(self.running.get() - 1);
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_are_in_flight_and_start_in_order() {
    let (counts, started) = (Counts::default(), Cell::new(0));
    let began = Instant::now();
    let calls = bulk(stream::iter(counts.inputs(1000)), THREE, async |input| {
        assert_eq!(started.replace(input + 1), input);
        // The first of every three calls takes three times as long.
        counts.call(Duration::from_secs(if input % 3 == 0 { 3 } else { 1 })).await;
    });
    let mut ended: Vec<_> = calls.map(|(input, ())| input).collect().await;
    assert_eq!(counts.most.get(), 3);
    // Results arrive in order of completion: the first call takes longer than the two that start
    // beside it and the next one.
    assert_eq!(ended[..3], [1, 2, 4]);
    ended.sort_unstable();
    assert_eq!(ended, (0..1000).collect::<Vec<_>>());
    // 334 × 3 s and 666 × 1 s by three.
    let seconds = began.elapsed().as_secs();
    assert!((556..560).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_before_there_is_room() {
    let counts = Counts::default();
    let mut calls = bulk(stream::iter(counts.inputs(1_000_000)), THREE, async |_| {
        counts.call(Duration::from_secs(1)).await;
    });
    assert_eq!(counts.taken.get(), 0);
    for given in 0..100 {
        calls.next().await.unwrap();
        // A slow consumer.
        sleep(Duration::from_secs(60)).await;
        assert!((given + 1..=given + 3).contains(&counts.taken.get()), "{}", counts.taken.get());
    }
}

/// Each input counts how many instances of its kind exist.
#[derive(Clone)]
struct Alive(#[expect(dead_code, reason = "it is counted")] Arc<()>);

#[tokio::test]
async fn inputs_are_dropped_as_soon_as_they_are_done() {
    let one = Arc::new(());
    let inputs = std::iter::repeat_with(|| Alive(Arc::clone(&one))).take(10_000);
    let calls = bulk(stream::iter(inputs), THREE, async |_: Alive| {
        tokio::task::yield_now().await;
    });
    let mut most = 0;
    let given = calls.inspect(|_| most = most.max(Arc::strong_count(&one))).count().await;
    assert_eq!(given, 10_000);
    // Two references for calls in flight, and one here.
    assert!(most <= 7, "{most}");
}

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_input() {
    let steps = (0..10).map(|number| match number {
        4 => Step::json(422, ""),
        6 => Step::Reset,
        _ => Step::json(200, "7"),
    });
    let script = Script::new(steps);
    let client = client(&script);
    let calls = bulk(stream::iter(0..10), THREE, |customer| client.call(Create(customer)));
    let outcomes: Vec<_> = calls.collect().await;
    assert_eq!(customers(&script), (0..10).collect::<Vec<_>>());
    let kinds = outcomes.iter().filter_map(|(it, outcome)| Some((*it, outcome.as_ref().err()?)));
    let kinds: Vec<_> = kinds.map(|(it, error)| (it, error.kind())).collect();
    assert_eq!(kinds, [(4, ErrorKind::Refused), (6, ErrorKind::Ambiguous)]);
    assert_eq!(outcomes.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn after_a_429_all_wait_together_and_go_on_in_order() {
    let limited = || Step::json(429, "").with_header("retry-after", "7");
    let steps = [Step::json(200, "7"), limited(), limited()];
    let steps = steps.into_iter().chain(std::iter::repeat_n(Step::json(200, "7"), 7));
    let script = Script::new(steps);
    let client = client(&script);
    let began = Instant::now();
    let calls = bulk(stream::iter(0..8), THREE, |customer| client.call(Create(customer)));
    let outcomes: Vec<_> = calls.collect().await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    assert_eq!(customers(&script), [0, 1, 2, 1, 2, 3, 4, 5, 6, 7]);
    // One second for each reply: the first three, after the wait another three, and then two.
    assert_eq!(began.elapsed().as_secs(), 1 + 7 + 3);
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_taken_and_all_that_was_taken_has_an_outcome() {
    let script = Script::new(std::iter::repeat_n(Step::json(401, ""), 100));
    let client = client(&script);
    let mut inputs = 0..100;
    let mut calls =
        bulk(stream::iter(&mut inputs), THREE, |customer| client.call(Create(customer)));
    let mut refused = Vec::new();
    while let Some((customer, outcome)) = calls.next().await {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unauthorized);
        refused.push(customer);
        calls.stop();
    }
    drop(calls);
    assert_eq!(refused, [0, 1, 2]);
    assert_eq!(customers(&script), [0, 1, 2]);
    // The caller can still use the other results.
    assert_eq!(inputs, 3..100);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_leaves_its_client_usable_and_sends_nothing_twice() {
    for polls in 1..40 {
        let script = Script::new(std::iter::repeat_n(Step::json(200, "7"), 100));
        let client = client(&script);
        let mut inputs = 0..8;
        let mut given = Vec::new();
        let calls = bulk(stream::iter(&mut inputs), THREE, |it| client.call(Create(it)));
        let all = calls.map(|(it, _)| given.push(it)).count();
        let ended = poll_at_most(polls, all).await.is_some();
        assert_eq!(client.call(Create(99)).await.unwrap(), 7);
        let sent = customers(&script);
        let taken = inputs.start;
        assert!(sent.iter().all(|it| *it < taken || *it == 99), "{sent:?} of {taken}");
        assert!(given.iter().all(|it| sent.contains(it)), "{given:?}");
        assert!(taken - given.len() <= 3, "{taken} were taken and {} given", given.len());
        assert!(sent.is_sorted_by(|one, next| one < next), "{sent:?}");
        if ended {
            assert_eq!(given.len(), 8);
            return;
        }
    }
    panic!("it never came to its end");
}

/// Calls of a neutral trait borrow their provider, and the stream can be sent to another thread.
#[tokio::test]
async fn accounts_of_any_provider_are_created() {
    let reference = Reference::new("ada", Secret::from("correct horse"));
    let sign_up: &dyn SignUp = &reference;
    let logins = ["bob", "ada", "cy", "dan"];
    let calls = bulk(stream::iter(&logins), THREE, |login| {
        sign_up.create_account(NewAccount::new(*login, Secret::from("correct horse")))
    });
    let outcomes: Vec<_> = sendable(calls).collect().await;
    let refused: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
    let [(login, Err(error))] = refused[..] else { panic!("{outcomes:?}") };
    assert_eq!((**login, error.kind()), ("ada", ErrorKind::AlreadyExists));
    assert_eq!(outcomes.len(), 4);
}

fn sendable<T: Send>(value: T) -> T {
    value
}
