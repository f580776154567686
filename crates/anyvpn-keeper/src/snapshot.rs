//! What the keeper knows at one moment.

use std::net::IpAddr;

use anyvpn_core::{PortProtocols, Timestamp};
use serde::{Deserialize, Serialize};

/// What the keeper knows at one moment. The status file, `status.json`, the HTTP API, the metrics and the
/// hooks are all made from one snapshot, so that they cannot disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When this was true.
    pub at: Timestamp,
    /// Counts the changes of what clients and hooks must know: the number, the protocols, the interface or
    /// its address. It never decreases, also not over restarts.
    pub generation: u64,
    /// What the keeper is doing.
    pub phase: Phase,
    /// The tunnel; absent while it is down.
    pub tunnel: Option<Tunnel>,
    /// The open port; absent before the first one, and once its loss is proved.
    pub port: Option<OpenPort>,
    /// The number that was open before this one; absent if there was none.
    pub previous_port: Option<u16>,
    /// The torrent clients, in the order of the settings.
    pub clients: Vec<ClientStatus>,
    /// Why the keeper cannot go on at present, in one sentence; absent when it can.
    pub problem: Option<String>,
    /// When it tries again; absent when nothing is due.
    pub next_at: Option<Timestamp>,
    /// What was counted since the first start.
    pub counters: Counters,
}

impl Snapshot {
    /// What is known before the first look: nothing.
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
    /// It waits for the tunnel.
    WaitingForTunnel,
    /// It looks for a forward that exists, or opens one.
    Opening,
    /// The port is open, and it tells the clients and checks that they listen.
    Telling,
    /// The port is open, and all clients that can be reached listen on it.
    Holding,
    /// A call failed, or the quota is used up: it waits before it tries again. A port that is still
    /// published is not known to be lost.
    BackingOff,
    /// It ends.
    Stopping,
}

/// The tunnel that the port leads through.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tunnel {
    /// The name of its interface, such as `wg0`.
    pub interface: String,
    /// The interface's index. A tunnel that was made anew has another one, although its name is the same.
    pub index: u32,
    /// The addresses of the interface, IPv4 first.
    pub addresses: Vec<IpAddr>,
}

impl Tunnel {
    /// A tunnel on this interface.
    #[must_use]
    pub fn new(interface: impl Into<String>, index: u32, addresses: Vec<IpAddr>) -> Self {
        Self { interface: interface.into(), index, addresses }
    }
}

/// The port that is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenPort {
    /// The number on the VPN server.
    pub port: u16,
    /// The port that programs on this machine listen on; the same number at most providers.
    pub local_port: u16,
    /// The protocols that it carries.
    pub protocols: PortProtocols,
    /// The public address; absent if nobody says.
    pub address: Option<IpAddr>,
    /// When it closes unless it is renewed; absent if the provider does not say.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen open from outside, or in use by a client; absent before the first time.
    pub verified_at: Option<Timestamp>,
}

impl OpenPort {
    /// An open port for these protocols of which nothing else is known.
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

/// How a torrent client is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClientStatus {
    /// Its name in the settings, such as `qbittorrent`.
    pub name: String,
    /// Whether it was last seen to listen on the port.
    pub in_sync: bool,
    /// When it was last asked; absent before the first time.
    pub asked_at: Option<Timestamp>,
    /// Why it is not in sync, in one sentence; absent when it is.
    pub problem: Option<String>,
}

impl ClientStatus {
    /// A client that was not asked yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), in_sync: false, asked_at: None, problem: None }
    }
}

/// What was counted since the first start.
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
