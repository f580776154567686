//! Replies that go wrong on the wire: every one has a name, and is data.

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
/// The request is read whole. Then the work is done or not, and then come bytes that no good server
/// would send, or not all of those that it should.
#[derive(Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct WireFault {
    /// Such as `reset-in-head`: what it is called everywhere.
    #[serde(rename = "fault")]
    pub name: &'static str,
    /// Where it goes wrong.
    pub level: Level,
    /// A sentence that says what happens.
    pub what: &'static str,
    /// Whether the work is done.
    pub worked: bool,
    /// What a client may make of it.
    pub wanted: Wanted,
    #[serde(skip)]
    pub(crate) play: fn(Answer) -> Script,
}

/// The layer at which something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Level {
    /// Bytes that do not come, come late, or end early.
    Tcp,
    /// Statuses, headers, lengths and encodings.
    Http,
    /// A whole message, with JSON that is none or another.
    Json,
    /// A whole message that somebody else sends in the provider's place.
    Foreign,
}

/// What a client may make of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Wanted {
    /// The value: the reply is unusual, and whole.
    Value,
    /// No value: the reply is none, or not the whole one.
    NoValue,
    /// A value only if the reply fits the provider's documents all the same.
    AsDocumented,
}

impl WireFault {
    /// All of them, in the order of their levels.
    pub fn all() -> impl Iterator<Item = &'static WireFault> {
        tcp::FAULTS.iter().chain(http::FAULTS).chain(json::FAULTS).chain(foreign::FAULTS)
    }

    /// The one with this name.
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

/// The rows of a table: `worked` and `wanted` first, because they are read down the columns.
const fn row(
    level: Level,
    (worked, wanted): (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    WireFault { name, level, what, worked, wanted, play }
}

/// The work is not done, and there is no value in the reply.
const BEFORE: (bool, Wanted) = (false, Wanted::NoValue);
/// The work is done, and the value is lost.
const AFTER: (bool, Wanted) = (true, Wanted::NoValue);
/// The work is done, and the value can be read.
const WHOLE: (bool, Wanted) = (true, Wanted::Value);
/// The work is done, and the reply says something else.
const OTHER: (bool, Wanted) = (true, Wanted::AsDocumented);
