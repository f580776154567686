//! A list as a stream: the same elements and the same errors as the whole reply gives, wherever the
//! network cuts it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId, Secret, Timestamp};
use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_http::{
    Client, ClientBuilder, Clock, Credentials, Dialect, Limits, List, ListOperation, Operation,
    Replay, Reply, Request, Security, lenient,
};
use anyvpn_testkit::scripted::{Script, Step, StillClock};
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::Response;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// A provider with an envelope: its flag can come last, and can refuse with status 200.
struct Enveloped;

#[derive(Deserialize)]
struct Envelope<T> {
    ok: Option<bool>,
    #[serde(alias = "list")]
    data: Option<T>,
}

impl Dialect for Enveloped {
    type Provider = Client<Self>;
    type Credential = Secret;
    const LIST: &'static [&'static str] = &["data", "list"];

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        security.attach_bearer(token, to)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if !reply.status.is_success() {
            return Err(Self::refusal(reply));
        }
        let fits = reply.json::<Envelope<T>>();
        let flag = reply.json::<Envelope<IgnoredAny>>()?.ok;
        match fits {
            _ if flag == Some(false) => Err(Self::refusal(reply)),
            _ if flag.is_none() => Err(reply.unexpected("at `ok`: missing")),
            Ok(envelope) => envelope.data.ok_or_else(|| reply.unexpected("at `data`: missing")),
            Err(error) => Err(error),
        }
    }

    fn refusal(reply: &Reply) -> Error {
        let kind = match reply.status.as_u16() {
            401 => ErrorKind::Unauthorized,
            429 => ErrorKind::RateLimited,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Refused,
        };
        Error::new(kind).with_message(String::from_utf8_lossy(&reply.body))
    }
}

/// A provider whose replies are the value itself.
struct Bare;

impl Dialect for Bare {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        security.attach_bearer(token, to)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn refusal(reply: &Reply) -> Error {
        Enveloped::refusal(reply)
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Server {
    #[serde(deserialize_with = "lenient::integer")]
    id: u64,
    #[serde(default)]
    name: Option<String>,
}

macro_rules! lists {
    ($($name:ident: $dialect:ident, $replay:ident, $item:ty;)+) => {$(
        #[derive(Clone)]
        struct $name;

        impl Operation for $name {
            type Dialect = $dialect;
            type Output = Vec<$item>;
            const ID: OperationId = OperationId::new("test", stringify!($name));
            const REPLAY: Replay = Replay::$replay;

            fn security(&self) -> Security {
                Security::required(&["bearer"])
            }

            fn request(&self) -> Result<Request, Error> {
                Ok(Request::get("/list"))
            }

            fn decode(&self, reply: &Reply) -> Result<Vec<$item>, Error> {
                $dialect::decode(reply)
            }
        }

        impl ListOperation for $name {
            type Item = $item;

            fn elements(value: &mut Vec<$item>) -> Vec<$item> {
                std::mem::take(value)
            }
        }
    )+};
}

lists! {
    Servers: Enveloped, Safe, Server;
    Values: Enveloped, Safe, Value;
    BareServers: Bare, Safe, Server;
    BareValues: Bare, Safe, Value;
    Numbers: Bare, Safe, u32;
    Keys: Enveloped, Idempotent, Server;
}

fn clock() -> StillClock {
    StillClock::new(Timestamp::UNIX_EPOCH)
}

fn client<D: Dialect<Provider = Client<D>, Credential = Secret>>(
    steps: impl IntoIterator<Item = Step>,
    dress: impl FnOnce(ClientBuilder<D>) -> ClientBuilder<D>,
) -> (Client<D>, Script) {
    let script = Script::new(steps);
    let builder = Client::<D>::builder("https://vpn.example.com").token("t0ken".to_owned());
    let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock()));
    (dress(builder).build().unwrap(), script)
}

/// All elements, and how the list ended.
async fn drain<O: ListOperation + 'static>(mut list: List<O>) -> (Vec<O::Item>, Option<Error>) {
    let mut items = Vec::new();
    loop {
        match list.next().await {
            Some(Ok(item)) => items.push(item),
            Some(Err(error)) => {
                assert!(list.next().await.is_none(), "it goes on after {error}");
                assert!(list.rest().is_none());
                return (items, Some(error));
            }
            None => {
                assert!(list.next().await.is_none());
                assert!(list.rest().is_some());
                return (items, None);
            }
        }
    }
}

/// What a client of default limits gets for this reply in these pieces.
async fn streamed<O>(operation: O, pieces: Vec<Bytes>) -> (Vec<O::Item>, Option<Error>)
where
    O: ListOperation + 'static,
    O::Dialect: Dialect<Provider = Client<O::Dialect>, Credential = Secret>,
{
    let (client, script) = client(vec![Step::Pieces(200, Vec::new(), pieces)], |it| it);
    let outcome = drain(client.stream(operation)).await;
    assert_eq!(script.arrived(), 1);
    outcome
}

/// That the stream gives the same as the call, whole, byte by byte, and cut in two anywhere.
async fn agrees<O>(operation: O, text: &[u8])
where
    O: ListOperation<Output = Vec<<O as ListOperation>::Item>> + Clone + 'static,
    O::Item: PartialEq + std::fmt::Debug,
    O::Dialect: Dialect<Provider = Client<O::Dialect>, Credential = Secret>,
{
    let body = Bytes::copy_from_slice(text);
    let (client, _) = client([Step::Pieces(200, Vec::new(), vec![body.clone()])], |it| it);
    let whole = client.call(operation.clone()).await;
    let mut ways: Vec<Vec<Bytes>> =
        (0..=body.len()).map(|at| vec![body.slice(..at), body.slice(at..)]).collect();
    ways.push((0..body.len()).map(|at| body.slice(at..=at)).collect());
    for pieces in ways {
        let place = pieces.first().map_or(0, Bytes::len);
        let shown = String::from_utf8_lossy(text);
        let (items, error) = streamed(operation.clone(), pieces).await;
        match (&whole, &error) {
            (Ok(whole), None) => assert_eq!(*whole, items, "{shown} cut at {place}"),
            (Err(whole), Some(error)) => {
                assert_eq!(whole.kind(), error.kind(), "{shown} cut at {place}: {error}");
                assert_eq!(whole.status(), error.status());
                assert_eq!(whole.advice(), error.advice());
                assert_eq!(whole.operation(), error.operation());
            }
            _ => panic!("{shown} cut at {place}: {whole:?}, but {error:?} after {items:?}"),
        }
    }
}

/// Lists, whole and broken, as they stand behind a name or by themselves.
const LISTS: &[&str] = &[
    r#"[]"#,
    r#"[ ]"#,
    r#"[{"id":1}]"#,
    r#"[{"id":"1","name":"a \"quoted\\\" ] } , name"}, {"id":2,"name":null,"more":[[{}],{"x":"\u00e9"}]} ]"#,
    " [\n\t{\"id\":1}\r\n , {\"id\":2}\n] ",
    r#"[{"id":1,"name":"Zürich 🗺"},{"id":2,"name":"\ud83d\ude00"}]"#,
    r#"[1, 23 ,456,"text","",true,false,null,-0.5e3,[],[[1],[2]],{}]"#,
    r#"[1]"#,
    r#"["a","b"]"#,
    r#"[{"id":"x"}]"#,
    r#"[{"id":1},{"id":"x"},{"id":3}]"#,
    r#"[{"id":1},{"name":"no id"}]"#,
    r#"[{"id":1},7]"#,
    r#"[{"id":1},null]"#,
    r#"[{"id":1,"id":2}]"#,
    r#"[{"id":1}"#,
    r#"[{"id":1},"#,
    r#"[{"id":1},{"id":2"#,
    r#"[{"id":1},]"#,
    r#"[,{"id":1}]"#,
    r#"[{"id":1},,{"id":2}]"#,
    r#"[{"id":1} {"id":2}]"#,
    r#"[{"id":1}}]"#,
    r#"[}]"#,
    r#"[{"id":1}]]"#,
    r#"[{"id":1}] x"#,
    "[{\"id\":1}\u{c},{\"id\":2}]",
    r#"[{"id":1},{id:2}]"#,
    r#"[{"id":01}]"#,
    r#"[1 2]"#,
    r#"[01]"#,
    r#"[1x]"#,
    r#"[truth]"#,
    r#"[1.]"#,
    r#"["\ud83d"]"#,
    r#"["a"b"]"#,
    r#"[18446744073709551616]"#,
    r#"null"#,
    r#"{}"#,
    r#"{"0":{"id":1}}"#,
    r#""text""#,
    r#""#,
];

/// What can stand around a list.
const AROUND: &[(&str, &str)] = &[
    (r#"{"ok":true,"data":"#, r#"}"#),
    (r#"{"data":"#, r#","ok":true}"#),
    (r#"{"list":"#, r#","ok":true}"#),
    (r#" { "nested" : {"data":[{"id":9}]}, "ok" : true , "data" : "#, r#" , "more":[1,2] } "#),
    (r#"{"data":"#, r#","ok":false}"#),
    (r#"{"ok":false,"data":"#, r#"}"#),
    (r#"{"data":"#, r#"}"#),
    (r#"{"data":"#, r#","ok":true"#),
    (r#"{"data":"#, r#","ok":true}}"#),
    (r#"{"data":"#, r#","ok":true} {"#),
    (r#"{"data":"#, r#","ok":true,"data":[]}"#),
    (r#"{"data":"#, r#","ok":true,"list":[{"id":7}]}"#),
    (r#"{"data":null,"ok":true,"list":"#, r#"}"#),
    (r#"{"d\u0061ta":"#, r#","ok":true}"#),
    (r#"{"ok":true,"other":"data","name":"#, r#"}"#),
    (r#"{"ok":true,"x":["data",":"],"data":"#, r#"}"#),
    (r#"{"ok":true "data":"#, r#"}"#),
    (r#"{"ok":true,"data"::"#, r#"}"#),
    ("\u{feff}{\"ok\":true,\"data\":", "}"),
    (r#"["data","#, r#"]"#),
    (r#"["data":"#, r#"]"#),
    (r#"<html>{"ok":true,"data":"#, r#"}"#),
];

#[tokio::test]
async fn a_list_by_itself_is_the_same_however_it_arrives() {
    for text in LISTS {
        agrees(BareServers, text.as_bytes()).await;
        agrees(BareValues, text.as_bytes()).await;
        agrees(Numbers, text.as_bytes()).await;
        let garbage = format!("\u{feff}{text}");
        agrees(BareServers, garbage.as_bytes()).await;
        agrees(BareServers, format!("x{text}").as_bytes()).await;
    }
    agrees(BareValues, b"[\"a\xff\"]").await;
    // Where nobody reads it, it may be anything.
    agrees(BareServers, b"[{\"id\":1},{\"id\":2,\"x\":\"\xff\"},{\"id\":3}]").await;
}

#[tokio::test]
async fn a_list_in_an_envelope_is_the_same_however_it_arrives() {
    for (before, after) in AROUND {
        for text in LISTS {
            let text = format!("{before}{text}{after}");
            agrees(Servers, text.as_bytes()).await;
        }
    }
    for text in LISTS {
        agrees(Values, format!(r#"{{"data":{text},"ok":true}}"#).as_bytes()).await;
    }
    agrees(Keys, br#"{"data":[{"id":1},{"id":"x"}],"ok":true}"#).await;
    agrees(Keys, br#"{"data":[{"id":1}"#).await;
}

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

#[tokio::test]
async fn an_element_that_does_not_fit_is_named() {
    for (text, place) in [
        (r#"{"ok":true,"data":[{"id":1},{"id":2},{"id":"s3cret"}]}"#, "at `data[2].id`: "),
        (r#"{"ok":true,"list":[7]}"#, "at `list[0]`: "),
        (r#"{"ok":true,"data":[{"id":1},{"id":1 2}]}"#, "at `data[1]"),
        (r#"{"ok":true,"data":[{"id":1} {"id":2}]}"#, "at `data[1]`: expected `,` or `]`"),
        (r#"{"ok":true,"data":[{"id":1}"#, "at `data[1]`: it ends too early"),
    ] {
        let (_, error) = streamed(Servers, vec![Bytes::from_static(text.as_bytes())]).await;
        let error = error.unwrap().to_string();
        assert!(error.contains(place) && !error.contains("s3cret"), "{error}");
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
