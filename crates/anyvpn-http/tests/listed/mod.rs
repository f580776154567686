//! Providers whose replies are lists, and what comes of them.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;

use anyvpn_core::{Error, ErrorKind, OperationId, Secret, Timestamp};
use anyvpn_http::{
    Client, ClientBuilder, Dialect, List, ListOperation, Operation, Replay, Reply, Request,
    Security, lenient,
};
use anyvpn_testkit::scripted::{Script, Step, StillClock};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// A provider with an envelope: its flag can come last, and can refuse with status 200.
pub struct Enveloped;

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

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        !reply.body.starts_with(b"<")
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
pub struct Bare;

impl Dialect for Bare {
    type Provider = Client<Self>;
    type Credential = Secret;

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
        Enveloped::refusal(reply)
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Server {
    #[serde(deserialize_with = "lenient::integer")]
    pub id: u64,
    #[serde(default)]
    pub name: Option<String>,
}

macro_rules! lists {
    ($($name:ident: $dialect:ident, $replay:ident, $item:ty;)+) => {$(
        #[derive(Clone)]
        pub struct $name;

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

pub fn clock() -> StillClock {
    StillClock::new(Timestamp::UNIX_EPOCH)
}

pub fn client<D: Dialect<Provider = Client<D>, Credential = Secret>>(
    steps: impl IntoIterator<Item = Step>,
    dress: impl FnOnce(ClientBuilder<D>) -> ClientBuilder<D>,
) -> (Client<D>, Script) {
    let script = Script::new(steps);
    let builder = Client::<D>::builder("https://vpn.example.com").token("t0ken".to_owned());
    let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock()));
    (dress(builder).build().unwrap(), script)
}

/// All elements, and how the list ended.
pub async fn drain<O: ListOperation + 'static>(mut list: List<O>) -> (Vec<O::Item>, Option<Error>) {
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
pub async fn streamed<O>(operation: O, pieces: Vec<Bytes>) -> (Vec<O::Item>, Option<Error>)
where
    O: ListOperation + 'static,
    O::Dialect: Dialect<Provider = Client<O::Dialect>, Credential = Secret>,
{
    let (client, script) = client(vec![Step::Pieces(200, Vec::new(), pieces)], |it| it);
    let outcome = drain(client.stream(operation)).await;
    assert_eq!(script.arrived(), 1);
    outcome
}
