//! gluetun's file of the public address.

use crate::Snapshot;

/// The address in gluetun's very bytes: no newline, and nothing while it is unknown.
pub(super) fn render(snapshot: &Snapshot) -> String {
    let address = snapshot.port.as_ref().and_then(|open| open.address);
    address.map(|address| address.to_string()).unwrap_or_default()
}
