//! The error type: what failed, what the provider said, and what to do next.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::OperationId;
pub use kind::ErrorKind;
use kind::Usual;
pub use leftover::{Leftover, LeftoverKind};

mod kind;
mod leftover;

/// The cause of an [`Error`], for programs that need more detail.
type Source = Box<dyn StdError + Send + Sync>;

/// The advice of an [`Error`]: what a program should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Change the input or the account: the same call would fail in the same way.
    Change,
    /// Try again later, after this time if the server named one.
    Retry(Option<Duration>),
    /// Sign in again.
    SignIn,
    /// The call may have taken effect although it failed: read the current state before repeating it.
    ReadBack,
}

/// The longest text that an error shows, in characters.
const LONGEST: usize = 500;
/// The maximum number of reasons about fields that an error keeps.
const MOST_REASONS: usize = 10;

/// Any failure of anyvpn. The value is one pointer wide.
///
/// An error never holds a credential: if a provider's message echoes one, it is replaced by
/// `[redacted]`. All texts are safe to log, wherever they came from: they have no control characters,
/// at most 500 characters of each are shown, and at most ten reasons about fields are kept.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(thiserror::Error)]
#[error("{}", Description(self))]
struct Inner {
    kind: ErrorKind,
    operation: Option<OperationId>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    detail: Option<String>,
    fields: BTreeMap<String, Vec<String>>,
    retry_after: Option<Duration>,
    read_back: bool,
    left_behind: Vec<Leftover>,
    #[source]
    source: Option<Source>,
}

impl Error {
    /// Creates an error of this kind, without any details.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            status: None,
            code: None,
            message: None,
            detail: None,
            fields: BTreeMap::new(),
            retry_after: None,
            read_back: false,
            left_behind: Vec::new(),
            source: None,
        }))
    }

    /// Creates an [`ErrorKind::InvalidRequest`] about one field of the input, found before sending.
    #[must_use]
    pub fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_field(field, why)
    }

    /// Sets the operation that failed.
    #[must_use]
    pub fn with_operation(mut self, operation: OperationId) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Sets the HTTP status of the reply.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets the vendor's error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(visible(code.into()));
        self
    }

    /// Sets the vendor's message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(visible(message.into()));
        self
    }

    /// Sets the detail: what anyvpn itself found.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(visible(detail.into()));
        self
    }

    /// Adds a reason why one field of the input is wrong.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, why: impl Into<String>) -> Self {
        let fields = &mut self.0.fields;
        if fields.values().map(Vec::len).sum::<usize>() < MOST_REASONS {
            fields.entry(visible(field.into())).or_default().push(visible(why.into()));
        }
        self
    }

    /// Sets how long the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Marks the call as one that may have taken effect although it failed. The advice is then
    /// [`Advice::ReadBack`].
    #[must_use]
    pub fn with_read_back(mut self) -> Self {
        self.0.read_back = true;
        self
    }

    /// Adds something that exists at the provider although the call failed. The advice is then
    /// [`Advice::ReadBack`].
    #[must_use]
    pub fn with_leftover(mut self, leftover: Leftover) -> Self {
        self.0.left_behind.push(leftover);
        self
    }

    /// Replaces the kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Sets the cause. It must not show a credential, nor a URL that contains one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Applies `edit` to each text that came from outside, such as to remove secrets that it echoes.
    #[must_use]
    pub fn map_texts(mut self, edit: impl Fn(&str) -> String) -> Self {
        let edit = |text: &str| visible(shown(&edit(text)).into_owned());
        let inner = &mut *self.0;
        for text in [&mut inner.code, &mut inner.message, &mut inner.detail].into_iter().flatten() {
            *text = edit(text);
        }
        inner.left_behind.iter_mut().for_each(|leftover| leftover.map_id(edit));
        // We insert the fields one by one, because collecting into a map would add a sort to every
        // program's binary.
        for (field, whys) in std::mem::take(&mut inner.fields) {
            let edited = whys.iter().map(|why| edit(why));
            inner.fields.entry(edit(&field)).or_default().extend(edited);
        }
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed; `None` if no call was made, as for a wrong base URL.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        self.0.operation
    }

    /// Returns the HTTP status of the reply; `None` if there was no reply.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the vendor's error code; `None` if it gave none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref().map(cut)
    }

    /// Returns the vendor's message; `None` if it gave none. Show it to people, but do not base
    /// decisions on it: vendors change their wording.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref().map(cut)
    }

    /// Returns what anyvpn itself found, such as the place in a reply that could not be read, or why
    /// a value was refused before sending; `None` if there is nothing to add.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref().map(cut)
    }

    /// Returns what is wrong with each field of the input; empty if that is not known.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0.fields
    }

    /// Returns how long the server asked to wait; `None` if it did not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns what exists at the provider although the call failed; empty if nothing is known to
    /// exist.
    #[must_use]
    pub fn left_behind(&self) -> &[Leftover] {
        &self.0.left_behind
    }

    /// Returns what to do next.
    #[must_use]
    pub fn advice(&self) -> Advice {
        if self.0.read_back || !self.0.left_behind.is_empty() {
            return Advice::ReadBack;
        }
        match self.0.kind.usual_advice() {
            Usual::Change => Advice::Change,
            Usual::Retry => Advice::Retry(self.0.retry_after),
            Usual::SignIn => Advice::SignIn,
            Usual::ReadBack => Advice::ReadBack,
        }
    }
}

/// Replaces control characters by spaces.
fn visible(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

/// Returns the part of a text that is shown. The whole text is kept until [`Error::map_texts`] has
/// removed secrets from it, because a truncated secret could not be recognised.
fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// Returns the part of a text that is shown, ending in `…` if it was truncated.
fn shown(text: &str) -> Cow<'_, str> {
    match cut(text) {
        whole if whole.len() == text.len() => Cow::Borrowed(text),
        part => {
            let mut part = part.to_owned();
            part.pop();
            part.push('…');
            Cow::Owned(part)
        }
    }
}

/// Formats an error in one line.
struct Description<'a>(&'a Inner);

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}", inner.kind)?;
        if let Some(status) = inner.status {
            write!(f, " (HTTP {status})")?;
        }
        if let Some(message) = &inner.message {
            write!(f, ": {:?}", shown(message))?;
        }
        if let Some(code) = &inner.code {
            write!(f, " [{}]", shown(code))?;
        }
        for (field, whys) in &inner.fields {
            write!(f, "; {}:", shown(field))?;
            for why in whys {
                write!(f, " {}", shown(why))?;
            }
        }
        if let Some(detail) = &inner.detail {
            write!(f, "; {}", shown(detail))?;
        }
        for leftover in &inner.left_behind {
            write!(f, "; left behind: {leftover}")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; try again in {} s", wait.as_secs_f64().ceil())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.as_deref().map(cut).map(str::to_owned);
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("code", &text(&self.code))
            .field("message", &text(&self.message))
            .field("detail", &text(&self.detail))
            .field("fields", &self.fields)
            .field("retry_after", &self.retry_after)
            .field("left_behind", &self.left_behind)
            .field("source", &self.source)
            .finish()
    }
}

#[cfg(test)]
mod tests;
