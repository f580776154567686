//! How PIA differs from other providers: it has several servers, takes the token in a header or in the
//! query, and its refusals differ only in their texts.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Reply, Request, Security, Word};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// PIA's dialect.
pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::Pia;
    type Credential = Secret;

    fn is_credential_for(server: Option<&'static str>) -> bool {
        matches!(server, Some("account" | "wireguard" | "ports"))
    }

    fn attach(
        token: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        let (Some(token), [scheme, ..]) = (token, security.schemes) else {
            return security.attach_bearer(token, request);
        };
        match *scheme {
            "token" => request.authorization("Token", token)?,
            "pt" => request.attach_query("pt", token),
            _ => request.attach_query("token", token),
        }
        Ok(())
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        if !reply.status.is_success() {
            return Err(Self::refusal(reply));
        }
        match reply.json::<Envelope<'_>>()?.status {
            // A reply without a value must at least report success.
            None if size_of::<T>() == 0 => Err(reply.unexpected("at `status`: missing")),
            None => reply.json(),
            Some(word) if DONE.contains(&&*word) => reply.json(),
            Some(word) if REFUSED.contains(&&*word) => Err(Self::refusal(reply)),
            // Neither a success nor a refusal, so a change must be read back.
            Some(_) => Err(Self::refusal(reply).with_kind(ErrorKind::UnexpectedReply)),
        }
    }

    /// The vendor's servers also refuse a token with plain text, and not all of these texts are known.
    /// So we rely on the status if the server has proved its name.
    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        let body = reply.refusal_json();
        let is_worded = body["status"].as_str().is_some_and(|word| REFUSED.contains(&word))
            && body["message"].is_string();
        is_worded
            || (reply.status == 401 && reply.body.trim_ascii() == ACCESS_DENIED)
            || (reply.verified && matches!(reply.status.as_u16(), 401 | 402))
    }

    fn refuses_credential(reply: &Reply) -> bool {
        // Refusals are short, and every reply is checked.
        reply.body.len() < 1024 && reply.refusal_json()["message"] == LOGIN_FAILED
    }

    fn refusal(reply: &Reply) -> Error {
        let body = reply.refusal_json();
        let (message, code) = (body["message"].as_str().unwrap_or_default(), body["code"].as_str());
        let known =
            REFUSALS.iter().find(|(known, _)| [message, code.unwrap_or_default()].contains(known));
        let kind = known.map_or_else(|| classify(reply.status.as_u16()), |(_, kind)| *kind);
        let error = Error::new(kind);
        let error = match (message, known) {
            ("", _) => error.with_detail(reply.describe()),
            (NOT_IN_TUNNEL, _) => error.with_message(message).with_detail(
                "the request did not come through the tunnel of this server, or the gateway is another",
            ),
            _ => error.with_message(message),
        };
        match code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

const DONE: [&str; 2] = ["OK", "success"];
const REFUSED: [&str; 3] = ["ERROR", "error", ""];
const ACCESS_DENIED: &[u8] = b"HTTP Token: Access denied.";
const LOGIN_FAILED: &str = "Login failed!";
const NOT_IN_TUNNEL: &str = "Unauthorized client";

/// The refusals whose texts or codes have been observed. Their statuses do not distinguish them.
const REFUSALS: &[(&str, ErrorKind)] = &[
    (LOGIN_FAILED, ErrorKind::Unauthorized),
    ("no auth data", ErrorKind::Unauthorized),
    (NOT_IN_TUNNEL, ErrorKind::InvalidRequest),
    // The reserved port is no longer valid.
    ("bad signature", ErrorKind::NotFound),
    ("port expired", ErrorKind::NotFound),
    ("too_many_attempts", ErrorKind::RateLimited),
];

/// The fields that mark a refusal. Replies with a value need not have them.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    status: Option<Word<'a>>,
}

fn classify(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorized,
        402 => ErrorKind::ServiceExpired,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        // Another tunnel to the server uses the port.
        409 => ErrorKind::CapacityReached,
        400 | 413 | 415 | 422 => ErrorKind::InvalidRequest,
        429 => ErrorKind::RateLimited,
        200..=299 | 403..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::UnexpectedReply,
    }
}
