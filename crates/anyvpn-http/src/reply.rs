//! Whole replies, and the parts of them that errors may show.

use std::borrow::Cow;
use std::ops::Deref;
use std::time::Duration;

use anyvpn_core::{DAY, Error, ErrorKind, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, UnitDeserializer};

/// A reply with its whole body, within [`Limits`](crate::Limits).
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// Whether the reply arrived over TLS from a server that has proved its name.
    pub verified: bool,
}

impl Reply {
    /// Decodes the body from JSON. A byte order mark before it is skipped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedReply`] with the content type, the JSON path and an excerpt without
    /// values.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let body = without_mark(&self.body);
        // Checking that the whole body is UTF-8 is faster than checking each string.
        if let Ok(text) = str::from_utf8(body)
            && let Ok(value) = serde_json::from_str(text)
        {
            return Ok(value);
        }
        // Tracking the path doubles the cost of decoding, so only failures pay for it. This pass also
        // accepts bytes that are not UTF-8 in values that are ignored.
        let mut json = serde_json::Deserializer::from_slice(body);
        let place = match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Ok(value) if json.end().is_ok() => return Ok(value),
            Ok(_) => "after the end of the JSON text".to_owned(),
            Err(e) if e.inner().is_eof() => format!("at `{}`: the JSON ends too early", e.path()),
            Err(e) => format!("at `{}`: {}", e.path(), without_values(&e.inner().to_string())),
        };
        Err(self.unexpected(&place))
    }

    /// Decodes the body from JSON. An empty body counts as null, for operations without a value.
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

    /// Returns the value for an empty reply, for types that allow that: `()`, an `Option`, or a value
    /// that is ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedReply`] with the given reason for all other types.
    pub fn nothing<T: DeserializeOwned>(&self, why: &str) -> Result<T, Error> {
        T::deserialize(UnitDeserializer::<ValueError>::new()).map_err(|_| self.unexpected(why))
    }

    /// Decodes a part of a body that was first read as a JSON value, for dialects whose replies do not
    /// fit one type. If a key occurs twice, the last one counts.
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

    /// Returns the body of a refusal as JSON; null if it is not JSON, or longer than 64 KiB, which no
    /// refusal is.
    #[must_use]
    pub fn refusal_json(&self) -> serde_json::Value {
        const LONGEST: usize = 64 << 10;
        let body = if self.body.len() > LONGEST { &[][..] } else { &self.body };
        serde_json::from_slice(without_mark(body)).unwrap_or_default()
    }

    /// Returns whether this is a refusal by Laravel itself rather than by the application on it: 401,
    /// 422 or 429 with a JSON object of `message` and perhaps `errors`.
    ///
    /// With other statuses the same object could come from a gateway, such as
    /// `{"message":"Forbidden"}` with 403, and with 404 it means that the application has no such path.
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

    /// Creates an [`ErrorKind::UnexpectedReply`] that describes this reply.
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
            None if page => format!("received a web page instead of JSON ({came})"),
            None => format!("the reply is not JSON ({came})"),
        })
    }

    /// Describes the reply, for a refusal without a message from the provider.
    #[must_use]
    pub fn describe(&self) -> String {
        self.unexpected("no message").detail().unwrap_or_default().to_owned()
    }

    /// Creates the error for a failure that is not in the provider's own form. Its kind says nothing
    /// about the account, and its detail says that something else may have answered.
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
            "{came}; it may come from a proxy, a content-delivery network or a network's login page, or the \
             base URL is wrong"
        ))
    }

    /// Returns the target of a redirect, without query and fragment; `None` if this is not a redirect.
    fn location(&self) -> Option<&str> {
        let location = self.headers.get(header::LOCATION)?.to_str().ok()?;
        location.split(['?', '#']).next().filter(|_| self.status.is_redirection())
    }

    /// Returns the wait that `Retry-After` asks for, in seconds or as a date; at most 10 years.
    ///
    /// A date is compared with the reply's own `Date`, so that a wrong clock on this machine does not
    /// change the wait. If that header is absent or cannot be read, `now` is used.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        /// Longer waits mean the same, and could overflow when times are added.
        const LONGEST: Duration = DAY.saturating_mul(10 * 365);
        let text = |name| Some(self.headers.get(name)?.to_str().ok()?.trim());
        let value = text(header::RETRY_AFTER)?;
        let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number with more digits than fit is a long wait too.
            value.parse().map_or(LONGEST, Duration::from_secs)
        } else {
            let read = |date| httpdate::parse_http_date(date).ok();
            let until = read(value)?;
            let date = text(header::DATE).and_then(read).or_else(|| now.try_into().ok())?;
            // A date in the past means "now".
            until.duration_since(date).unwrap_or_default()
        };
        Some(wait.min(LONGEST))
    }
}

/// A word of a reply, such as `"success"`, that is only compared and therefore not copied.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Word<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The length of the excerpt that an error shows, in characters.
const EXCERPT: usize = 200;

/// The longest property name that an error shows. A longer one could be a secret rather than a name,
/// and cutting it would leave a part.
const NAME: usize = 40;

/// Removes a byte order mark, which senders must not add and readers may ignore (RFC 8259, section
/// 8.1).
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// Returns the beginning of a JSON body without its strings, since a reply may hold a token or a
/// private key: property names, numbers and structure remain. Returns `None` for anything else.
fn excerpt(body: &[u8]) -> Option<String> {
    // Strings are dropped, so more is read than is shown, but not all of a long body.
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

/// Returns where the string that `text` begins in ends: at its closing quote, or at the end of `text`.
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

/// Returns the part of a text outside of strings that may be shown: JSON's punctuation and literals.
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

/// Removes from a message of serde the value that it quotes, which may be a secret in the wrong
/// place, and the names of Rust types.
pub(crate) fn without_values(message: &str) -> String {
    let (came, expected) = match message.split_once(", expected ") {
        Some((came, expected)) => (came, format!(", expected {expected}")),
        None => (message, String::new()),
    };
    let came = match came.split_once(['"', '`']) {
        // The name of an unknown field or variant is chosen by the sender, but it is not a value.
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
