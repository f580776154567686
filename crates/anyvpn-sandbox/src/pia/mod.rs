//! Private Internet Access: the central servers at the sandbox's address, and the VPN servers as
//! separate hosts, with TLS and the sandbox's own certificate authority.
//!
//! All routes are also at the sandbox's address, so that a client can be tested without TLS. The hosts
//! of the server list share one other port, which the list names; they are told apart by name only.
//! Behaviour that the vendor's sources leave open is a choice in [`Quirks`]. The rest is fixed and is
//! listed here:
//!
//! - A token is 64 characters long, and is valid until it is ended explicitly.
//! - All versions of the list are the same, signed with the sandbox's key.
//! - A server stores one key per account, and never forgets it.
//! - Only the server of the tunnel forwards ports; the tunnel is connected unless
//!   [`Service::set_connected`] says otherwise. A port stays open for 20 minutes.
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/pia/add-account` | `{"username": "p0000000", "password": "secret"}` | [`Service::add_account`]; tells what a client has to trust, too |
//! | `POST /_sandbox/pia/expire` | `{"username": "p0000000"}` | [`Service::expire`] |
//! | `POST /_sandbox/pia/set-connected` | `{"connected": false}` | [`Service::set_connected`] |
//! | `POST /_sandbox/pia/take-next-port` | `{}` | [`Service::take_next_port`] |

mod answer;
mod quirks;
mod routes;
mod servers;
mod service;
mod state;

pub use quirks::Quirks;
pub use service::{Account, Service};
pub(crate) use state::State;
