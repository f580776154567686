//! Decides who may use the HTTP API, by gluetun's roles.

use anyvpn_core::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// The rules for who may use which routes of the HTTP API.
#[derive(Clone, Debug)]
pub struct Access(Vec<Role>);

#[derive(Clone, Debug)]
struct Role {
    /// The routes, as `METHOD PATH`; `None` means every route.
    routes: Option<Vec<String>>,
    credential: Credential,
}

#[derive(Clone, Debug)]
enum Credential {
    Nothing,
    Key(Secret),
    Basic { username: Secret, password: Secret },
}

/// Whether a caller may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everybody may use it.
    Everybody,
    /// The caller may use it, because it sent a valid credential.
    Known,
    /// The caller may not use it. `basic` says whether HTTP Basic would help.
    Refused { basic: bool },
}

/// A role in gluetun's `config.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRole {
    #[serde(default)]
    name: String,
    routes: Vec<String>,
    auth: String,
    #[serde(default)]
    username: Option<Secret>,
    #[serde(default)]
    password: Option<Secret>,
    #[serde(default)]
    apikey: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    roles: Vec<FileRole>,
}

impl Access {
    /// Allows every request from everybody who can connect.
    #[must_use]
    pub fn open() -> Self {
        Self::everywhere(Credential::Nothing)
    }

    /// Requires this key, in the header `X-API-Key` or in the query as `api_key`.
    ///
    /// # Errors
    ///
    /// If the key is empty.
    pub fn key(key: Secret) -> Result<Self, AccessError> {
        credential("apikey", None, None, Some(key)).map(Self::everywhere)
    }

    /// Requires this user name and password, by HTTP Basic.
    ///
    /// # Errors
    ///
    /// If one of them is empty.
    pub fn basic(username: Secret, password: Secret) -> Result<Self, AccessError> {
        credential("basic", Some(username), Some(password), None).map(Self::everywhere)
    }

    /// Reads the roles of gluetun's `auth/config.toml`. Routes that no role names are closed. Roles may
    /// also name routes that only gluetun has.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, has an unknown key, or a role is incomplete. The error never shows
    /// any of the text, which contains secrets.
    pub fn from_toml(text: &Secret) -> Result<Self, AccessError> {
        let text = text.expose();
        let file: File = toml_edit::de::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            AccessError(format!(
                "line {line} is not valid: the file must be TOML with [[roles]], whose keys are name, \
                 routes, auth, username, password and apikey"
            ))
        })?;
        let roles = file.roles.into_iter().map(|role| {
            let credential = credential(&role.auth, role.username, role.password, role.apikey);
            let credential = credential
                .map_err(|error| AccessError(format!("role {:?}: {error}", role.name)))?;
            Ok(Role { routes: Some(role.routes), credential })
        });
        roles.collect::<Result<_, _>>().map(Self)
    }

    fn everywhere(credential: Credential) -> Self {
        Self(vec![Role { routes: None, credential }])
    }

    /// Judges a request for a route, such as `GET /v1/portforward`.
    pub(super) fn judge(&self, route: &str, headers: &HeaderMap, query: &str) -> Verdict {
        let mut basic = false;
        for role in &self.0 {
            if role.routes.as_ref().is_some_and(|routes| !routes.iter().any(|named| named == route))
            {
                continue;
            }
            if role.credential.is_shown(headers, query) {
                return match role.credential {
                    Credential::Nothing => Verdict::Everybody,
                    _ => Verdict::Known,
                };
            }
            basic |= matches!(role.credential, Credential::Basic { .. });
        }
        Verdict::Refused { basic }
    }
}

/// Creates a credential from its parts, which must be complete.
fn credential(
    kind: &str,
    username: Option<Secret>,
    password: Option<Secret>,
    key: Option<Secret>,
) -> Result<Credential, AccessError> {
    let filled = |secret: Option<Secret>, name: &str| {
        let secret = secret.filter(|secret| !secret.is_empty());
        secret.ok_or_else(|| AccessError(format!("{name} is missing or empty")))
    };
    match kind {
        "none" => Ok(Credential::Nothing),
        "apikey" => filled(key, "apikey").map(Credential::Key),
        "basic" => Ok(Credential::Basic {
            username: filled(username, "username")?,
            password: filled(password, "password")?,
        }),
        _ => Err(AccessError("auth must be none, basic or apikey".to_owned())),
    }
}

impl Credential {
    /// Returns whether a request has this credential.
    fn is_shown(&self, headers: &HeaderMap, query: &str) -> bool {
        match self {
            Self::Nothing => true,
            Self::Key(key) => {
                let header =
                    headers.get("x-api-key").map(http::HeaderValue::as_bytes).unwrap_or_default();
                if !header.is_empty() {
                    return equal(header, key);
                }
                url::form_urlencoded::parse(query.as_bytes())
                    .find(|(name, _)| name == "api_key")
                    .is_some_and(|(_, value)| equal(value.as_bytes(), key))
            }
            Self::Basic { username, password } => {
                let Some((shown_name, shown_password)) = basic(headers) else { return false };
                // Both are always compared, so that the time does not reveal which one is wrong.
                equal(&shown_name, username) & equal(&shown_password, password)
            }
        }
    }
}

/// Compares in a time that does not reveal how much of the value is right.
fn equal(shown: &[u8], secret: &Secret) -> bool {
    shown.ct_eq(secret.expose().as_bytes()).into()
}

/// Returns the user name and password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded =
        STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded[..colon].to_vec(), decoded[colon + 1..].to_vec()))
}

/// The reason why the roles cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AccessError(String);
