//! A text that rarely needs an allocation.

use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A text in an element of a long list. It takes 24 bytes, and texts of up to 24 bytes need no
/// allocation.
///
/// It dereferences to `str`, and becomes a `String` with `into()`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompactText(CompactString);

impl CompactText {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for CompactText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for CompactText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Display for CompactText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl fmt::Debug for CompactText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq<str> for CompactText {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for CompactText {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl From<&str> for CompactText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for CompactText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<CompactText> for String {
    fn from(text: CompactText) -> Self {
        text.0.into()
    }
}
