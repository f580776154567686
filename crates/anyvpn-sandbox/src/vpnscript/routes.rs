//! VPN Script's calls, as one table.

use http::Method;

use super::answer::Answer;
use super::state::State;
use super::{account, openvpn, servers, wireguard};
use crate::provider::{Call, Route, route};

/// The effect of a call.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Needs no token.
    Open(fn(&mut State, &Call) -> Answer),
    /// Needs a known token; the function gets the index of its account.
    SignedIn(fn(&mut State, usize, &Call) -> Answer),
    /// As above, but suspended users are refused.
    Unsuspended(fn(&mut State, usize, &Call) -> Answer),
    /// The login page for browsers, which is not an operation of the API.
    Page,
}

use Work::{Open, Page, SignedIn, Unsuspended};

/// Each row: method, path, operation, the fields that may be logged, and the effect.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route<Work>] = &[
    route(Method::POST, "/api/auth/token", "vpnscript.create-token", &["username", "device_name"], Open(account::create_token)),
    route(Method::GET, "/api/account", "vpnscript.get-account", &[], SignedIn(account::get)),
    route(Method::GET, "/api/servers", "vpnscript.list-servers", &["paginate", "page"], Unsuspended(servers::list)),
    route(Method::GET, "/api/openvpn/profile", "vpnscript.get-openvpn-profile", &["server_id", "cert_only"], Unsuspended(openvpn::profile)),
    route(Method::GET, "/api/openvpn/auth", "vpnscript.get-openvpn-auth", &["server_id"], Unsuspended(openvpn::auth)),
    route(Method::GET, "/api/wireguard/configs", "vpnscript.list-wireguard-configs", &["server_id"], Unsuspended(wireguard::list)),
    route(Method::POST, "/api/wireguard/create", "vpnscript.create-wireguard-config", &["server_id"], Unsuspended(wireguard::create)),
    route(Method::DELETE, "/api/wireguard/delete", "vpnscript.delete-wireguard-config", &["config_id"], Unsuspended(wireguard::delete)),
    route(Method::GET, "/login", "vpnscript.login-page", &[], Page),
];
