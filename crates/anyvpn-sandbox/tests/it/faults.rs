use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, Raw, client_of, signed_in};

const CREATE: &str = "azire.create-port-forward";

/// Injects a fault for the creation of a port, and tries to create one.
async fn create_with(fault: Fault) -> (Sandbox, Client, Ipv4Addr, Raw) {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    sandbox.inject(FaultRule::once(CREATE, fault)).unwrap();
    let raw = create(&client, address).await;
    (sandbox, client, address, raw)
}

async fn create(client: &Client, address: Ipv4Addr) -> Raw {
    let body = json!({ "internal_ipv4": address });
    client.send_raw("POST", "/azire/v3/portforwardings", body).await
}

/// Returns the log's entries, and the number of ports.
#[track_caller]
fn assert_outcome(sandbox: &Sandbox, status: Option<u16>, ports: usize) {
    let received = sandbox.received().pop().unwrap();
    assert_eq!(received.operation, Some(CREATE));
    assert_eq!(received.status, status);
    assert_eq!(received.effect, ports > 0);
    assert_eq!(sandbox.azire().ports("david").len(), ports);
}

#[tokio::test]
async fn reset_before_the_work() {
    let (sandbox, client, address, raw) = create_with(Fault::Wire("reset-before")).await;
    raw.assert_reset();
    assert_eq!(raw.bytes, b"");
    assert_outcome(&sandbox, None, 0);
    // The fault happens only once.
    assert_eq!(create(&client, address).await.answer().status, 200);
}

#[tokio::test]
async fn reset_after_the_work() {
    let (sandbox, _, _, raw) = create_with(Fault::Wire("reset-after")).await;
    raw.assert_reset();
    assert_eq!(raw.bytes, b"");
    assert_outcome(&sandbox, None, 1);
}

#[tokio::test]
async fn a_cut_body() {
    let (sandbox, _, _, raw) = create_with(Fault::Wire("cut-body")).await;
    raw.assert_reset();
    let text = String::from_utf8(raw.bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"));
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
    assert!(body.starts_with(r#"{"status":"success""#));
    assert_outcome(&sandbox, None, 1);
}

#[tokio::test]
async fn a_reply_without_a_body_is_lost_instead_of_cut() {
    let sandbox = Sandbox::builder().variation("azire.deleted-is-204").start().await.unwrap();
    let client = client_of(&sandbox);
    sandbox.inject(FaultRule::once("azire.delete-all-tokens", Fault::Wire("cut-body"))).unwrap();
    let raw = client.send_raw("DELETE", "/azire/v3/tokens", Value::Null).await;
    raw.assert_reset();
    assert_eq!(raw.bytes, b"");
    assert_eq!(sandbox.azire().tokens("david"), 0);
}

#[tokio::test]
async fn half_of_the_json() {
    let (sandbox, _, _, raw) = create_with(Fault::Wire("half-json")).await;
    let answer = raw.answer();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
    assert!(answer.body.starts_with(br#"{"status":"success""#));
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_outcome(&sandbox, Some(200), 1);
}

#[tokio::test]
async fn too_many_requests() {
    let wait = Some(Duration::from_millis(1500));
    let (sandbox, _, _, raw) = create_with(Fault::TooManyRequests { retry_after: wait }).await;
    let answer = raw.answer();
    answer.assert_error(429, "Too Many Requests");
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_outcome(&sandbox, Some(429), 0);

    let (_, _, _, raw) = create_with(Fault::TooManyRequests { retry_after: None }).await;
    assert_eq!(raw.answer().header("retry-after"), None);
}

#[tokio::test]
async fn a_status_in_the_providers_form() {
    let (sandbox, _, _, raw) = create_with(Fault::Status(503)).await;
    raw.answer().assert_error(503, "Server Error");
    assert_outcome(&sandbox, Some(503), 0);

    // No status here leaves the exchange open.
    let (_, _, _, raw) = create_with(Fault::Status(100)).await;
    assert_eq!(raw.answer().status, 500);
}

#[tokio::test]
async fn a_page_of_html() {
    let (sandbox, _, _, raw) = create_with(Fault::Html(502)).await;
    let answer = raw.answer();
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
    assert!(answer.body.starts_with(b"<!DOCTYPE html>"));
    assert_outcome(&sandbox, Some(502), 0);
}

#[tokio::test]
async fn a_delay_holds_back_the_answer_only() {
    let begin = Instant::now();
    let delay = Duration::from_millis(30);
    let (sandbox, client, address, raw) = create_with(Fault::Delay(delay)).await;
    assert_eq!(raw.answer().status, 200);
    assert!(begin.elapsed() >= delay);
    assert_outcome(&sandbox, Some(200), 1);

    // A client that does not wait has created a port all the same, and the log contains it.
    sandbox.inject(FaultRule::once(CREATE, Fault::Delay(Duration::from_secs(3600)))).unwrap();
    let impatient = tokio::time::timeout(delay, create(&client, address)).await;
    assert!(impatient.is_err());
    assert_outcome(&sandbox, Some(200), 2);
}

#[tokio::test]
async fn rules_choose_count_and_skip() {
    let (sandbox, client) = signed_in(0).await;
    let status = async |path: &str| client.get(path).await.status;
    sandbox
        .inject(FaultRule {
            fault: Fault::Status(500),
            operation: Some("azire.list-tokens".to_owned()),
            times: Some(2),
            skip: 1,
            percent: 100,
        })
        .unwrap();
    assert_eq!(status("/users/me").await, 200);
    for expected in [200, 500, 500, 200] {
        assert_eq!(status("/tokens").await, expected);
    }

    // The first rule that matches decides. A rule that lets a request pass leaves it to the next
    // rule.
    sandbox.inject(FaultRule { skip: 1, ..FaultRule::always(Fault::Status(500)) }).unwrap();
    sandbox.inject(FaultRule::always(Fault::Status(503))).unwrap();
    assert_eq!(status("/tokens").await, 503);
    assert_eq!(status("/users/me").await, 500);
    assert_eq!(status("/users/me").await, 500);
    sandbox.clear_faults();
    assert_eq!(status("/tokens").await, 200);
}

#[tokio::test]
async fn any_is_another_one_each_time_and_the_seed_says_which() {
    let course = async |seed: u64| {
        let (sandbox, client) = signed_in(seed).await;
        sandbox.inject(FaultRule::sometimes(50, "azire.get-user", Fault::Any)).unwrap();
        let mut seen = Vec::new();
        for number in 0..60 {
            // Some faults never end, but we know the received bytes before that.
            let client = client.clone();
            let get =
                async move { client.send_raw("GET", "/azire/v3/users/me", Value::Null).await };
            let task = tokio::spawn(get);
            while sandbox.received().len() <= number {
                tokio::task::yield_now().await;
            }
            task.abort();
            let received = sandbox.received().pop().unwrap();
            seen.push((sandbox.faulted(), received.status, received.effect));
        }
        seen
    };
    let first = course(7).await;
    let met = first.last().unwrap().0;
    assert!((18..42).contains(&met), "{met}");
    let kinds: std::collections::HashSet<_> =
        first.iter().map(|(_, status, effect)| (status, effect)).collect();
    assert!(kinds.len() > 5, "{kinds:?}");
    assert_eq!(course(7).await, first);
    assert_ne!(course(8).await, first);
}
