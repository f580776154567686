//! Access: programs on this machine are served, web pages are not, and nobody can hold a connection
//! forever.

use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule, RuleError, Sandbox};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Answer, Client, sandbox};

const LONG: Duration = Duration::from_secs(20);
const CONTROL: &str = "x-anyvpn-sandbox: control\r\n";
const ADVANCE: &str = r#"{"advance_seconds":60}"#;

/// Sends a request with only these header lines and its length.
async fn send(sandbox: &Sandbox, method: &str, path: &str, lines: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{lines}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    Client::new(sandbox).raw(request.as_bytes()).await.answer()
}

#[track_caller]
fn assert_forbidden(answer: &Answer, reason: &str) {
    assert_eq!(answer.status, 403, "{answer:?}");
    let error = answer.json()["error"].take();
    assert!(error.as_str().unwrap().contains(reason), "{error}");
}

#[tokio::test]
async fn only_hosts_of_this_machine_are_served() {
    let sandbox = Sandbox::start().await.unwrap();
    let port = sandbox.address().port();
    let keys = |host: &str| format!("host: {host}\r\n{CONTROL}");
    for host in ["127.0.0.1", "127.1.2.3", "[::1]", "localhost", "LOCALHOST", "lab.localhost"] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let lines = format!("host: {host}\r\n");
            let answer = send(&sandbox, "GET", "/azire/v3/locations", &lines, "").await;
            assert_eq!(answer.status, 200, "{host}");
            let answer = send(&sandbox, "POST", "/_sandbox/vpngn/keys", &keys(&host), "{}").await;
            assert_eq!(answer.status, 200, "{host}");
        }
    }
    sandbox.clear_received();
    for host in [
        "attacker.example",
        "127.0.0.1.attacker.example",
        "localhost.attacker.example",
        "notlocalhost",
        "192.168.1.7",
        "8.8.8.8",
        "user@attacker.example",
        "",
    ] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let lines = format!("host: {host}\r\n");
            let answer = send(&sandbox, "GET", "/azire/v3/locations", &lines, "").await;
            assert_forbidden(&answer, "Host");
            let answer = send(&sandbox, "POST", "/_sandbox/vpngn/keys", &keys(&host), "{}").await;
            assert_forbidden(&answer, "Host");
        }
    }
    let two = format!("host: localhost\r\n{}", keys("attacker.example"));
    assert_forbidden(&send(&sandbox, "GET", "/_sandbox/log", &two, "").await, "Host");
    assert_forbidden(&send(&sandbox, "GET", "/_sandbox/log", CONTROL, "").await, "Host");
    // The host in the request line counts too, and nothing of such a request is logged as a call.
    let target = "http://attacker.example/azire/v3/locations";
    assert_forbidden(&send(&sandbox, "GET", target, "host: localhost\r\n", "").await, "Host");
    assert_eq!(sandbox.received(), []);
}

#[tokio::test]
async fn control_needs_a_header_that_pages_cannot_send_and_no_origin() {
    let sandbox = sandbox(0).await;
    let before = sandbox.clock().now();
    let host = "host: localhost\r\n";
    // Requests that any web page can send without a preflight.
    let simple = format!("{host}content-type: text/plain\r\n");
    for (method, path, body) in [
        ("POST", "/_sandbox/clock", ADVANCE),
        ("POST", "/_sandbox/faults", r#"{"fault":"reset-after"}"#),
        ("POST", "/_sandbox/vpngn/keys", "{}"),
        ("GET", "/_sandbox/log", ""),
        ("GET", "/_sandbox/", ""),
        ("GET", "/_sandbox/nothing", ""),
    ] {
        let refused = send(&sandbox, method, path, &simple, body).await;
        assert_forbidden(&refused, "X-Anyvpn-Sandbox: control");
        let wrong = format!("{simple}x-anyvpn-sandbox: 1\r\n");
        let refused = send(&sandbox, method, path, &wrong, body).await;
        assert_forbidden(&refused, "X-Anyvpn-Sandbox: control");
        for origin in ["https://attacker.example", "http://localhost:3000", "null"] {
            let page = format!("{host}{CONTROL}origin: {origin}\r\n");
            assert_forbidden(&send(&sandbox, method, path, &page, body).await, "Origin");
        }
    }
    // A web page's preflight request never gets a permission.
    let asks = format!(
        "{host}origin: https://attacker.example\r\naccess-control-request-method: POST\r\n"
    );
    let answer = send(&sandbox, "OPTIONS", "/_sandbox/clock", &asks, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None));
    assert_eq!(sandbox.clock().now(), before);
    assert_eq!(sandbox.faulted(), 0);

    let moved =
        send(&sandbox, "POST", "/_sandbox/clock", &format!("{host}{CONTROL}"), ADVANCE).await;
    assert_eq!(moved.status, 200);
}

#[tokio::test]
async fn with_other_machines_allowed_any_address_but_no_name_is_accepted() {
    let builder = Sandbox::builder().listen("0.0.0.0:0".parse().unwrap());
    let sandbox = builder.allow_other_machines().allow_host("vpn.test").start().await.unwrap();
    let status = async |host: &str| {
        let lines = format!("host: {host}\r\n");
        let address = ([127, 0, 0, 1], sandbox.address().port()).into();
        let client = Client { address, token: None };
        let request =
            format!("GET /azire/v3/locations HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
        client.raw(request.as_bytes()).await.answer().status
    };
    assert_eq!(status("192.168.1.7:8642").await, 200);
    assert_eq!(status("vpn.test:8642").await, 200);
    assert_eq!(status("attacker.example").await, 403);
}

#[tokio::test]
async fn requests_that_never_end_are_timed_out() {
    let builder = Sandbox::builder().read_timeout(Duration::from_millis(200));
    let sandbox = builder.start().await.unwrap();
    for (half, expected) in [
        ("GET /azire/v3/loc", ""),
        ("GET /azire/v3/locations HTTP/1.1\r\nhost: localhost\r\nx-slow: ", ""),
        (
            "POST /azire/v3/tokens HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
            "HTTP/1.1 408 Request Timeout\r\n",
        ),
        (
            "POST /_sandbox/clock HTTP/1.1\r\nhost: localhost\r\nx-anyvpn-sandbox: control\r\n\
             content-length: 9\r\n\r\n{",
            "HTTP/1.1 408 Request Timeout\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        let end = timeout(LONG, stream.read_to_end(&mut reply)).await;
        assert!(end.is_ok(), "{half:?} is waited for");
        let reply = String::from_utf8(reply).unwrap();
        assert!(reply.starts_with(expected), "{half:?}: {reply}");
    }
    // A slow answer is not a slow request.
    let slow = Fault::Delay(Duration::from_millis(600));
    sandbox.inject(FaultRule::once("azire.list-locations", slow)).unwrap();
    assert_eq!(Client::new(&sandbox).get("/locations").await.status, 200);
}

#[tokio::test]
async fn too_many_connections_close_the_oldest_that_do_nothing() {
    let sandbox = Sandbox::builder().max_connections(8).start().await.unwrap();
    let slow = Fault::Delay(Duration::from_secs(1));
    sandbox.inject(FaultRule::once("azire.list-locations", slow)).unwrap();
    let client = Client::new(&sandbox);
    let oldest = tokio::spawn({
        let client = client.clone();
        async move { client.get("/locations").await.status }
    });
    while sandbox.received().is_empty() {
        tokio::task::yield_now().await;
    }
    // Some connections are idle, and others have sent half of the headers or half of a body.
    let mut held = Vec::new();
    for number in 0..30 {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        let half: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /azire/v3/locations HTTP/1.1\r\nhost: loc",
            _ => b"POST /azire/v3/users HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
        };
        stream.write_all(half).await.unwrap();
        held.push(stream);
    }
    for _ in 0..3 {
        let answer = timeout(LONG, client.get("/users/me")).await;
        assert_eq!(answer.expect("the sandbox is blocked").status, 401);
    }
    // The oldest connection is in use, so it is not the one to be closed.
    assert_eq!(oldest.await.unwrap(), 200);
    let end = timeout(LONG, held[0].read(&mut [0; 8])).await.expect("it is still open");
    assert!(end.is_err() || end.is_ok_and(|length| length == 0));
}

#[tokio::test]
async fn rules_that_nothing_could_match_are_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let refused = sandbox.inject(FaultRule::once("azire.fly", Fault::Any));
    assert_eq!(refused, Err(RuleError::UnknownOperation("azire.fly".to_owned())));
    let refused = sandbox.inject(FaultRule::always(Fault::Wire("flood")));
    assert_eq!(refused, Err(RuleError::UnknownFault("flood")));
    // A page of the imitation is not an operation.
    assert!(sandbox.inject(FaultRule::once("vpnscript.login-page", Fault::Any)).is_err());
    for operation in anyvpn_sandbox::operations() {
        sandbox.inject(FaultRule::once(operation, Fault::Any)).unwrap();
    }
    let overview = Client::new(&sandbox).send_raw("GET", "/_sandbox/", json!(null)).await.answer();
    assert_eq!(overview.json()["faults"], anyvpn_sandbox::operations().len());
}
