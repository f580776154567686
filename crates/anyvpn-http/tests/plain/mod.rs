//! A provider without special rules: bearer tokens, JSON, and statuses.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Client, Dialect, Reply, Request, Security};
use serde::de::DeserializeOwned;

pub struct Plain;

impl Dialect for Plain {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn attach(token: Option<&Secret>, security: Security, to: &mut Request) -> Result<(), Error> {
        security.attach_bearer(token, to)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        !reply.body.starts_with(b"<")
    }

    fn refusal(reply: &Reply) -> Error {
        let kind = match reply.status.as_u16() {
            401 => ErrorKind::Unauthorized,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Refused,
            500.. => ErrorKind::Unavailable,
            _ => ErrorKind::UnexpectedReply,
        };
        Error::new(kind).with_detail(reply.describe())
    }
}
