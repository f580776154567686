//! Sets a client's port and checks that its sockets listen. All clients share this part.
//!
//! Every client reports success when it stores a port on which it cannot listen, and ignores a value
//! that it already has, even if its sockets are dead. So we set the port, read the setting back and
//! check the sockets. If the sockets must be reopened, we first give the client another port.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyvpn_core::{Clock, PortProtocols, within};
use async_trait::async_trait;

use super::ClientSettings;
use crate::sockets::{Socket, SocketProtocol, sockets};
use crate::{ClientError, ClientState, Listen, TorrentClient, Tunnel};

/// How long a client may take to open or close its sockets. This takes 50 ms; qBittorrent reports it up
/// to two seconds later.
const SETTLING: Duration = Duration::from_secs(3);
/// How often we check the sockets meanwhile.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long a whole call may take.
const WHOLE_CALL: Duration = Duration::from_secs(20);

/// The calls of one kind of client.
#[async_trait]
pub(crate) trait ClientApi: Send + Sync {
    /// Reads the settings, and what the client reports about its sockets.
    async fn read(&self) -> Result<Reading, ClientError>;

    /// Sets the port and turns off random ports, UPnP and NAT-PMP.
    async fn write(&self, wish: &Wish<'_>) -> Result<(), ClientError>;

    /// Announces the port to all trackers.
    async fn announce(&self) -> Result<(), ClientError>;

    /// Returns why the UDP socket has another port than the TCP socket, and what the user has to do;
    /// `None` if this version moves both.
    fn udp_remedy(&self, version: &str) -> Option<String> {
        let _ = version;
        None
    }
}

/// The settings to give to a client.
pub(crate) struct Wish<'a> {
    /// The port to listen on.
    pub port: u16,
    /// The port to announce.
    pub public_port: u16,
    /// The tunnel to bind to; `None` if the client keeps its own choice.
    pub bind: Option<&'a Tunnel>,
}

/// What a client reports.
#[derive(Debug)]
pub(crate) struct Reading {
    pub version: Option<String>,
    /// The port in its settings; 0 if it chooses a random port or the setting is not a valid port.
    pub port: u16,
    /// The port that it announces.
    pub announced: u16,
    /// Whether it reports that it listens; `None` if it does not say.
    pub listening: Option<bool>,
    /// Whether it uses UDP at all.
    pub has_udp: bool,
    /// Whether it reports incoming connections; `None` if it does not say.
    pub reached: Option<bool>,
}

/// A torrent client of any kind.
pub(crate) struct PortSetter {
    name: &'static str,
    api: Box<dyn ClientApi>,
    bind_interface: bool,
    sees_sockets: bool,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

/// What we know about a client besides its own reports.
#[derive(Default)]
struct Memory {
    /// Whether the port has changed and the trackers may not know it yet.
    must_announce: bool,
    /// The sockets of other programs on the wanted port, which keep the client from using it.
    foreign: Vec<u32>,
}

impl PortSetter {
    pub fn new(
        name: &'static str,
        api: Box<dyn ClientApi>,
        settings: &ClientSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (bind_interface, sees_sockets) = (settings.bind_interface, settings.same_network);
        Self { name, api, bind_interface, sees_sockets, clock, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the sockets on a port that are not known to belong to another program; `None` if sockets
    /// cannot be seen.
    fn own_sockets(&self, protocol: SocketProtocol, port: u16) -> Option<Vec<Socket>> {
        let mut sockets = self.sees_sockets.then(|| sockets(protocol, port)).flatten()?;
        sockets.retain(|socket| !self.memory().foreign.contains(&socket.inode));
        Some(sockets)
    }

    fn serves(&self, protocol: SocketProtocol, wanted: &Listen) -> Option<bool> {
        let sockets = self.own_sockets(protocol, wanted.port)?;
        Some(sockets.iter().any(|socket| socket.serves(&wanted.tunnel)))
    }

    async fn look(&self, wanted: &Listen) -> Result<ClientState, ClientError> {
        let reading = self.api.read().await?;
        let mut state = ClientState::new(reading.port);
        let seen = self.serves(SocketProtocol::Tcp, wanted);
        state.listens_tcp = match (seen, reading.listening) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (seen, said) => seen.or(said),
        };
        if reading.has_udp {
            state.listens_udp = self.serves(SocketProtocol::Udp, wanted);
        }
        state.reached = reading.reached;
        let udp_stays = wanted.protocols != PortProtocols::Tcp
            && (state.listens_tcp, state.listens_udp) == (Some(true), Some(false));
        if udp_stays && let Some(version) = &reading.version {
            state.needs = self.api.udp_remedy(version);
        }
        if reading.port == wanted.port && reading.announced != wanted.public_port {
            state.needs = Some(format!(
                "it tells trackers port {}, but others reach it by port {}; use a client that can announce \
                 another port than it listens on, such as qBittorrent 5.1 or later",
                reading.announced, wanted.public_port
            ));
        }
        state.version = reading.version;
        Ok(state)
    }

    /// Checks repeatedly until the client listens as wanted, or its time is up.
    async fn settle(&self, wanted: &Listen) -> Result<ClientState, ClientError> {
        let until = self.clock.instant() + SETTLING;
        loop {
            let state = self.look(wanted).await?;
            if state.is_in_sync(wanted) || state.needs.is_some() || self.clock.instant() >= until {
                return Ok(state);
            }
            self.clock.sleep(INTERVAL).await;
        }
    }

    /// Moves the client away from the wanted port. Sockets that remain on it belong to other programs.
    async fn move_away(&self, wanted: &Listen, bind: Option<&Tunnel>) -> Result<(), ClientError> {
        let port = if wanted.port == u16::MAX { wanted.port - 1 } else { wanted.port + 1 };
        self.api.write(&Wish { port, public_port: port, bind }).await?;
        let until = self.clock.instant() + SETTLING;
        loop {
            self.clock.sleep(INTERVAL).await;
            let rest = self.own_sockets(SocketProtocol::Tcp, wanted.port).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            if self.clock.instant() >= until {
                self.memory().foreign = rest.iter().map(|socket| socket.inode).collect();
                return Ok(());
            }
        }
    }

    async fn set(&self, wanted: &Listen) -> Result<ClientState, ClientError> {
        if wanted.port == 0 || wanted.public_port == 0 {
            let why = "port 0 means a random port, and cannot be forwarded; nothing was sent";
            return Err(ClientError::Unable(why.to_owned()));
        }
        let bind = self.bind_interface.then_some(&wanted.tunnel);
        let before = self.look(wanted).await?;
        let is_right = before.setting == wanted.port;
        let is_alive = is_right && before.is_in_sync(wanted);
        let is_occupied = self
            .own_sockets(SocketProtocol::Tcp, wanted.port)
            .is_some_and(|found| !found.is_empty());
        let moves = !is_alive || wanted.rebind;
        if moves {
            self.memory().must_announce = true;
            if is_right || is_occupied {
                self.move_away(wanted, bind).await?;
            }
        }
        self.api.write(&Wish { port: wanted.port, public_port: wanted.public_port, bind }).await?;
        let mut state = self.settle(wanted).await?;
        if state.is_in_sync(wanted) {
            if self.memory().must_announce {
                self.api.announce().await?;
                self.memory().must_announce = false;
            }
        } else if state.needs.is_none() {
            state.needs = self.what_is_in_the_way(wanted);
        }
        Ok(state)
    }

    /// Returns what the user has to do if everything was tried and the client still has no sockets on
    /// the port.
    fn what_is_in_the_way(&self, wanted: &Listen) -> Option<String> {
        let port = wanted.port;
        let sockets = self.sees_sockets.then(|| sockets(SocketProtocol::Tcp, port)).flatten()?;
        let foreign = |socket: &&Socket| self.memory().foreign.contains(&socket.inode);
        if sockets.iter().any(|socket| foreign(&socket)) {
            return Some(format!("another program listens on TCP port {port}; end it"));
        }
        let elsewhere = sockets.first()?;
        let interface = &wanted.tunnel.interface;
        let at = elsewhere.address;
        Some(format!(
            "it listens on {at}, which is not reachable through {interface}; change the address or interface in \
             its settings"
        ))
    }
}

#[async_trait]
impl TorrentClient for PortSetter {
    fn name(&self) -> &str {
        self.name
    }

    async fn listen_on(&self, wanted: &Listen) -> Result<ClientState, ClientError> {
        within(&*self.clock, WHOLE_CALL, self.set(wanted)).await.unwrap_or_else(|| Err(too_slow()))
    }

    async fn observe(&self, wanted: &Listen) -> Result<ClientState, ClientError> {
        within(&*self.clock, WHOLE_CALL, self.look(wanted)).await.unwrap_or_else(|| Err(too_slow()))
    }
}

fn too_slow() -> ClientError {
    ClientError::Unreachable(format!("the call took longer than {} s", WHOLE_CALL.as_secs()))
}
