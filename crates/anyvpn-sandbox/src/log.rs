//! The log of received requests, of limited size and without secrets.

use std::collections::VecDeque;

use http::HeaderMap;
use http::header::{self, HeaderName};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use url::form_urlencoded;

/// The bytes of a header, a path or a query that are kept.
const TEXT_LIMIT: usize = 1024;
/// The bytes of a body that are kept.
const BODY_LIMIT: usize = 16 * 1024;
/// The size of most requests in bytes, without their body.
const ROOM: usize = 512;
const REDACTED: &str = "[redacted]";

/// Headers without secrets. All others are logged by name only.
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

/// A request and its outcome.
///
/// Secrets are redacted before an entry is created: it contains the value of a header, query parameter
/// or body field only if that is known not to be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The operation, such as `azire.create-port-forward`; `None` if no route matched.
    pub operation: Option<&'static str>,
    /// The method: `GET`, `POST` and so on.
    pub method: String,
    /// The path as it was sent, with the provider's prefix.
    pub path: String,
    /// The query without its `?`; empty if there was none.
    pub query: String,
    /// The headers, with names in lowercase, grouped by name.
    pub headers: Vec<(String, String)>,
    /// The body, rebuilt from its fields; `[redacted]` if it has no fields that may be shown.
    #[serde(serialize_with = "as_text")]
    pub body: Vec<u8>,
    /// The status of the reply; `None` if no complete reply was sent.
    pub status: Option<u16>,
    /// Whether the request took effect: it reached the provider and was not refused.
    pub effect: bool,
}

fn as_text<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

/// An entry in compact form. Every request creates one, and few are read.
#[derive(Debug)]
pub(crate) struct Entry {
    operation: Option<&'static str>,
    /// Method, path, query, and the name and value of each header, one per line. None of them can
    /// contain a line break, and one string costs a tenth of ten strings.
    lines: String,
    body: Vec<u8>,
    pub(crate) status: Option<u16>,
    pub(crate) effect: bool,
}

impl Entry {
    /// Creates an entry for a request that has not been answered yet.
    pub(crate) fn new(
        parts: &http::request::Parts,
        body: &[u8],
        operation: Option<&'static str>,
        shows: &[&str],
    ) -> Entry {
        let mut lines = String::with_capacity(ROOM);
        let mut line = |text: &str| {
            lines.push_str(bounded(text));
            lines.push('\n');
        };
        line(parts.method.as_str());
        line(parts.uri.path());
        line(&shown_form(parts.uri.query().unwrap_or_default().as_bytes(), shows));
        for (name, value) in &parts.headers {
            line(name.as_str());
            match SHOWN_HEADERS.contains(name) {
                true => line(&String::from_utf8_lossy(value.as_bytes())),
                false => line(REDACTED),
            }
        }
        let body = shown_body(&parts.headers, body, shows);
        Entry { operation, lines, body, status: None, effect: false }
    }

    /// Creates an entry for a datagram, with its bytes as hexadecimal digits. Datagrams contain no
    /// secrets.
    pub(crate) fn of_datagram(
        provider: &str,
        bytes: &[u8],
        operation: Option<&'static str>,
    ) -> Entry {
        let body = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let body = bounded(&body).as_bytes().to_vec();
        let lines = format!("UDP\n/{provider}\n\n");
        Entry { operation, lines, body, status: None, effect: false }
    }

    fn received(&self) -> Received {
        let mut lines = self.lines.lines().map(str::to_owned);
        let mut line = || lines.next().unwrap_or_default();
        Received {
            operation: self.operation,
            method: line(),
            path: line(),
            query: line(),
            headers: std::iter::from_fn(|| Some((lines.next()?, lines.next()?))).collect(),
            body: self.body.clone(),
            status: self.status,
            effect: self.effect,
        }
    }
}

fn bounded(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn shown_form(form: &[u8], shows: &[&str]) -> String {
    let mut shown = form_urlencoded::Serializer::new(String::with_capacity(2 * form.len()));
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
    entries: VecDeque<Entry>,
    capacity: usize,
    dropped: u64,
}

impl Log {
    pub(crate) fn new(capacity: usize) -> Log {
        Log { entries: VecDeque::new(), capacity, dropped: 0 }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        while self.entries.len() > self.capacity {
            self.entries.pop_front();
            self.dropped += 1;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Received> {
        self.entries.iter().map(Entry::received).collect()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}
