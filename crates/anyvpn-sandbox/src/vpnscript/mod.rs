//! One installation of VPN Script.
//!
//! Where the vendor's document is silent, the sandbox decides, in one of two ways. Behaviour that a
//! client could come to rely on is a choice that other seeds and [variations](crate::Variation) make
//! differently: [`Quirks`]. The rest is fixed and is listed here:
//!
//! - Parameters are taken from the query, a form or JSON; the body takes precedence. Booleans are `1`
//!   and `0`, by Laravel's rule, and in JSON also `true` and `false`.
//! - A caller that is not signed in and does not ask for JSON is redirected to `/login`, an HTML page.
//! - A user's `status` is 2, as the sample shows it, and 0 while suspended. A service's `status` is 1
//!   when active, 0 when inactive, 2 when expired. All calls of a suspended user are refused, except
//!   the one for the account's details, which depends on the seed.
//! - `wg_slots` counts the taken slots, and `wg_available_slots` the free ones.
//! - The URLs in a page of servers have another host than the caller used, as with a wrong `APP_URL`,
//!   and lack `paginate`, as in the sample. A client that follows them fails.
//! - The document lists refusals about a server for `GET /api/wireguard/configs` and `GET
//!   /api/openvpn/auth`, but no parameter. They accept an optional `server_id`.
//! - A job is done when its time has passed by the sandbox's clock, whatever is before it in the queue.
//!   A configuration counts towards slots and devices from its request until it is removed, unless its
//!   creation failed.
//! - Each OpenVPN server has its own certificate authority, valid for ten years.
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/vpnscript/add-account` | `{"username": "liam", "password": "secret"}` | [`Service::add_account`] |
//! | `POST /_sandbox/vpnscript/set-service` | `{"username": "liam", "state": "expired"}`, or `none`, `inactive`, `active` | [`Service::set_service`] |
//! | `POST /_sandbox/vpnscript/suspend` | `{"username": "liam", "reason": null}` | [`Service::suspend`] |
//! | `POST /_sandbox/vpnscript/set-job-duration` | `{"seconds": 60}` | [`Service::set_job_duration`] |
//! | `POST /_sandbox/vpnscript/fail-next-job` | `{"reason": "No route to host"}` | [`Service::fail_next_job`] |
//! | `POST /_sandbox/vpnscript/add-hostile-servers` | `{}` | [`Service::add_hostile_servers`] |

mod account;
mod actions;
mod answer;
mod jobs;
mod openvpn;
mod page;
mod profile;
mod quirks;
mod routes;
mod servers;
mod service;
mod state;
mod wireguard;

pub use quirks::{Flag, MessageKey, Quirks};
pub use servers::{Place, Profile, Server};
pub use service::{Account, Config, Service};
pub(crate) use state::State;
pub use state::{ConfigState, ServiceState};
