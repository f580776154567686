//! The event that a hook receives.

use std::net::IpAddr;

use anyvpn_core::{PortProtocols, Timestamp};
use serde::Serialize;

use crate::Snapshot;

/// A change of the port. A hook reads it as JSON on stdin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HookEvent {
    /// The kind of change.
    pub event: HookEventKind,
    /// The event's number. It never decreases, not even across restarts. A repeated event has the same
    /// number.
    pub generation: u64,
    /// The port number on the VPN server; `None` if the port is closed.
    pub port: Option<u16>,
    /// The port number that was open before; `None` if there was none.
    pub old_port: Option<u16>,
    /// The port on which to listen on this machine; `None` if the port is closed.
    pub local_port: Option<u16>,
    /// The forwarded protocols; `None` if the port is closed.
    pub protocols: Option<PortProtocols>,
    /// The tunnel's interface; `None` while it is down.
    pub interface: Option<String>,
    /// The public address; `None` if it is not known.
    pub address: Option<IpAddr>,
    /// When the port closes unless it is renewed; `None` if that is not known.
    pub expires_at: Option<Timestamp>,
}

/// The kind of a change of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HookEventKind {
    /// A port was opened, and there was none before.
    Opened,
    /// The number, the protocols, the interface or its address changed.
    Changed,
    /// The port was lost or released.
    Closed,
}

impl HookEvent {
    /// Returns the event for the latest change in this snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let open = snapshot.port.as_ref();
        Self {
            event: match (open, snapshot.previous_port) {
                (None, _) => HookEventKind::Closed,
                (Some(_), None) => HookEventKind::Opened,
                (Some(_), Some(_)) => HookEventKind::Changed,
            },
            generation: snapshot.generation,
            port: open.map(|open| open.port),
            old_port: snapshot.previous_port,
            local_port: open.map(|open| open.local_port),
            protocols: open.map(|open| open.protocols),
            interface: snapshot.tunnel.as_ref().map(|tunnel| tunnel.interface.clone()),
            address: open.and_then(|open| open.address),
            expires_at: open.and_then(|open| open.expires_at),
        }
    }
}
