//! VPN Script's dialect: a bearer token, a success flag with two names, and refusals that differ only in
//! their text.

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Reply, Request, Security, lenient};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// VPN Script's dialect.
pub struct Dialect;

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::VpnScript;
    type Credential = Secret;

    fn attach(
        credential: Option<&Secret>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        security.attach_bearer(credential, request)
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        let envelope = open::<Envelope<T>>(reply)?;
        envelope.data.map_or_else(|| reply.nothing("at `data`: missing or null"), Ok)
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        let envelope = reply.json::<Envelope<IgnoredAny>>();
        envelope.is_ok_and(|envelope| envelope.flag() == Some(false)) || reply.is_laravel_refusal()
    }

    fn refusal(reply: &Reply) -> Error {
        let body = reply.refusal_json();
        let texts = texts(&body);
        let fields = field_errors(&body["errors"]);
        let suspended = body.get("suspend_reason").is_some();
        let kind = classify(reply.status.as_u16(), &texts, suspended, !fields.is_empty());
        let mut error = Error::new(kind);
        if texts.is_empty() {
            error = error.with_detail(reply.describe());
        } else {
            error = error.with_message(texts.join(" "));
        }
        if let Some(reason) = body["suspend_reason"].as_str() {
            error = error.with_detail(format!("the provider's reason: {reason}"));
        }
        fields.into_iter().fold(error, |error, (field, why)| error.with_field(field, why))
    }
}

/// The success flag of a reply, under either name.
pub(crate) trait Flagged {
    /// Returns the flag; `None` if the reply has none.
    fn flag(&self) -> Option<bool>;
}

/// The form of most replies: the flag, and the value under `data`, or under `token` for signing in.
#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default, deserialize_with = "lenient::flag_option")]
    success: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag_option")]
    status: Option<bool>,
    #[serde(alias = "token")]
    data: Option<T>,
}

impl<T> Flagged for Envelope<T> {
    fn flag(&self) -> Option<bool> {
        // Without a flag there must be a value; an empty one does not count.
        let value = self.data.is_some() && size_of::<T>() > 0;
        self.success.or(self.status).or(value.then_some(true))
    }
}

/// Returns the body of a success. A refusal is an error, even with status 200.
pub(crate) fn open<E: Flagged + DeserializeOwned>(reply: &Reply) -> Result<E, Error> {
    if !reply.status.is_success() {
        return Err(<Dialect as anyvpn_http::Dialect>::refusal(reply));
    }
    let refused = |flag| {
        if flag == Some(false) {
            <Dialect as anyvpn_http::Dialect>::refusal(reply)
        } else {
            reply.unexpected("there is neither a flag nor a value")
        }
    };
    match reply.json::<E>() {
        Ok(envelope) if envelope.flag() == Some(true) => Ok(envelope),
        Ok(envelope) => Err(refused(envelope.flag())),
        // A refusal may have something else in place of the value.
        Err(error) => match reply.json::<Envelope<IgnoredAny>>() {
            Ok(envelope) if envelope.flag() == Some(false) => Err(refused(Some(false))),
            _ => Err(error),
        },
    }
}

/// The refusal for a list without configurations.
pub(crate) const NO_CONFIGURATION: &str = "No configuration found for this server.";

/// The documented refusals. They differ only in their texts, so the match is exact. For an unknown text, the
/// status determines the kind.
const REFUSALS: &[(&str, ErrorKind)] = &[
    ("Unauthenticated.", ErrorKind::Unauthorized),
    ("The provided credentials are incorrect.", ErrorKind::Unauthorized),
    ("Your account has been suspended.", ErrorKind::Suspended),
    ("You do not have any service.", ErrorKind::NoService),
    ("You do not have an active service.", ErrorKind::ServiceInactive),
    ("Your service is not active.", ErrorKind::ServiceInactive),
    ("Your service is expired.", ErrorKind::ServiceExpired),
    ("The server is not found or enabled.", ErrorKind::NotFound),
    ("The server is not using OpenVPN protocol.", ErrorKind::InvalidRequest),
    ("The server is not using WireGuard protocol.", ErrorKind::InvalidRequest),
    ("OpenVPN profile is not found for this server.", ErrorKind::NotFound),
    (NO_CONFIGURATION, ErrorKind::NotFound),
    ("The WireGuard configuration is not found.", ErrorKind::NotFound),
    ("The WireGuard configuration is pending creation or deletion.", ErrorKind::Pending),
    (
        "The server has reached the maximum allowed user limit. Please try again later or choose a \
         different server.",
        ErrorKind::CapacityReached,
    ),
    (
        "Looks like you reached maximum allowed device limit on your plan. Please retry after \
         disconnecting from OpenVPN or deleting WireGuard configurations that you have generated \
         before.",
        ErrorKind::DeviceLimit,
    ),
];

fn classify(status: u16, texts: &[String], suspended: bool, names_fields: bool) -> ErrorKind {
    let known = |(text, _): &&(&str, ErrorKind)| texts.iter().any(|known| known == text);
    if let Some((_, kind)) = REFUSALS.iter().find(known) {
        return *kind;
    }
    match status {
        _ if suspended => ErrorKind::Suspended,
        401 | 403 => ErrorKind::Unauthorized,
        408 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        200..=499 if names_fields => ErrorKind::InvalidRequest,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::AlreadyExists,
        413 | 415 | 422 => ErrorKind::InvalidRequest,
        200..=299 | 400..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::UnexpectedReply,
    }
}

/// Returns the texts of a refusal, ordered by field name.
fn texts(body: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    for name in ["message", "error", "errors"] {
        match &body[name] {
            Value::String(text) if !texts.contains(text) => texts.push(text.clone()),
            Value::Array(list) => {
                texts.extend(list.iter().filter_map(Value::as_str).map(str::to_owned))
            }
            _ => {}
        }
    }
    texts
}

/// Returns the errors by field.
fn field_errors(errors: &Value) -> Vec<(String, String)> {
    let mut list = Vec::new();
    for (field, whys) in errors.as_object().into_iter().flatten() {
        let one = std::slice::from_ref(whys);
        for why in whys.as_array().map_or(one, Vec::as_slice) {
            list.extend(why.as_str().map(|why| (field.clone(), why.to_owned())));
        }
    }
    list
}
