//! The `tracing` events of a call. Their names are those of [`Client::call`].

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;
#[path = "plain/read.rs"]
mod read;

use std::io;
use std::sync::{Arc, Mutex};

use anyvpn_core::{Error, OperationId, Secret};
use anyvpn_http::{
    Client, ClientBuilder, Credentials, Dialect as _, Operation, Replay, Reply, Request,
    RetryPolicy, Security,
};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use async_trait::async_trait;
use plain::Plain;
use read::Read;
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the events of this level for a call that gets these replies.
async fn told(level: LevelFilter, steps: impl IntoIterator<Item = Step>) -> Vec<String> {
    told_by(level, &client(steps).token("t0ken").build().unwrap()).await
}

/// Returns a client that gets these replies.
fn client(steps: impl IntoIterator<Item = Step>) -> ClientBuilder<Plain> {
    Client::builder("https://vpn.example.com")
        .clock(Arc::new(VirtualTime::default()))
        .retry(RetryPolicy { attempts: 2, jitter_seed: Some(1), ..RetryPolicy::default() })
        .transport(Arc::new(Script::new(steps)))
}

/// Returns the events of this level for a call of this client.
async fn told_by(level: LevelFilter, client: &Client<Plain>) -> Vec<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let listener = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .finish();
    let _listening = tracing::subscriber::set_default(listener);
    _ = client.call(Read).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn each_request_is_one_event() {
    assert_eq!(
        told(LevelFilter::INFO, [Step::json(200, "7")]).await,
        ["INFO call{operation=plain.read}: request method=GET path=/thing attempt=1 status=200 \
          duration_ms=0"]
    );
    assert_eq!(
        told(LevelFilter::INFO, [Step::json(500, ""), Step::json(502, "")]).await,
        [
            "INFO call{operation=plain.read}: request method=GET path=/thing attempt=1 status=500 \
             duration_ms=0 kind=\"unavailable\"",
            "INFO call{operation=plain.read}: request method=GET path=/thing attempt=2 status=502 \
             duration_ms=0 kind=\"unavailable\"",
        ]
    );
}

/// An operation that creates a token, which is a number.
struct SignIn;

impl Operation for SignIn {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "sign-in");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::post("/tokens"))
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}

/// Signs in for every call.
struct Password(Client<Plain>);

#[async_trait]
impl Credentials<Secret> for Password {
    async fn current(&self) -> Result<Option<Secret>, Error> {
        Ok(Some(Secret::from(self.0.call(SignIn).await?.to_string())))
    }
}

#[tokio::test]
async fn a_sign_in_within_a_call_repeats_no_field_of_it() {
    let password = Password(client([Step::json(200, "5")]).build().unwrap());
    let client = client([Step::json(200, "7")]).credentials(password).build().unwrap();
    assert_eq!(
        told_by(LevelFilter::INFO, &client).await,
        [
            "INFO call{operation=plain.read}:call{operation=plain.sign-in}: request method=POST \
             path=/tokens attempt=1 status=200 duration_ms=0",
            "INFO call{operation=plain.read}: request method=GET path=/thing attempt=1 status=200 \
             duration_ms=0",
        ]
    );
}

#[tokio::test]
async fn headers_are_logged_without_secrets_and_retries_with_their_reason() {
    let refused = Step::json(500, "")
        .with_header("set-cookie", "session=s3cret")
        .with_header("via", "a proxy");
    let lines = told(LevelFilter::DEBUG, [refused, Step::json(200, "7")]).await;
    let lines: Vec<_> = lines
        .iter()
        .map(|line| line.replace("call{operation=plain.read}: ", ""))
        .map(|line| line.replace(concat!("anyvpn/", env!("CARGO_PKG_VERSION")), "anyvpn"))
        .collect();
    assert_eq!(
        lines,
        [
            "DEBUG sending headers=accept: application/json; authorization: [hidden]; user-agent: anyvpn",
            "DEBUG received headers=content-type: application/json; set-cookie: [hidden]; via: a proxy",
            "INFO request method=GET path=/thing attempt=1 status=500 duration_ms=0 \
             kind=\"unavailable\"",
            "DEBUG retrying kind=\"unavailable\" delay_ms=297",
            "DEBUG sending headers=accept: application/json; authorization: [hidden]; user-agent: anyvpn",
            "DEBUG received headers=content-type: application/json",
            "INFO request method=GET path=/thing attempt=2 status=200 duration_ms=0",
        ]
    );
}

#[tokio::test]
async fn a_secret_that_a_reply_repeats_in_a_header_is_not_shown() {
    let echo = Step::json(200, r#"{"value":1}"#).with_header("server", "Bearer t0ken");
    let lines = told(LevelFilter::DEBUG, [echo]).await;
    let received = lines.iter().find(|line| line.contains("received")).unwrap();
    assert!(received.contains("server: Bearer [redacted]"), "{received}");
    assert!(!lines.concat().contains("t0ken"), "{lines:?}");
}
