//! A local server that imitates VPN providers' APIs, with state, a clock and faults.
//!
//! Use it to test a program that uses a provider, without an account and without risk. The program can
//! create users, ports and devices, which exist only in the sandbox's memory.
//!
//! ```
//! use anyvpn_sandbox::{Clock, Fault, FaultRule, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Clock::fixed("2026-01-01T00:00:00Z".parse()?);
//! let sandbox = Sandbox::builder().seed(7).clock(clock).start().await?;
//!
//! // An account to work with, and a device of it.
//! let account = sandbox.azire().add_account("david", "correct horse");
//! let device = sandbox.azire().add_device("david");
//! assert!(device.is_some());
//!
//! // Give the address and the token to the program under test …
//! let (_url, _token) = (sandbox.azire_url(), account.token);
//! // … and break the connection once, after the request took effect.
//! sandbox.inject(FaultRule::once("azire.create-port-forward", Fault::Wire("reset-after")))?;
//!
//! // Afterwards, check which requests arrived and what exists now.
//! assert!(sandbox.received().is_empty());
//! assert_eq!(sandbox.azire().ports("david").len(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Controls
//!
//! - **The clock** ([`Clock`]) can stand still and be advanced. Ports and accounts expire by it, and
//!   daily limits start over.
//! - **The seed** determines every number, name and key, and every choice that a provider's
//!   documentation leaves open. Seed 0 answers as the live services were seen to; the source of each
//!   choice is in `docs/decisions/sandbox.md`. Other seeds select some of the
//!   [variations](Variation::all), and [`SandboxBuilder::variation`] switches one on by its name. Two
//!   runs with the same seed, clock and requests give the same answers.
//! - **Faults** ([`Fault`]) make a reply slow, make it a refusal, or break it on the wire in one of many
//!   ways that have a name ([`WireFault`]).
//! - **A data plane** ([`SandboxBuilder::data_plane`], Linux only) lets WireGuard configurations connect,
//!   and forwarded ports lead to their devices, in network namespaces.
//!
//! # Over HTTP
//!
//! Each provider is served at its name, such as `/azire`. Programs in other languages use the controls
//! at `/_sandbox`, with a header that web pages cannot send:
//!
//! ```sh
//! curl --header 'X-Anyvpn-Sandbox: control' --json '{"advance_seconds": 86400}' \
//!     http://127.0.0.1:8642/_sandbox/clock
//! ```
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_sandbox/` | | operations, seed, time |
//! | `GET`, `DELETE /_sandbox/log` | | returns or clears the received requests |
//! | `GET /_sandbox/faults` | | [`WireFault::all`] |
//! | `POST /_sandbox/faults` | `{"fault": "reset-after", "operation": "azire.create-port-forward", "times": 1, "skip": 0, "percent": 100}` | [`Sandbox::inject`] |
//! | `DELETE /_sandbox/faults` | | [`Sandbox::clear_faults`] |
//! | `POST /_sandbox/clock` | `{"advance_seconds": 86400}` | [`Clock::advance`] |
//! | `POST /_sandbox/PROVIDER/ACTION` | | an action of the provider, which its module describes |
//!
//! The names of faults are `delay` (with `delay_ms`), `too-many-requests` (with `retry_after_seconds`),
//! `status` and `html` (with `status`), `any`, and those on the wire, such as `reset-after`, `cut-body`
//! or `gzip-bomb`. `GET /_sandbox/faults` lists and describes the latter, as [`WireFault::all`] does.
//!
//! # Guarantees
//!
//! - It shares no types with the clients of anyvpn, so a wrong field name in a client is noticed.
//! - Two runs with the same seed, clock and requests give the same answers.
//! - It listens only on loopback, unless you allow other addresses.
//! - Web pages cannot control it or read from it: every request needs a `Host` of this machine, and
//!   control requests need the header `X-Anyvpn-Sandbox: control` and no `Origin`. Other requests get
//!   403 with the reason.
//! - Requests that never end do not block it: see [`SandboxBuilder::read_timeout`] and
//!   [`SandboxBuilder::max_connections`].
//!
//! # Not for real secrets
//!
//! Passwords are stored in memory in clear text, keys are determined by the seed, and nothing is
//! encrypted.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

mod access;
pub mod azire;
mod builder;
mod certificate;
mod clock;
mod control;
pub mod data_plane;
mod datagram;
mod fault;
mod fields;
mod handler;
mod log;
pub mod natpmp;
pub mod pia;
mod provider;
mod random;
mod registry;
mod reply;
mod server;
mod tls;
mod variation;
pub mod vpngn;
pub mod vpnresellers;
pub mod vpnscript;
mod wire;

pub use builder::{SandboxBuilder, StartError};
pub use clock::Clock;
pub use fault::{DatagramFault, Fault, FaultRule, RuleError};
pub use log::Received;
pub use provider::Login;
pub use registry::{demo, operations};
pub use variation::Variation;
pub use wire::{Level, Wanted, WireFault};

/// A running server. When dropped, it stops and closes its connections.
pub struct Sandbox {
    address: SocketAddr,
    handler: Arc<handler::RequestHandler>,
    services: Vec<Box<dyn Any + Send + Sync>>,
    /// The UDP sockets, by their providers' names.
    datagrams: Vec<(&'static str, SocketAddr)>,
    server: AbortHandle,
    stopped: watch::Receiver<()>,
}

impl Sandbox {
    /// Starts a sandbox on a free port of `127.0.0.1`, with seed 0 and a clock that follows real time.
    ///
    /// # Errors
    ///
    /// If listening fails.
    pub async fn start() -> Result<Sandbox, StartError> {
        Sandbox::builder().start().await
    }

    /// Returns a builder, to change the settings of the sandbox.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    /// Returns the address on which the sandbox listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the base URL of a provider, `http://127.0.0.1:PORT/NAME`, or `127.0.0.1:PORT` for a
    /// provider that is called over UDP.
    #[must_use]
    pub fn provider_url(&self, provider: &str) -> String {
        match self.datagrams.iter().find(|(name, _)| *name == provider) {
            Some((_, address)) => address.to_string(),
            None => format!("http://{}/{provider}", self.address),
        }
    }

    /// Adds an account for trying a provider. If users of the provider sign in with an email address,
    /// it is `NAME@mail.example`. Returns `None` if there is no such provider.
    ///
    /// # Panics
    ///
    /// If the sandbox already has the maximum number of accounts.
    pub fn add_login(&self, provider: &str, name: &str, password: &str) -> Option<Login> {
        self.handler.provider(provider).map(|provider| provider.add_login(name, password))
    }

    /// Runs a control action of a provider, as `POST /_sandbox/PROVIDER/ACTION` does.
    ///
    /// # Errors
    ///
    /// Returns the reason if there is no such provider or action, or if the input is wrong.
    pub fn act(&self, provider: &str, action: &str, input: &Value) -> Result<Value, String> {
        self.handler.act(provider, action, input)
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.handler.clock
    }

    /// Returns the requests that the providers received, oldest first. Their number is limited: see
    /// [`SandboxBuilder::log_capacity`] and [`Sandbox::dropped`].
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.handler.log).entries()
    }

    /// Returns how many requests were removed from the log because it was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        locked(&self.handler.log).dropped()
    }

    /// Clears the log of requests.
    pub fn clear_received(&self) {
        locked(&self.handler.log).clear();
    }

    /// Adds a fault. It remains until it has happened as often as the rule says.
    ///
    /// # Errors
    ///
    /// If the operation or the fault on the wire is unknown.
    pub fn inject(&self, rule: FaultRule) -> Result<(), RuleError> {
        locked(&self.handler.faults).add(rule)
    }

    /// Returns how many requests had a fault.
    #[must_use]
    pub fn faulted(&self) -> u64 {
        locked(&self.handler.faults).met
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        locked(&self.handler.faults).rules.clear();
    }

    /// Returns what all providers have granted now: who may connect to the VPN servers, and where the
    /// forwarded ports lead.
    #[must_use]
    pub fn network(&self) -> data_plane::Network {
        self.handler.network()
    }

    /// Returns why the data plane failed, which stops the sandbox; `None` if it did not.
    #[must_use]
    pub fn data_plane_failure(&self) -> Option<String> {
        self.handler.failure.borrow().clone()
    }

    /// Returns the handle of a registered provider.
    fn service<T: 'static>(&self) -> &T {
        let service = self.services.iter().find_map(|service| service.downcast_ref());
        service.expect("the provider is registered")
    }

    /// Waits until the server stops. It does not stop by itself.
    pub async fn wait(&self) {
        // Nothing is ever sent, so the only change is that the sender is dropped.
        let _ = self.stopped.clone().changed().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Adds an item at the end and returns it.
fn push<T>(list: &mut Vec<T>, item: T) -> &mut T {
    let at = list.len();
    list.push(item);
    &mut list[at]
}

/// Locks a value, ignoring poisoning: the state is only test data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
