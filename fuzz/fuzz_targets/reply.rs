//! Any bytes as the reply to each operation: a value that shows no secret, or an error that is fit to
//! be shown.
//!
//! An input is the operation with what it is given, then the status and the content type, and then
//! the body:
//!
//! ```text
//! azire.get-ip {"id":"jbj2Ka81"}
//! 200 application/json
//! {"status":"success","data":…
//! ```
#![no_main]

mod client;

use std::ops::ControlFlow;

use anyvpn_core::{Error, PortForwards, Replay};
use anyvpn_http::OperationInfo;
use bytes::Bytes;
use client::{API_KEY, CLIENTS, TOKEN, check, entry, ready};
use futures_util::TryStreamExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::Value;

/// In a body, the mark of what no error may repeat.
const CANARY: &[u8; 6] = b"C4nary";
/// What holds a secret wherever it stands in a value.
const SECRETS: &[&str] =
    &["token", "short_token", "long_token", "vpn_password", "password", "otp", "config"];

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((entry, input, status, content_type, body)) = read(bytes) else {
        return Corpus::Reject;
    };
    // The content type is shown as it came.
    if content_type.as_ref().is_some_and(|it| it.as_bytes().windows(6).any(|it| it == CANARY)) {
        return Corpus::Reject;
    }
    let answer = || CLIENTS.server.answers(status, content_type.clone(), body);
    answer();
    let hidden = CLIENTS.call(entry, &input, false);
    let received = CLIENTS.server.received();
    let Some(request) = received.first() else { return Corpus::Reject };
    let sent = secrets_of(request);
    answer();
    match (hidden, CLIENTS.call(entry, &input, true)) {
        (Ok(hidden), Ok(revealed)) => hides_secrets(entry, &hidden, &revealed),
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            is_fit(&error, &sent, body);
        }
        (first, second) => panic!("{first:?}, and the same again: {second:?}"),
    }
    answer();
    for (error, requests) in neutral(entry) {
        let sent: Vec<_> = requests.iter().flat_map(secrets_of).collect();
        is_fit(&error, &sent, body);
    }
    Corpus::Keep
});

// The first line stays: an operation with an input that it does not take is never sent.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, _seed: u32| {
    let kept = data[..size].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    kept + fuzzer_mutate(&mut data[kept..], size - kept, max_size - kept)
});

type Parts<'a> = (&'static OperationInfo, Value, StatusCode, Option<HeaderValue>, &'a [u8]);

fn read(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut next = || lines.next();
    let (operation, reply, body) = (next()?, next()?, next()?);
    let (name, input) = std::str::from_utf8(operation).ok()?.split_once(' ')?;
    let space = reply.iter().position(|byte| *byte == b' ')?;
    let content_type = HeaderValue::from_bytes(&reply[space + 1..]).ok();
    let status = StatusCode::from_bytes(&reply[..space]).ok()?;
    Some((entry(name)?, serde_json::from_str(input).ok()?, status, content_type, body))
}

/// The same but for the secrets, of which nothing is left.
fn hides_secrets(entry: &OperationInfo, hidden: &Value, revealed: &Value) {
    match (hidden, revealed) {
        (Value::Object(hidden), Value::Object(revealed)) => {
            assert!(hidden.keys().eq(revealed.keys()));
            for (key, hidden) in hidden {
                let of_token = key == "key" && entry.id.name().ends_with("-token");
                if SECRETS.contains(&key.as_str()) || of_token {
                    assert!(hidden.is_null() || hidden == "[redacted]", "{key}: {hidden}");
                }
                hides_secrets(entry, hidden, &revealed[key]);
            }
        }
        (Value::Array(hidden), Value::Array(revealed)) => {
            assert_eq!(hidden.len(), revealed.len());
            for (hidden, revealed) in hidden.iter().zip(revealed) {
                hides_secrets(entry, hidden, revealed);
            }
        }
        (Value::String(text), Value::String(_)) if text == "[redacted]" => {}
        _ => assert_eq!(hidden, revealed),
    }
}

/// The caller's secrets in a request: a provider can repeat these, and no others.
fn secrets_of(request: &Request<Bytes>) -> Vec<&'static str> {
    let bearer = request.headers().get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let request = String::from_utf8_lossy(&[bearer, request.body()].concat()).into_owned();
    [TOKEN, API_KEY].into_iter().filter(|it| request.contains(it)).collect()
}

/// What anyvpn itself says of a reply repeats no value of it.
fn is_fit(error: &Error, sent: &[&str], body: &[u8]) {
    check(error, sent);
    let detail = error.detail().unwrap_or_default();
    let canary = str::from_utf8(CANARY).unwrap();
    if detail.contains(canary) && !detail.starts_with("the provider's reason: ") {
        // Names stay: they say what is wrong with the reply.
        let names = serde_json::from_slice(body).map(|body: Value| {
            visit(&body, &mut |key| match key.contains(canary) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        });
        assert!(!matches!(names, Ok(ControlFlow::Continue(()))), "{detail}");
    }
}

/// Visits the name of each property.
fn visit(value: &Value, name: &mut impl FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            name(key)?;
            visit(value, name)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| visit(item, name)),
        _ => ControlFlow::Continue(()),
    }
}

/// The errors of the neutral traits that read the same reply, each with the requests before it: all that read something, since each of
/// them begins with another operation.
fn neutral(entry: &OperationInfo) -> Vec<(Error, Vec<Request<Bytes>>)> {
    let Some(provider) = CLIENTS.provider(entry.id.provider()) else { return Vec::new() };
    if entry.replay != Replay::Safe {
        return Vec::new();
    }
    let mut errors = Vec::new();
    let mut keep = |outcome: Result<(), Error>| {
        let requests = CLIENTS.server.received();
        errors.extend(outcome.err().map(|error| (error, requests)));
    };
    if let Some(accounts) = provider.accounts() {
        keep(ready(accounts.account()).map(drop));
    }
    if let Some(configs) = provider.server_configs() {
        keep(ready(configs.list_configs()).map(drop));
        keep(ready(configs.servers().try_collect::<Vec<_>>()).map(drop));
    }
    if let Some(list) = provider.port_forwards().and_then(PortForwards::port_list) {
        keep(ready(list.list_port_forwards(Some([10, 0, 0, 1].into()))).map(drop));
    }
    if let Some(customers) = provider.customers() {
        keep(ready(customers.find_customer("jo@example.com")).map(drop));
        if let Some(list) = customers.customer_list() {
            keep(ready(list.list_customers().try_collect::<Vec<_>>()).map(drop));
        }
    }
    errors
}
