//! An HTTP client of the caller's own, over a real socket.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::time::Duration;

use anyvpn_core::{Advice, Error, ErrorKind, OperationId};
use anyvpn_http::{Client, Dialect, Operation, Replay, Reply, Request, RetryPolicy, Security};
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

fn with(own: reqwest::Client, server: &MockServer) -> Client<Plain> {
    let retry = RetryPolicy { first_delay: Duration::from_millis(1), ..RetryPolicy::default() };
    Client::<Plain>::builder(server.base_url())
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
async fn it_is_used_as_it_is() {
    let server = MockServer::start_async().await;
    let mock = server
        .mock_async(|when, then| {
            when.method("POST").path("/things").header("user-agent", "an application");
            then.status(200).body("7");
        })
        .await;
    let own = builder()
        .user_agent("an application")
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    assert_eq!(with(own, &server).call(Create).await.unwrap(), 7);
    mock.assert_async().await;
}

/// A name that the pipeline had put into the request would go along.
#[tokio::test]
async fn it_names_the_host_that_it_sends_to() {
    let (server, other) = (MockServer::start_async().await, MockServer::start_async().await);
    server
        .mock_async(|when, then| {
            when.path("/things").header("host", server.address().to_string());
            then.status(307).header("location", other.url("/elsewhere"));
        })
        .await;
    let second = other
        .mock_async(|when, then| {
            when.path("/elsewhere").header("host", other.address().to_string());
            then.status(200).body("7");
        })
        .await;
    with(builder().build().unwrap(), &server).call(Create).await.unwrap_err();
    second.assert_async().await;
}

#[tokio::test]
async fn a_redirect_that_it_follows_is_no_success() {
    let server = MockServer::start_async().await;
    let first = server
        .mock_async(|when, then| {
            when.method("POST").path("/things");
            then.status(307).header("location", "/elsewhere");
        })
        .await;
    let second = server
        .mock_async(|when, then| {
            when.path("/elsewhere");
            then.status(200).body("7");
        })
        .await;
    let error = with(builder().build().unwrap(), &server).call(Create).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(error.advice(), Advice::ReadBack);
    assert!(error.to_string().contains("Policy::none()"), "{error}");
    // What the client did by itself cannot be undone; it is not done again.
    assert_eq!((first.calls_async().await, second.calls_async().await), (1, 1));

    let error =
        with(builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(), &server)
            .call(Create)
            .await
            .unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedReply, Some(307)), "{error}");
    assert!(error.to_string().contains("a redirect to /elsewhere"), "{error}");
    assert_eq!(second.calls_async().await, 1);
}
