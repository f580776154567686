//! VPNresellers' calls, as one table.

use http::Method;

use super::answer::Answer;
use super::state::State;
use super::{accounts, configurations, servers};
use crate::provider::{Call, Route, route};

/// The effect of a call, and who may make it.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Anybody may call.
    Open(fn(&mut State, &Call) -> Answer),
    /// A reseller may call, even if its balance is used up.
    SignedIn(fn(&mut State, usize, &Call) -> Answer),
    /// A reseller may call, unless its balance is used up and the sandbox's choices then refuse the
    /// call.
    Paid(fn(&mut State, usize, &Call) -> Answer),
}

use Work::{Open, Paid, SignedIn};

/// Each row: method, path, operation, the fields that may be logged, and the effect.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route<Work>] = &[
    route(Method::GET, "/v4_1/accounts/check_username", "vpnresellers.check-username", &["username"], Paid(accounts::check_username)),
    route(Method::GET, "/v4_1/accounts", "vpnresellers.list-accounts", &["page", "per_page"], Paid(accounts::list)),
    route(Method::POST, "/v4_1/accounts", "vpnresellers.create-account", &["username"], Paid(accounts::create)),
    route(Method::GET, "/v4_1/accounts/{id}", "vpnresellers.get-account", &[], Paid(accounts::get)),
    route(Method::DELETE, "/v4_1/accounts/{id}", "vpnresellers.delete-account", &[], Paid(accounts::delete)),
    route(Method::PUT, "/v4_1/accounts/{id}/enable", "vpnresellers.enable-account", &[], Paid(accounts::enable)),
    route(Method::PUT, "/v4_1/accounts/{id}/disable", "vpnresellers.disable-account", &[], Paid(accounts::disable)),
    route(Method::PUT, "/v4_1/accounts/{id}/change_password", "vpnresellers.change-password", &[], Paid(accounts::change_password)),
    route(Method::PUT, "/v4_1/accounts/{id}/expire", "vpnresellers.expire-account", &["expire_at"], Paid(accounts::expire)),
    route(Method::POST, "/v4_1/accounts/validate", "vpnresellers.validate-account", &["username"], Paid(accounts::validate)),
    route(Method::GET, "/v4_1/servers", "vpnresellers.list-servers", &["page", "per_page"], Paid(servers::list)),
    route(Method::GET, "/v4_1/vless-servers", "vpnresellers.list-vless-servers", &[], Paid(servers::list_vless)),
    route(Method::GET, "/v4_1/ports", "vpnresellers.list-ports", &[], Paid(servers::list_ports)),
    route(Method::GET, "/v4_1/configuration/openvpn", "vpnresellers.get-openvpn-config", &["server_id", "port_id"], Paid(configurations::openvpn)),
    route(Method::GET, "/v4_1/configuration/wireguard", "vpnresellers.get-wireguard-config", &["server_id", "account_id"], Paid(configurations::wireguard)),
    route(Method::GET, "/v4_1/configuration/vless", "vpnresellers.get-vless-config", &["server_id", "account_id"], Paid(configurations::vless)),
    route(Method::GET, "/v4_1/profile", "vpnresellers.get-profile", &[], SignedIn(accounts::profile)),
    route(Method::GET, "/v4_1/geoip", "vpnresellers.get-location", &[], Open(accounts::geoip)),
];
