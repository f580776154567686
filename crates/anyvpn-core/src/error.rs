//! What went wrong, in the words of the people who use anyvpn.

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

/// The cause that an [`Error`] carries for programs that look further.
type Source = Box<dyn StdError + Send + Sync>;

/// What an [`Error`] advises a program to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Change the input or the account; the same call gives the same answer.
    Change,
    /// Try again later, after the given time where the server named one.
    Retry(Option<Duration>),
    /// Sign in again.
    SignIn,
    /// The call may have been done although it failed: read what is there before repeating it.
    ReadBack,
}

/// The longest text of an error, in characters.
const LONGEST: usize = 500;
/// The most reasons of fields.
const MOST_REASONS: usize = 10;

/// Any failure of anyvpn.
///
/// One pointer wide. It never holds a credential: what the provider's messages repeated of one is
/// replaced by `[redacted]`. Each of its texts is fit for a log, wherever it came from: it has no
/// control characters, and no more than 500 characters of it are told; of a longer list of what is
/// wrong with the fields, ten reasons are kept.
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
    /// An error of this kind that knows nothing else yet.
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

    /// An [`ErrorKind::InvalidRequest`] about one field of the input, found before sending.
    #[must_use]
    pub fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_field(field, why)
    }

    /// Says which operation failed.
    #[must_use]
    pub fn with_operation(mut self, operation: OperationId) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Says which HTTP status came.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the vendor's error code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(visible(code.into()));
        self
    }

    /// Adds the vendor's message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(visible(message.into()));
        self
    }

    /// Adds what anyvpn itself found.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(visible(detail.into()));
        self
    }

    /// Adds what is wrong with one field of the input.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, why: impl Into<String>) -> Self {
        let fields = &mut self.0.fields;
        if fields.values().map(Vec::len).sum::<usize>() < MOST_REASONS {
            fields.entry(visible(field.into())).or_default().push(visible(why.into()));
        }
        self
    }

    /// Says how long the server asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Says that the work may have been done although the call failed.
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

    /// Gives the error another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds the cause. It must not show a credential or an address with one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Applies `edit` to each text that came from outside; used to take out repeated secrets.
    #[must_use]
    pub fn map_texts(mut self, edit: impl Fn(&str) -> String) -> Self {
        let edit = |text: &str| visible(shown(&edit(text)).into_owned());
        let inner = &mut *self.0;
        for text in [&mut inner.code, &mut inner.message, &mut inner.detail].into_iter().flatten() {
            *text = edit(text);
        }
        inner.left_behind.iter_mut().for_each(|leftover| leftover.map_id(edit));
        // One by one: to collect a map brings a sort into every program.
        for (field, whys) in std::mem::take(&mut inner.fields) {
            let edited = whys.iter().map(|why| edit(why));
            inner.fields.entry(edit(&field)).or_default().extend(edited);
        }
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed; `None` for what is no call, such as a wrong base URL.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        self.0.operation
    }

    /// The HTTP status of the reply; `None` when none came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The vendor's error code, where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref().map(cut)
    }

    /// The vendor's message, where it gave one. Quote it; decide nothing on it.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref().map(cut)
    }

    /// What anyvpn found: the place in the reply, the reason a value was refused before sending.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref().map(cut)
    }

    /// What is wrong with which field of the input; empty when that is not known.
    #[must_use]
    pub fn fields(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0.fields
    }

    /// How long the server asked to wait; `None` when it did not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What exists at the provider although the call failed; empty when nothing is known to.
    #[must_use]
    pub fn left_behind(&self) -> &[Leftover] {
        &self.0.left_behind
    }

    /// What to do next.
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

/// A text without control characters.
fn visible(text: String) -> String {
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

/// As much of a text as is told. All of it is kept until [`Error::map_texts`] has taken secrets out of
/// it: half of one cannot be recognised.
fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// The same, with a mark where there was more.
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

/// An error in one line.
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
