//! The fault laboratory: connections, certificates and names that fail on purpose, and a clock by
//! which all sides wait.
//!
//! What goes wrong *in a reply* is the sandbox's ([`WireFault`](anyvpn_sandbox::WireFault)). What
//! goes wrong *before* one, this module plays in front of any server: the faults of [`LabFault::all`]
//! on connections, in TLS and with names. [`Clock`] lets a client time out without waiting.

mod clock;
mod fault;
mod front;
mod link;
mod names;
mod tls;

pub use clock::Clock;
pub(crate) use fault::{Address, Kind, Name};
pub use fault::{LabFault, LabLevel};
pub(crate) use front::{BlackHole, Front, Tls, Way, lead_through};
pub use link::Link;
pub(crate) use names::{Book, Lookup};
pub(crate) use tls::{Authority, Certificate, NAME};
