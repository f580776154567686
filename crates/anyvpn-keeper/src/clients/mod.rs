//! The torrent clients, with one file for each, and their common settings.

mod deluge;
mod http;
mod port_setter;
mod qbittorrent;
mod rtorrent;
mod scgi;
mod sign_in;
mod transmission;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Clock, Error, Secret, within};

use crate::{ClientError, TorrentClient};
use port_setter::{ClientApi, PortSetter};

/// A torrent client that the keeper can talk to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClientKind {
    /// The name in the settings.
    pub name: &'static str,
    /// The name for display.
    pub title: &'static str,
    /// The default address.
    pub default_address: &'static str,
    open: Open,
}

type Open = fn(&ClientSettings, Arc<dyn Clock>) -> Result<Box<dyn ClientApi>, Error>;

/// All torrent clients that the keeper can talk to, sorted by name.
pub const CLIENT_KINDS: &[ClientKind] = &[
    ClientKind {
        name: "deluge",
        title: "Deluge",
        default_address: "http://127.0.0.1:8112",
        open: deluge::open,
    },
    ClientKind {
        name: "qbittorrent",
        title: "qBittorrent",
        default_address: "http://127.0.0.1:8080",
        open: qbittorrent::open,
    },
    ClientKind {
        name: "rtorrent",
        title: "rTorrent",
        default_address: "127.0.0.1:5000",
        open: rtorrent::open,
    },
    ClientKind {
        name: "transmission",
        title: "Transmission",
        default_address: "http://127.0.0.1:9091",
        open: transmission::open,
    },
];

/// The address of a torrent client, and how to sign in to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientSettings {
    /// The URL of its web interface; for rTorrent, the path of its socket or `HOST:PORT`.
    pub address: String,
    /// The user name; `None` if the client needs none.
    pub username: Option<String>,
    /// The password; `None` if the client needs none.
    pub password: Option<Secret>,
    /// qBittorrent's API key, instead of a user name and password.
    pub api_key: Option<Secret>,
    /// Whether to bind the client to the tunnel's interface, so that it uses no other network.
    pub bind_interface: bool,
    /// Whether the client runs in this machine's network namespace, so that the keeper sees its
    /// sockets. False for a client in a container with its own network, even if its port is published
    /// here.
    pub same_network: bool,
}

impl ClientSettings {
    /// Creates settings for a client at this address that needs no credentials.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            username: None,
            password: None,
            api_key: None,
            bind_interface: false,
            same_network: true,
        }
    }
}

/// Opens a client of a kind from [`CLIENT_KINDS`]. Nothing is sent yet.
///
/// # Errors
///
/// `InvalidRequest` if the kind is unknown or cannot use these settings.
pub fn open_client(
    kind: &str,
    settings: &ClientSettings,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn TorrentClient>, Error> {
    let kind = CLIENT_KINDS.iter().find(|known| known.name == kind).ok_or_else(|| {
        let names: Vec<_> = CLIENT_KINDS.iter().map(|known| known.name).collect();
        Error::invalid("client", format!("must be one of {}", names.join(", ")))
    })?;
    let api = (kind.open)(settings, Arc::clone(&clock))?;
    Ok(Arc::new(PortSetter::new(kind.name, api, settings, clock)))
}

/// How long a request to a client may take. While Transmission starts, it can need more than 4 seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits for a request to a client, but not longer than it may take.
async fn in_time<T>(clock: &dyn Clock, request: impl Future<Output = T>) -> Result<T, ClientError> {
    let late = || ClientError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs()));
    within(clock, PATIENCE, request).await.ok_or_else(late)
}
