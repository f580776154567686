//! Private Internet Access (PIA): every documented operation, and the neutral traits.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use anyvpn_pia::{
//!     Config, ConfigRequest, MemoryStore, NewPortForward, Password, Pia, PortForwards, Secret,
//!     ServerConfigs,
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let password = Password::new("p0000000", Secret::from(std::env::var("VPN_PASSWORD")?));
//!     // Signs in when the first call needs it, once a day, and when the token is refused.
//!     let pia = Pia::builder().build()?.with_sign_in(password, Arc::new(MemoryStore::new(None)));
//!     let obtained = pia.obtain_config(&ConfigRequest::wireguard("swiss")).await?;
//!     if let Config::WireGuard(config) = obtained.config {
//!         println!("{} peers", config.peers().len());
//!     }
//!     // Connect with it. Then, through the tunnel, every 15 minutes:
//!     let port = pia.create_port_forward(NewPortForward::new()).await?;
//!     println!("{} until {:?}", port.port, port.expires_at);
//!     Ok(())
//! }
//! ```
//!
//! [`Pia::call`] runs any operation of [`ops`], which are generated from the `openapi.yaml` in this
//! package. [`Pia`] implements the neutral traits of [`anyvpn_core`].
//!
//! # Guarantees
//!
//! - We connect to a VPN server at its address in the signed list, and it must prove its name with a
//!   certificate of the vendor's own authority. Tokens are sent only to such servers and to the
//!   vendor's account server, and no log and no error shows them.
//! - The list of servers is accepted only with the vendor's signature; see [`Pia::with_list_key`].
//! - A private key is generated on this machine and never sent.
//! - A new port is reserved only if no port is stored, or if the server refuses the stored one.
//! - Dropping the future of a call leaves the client usable.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs.
//! - `serde`: the neutral values can be serialized.
//!
//! Without `ring` and `aws-lc`, the process's default crypto provider is used.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod dialect;
mod driver;
mod lenient;
pub mod ops;
mod port_forwards;
mod server_configs;
pub mod types;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use accounts::PasswordSignIn;
pub use accounts::{DatedToken, Password};
pub use anyvpn_core::{
    Ability, Account, Accounts, Advice, Capabilities, Capability, Config, ConfigRequest, Context,
    Credential, Driver, Error, ErrorKind, Lease, LeaseStore, Leftover, LeftoverKind,
    ListPortForwards, MemoryLeaseStore, NewPortForward, OpenVpnProfile, OperationId, OperationInfo,
    PortForward, PortForwards, Protocol, Provider, ProviderInfo, Replay, Secret, Server,
    ServerConfig, ServerConfigs, Servers, Setting, Settings, SignIn, SignOut, Status, Timestamp,
    WireGuardConfig, WireGuardOptions,
};
use anyvpn_http::{Binding, Fixed, TokenManager};
pub use anyvpn_http::{
    Client, ClientBuilder, Limits, MemoryStore, Operation, RetryPolicy, SigningKey, TokenStore,
    TrustRoots, bulk,
};
use async_trait::async_trait;
pub use dialect::Dialect;
pub use driver::{CAPABILITIES, INFO, PiaDriver};
use ops::{AddKey, BindPort, GetSignature, ListServers};
use types::{CA, Host, LIST_KEY, ServerList};

/// The server where users sign in.
pub const BASE_URL: &str = "https://www.privateinternetaccess.com";
/// The server that returns accounts and ends tokens.
const ACCOUNT_URL: &str = "https://apiv2.privateinternetaccess.com";
/// The server that tells callers their address.
const STATUS_URL: &str = "https://api.privateinternetaccess.com";
/// The server with the list of VPN servers.
const LIST_URL: &str = "https://serverlist.piaservers.net";
/// The version of the server list that the vendor's scripts and application read.
pub const LIST_VERSION: &str = "v6";

/// A client for PIA. It is cheap to clone, and all clones share connections.
#[derive(Clone)]
pub struct Pia {
    client: Client<Dialect>,
    /// `None` means the vendor's.
    roots: Option<TrustRoots>,
    /// `None` means the vendor's.
    list_key: Option<SigningKey>,
    list_version: Arc<str>,
    leases: Arc<dyn LeaseStore>,
    connection: Option<Connection>,
    /// The tunnel of the last WireGuard configuration.
    last: Arc<Mutex<Option<Connection>>>,
}

/// The server to which a tunnel is connected, and which forwards ports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// The server's name in the list of servers, such as `Server-12345-0a`. It is case-sensitive.
    pub server: String,
    /// The server's address inside the tunnel, with the port of its port-forwarding API, 19999.
    pub gateway: SocketAddr,
}

impl Connection {
    /// Describes a tunnel to this server. Nothing is connected.
    #[must_use]
    pub fn new(server: impl Into<String>, gateway: SocketAddr) -> Self {
        Self { server: server.into(), gateway }
    }
}

impl Pia {
    /// Returns a builder for a client. If another base URL is set, it is used for all of the vendor's
    /// central servers, as in a sandbox.
    #[must_use]
    pub fn builder() -> ClientBuilder<Dialect> {
        Client::builder(BASE_URL)
            .server("account", ACCOUNT_URL)
            .server("status", STATUS_URL)
            .server("list", LIST_URL)
    }

    /// Runs an operation. Those of a VPN server need a client that knows the server:
    /// [`Client::with_server`], with the names `wireguard` and `ports`.
    ///
    /// # Errors
    ///
    /// As [`Client::call`].
    pub async fn call<O: Operation<Dialect = Dialect>>(
        &self,
        operation: O,
    ) -> Result<O::Output, Error> {
        self.client.call(operation).await
    }

    /// Returns the underlying client.
    #[must_use]
    pub fn client(&self) -> &Client<Dialect> {
        &self.client
    }

    /// Sets the token.
    #[must_use]
    pub fn with_token(&self, token: Secret) -> Self {
        Self { client: self.client.with_credentials(Fixed(Some(token))), ..self.clone() }
    }

    /// Signs in with a password if `store` has no token, or if its token expires soon or is refused. This is
    /// done once for all callers and for all processes that share the store: see [`TokenManager`]. A password
    /// that was refused is not sent again.
    #[must_use]
    pub fn with_sign_in(&self, password: Password, store: Arc<dyn TokenStore<DatedToken>>) -> Self {
        let subject = Some(password.username().to_owned());
        let binding = Binding::new(INFO.name, self.client.base_url(), subject);
        let clock = Arc::clone(self.client.clock());
        let sign_in = PasswordSignIn { client: self.client.clone(), password };
        let tokens = TokenManager::new(sign_in, store, binding, clock);
        Self { client: self.client.with_credentials(tokens), ..self.clone() }
    }

    /// Trusts VPN servers with certificates of these authorities instead of the vendor's.
    #[must_use]
    pub fn with_roots(self, roots: TrustRoots) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Accepts server lists that this key has signed, instead of the vendor's.
    #[must_use]
    pub fn with_list_key(self, key: SigningKey) -> Self {
        Self { list_key: Some(key), ..self }
    }

    /// Reads this version of the server list, such as `v7`. Default: [`LIST_VERSION`].
    #[must_use]
    pub fn with_list_version(self, version: &str) -> Self {
        Self { list_version: version.into(), ..self }
    }

    /// Stores reserved ports in this store. Default: in memory.
    #[must_use]
    pub fn with_leases(self, leases: Arc<dyn LeaseStore>) -> Self {
        Self { leases, ..self }
    }

    /// Forwards ports at the server of this tunnel. Default: the tunnel of the last WireGuard configuration.
    #[must_use]
    pub fn with_connection(self, connection: Connection) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// Reads the server list and checks its signature.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if the signature is not the vendor's; otherwise as [`Pia::call`].
    pub async fn server_list(&self) -> Result<ServerList, Error> {
        self.list(&self.list_version).await
    }

    async fn list(&self, version: &str) -> Result<ServerList, Error> {
        let list = self.call(ListServers { version: version.to_owned() }).await?;
        let key = self.list_key.clone().map_or_else(|| SigningKey::from_pem(LIST_KEY), Ok)?;
        list.verified(&key).map_err(|error| error.with_operation(ListServers::ID))
    }

    fn leases(&self) -> &dyn LeaseStore {
        &*self.leases
    }

    /// Assumes that this tunnel is connected, unless the caller has set another one.
    fn remember(&self, connection: Connection) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    }

    fn connection(&self) -> Result<Connection, Error> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.connection.clone().or_else(last).ok_or_else(|| {
            Error::invalid(
                "gateway",
                "is missing, and so is server_name; getting a WireGuard configuration sets both; with \
                 OpenVPN, use the gateway of the tunnel's route, and the server's name in the list",
            )
        })
    }

    /// Returns a client for a WireGuard server of the list.
    fn at_server(&self, list: &ServerList, host: &Host) -> Result<Client<Dialect>, Error> {
        self.at("wireguard", &host.cn, server_configs::address(list, host))
    }

    /// Returns a client for the server of the tunnel.
    fn at_gateway(&self) -> Result<Client<Dialect>, Error> {
        let Connection { server, gateway } = self.connection()?;
        self.at("ports", &server, gateway)
    }

    fn at(&self, name: &'static str, cn: &str, at: SocketAddr) -> Result<Client<Dialect>, Error> {
        let roots = self.roots.clone().map_or_else(|| TrustRoots::from_pem(CA), Ok)?;
        let server = anyvpn_http::Server::pinned(cn, at, &roots, self.client.limits().connect)?;
        Ok(self.client.with_server(name, server))
    }

    /// Returns a client for an operation that is called by name.
    async fn for_operation(&self, name: &str) -> Result<Client<Dialect>, Error> {
        if [GetSignature::ID, BindPort::ID].iter().any(|id| id.name() == name) {
            return self.at_gateway();
        }
        if name != AddKey::ID.name() {
            return Ok(self.client.clone());
        }
        let wanted = self.connection()?.server;
        let list = self.server_list().await?;
        let mut hosts = list.regions.items.iter().flat_map(|region| &region.servers.wg);
        let host = hosts.find(|host| host.cn == wanted).ok_or_else(|| {
            let why = format!("the server list no longer has a WireGuard server named {wanted:?}");
            Error::new(ErrorKind::NotFound).with_detail(why)
        })?;
        self.at_server(&list, host)
    }
}

impl std::fmt::Debug for Pia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pia").field("client", &self.client).finish_non_exhaustive()
    }
}

impl From<Client<Dialect>> for Pia {
    fn from(client: Client<Dialect>) -> Self {
        Self {
            client,
            roots: None,
            list_key: None,
            list_version: LIST_VERSION.into(),
            leases: Arc::new(MemoryLeaseStore::default()),
            connection: None,
            last: Arc::default(),
        }
    }
}

#[async_trait]
impl Provider for Pia {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        if operation == ListServers::ID.name()
            && input.as_object().is_some_and(|fields| fields.len() == 1)
            && let Some(version) = input["version"].as_str()
        {
            let list = self.list(version).await?;
            return serde_json::to_value(list).map_err(|e| Error::invalid("output", e.to_string()));
        }
        let client = self.for_operation(operation).await?;
        ops::call_by_name(&client, operation, input, reveal).await
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(self)
    }

    fn sign_out(&self) -> Option<&dyn SignOut> {
        Some(self)
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}
