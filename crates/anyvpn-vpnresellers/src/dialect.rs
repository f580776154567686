//! The dialect of VPNresellers: a bearer token, the envelope `{"data", "code"}`, and refusals, most of which
//! are Laravel's with a `code`.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Reply, Request, Security, lenient};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// VPNresellers' dialect.
pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::VpnResellers;
    type Credential = Secret;

    fn attach(
        credential: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        security.attach_bearer(credential, request)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if reply.status.is_success() && reply.body.trim_ascii().is_empty() {
            return reply.nothing("a value is missing");
        }
        match open::<T>(reply)? {
            Envelope { data: Some(value), .. } => Ok(value),
            Envelope { code: None, .. } => {
                Err(reply.unexpected("there is no `data` and no `code`"))
            }
            Envelope { .. } => reply.nothing("at `data`: missing or null"),
        }
    }

    /// Requires a `message` and a `code` that is the status again. Without a `code`, it must be Laravel's own
    /// form or one of the documented texts, which no other server would send.
    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        const DOCUMENTED: [(u16, &str); 2] =
            [(402, "Insufficient Balance."), (404, "Account not found.")];
        let (body, status) = (reply.refusal_json(), reply.status.as_u16());
        let Some(message) = body["message"].as_str() else { return false };
        match code(&body) {
            Some(code) => code == u64::from(status),
            None => reply.is_laravel_refusal() || DOCUMENTED.contains(&(status, message)),
        }
    }

    fn refusal(reply: &Reply) -> Error {
        let body = reply.refusal_json();
        let status = reply.status.as_u16();
        // The status is a success, but the `code` is a refusal.
        let code = code(&body).filter(|code| *code != u64::from(status));
        let kind = match code.and_then(|code| u16::try_from(code).ok()) {
            Some(code) if reply.status.is_success() => classify(code, &body),
            _ => classify(status, &body),
        };
        let mut error = Error::new(kind);
        if let Some(code) = code {
            error = error.with_code(code.to_string());
        }
        error = match body["message"].as_str() {
            Some(message) => error.with_message(message),
            None => error.with_detail(reply.describe()),
        };
        for (field, whys) in body["errors"].as_object().into_iter().flatten() {
            for why in texts(whys) {
                error = error.with_field(field, why);
            }
        }
        error
    }
}

/// A success: the value, and optionally the HTTP status. Lists have the number of their page under `meta`, or
/// one of its properties beside the value.
#[derive(Deserialize)]
pub(crate) struct Envelope<T> {
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub(crate) code: Option<u64>,
    #[serde(alias = "config")]
    pub(crate) data: Option<T>,
    pub(crate) meta: Option<PageNumbers>,
    #[serde(default, deserialize_with = "lenient::integer_option")]
    pub(crate) last_page: Option<u64>,
}

/// The number of a page.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageNumbers {
    #[serde(deserialize_with = "lenient::integer_option")]
    pub(crate) current_page: Option<u64>,
    #[serde(deserialize_with = "lenient::integer_option")]
    pub(crate) last_page: Option<u64>,
    #[serde(deserialize_with = "lenient::integer_option")]
    pub(crate) per_page: Option<u64>,
    #[serde(deserialize_with = "lenient::integer_option")]
    pub(crate) total: Option<u64>,
}

/// Decodes the body of a success. A refusal by its `code` is an error, even with status 200.
pub(crate) fn open<T: DeserializeOwned>(reply: &Reply) -> Result<Envelope<T>, Error> {
    let refusal = || <Dialect as anyvpn_http::Dialect>::refusal(reply);
    if !reply.status.is_success() {
        return Err(refusal());
    }
    let envelope = reply.json::<Envelope<T>>();
    let code = match &envelope {
        Ok(envelope) => envelope.code,
        // A refusal can have anything in place of the value.
        Err(_) => reply.json::<Envelope<IgnoredAny>>().ok().and_then(|envelope| envelope.code),
    };
    match code {
        None | Some(200..=299) => envelope,
        Some(400..=499) => Err(refusal()),
        // Neither a success nor a refusal.
        Some(_) => Err(reply.unexpected("at `code`: neither a success nor a refusal")),
    }
}

/// Decodes the `code` of a body, which is a number or a string of digits.
fn code(body: &Value) -> Option<u64> {
    let code = &body["code"];
    code.as_u64().or_else(|| code.as_str()?.parse().ok())
}

/// Returns the messages about a field, which are a list of strings or one string.
fn texts(whys: &Value) -> impl Iterator<Item = &str> {
    let one = std::slice::from_ref(whys);
    whys.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str)
}

/// Returns the kind of a refusal. The status decides, except for a user name that is taken, which has the
/// same status as every other invalid input.
fn classify(status: u16, body: &Value) -> ErrorKind {
    match status {
        422 if is_taken(body) => ErrorKind::AlreadyExists,
        400 | 413 | 415 | 422 => ErrorKind::InvalidRequest,
        401 | 403 => ErrorKind::Unauthorized,
        402 => ErrorKind::InsufficientBalance,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::AlreadyExists,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::UnexpectedReply,
    }
}

/// Returns whether a refusal says that the user name is taken, under `errors` or, if it has none, in
/// its message.
fn is_taken(body: &Value) -> bool {
    const TAKEN: &str = "already been taken";
    match &body["errors"] {
        Value::Null => body["message"].as_str().is_some_and(|message| message.contains(TAKEN)),
        errors => texts(&errors["username"]).any(|why| why.contains(TAKEN)),
    }
}

#[cfg(test)]
mod tests {
    use ErrorKind::{
        AlreadyExists, InsufficientBalance, InvalidRequest, NotFound, RateLimited, Refused,
        Timeout, Unauthorized, Unavailable, UnexpectedReply,
    };
    use anyvpn_http::Dialect as _;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, headers: HeaderMap::new(), body: body.to_owned().into(), verified: false }
    }

    #[test]
    fn every_status_has_its_kind() {
        for (status, kind) in [
            (300, UnexpectedReply),
            (400, InvalidRequest),
            (401, Unauthorized),
            (402, InsufficientBalance),
            (403, Unauthorized),
            (404, NotFound),
            (405, Refused),
            (406, Refused),
            (408, Timeout),
            (409, AlreadyExists),
            (413, InvalidRequest),
            (415, InvalidRequest),
            (422, InvalidRequest),
            (429, RateLimited),
            (499, Refused),
            (500, Unavailable),
            (599, Unavailable),
            (600, UnexpectedReply),
        ] {
            assert_eq!(Dialect::refusal(&reply(status, "{}")).kind(), kind, "{status}");
        }
    }

    #[test]
    fn a_name_is_taken_only_if_the_refusal_is_about_the_name() {
        for (body, kind) in [
            (r#"{"message":"The username has already been taken.","code":422}"#, AlreadyExists),
            (
                r#"{"message":"Invalid.","errors":{"username":["The username has already been taken."]}}"#,
                AlreadyExists,
            ),
            (r#"{"errors":{"username":"The username has already been taken."}}"#, AlreadyExists),
            (
                r#"{"message":"The email has already been taken.","errors":{"email":["The email has already been taken."]}}"#,
                InvalidRequest,
            ),
            (r#"{"errors":{"username":["The username is too short."]}}"#, InvalidRequest),
            (r#"{"errors":[],"message":7}"#, InvalidRequest),
        ] {
            assert_eq!(Dialect::refusal(&reply(422, body)).kind(), kind, "{body}");
        }
    }

    #[test]
    fn a_refusal_is_the_vendors_own_by_its_code_or_its_words() {
        let id = OperationId::new("vpnresellers", "get-account");
        for (status, body, own) in [
            (404, r#"{"message":"Account not found.","code":404}"#, true),
            (404, r#"{"message":"Account not found.","code":"404"}"#, true),
            (404, r#"{"message":"Account not found."}"#, true),
            (402, r#"{"message":"Insufficient Balance."}"#, true),
            (401, r#"{"message":"Unauthenticated."}"#, true),
            (429, r#"{"message":"Too Many Attempts."}"#, true),
            (500, r#"{"message":"Server Error","code":500}"#, true),
            (404, r#"{"message":"Account not found.","code":200}"#, false),
            (404, r#"{"message":"The route could not be found."}"#, false),
            (403, r#"{"message":"Forbidden"}"#, false),
            (403, r#"{"message":"Forbidden."}"#, false),
            (403, r#"{"code":403}"#, false),
            (401, "", false),
        ] {
            assert_eq!(Dialect::is_own_form(id, &reply(status, body)), own, "{status} {body}");
        }
    }
}
