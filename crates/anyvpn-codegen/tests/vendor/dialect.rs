//! A vendor that takes a bearer token and answers with bare JSON.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Client, Reply, Request, Security};
use serde::de::DeserializeOwned;

pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = Client<Self>;
    type Credential = Secret;

    fn attach(
        credential: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        security.attach_bearer(credential, request)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() { reply.json() } else { Err(Self::refusal(reply)) }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        reply.refusal_json().is_object()
    }

    fn refusal(reply: &Reply) -> Error {
        Error::new(ErrorKind::Refused).with_detail(reply.describe())
    }
}
