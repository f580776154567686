//! VPNresellers, version 4.1 of its API.
//!
//! Where the vendor's documents are silent, the sandbox decides, in one of two ways. Behaviour that a
//! client could come to rely on is a choice that other seeds and [variations](crate::Variation) make
//! differently: [`Quirks`]. The rest is fixed and is listed here:
//!
//! - A user name is unique among all resellers while an account has it, and is case-sensitive.
//! - An active account costs 0.07 a day: when it is created or enabled, and at each midnight of UTC.
//!   The balance never falls below 0. Creating and enabling an account are refused if the balance does
//!   not cover one day.
//! - An account ends at the beginning of the day that was set. It can be enabled again, and then has no
//!   end. A day that has passed is refused.
//! - The vendor's own customers and projects are not imitated: the field `customer` of a creation is
//!   ignored.
//! - Every server supports OpenVPN and WireGuard; three support VLESS.
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
