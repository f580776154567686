//! AzireVPN's calls, as one table.

use http::Method;

use super::answer::Answer;
use super::state::{Caller, State};
use super::{check, ips, locations, ports, tokens, users};
use crate::provider::{Call, Route, route};
use crate::reply::Reply;

/// The effect of a call.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Needs no token; the function checks whether there is one.
    Open(fn(&mut State, &Call) -> Answer),
    /// Needs a known token; other calls are refused.
    SignedIn(fn(&mut State, &Caller, &Call) -> Answer),
    /// Determines the port to connect to. Connecting takes time, so it happens without the lock.
    Check(fn(&Call) -> Result<u16, Reply>),
}

use Work::{Check, Open, SignedIn};

/// Each row: method, path, operation, the fields that may be logged, and the effect.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route<Work>] = &[
    route(Method::POST, "/v3/users", "azire.create-user", &["username", "email", "currency", "affiliate_code", "referral_code"], Open(users::create)),
    route(Method::GET, "/v3/users/me", "azire.get-user", &[], SignedIn(users::get)),
    route(Method::DELETE, "/v3/users/me", "azire.delete-user", &[], SignedIn(users::delete)),
    route(Method::POST, "/v3/users/me/otps", "azire.create-otp", &[], SignedIn(users::create_otp)),
    // The page's sample sends a GET.
    route(Method::GET, "/v3/users/me/otps", "azire.create-otp", &[], SignedIn(users::create_otp)),
    route(Method::PUT, "/v3/users/me/password", "azire.update-password", &[], SignedIn(users::update_password)),
    route(Method::PUT, "/v3/users/me/username", "azire.update-username", &["new_username"], SignedIn(users::update_username)),
    route(Method::PUT, "/v3/users/me/email", "azire.update-email", &["email"], SignedIn(users::update_email)),
    route(Method::DELETE, "/v3/users/me/email", "azire.delete-email", &[], SignedIn(users::delete_email)),
    route(Method::GET, "/v3/portforwardings", "azire.list-port-forwards", &["internal_ipv4"], SignedIn(ports::list)),
    route(Method::POST, "/v3/portforwardings", "azire.create-port-forward", &["internal_ipv4", "expires_in", "hidden"], SignedIn(ports::create)),
    route(Method::PUT, "/v3/portforwardings", "azire.hide-port-forward", &["internal_ipv4", "port", "hidden"], SignedIn(ports::hide)),
    route(Method::DELETE, "/v3/portforwardings", "azire.delete-port-forward", &["internal_ipv4", "port"], SignedIn(ports::delete)),
    route(Method::GET, "/v3/portforwardings/check/{port}", "azire.check-port", &["port"], Check(check::port_of_path)),
    route(Method::POST, "/v3/portforwardings/check", "azire.check-port-by-post", &["port"], Check(check::port_of_body)),
    route(Method::GET, "/v3/tokens", "azire.list-tokens", &[], SignedIn(tokens::list)),
    route(Method::POST, "/v3/tokens", "azire.create-token", &["username", "device_name", "comment"], Open(tokens::create)),
    route(Method::PUT, "/v3/tokens/{id}", "azire.update-token", &["device_name", "comment"], SignedIn(tokens::update)),
    route(Method::DELETE, "/v3/tokens/{id}", "azire.delete-token", &[], SignedIn(tokens::delete)),
    route(Method::DELETE, "/v3/tokens", "azire.delete-all-tokens", &[], SignedIn(tokens::delete_all)),
    route(Method::GET, "/v3/ips", "azire.list-ips", &[], SignedIn(ips::list)),
    // The WireGuard key sent here is a public key.
    route(Method::POST, "/v3/ips", "azire.create-ip", &["key"], SignedIn(ips::create)),
    route(Method::GET, "/v3/ips/{id}", "azire.get-ip", &[], SignedIn(ips::get)),
    route(Method::DELETE, "/v3/ips/{id}", "azire.delete-ip", &[], SignedIn(ips::delete)),
    route(Method::PUT, "/v3/ips/{id}/keys", "azire.put-ip-key", &["key"], SignedIn(ips::put_key)),
    route(Method::GET, "/v3/locations", "azire.list-locations", &[], Open(locations::list)),
];
