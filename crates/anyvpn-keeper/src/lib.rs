//! Keeps a forwarded port open, and reports its number to every program that needs it.
//!
//! - [`Snapshot`] is what the keeper knows at one moment. Everything that it publishes comes from a
//!   snapshot.
//! - [`Keeper`] keeps the port.
//! - [`machine`] decides what to do next. It does no I/O.
//! - [`TorrentClient`] is a program that listens on the port.
//! - [`hooks`] runs the user's own commands when the port changes.
//! - [`publish`] shows a snapshot to other programs.

mod client;
mod clients;
pub mod hooks;
mod interfaces;
pub mod journal;
mod journal_file;
mod keeper;
pub mod machine;
pub mod publish;
mod snapshot;
mod sockets;

pub use client::{ClientError, ClientState, Listen, TorrentClient};
pub use clients::{CLIENT_KINDS, ClientKind, ClientSettings, open_client};
pub use interfaces::{find_tunnel, tunnel_names};
pub use journal::Journal;
pub use journal_file::{JournalError, JournalFile};
pub use keeper::{FindTunnel, Keeper, KeeperObserver};
pub use snapshot::{ClientStatus, Counters, OpenPort, Phase, Snapshot, Tunnel};
pub use sockets::{Socket, SocketProtocol, sockets};
