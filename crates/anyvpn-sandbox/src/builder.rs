//! Configures and starts a sandbox.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::access;
use crate::data_plane::{Addresses, VpnServer};
use crate::fault::Faults;
use crate::handler::RequestHandler;
use crate::log::Log;
use crate::provider::Settings;
use crate::registry::{self, REGISTRY, operations};
use crate::tls::Hosts;
use crate::wire::Wait;
use crate::{Clock, Sandbox, Variation, datagram, server, tls};

/// The reason why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Other machines can reach the address, and the builder does not allow that.
    #[error(
        "{0} is not a loopback address: other machines could reach the sandbox, \
         so it must be allowed explicitly"
    )]
    NotLoopback(SocketAddr),
    /// No variation has this name.
    #[error("unknown variation {0:?}; the variations are {names}", names = variation_names())]
    UnknownVariation(String),
    /// Listening on the address failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
    /// The data plane could not open its sockets.
    #[error("the data plane failed")]
    DataPlane {
        /// The operating system's error for the sockets.
        source: io::Error,
    },
    /// This machine's clock shows a time that replies cannot have in their `Date` header.
    #[error("this machine's clock shows a year before 1970; set it")]
    ClockBefore1970,
}

fn variation_names() -> String {
    Variation::all().map(|variation| variation.name).collect::<Vec<_>>().join(", ")
}

/// Settings of a [`Sandbox`].
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    listen: SocketAddr,
    settings: Settings,
    hosts: access::Hosts,
    log_capacity: usize,
    wait: Wait,
    read_timeout: Duration,
    max_connections: usize,
}

impl SandboxBuilder {
    pub(crate) fn new() -> SandboxBuilder {
        SandboxBuilder {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            settings: Settings {
                seed: 0,
                variations: Vec::new(),
                clock: Clock::real(),
                azire_rate_limit: None,
                vpngn_max_customers: 10_000,
                hosts: Hosts::default(),
                data_plane: None,
                vpn_server: None,
            },
            hosts: access::Hosts::default(),
            log_capacity: 10_000,
            wait: Wait::default(),
            read_timeout: Duration::from_secs(30),
            max_connections: 1024,
        }
    }

    /// Sets the address to listen on; with port 0 the system chooses one. Default: `127.0.0.1:0`.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> SandboxBuilder {
        SandboxBuilder { listen: address, ..self }
    }

    /// Allows an address that other machines can reach. The sandbox has no protection: anybody who can
    /// reach it can do anything.
    #[must_use]
    pub fn allow_other_machines(mut self) -> SandboxBuilder {
        self.hosts.any_address = true;
        self
    }

    /// Accepts requests whose `Host` is this name, besides `localhost` and loopback addresses. It is for
    /// tests with their own resolver. A name that others control would let web pages in.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> SandboxBuilder {
        self.hosts.names.push(name.into());
        self
    }

    /// Sets the seed, which determines all choices, names and numbers. Default: 0, with which the sandbox
    /// answers as the live services were seen to.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> SandboxBuilder {
        self.settings.seed = seed;
        self
    }

    /// Switches on one of [`Variation::all`] by its name, in addition to those that the seed selects. If
    /// two exclude each other, the later one is used.
    #[must_use]
    pub fn variation(mut self, name: impl Into<String>) -> SandboxBuilder {
        self.settings.variations.push(name.into());
        self
    }

    /// Sets the clock. Default: [`Clock::real`].
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> SandboxBuilder {
        self.settings.clock = clock;
        self
    }

    /// Sets how many requests the log keeps; 0 keeps none and only counts them. Default: 10,000.
    #[must_use]
    pub fn log_capacity(self, entries: usize) -> SandboxBuilder {
        SandboxBuilder { log_capacity: entries, ..self }
    }

    /// Sets how many requests per minute, by the sandbox's clock, a token of AzireVPN may make. Default:
    /// `None`, which never refuses and announces 60 with 58 left, as the live service was seen to.
    #[must_use]
    pub fn azire_rate_limit(mut self, per_minute: Option<u32>) -> SandboxBuilder {
        self.settings.azire_rate_limit = per_minute;
        self
    }

    /// Sets how many customers a brand of VPNGN can have, the closed ones included. Default: 10,000.
    #[must_use]
    pub fn vpngn_max_customers(mut self, most: usize) -> SandboxBuilder {
        self.settings.vpngn_max_customers = most;
        self
    }

    /// Sets how long the headers and the body of a request may each take to arrive, and how long a
    /// connection may be idle. Default: 30 s, in real time.
    #[must_use]
    pub fn read_timeout(self, timeout: Duration) -> SandboxBuilder {
        SandboxBuilder { read_timeout: timeout, ..self }
    }

    /// Sets how many connections there may be at a time, at least one. Another one closes the oldest that
    /// is idle or has not sent a whole request. Default: 1024.
    #[must_use]
    pub fn max_connections(self, most: usize) -> SandboxBuilder {
        SandboxBuilder { max_connections: most.max(1), ..self }
    }

    /// Sets how faults wait, such as [`Fault::Delay`](crate::Fault::Delay); a fault that never continues
    /// waits for [`Duration::MAX`]. Default: in real time. A test whose client has a virtual clock can use
    /// the same clock here.
    #[must_use]
    pub fn wait_with(
        self,
        wait: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> SandboxBuilder {
        SandboxBuilder { wait: Wait(Arc::new(wait)), ..self }
    }

    /// Lets the VPN servers carry traffic, and forwarded ports lead to their devices, in these network
    /// namespaces. All WireGuard servers of all providers are one server then, with one key. Default: there
    /// is no network, and only the APIs are imitated.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn data_plane(mut self, namespaces: crate::data_plane::Namespaces) -> SandboxBuilder {
        self.settings.data_plane = Some(Arc::new(namespaces));
        self
    }

    /// Starts listening and serving.
    ///
    /// # Errors
    ///
    /// If the address is not a loopback address and [`allow_other_machines`] was not called, if listening
    /// fails, if a variation is unknown, or if this machine's clock shows a year before 1970.
    ///
    /// [`allow_other_machines`]: SandboxBuilder::allow_other_machines
    pub async fn start(mut self) -> Result<Sandbox, StartError> {
        if !self.listen.ip().is_loopback() && !self.hosts.any_address {
            return Err(StartError::NotLoopback(self.listen));
        }
        let known = |name: &String| Variation::all().any(|variation| variation.name == name);
        if let Some(unknown) = self.settings.variations.iter().find(|name| !known(name)) {
            return Err(StartError::UnknownVariation(unknown.clone()));
        }
        // hyper writes the date into each reply, and panics if the clock is before 1970.
        if SystemTime::now() < SystemTime::UNIX_EPOCH {
            return Err(StartError::ClockBefore1970);
        }
        let listen = self.listen;
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let (hosts, info) = tls::listen(address, self.settings.seed).await.map_err(failed)?;
        let tls_address = info.address;
        self.settings.hosts = info;
        let seed = self.settings.seed;
        let data_plane = self.settings.data_plane.clone().map(|plane| {
            let server = VpnServer::new(plane.endpoint(), seed);
            self.settings.vpn_server = Some(server.clone());
            (plane, server)
        });
        self.hosts.names.extend(registry::hosts().map(|(_, name)| name.to_ascii_lowercase()));
        let started = REGISTRY.iter().map(|provider| (provider.start)(&self.settings));
        let (providers, services) =
            started.map(|started| (started.provider, started.service)).unzip();
        let handler = Arc::new(RequestHandler {
            providers,
            clock: self.settings.clock,
            seed,
            log: Mutex::new(Log::new(self.log_capacity)),
            faults: Mutex::new(Faults::new(seed, operations())),
            wait: self.wait,
            read_timeout: self.read_timeout,
            hosts: self.hosts,
            data_plane,
            data_plane_lock: tokio::sync::Mutex::default(),
            failure: watch::Sender::new(None),
        });
        let mut datagrams = Vec::new();
        let mut sockets = JoinSet::new();
        for provider in handler.providers.iter().filter(|provider| provider.has_datagrams()) {
            let socket = datagram::bind(address, self.listen.port() == 0).await.map_err(failed)?;
            datagrams.push((provider.name(), socket.local_addr().map_err(failed)?));
            sockets.spawn(datagram::serve(socket, Arc::clone(provider), Arc::clone(&handler)));
        }
        if let Some((plane, _)) = &handler.data_plane
            && let Some((_, datagrams)) = datagrams.first()
        {
            let failed = |source| StartError::DataPlane { source };
            let own = Addresses { http: address, tls: tls_address, datagrams: *datagrams };
            let inner = plane.listen(&own).map_err(failed)?;
            let http = tcp_listener(inner.http).map_err(failed)?;
            let tls = hosts.also(tcp_listener(inner.tls).map_err(failed)?);
            inner.datagrams.set_nonblocking(true).map_err(failed)?;
            let socket = UdpSocket::from_std(inner.datagrams).map_err(failed)?;
            let most = self.max_connections;
            let serving = || Arc::clone(&handler);
            sockets.spawn(server::run(http, serving(), most));
            sockets.spawn(tls.run(serving()));
            let provider = handler.providers.iter().find(|provider| provider.has_datagrams());
            if let Some(provider) = provider {
                sockets.spawn(datagram::serve(socket, Arc::clone(provider), serving()));
            }
            handler.update_data_plane().await;
        }
        let (running, stopped) = watch::channel(());
        let (serving, keeping) = (Arc::clone(&handler), Arc::clone(&handler));
        let server = tokio::spawn(async move {
            // The sockets are closed when this task ends.
            let _sockets = sockets;
            let hosts = hosts.run(Arc::clone(&serving));
            tokio::select! {
                () = server::run(listener, serving, self.max_connections) => {}
                () = hosts => {}
                () = keeping.keep_data_plane(), if keeping.data_plane.is_some() => {}
            }
            drop(running);
        });
        let server = server.abort_handle();
        Ok(Sandbox { address, handler, services, datagrams, server, stopped })
    }
}

/// Converts a listener of the data plane for the runtime.
fn tcp_listener(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
