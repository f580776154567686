use anyvpn_sandbox::{WireFault, operations};
use serde_json::{Value, json};

use crate::client::{Answer, Client, sandbox};

async fn send(client: &Client, method: &str, path: &str, body: Value) -> Answer {
    client.send_raw(method, path, body).await.answer()
}

#[tokio::test]
async fn the_overview_tells_what_there_is() {
    let sandbox = sandbox(3).await;
    let client = Client::new(&sandbox);
    let overview = send(&client, "GET", "/_sandbox/", Value::Null).await.json();
    assert_eq!(overview["seed"], 3);
    assert_eq!(overview["now"], "2026-01-01T00:00:00Z");
    assert_eq!(overview["operations"], json!(operations()));
}

#[test]
fn every_operation_is_named_once() {
    let mut names = operations();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[tokio::test]
async fn the_log_is_read_and_cleared() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    client.get("/users/me?page=1").await;
    let log = send(&client, "GET", "/_sandbox/log", Value::Null).await.json();
    assert_eq!(log["dropped"], 0);
    let received = log["received"].as_array().unwrap();
    // The sandbox's own calls are not in the log.
    assert_eq!(received.len(), 1);
    assert_eq!(received[0]["operation"], "azire.get-user");
    assert_eq!(received[0]["method"], "GET");
    assert_eq!(received[0]["path"], "/azire/v3/users/me");
    assert_eq!(received[0]["query"], "page=%5Bredacted%5D");
    assert_eq!(received[0]["status"], 401);
    assert_eq!(received[0]["effect"], false);
    assert_eq!(send(&client, "DELETE", "/_sandbox/log", Value::Null).await.status, 204);
    assert_eq!(sandbox.received(), []);
}

#[tokio::test]
async fn every_fault_has_a_name() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    for (fault, statuses) in [
        (json!({ "fault": "delay", "delay_ms": 1 }), Some(401)),
        (json!({ "fault": "reset-before" }), None),
        (json!({ "fault": "reset-after" }), None),
        (json!({ "fault": "too-many-requests", "retry_after_seconds": 9 }), Some(429)),
        (json!({ "fault": "status", "status": 503 }), Some(503)),
        (json!({ "fault": "html", "status": 200 }), Some(200)),
        (json!({ "fault": "cut-body" }), None),
        (json!({ "fault": "half-json" }), Some(200)),
        (json!({ "fault": "gzip-bomb" }), Some(401)),
    ] {
        let mut input = fault.clone();
        input["operation"] = "azire.get-user".into();
        input["times"] = 1.into();
        input["skip"] = 1.into();
        let accepted = send(&client, "POST", "/_sandbox/faults", input).await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        assert_eq!(client.get("/users/me").await.status, 401);
        client.send_raw("GET", "/azire/v3/users/me", Value::Null).await;
        assert_eq!(sandbox.received().pop().unwrap().status, statuses, "{fault}");
    }
    send(&client, "POST", "/_sandbox/faults", json!({ "fault": "reset-before" })).await;
    assert_eq!(send(&client, "DELETE", "/_sandbox/faults", Value::Null).await.status, 204);
    assert_eq!(client.get("/users/me").await.status, 401);
}

#[tokio::test]
async fn faults_on_the_wire_are_listed() {
    let sandbox = sandbox(0).await;
    let list = send(&Client::new(&sandbox), "GET", "/_sandbox/faults", Value::Null).await.json();
    let list = list["faults"].as_array().unwrap();
    assert_eq!(list.len(), WireFault::all().count());
    let expected = json!({
        "fault": "reset-after",
        "level": "tcp",
        "what": "The request takes effect, but the connection is reset before the reply.",
        "worked": true,
        "wanted": "no-value",
    });
    assert!(list.contains(&expected), "{list:?}");
}

#[tokio::test]
async fn the_clock_moves_forward() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let moved =
        send(&client, "POST", "/_sandbox/clock", json!({ "advance_seconds": 86_400 })).await;
    assert_eq!(moved.json(), json!({ "now": "2026-01-02T00:00:00Z" }));
    assert_eq!(sandbox.clock().now().to_string(), "2026-01-02T00:00:00Z");
    // It advances as far as possible, without a panic.
    let end = json!({ "advance_seconds": u64::MAX });
    for _ in 0..2 {
        assert_eq!(send(&client, "POST", "/_sandbox/clock", end.clone()).await.status, 200);
    }
    let user = json!({ "username": "last", "password": "one" });
    assert_eq!(client.send("POST", "/users", user).await.status, 200);
}

#[tokio::test]
async fn an_email_is_verified() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let user = json!({ "username": "david", "password": "secret", "email": "david@mail.example" });
    client.send("POST", "/users", user.clone()).await;
    let verify = async |input: Value| {
        send(&client, "POST", "/_sandbox/azire/verify-email", input).await.status
    };
    assert_eq!(verify(json!({ "username": "nobody" })).await, 400);
    assert_eq!(client.send("POST", "/tokens", user.clone()).await.status, 403);
    assert_eq!(verify(json!({ "username": "david" })).await, 200);
    assert_eq!(client.send("POST", "/tokens", user).await.status, 200);
}

#[tokio::test]
async fn invalid_input_is_reported() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    for (path, body, reason) in [
        ("faults", json!({}), "missing field `fault`"),
        ("faults", json!({ "fault": "flood" }), "unknown fault \"flood\""),
        ("faults", json!({ "fault": "delay" }), "delay_ms"),
        ("faults", json!({ "fault": "status", "status": 304 }), "not within 400 to 599"),
        ("faults", json!({ "fault": "html" }), "needs \"status\""),
        ("faults", json!({ "fault": "cut-body", "operation": "azire.x" }), "unknown operation"),
        ("faults", json!({ "fault": "cut-body", "time": 1 }), "unknown field `time`"),
        ("clock", json!({ "advance_seconds": -1 }), "invalid value"),
        ("azire/verify-email", json!({}), "\"username\" is missing"),
        ("azire/fly", json!({}), "no action \"fly\""),
        ("nobody/verify-email", json!({}), "\"nobody\""),
    ] {
        let answer = send(&client, "POST", &format!("/_sandbox/{path}"), body).await;
        assert_eq!(answer.status, 400, "{path}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(client.get("/users/me").await.status, 401);
    assert_eq!(send(&client, "GET", "/_sandbox/clock", Value::Null).await.status, 405);
    assert_eq!(send(&client, "GET", "/_sandbox/nothing", Value::Null).await.status, 404);
}
