//! How a sandbox is started.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::fault::Faults;
use crate::gate::{Gate, router};
use crate::log::Log;
use crate::provider::Provider;
use crate::wire::Wait;
use crate::variation::choose;
use crate::{Clock, Sandbox, Variation, azire, server, vpngn, vpnscript};

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can be reached from other machines, and the builder was not told that they may.
    #[error(
        "{0} is not a loopback address: other machines could reach the sandbox, \
         which must be allowed expressly"
    )]
    NotLoopback(SocketAddr),
    /// No variation has this name.
    #[error("no variation is named {0:?}; there are {names}", names = variation_names())]
    UnknownVariation(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

fn variation_names() -> String {
    Variation::all().map(|variation| variation.name).collect::<Vec<_>>().join(", ")
}

/// Settings of a [`Sandbox`].
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    listen: SocketAddr,
    other_machines: bool,
    seed: u64,
    variations: Vec<String>,
    clock: Clock,
    log_capacity: usize,
    azire_rate_limit: Option<u32>,
    wait: Wait,
}

impl SandboxBuilder {
    pub(crate) fn new() -> SandboxBuilder {
        SandboxBuilder {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            other_machines: false,
            seed: 0,
            variations: Vec::new(),
            clock: Clock::real(),
            log_capacity: 10_000,
            azire_rate_limit: None,
            wait: Wait::default(),
        }
    }

    /// The address to listen on; port 0 lets the system choose one. Default: `127.0.0.1:0`.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> SandboxBuilder {
        SandboxBuilder { listen: address, ..self }
    }

    /// Takes an address that other machines can reach. Nothing here is secured: whoever reaches
    /// the sandbox may do everything.
    #[must_use]
    pub fn allow_other_machines(self) -> SandboxBuilder {
        SandboxBuilder { other_machines: true, ..self }
    }

    /// What all choices, names and numbers follow from. Default: 0, which answers as the live
    /// services were seen to ([`sources`](crate::sources)).
    #[must_use]
    pub fn seed(self, seed: u64) -> SandboxBuilder {
        SandboxBuilder { seed, ..self }
    }

    /// Switches on one of [`Variation::all`] by its name, beside those that the seed draws. Of two
    /// that exclude each other the later one counts.
    #[must_use]
    pub fn variation(mut self, name: impl Into<String>) -> SandboxBuilder {
        self.variations.push(name.into());
        self
    }

    /// The clock to go by. Default: [`Clock::real`].
    #[must_use]
    pub fn clock(self, clock: Clock) -> SandboxBuilder {
        SandboxBuilder { clock, ..self }
    }

    /// How many requests the log keeps. Default: 10 000.
    #[must_use]
    pub fn log_capacity(self, entries: usize) -> SandboxBuilder {
        SandboxBuilder { log_capacity: entries, ..self }
    }

    /// How many requests a minute, by the sandbox's clock, a token of AzireVPN may make. Default:
    /// `None`, which never refuses and announces 60 with 58 left, as the service was seen to.
    #[must_use]
    pub fn azire_rate_limit(self, per_minute: Option<u32>) -> SandboxBuilder {
        SandboxBuilder { azire_rate_limit: per_minute, ..self }
    }

    /// How faults wait, such as [`Fault::Delay`](crate::Fault::Delay); one that never goes on waits
    /// for [`Duration::MAX`]. Default: in real time. A test whose client has a clock of its own lets
    /// both go by that.
    #[must_use]
    pub fn wait_with(
        self,
        wait: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> SandboxBuilder {
        SandboxBuilder { wait: Wait(Arc::new(wait)), ..self }
    }

    /// Listens and serves.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback address and [`allow_other_machines`] was not called, when
    /// it cannot be listened on, and when no variation has one of the names.
    ///
    /// [`allow_other_machines`]: SandboxBuilder::allow_other_machines
    pub async fn start(self) -> Result<Sandbox, StartError> {
        if !self.listen.ip().is_loopback() && !self.other_machines {
            return Err(StartError::NotLoopback(self.listen));
        }
        let known = |name: &String| Variation::all().any(|variation| variation.name == name);
        if let Some(unknown) = self.variations.iter().find(|name| !known(name)) {
            return Err(StartError::UnknownVariation(unknown.clone()));
        }
        let failed = |source| StartError::Listen { address: self.listen, source };
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        // A provider is one line here and one field of the sandbox.
        let (seed, names) = (self.seed, &self.variations);
        let quirks = choose(azire::quirks::VARIATIONS, azire::Quirks::from_seed(seed), names);
        let azire = azire::Service::new(seed, quirks, self.clock.clone(), self.azire_rate_limit);
        let quirks = choose(vpngn::quirks::VARIATIONS, vpngn::Quirks::from_seed(seed), names);
        let vpngn = vpngn::Service::new(seed, quirks, self.clock.clone());
        let quirks =
            choose(vpnscript::quirks::VARIATIONS, vpnscript::Quirks::from_seed(seed), names);
        let vpnscript = vpnscript::Service::new(seed, quirks, self.clock.clone());
        let providers: Vec<Arc<dyn Provider>> =
            vec![Arc::new(azire.clone()), Arc::new(vpngn.clone()), Arc::new(vpnscript.clone())];

        let gate = Arc::new(Gate {
            providers,
            clock: self.clock,
            seed: self.seed,
            log: Mutex::new(Log::new(self.log_capacity)),
            faults: Mutex::new(Faults::new(self.seed)),
            wait: self.wait.clone(),
        });
        let router = router(&gate);
        let (running, stopped) = watch::channel(());
        let server = tokio::spawn(async move {
            server::run(listener, router, self.wait).await;
            drop(running);
        });
        let server = server.abort_handle();
        Ok(Sandbox { address, gate, azire, vpngn, vpnscript, server, stopped })
    }
}
