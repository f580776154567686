//! A whole reply, and what of it may be shown.

use std::borrow::Cow;
use std::ops::Deref;
use std::time::Duration;

use anyvpn_core::{DAY, Error, ErrorKind, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, UnitDeserializer};

/// A reply with its whole body, within the bounds.
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

impl Reply {
    /// Decodes the body from JSON. A byte order mark before it is skipped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedReply`] with content type, JSON path and an excerpt without values.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let body = without_mark(&self.body);
        // A text is checked at once, and each string of bytes by itself.
        if let Ok(text) = str::from_utf8(body)
            && let Ok(value) = serde_json::from_str(text)
        {
            return Ok(value);
        }
        // Tracking the path costs as much as decoding, so only a failure pays for it; and what is no
        // text where nobody reads it, which is none.
        let mut json = serde_json::Deserializer::from_slice(body);
        let place = match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Ok(value) if json.end().is_ok() => return Ok(value),
            Ok(_) => "after the end of the JSON text".to_owned(),
            Err(e) if e.inner().is_eof() => format!("at `{}`: it ends too early", e.path()),
            Err(e) => format!("at `{}`: {}", e.path(), without_values(&e.inner().to_string())),
        };
        Err(self.unexpected(&place))
    }

    /// Decodes the body from JSON, or from nothing: no body is null, which fits an operation without
    /// a value.
    ///
    /// # Errors
    ///
    /// As [`Reply::json`].
    pub fn json_or_nothing<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if !without_mark(&self.body).trim_ascii().is_empty() {
            return self.json();
        }
        self.nothing("a value is missing")
    }

    /// The value of a reply that has none, for the types that allow it: `()`, an option, anything
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedReply`] with this reason for all other types.
    pub fn nothing<T: DeserializeOwned>(&self, why: &str) -> Result<T, Error> {
        T::deserialize(UnitDeserializer::<ValueError>::new()).map_err(|_| self.unexpected(why))
    }

    /// Decodes a part of the body that was read as a JSON value first, for dialects whose replies no
    /// one type fits. Of a key that is there twice, the last one counts.
    ///
    /// # Errors
    ///
    /// As [`Reply::json`].
    pub fn json_part<T: DeserializeOwned>(&self, part: serde_json::Value) -> Result<T, Error> {
        serde_path_to_error::deserialize(part).map_err(|e| {
            let why = without_values(&e.inner().to_string());
            self.unexpected(&format!("at `{}`: {why}", e.path()))
        })
    }

    /// The body of a refusal as JSON; null when it is none, or longer than any refusal, which is not
    /// worth the memory.
    #[must_use]
    pub fn refusal_json(&self) -> serde_json::Value {
        const LONGEST: usize = 64 << 10;
        let body = if self.body.len() > LONGEST { &[][..] } else { &self.body };
        serde_json::from_slice(without_mark(body)).unwrap_or_default()
    }

    /// Whether this is how Laravel refuses by itself, where an application has a form of its own: 401,
    /// 422 or 429 with a JSON object of `message`, a text, and perhaps `errors`.
    ///
    /// With other statuses the same object is as likely a gateway's, such as `{"message":"Forbidden"}`
    /// with 403, and with 404 it answers a path that the application does not have.
    #[must_use]
    pub fn is_laravel_refusal(&self) -> bool {
        let body = self.refusal_json();
        let names = |mut names: serde_json::map::Keys<'_>| {
            names.all(|name| ["message", "errors"].contains(&name.as_str()))
        };
        matches!(self.status.as_u16(), 401 | 422 | 429)
            && body["message"].is_string()
            && body.as_object().is_some_and(|body| names(body.keys()))
    }

    /// An [`ErrorKind::UnexpectedReply`] that says what came.
    #[must_use]
    pub fn unexpected(&self, why: &str) -> Error {
        let content_type = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("no content type");
        let came = format!("{content_type}, {} bytes", self.body.len());
        let page = content_type.starts_with("text/html");
        Error::new(ErrorKind::UnexpectedReply).with_detail(match excerpt(&self.body) {
            Some(excerpt) => format!("{why}; {came}: {excerpt}"),
            None if page => format!("a web page came instead of JSON ({came})"),
            None => format!("what came is no JSON ({came})"),
        })
    }

    /// What came, for a refusal without the provider's own message.
    #[must_use]
    pub fn describe(&self) -> String {
        self.unexpected("no message").detail().unwrap_or_default().to_owned()
    }

    /// The error of a reply that is no success and not in the provider's own form. Its kind says
    /// nothing about the account, and its detail that something else may have answered.
    pub(crate) fn foreign(&self) -> Error {
        let kind = match self.status {
            StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
            status if status.is_server_error() => ErrorKind::Unavailable,
            _ => ErrorKind::UnexpectedReply,
        };
        let came = match self.location() {
            Some(to) => format!("a redirect to {to}, which is never followed"),
            None => {
                let error = self.unexpected("not the provider's form of an error");
                error.detail().unwrap_or_default().to_owned()
            }
        };
        Error::new(kind).with_detail(format!(
            "{came}; it may come from something in between (a proxy, a content-delivery network, a \
             network's login page) or from a wrong base URL"
        ))
    }

    /// Where a redirect leads, without query and fragment; `None` when it is no redirect.
    fn location(&self) -> Option<&str> {
        let location = self.headers.get(header::LOCATION)?.to_str().ok()?;
        location.split(['?', '#']).next().filter(|_| self.status.is_redirection())
    }

    /// Returns what `Retry-After` asks for: seconds, or a date; at most 10 years.
    ///
    /// A date is measured against the reply's own `Date`, so that a wrong clock on this side does not
    /// change the wait. `now` stands in for it where it is absent or cannot be read.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        /// Longer ones mean the same, and are too long for sums of times.
        const LONGEST: Duration = DAY.saturating_mul(10 * 365);
        let text = |name| Some(self.headers.get(name)?.to_str().ok()?.trim());
        let value = text(header::RETRY_AFTER)?;
        let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than a number holds are a long time too.
            value.parse().map_or(LONGEST, Duration::from_secs)
        } else {
            let read = |date| httpdate::parse_http_date(date).ok();
            let until = read(value)?;
            let date = text(header::DATE).and_then(read).or_else(|| now.try_into().ok())?;
            // A date that has passed means "now".
            until.duration_since(date).unwrap_or_default()
        };
        Some(wait.min(LONGEST))
    }
}

/// A word of a reply that is looked at and not kept, such as `"success"`: it is not copied.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Word<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// How much of a reply an error shows, in characters.
const EXCERPT: usize = 200;

/// The longest property name that an error shows. A longer one is no name, and could be a secret
/// of which a part would remain.
const NAME: usize = 40;

/// The body without a byte order mark, which nobody may send and a reader may ignore (RFC 8259,
/// section 8.1).
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// The beginning of a body without its values: a reply may hold a token or a private key.
///
/// Of JSON, property names, numbers and the structure stay; of anything else, nothing.
fn excerpt(body: &[u8]) -> Option<String> {
    // Values are not shown, so more than what is shown is looked at, but not all of a long body.
    const LOOKED_AT: usize = 16 * EXCERPT;
    let body = without_mark(body).trim_ascii_start();
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
    if text.is_empty() {
        return Some("empty".to_owned());
    }
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut shown = String::new();
    let mut rest = &*text;
    while shown.chars().count() <= EXCERPT
        && let Some(start) = rest.find('"')
    {
        shown.push_str(&plain(&rest[..start]));
        let string = &rest[start + 1..];
        let end = string_end(string);
        let after = string.get(end + 1..).unwrap_or("");
        let name = string[..end].escape_debug().to_string();
        let length = name.chars().count();
        if length <= NAME && after.trim_start().starts_with(':') {
            if shown.chars().count() + length + 2 > EXCERPT {
                return Some(format!("{shown}…"));
            }
            shown.push_str(&format!("\"{name}\""));
        } else {
            shown.push_str("\"…\"");
        }
        rest = after;
    }
    shown.push_str(&plain(rest));
    Some(match shown.char_indices().nth(EXCERPT) {
        Some((cut, _)) => format!("{}…", &shown[..cut]),
        None => shown,
    })
}

/// Where the string that `text` begins in ends: at its closing quote, or with the text.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

/// What may be shown of text outside of strings: JSON's punctuation and literals.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    for part in text.split_inclusive(['{', '}', '[', ']', ',', ':']) {
        let word = part.trim_end_matches(['{', '}', '[', ']', ',', ':']);
        let literal = word.trim();
        let known = matches!(literal, "" | "true" | "false" | "null")
            || (literal.len() <= 5
                && literal.bytes().all(|byte| b"+-.0123456789Ee".contains(&byte)));
        shown.push_str(if known { literal } else { "…" });
        shown.push_str(&part[word.len()..]);
    }
    shown
}

/// A message of serde without the value that it quotes, which may be a secret in the wrong place, and
/// without the names of Rust types.
pub(crate) fn without_values(message: &str) -> String {
    let (came, expected) = match message.split_once(", expected ") {
        Some((came, expected)) => (came, format!(", expected {expected}")),
        None => (message, String::new()),
    };
    let came = match came.split_once(['"', '`']) {
        // An unknown field or variant is named by the sender; its name is no value.
        Some((kind, _)) if !expected.is_empty() && !came.starts_with("unknown ") => kind.trim_end(),
        _ => came,
    };
    let mut text = format!("{came}{expected}");
    for (name, words) in [
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected i64", "expected a whole number"),
    ] {
        text = text.replace(name, words);
    }
    if let Some((before, rest)) = text.split_once("struct ") {
        let name = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        text = format!("{before}an object{}", &rest[name..]);
    }
    text
}
