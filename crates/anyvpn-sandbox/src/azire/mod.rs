//! AzireVPN, version 3 of its API.
//!
//! Where the documents are silent the sandbox decides, in one of two ways. What a client could come
//! to rely on is a choice that other seeds and [variations](crate::Variation) make differently:
//! [`Quirks`]. The rest is fixed, and all of it stands here:
//!
//! - A new user is active, for a trial of 30 days. The documents' sample shows one that is not, and
//!   no call that pays; without a trial no demonstration would come further than the sign-in.
//! - An account that was created with an e-mail address is neither active nor signed in to (403)
//!   before [`Service::verify_email`]. An address that is set later locks nobody out.
//! - An account that is not active creates no devices and no ports (403), and keeps what it has.
//! - Five ports a device, hidden ones included; a port outlives nothing but its own time and its
//!   device. `expires_in` is from 1 to 365 days.
//! - What counts towards the daily cap is creation, and a deletion gives nothing back. Days are
//!   days of UTC.
//! - Every device counts as connected, from wherever the call comes. Only the check of a port tells
//!   apart, with a [data plane](crate::data_plane), who calls through a tunnel.
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
