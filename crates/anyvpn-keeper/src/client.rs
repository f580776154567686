//! What the keeper asks of a torrent client.

use anyvpn_core::PortProtocols;
use async_trait::async_trait;

use crate::Tunnel;

/// A program that listens on the forwarded port.
///
/// No call takes longer than 20 seconds, and none repeats anything: the keeper does. Credentials are sent
/// once for each session. Refused ones are not sent again for hours, so that a wrong password does not lock
/// the keeper out.
#[async_trait]
pub trait TorrentClient: Send + Sync {
    /// The name in the settings, such as `qbittorrent`.
    fn name(&self) -> &str;

    /// Sets the port, turns off a random port and UPnP, makes the client open its sockets anew where that
    /// is needed, announces the port, and returns what was seen afterwards.
    ///
    /// # Errors
    ///
    /// As [`Self::observe`].
    async fn listen_on(&self, wanted: &Listen) -> Result<ClientState, ClientError>;

    /// Looks at the setting and at the sockets. Changes nothing; an announcement that the client may have
    /// ignored is repeated.
    ///
    /// # Errors
    ///
    /// `Unreachable` when the client does not answer, `Unauthorized` when it refuses the credentials,
    /// `Unexpected` for an answer that makes no sense, `Unable` when only a person can help.
    async fn observe(&self, wanted: &Listen) -> Result<ClientState, ClientError>;
}

/// The port that a client is to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listen {
    /// The port on this machine.
    pub port: u16,
    /// The port that others connect to, to be announced; the same number at most providers.
    pub public_port: u16,
    /// The protocols that are forwarded.
    pub protocols: PortProtocols,
    /// The tunnel; its interface's index or addresses change when it is made anew.
    pub tunnel: Tunnel,
    /// Whether the sockets must be opened anew even if the setting is right already.
    pub rebind: bool,
}

impl Listen {
    /// A port for both protocols that others reach by the same number.
    #[must_use]
    pub fn new(port: u16, tunnel: Tunnel) -> Self {
        Self { port, public_port: port, protocols: PortProtocols::Both, tunnel, rebind: false }
    }
}

/// What was seen of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientState {
    /// Its version, in its own words; absent if it does not say.
    pub version: Option<String>,
    /// The port in its settings.
    pub setting: u16,
    /// Whether a TCP socket listens on the port; absent where that cannot be seen.
    pub listens_tcp: Option<bool>,
    /// Whether a UDP socket has the port; absent where that cannot be seen, or the client has no UDP.
    pub listens_udp: Option<bool>,
    /// Whether somebody has reached it from outside; absent if the client does not say.
    pub reached: Option<bool>,
    /// What a person has to do, in one sentence, such as to restart the client; absent if nothing.
    pub needs: Option<String>,
}

impl ClientState {
    /// What is known of a client that says it has this port.
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

    /// Whether the client listens as wanted, as far as can be seen.
    #[must_use]
    pub fn is_in_sync(&self, wanted: &Listen) -> bool {
        let tcp = wanted.protocols == PortProtocols::Udp || self.listens_tcp != Some(false);
        let udp = wanted.protocols == PortProtocols::Tcp || self.listens_udp != Some(false);
        self.setting == wanted.port && tcp && udp && self.needs.is_none()
    }
}

/// Why a client could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// It does not answer.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// It refuses the credentials. Asking again with the same ones can lock the keeper out.
    #[error("it refuses the credentials: {0}")]
    Unauthorized(String),
    /// It answers something that makes no sense, or refuses the request.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// It cannot do what is asked; the text says what a person has to do.
    #[error("{0}")]
    Unable(String),
}
