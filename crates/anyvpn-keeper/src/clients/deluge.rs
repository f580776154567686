//! Deluge 2.0 and later, through the JSON API of deluge-web, which forwards calls to the daemon.

use std::sync::Arc;

use anyvpn_core::{Clock, Error, Secret};
use async_trait::async_trait;
use http::header::COOKIE;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::ClientSettings;
use super::http::{WebInterface, secret_header};
use super::port_setter::{ClientApi, Reading, Wish};
use super::sign_in::Refusals;
use crate::ClientError;

/// The maximum number of daemons in deluge-web's list that we try.
const HOSTS: usize = 5;

struct Deluge {
    web: WebInterface,
    password: Secret,
    /// The session's cookie; `None` before the first sign-in.
    session: Mutex<Option<Secret>>,
    refusals: Refusals,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    message: String,
}

/// Deluge's error code for a missing session.
const NOT_AUTHENTICATED: i64 = 1;

/// The settings that we read. Some programs store ports as strings, which breaks Deluge.
#[derive(Deserialize)]
struct Config {
    random_port: bool,
    listen_ports: Vec<Value>,
}

impl Config {
    /// Returns the configured port; 0 if there are several or Deluge chooses one.
    fn port(&self) -> u16 {
        let ports: Vec<_> =
            self.listen_ports.iter().map(|port| port.as_u64().unwrap_or_default()).collect();
        match ports[..] {
            [first, last] if first == last && !self.random_port => {
                u16::try_from(first).unwrap_or_default()
            }
            _ => 0,
        }
    }
}

#[derive(Deserialize)]
struct SessionStatus {
    /// 0 or 1, or a boolean.
    has_incoming_connections: Value,
}

pub(super) fn open(
    settings: &ClientSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn ClientApi>, Error> {
    if settings.api_key.is_some() || settings.username.is_some() {
        return Err(Error::invalid(
            "username",
            "is not used by deluge-web, which has only a password; omit it",
        ));
    }
    let password = settings.password.clone();
    let password = password.ok_or_else(|| {
        Error::invalid("password", "is required: give the password of deluge-web")
    })?;
    Ok(Box::new(Deluge {
        web: WebInterface::new(&settings.address, vec![password.clone()], Arc::clone(&clock))?,
        password,
        session: Mutex::default(),
        refusals: Refusals::new(clock),
    }))
}

impl Deluge {
    /// Calls a method of deluge-web or of the daemon. Signs in first if that is needed.
    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, ClientError> {
        let mut session = self.session.lock().await;
        let is_new = session.is_none();
        if is_new {
            *session = Some(self.sign_in().await?);
        }
        let mut answer = self.send(session.as_ref(), method, &params).await?;
        if is_signed_out(&answer) {
            *session = None;
            if !is_new {
                *session = Some(self.sign_in().await?);
                answer = self.send(session.as_ref(), method, &params).await?;
            }
        }
        parse(method, answer)
    }

    /// Connects deluge-web to the first daemon of its list that answers, if it is not connected.
    ///
    /// After losing a daemon, deluge-web answers no calls to it until it is connected again.
    async fn connect(&self) -> Result<(), ClientError> {
        if self.call("web.connected", json!([])).await? {
            return Ok(());
        }
        let hosts: Vec<Vec<Value>> = self.call("web.get_hosts", json!([])).await?;
        for id in hosts.iter().take(HOSTS).filter_map(|host| host.first()) {
            // This call succeeds even if the daemon is down.
            let _: Value = self.call("web.connect", json!([id])).await?;
            if self.call("web.connected", json!([])).await? {
                return Ok(());
            }
        }
        let why = "deluge-web is not connected to a daemon, and no daemon in its list answers";
        Err(ClientError::Unreachable(why.to_owned()))
    }

    async fn send(
        &self,
        session: Option<&Secret>,
        method: &str,
        params: &Value,
    ) -> Result<Answer, ClientError> {
        let mut request = self.web.post("json", "application/json");
        if let Some(cookie) = session {
            request = request.header(COOKIE, secret_header(cookie)?);
        }
        let call = json!({ "method": method, "params": params, "id": 1 });
        self.web.send(request, call.to_string()).await?.json()
    }

    /// Signs in and returns the session's cookie.
    async fn sign_in(&self) -> Result<Secret, ClientError> {
        self.refusals.check()?;
        let request = self.web.post("json", "application/json");
        let call = json!({ "method": "auth.login", "params": [self.password.expose()], "id": 1 });
        let reply = self.web.send(request, call.to_string()).await?;
        let answer: Answer = reply.json()?;
        match (answer.result, reply.cookies()) {
            (Value::Bool(true), Some(cookie)) => Ok(cookie),
            (Value::Bool(false), _) => Err(self.refusals.remember("wrong password")),
            _ => Err(reply.unexpected()),
        }
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool().or(value.as_i64().map(|number| number != 0)).unwrap_or_default()
}

fn is_signed_out(answer: &Answer) -> bool {
    answer.error.as_ref().is_some_and(|fault| fault.code == NOT_AUTHENTICATED)
}

fn parse<T: DeserializeOwned>(method: &str, answer: Answer) -> Result<T, ClientError> {
    if let Some(fault) = answer.error {
        let message: String = fault.message.chars().take(120).collect();
        let message = anyvpn_core::escape_invisible(&message);
        return Err(ClientError::Unexpected(format!("{method}: code {}: {message}", fault.code)));
    }
    serde_json::from_value(answer.result)
        .map_err(|error| ClientError::Unexpected(format!("{method}: {error}")))
}

#[async_trait]
impl ClientApi for Deluge {
    async fn read(&self) -> Result<Reading, ClientError> {
        self.connect().await?;
        let keys = json!([["random_port", "listen_ports"]]);
        let config: Config = self.call("core.get_config_values", keys).await?;
        // The port on which it really listens. If the configured port is taken, Deluge opens the next
        // one but keeps the setting.
        let open: i64 = self.call("core.get_listen_port", json!([])).await?;
        let status = json!([["has_incoming_connections"]]);
        let status: SessionStatus = self.call("core.get_session_status", status).await?;
        let port = config.port();
        Ok(Reading {
            version: self.call("daemon.get_version", json!([])).await.ok(),
            port,
            announced: port,
            listening: Some(open == i64::from(port)),
            has_udp: true,
            reached: Some(is_true(&status.has_incoming_connections)),
        })
    }

    async fn write(&self, wish: &Wish<'_>) -> Result<(), ClientError> {
        let mut config = json!({
            "random_port": false,
            "listen_ports": [wish.port, wish.port],
            "upnp": false,
            "natpmp": false,
        });
        if let Some(tunnel) = wish.bind {
            config["listen_interface"] = tunnel.interface.as_str().into();
            config["outgoing_interface"] = tunnel.interface.as_str().into();
        }
        self.call("core.set_config", json!([config])).await
    }

    async fn announce(&self) -> Result<(), ClientError> {
        let torrents: Vec<String> = self.call("core.get_session_state", json!([])).await?;
        self.call("core.force_reannounce", json!([torrents])).await
    }
}
