//! gluetun's status file.

use crate::Snapshot;

/// The port in gluetun's very bytes: no newline, and nothing while no port is open.
pub(super) fn render(snapshot: &Snapshot) -> String {
    snapshot.port.as_ref().map(|open| open.port.to_string()).unwrap_or_default()
}
