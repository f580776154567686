//! What the keeper knows at one moment.

use std::net::IpAddr;

use anyvpn_core::{PortProtocols, Timestamp};
use serde::{Deserialize, Serialize};

/// What the keeper knows at one moment. The status file, `status.json`, the HTTP API, the metrics and the
/// hooks are all made from one snapshot, so that they cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The time of the snapshot.
    pub at: Timestamp,
    /// Counts the changes that clients and hooks must know: of the number, the protocols, the interface
    /// or its address. It never decreases, not even across restarts.
    pub generation: u64,
    /// What the keeper is doing.
    pub phase: Phase,
    /// The tunnel; `None` while it is down.
    pub tunnel: Option<Tunnel>,
    /// The open port; `None` before the first one, and once it is known to be lost.
    pub port: Option<OpenPort>,
    /// The number that was open before this one; `None` if there was none.
    pub previous_port: Option<u16>,
    /// The torrent clients, in the order of the settings.
    pub clients: Vec<ClientStatus>,
    /// Why the keeper cannot continue at present, in one sentence; `None` if it can.
    pub problem: Option<String>,
    /// When it tries again, or when it began to do so if that time has passed; `None` if no attempt is due.
    pub next_at: Option<Timestamp>,
    /// The counters since the first start.
    pub counters: Counters,
}

impl Snapshot {
    /// Creates the snapshot of a keeper that knows nothing yet.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            generation: 0,
            phase: Phase::WaitingForTunnel,
            tunnel: None,
            port: None,
            previous_port: None,
            clients: Vec::new(),
            problem: None,
            next_at: None,
            counters: Counters::default(),
        }
    }
}

/// What the keeper is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// The keeper waits for the tunnel.
    WaitingForTunnel,
    /// The keeper looks for an existing forward, or opens one.
    Opening,
    /// The port is open. The keeper sets it in the clients and checks that they listen.
    Telling,
    /// The port is open, and all clients that can be reached listen on it.
    Holding,
    /// A call failed or the quota is used up, so the keeper waits before it tries again. If a port is
    /// still published, it is not known to be lost.
    BackingOff,
    /// The keeper is stopping.
    Stopping,
}

/// The tunnel through which the port is forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tunnel {
    /// The name of its interface, such as `wg0`.
    pub interface: String,
    /// The interface's index. A recreated tunnel has a new index, even if its name is the same.
    pub index: u32,
    /// The addresses of the interface, IPv4 first.
    pub addresses: Vec<IpAddr>,
}

impl Tunnel {
    /// Creates a tunnel on this interface.
    #[must_use]
    pub fn new(interface: impl Into<String>, index: u32, addresses: Vec<IpAddr>) -> Self {
        Self { interface: interface.into(), index, addresses }
    }
}

/// The published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenPort {
    /// The number on the VPN server.
    pub port: u16,
    /// The port on which programs on this machine listen. Most providers use the same number.
    pub local_port: u16,
    /// The protocols that are forwarded.
    pub protocols: PortProtocols,
    /// The public address; `None` if it is not known.
    pub address: Option<IpAddr>,
    /// When it closes unless it is renewed; `None` if the provider does not say.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen open from outside or in use by a client; `None` before the first time.
    pub verified_at: Option<Timestamp>,
}

impl OpenPort {
    /// Creates an open port for these protocols, about which nothing else is known.
    #[must_use]
    pub fn new(port: u16, protocols: PortProtocols) -> Self {
        Self {
            port,
            local_port: port,
            protocols,
            address: None,
            expires_at: None,
            verified_at: None,
        }
    }
}

/// The status of a torrent client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClientStatus {
    /// Its name in the settings, such as `qbittorrent`.
    pub name: String,
    /// Whether it was last seen to listen on the port.
    pub in_sync: bool,
    /// When it was last asked; `None` before the first time.
    pub asked_at: Option<Timestamp>,
    /// When it is asked again, or when that began if the time has passed; `None` while it is not asked,
    /// because no port is open or the tunnel is down.
    pub next_at: Option<Timestamp>,
    /// Why it is not in sync, in one sentence; `None` if it is.
    pub problem: Option<String>,
}

impl ClientStatus {
    /// Creates the status of a client that was not asked yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), in_sync: false, asked_at: None, next_at: None, problem: None }
    }
}

/// The counters since the first start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counters {
    /// How often the published number changed.
    pub changes: u64,
    /// How many forwards were created.
    pub creates: u64,
    /// How many runs of a hook failed.
    pub hook_failures: u64,
}
