//! What the sandbox received: bounded, and without secrets.

use std::collections::VecDeque;

use http::HeaderMap;
use http::header::{self, HeaderName};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// How many characters of a header, a path or a query are kept.
const TEXT_LIMIT: usize = 1024;
/// How many bytes of a body are kept.
const BODY_LIMIT: usize = 16 * 1024;
const REDACTED: &str = "[redacted]";

/// Headers that hold no secret. All others are logged by name only.
const SHOWN_HEADERS: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

/// One request, and what became of it.
///
/// Secrets are redacted before an entry is made: values of headers, of query parameters and of body
/// fields stand in it only where they are known to hold none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Such as `azire.create-port-forward`; `None` when no route matched.
    pub operation: Option<&'static str>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as it was sent, with the provider's prefix.
    pub path: String,
    /// The query without its `?`, empty when there was none.
    pub query: String,
    /// Names in lower case, in the order of arrival by name.
    pub headers: Vec<(String, String)>,
    /// The body, written anew from its fields; `[redacted]` when it has none that can be told.
    pub body: Vec<u8>,
    /// What was answered; `None` when no whole message was.
    pub status: Option<u16>,
    /// Whether the work was done: the request reached the provider and was not refused.
    pub effect: bool,
}

impl Received {
    /// An entry for a request that is not answered yet.
    pub(crate) fn new(
        parts: &http::request::Parts,
        body: &[u8],
        operation: Option<&'static str>,
        shows: &[&str],
    ) -> Received {
        Received {
            operation,
            method: parts.method.as_str().chars().take(TEXT_LIMIT).collect(),
            path: parts.uri.path().chars().take(TEXT_LIMIT).collect(),
            query: bounded(shown_form(parts.uri.query().unwrap_or_default().as_bytes(), shows)),
            headers: shown_headers(&parts.headers),
            body: shown_body(&parts.headers, body, shows),
            status: None,
            effect: false,
        }
    }
}

fn bounded(mut text: String) -> String {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn shown_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |(name, value): (&HeaderName, &http::HeaderValue)| {
        let value = match SHOWN_HEADERS.contains(name) {
            true => bounded(String::from_utf8_lossy(value.as_bytes()).into_owned()),
            false => REDACTED.to_owned(),
        };
        (name.as_str().to_owned(), value)
    };
    headers.iter().map(shown).collect()
}

fn shown_form(form: &[u8], shows: &[&str]) -> String {
    let mut shown = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(form) {
        let value = if shows.contains(&&*name) { &*value } else { REDACTED };
        shown.append_pair(&name, value);
    }
    shown.finish()
}

fn shown_body(headers: &HeaderMap, body: &[u8], shows: &[&str]) -> Vec<u8> {
    let shown = match serde_json::from_slice(body) {
        _ if body.is_empty() => Vec::new(),
        Ok(Value::Object(fields)) => shown_object(fields, shows),
        _ if crate::fields::is_form(headers) => shown_form(body, shows).into_bytes(),
        _ => REDACTED.into(),
    };
    match shown.len() {
        0..=BODY_LIMIT => shown,
        length => format!("[{length} bytes]").into_bytes(),
    }
}

fn shown_object(fields: Map<String, Value>, shows: &[&str]) -> Vec<u8> {
    let shown = fields.into_iter().map(|(name, value)| {
        let simple = !value.is_object() && !value.is_array();
        let value = if simple && shows.contains(&&*name) { value } else { REDACTED.into() };
        (name, value)
    });
    Value::Object(shown.collect()).to_string().into_bytes()
}

/// The newest requests.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Received>,
    capacity: usize,
    dropped: u64,
}

impl Log {
    pub(crate) fn new(capacity: usize) -> Log {
        Log { entries: VecDeque::new(), capacity, dropped: 0 }
    }

    pub(crate) fn push(&mut self, entry: Received) {
        self.entries.push_back(entry);
        while self.entries.len() > self.capacity {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Received> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}
