//! VPNresellers, version 4.1 of its API.
//!
//! Where the documents are silent the sandbox decides, in one of two ways. What a client could come
//! to rely on is a choice that other seeds and [variations](crate::Variation) make differently:
//! [`Quirks`]. The rest is fixed, and all of it stands here:
//!
//! - A user name is taken for all resellers, as long as an account has it, and is compared exactly.
//! - An active account costs 0.07 a day: when it is created or enabled, and at each midnight of UTC. The
//!   balance never falls below 0. Creating and enabling are refused when it does not cover one day.
//! - An account ends at the beginning of the day that was set, and can be enabled again, without an end
//!   then. A day that has passed is refused.
//! - Customers and projects of the vendor's own are not imitated: `customer` of a creation is ignored.
//! - Every server speaks OpenVPN and WireGuard; three speak VLESS.
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/vpnresellers/token` | `{"reseller": "acme"}` | [`Service::add_reseller`] |
//! | `POST /_sandbox/vpnresellers/set-balance` | `{"reseller": "acme", "cents": 25}` | [`Service::set_balance`] |

mod accounts;
mod answer;
mod configurations;
mod quirks;
mod routes;
mod servers;
mod service;
mod state;

pub use quirks::{ConfigForm, DoneReply, InvalidForm, ListOrder, Quirks};
pub use service::{Account, Reseller, Service};
pub(crate) use state::State;
pub use state::Status;
