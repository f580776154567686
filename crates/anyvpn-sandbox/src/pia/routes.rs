//! PIA's calls, as one table.

use http::Method;

use super::answer;
use super::state::State;
use crate::provider::{Call, Route, route};
use crate::reply::Reply;

/// The effect of a call. `Err` is a refusal that leaves the state unchanged.
pub(crate) type Work = fn(&mut State, &Call) -> Result<Reply, Reply>;

/// Each row: method, path, operation, the fields that may be logged, and the effect.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route<Work>] = &[
    route(Method::POST, "/api/client/v2/token", "pia.create-token", &["username"], answer::create_token as Work),
    route(Method::POST, "/api/client/v2/expire_token", "pia.expire-token", &[], answer::expire_token),
    route(Method::GET, "/api/client/v2/account", "pia.get-account", &[], answer::account),
    route(Method::GET, "/api/client/status", "pia.get-status", &[], answer::status),
    route(Method::GET, "/vpninfo/servers/{version}", "pia.list-servers", &[], answer::list),
    route(Method::GET, "/addKey", "pia.add-key", &["pubkey"], answer::add_key),
    route(Method::GET, "/getSignature", "pia.get-signature", &[], answer::get_signature),
    route(Method::GET, "/bindPort", "pia.bind-port", &[], answer::bind_port),
];
