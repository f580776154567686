//! Calls of operations by name, as `anyvpn call` makes them.

use anyvpn_core::{Error, OperationInfo, reveal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::reply::without_values;
use crate::{Client, Operation};

/// Calls `O` with a JSON object of its fields, and returns the reply's value as JSON.
///
/// Secrets in the reply are `"[redacted]"` unless `revealed`.
///
/// # Errors
///
/// `InvalidRequest` if the input does not fit the operation; otherwise as [`Client::call`].
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
        let missing =
            message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
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

/// Returns what a field must be, if serde says so.
fn why(message: &str) -> String {
    let message = without_values(message);
    match message.split_once(", expected ") {
        Some((came, expected)) if !came.starts_with("unknown field") => {
            format!("must be {expected}")
        }
        _ => message,
    }
}

/// Returns the error for an unknown operation; it suggests similar names.
#[must_use]
pub fn unknown(provider: &str, name: &str, entries: &[OperationInfo]) -> Error {
    let names: Vec<_> = entries.iter().map(|entry| entry.id.name()).collect();
    Error::invalid(
        "operation",
        format!("{provider} has no operation {name:?}; it has {}", names.join(", ")),
    )
}
