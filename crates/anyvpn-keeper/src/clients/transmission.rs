//! Transmission 2.80 and later, through its old RPC or, from 4.1, through JSON-RPC, which has other
//! names for the same methods and fields.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{Clock, Error, Secret};
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::ClientSettings;
use super::http::{Reply, WebInterface, secret_header};
use super::port_setter::{ClientApi, Reading, Wish};
use super::sign_in::Refusals;
use crate::ClientError;

const SESSION_ID: &str = "x-transmission-session-id";
const RPC_VERSION: &str = "x-transmission-rpc-version";

struct Transmission {
    web: WebInterface,
    /// The value of `Authorization`; `None` if the client needs none.
    credentials: Option<Secret>,
    session: Mutex<Session>,
    refusals: Refusals,
    /// When to announce once more; `None` if no announcement is due.
    announce_again: Mutex<Option<Instant>>,
    clock: Arc<dyn Clock>,
}

/// Transmission 4 ignores a request to announce within two minutes of the last announcement. It does not
/// say so, so we ask again after this time.
const ANNOUNCE_AGAIN: Duration = Duration::from_secs(180);

/// The session from the headers of the last 409.
#[derive(Clone, Default)]
struct Session {
    id: Option<HeaderValue>,
    /// Whether the client supports JSON-RPC.
    is_json_rpc: bool,
}

/// The settings that we read.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    peer_port: i64,
    #[serde(default)]
    version: Option<String>,
    #[serde(default = "yes")]
    utp_enabled: bool,
    #[serde(default = "yes")]
    dht_enabled: bool,
}

fn yes() -> bool {
    true
}

const FIELDS: [&str; 4] = ["peer-port", "version", "utp-enabled", "dht-enabled"];

pub(super) fn open(
    settings: &ClientSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn ClientApi>, Error> {
    if settings.api_key.is_some() {
        return Err(Error::invalid("api_key", "is not supported by Transmission; use a password"));
    }
    if settings.bind_interface {
        let why =
            "is not supported by Transmission; set bind-address-ipv4 in its settings.json instead";
        return Err(Error::invalid("bind_interface", why));
    }
    let credentials = match (&settings.username, &settings.password) {
        (Some(username), Some(password)) => {
            let both = zeroize::Zeroizing::new(format!("{username}:{}", password.expose()));
            Some(Secret::from(format!("Basic {}", BASE64_STANDARD.encode(&*both))))
        }
        (None, None) => None,
        _ => return Err(Error::invalid("username", "needs a password, and a password needs it")),
    };
    let secrets = [&settings.password, &credentials].into_iter().flatten().cloned().collect();
    Ok(Box::new(Transmission {
        web: WebInterface::new(&settings.address, secrets, Arc::clone(&clock))?,
        credentials,
        session: Mutex::default(),
        refusals: Refusals::new(Arc::clone(&clock)),
        announce_again: Mutex::default(),
        clock,
    }))
}

impl Transmission {
    /// Calls a method of the old RPC, or the same method by its new name, and returns its result.
    async fn call(&self, method: &str, arguments: Value) -> Result<Value, ClientError> {
        let mut session = self.session.lock().await;
        let mut reply = self.attempt(&session, method, &arguments).await?;
        if reply.status == 409 {
            // The session is new, or the client was restarted.
            let header = |name| reply.headers.get(name).cloned();
            let version = header(RPC_VERSION);
            let major =
                version.as_ref().and_then(|version| version.to_str().ok()?.split('.').next());
            let is_json_rpc =
                major.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 6);
            *session = Session { id: header(SESSION_ID), is_json_rpc };
            reply = self.attempt(&session, method, &arguments).await?;
        }
        match reply.status.as_u16() {
            401 | 403 => Err(self.refusals.remember(&reply.describe())),
            421 => Err(ClientError::Unable(format!(
                "{}: add the host name to rpc-host-whitelist in its settings.json",
                reply.describe()
            ))),
            _ => result(&reply, session.is_json_rpc),
        }
    }

    async fn attempt(
        &self,
        session: &Session,
        method: &str,
        arguments: &Value,
    ) -> Result<Reply, ClientError> {
        self.refusals.check()?;
        let mut request = self.web.post("transmission/rpc", "application/json");
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, secret_header(credentials)?);
        }
        if let Some(id) = &session.id {
            request = request.header(SESSION_ID, id);
        }
        let call = if session.is_json_rpc {
            json!({
                "jsonrpc": "2.0",
                "method": method.replace('-', "_"),
                "params": renamed(arguments, '-', "_"),
                "id": 1,
            })
        } else {
            json!({ "method": method, "arguments": arguments, "tag": 1 })
        };
        self.web.send(request, call.to_string()).await
    }
}

/// Returns the result of a call, with the names of the old RPC.
fn result(reply: &Reply, is_json_rpc: bool) -> Result<Value, ClientError> {
    let mut whole: Map<String, Value> = reply.json()?;
    if is_json_rpc {
        let result = whole.remove("result").ok_or_else(|| reply.unexpected())?;
        return Ok(renamed(&result, '_', "-"));
    }
    if whole.get("result").and_then(Value::as_str) != Some("success") {
        return Err(reply.unexpected());
    }
    Ok(whole.remove("arguments").unwrap_or_default())
}

/// Returns the value with this character replaced in the keys of objects and in the texts of the list
/// `fields`.
fn renamed(value: &Value, from: char, to: &str) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let rename =
        |text: &Value| text.as_str().map_or(text.clone(), |text| text.replace(from, to).into());
    let entries = object.iter().map(|(key, value)| {
        let value = match value {
            Value::Array(fields) => fields.iter().map(rename).collect(),
            value => value.clone(),
        };
        (key.replace(from, to), value)
    });
    Value::Object(entries.collect())
}

#[async_trait]
impl ClientApi for Transmission {
    async fn read(&self) -> Result<Reading, ClientError> {
        let settings = self.call("session-get", json!({ "fields": FIELDS })).await?;
        let settings: Settings = serde_json::from_value(settings)
            .map_err(|error| ClientError::Unexpected(format!("its settings: {error}")))?;
        let port = u16::try_from(settings.peer_port).unwrap_or_default();
        let mut announce_again = self.announce_again.lock().await;
        if announce_again.is_some_and(|at| at <= self.clock.instant()) {
            self.call("torrent-reannounce", json!({})).await?;
            *announce_again = None;
        }
        Ok(Reading {
            version: settings.version,
            port,
            announced: port,
            listening: None,
            has_udp: settings.utp_enabled || settings.dht_enabled,
            reached: None,
        })
    }

    async fn write(&self, wish: &Wish<'_>) -> Result<(), ClientError> {
        let settings = json!({
            "peer-port": wish.port,
            "peer-port-random-on-start": false,
            "port-forwarding-enabled": false,
        });
        self.call("session-set", settings).await.map(drop)
    }

    async fn announce(&self) -> Result<(), ClientError> {
        self.call("torrent-reannounce", json!({})).await?;
        *self.announce_again.lock().await = Some(self.clock.instant() + ANNOUNCE_AGAIN);
        Ok(())
    }

    fn udp_remedy(&self, version: &str) -> Option<String> {
        let major: u32 = version.split('.').next()?.parse().ok()?;
        (major < 4).then(|| {
            "restart Transmission: before version 4.0, it moves its UDP socket only when it starts".to_owned()
        })
    }
}
