//! AzireVPN's dialect: a bearer token, and the envelope `{"status", "message", "data"}`.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Reply, Request, Security, Word};
use http::StatusCode;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// AzireVPN's dialect.
pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::Azire;
    type Credential = Secret;

    fn attach(
        credential: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        security.attach_bearer(credential, request)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if !reply.status.is_success() {
            return Err(Self::refusal(reply));
        }
        if reply.body.trim_ascii().is_empty() {
            return reply.nothing("a value is missing");
        }
        match reply.json::<Envelope<'_, T>>() {
            // A body without a value must at least report success.
            Ok(Envelope { status: None, .. }) if size_of::<T>() == 0 => {
                Err(reply.unexpected("at `status`: missing"))
            }
            Ok(Envelope { status: None, data: None }) => reply.json(),
            Ok(Envelope { status: Some(status), .. }) if *status != *"success" => {
                Err(refused(&status, reply))
            }
            Ok(Envelope { data: Some(value), .. }) => Ok(value),
            Ok(Envelope { data: None, .. }) => reply.nothing("at `data`: missing or null"),
            // The `data` of a refusal lists fields, so it does not have the type of the value.
            Err(error) => Err(match reply.json::<Envelope<'_, IgnoredAny>>() {
                Ok(Envelope { status: Some(status), .. }) if *status != *"success" => {
                    refused(&status, reply)
                }
                _ => error,
            }),
        }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        reply.refusal_json()["status"] == "error" || reply.is_laravel_refusal()
    }

    fn refusal(reply: &Reply) -> Error {
        let body = reply.refusal_json();
        let fields = ["data", "errors"].iter().find_map(|key| field_errors(&body[key]));
        let error = Error::new(classify(reply.status, fields.is_some()));
        let error = match body["message"].as_str() {
            Some(message) => error.with_message(message),
            None => error.with_detail(reply.describe()),
        };
        let code = &body["code"];
        let error = match code.as_str().map(str::to_owned).or(code.as_i64().map(|n| n.to_string()))
        {
            Some(code) => error.with_code(code),
            None => error,
        };
        fields
            .unwrap_or_default()
            .into_iter()
            .fold(error, |error, (field, why)| error.with_field(field, why))
    }
}

/// Returns the error for a reply whose body has a status other than success.
fn refused(status: &str, reply: &Reply) -> Error {
    let refusal = <Dialect as anyvpn_http::Dialect>::refusal(reply);
    match status {
        "error" => refusal,
        // Neither a success nor a refusal, so the state must be read back after a call that changes something.
        _ => refusal.with_kind(ErrorKind::UnexpectedReply),
    }
}

/// AzireVPN's envelope. `POST /ips` is documented without it, and `GET /locations` has its data under
/// another name.
#[derive(Deserialize)]
struct Envelope<'a, T> {
    #[serde(borrow)]
    status: Option<Word<'a>>,
    #[serde(alias = "locations")]
    data: Option<T>,
}

/// Returns the kind of a refusal. It depends only on the status, because messages have changed within
/// months.
fn classify(status: StatusCode, names_fields: bool) -> ErrorKind {
    match status.as_u16() {
        200..=299 if names_fields => ErrorKind::InvalidRequest,
        200..=299 => ErrorKind::Refused,
        401 | 403 => ErrorKind::Unauthorized,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::AlreadyExists,
        400 | 413 | 415 | 422 => ErrorKind::InvalidRequest,
        429 => ErrorKind::RateLimited,
        402..=499 if names_fields => ErrorKind::InvalidRequest,
        402..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::UnexpectedReply,
    }
}

/// Reads Laravel's list of errors by field; `None` if `value` is something else.
fn field_errors(value: &Value) -> Option<Vec<(String, String)>> {
    let mut errors = Vec::new();
    for (field, whys) in value.as_object()? {
        for why in whys.as_array()? {
            errors.push((field.clone(), why.as_str()?.to_owned()));
        }
    }
    (!errors.is_empty()).then_some(errors)
}

#[cfg(test)]
mod tests {
    use ErrorKind::{
        AlreadyExists, InvalidRequest, NotFound, RateLimited, Refused, Timeout, Unauthorized,
        Unavailable, UnexpectedReply,
    };

    use super::*;

    #[test]
    fn every_status_has_its_kind() {
        for (status, kind, with_fields) in [
            (200, Refused, InvalidRequest),
            (299, Refused, InvalidRequest),
            (300, UnexpectedReply, UnexpectedReply),
            (400, InvalidRequest, InvalidRequest),
            (401, Unauthorized, Unauthorized),
            (402, Refused, InvalidRequest),
            (403, Unauthorized, Unauthorized),
            (404, NotFound, NotFound),
            (405, Refused, InvalidRequest),
            (406, Refused, InvalidRequest),
            (408, Timeout, Timeout),
            (409, AlreadyExists, AlreadyExists),
            (413, InvalidRequest, InvalidRequest),
            (415, InvalidRequest, InvalidRequest),
            (422, InvalidRequest, InvalidRequest),
            (429, RateLimited, RateLimited),
            (499, Refused, InvalidRequest),
            (500, Unavailable, Unavailable),
            (599, Unavailable, Unavailable),
            (600, UnexpectedReply, UnexpectedReply),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(classify(status, false), kind, "{status}");
            assert_eq!(classify(status, true), with_fields, "{status}");
        }
    }
}
