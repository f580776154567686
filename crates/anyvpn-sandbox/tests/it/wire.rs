//! Replies with faults on the wire, as the reader of the bytes sees them.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule, Level, Sandbox, WireFault};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Client, Raw, signed_in};

const CREATE: &str = "azire.create-port-forward";
const BOUND: u64 = 24 << 20;

/// Creates a port while this fault is injected, and reads to the end, or until nothing more is due.
async fn bytes_of(name: &'static str) -> (Sandbox, Raw) {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    sandbox.inject(FaultRule::once(CREATE, Fault::Wire(name))).unwrap();
    let body = json!({ "internal_ipv4": address }).to_string();
    let request = client.request(
        "POST",
        "/azire/v3/portforwardings",
        "content-type: application/json\r\n",
        &body,
    );
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all(&request).await.unwrap();
    while sandbox.received().is_empty() {
        tokio::task::yield_now().await;
    }
    // Who says no more ends all waits of the other side.
    stream.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    let end = (&mut stream).take(BOUND).read_to_end(&mut bytes).await.map(drop);
    (sandbox, Raw { bytes, end })
}

fn text(raw: &Raw) -> String {
    String::from_utf8_lossy(&raw.bytes).into_owned()
}

#[test]
fn names_are_unique_and_words_are_a_sentence() {
    let mut names = BTreeSet::new();
    for fault in WireFault::all() {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        assert!(fault.name.chars().all(good), "{fault:?}");
        assert!(names.insert(fault.name), "{fault:?} is there twice");
        assert!(fault.what.ends_with('.'), "{fault:?}");
        assert_eq!(WireFault::named(fault.name), Some(fault));
    }
    assert_eq!(WireFault::named("nothing"), None);
    assert!(WireFault::all().is_sorted_by_key(|it| it.level));
}

#[tokio::test]
async fn the_work_is_done_as_each_says() {
    for fault in WireFault::all() {
        let (sandbox, _) = bytes_of(fault.name).await;
        let received = sandbox.received();
        assert_eq!(received.len(), 1, "{fault:?}");
        assert_eq!(received[0].effect, fault.worked, "{fault:?}");
        assert_eq!(sandbox.azire().ports("david").len(), usize::from(fault.worked), "{fault:?}");
    }
}

#[tokio::test]
async fn bytes_are_what_the_names_say() {
    let whole =
        text(&bytes_of("content-type-html").await.1).replace("text/html", "application/json");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let head_length = head.len() + 4;
    let length = body.len();

    let (_, raw) = bytes_of("reset-in-head").await;
    assert!(whole.starts_with(&text(&raw)));
    assert_eq!(raw.bytes.len(), head_length / 2);
    raw.assert_reset();

    let (_, raw) = bytes_of("reset-after-head").await;
    assert_eq!(raw.bytes.len(), head_length);
    raw.assert_reset();

    let (_, raw) = bytes_of("reset-before-last-byte").await;
    assert_eq!(raw.bytes.len(), head_length + length - 1);
    raw.assert_reset();

    let (_, raw) = bytes_of("close-in-body").await;
    assert_eq!(raw.bytes.len(), head_length + length / 2);
    assert!(raw.end.is_ok());

    for name in ["bytes-after", "second-reply", "byte-by-byte", "http-1.0", "chunk-trailers"] {
        let (_, raw) = bytes_of(name).await;
        assert!(raw.bytes.len() + 40 >= head_length, "{name}: {}", text(&raw));
        assert!(raw.end.is_ok(), "{name}");
    }
    let (_, raw) = bytes_of("length-long-close").await;
    assert!(text(&raw).contains(&format!("content-length: {}\r\n", length + 7)));
    let (_, raw) = bytes_of("header-megabyte").await;
    assert!(raw.bytes.len() > 1 << 20);
    let (_, raw) = bytes_of("redirect-307-away").await;
    assert!(text(&raw).contains("location: http://localhost:"), "{}", text(&raw));
    let (_, raw) = bytes_of("informational-flood").await;
    assert!(text(&raw).starts_with("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103"));
    let (_, raw) = bytes_of("body-endless").await;
    assert_eq!(raw.bytes.len() as u64, BOUND);
}

#[tokio::test]
async fn json_is_another_text_of_the_right_length() {
    for fault in WireFault::all().filter(|it| it.level == Level::Json) {
        let (_, raw) = bytes_of(fault.name).await;
        let answer = raw.answer();
        assert_eq!(answer.header("content-type"), Some("application/json"), "{fault:?}");
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(&*length), "{fault:?}");
    }
    let json = async |name| {
        let answer = bytes_of(name).await.1.answer();
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert!(json("nan").await.contains("\"port\":NaN"));
    assert!(json("lone-surrogates").await.contains(r#""internal_ipv4":"\ud800""#));
    assert!(json("nested-arrays").await.starts_with(&"[".repeat(100_000)));
    let twice = json("status-twice").await;
    let both = r#"{"status":"success","success":true,"code":200,"status":"error""#;
    assert!(twice.starts_with(both), "{twice}");
    assert!(serde_json::from_str::<Value>(&json("keys-twice-same").await).is_ok());
}

#[tokio::test]
async fn bombs_are_what_they_say() {
    let zeros = 16 << 20;
    let (_, raw) = bytes_of("gzip-bomb").await;
    let answer = raw.answer();
    assert!(answer.body.len() < 120_000, "{}", answer.body.len());
    let mut plain = Vec::new();
    // It has no checksum, so a client that gets this far has read too much.
    let _ = flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain);
    assert!(plain.len() + 258 > zeros && plain.iter().all(|byte| *byte == 0), "{}", plain.len());

    plain.clear();
    let answer = bytes_of("deflate-bomb").await.1.answer();
    let _ = flate2::read::ZlibDecoder::new(&answer.body[..]).read_to_end(&mut plain);
    assert!(plain.len() + 258 > zeros, "{}", plain.len());
}

#[tokio::test]
async fn waits_go_by_the_clock_that_was_given() {
    let waited = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&waited);
    let builder = Sandbox::builder().wait_with(move |time| {
        assert_eq!(time, Duration::from_secs(3600));
        mark.store(true, Ordering::SeqCst);
        Box::pin(async {})
    });
    let sandbox = builder.start().await.unwrap();
    sandbox.inject(FaultRule::always(Fault::Delay(Duration::from_secs(3600)))).unwrap();
    assert_eq!(Client::new(&sandbox).get("/users/me").await.status, 401);
    assert!(waited.load(Ordering::SeqCst));
}
