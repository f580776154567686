//! A NAT-PMP gateway (RFC 6886), like those of Proton VPN.
//!
//! Clients send requests over UDP. For behaviour of Proton's gateways that is not known, or was seen to
//! change, the sandbox has [variations](crate::Variation): [`Quirks`]. The rest is fixed:
//!
//! - Clients are identified only by their address.
//! - Granted numbers are from 32768 to 65535.
//! - TCP and UDP of one client get the same number, unless
//!   [`Service::separate_protocols`] says otherwise.
//! - A client has at most five mappings per protocol.
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
