//! AzireVPN, version 3 of its API.
//!
//! Where the vendor's documents are silent, the sandbox decides, in one of two ways. Behaviour that a
//! client could come to rely on is a choice that other seeds and [variations](crate::Variation) make
//! differently: [`Quirks`]. The rest is fixed and is listed here:
//!
//! - A new user is active for a trial of 30 days. The documents' sample shows a user that is not
//!   active, and no call that pays. Without a trial, no demonstration would get past the sign-in.
//! - An account that was created with an e-mail address is not active, and nobody can sign in to it
//!   (403), before [`Service::verify_email`]. An address that is set later locks nobody out.
//! - An account that is not active creates no devices and no ports (403), and keeps what it has.
//! - A device has at most five ports, hidden ones included. A port ends when it expires or when its
//!   device is deleted. `expires_in` is from 1 to 365 days.
//! - The daily cap counts creations; a deletion does not reduce the count. Days are UTC days.
//! - Every device counts as connected, wherever the call comes from. Only the check of a port
//!   recognizes calls through a tunnel, and only with a [data plane](crate::data_plane).
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/azire/verify-email` | `{"username": "david"}` | [`Service::verify_email`] |

mod answer;
mod check;
mod ips;
mod limit;
mod locations;
mod ports;
mod quirks;
mod routes;
mod service;
mod state;
mod tokens;
mod users;

pub use quirks::{DeleteReply, EmptyList, Quirks, UserIps};
pub use service::{Account, Device, Port, Service};
pub(crate) use state::State;
