//! The documented and measured replies, byte for byte: what is sent for an input, and the result of
//! the reply.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::path::{Path, PathBuf};

use anyvpn_core::{Advice, Context, Error, Limits, Provider, Settings};
use anyvpn_natpmp::wire::{MapProtocol, MapRequest, Reply, Request, ResultCode};
use anyvpn_natpmp::{NatPmp, OPERATIONS};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

/// Returns the sections of a fixture by name.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("### {name}\n"))?;
    Some(rest.split("### ").next().unwrap_or(rest).trim())
}

fn bytes(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn fixtures() -> Vec<(String, PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut all = Vec::new();
    for operation in std::fs::read_dir(folder).unwrap() {
        let operation = operation.unwrap();
        for file in std::fs::read_dir(operation.path()).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            all.push((operation.file_name().to_str().unwrap().to_owned(), path, text));
        }
    }
    all
}

/// Calls an operation at a gateway that sends this reply to the first datagram, and returns that
/// datagram.
async fn call(operation: &str, input: &str, reply: &[u8]) -> (Vec<u8>, Result<Value, Error>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings::new().with("gateway", socket.local_addr().unwrap().to_string());
    let limits = Limits { call: std::time::Duration::from_secs(60), ..Limits::default() };
    let natpmp = NatPmp::open(&settings, &Context::default().with_limits(limits)).unwrap();
    let (operation, input) = (operation.to_owned(), serde_json::from_str(input).unwrap());
    let call = tokio::spawn(async move { natpmp.call_json(&operation, input, false).await });
    let mut buffer = [0; 100];
    let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
    socket.send_to(reply, peer).await.unwrap();
    (buffer[..length].to_vec(), call.await.unwrap())
}

#[tokio::test]
async fn each_documented_reply_is_read() {
    let fixtures = fixtures();
    assert_eq!(fixtures.len(), 24);
    for (operation, path, text) in fixtures {
        let path = path.display();
        assert!(OPERATIONS.iter().any(|it| it.id.name() == operation), "{path}");
        let part = |name| section(&text, name).unwrap_or_else(|| panic!("{path}: no {name}"));
        assert!(!part("note").is_empty());
        let reply = bytes(part("reply"));
        let (sent, outcome) = call(&operation, part("input"), &reply).await;
        assert_eq!(sent, bytes(part("request")), "{path}");
        let is_value = section(&text, "value").is_some();
        let expected: Value =
            serde_json::from_str(part(if is_value { "value" } else { "error" })).unwrap();
        let came = match outcome {
            Ok(value) => value,
            Err(error) => {
                let advice = match error.advice() {
                    Advice::Retry(_) => "retry",
                    Advice::ReadBack => "read-back",
                    _ => "change",
                };
                let mut shown = json!({ "kind": error.kind().name(), "advice": advice });
                if let Some(code) = error.code() {
                    shown["code"] = json!(code);
                }
                shown
            }
        };
        assert_eq!(came, expected, "{path}");
    }
}

/// A truncated reply is never accepted, wherever it is cut.
#[test]
fn truncated_replies_are_ignored() {
    for (_, path, text) in fixtures() {
        let reply = bytes(section(&text, "reply").unwrap());
        let whole = Reply::parse(&reply).unwrap_or_else(|| panic!("{}", path.display()));
        for length in 0..reply.len() {
            let part = Reply::parse(&reply[..length]);
            let is_read = part.is_none_or(|part| match (part, whole) {
                // A refusal is recognized by its header, with or without its port.
                (
                    Reply::Refused { code, opcode, .. },
                    Reply::Refused { code: c, opcode: o, .. },
                ) => (code, opcode) == (c, o),
                (part, whole) => part == whole,
            });
            assert!(is_read, "{} cut at {length}: {part:?}", path.display());
        }
    }
}

/// There is no transaction number. Opcode, port and lifetime identify the request.
#[test]
fn a_reply_only_answers_the_request_that_it_names() {
    let map = |protocol, internal_port, external_port, lifetime| {
        Request::Map(MapRequest { protocol, internal_port, external_port, lifetime })
    };
    let (udp, tcp) = (MapProtocol::Udp, MapProtocol::Tcp);
    let mapped = |internal_port, external_port, lifetime| Reply::Map {
        epoch: 1,
        protocol: udp,
        internal_port,
        external_port,
        lifetime,
    };
    let refused = |opcode, code, internal_port| Reply::Refused {
        opcode,
        code: ResultCode(code),
        epoch: None,
        internal_port,
    };
    let address = Reply::Address { epoch: 1, address: [203, 0, 113, 7].into() };
    for (reply, request, expected) in [
        (address, Request::Address, true),
        (address, map(udp, 5, 5, 60), false),
        (mapped(5, 9, 60), map(udp, 5, 0, 60), true),
        (mapped(5, 9, 60), map(tcp, 5, 0, 60), false),
        (mapped(6, 9, 60), map(udp, 5, 0, 60), false),
        (mapped(5, 9, 60), Request::Address, false),
        // The gateway may name the number that it chose for both sides, but no other number.
        (mapped(9, 9, 60), map(udp, 0, 1, 60), true),
        (mapped(9, 9, 60), map(udp, 5, 5, 60), true),
        (mapped(9, 9, 60), map(udp, 5, 7, 60), false),
        (mapped(8, 9, 60), map(udp, 0, 1, 60), false),
        // A granted mapping does not answer a deletion.
        (mapped(5, 0, 0), map(udp, 5, 0, 0), true),
        (mapped(5, 9, 60), map(udp, 5, 0, 0), false),
        (refused(1, 2, Some(5)), map(udp, 5, 0, 60), true),
        (refused(1, 2, Some(6)), map(udp, 5, 0, 60), false),
        (refused(1, 5, None), map(udp, 5, 0, 60), true),
        (refused(2, 2, Some(5)), map(udp, 5, 0, 60), false),
        (refused(0, 3, None), Request::Address, true),
        (refused(0, 3, None), map(udp, 5, 0, 60), false),
        // The reply does not say which version is wrong.
        (refused(0, 1, None), map(udp, 5, 0, 60), true),
        (Reply::OtherVersion(2), map(udp, 5, 0, 60), true),
    ] {
        assert_eq!(reply.answers(&request), expected, "{reply:?} to {request:?}");
    }
}
