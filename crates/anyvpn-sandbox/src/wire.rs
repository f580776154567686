//! Faults of replies on the wire. Each has a name and is described as data.

mod answer;
mod foreign;
mod http;
mod json;
mod play;
mod tcp;

use std::fmt;

use serde::Serialize;

pub(crate) use answer::{Answer, End, Script};
pub(crate) use play::{Wait, play};

/// A fault of a reply: below HTTP, in HTTP, in its JSON, or in its sender.
///
/// The whole request is read, and takes effect or not. Then the sandbox sends bytes that no correct
/// server would send, or not all the bytes that it should.
#[derive(Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct WireFault {
    /// The name, such as `reset-in-head`.
    #[serde(rename = "fault")]
    pub name: &'static str,
    /// The layer that fails.
    pub level: Level,
    /// A sentence that says what happens.
    pub what: &'static str,
    /// Whether the request takes effect.
    pub worked: bool,
    /// The results that a client may report.
    pub wanted: Wanted,
    #[serde(skip)]
    pub(crate) play: fn(Answer) -> Script,
}

/// The layer at which a reply fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Level {
    /// Bytes that are missing, late, or end early.
    Tcp,
    /// Statuses, headers, lengths and encodings.
    Http,
    /// A complete message whose JSON is invalid or unexpected.
    Json,
    /// A complete message that something else sends instead of the provider.
    Foreign,
}

/// The results that a client may report for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wanted {
    /// A value: the reply is unusual but complete.
    Value,
    /// No value: the reply is missing or incomplete.
    NoValue,
    /// A value only if the reply still matches the provider's documents.
    AsDocumented,
}

impl WireFault {
    /// Returns all faults, in the order of their levels.
    pub fn all() -> impl Iterator<Item = &'static WireFault> {
        tcp::FAULTS.iter().chain(http::FAULTS).chain(json::FAULTS).chain(foreign::FAULTS)
    }

    /// Returns the fault with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static WireFault> {
        WireFault::all().find(|fault| fault.name == name)
    }
}

impl fmt::Debug for WireFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireFault({})", self.name)
    }
}

impl PartialEq for WireFault {
    fn eq(&self, other: &WireFault) -> bool {
        self.name == other.name
    }
}

impl Eq for WireFault {}

/// Creates a row of a table. `worked` and `wanted` come first, so that they line up in columns.
const fn row(
    level: Level,
    (worked, wanted): (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    WireFault { name, level, what, worked, wanted, play }
}

/// The request does not take effect, and the reply has no value.
const BEFORE: (bool, Wanted) = (false, Wanted::NoValue);
/// The request takes effect, and the value is lost.
const AFTER: (bool, Wanted) = (true, Wanted::NoValue);
/// The request takes effect, and the value can be read.
const WHOLE: (bool, Wanted) = (true, Wanted::Value);
/// The request takes effect, and the reply says something else.
const OTHER: (bool, Wanted) = (true, Wanted::AsDocumented);
