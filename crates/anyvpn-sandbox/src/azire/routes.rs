//! AzireVPN's calls, as one table.

use http::Method;

use super::answer::Answer;
use super::state::{Caller, State};
use super::{check, ips, locations, ports, tokens, users};
use crate::provider::{Call, Route};
use crate::reply::Reply;

/// What a call does.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Needs no token, and looks for itself whether there is one.
    Open(fn(&mut State, &Call) -> Answer),
    /// Is refused without a known token.
    Signed(fn(&mut State, &Caller, &Call) -> Answer),
    /// Finds out which port to try; the trial itself takes time, and no lock.
    Check(fn(&Call) -> Result<u16, Reply>),
}

/// A call: where it stands, and what it does.
pub(super) struct Row {
    pub(super) route: Route,
    pub(super) work: Work,
}

const fn row(
    method: Method,
    path: &'static str,
    operation: &'static str,
    shows: &'static [&'static str],
    work: Work,
) -> Row {
    Row { route: Route { method, path, operation, shows }, work }
}

use Work::{Check, Open, Signed};

/// Method, path, operation, the fields that may be logged, the work.
#[rustfmt::skip]
pub(super) static ROUTES: [Row; 26] = [
    row(Method::POST, "/v3/users", "azire.create-user", &["username", "email", "currency", "affiliate_code", "referral_code"], Open(users::create)),
    row(Method::GET, "/v3/users/me", "azire.get-user", &[], Signed(users::get)),
    row(Method::DELETE, "/v3/users/me", "azire.delete-user", &[], Signed(users::delete)),
    row(Method::POST, "/v3/users/me/otps", "azire.create-otp", &[], Signed(users::create_otp)),
    // The page's sample sends a GET.
    row(Method::GET, "/v3/users/me/otps", "azire.create-otp", &[], Signed(users::create_otp)),
    row(Method::PUT, "/v3/users/me/password", "azire.update-password", &[], Signed(users::update_password)),
    row(Method::PUT, "/v3/users/me/username", "azire.update-username", &["new_username"], Signed(users::update_username)),
    row(Method::PUT, "/v3/users/me/email", "azire.update-email", &["email"], Signed(users::update_email)),
    row(Method::DELETE, "/v3/users/me/email", "azire.delete-email", &[], Signed(users::delete_email)),
    row(Method::GET, "/v3/portforwardings", "azire.list-port-forwards", &["internal_ipv4"], Signed(ports::list)),
    row(Method::POST, "/v3/portforwardings", "azire.create-port-forward", &["internal_ipv4", "expires_in", "hidden"], Signed(ports::create)),
    row(Method::PUT, "/v3/portforwardings", "azire.hide-port-forward", &["internal_ipv4", "port", "hidden"], Signed(ports::hide)),
    row(Method::DELETE, "/v3/portforwardings", "azire.delete-port-forward", &["internal_ipv4", "port"], Signed(ports::delete)),
    row(Method::GET, "/v3/portforwardings/check/{port}", "azire.check-port", &["port"], Check(check::port_of_path)),
    row(Method::POST, "/v3/portforwardings/check", "azire.check-port-by-post", &["port"], Check(check::port_of_body)),
    row(Method::GET, "/v3/tokens", "azire.list-tokens", &[], Signed(tokens::list)),
    row(Method::POST, "/v3/tokens", "azire.create-token", &["username", "device_name", "comment"], Open(tokens::create)),
    row(Method::PUT, "/v3/tokens/{id}", "azire.update-token", &["device_name", "comment"], Signed(tokens::update)),
    row(Method::DELETE, "/v3/tokens/{id}", "azire.delete-token", &[], Signed(tokens::delete)),
    row(Method::DELETE, "/v3/tokens", "azire.delete-all-tokens", &[], Signed(tokens::delete_all)),
    row(Method::GET, "/v3/ips", "azire.list-ips", &[], Signed(ips::list)),
    // A WireGuard key sent here is a public one.
    row(Method::POST, "/v3/ips", "azire.create-ip", &["key"], Signed(ips::create)),
    row(Method::GET, "/v3/ips/{id}", "azire.get-ip", &[], Signed(ips::get)),
    row(Method::DELETE, "/v3/ips/{id}", "azire.delete-ip", &[], Signed(ips::delete)),
    row(Method::PUT, "/v3/ips/{id}/keys", "azire.put-ip-key", &["key"], Signed(ips::put_key)),
    row(Method::GET, "/v3/locations", "azire.list-locations", &[], Open(locations::list)),
];
