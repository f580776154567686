//! `status.json`: everything that the keeper knows.

use crate::Snapshot;

/// The snapshot on one line, as `docs/schema/v1/port-status.json` has it.
pub(super) fn render(snapshot: &Snapshot) -> String {
    // Texts, numbers and times always have a form in JSON.
    let json = serde_json::to_string(snapshot).unwrap_or_default();
    format!("{json}\n")
}
