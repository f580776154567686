//! VPNGN's dialect: forms, credentials in the form or as a bearer token, and errors with undocumented field
//! names.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId, Secret};
use anyvpn_http::{Dialect as _, Operation as _, Reply, Request, Security, Word};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::ops::AddClient;

/// VPNGN's dialect.
pub struct Dialect;

/// A credential: the reseller's API key, and a proof of identity.
#[derive(Clone, Debug)]
pub struct Access {
    pub(crate) api_key: Secret,
    pub(crate) proof: Proof,
}

/// The proofs of identity that VPNGN accepts (Account Management API, Important Notes, 3).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proof {
    /// No proof, which is enough only for adding a client.
    None,
    /// The end user's password.
    Password(Secret),
    /// The end user's short token, valid for 12 hours.
    ShortToken(Secret),
    /// The end user's long token, which can only be used to refresh tokens.
    LongToken(Secret),
    /// The reseller's secret key. See [`Access::server`].
    SecretKey(Secret),
    /// No proof, from an address that VPNGN has whitelisted.
    Whitelisted,
}

impl Proof {
    /// Returns the scheme's name in the OpenAPI document; empty for no credential.
    const fn scheme(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Whitelisted => "whitelisted",
            Self::Password(_) => "password",
            Self::ShortToken(_) => "short-token",
            Self::LongToken(_) => "long-token",
            Self::SecretKey(_) => "secret-key",
        }
    }
}

impl Access {
    /// Creates a credential from the API key and this proof. For a secret key use [`Access::server`].
    #[must_use]
    pub fn new(api_key: impl Into<Secret>, proof: Proof) -> Self {
        Self { api_key: api_key.into(), proof }
    }

    /// Creates a server's credential, with the reseller's secret key.
    ///
    /// The key gives access to every customer's account. It belongs on the reseller's own servers; a program
    /// that end users have must never hold it.
    #[must_use]
    pub fn server(api_key: impl Into<Secret>, secret_key: impl Into<Secret>) -> Self {
        Self::new(api_key, Proof::SecretKey(secret_key.into()))
    }
}

impl anyvpn_http::Dialect for Dialect {
    type Provider = crate::Vpngn;
    type Credential = Access;

    fn min_interval(operation: OperationId) -> Option<Duration> {
        (operation == AddClient::ID).then_some(Duration::from_secs(10))
    }

    fn exempt(access: Option<&Access>) -> bool {
        access
            .is_some_and(|access| matches!(access.proof, Proof::SecretKey(_) | Proof::Whitelisted))
    }

    fn attach(
        access: Option<&Access>,
        security: Security,
        request: &mut Request,
    ) -> Result<(), Error> {
        let Some(Access { api_key, proof }) = access else {
            let why = "this call needs an API key, but there is none; nothing was sent";
            return Err(Error::new(ErrorKind::Unauthorized).with_detail(why));
        };
        let scheme = proof.scheme();
        let accepted = match proof {
            Proof::None => security.anonymous,
            _ => security.schemes.contains(&scheme),
        };
        if !accepted {
            let takes = security.schemes.join(", ");
            return Err(match proof {
                Proof::None => Error::new(ErrorKind::Unauthorized).with_detail(format!(
                    "this call needs one of {takes}, but there is none; nothing was sent"
                )),
                _ => Error::invalid(
                    "credential",
                    format!("the call takes one of {takes}, not {scheme}; nothing was sent"),
                ),
            });
        }
        request.form_secret("apikey", api_key);
        match proof {
            Proof::None | Proof::Whitelisted => Ok(()),
            Proof::Password(password) => {
                request.form_secret("password", password);
                Ok(())
            }
            Proof::SecretKey(key) => {
                request.form_secret("secret_key", key);
                Ok(())
            }
            Proof::ShortToken(token) | Proof::LongToken(token) => request.bearer(token),
        }
    }

    fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
        // A reply that is as documented is decoded in one pass.
        match reply.json() {
            Ok(Answer { status: Some(status), value })
                if reply.status.is_success() && *status == *"success" =>
            {
                Ok(value)
            }
            _ => reply.json_part(success(reply)?),
        }
    }

    fn is_own_form(_: OperationId, reply: &Reply) -> bool {
        reply.refusal_json()["status"] == "error"
    }

    fn refusal(reply: &Reply) -> Error {
        let body = reply.refusal_json();
        let parts = [&body, &body["error"], &body["response"]];
        let find = |names: &[&str], fits: fn(&Value) -> Option<String>| {
            let mut all = parts.iter().flat_map(|part| names.iter().map(move |name| &part[*name]));
            all.find_map(fits)
        };
        let mut error = Error::new(classify(reply.status.as_u16()));
        let message = find(MESSAGES, words);
        if let Some(code) = find(CODES, code).filter(|code| message.as_ref() != Some(code)) {
            error = error.with_code(code);
        }
        match message {
            Some(message) => error.with_message(message),
            None => error.with_detail(reply.describe()),
        }
    }
}

/// An object, as a value and the `status` among its properties.
struct Answer<'a, T> {
    status: Option<Word<'a>>,
    value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Answer<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswerVisitor(PhantomData))
    }
}

struct AnswerVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnswerVisitor<T> {
    type Value = Answer<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut status = None;
        let others = Others { map, status: &mut status };
        let value = T::deserialize(MapAccessDeserializer::new(others))?;
        Ok(Answer { status, value })
    }
}

/// The properties except `status`, which is stored separately.
struct Others<'s, 'de, A> {
    map: A,
    status: &'s mut Option<Word<'de>>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'_, 'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.map.next_key::<Word<'de>>()? {
            if *name != *"status" {
                return seed.deserialize(StrDeserializer::new(&name)).map(Some);
            }
            if self.status.replace(self.map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field("status"));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Returns the object of a successful reply.
fn success(reply: &Reply) -> Result<Value, Error> {
    if !reply.status.is_success() {
        return Err(Dialect::refusal(reply));
    }
    /// A duplicate status is an error, because the two could contradict each other.
    #[derive(Deserialize)]
    struct Flag {
        #[serde(rename = "status")]
        _status: IgnoredAny,
    }
    // Decoded from a value, because token-refresh is documented with a duplicate key.
    let body: Value = reply.json()?;
    if body["status"].is_string() {
        reply.json::<Flag>()?;
    }
    match body["status"].as_str() {
        Some("success") => Ok(body),
        Some("error") => Err(Dialect::refusal(reply)),
        // Neither a success nor a refusal, so the state must be read back after a call that changes something.
        Some(_) => Err(Dialect::refusal(reply).with_kind(ErrorKind::UnexpectedReply)),
        None => Err(reply.unexpected("at `status`: missing")),
    }
}

/// The field names that APIs of this kind use for a message and a code, most likely first.
const MESSAGES: &[&str] = &[
    "message",
    "error_message",
    "errorMessage",
    "errormessage",
    "msg",
    "error_msg",
    "description",
    "error_description",
    "detail",
    "details",
    "reason",
    "error",
    "errors",
];
const CODES: &[&str] = &[
    "code",
    "error_code",
    "errorCode",
    "errorcode",
    "error_no",
    "errno",
    "err_code",
    "error_id",
    "error",
];

/// Returns a text that looks like a message.
fn words(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    // A number is a code, not a message.
    let words = text.bytes().any(|byte| !byte.is_ascii_digit());
    words.then(|| text.to_owned())
}

/// Returns a code: a number, or a text without spaces.
fn code(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() && !text.contains(' ') => Some(text.clone()),
        _ => None,
    }
}

/// Returns the kind of a refusal. Codes are not documented, so only the status is used.
fn classify(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Unauthorized,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::AlreadyExists,
        413 | 415 | 422 => ErrorKind::InvalidRequest,
        429 => ErrorKind::RateLimited,
        200..=299 | 400..=499 => ErrorKind::Refused,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::UnexpectedReply,
    }
}

#[cfg(test)]
mod tests {
    use ErrorKind::{
        AlreadyExists, InvalidRequest, NotFound, RateLimited, Refused, Timeout, Unauthorized,
        Unavailable, UnexpectedReply,
    };
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn refusal(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let body = body.to_owned().into();
        Dialect::refusal(&Reply { status, headers: HeaderMap::new(), body, verified: false })
    }

    #[test]
    fn every_status_has_its_kind() {
        for (status, kind) in [
            (200, Refused),
            (299, Refused),
            (300, UnexpectedReply),
            (400, Refused),
            (401, Unauthorized),
            (403, Unauthorized),
            (404, NotFound),
            (408, Timeout),
            (409, AlreadyExists),
            (413, InvalidRequest),
            (415, InvalidRequest),
            (418, Refused),
            (422, InvalidRequest),
            (429, RateLimited),
            (499, Refused),
            (500, Unavailable),
            (599, Unavailable),
            (600, UnexpectedReply),
        ] {
            assert_eq!(refusal(status, "{}").kind(), kind, "{status}");
        }
    }

    #[test]
    fn a_code_is_a_number_or_a_single_word() {
        for (body, code, message) in [
            (r#"{"code":1301,"message":"It exists."}"#, Some("1301"), Some("It exists.")),
            (r#"{"code":"1301"}"#, Some("1301"), None),
            (r#"{"code":"client_exists","msg":"1301"}"#, Some("client_exists"), None),
            (r#"{"code":"two words","message":"It exists."}"#, None, Some("It exists.")),
            (r#"{"code":"","message":""}"#, None, None),
            (r#"{"code":null,"error":{"code":7,"reason":"no"}}"#, Some("7"), Some("no")),
            (r#"{"error":"exists"}"#, None, Some("exists")),
            (r#"{"response":{"errno":0,"errors":"no way"}}"#, Some("0"), Some("no way")),
        ] {
            let error = refusal(400, body);
            assert_eq!((error.code(), error.message()), (code, message), "{body}");
        }
    }
}
