//! gluetun's status file.

use crate::Snapshot;

/// Writes the port exactly as gluetun does: without a newline, and nothing while no port is open.
pub(super) fn render(snapshot: &Snapshot) -> String {
    snapshot.port.as_ref().map(|open| open.port.to_string()).unwrap_or_default()
}
