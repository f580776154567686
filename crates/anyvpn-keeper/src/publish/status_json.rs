//! `status.json`: everything that the keeper knows.

use crate::Snapshot;

/// Writes the snapshot on one line, as described by `docs/schema/v1/port-status.json`.
pub(super) fn render(snapshot: &Snapshot) -> String {
    // Strings, numbers and times can always be written as JSON.
    let json = serde_json::to_string(snapshot).unwrap_or_default();
    format!("{json}\n")
}
