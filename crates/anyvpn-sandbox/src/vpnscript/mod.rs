//! VPN Script, as one installation of it.
//!
//! Where the document is silent the sandbox decides, in one of two ways. What a client could come
//! to rely on is a choice that other seeds and [variations](crate::Variation) make differently:
//! [`Quirks`]. The rest is fixed, and all of it stands here:
//!
//! - Parameters are taken from the query, from a form and from JSON; the body counts more. Booleans
//!   are `1` and `0` there, as Laravel's rule has it, and JSON's own in JSON.
//! - Who does not sign in and does not ask for JSON is sent to `/login`, a page of HTML.
//! - A user's `status` is 2, as the sample shows it, and 0 while suspended. A service's `status` is
//!   1 when active, 0 when inactive, 2 when expired. A suspended user is refused everything but, by
//!   the seed, the account's details.
//! - `wg_slots` counts the slots that are taken, `wg_available_slots` those that are free.
//! - The URLs in a page of servers have another host than the caller used, as an installation with
//!   a wrong `APP_URL` gives them, and lack `paginate`, as the sample shows: who follows them
//!   fails.
//! - `GET /api/wireguard/configs` and `GET /api/openvpn/auth` list refusals about a server and no
//!   parameter: they take an optional `server_id`.
//! - A job is done when its time has passed by the sandbox's clock, whatever stands before it in
//!   the queue. A configuration counts towards slots and devices from the request for it until it
//!   is gone, unless its creation failed.
//! - Each OpenVPN server has a certificate authority of its own, valid for ten years.
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
