//! Keeps a forwarded port open, and tells everybody who needs to know its number.
//!
//! - [`Snapshot`] is what the keeper knows at one moment. Everything that it publishes is made from one.
//! - [`TorrentClient`] is a program that listens on the port.
//! - [`hooks`] runs the user's own commands when the port changes.
//! - [`publish`] shows a snapshot to other programs.

mod client;
pub mod hooks;
pub mod publish;
mod snapshot;

pub use client::{ClientError, ClientState, Listen, TorrentClient};
pub use snapshot::{ClientStatus, Counters, OpenPort, Phase, Snapshot, Tunnel};
