//! Any bytes as the input of each operation: what is sent goes to the operation's own place, and what
//! is not sent is an error that is fit to be shown.
//!
//! An input is the operation, and then what it is given:
//!
//! ```text
//! azire.get-ip
//! {"id":"jbj2Ka81"}
//! ```
#![no_main]

mod client;

use anyvpn_core::ErrorKind;
use anyvpn_http::{FieldKind, OperationInfo};
use client::{CLIENTS, check, entry};
use http::{Request, StatusCode};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

/// What is looked for where it is a secret.
const CANARY: &str = "CANARY";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((entry, mut input)) = read(bytes) else { return Corpus::Reject };
    mark_secrets(entry, &mut input);
    CLIENTS.server.answers(StatusCode::NO_CONTENT, None, b"");
    let outcome = CLIENTS.call(entry, &input, false);
    let received = CLIENTS.server.received();
    assert!(received.len() <= 1, "{received:?}");
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let secrets = [client::TOKEN, client::API_KEY, CANARY].into_iter();
    let secrets: Vec<&str> = secrets.filter(|it| !text.contains(it)).collect();
    if let Err(error) = &outcome {
        check(error, &secrets);
        let refused = error.kind() == ErrorKind::InvalidRequest && error.status().is_none();
        assert_eq!(refused, received.is_empty(), "{error}");
    }
    if let Some(request) = received.first() {
        goes_to_its_place(entry, request, &secrets);
    }
    Corpus::Keep
});

fn read(bytes: &[u8]) -> Option<(&'static OperationInfo, Value)> {
    let (name, input) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    Some((entry(name)?, serde_json::from_str(input).ok()?))
}

/// Puts the canary into each secret, since what a secret says may stand in an address by chance.
fn mark_secrets(entry: &OperationInfo, input: &mut Value) {
    for field in entry.fields.iter().filter(|field| field.kind == FieldKind::Secret) {
        if let Some(Value::String(secret)) = input.get_mut(field.name)
            && !secret.is_empty()
        {
            secret.insert_str(0, CANARY);
        }
    }
}

/// The path has the documented segments, and in the places of parameters something that names no
/// other path. Nothing that is a secret stands in it.
fn goes_to_its_place(entry: &OperationInfo, request: &Request<bytes::Bytes>, secrets: &[&str]) {
    assert_eq!(request.method().as_str(), entry.method);
    let path = request.uri().path();
    let (mut sent, mut documented) = (path.split('/'), entry.path.split('/'));
    loop {
        match (sent.next(), documented.next()) {
            (None, None) => break,
            (Some(sent), Some(documented)) if documented.starts_with('{') => {
                let plain = percent_encoding::percent_decode_str(sent).collect::<Vec<u8>>();
                assert!(!matches!(&plain[..], b"" | b"." | b".."), "{path}");
            }
            (sent, documented) => assert_eq!(sent, documented, "{path}"),
        }
    }
    let target = request.uri().to_string();
    assert!(!secrets.iter().any(|secret| target.contains(secret)), "{target}");
}
