//! Private Internet Access: the central servers at the sandbox's address, and the VPN servers as hosts of
//! their own, with TLS and an authority of the sandbox's.
//!
//! All routes stand at the sandbox's address, so that a client can be tested without TLS. The hosts of
//! the list answer at one further port, which the list names, by their names alone. What the vendor's
//! sources leave open is a choice of [`Quirks`]; the rest is fixed, and stands here:
//!
//! - A token is 64 characters long, and ends when it is told to.
//! - Any version of the list is the same list, signed by a key of the sandbox's.
//! - A server knows one key of an account. It forgets none.
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
