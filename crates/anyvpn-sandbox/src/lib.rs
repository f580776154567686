//! A local server that imitates the VPN providers' APIs, with state, a clock and faults.
//!
//! A program that speaks to a provider is tested against the sandbox without an account and without
//! harm: it creates users, ports and devices that exist in memory only, and finds them again.
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
//! // The program under test gets the address and the token …
//! let (_url, _token) = (sandbox.azire_url(), account.token);
//! // … and a connection that breaks after the work was done, once.
//! sandbox.inject(FaultRule::once("azire.create-port-forward", Fault::Wire("reset-after")))?;
//!
//! // Afterwards: what came in, and what is there now.
//! assert!(sandbox.received().is_empty());
//! assert_eq!(sandbox.azire().ports("david").len(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Three means of control
//!
//! - **The clock** ([`Clock`]) stands still or moves on when told: ports and accounts expire by it,
//!   and daily limits begin anew.
//! - **The seed** decides every number, name and key, and every choice that a provider's documents
//!   leave open. Seed 0 answers as the live services were seen to, each choice with its source in
//!   `docs/decisions/sandbox.md`. Other seeds draw from the [variations](Variation::all), and
//!   [`SandboxBuilder::variation`] switches one on by its name. Two runs with one seed, one clock and
//!   the same requests give the same answers.
//! - **Faults** ([`Fault`]) break what is asked for: slow, refused, or in one of some 160 ways on the
//!   wire that have a name ([`WireFault`]).
//!
//! # Over HTTP
//!
//! The providers stand at `/azire`, `/vpngn` and `/vpnscript`. Programs without Rust reach the
//! controls at `/_sandbox`, with a header that web pages cannot send:
//!
//! ```sh
//! curl --header 'X-Anyvpn-Sandbox: control' --json '{"advance_seconds": 86400}' \
//!     http://127.0.0.1:8642/_sandbox/clock
//! ```
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_sandbox/` | | operations, seed, time |
//! | `GET`, `DELETE /_sandbox/log` | | tells or forgets what was received |
//! | `GET /_sandbox/faults` | | [`WireFault::all`] |
//! | `POST /_sandbox/faults` | `{"fault": "reset-after", "operation": "azire.create-port-forward", "times": 1, "skip": 0, "percent": 100}` | [`Sandbox::inject`] |
//! | `DELETE /_sandbox/faults` | | [`Sandbox::clear_faults`] |
//! | `POST /_sandbox/clock` | `{"advance_seconds": 86400}` | [`Clock::advance`] |
//! | `POST /_sandbox/azire/verify-email` | `{"username": "david"}` | [`azire::Service::verify_email`] |
//! | `POST /_sandbox/vpngn/keys` | `{}`, or with a `brand` as all of VPNGN's | [`vpngn::Service::api_key`], [`secret_key`](vpngn::Service::secret_key) |
//! | `POST /_sandbox/vpngn/whitelist` | `{"whitelisted": true}` | [`vpngn::Service::whitelist`] |
//! | `POST /_sandbox/vpngn/outbox` | `{}` | [`vpngn::Service::outbox`] |
//! | `POST /_sandbox/vpnscript/add-account` | `{"username": "liam", "password": "secret"}` | [`vpnscript::Service::add_account`] |
//! | `POST /_sandbox/vpnscript/set-service` | `{"username": "liam", "state": "expired"}`, or `none`, `inactive`, `active` | [`vpnscript::Service::set_service`] |
//! | `POST /_sandbox/vpnscript/suspend` | `{"username": "liam", "reason": null}` | [`vpnscript::Service::suspend`] |
//! | `POST /_sandbox/vpnscript/set-job-duration` | `{"seconds": 60}` | [`vpnscript::Service::set_job_duration`] |
//! | `POST /_sandbox/vpnscript/fail-next-job` | `{"reason": "No route to host"}` | [`vpnscript::Service::fail_next_job`] |
//! | `POST /_sandbox/vpnscript/add-hostile-servers` | `{}` | [`vpnscript::Service::add_hostile_servers`] |
//!
//! Faults by name: `delay` (with `delay_ms`), `too-many-requests` (with `retry_after_seconds`),
//! `status` and `html` (with `status`), `any`, and all that go wrong on the wire, such as
//! `reset-after`, `cut-body` or `gzip-bomb`: `GET /_sandbox/faults` lists them with what happens, as
//! [`WireFault::all`] does.
//!
//! # Guarantees
//!
//! - It shares no wire type with the clients of anyvpn: a wrong name in one cannot agree with itself.
//! - Two runs with one seed, one clock and the same requests give the same answers.
//! - It listens on loopback only, unless told otherwise.
//! - No web page controls it or reads from it: every request needs a `Host` of this machine, and
//!   control requests need the header `X-Anyvpn-Sandbox: control` and no `Origin`. Others get 403
//!   with the reason.
//! - Requests that never end do not block it: see [`SandboxBuilder::read_timeout`] and
//!   [`SandboxBuilder::max_connections`].
//!
//! There are no features to choose.
//!
//! # What it is not
//!
//! Not for real secrets: passwords lie in memory as they came, keys follow from the seed, and
//! nothing is encrypted. It therefore listens on loopback only, unless told otherwise.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

mod access;
pub mod azire;
mod builder;
mod clock;
mod control;
mod fault;
mod fields;
mod handler;
mod log;
mod provider;
mod random;
mod registry;
mod reply;
mod server;
mod variation;
pub mod vpngn;
pub mod vpnscript;
mod wire;

pub use builder::{SandboxBuilder, StartError};
pub use clock::Clock;
pub use fault::{Fault, FaultRule, RuleError};
pub use log::Received;
pub use provider::Login;
pub use registry::{demo, operations};
pub use variation::Variation;
pub use wire::{Level, Wanted, WireFault};

/// A running server. It stops, and breaks off its connections, when dropped.
pub struct Sandbox {
    address: SocketAddr,
    handler: Arc<handler::RequestHandler>,
    services: Vec<Box<dyn Any + Send + Sync>>,
    server: AbortHandle,
    stopped: watch::Receiver<()>,
}

impl Sandbox {
    /// Starts on a free port of `127.0.0.1` with seed 0 and a clock that moves with real time.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn start() -> Result<Sandbox, StartError> {
        Sandbox::builder().start().await
    }

    /// Settings for a sandbox that is not the usual one.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a provider is: `http://127.0.0.1:PORT/azire`, to which clients add its own paths.
    #[must_use]
    pub fn provider_url(&self, provider: &str) -> String {
        format!("http://{}/{provider}", self.address)
    }

    /// Adds an account to try a provider with; its address is `NAME@mail.example` where customers
    /// sign in with one. `None` when there is no such provider.
    ///
    /// # Panics
    ///
    /// When the sandbox holds as many accounts as it may.
    pub fn add_login(&self, provider: &str, name: &str, password: &str) -> Option<Login> {
        self.handler.provider(provider).map(|provider| provider.add_login(name, password))
    }

    /// Does a control action of a provider, as `POST /_sandbox/PROVIDER/ACTION` does.
    ///
    /// # Errors
    ///
    /// When there is no such provider or action, or the input will not do: the reason.
    pub fn act(&self, provider: &str, action: &str, input: &Value) -> Result<Value, String> {
        self.handler.act(provider, action, input)
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.handler.clock
    }

    /// What the providers' addresses received, oldest first. Bounded: see
    /// [`SandboxBuilder::log_capacity`] and [`Sandbox::dropped`].
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.handler.log).entries()
    }

    /// How many requests the log has no place for any more.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        locked(&self.handler.log).dropped()
    }

    /// Forgets what was received.
    pub fn clear_received(&self) {
        locked(&self.handler.log).clear();
    }

    /// Adds a fault. It stays until it has happened as often as it says.
    ///
    /// # Errors
    ///
    /// When no operation, or no fault on the wire, has the name that the rule gives.
    pub fn inject(&self, rule: FaultRule) -> Result<(), RuleError> {
        locked(&self.handler.faults).add(rule)
    }

    /// How many requests have met a fault.
    #[must_use]
    pub fn faulted(&self) -> u64 {
        locked(&self.handler.faults).met
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        locked(&self.handler.faults).rules.clear();
    }

    /// The handle of a provider that is registered.
    fn service<T: 'static>(&self) -> &T {
        let service = self.services.iter().find_map(|service| service.downcast_ref());
        service.expect("the provider is registered")
    }

    /// Waits until the server stops, which it does not do by itself.
    pub async fn wait(&self) {
        // Nothing is ever sent: the only change is the end.
        let _ = self.stopped.clone().changed().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Puts an item at the end, and gives it.
fn push<T>(list: &mut Vec<T>, item: T) -> &mut T {
    let at = list.len();
    list.push(item);
    &mut list[at]
}

/// The lock, even when a thread died while it held it: the state behind it is only test data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
