//! A list as a stream while things go wrong: its bounds, its repetitions, its time and its end.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod listed;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId, Secret};
use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_http::{
    Client, Clock, Credentials, Limits, ListOperation, Operation, Replay, Reply, Request, Security,
};
use anyvpn_testkit::scripted::{Step, StillClock};
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::Response;
use listed::{
    Bare, BareServers, BareValues, Enveloped, Keys, Numbers, Servers, client, clock, drain,
    streamed,
};

/// The kinds of what comes, and how it ends, of a list in these pieces within these limits.
async fn within(limits: Limits, pieces: &[&str]) -> (usize, Option<Error>) {
    let pieces = pieces.iter().map(|it| Bytes::copy_from_slice(it.as_bytes())).collect();
    let steps = [Step::Pieces(200, Vec::new(), pieces)];
    let (client, _) = client(steps, |builder| builder.limits(limits));
    let (items, error) = drain(client.stream(BareValues)).await;
    (items.len(), error)
}

#[tokio::test]
async fn a_list_is_bounded_while_it_arrives() {
    let limits = Limits { reply: 100, ..Limits::default() };
    let elements = ["[1", ",1,1,1", &",1".repeat(60), "]"];
    let (count, error) = within(limits, &elements).await;
    let error = error.unwrap();
    assert_eq!((count, error.kind()), (3, ErrorKind::UnexpectedReply), "{error}");
    assert!(error.to_string().contains("larger than 100 bytes"), "{error}");

    // An element that never ends, and a frame.
    for endless in ["[1,\"", "[1,[", "[1] "] {
        let mut pieces = vec![endless; 1];
        pieces.resize(200, " ");
        let error = within(limits, &pieces).await.1.unwrap();
        assert!(error.to_string().contains("larger than 100 bytes"), "{error}");
    }
}

/// An element is bounded by itself: elements that are gone cost nothing.
#[tokio::test]
async fn values_are_bounded_in_each_element() {
    let limits = Limits { values: 20_000, ..Limits::default() };
    let element = format!("[0{}]", ",0".repeat(15_000));
    let list = format!("[{element},{element},{element}]");
    assert_eq!(within(limits, &[&list]).await.0, 3);
    let (one, rest) = list.split_at(50_000);
    assert_eq!(within(limits, &[one, rest]).await.0, 3);

    let larger = format!("[{element},[0{}]]", ",0".repeat(40_000));
    for pieces in [vec![&*larger], vec![&larger[..99_000], &larger[99_000..]]] {
        let (count, error) = within(limits, &pieces).await;
        assert_eq!(count, 1);
        let error = error.unwrap().to_string();
        assert!(error.contains("more than 20000 values"), "{error}");
    }
}

#[tokio::test]
async fn nesting_is_bounded_as_in_a_whole_reply() {
    let limits = Limits { nesting: 3, ..Limits::default() };
    for (text, fits) in [("[0,[[1]]]", true), ("[0,[[[1]]]]", false)] {
        for cut in [0, 5] {
            let (one, rest) = text.split_at(cut);
            let (count, error) = within(limits, &[one, rest]).await;
            assert_eq!((count, error.is_none()), (if fits { 2 } else { 1 }, fits), "{error:?}");
        }
        let (client, _) = client([Step::json(200, text)], |it| it.limits(limits));
        assert_eq!(client.call(BareValues).await.is_ok(), fits);
    }
    // Deeper than the parser goes, in an element that is skipped by its type.
    let deep = format!("[1,{}]", "[".repeat(100_000));
    let error = within(Limits::default(), &[&deep]).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_polled() {
    let (client, script) = client([Step::json(200, "[1]")], |it| it);
    let list = client.stream(Numbers);
    assert_eq!(script.arrived(), 0);
    assert_eq!(list.try_collect::<Vec<_>>().await.unwrap(), [1]);
    assert_eq!(script.arrived(), 1);
}

#[tokio::test]
async fn what_is_beside_the_list_is_the_rest() {
    let pieces = [r#"{"ok":true,"data":[{"id":1}"#, "]", "}"].map(Bytes::from).to_vec();
    let (client, _) = client([Step::Pieces(200, Vec::new(), pieces)], |it| it);
    let mut list = client.stream(Servers);
    assert!(list.rest().is_none());
    list.next().await.unwrap().unwrap();
    assert_eq!(list.rest(), Some(&vec![]));
    assert!(list.next().await.is_none());
    assert_eq!(list.rest(), Some(&vec![]));
}

#[tokio::test]
async fn before_the_first_element_it_is_repeated_like_a_call() {
    let ok = || Step::json(200, r#"{"ok":true,"data":[{"id":1}]}"#);
    for lost in [
        Step::Refuse,
        Step::Reset,
        Step::Hang,
        Step::json(503, ""),
        Step::json(429, ""),
        Step::Cut(200, String::new()),
        Step::Cut(200, r#"{"ok":true,"data":"#.to_owned()),
        Step::Cut(200, r#"{"ok":true,"data":[{"id":1"#.to_owned()),
        Step::Cut(200, r#"{"ok":true,"data":[],"x":"#.to_owned()),
        Step::Cut(200, r#"{"ok":true,"data":[{"id":"x"},{"id":2},"#.to_owned()),
    ] {
        let (client, _) = client([lost.clone(), ok()], |it| it);
        let (items, error) = drain(client.stream(Servers)).await;
        assert!(error.is_none(), "{lost:?}: {error:?}");
        assert_eq!(items.len(), 1, "{lost:?}");
    }
}

#[tokio::test]
async fn behind_the_first_element_nothing_is_repeated() {
    for (rest, items) in [("", 1), (",", 1), (r#",{"id":2"#, 1), (r#",{"id":2}"#, 2), ("]", 1)] {
        let text = format!(r#"{{"ok":true,"data":[{{"id":1}}{rest}"#);
        let ok = Step::json(200, r#"{"ok":true,"data":[]}"#);
        let (client, script) = client([Step::Cut(200, text.clone()), ok.clone(), ok], |it| it);
        let (came, error) = drain(client.stream(Servers)).await;
        let error = error.unwrap();
        assert_eq!((came.len(), error.kind()), (items, ErrorKind::Unreachable), "{text}");
        assert!(error.to_string().contains("reset by peer"), "{error}");
        assert_eq!(error.operation(), Some(Servers::ID));
        assert_eq!(script.arrived(), 1);
        // The client is as usable as before.
        assert!(client.call(Servers).await.unwrap().is_empty());
        let changes = drain(client.stream(Keys)).await;
        assert_eq!(changes.1.map(|it| it.kind()), None);
    }
    let cut = Step::Cut(200, r#"{"ok":true,"data":[{"id":1},"#.to_owned());
    let (client, _) = client([cut], |it| it);
    assert_eq!(drain(client.stream(Keys)).await.1.unwrap().advice(), Advice::ReadBack);
}

#[tokio::test]
async fn a_refusal_is_its_error_and_no_empty_list() {
    for (text, before) in [
        (r#"{"ok":false,"data":[{"id":1}]}"#, 0),
        (r#"{"ok":false,"data":[]}"#, 0),
        (r#"{"data":[],"ok":false}"#, 0),
        (r#"{"data":["id is missing"],"ok":false}"#, 0),
        (r#"{"data":[{"id":1},"t0ken"],"ok":false,"why":"t0ken"}"#, 1),
        (r#"{"data":[{"id":1}],"ok":false,"why":"t0ken"}"#, 1),
    ] {
        let (items, error) = streamed(Servers, vec![Bytes::from_static(text.as_bytes())]).await;
        let error = error.unwrap();
        assert_eq!((items.len(), error.kind()), (before, ErrorKind::Refused), "{text}");
        assert!(error.message().is_some_and(|it| it.contains("ok")), "{error}");
        assert!(!format!("{error} {error:?}").contains("t0ken"), "{error:?}");
    }
}

/// The same as [`Servers`], but the last of two lists counts.
struct Last;

impl Operation for Last {
    type Dialect = Enveloped;
    type Output = Vec<u32>;
    const ID: OperationId = OperationId::new("test", "Last");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/list"))
    }

    fn decode(&self, reply: &Reply) -> Result<Vec<u32>, Error> {
        let mut body: serde_json::Value = reply.json()?;
        reply.json_part(body["data"].take())
    }
}

impl ListOperation for Last {
    type Item = u32;

    fn elements(value: &mut Vec<u32>) -> Vec<u32> {
        std::mem::take(value)
    }
}

#[tokio::test]
async fn a_second_list_that_would_count_is_an_error() {
    let (came, error) = streamed(Last, vec![r#"{"data":[1],"data":[2]}"#.into()]).await;
    let error = error.unwrap();
    assert_eq!((came, error.kind()), (vec![1], ErrorKind::UnexpectedReply), "{error}");
    assert!(error.to_string().contains("the list is there twice"), "{error}");
    // One that cannot be handed out in pieces is given all the same.
    let (came, error) = streamed(Last, vec![r#"{"data":null,"d\u0061ta":[2,3]}"#.into()]).await;
    assert_eq!((came, error.map(|it| it.kind())), (vec![2, 3], None));
}

#[tokio::test]
async fn an_element_that_does_not_fit_is_named() {
    for (text, place) in [
        (r#"{"ok":true,"data":[{"id":1},{"id":2},{"id":"s3cret"}]}"#, "at `data[2].id`: "),
        (r#"{"ok":true,"list":[7]}"#, "at `list[0]`: "),
        (r#"{"ok":true,"data":[{"id":1},{"id":1 2}]}"#, "at `data[1]"),
        (r#"{"ok":true,"data":[{"id":1} {"id":2}]}"#, "at `data[1]`: expected `,` or `]`"),
        (r#"{"ok":true,"data":[{"id":1}"#, "at `data[1]`: it ends too early"),
        (r#"{"data":[{"id":1},{"id":"s3cret"}]}"#, "at `data[1].id`: "),
    ] {
        for at in 0..=text.len() {
            let (one, other) = text.split_at(at);
            let (_, error) = streamed(Servers, vec![one.into(), other.into()]).await;
            let error = error.unwrap().to_string();
            assert!(error.contains(place) && !error.contains("s3cret"), "cut at {at}: {error}");
        }
    }
    let (_, error) = streamed(BareServers, vec![Bytes::from_static(b"[{\"id\":-1}]")]).await;
    assert!(error.unwrap().to_string().contains("at `[0].id`: "));
}

struct Renewing(Arc<AtomicUsize>);

#[async_trait]
impl Credentials<Secret> for Renewing {
    async fn current(&self) -> Result<Option<Secret>, Error> {
        Ok(Some(format!("token{}", self.0.load(Ordering::SeqCst)).into()))
    }

    async fn renew(&self, _: &Secret) -> Result<bool, Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
}

#[tokio::test]
async fn a_refused_credential_is_renewed() {
    let steps = [Step::json(401, ""), Step::json(200, "[1,2]")];
    let renewals = Arc::new(AtomicUsize::new(0));
    let credentials = Renewing(Arc::clone(&renewals));
    let (client, script) = client(steps, |builder| builder.credentials(credentials));
    assert_eq!(drain(client.stream(Numbers)).await.0, [1, 2]);
    assert_eq!(script.sent()[1].headers()["authorization"], "Bearer token1");
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
}

/// A server that sends an element at once, and then one a second.
struct Drip(StillClock);

impl Transport for Drip {
    fn send(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let clock = self.0.clone();
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let later = stream::unfold((), move |()| {
            let pause = clock.sleep(Duration::from_secs(1));
            pause.map(move |()| Some((piece("1,"), ())))
        });
        let elements = stream::iter([piece("[1,")]).chain(later);
        Box::pin(async { Ok(Response::new(elements.boxed())) })
    }
}

#[tokio::test]
async fn a_server_that_never_ends_runs_out_of_time() {
    let clock = clock();
    let client = Client::<Bare>::builder("https://vpn.example.com")
        .token("t0ken".to_owned())
        .transport(Arc::new(Drip(clock.clone())))
        .clock(Arc::new(clock.clone()))
        .limits(Limits { attempt: Duration::from_secs(60), ..Limits::default() })
        .build()
        .unwrap();
    let (items, error) = drain(client.stream(Numbers)).await;
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!((items.len(), clock.elapsed()), (61, Duration::from_secs(60)));
}

#[tokio::test]
async fn what_the_caller_takes_between_two_elements_is_free() {
    let clock = clock();
    let pieces = ["[1", ",2,", "3", "]"].map(Bytes::from).to_vec();
    let steps = [Step::Pieces(200, Vec::new(), pieces)];
    let (client, _) = client(steps, |builder| builder.clock(Arc::new(clock.clone())));
    let mut list = client.stream(Numbers);
    for number in 1..=3 {
        assert_eq!(list.next().await.unwrap().unwrap(), number);
        clock.sleep(Duration::from_secs(3600)).await;
    }
    assert!(list.next().await.is_none());
}

#[tokio::test]
async fn a_list_that_is_dropped_leaves_the_client_usable() {
    let text = r#"{"ok":true,"data":[{"id":1},{"id":2}]}"#;
    let pieces: Vec<_> = text.bytes().map(|byte| Bytes::from(vec![byte])).collect();
    for polled in 0..3 {
        let steps = [Step::Pieces(200, Vec::new(), pieces.clone()), Step::json(200, text)];
        let (client, _) = client(steps.iter().skip(usize::from(polled == 0)).cloned(), |it| it);
        let mut list = client.stream(Servers);
        for _ in 0..polled {
            list.next().await.unwrap().unwrap();
        }
        drop(list);
        assert_eq!(client.call(Servers).await.unwrap().len(), 2);
    }
    let (client, _) = client([Step::Hang, Step::json(200, text)], |it| it);
    let mut list = client.stream(Servers);
    assert!(format!("{list:?}").contains("Servers"), "{list:?}");
    assert!(list.next().now_or_never().is_none());
    drop(list);
    assert_eq!(client.call(Servers).await.unwrap().len(), 2);
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn a_list_can_go_to_another_thread() {
    let (client, _) = client::<Bare>([], |it| it);
    is_send(&client.stream(Numbers));
}
