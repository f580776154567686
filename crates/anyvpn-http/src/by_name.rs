//! Operations for callers that know them by name only, such as `anyvpn call`.

use anyvpn_core::{Error, OperationId, reveal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::reply::without_values;
use crate::{Client, Operation, Replay};

/// What is known of an operation without its type.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The name.
    pub id: OperationId,
    /// Whether it may be sent again.
    pub replay: Replay,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with places such as `{id}`.
    pub path: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The fields of its input.
    pub fields: &'static [Field],
}

/// One field of an operation's input.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// What its value is.
    pub kind: FieldKind,
    /// Whether it must be given.
    pub required: bool,
    /// What it is.
    pub doc: &'static str,
}

/// What a field's value is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A string.
    Text,
    /// A string that is a [`Secret`](anyvpn_core::Secret).
    Secret,
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// Another value: a number with a fraction, a list, an object.
    Json,
}

/// Calls `O` with a JSON object of its fields, and gives the reply's value as JSON.
///
/// Secrets in the reply are `"[redacted]"` unless `revealed`.
///
/// # Errors
///
/// `InvalidRequest` when the input does not fit the operation; else as [`Client::call`].
pub async fn run<O>(
    client: &Client<O::Dialect>,
    input: Value,
    revealed: bool,
) -> Result<Value, Error>
where
    O: Operation + DeserializeOwned,
    O::Output: Serialize,
{
    let operation: O = serde_path_to_error::deserialize(input).map_err(|e| {
        let path = e.path().to_string();
        let message = e.into_inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`'));
        match missing {
            Some(field) => Error::invalid(field, "is missing"),
            None if path == "." => Error::invalid("input", why(&message)),
            None => Error::invalid(path, why(&message)),
        }
        .with_operation(O::ID)
    })?;
    let output = client.call(operation).await?;
    let json = if revealed {
        reveal(|| serde_json::to_value(&output)).0
    } else {
        serde_json::to_value(&output)
    };
    json.map_err(|e| Error::invalid("output", e.to_string()).with_operation(O::ID))
}

/// What a field must be, where serde says it.
fn why(message: &str) -> String {
    let message = without_values(message);
    match message.split_once(", expected ") {
        Some((came, expected)) if !came.starts_with("unknown field") => {
            format!("must be {expected}")
        }
        _ => message,
    }
}

/// The error for an operation that a provider does not have; it names the nearest ones.
#[must_use]
pub fn unknown(provider: &str, name: &str, entries: &[Entry]) -> Error {
    let names: Vec<_> = entries.iter().map(|entry| entry.id.name()).collect();
    Error::invalid(
        "operation",
        format!("{provider} has no operation {name:?}; it has {}", names.join(", ")),
    )
}
