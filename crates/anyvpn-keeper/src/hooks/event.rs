//! What a hook is told.

use std::net::IpAddr;

use anyvpn_core::{PortProtocols, Timestamp};
use serde::Serialize;

use crate::Snapshot;

/// What has happened to the port. Its JSON is what a hook reads on stdin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HookEvent {
    /// What has happened.
    pub event: HookEventKind,
    /// Counts the events. It never decreases, also not over restarts. A repeated event has the same number.
    pub generation: u64,
    /// The number on the VPN server; absent if the port is closed.
    pub port: Option<u16>,
    /// The number that was open before; absent if there was none.
    pub old_port: Option<u16>,
    /// The number to listen on, on this machine; absent if the port is closed.
    pub local_port: Option<u16>,
    /// The protocols; absent if the port is closed.
    pub protocols: Option<PortProtocols>,
    /// The tunnel's interface; absent while it is down.
    pub interface: Option<String>,
    /// The public address; absent if it is not known.
    pub address: Option<IpAddr>,
    /// When the port closes unless it is renewed; absent if that is not known.
    pub expires_at: Option<Timestamp>,
}

/// What has happened to the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HookEventKind {
    /// A port is open, and there was none before.
    Opened,
    /// The number, the protocols, the interface or its address changed.
    Changed,
    /// The port was lost or released.
    Closed,
}

impl HookEvent {
    /// The event that this snapshot tells of.
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
