//! What the providers have in common: the traits that applications use.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Error, ErrorKind, ProviderInfo, PublicKey, Secret, Servers, Timestamp, WireGuardConfig,
    WireGuardOptions,
};

/// One provider, signed in or not.
///
/// What a provider cannot do is not there to call: the accessor gives `None`, and
/// [`Capabilities`] says why. Implementations can be shared between tasks, and dropping the future
/// of any method leaves them usable.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync {
    /// What the provider is: its name, its operations, what it can do.
    fn info(&self) -> &'static ProviderInfo;

    /// The provider's short name, such as `azire`.
    fn name(&self) -> &'static str {
        self.info().name
    }

    /// What the provider can do, as data.
    fn capabilities(&self) -> &'static Capabilities {
        self.info().capabilities
    }

    /// Does one of the provider's own operations, named as in [`ProviderInfo::operations`] without
    /// the provider's part, with a JSON object of its fields.
    ///
    /// Secrets in the result are `"[redacted]"` unless `reveal` is true.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for an unknown operation and for an input that does not fit it; else as the
    /// operation itself.
    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        let _ = (input, reveal);
        Err(self.info().unknown_operation(operation))
    }

    /// The account behind the credentials.
    fn accounts(&self) -> Option<&dyn Accounts> {
        None
    }

    /// Creating and closing accounts.
    fn account_admin(&self) -> Option<&dyn AccountAdmin> {
        None
    }

    /// Ports of the VPN server that lead to this machine.
    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        None
    }

    /// Servers, and configurations for them.
    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        None
    }
}

/// Whether a provider can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// It can, and anyvpn does it.
    Can,
    /// It cannot.
    Cannot {
        /// The reason.
        why: &'static str,
        /// The vendor's page that shows it.
        link: &'static str,
    },
    /// It can, and anyvpn does not do it yet.
    NotYet,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Can => f.write_str("yes"),
            Self::Cannot { why, .. } => write!(f, "no: {why}"),
            Self::NotYet => f.write_str("not yet"),
        }
    }
}

/// What a provider can do, by trait and by protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// [`Accounts`].
    pub accounts: Capability,
    /// [`AccountAdmin`].
    pub account_admin: Capability,
    /// [`PortForwards`].
    pub port_forwards: Capability,
    /// [`ServerConfigs`].
    pub server_configs: Capability,
    /// Configurations for WireGuard.
    pub wireguard: Capability,
    /// Configurations for OpenVPN.
    pub openvpn: Capability,
}

impl Capabilities {
    /// Each capability with its name, in a fixed order.
    #[must_use]
    pub fn all(&self) -> [(&'static str, Capability); 6] {
        [
            ("accounts", self.accounts),
            ("account-admin", self.account_admin),
            ("port-forwards", self.port_forwards),
            ("server-configs", self.server_configs),
            ("wireguard", self.wireguard),
            ("openvpn", self.openvpn),
        ]
    }
}

/// The account behind the credentials.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The account, its status and its services. Changes nothing.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential; `Suspended` where the provider says so instead of
    /// answering.
    async fn account(&self) -> Result<Account, Error>;
}

/// An account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// What the person signs in with: a user name or an e-mail address.
    pub login: String,
    /// The e-mail address; absent where the account has none.
    pub email: Option<String>,
    /// Whether the account can be used.
    pub status: Status,
    /// The account's services, in the provider's order; empty when there is none.
    pub services: Vec<Service>,
    /// When it was created; absent where the provider does not say.
    pub created_at: Option<Timestamp>,
    /// When access ends unless renewed; absent where the provider does not say.
    pub expires_at: Option<Timestamp>,
}

impl Account {
    /// An account of which only login and status are known.
    #[must_use]
    pub fn new(login: impl Into<String>, status: Status) -> Self {
        Self {
            login: login.into(),
            email: None,
            status,
            services: Vec::new(),
            created_at: None,
            expires_at: None,
        }
    }
}

/// Whether an account, a service or a configuration can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It can.
    Active,
    /// It cannot, for now.
    Inactive,
    /// Its time is over.
    Expired,
    /// The provider has suspended it.
    Suspended,
    /// The provider's own word or number, kept as it came.
    Other(String),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Other(word) => word,
        })
    }
}

/// A plan, product or subscription of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// The provider's id; absent where it has none.
    pub id: Option<String>,
    /// The plan's name.
    pub name: String,
    /// Whether it can be used.
    pub status: Status,
    /// When it ends or is paid for again; absent where the provider does not say.
    pub due_at: Option<Timestamp>,
    /// Whether it is renewed by itself; absent where the provider does not say.
    pub auto_renew: Option<bool>,
}

impl Service {
    /// A service of which only name and status are known.
    #[must_use]
    pub fn new(name: impl Into<String>, status: Status) -> Self {
        Self { id: None, name: name.into(), status, due_at: None, auto_renew: None }
    }
}

/// Creating and closing accounts. Nothing here is ever repeated by itself.
#[async_trait]
pub trait AccountAdmin: Send + Sync {
    /// Creates an account.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`, `InvalidRequest` or, where the provider does not say why, `Refused` when it
    /// refuses the login; `InvalidRequest` when it needs a field that is absent, or has no place for one that is given; `Ambiguous`
    /// when it may have been created: sign in to see.
    async fn create(&self, account: NewAccount) -> Result<Account, Error>;

    /// Sets the password of the account behind the credentials.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for a password that the provider does not accept.
    async fn set_password(&self, password: Secret) -> Result<(), Error>;

    /// Closes the account behind the credentials, at once and for good.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the provider wants the password and none is given; `Unauthorized` or
    /// `Refused` when it is wrong; `Ambiguous` when it may be closed: a further call then gives
    /// `Unauthorized`.
    async fn close(&self, password: Option<&Secret>) -> Result<(), Error>;
}

/// An account to be created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewAccount {
    /// What the person signs in with: a user name or an e-mail address, as the provider has it.
    pub login: String,
    /// The password; some providers make one when it is absent.
    pub password: Option<Secret>,
    /// An e-mail address beside the login.
    pub email: Option<String>,
    /// The currency, as ISO 4217, such as `EUR`.
    pub currency: Option<String>,
    /// The country, as ISO 3166-1 alpha-2, such as `US`.
    pub country: Option<String>,
    /// How many months the account's first plan lasts, where creating an account buys one.
    pub months: Option<u8>,
}

impl NewAccount {
    /// An account with this login and password and nothing else.
    #[must_use]
    pub fn new(login: impl Into<String>, password: Option<Secret>) -> Self {
        Self {
            login: login.into(),
            password,
            email: None,
            currency: None,
            country: None,
            months: None,
        }
    }
}

/// Ports of the VPN server that lead to a device of the account.
///
/// A port belongs to one device, named by its address inside the tunnel, on one server. Calls must
/// come from inside that tunnel. No method creates anything because another one failed.
#[async_trait]
pub trait PortForwards: Send + Sync {
    /// The tunnel addresses of the account's devices, one of which is this machine's.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential.
    async fn tunnel_addresses(&self) -> Result<Vec<Ipv4Addr>, Error>;

    /// The open ports of a device that are not hidden, in the provider's order; empty when there is
    /// none.
    ///
    /// # Errors
    ///
    /// `Unavailable` is an error, never an empty list.
    async fn list(&self, device: Ipv4Addr) -> Result<Vec<PortForward>, Error>;

    /// Opens a port; the provider chooses its number. Never repeated by itself.
    ///
    /// # Errors
    ///
    /// `QuotaReached` when the day's allowance is used up; `Ambiguous` when a port may have been
    /// opened: list to see. No list shows one that was to be hidden.
    async fn create(&self, port: NewPortForward) -> Result<PortForward, Error>;

    /// Takes a port out of later lists for good. It stays open; remember its number.
    ///
    /// # Errors
    ///
    /// `NotFound` when the device has no such port.
    async fn hide(&self, device: Ipv4Addr, port: u16) -> Result<PortForward, Error>;

    /// Closes a port.
    ///
    /// # Errors
    ///
    /// `NotFound` when the device has no such port.
    async fn delete(&self, device: Ipv4Addr, port: u16) -> Result<(), Error>;

    /// Asks the provider to connect to the port from outside. Needs no credential.
    ///
    /// # Errors
    ///
    /// A closed port is no error.
    async fn check(&self, port: u16) -> Result<PortCheck, Error>;
}

/// A port to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewPortForward {
    /// The device's address inside the tunnel.
    pub device: Ipv4Addr,
    /// How long it stays open, in whole days; absent: as long as the provider does by default.
    pub lifetime: Option<Duration>,
    /// Whether lists leave it out from the beginning.
    pub hidden: bool,
}

impl NewPortForward {
    /// A port for this device with the provider's default lifetime.
    #[must_use]
    pub fn new(device: Ipv4Addr) -> Self {
        Self { device, lifetime: None, hidden: false }
    }
}

/// An open port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortForward {
    /// The device's address inside the tunnel.
    pub device: Ipv4Addr,
    /// The port's number on the VPN server.
    pub port: u16,
    /// Whether lists leave it out.
    pub hidden: bool,
    /// When it closes.
    pub expires_at: Timestamp,
}

impl PortForward {
    /// An open port.
    #[must_use]
    pub fn new(device: Ipv4Addr, port: u16, hidden: bool, expires_at: Timestamp) -> Self {
        Self { device, port, hidden, expires_at }
    }
}

/// What the provider found when it connected to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortCheck {
    /// The port.
    pub port: u16,
    /// Whether something on this machine answered.
    pub open: bool,
    /// The public address that was tried; absent where the provider does not say.
    pub address: Option<IpAddr>,
}

impl PortCheck {
    /// The result of a check.
    #[must_use]
    pub fn new(port: u16, open: bool, address: Option<IpAddr>) -> Self {
        Self { port, open, address }
    }
}

/// Servers, and configurations for them.
///
/// Obtaining one can leave something behind at the provider (a device, a slot): [`Self::list`]
/// shows it and [`Self::revoke`] removes it. When obtaining fails after it was made,
/// [`Error::left_behind`] has its id.
#[async_trait]
pub trait ServerConfigs: Send + Sync {
    /// All servers, in the provider's order, each once. Nothing is sent before the stream is polled.
    ///
    /// A long list is read page by page. When it changes between two pages, as a server is added or
    /// removed, it is read again from its first page, and only the servers that have not come yet follow:
    /// in any order, and perhaps after one that has gone meanwhile. A change that leaves all of the
    /// provider's numbers as they were, and brings no server twice, cannot be seen.
    ///
    /// An element of the list that cannot be read is left out: see [`Servers::left_out`].
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` when fewer servers have come than the provider counts, or more than the
    /// client's limits allow; `Unavailable` when the list goes on changing. Servers came before that.
    fn servers(&self) -> Servers<'_>;

    /// A configuration for one server, ready to be written to a file.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown server; `InvalidRequest` for a protocol that the server does not
    /// have, and for options that no configuration can have, before anything is made; `DeviceLimit`
    /// and `CapacityReached` where something must be deleted first. What was made although the call
    /// failed is in [`Error::left_behind`], with the provider's text where there is one.
    async fn obtain(&self, request: &ConfigRequest) -> Result<ServerConfig, Error>;

    /// What was obtained and is still valid, in the provider's order; empty when there is none.
    ///
    /// # Errors
    ///
    /// `Unauthorized` without a valid credential.
    async fn list(&self) -> Result<Vec<ObtainedConfig>, Error>;

    /// Makes what was obtained invalid. It is gone when this returns.
    ///
    /// # Errors
    ///
    /// `NotFound` for an unknown id.
    async fn revoke(&self, id: &str) -> Result<(), Error>;

    /// Replaces the key of what was obtained: the new one is in place before the old one goes.
    ///
    /// As it stands here, it obtains another configuration and revokes the old one after that, so
    /// there must be room for one more. A provider that can replace a key alone does that instead.
    ///
    /// # Errors
    ///
    /// As [`Self::obtain`]. After an error, the old key still works. That the old key could not be
    /// revoked is no error: [`Rotated::old_key_valid`] says so.
    async fn rotate(&self, id: &str, request: &ConfigRequest) -> Result<Rotated, Error> {
        if !self.list().await?.iter().any(|it| it.id == id) {
            return Err(Error::new(ErrorKind::NotFound)
                .with_detail(format!("no configuration has the id {id:?}")));
        }
        let config = self.obtain(request).await?;
        if config.id.as_deref() == Some(id) {
            return Err(Error::invalid("private_key", "is the key that is in use already"));
        }
        let revoked = self.revoke(id).await;
        let old_key_valid = revoked.is_err_and(|error| error.kind() != ErrorKind::NotFound);
        Ok(Rotated::new(config, old_key_valid))
    }
}

/// A server, or a location with several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// What [`ConfigRequest::server`] takes.
    pub id: String,
    /// The name for people; the id where the provider gives none.
    pub name: String,
    /// The country's name; absent where the provider does not say.
    pub country: Option<String>,
    /// The country, as ISO 3166 alpha-2 in lower case; absent where the provider does not say.
    pub country_code: Option<String>,
    /// The city; absent where the provider does not say.
    pub city: Option<String>,
    /// The host to connect to; absent when the server cannot be used now.
    pub host: Option<String>,
    /// The protocols it speaks.
    pub protocols: Vec<Protocol>,
    /// How many more users fit; absent where the provider does not say.
    pub free_slots: Option<u32>,
}

impl Server {
    /// A server of which only id and name are known.
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

/// Which configuration is wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfigRequest {
    /// The [`Server::id`].
    pub server: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Choices for WireGuard.
    pub wireguard: WireGuardOptions,
}

impl ConfigRequest {
    /// The provider's usual configuration for a server.
    #[must_use]
    pub fn new(server: impl Into<String>, protocol: Protocol) -> Self {
        Self { server: server.into(), protocol, wireguard: WireGuardOptions::default() }
    }

    /// The provider's usual WireGuard configuration for a server.
    #[must_use]
    pub fn wireguard(server: impl Into<String>) -> Self {
        Self::new(server, Protocol::WireGuard)
    }
}

/// A configuration for one server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// What [`ServerConfigs::revoke`] takes; absent where the provider keeps nothing.
    pub id: Option<String>,
    /// The configuration.
    pub config: Config,
}

impl ServerConfig {
    /// A configuration.
    #[must_use]
    pub fn new(id: Option<String>, config: Config) -> Self {
        Self { id, config }
    }
}

/// The text of a configuration, by protocol.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Config {
    /// A file for wg-quick.
    WireGuard(WireGuardConfig),
    /// A file for OpenVPN.
    #[cfg(feature = "openvpn")]
    OpenVpn(crate::OpenVpnProfile),
}

/// What a provider remembers of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObtainedConfig {
    /// What [`ServerConfigs::revoke`] takes.
    pub id: String,
    /// The name of the device or server; absent where the provider does not say.
    pub name: Option<String>,
    /// The protocol.
    pub protocol: Protocol,
    /// The addresses inside the tunnel; empty where the provider does not say.
    pub addresses: Vec<IpAddr>,
    /// The public keys that are valid; empty where the provider does not say.
    pub public_keys: Vec<PublicKey>,
    /// Whether it can be used.
    pub status: Status,
    /// When it was made; absent where the provider does not say.
    pub created_at: Option<Timestamp>,
}

impl ObtainedConfig {
    /// A configuration of which only this is known.
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
    /// The outcome of a key rotation.
    #[must_use]
    pub fn new(config: ServerConfig, old_key_valid: bool) -> Self {
        Self { config, old_key_valid }
    }
}
