//! A gateway that speaks NAT-PMP (RFC 6886), as Proton VPN's do.
//!
//! Clients ask it by UDP. Where Proton's behaviour is not known, or was seen to change, the sandbox
//! has [variations](crate::Variation) for it: [`Quirks`]. The rest is fixed:
//!
//! - The client's address is all that tells clients apart.
//! - A number is granted from 32768 on.
//! - TCP and UDP of one client get the same number, unless
//!   [`Service::separate_protocols`] says otherwise.
//! - Five mappings a client and protocol.
//!
//! # Actions
//!
//! | request | body | does |
//! |---|---|---|
//! | `POST /_sandbox/natpmp/restart` | `{}` | [`Service::restart`] |
//! | `POST /_sandbox/natpmp/forget` | `{}` | [`Service::forget`] |
//! | `POST /_sandbox/natpmp/set-plain` | `{"plain": true}` | [`Service::set_plain`] |
//! | `POST /_sandbox/natpmp/separate-protocols` | `{"separate": true}` | [`Service::separate_protocols`] |
//! | `POST /_sandbox/natpmp/speak-pcp` | `{"only_pcp": true}` | [`Service::speak_pcp`] |
//! | `POST /_sandbox/natpmp/set-longest-lifetime` | `{"seconds": 7200}` | [`Service::set_longest_lifetime`] |

mod quirks;
mod service;
mod state;

pub use quirks::{FirstForm, LateRenewal, Quirks};
pub use service::{Mapping, Service};
pub(crate) use state::State;
