use std::time::Duration;

use anyvpn_sandbox::{Sandbox, StartError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, sandbox, signed_in};

#[tokio::test]
async fn other_machines_must_be_allowed() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::builder().listen(everywhere).start().await;
    assert!(matches!(refused, Err(StartError::NotLoopback(address)) if address == everywhere));
    let allowed = Sandbox::builder().listen(everywhere).allow_other_machines().start().await;
    assert!(allowed.is_ok());
    let taken = Sandbox::builder().listen(allowed.unwrap().address());
    assert!(matches!(taken.clone().start().await, Err(StartError::NotLoopback(_))));
}

#[tokio::test]
async fn an_address_in_use_is_reported() {
    let sandbox = sandbox(0).await;
    let again = Sandbox::builder().listen(sandbox.address()).start().await;
    assert!(
        matches!(again, Err(StartError::Listen { address, .. }) if address == sandbox.address())
    );
}

#[tokio::test]
async fn connections_are_kept_and_end_with_the_sandbox() {
    let sandbox = sandbox(0).await;
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    for _ in 0..3 {
        let request = b"GET /azire/v3/users/me HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        assert!(part[..length].starts_with(b"HTTP/1.1 401"));
    }
    let address = sandbox.address();
    drop(sandbox);
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "the connection outlives the sandbox");
    assert!(TcpStream::connect(address).await.is_err(), "something listens still");
}

#[tokio::test]
async fn waiting_lasts_as_long_as_the_sandbox() {
    let sandbox = sandbox(0).await;
    let waiting = tokio::time::timeout(Duration::from_millis(10), sandbox.wait()).await;
    assert!(waiting.is_err());
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_json() {
    let (sandbox, client) = signed_in(0).await;
    for path in ["/nothing", "/users", "/users/me/", "/tokens/a/b", "/../v3/users", "/ips/%ff"] {
        let answer = client.get(path).await;
        let status = if path == "/users" { 405 } else { 404 };
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.json()["status"], "error");
    }
    client.send("DELETE", "/users", Value::Null).await.assert_error(405, "Method Not Allowed");
    assert_eq!(sandbox.azire().accounts(), 1);
    let received = sandbox.received();
    assert_eq!(received.len(), 7);
    assert!(received.iter().all(|entry| !entry.effect));

    let elsewhere = client.send_raw("GET", "/elsewhere", Value::Null).await.answer();
    assert_eq!(elsewhere.status, 404);
    assert_eq!(elsewhere.json(), json!({ "error": "404 Not Found" }));
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let (sandbox, client) = signed_in(0).await;
    let path = "/azire/v3/users";
    let post = async |body: &str| {
        let json = "content-type: application/json\r\n";
        client.raw(&client.request("POST", path, json, body)).await.answer()
    };
    let deep = "[".repeat(100_000);
    for body in ["{", "[]", "7", "\"text\"", "\u{fffd}", "{\"username\":", &deep] {
        let answer = post(body).await;
        assert_eq!(answer.status, 400, "{body:.20}");
        assert_eq!(answer.json()["status"], "error");
    }
    let long = format!("{{\"username\":\"{}\"}}", "a".repeat(8 * 1024 * 1024));
    post(&long).await.assert_error(413, "Payload Too Large");
    assert_eq!(sandbox.azire().accounts(), 1);
    assert_eq!(client.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn every_answer_tells_the_rate() {
    let (_sandbox, client) = signed_in(0).await;
    let path = "/ips/unknown";
    for _ in 0..100 {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("x-ratelimit-limit"), Some("60"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some("58"));
    }
}

#[tokio::test]
async fn calls_at_one_time_do_their_work_once_each() {
    let (sandbox, client) = signed_in(0).await;
    let create = || {
        let client = client.clone();
        let body = json!({ "username": "only", "password": "one" });
        tokio::spawn(async move { client.send("POST", "/users", body).await.status })
    };
    let calls: Vec<_> = std::iter::repeat_with(create).take(20).collect();
    let mut made = 0;
    for call in calls {
        made += usize::from(call.await.unwrap() == 200);
    }
    assert_eq!(made, 1);
    assert_eq!(sandbox.azire().accounts(), 2);
}

#[tokio::test]
async fn the_log_contains_no_secret() {
    let (sandbox, client) = signed_in(0).await;
    let canary = "canary-5f2a";
    let nobody = Client::new(&sandbox);
    let carrier = client.with_token(canary);
    let field = json!({
        "password": canary, "new_password": canary, "token": canary, "key": canary,
        "username": { "password": canary }, "comment": [canary],
    });
    for (method, path) in [
        ("POST", "/users"),
        ("POST", "/tokens"),
        ("DELETE", "/users/me"),
        ("PUT", "/users/me/password"),
    ] {
        carrier.send(method, path, field.clone()).await;
        nobody.send(method, &format!("{path}?token={canary}"), field.clone()).await;
    }
    nobody.send("POST", "/nothing", field.clone()).await;
    let broken = format!("{{\"password\":\"{canary}\"");
    let form = format!("password={canary}&username=david");
    for (kind, body) in [("application/json", broken), ("application/x-www-form-urlencoded", form)]
    {
        let headers = format!("content-type: {kind}\r\nx-api-key: {canary}\r\n");
        client.raw(&client.request("POST", "/azire/v3/tokens", &headers, &body)).await;
    }
    let log = sandbox.received();
    assert_eq!(log.len(), 11);
    for entry in &log {
        let shown = format!("{entry:?} {}", String::from_utf8_lossy(&entry.body));
        assert!(!shown.contains(canary), "{shown}");
    }
    let http = client.send_raw("GET", "/_sandbox/log", Value::Null).await.answer();
    assert!(!String::from_utf8_lossy(&http.body).contains(canary));

    // Public values are logged.
    let form = log.last().unwrap();
    assert_eq!(form.operation, Some("azire.create-token"));
    assert_eq!(form.body, b"password=%5Bredacted%5D&username=david");
    let authorization = log[0].headers.iter().find(|(name, _)| name == "authorization");
    assert_eq!(authorization.unwrap().1, "[redacted]");
    assert_eq!(log[1].query, "token=%5Bredacted%5D");
}

#[tokio::test]
async fn the_log_tells_a_request_whole_and_keeps_the_newest() {
    let sandbox = Sandbox::builder().log_capacity(2).start().await.unwrap();
    let client = Client::new(&sandbox);
    client.get("/locations").await;
    client.get("/users/me").await;
    client.send("POST", "/users", json!({ "username": "david", "currency": "SEK" })).await;
    let log = sandbox.received();
    assert_eq!(log.len(), 2);
    assert_eq!(sandbox.dropped(), 1);
    assert_eq!(log[0].operation, Some("azire.get-user"));
    let entry = &log[1];
    assert_eq!(entry.operation, Some("azire.create-user"));
    assert_eq!((&*entry.method, &*entry.path, &*entry.query), ("POST", "/azire/v3/users", ""));
    assert_eq!(entry.body, br#"{"currency":"SEK","username":"david"}"#);
    assert_eq!((entry.status, entry.effect), (Some(422), false));
    let json = ("content-type".to_owned(), "application/json".to_owned());
    assert!(entry.headers.contains(&json));
    sandbox.clear_received();
    assert_eq!((sandbox.received().len(), sandbox.dropped()), (0, 0));

    let sandbox = Sandbox::builder().log_capacity(0).start().await.unwrap();
    Client::new(&sandbox).get("/locations").await;
    assert_eq!((sandbox.received().len(), sandbox.dropped()), (0, 1));
}
