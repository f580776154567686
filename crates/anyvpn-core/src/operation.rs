//! Descriptions of operations as data: for tables, help and completions, and for calls by name.

use serde::Serialize;

use crate::OperationId;

/// Whether an operation may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replay {
    /// Changes nothing.
    Safe,
    /// Doing it twice has the same effect as doing it once.
    Idempotent,
    /// Doing it twice does harm: it creates, closes or pays. It is never retried once it may have
    /// arrived.
    Once,
}

/// One documented operation of a provider.
#[derive(Clone, Copy, Debug)]
pub struct OperationInfo {
    /// The operation's name.
    pub id: OperationId,
    /// Whether it may be sent again.
    pub replay: Replay,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with placeholders such as `{id}`.
    pub path: &'static str,
    /// A sentence that says what it does.
    pub summary: &'static str,
    /// The fields of the input.
    pub fields: &'static [FieldInfo],
    /// Whether the reply can contain a [`Secret`](crate::Secret).
    pub reply_has_secret: bool,
}

/// One field of an operation's input.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FieldInfo {
    /// The name on the wire.
    pub name: &'static str,
    /// The type of its value in JSON.
    pub kind: FieldKind,
    /// Whether it must be given.
    pub required: bool,
    /// A sentence that says what it means.
    pub doc: &'static str,
}

/// The type of a field's value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// A string.
    Text,
    /// A string that is a [`Secret`](crate::Secret).
    Secret,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// Another value: a number with a fraction, a list, an object.
    Json,
}
