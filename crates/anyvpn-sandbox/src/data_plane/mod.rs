//! A network in which the imitated VPN servers really carry traffic.
//!
//! The providers describe what they have granted as a [`Network`]. A data plane carries it out. Nothing
//! else in the sandbox knows how. On Linux there is one, [`Namespaces`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use x25519_dalek::{PublicKey, StaticSecret};

#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod programs;

#[cfg(target_os = "linux")]
pub use namespaces::Namespaces;
#[cfg(target_os = "linux")]
pub use programs::DataPlaneError;

use crate::random::Random;

/// What the providers have granted at one moment: who may connect to the VPN servers, and where the
/// forwarded ports lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// The names of the VPN servers, as configurations have them.
    pub hosts: BTreeSet<String>,
    /// The peers, in the order of their public keys. While a key is replaced, several may have the same
    /// address.
    pub peers: Vec<Peer>,
    /// The device that each forwarded port leads to.
    pub forwards: BTreeMap<Forward, SocketAddrV4>,
}

/// A WireGuard peer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its public key, in base64.
    pub public_key: String,
    /// The preshared key, in base64, if there is one.
    pub preshared_key: Option<String>,
    /// Its addresses inside the tunnel.
    pub addresses: Vec<IpAddr>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Peer { public_key, addresses, .. } = self;
        f.debug_tuple("Peer").field(public_key).field(addresses).finish()
    }
}

/// A forwarded port of the VPN server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Forward {
    /// Whether the port is a TCP port; otherwise it is a UDP port.
    pub is_tcp: bool,
    /// The public number.
    pub port: u16,
}

impl Network {
    /// Adds a peer that may use these addresses. If the key is already known, adds the addresses to its
    /// peer.
    pub(crate) fn add_peer(
        &mut self,
        public_key: &str,
        preshared_key: Option<String>,
        addresses: &[IpAddr],
    ) {
        match self.peers.iter_mut().find(|peer| peer.public_key == public_key) {
            Some(peer) => peer.addresses.extend(addresses),
            None => self.peers.push(Peer {
                public_key: public_key.to_owned(),
                preshared_key,
                addresses: addresses.to_vec(),
            }),
        }
    }

    /// Forwards a port of one protocol.
    pub(crate) fn forward(&mut self, is_tcp: bool, port: u16, to: SocketAddrV4) {
        self.forwards.insert(Forward { is_tcp, port }, to);
    }
}

/// Carries out what a [`Network`] describes.
pub(crate) trait DataPlane: fmt::Debug + Send + Sync {
    /// Returns where clients reach the WireGuard server.
    fn endpoint(&self) -> SocketAddrV4;

    /// Opens the sockets at which programs in the client's network reach the sandbox. Such programs use
    /// the addresses that the sandbox has on the loopback interface of this machine.
    fn listen(&self, own: &Addresses) -> io::Result<Sockets>;

    /// Carries out a network. When this returns, new ports are forwarded and removed ports are not. It
    /// is called several times a second, even if nothing has changed.
    fn apply(
        self: Arc<Self>,
        server: VpnServer,
        network: Network,
    ) -> BoxFuture<'static, Result<(), String>>;

    /// Returns whether a TCP connection from the internet to this address succeeds.
    fn connects(&self, address: SocketAddr) -> BoxFuture<'static, bool>;
}

/// The addresses of the sandbox on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) tls: SocketAddr,
    /// Of providers that are called over UDP.
    pub(crate) datagrams: SocketAddr,
}

/// Sockets that lead to the sandbox from inside the network.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "there is a data plane only on Linux")
)]
pub(crate) struct Sockets {
    pub(crate) http: TcpListener,
    pub(crate) tls: TcpListener,
    /// Of providers that are called over UDP.
    pub(crate) datagrams: UdpSocket,
}

/// With a data plane: the one WireGuard server that stands for all imitated servers.
#[derive(Clone)]
pub(crate) struct VpnServer {
    pub(crate) endpoint: SocketAddrV4,
    pub(crate) private_key: [u8; 32],
}

impl VpnServer {
    pub(crate) fn new(endpoint: SocketAddrV4, seed: u64) -> VpnServer {
        VpnServer { endpoint, private_key: Random::new(seed, 17).private_key() }
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        PublicKey::from(&StaticSecret::from(self.private_key)).to_bytes()
    }
}

impl fmt::Debug for VpnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VpnServer").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
