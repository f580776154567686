//! Types that both configuration formats share: an error with its position, and a directive that a user
//! should see before it takes effect.

use crate::{Error, ErrorKind, REDACTED};

/// The reason why a configuration was refused, its position, and what to do about it.
///
/// It names keys and sections but never a value, which could be a private key.
///
/// As an [`Error`] it is an [`ErrorKind::InvalidRequest`] with the position in its detail, because a
/// file is the user's input. Code that parses a provider's reply changes the kind to
/// [`ErrorKind::UnexpectedReply`] with [`Error::with_kind`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct ConfigError {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in that line, counted from 1.
    pub column: usize,
    /// Describes the problem and what to do about it.
    pub what: String,
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_detail(error.to_string()).with_source(error)
    }
}

/// A line of a configuration that does more than describe a tunnel, such as running a program, or that
/// OpenVPN refuses.
///
/// Configurations come from remote servers, so users are shown these lines before the file is
/// written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The line, counted from 1.
    pub line: usize,
    /// The directive or key as the format's manual spells it.
    pub name: String,
    /// Its value, safe to show: invisible characters are escaped and keys are hidden.
    pub value: String,
    /// The effect, such as `runs a program`.
    pub why: &'static str,
}

/// A problem in one line, at a byte offset.
pub(crate) struct Problem {
    pub(crate) at: usize,
    pub(crate) what: String,
}

impl Problem {
    pub(crate) fn new(at: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { at, what }
    }

    /// Adds the line's number and text.
    pub(crate) fn in_line(self, line: usize, text: &str) -> ConfigError {
        let before = text.get(..self.at).unwrap_or(text);
        ConfigError { line, column: before.chars().count() + 1, what: self.what }
    }
}

/// Splits a line into its content and its ending (`\n`, `\r\n`, or nothing).
pub(crate) fn split_ending(line: &str) -> (&str, &str) {
    line.split_at(line.trim_end_matches(['\r', '\n']).len())
}

/// Refuses control characters. Programs read them in different ways (bash drops a NUL, so that
/// `Post<NUL>Up` runs programs), and they can hide a line from readers.
pub(crate) fn refuse_control(content: &str) -> Result<(), Problem> {
    match content.char_indices().find(|(_, c)| c.is_control() && *c != '\t') {
        None => Ok(()),
        Some((at, c)) => Err(Problem::new(
            at,
            format!(
                "the control character U+{:04X} does not belong in a configuration; remove it",
                u32::from(c)
            ),
        )),
    }
}

/// Replaces everything that looks like a WireGuard key: 43 characters of base64 and `=`.
///
/// This is for texts whose meaning is not known, such as comments, which may contain a key. If we did
/// not require the `=`, it would also hide long paths, which users must see.
pub(crate) fn hide_keys(text: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let mut shown = String::with_capacity(text.len());
    let mut pieces = text.split('=').peekable();
    while let Some(piece) = pieces.next() {
        let run = piece.len() - piece.trim_end_matches(is_base64).len();
        if pieces.peek().is_none() {
            shown.push_str(piece);
        } else if run >= 43 {
            shown.push_str(&piece[..piece.len() - 43]);
            shown.push_str(REDACTED);
        } else {
            shown.push_str(piece);
            shown.push('=');
        }
    }
    shown
}
