//! An HTTP client that the caller provides, over a real socket.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId};
use anyvpn_http::transport::{Names, Reqwest, Setup};
use anyvpn_http::{Client, Dialect, Operation, Replay, Reply, Request, RetryPolicy, Security};
use futures_core::future::BoxFuture;
use httpmock::MockServer;
use plain::Plain;

struct Create;

impl Operation for Create {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "create");
    const REPLAY: Replay = Replay::Once;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::post("/things"))
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}

fn with(own: reqwest::ClientBuilder, base_url: &str) -> Client<Plain> {
    let retry = RetryPolicy { first_delay: Duration::from_millis(1), ..RetryPolicy::default() };
    Client::<Plain>::builder(base_url)
        .token("a-bearer")
        .retry(retry)
        .http_client(own)
        .build()
        .unwrap()
}

/// Plain http needs no TLS, but reqwest asks for a crypto provider all the same.
fn builder() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

#[tokio::test]
async fn the_settings_of_the_builder_take_effect() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method("POST")
                .path("/things")
                .header("x-application", "shop")
                .header("user-agent", concat!("anyvpn/", env!("CARGO_PKG_VERSION")));
            then.status(200).body("7");
        })
        .await;
    let headers = [("x-application".parse().unwrap(), "shop".parse().unwrap())];
    let own = builder().default_headers(headers.into_iter().collect()).user_agent("another");
    assert_eq!(with(own, &server.base_url()).call(Create).await.unwrap(), 7);
    mock.assert_async().await;
}

/// Redirects are not followed, even if the caller's builder enables them, which is the default.
#[tokio::test]
async fn redirects_are_not_followed() {
    let (server, other) = (MockServer::start_async().await, MockServer::start_async().await);
    let first = server
        .mock_async(|when, then| {
            when.method("POST").path("/things");
            then.status(307).header("location", other.url("/elsewhere"));
        })
        .await;
    let second = other
        .mock_async(|when, then| {
            when.path("/elsewhere");
            then.status(200).body("7");
        })
        .await;
    for own in [builder(), builder().redirect(reqwest::redirect::Policy::limited(9))] {
        let error = with(own, &server.base_url()).call(Create).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedReply, Some(307)));
        assert_eq!(error.advice(), Advice::ReadBack);
        assert!(error.to_string().contains("a redirect to http"), "{error}");
    }
    assert_eq!((first.calls_async().await, second.calls_async().await), (2, 0));
}

/// Requests are not repeated by the caller's client, because only the pipeline knows which may be
/// sent twice.
#[tokio::test]
async fn it_repeats_nothing_by_itself() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method("POST").path("/things");
            then.status(503);
        })
        .await;
    let eager =
        reqwest::retry::for_host("127.0.0.1").max_retries_per_request(3).classify_fn(|attempt| {
            match attempt.status() {
                Some(status) if status.is_server_error() => attempt.retryable(),
                _ => attempt.success(),
            }
        });
    let own = with(builder().retry(eager), &server.base_url());
    assert_eq!(own.call(Create).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(mock.calls_async().await, 1);
}

/// A resolver from another crate.
struct Elsewhere;

impl reqwest::dns::Resolve for Elsewhere {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        panic!("was asked for {}", name.as_str());
    }
}

/// The token would be sent in plain text to whatever address the resolver returns.
#[tokio::test]
async fn names_of_this_machine_are_not_looked_up() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.path("/things").header("authorization", "Bearer a-bearer");
            then.status(200).body("7");
        })
        .await;
    for name in ["localhost", "anything.localhost", "Any.Thing.LOCALHOST"] {
        // An address for documentation, which leads nowhere.
        let wrong = "192.0.2.1:1".parse().unwrap();
        let own = builder()
            .connect_timeout(Duration::from_secs(2))
            .dns_resolver(Elsewhere)
            .resolve(&name.to_lowercase(), wrong)
            // It cannot lead to this machine.
            .proxy(reqwest::Proxy::all("http://192.0.2.1:1").unwrap());
        let client = with(own, &format!("http://{name}:{}", server.port()));
        assert_eq!(client.call(Create).await.unwrap(), 7, "{name}");
    }
    mock.assert_calls_async(3).await;
}

struct Nowhere;

impl Names for Nowhere {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        panic!("was asked for {name}");
    }
}

#[tokio::test]
async fn the_built_in_transport_does_not_look_them_up_either() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.path("/things");
            then.status(200).body("7");
        })
        .await;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let connect = Duration::from_secs(2);
    let setup = Setup { connect, tls, names: Some(Arc::new(Nowhere)), proxy: None };
    let transport = Arc::new(Reqwest::new(setup).unwrap());
    for name in ["localhost", "anything.localhost"] {
        let builder = Client::<Plain>::builder(format!("http://{name}:{}", server.port()));
        let client = builder.token("a-bearer").transport(transport.clone()).build().unwrap();
        assert_eq!(client.call(Create).await.unwrap(), 7, "{name}");
        // The system's resolver is not used by default, because few systems know the second name.
        let builder = Client::<Plain>::builder(format!("http://{name}:{}", server.port()));
        let client = builder.token("a-bearer").build().unwrap();
        assert_eq!(client.call(Create).await.unwrap(), 7, "{name}");
    }
    mock.assert_calls_async(4).await;
}
