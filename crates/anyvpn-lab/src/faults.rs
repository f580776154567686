//! Connections, certificates and names that fail on purpose.
//!
//! Faults *in a reply* are the sandbox's ([`WireFault`](anyvpn_sandbox::WireFault)). Faults *before* one
//! are those of [`LabFault::all`]: on connections, in TLS and with names, in front of any server.

mod fault;
mod proxy;
mod resolver;
mod tls;

pub(crate) use fault::{Address, Kind, Name};
pub use fault::{LabFault, LabLevel};
pub(crate) use proxy::{BlackHole, ConnectionFault, FaultProxy, Tls, lead_through};
pub(crate) use resolver::{Lookup, StubResolver};
pub(crate) use tls::{Authority, Certificate, NAME};
