//! How a machine ends, and why it cannot go on.

use anyvpn_core::{Error, ErrorKind};

/// What becomes of the port when the machine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// It stays open until its end.
    Keep,
    /// It is closed, if the keeper opened it.
    Release,
    /// Another machine keeps it, from the journal. The snapshots do not show an end.
    Reload,
}

/// How the keeper ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// What was not done; absent if all was.
    pub problem: Option<Problem>,
}

/// Why the keeper cannot go on at present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of the provider's error; absent if it is no error of the provider.
    pub kind: Option<ErrorKind>,
    /// The problem in one sentence.
    pub text: String,
}

impl Problem {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { kind: None, text: text.into() }
    }

    pub(crate) fn of(error: &Error) -> Self {
        Self { kind: Some(error.kind()), text: error.to_string() }
    }
}
