//! How Acme differs: a bearer token, bare JSON, and refusals with a code.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Reply, Request, Security};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Acme's dialect.
pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::Acme;
    type Credential = Secret;

    fn attach(
        credential: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        security.attach_bearer(credential, request)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json_or_nothing() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        reply.json::<Refusal>().is_ok()
    }

    fn refusal(reply: &Reply) -> Error {
        let kind = match reply.status.as_u16() {
            401 => ErrorKind::Unauthorized,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::DeviceLimit,
            422 => ErrorKind::InvalidRequest,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Refused,
            500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::UnexpectedReply,
        };
        let error = Error::new(kind);
        match reply.json::<Refusal>() {
            Ok(refusal) => error.with_code(refusal.code).with_message(refusal.message),
            Err(_) => error.with_detail(reply.describe()),
        }
    }
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}
