//! gluetun's file of the public address.

use crate::Snapshot;

/// Writes the address exactly as gluetun does: without a newline, and nothing while it is unknown.
pub(super) fn render(snapshot: &Snapshot) -> String {
    let address = snapshot.port.as_ref().and_then(|open| open.address);
    address.map(|address| address.to_string()).unwrap_or_default()
}
