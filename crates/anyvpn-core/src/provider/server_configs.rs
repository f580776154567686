//! Servers, and configurations for them.

use std::net::IpAddr;

use async_trait::async_trait;

use super::Status;
use crate::{Error, ErrorKind, PublicKey, Servers, Timestamp, WireGuardConfig, WireGuardOptions};

/// Servers, and configurations for them.
///
/// Obtaining a configuration can create something at the provider, such as a device.
/// [`Self::list_configs`] shows it and [`Self::revoke_config`] removes it. If obtaining fails after it was
/// created, [`Error::left_behind`] has its id.
#[async_trait]
pub trait ServerConfigs: Send + Sync {
    /// Returns all servers, in the provider's order, each once. Nothing is sent before the stream is
    /// polled.
    ///
    /// A long list is read page by page. If it changes between two pages, it is read again from its first
    /// page, and only servers that were not yet returned follow, in any order. The stream may then contain
    /// a server that has been removed meanwhile. A change that leaves all of the provider's counts equal
    /// and moves no server to a later page goes unnoticed.
    ///
    /// An element that cannot be read is left out: see [`Servers::left_out`].
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if there are fewer servers than the provider counts, or more than the client's
    /// limits allow; `Unavailable` if the list keeps changing. Servers may have been returned before.
    fn servers(&self) -> Servers<'_>;

    /// Obtains a configuration for one server, ready to be written to a file.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown server; `InvalidRequest` for a protocol that the server does not have,
    /// or for options that are never valid, before anything is created; `DeviceLimit` and
    /// `CapacityReached` if something must be deleted first. If the call failed but created something,
    /// [`Error::left_behind`] lists it, with the provider's text if there is one.
    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error>;

    /// Returns the configurations that are still valid, in the provider's order; empty if there are none,
    /// or if the provider does not record them.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential.
    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error>;

    /// Revokes a configuration. It is invalid when this returns.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown id.
    async fn revoke_config(&self, id: &str) -> Result<(), Error>;

    /// Replaces the key of a configuration. The new key is in place before the old one is removed.
    ///
    /// The default implementation obtains another configuration and then revokes the old one, so the
    /// account must have room for one more. A provider that can replace just the key does that instead.
    ///
    /// # Errors
    ///
    /// As [`Self::obtain_config`]. After an error, the old key still works. It is not an error if the
    /// old key could not be revoked: [`Rotated::old_key_valid`] reports this.
    async fn rotate_config(&self, id: &str, request: &ConfigRequest) -> Result<Rotated, Error> {
        if !self.list_configs().await?.iter().any(|it| it.id == id) {
            return Err(Error::new(ErrorKind::NotFound)
                .with_detail(format!("there is no configuration with the id {id:?}")));
        }
        let config = self.obtain_config(request).await?;
        if config.id.as_deref() == Some(id) {
            return Err(Error::invalid("private_key", "is the key that is already in use"));
        }
        let revoked = self.revoke_config(id).await;
        let old_key_valid = revoked.is_err_and(|error| error.kind() != ErrorKind::NotFound);
        Ok(Rotated::new(config, old_key_valid))
    }
}

/// A server, or a location with several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Server {
    /// The id for [`ConfigRequest::server`].
    pub id: String,
    /// The name for people; the id if the provider gives no name.
    pub name: String,
    /// The country's name; absent if the provider does not say.
    pub country: Option<String>,
    /// The country, as ISO 3166 alpha-2 in lower case; absent if the provider does not say.
    pub country_code: Option<String>,
    /// The city; absent if the provider does not say.
    pub city: Option<String>,
    /// The host to connect to; absent if the server cannot be used now.
    pub host: Option<String>,
    /// The protocols that it supports.
    pub protocols: Vec<Protocol>,
    /// How many more users fit; absent if the provider does not say.
    pub free_slots: Option<u32>,
    /// Whether ports can be forwarded there; absent if the provider does not say.
    pub forwards_ports: Option<bool>,
}

impl Server {
    /// Creates a server of which only the id and name are known.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            country: None,
            country_code: None,
            city: None,
            host: None,
            protocols: Vec::new(),
            free_slots: None,
            forwards_ports: None,
        }
    }
}

crate::open_enum! {
    /// A VPN protocol.
    pub enum Protocol {
        /// WireGuard.
        WireGuard = "wireguard",
        /// OpenVPN.
        OpenVpn = "openvpn",
    }
}

/// A request for a configuration.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfigRequest {
    /// The [`Server::id`].
    pub server: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The options for WireGuard.
    pub wireguard: WireGuardOptions,
}

impl ConfigRequest {
    /// Creates a request for a server's default configuration.
    #[must_use]
    pub fn new(server: impl Into<String>, protocol: Protocol) -> Self {
        Self { server: server.into(), protocol, wireguard: WireGuardOptions::default() }
    }

    /// Creates a request for a server's default WireGuard configuration.
    #[must_use]
    pub fn wireguard(server: impl Into<String>) -> Self {
        Self::new(server, Protocol::WireGuard)
    }
}

/// A configuration for one server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The id for [`ServerConfigs::revoke_config`]; absent if the provider does not record it.
    pub id: Option<String>,
    /// The configuration.
    pub config: Config,
    /// What a person should know before storing it, in a sentence; absent if it is valid until it is
    /// revoked.
    pub note: Option<String>,
}

impl ServerConfig {
    /// Creates a configuration without a note.
    #[must_use]
    pub fn new(id: Option<String>, config: Config) -> Self {
        Self { id, config, note: None }
    }

    /// Adds a note for the person who stores it.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// The text of a configuration, by protocol.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Config {
    /// A file for wg-quick.
    WireGuard(WireGuardConfig),
    /// A file for OpenVPN 2.6, with the user name and the password in it if the provider has them.
    /// [`OpenVpnProfile::without_auth_user_pass`](crate::OpenVpnProfile::without_auth_user_pass) moves
    /// them to a file for other programs.
    #[cfg(feature = "openvpn")]
    OpenVpn(crate::OpenVpnProfile),
}

/// A provider's record of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ObtainedConfig {
    /// The id for [`ServerConfigs::revoke_config`].
    pub id: String,
    /// The name of the device or server; absent if the provider does not say.
    pub name: Option<String>,
    /// The protocol.
    pub protocol: Protocol,
    /// The addresses inside the tunnel; empty if the provider does not say.
    pub addresses: Vec<IpAddr>,
    /// The valid public keys; empty if the provider does not say.
    pub public_keys: Vec<PublicKey>,
    /// Whether it can be used.
    pub status: Status,
    /// When it was created; absent if the provider does not say.
    pub created_at: Option<Timestamp>,
}

impl ObtainedConfig {
    /// Creates a record of which only these fields are known.
    #[must_use]
    pub fn new(id: impl Into<String>, protocol: Protocol, status: Status) -> Self {
        Self {
            id: id.into(),
            name: None,
            protocol,
            addresses: Vec::new(),
            public_keys: Vec::new(),
            status,
            created_at: None,
        }
    }
}

/// The outcome of a key rotation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotated {
    /// The configuration with the new key.
    pub config: ServerConfig,
    /// Whether the old key still works, because the provider has no way to remove one alone.
    pub old_key_valid: bool,
}

impl Rotated {
    /// Creates the outcome of a key rotation.
    #[must_use]
    pub fn new(config: ServerConfig, old_key_valid: bool) -> Self {
        Self { config, old_key_valid }
    }
}
