//! The interface between the keeper and a torrent client.

use anyvpn_core::PortProtocols;
use async_trait::async_trait;

use crate::Tunnel;

/// A program that listens on the forwarded port.
///
/// No call takes longer than 20 seconds, and no call retries anything, because the keeper does.
/// Credentials are sent once per session. Refused credentials are not sent again for hours, so that a
/// wrong password does not lock the keeper out.
#[async_trait]
pub trait TorrentClient: Send + Sync {
    /// Returns the name in the settings, such as `qbittorrent`.
    fn name(&self) -> &str;

    /// Sets the port, turns off random ports and UPnP, makes the client reopen its sockets if needed,
    /// announces the port, and returns the client's state afterwards.
    ///
    /// # Errors
    ///
    /// As [`Self::observe`].
    async fn listen_on(&self, wanted: &Listen) -> Result<ClientState, ClientError>;

    /// Checks the setting and the sockets. Changes nothing, but repeats an announcement that the client
    /// may have ignored.
    ///
    /// # Errors
    ///
    /// `Unreachable` if the client does not answer, `Unauthorized` if it refuses the credentials,
    /// `Unexpected` if its answer makes no sense, `Unable` if the user has to do something.
    async fn observe(&self, wanted: &Listen) -> Result<ClientState, ClientError>;
}

/// The port on which a client is to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listen {
    /// The port on this machine.
    pub port: u16,
    /// The port to which peers connect, for announcements. Most providers use the same number.
    pub public_port: u16,
    /// The protocols that are forwarded.
    pub protocols: PortProtocols,
    /// The tunnel. The index or addresses of its interface change when it is recreated.
    pub tunnel: Tunnel,
    /// Whether the sockets must be reopened even if the setting is already right.
    pub rebind: bool,
}

impl Listen {
    /// Creates a port for both protocols, which peers reach at the same number.
    #[must_use]
    pub fn new(port: u16, tunnel: Tunnel) -> Self {
        Self { port, public_port: port, protocols: PortProtocols::Both, tunnel, rebind: false }
    }
}

/// The observed state of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientState {
    /// The client's version as it reports it; `None` if it does not.
    pub version: Option<String>,
    /// The port in its settings.
    pub setting: u16,
    /// Whether a TCP socket listens on the port; `None` if that cannot be seen.
    pub listens_tcp: Option<bool>,
    /// Whether a UDP socket is bound to the port; `None` if that cannot be seen or the client does not
    /// use UDP.
    pub listens_udp: Option<bool>,
    /// Whether a peer has connected from outside; `None` if the client does not report it.
    pub reached: Option<bool>,
    /// What the user has to do, in one sentence, such as restarting the client; `None` if nothing.
    pub needs: Option<String>,
}

impl ClientState {
    /// Creates the state of a client about which only the port in its settings is known.
    #[must_use]
    pub fn new(setting: u16) -> Self {
        Self {
            version: None,
            setting,
            listens_tcp: None,
            listens_udp: None,
            reached: None,
            needs: None,
        }
    }

    /// Returns whether the client listens as wanted, as far as can be seen.
    #[must_use]
    pub fn is_in_sync(&self, wanted: &Listen) -> bool {
        let tcp = wanted.protocols == PortProtocols::Udp || self.listens_tcp != Some(false);
        let udp = wanted.protocols == PortProtocols::Tcp || self.listens_udp != Some(false);
        self.setting == wanted.port && tcp && udp && self.needs.is_none()
    }
}

/// The reason why a call to a client failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client does not answer.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// The client refuses the credentials. Sending them again can lock the keeper out.
    #[error("it refuses the credentials: {0}")]
    Unauthorized(String),
    /// The answer makes no sense, or the client refuses the request.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// The client cannot do what is needed; the text says what the user has to do.
    #[error("{0}")]
    Unable(String),
}
