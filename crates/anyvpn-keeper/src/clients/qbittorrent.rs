//! qBittorrent 4.1 and later, through its Web API 2.

use std::sync::Arc;

use anyvpn_core::{Clock, Error, Secret};
use async_trait::async_trait;
use http::header::{AUTHORIZATION, COOKIE};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use super::ClientSettings;
use super::http::{Reply, WebInterface, secret_header};
use super::port_setter::{ClientApi, Reading, Wish};
use super::sign_in::Refusals;
use crate::ClientError;

const FORM: &str = "application/x-www-form-urlencoded";

struct QBittorrent {
    web: WebInterface,
    credentials: Credentials,
    /// The session's cookie; `None` before the first sign-in.
    session: Mutex<Option<Secret>>,
    refusals: Refusals,
}

enum Credentials {
    /// qBittorrent accepts this machine without credentials.
    None,
    Password {
        username: String,
        password: Secret,
    },
    ApiKey(Secret),
}

/// The preferences that we read. Later versions have more of them.
#[derive(Deserialize)]
struct Preferences {
    listen_port: i64,
    /// Absent before 5.1; 0 means that it announces the port on which it listens.
    #[serde(default)]
    announce_port: i64,
    /// 1 means TCP without uTP.
    #[serde(default)]
    bittorrent_protocol: i64,
}

#[derive(Deserialize)]
struct TransferInfo {
    connection_status: String,
}

pub(super) fn open(
    settings: &ClientSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn ClientApi>, Error> {
    let credentials = match (&settings.api_key, &settings.username, &settings.password) {
        (Some(key), None, None) => {
            Credentials::ApiKey(Secret::from(format!("Bearer {}", key.expose())))
        }
        (None, Some(username), Some(password)) => {
            Credentials::Password { username: username.clone(), password: password.clone() }
        }
        (None, None, None) => Credentials::None,
        (Some(_), ..) => {
            return Err(Error::invalid(
                "api_key",
                "cannot be combined with a user name and password; give either the key or those two",
            ));
        }
        _ => return Err(Error::invalid("username", "needs a password, and a password needs it")),
    };
    let secrets = [&settings.password, &settings.api_key].into_iter().flatten().cloned().collect();
    Ok(Box::new(QBittorrent {
        web: WebInterface::new(&settings.address, secrets, Arc::clone(&clock))?,
        credentials,
        session: Mutex::default(),
        refusals: Refusals::new(clock),
    }))
}

impl QBittorrent {
    async fn get(&self, path: &str) -> Result<Reply, ClientError> {
        self.call(path, None).await
    }

    async fn post(&self, path: &str, field: &str, value: &str) -> Result<Reply, ClientError> {
        let form = Serializer::new(String::new()).append_pair(field, value).finish();
        let reply = self.call(path, Some(form)).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(reply.unexpected()) }
    }

    /// Sends a request within a session. If the session has expired, signs in again once.
    async fn call(&self, path: &str, form: Option<String>) -> Result<Reply, ClientError> {
        let mut session = self.session.lock().await;
        let is_new = session.is_none();
        if is_new {
            *session = self.sign_in().await?;
        }
        let reply = self.attempt(path, form.as_deref(), session.as_ref()).await?;
        if reply.status != 403 {
            return Ok(reply);
        }
        *session = None;
        if matches!(self.credentials, Credentials::None) {
            let why = "it asks for a password; allow clients on localhost without one, or give \
                       the keeper a user name and a password";
            // Nothing was refused that counts towards a ban, so it can be asked again soon.
            return Err(ClientError::Unable(why.to_owned()));
        }
        if is_new || !matches!(self.credentials, Credentials::Password { .. }) {
            return Err(self.refusals.remember(&reply.describe()));
        }
        *session = self.sign_in().await?;
        let reply = self.attempt(path, form.as_deref(), session.as_ref()).await?;
        if reply.status == 403 {
            *session = None;
            return Err(self.refusals.remember(&reply.describe()));
        }
        Ok(reply)
    }

    async fn attempt(
        &self,
        path: &str,
        form: Option<&str>,
        session: Option<&Secret>,
    ) -> Result<Reply, ClientError> {
        let path = format!("api/v2/{path}");
        let mut request = match form {
            Some(_) => self.web.post(&path, FORM),
            None => self.web.get(&path),
        };
        if let Credentials::ApiKey(key) = &self.credentials {
            self.refusals.check()?;
            request = request.header(AUTHORIZATION, secret_header(key)?);
        }
        if let Some(cookie) = session.filter(|cookie| !cookie.is_empty()) {
            request = request.header(COOKIE, secret_header(cookie)?);
        }
        self.web.send(request, form.unwrap_or_default().to_owned()).await
    }

    /// Signs in and returns the session's cookie; `None` if no session is needed.
    async fn sign_in(&self) -> Result<Option<Secret>, ClientError> {
        let Credentials::Password { username, password } = &self.credentials else {
            return Ok(None);
        };
        self.refusals.check()?;
        let form = Serializer::new(String::new())
            .append_pair("username", username)
            .append_pair("password", password.expose())
            .finish();
        let reply = self.web.send(self.web.post("api/v2/auth/login", FORM), form).await?;
        // Before 5.2, the reply to a wrong password is a success with the text `Fails.`
        let is_refused = matches!(reply.status.as_u16(), 401 | 403) || reply.text() == "Fails.";
        match reply.cookies() {
            _ if is_refused => Err(self.refusals.remember(&reply.describe())),
            Some(cookie) if reply.status.is_success() => Ok(Some(cookie)),
            // It accepts this machine without a session.
            None if reply.status.is_success() => Ok(Some(Secret::from(""))),
            _ => Err(reply.unexpected()),
        }
    }
}

#[async_trait]
impl ClientApi for QBittorrent {
    async fn read(&self) -> Result<Reading, ClientError> {
        let version = self.get("app/version").await?;
        if !version.status.is_success() {
            return Err(version.unexpected());
        }
        let preferences: Preferences = self.get("app/preferences").await?.json()?;
        let transfer: TransferInfo = self.get("transfer/info").await?.json()?;
        let number = |port: i64| u16::try_from(port).unwrap_or_default();
        let port = number(preferences.listen_port);
        Ok(Reading {
            version: Some(version.line()),
            port,
            announced: Some(number(preferences.announce_port))
                .filter(|port| *port != 0)
                .unwrap_or(port),
            listening: Some(transfer.connection_status != "disconnected"),
            has_udp: preferences.bittorrent_protocol != 1,
            reached: Some(transfer.connection_status == "connected"),
        })
    }

    async fn write(&self, wish: &Wish<'_>) -> Result<(), ClientError> {
        // 0 means that it announces the port on which it listens. Versions before 5.1 ignore the key.
        let announced = if wish.public_port == wish.port { 0 } else { wish.public_port };
        let mut preferences = json!({
            "listen_port": wish.port,
            "random_port": false,
            "upnp": false,
            "announce_port": announced,
        });
        if let Some(tunnel) = wish.bind {
            preferences["current_network_interface"] = tunnel.interface.as_str().into();
            // An empty value means all addresses of the interface, because the tunnel's address can
            // change.
            preferences["current_interface_address"] = "".into();
        }
        self.post("app/setPreferences", "json", &preferences.to_string()).await.map(drop)
    }

    async fn announce(&self) -> Result<(), ClientError> {
        self.post("torrents/reannounce", "hashes", "all").await.map(drop)
    }
}
