//! VPN Script's API: every documented operation, and the neutral traits.
//!
//! VPN Script is software that providers install. The base URL is that of the installation, with or without
//! a path.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use anyvpn_vpnscript::{
//!     Config, ConfigRequest, Limits, MemoryStore, Password, RetryPolicy, Secret, ServerConfigs,
//!     VpnScript,
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let password = Secret::from(std::env::var("VPN_PASSWORD")?);
//!     let password = Password::new("liam", password, "Liam's laptop");
//!     // Signs in when the first call needs it, and again when the token is refused.
//!     let vpn = VpnScript::builder("https://vpn.example.com")
//!         .limits(Limits::default())
//!         .retry(RetryPolicy { attempts: 6, ..RetryPolicy::default() })
//!         .build()?
//!         .with_sign_in(password, Arc::new(MemoryStore::new(None)));
//!     let mut servers = vpn.servers();
//!     while let Some(server) = servers.next().await {
//!         println!("{}", server?.name);
//!     }
//!     let obtained = vpn.obtain_config(&ConfigRequest::wireguard("2")).await?;
//!     if let Config::WireGuard(config) = &obtained.config {
//!         println!("configuration {:?}, {} peers", obtained.id, config.peers().len());
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`VpnScript::call`] runs any operation of [`ops`], which are generated from the `openapi.yaml` in this
//! package. [`VpnScript`] also implements the neutral traits of [`anyvpn_core`]. Queued jobs create
//! WireGuard configurations; obtaining and revoking wait for them, see [`VpnScript::with_job_deadline`].
//!
//! # Guarantees
//!
//! - A configuration is never requested again once the request may have arrived: see [`Replay`]. The call
//!   then ends as [`ErrorKind::Ambiguous`].
//! - The provider's answer does not name the new configuration, and we never guess which one it is.
//!   Programs of one user take turns, see [`VpnScript::with_lock_folder`]. A configuration that may be
//!   another machine's is never handed out or deleted; the error names it, see [`Error::left_behind`].
//! - A token is sent only to the base URL, over https or to a loopback address. It appears in no log and no
//!   error.
//! - Dropping the future of a call leaves the client usable. Obtaining a configuration then continues
//!   in the background until the provider has answered, and deletes the configuration if it is
//!   certainly its own.
//!
//! # Features
//!
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs.
//! - `serde`: the neutral values can be serialized.
//!
//! Without either, the process's default crypto provider or your own HTTP client is used.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod creation_lock;
mod dialect;
mod driver;
mod jobs;
mod lenient;
pub mod ops;
mod pages;
mod server_configs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use anyvpn_core::{
    Ability, Account, Accounts, Advice, Capabilities, Capability, Config, ConfigRequest, Context,
    Credential, Driver, Error, ErrorKind, LeftOut, Leftover, LeftoverKind, ObtainedConfig,
    OpenVpnProfile, OperationId, OperationInfo, Protocol, Provider, ProviderInfo, Replay, Rotated,
    Secret, Server, ServerConfig, ServerConfigs, Servers, Service, Setting, Settings, SignIn,
    Status, Timestamp, WireGuardConfig, WireGuardOptions,
};
/// The type of the texts in an [`ops::Server`].
pub use anyvpn_http::CompactText;
use anyvpn_http::{Binding, BoundToken, Fixed, TokenManager, TokenSource};
pub use anyvpn_http::{
    Client, ClientBuilder, Limits, MemoryStore, Operation, RetryPolicy, TokenStore, UnsavedToken,
    bulk,
};
use async_trait::async_trait;
pub use dialect::Dialect;
pub use driver::{CAPABILITIES, INFO, VpnScriptDriver};

/// A client of one installation of VPN Script. It is cheap to clone, and clones share connections.
#[derive(Clone, Debug)]
pub struct VpnScript {
    client: Client<Dialect>,
    tokens: Option<TokenManager<PasswordSignIn>>,
    /// The lock of the task that creates a configuration.
    creation: Arc<tokio::sync::Mutex<()>>,
    lock_folder: Option<PathBuf>,
    job_deadline: Duration,
    page_size: u32,
    prefetch: bool,
}

impl VpnScript {
    /// Returns a builder for a client of the installation at `base_url`: the part of the URL before `/api`.
    #[must_use]
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder<Dialect> {
        Client::builder(base_url)
    }

    /// Runs one operation.
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
        let client = self.client.with_credentials(Fixed(Some(token)));
        Self { client, tokens: None, ..self.clone() }
    }

    /// Signs in with a password if `store` has no token, or if its token is refused with 401. This is
    /// done once for all callers and for all processes that share the store: see [`TokenManager`]. A
    /// password that was refused is not sent again.
    ///
    /// Calls return `InvalidRequest`, before anything is sent, if the store has a token of another user
    /// or installation. A token that cannot be stored is still used: see [`VpnScript::unsaved_token`].
    #[must_use]
    pub fn with_sign_in(&self, password: Password, store: Arc<dyn TokenStore<Secret>>) -> Self {
        let subject = Some(password.username.clone());
        let binding =
            Binding::new(ops::CreateToken::ID.provider(), self.client.base_url(), subject);
        let sign_in = PasswordSignIn { client: self.client.clone(), password };
        let clock = Arc::clone(self.client.clock());
        let tokens = TokenManager::new(sign_in, store, binding, clock);
        let client = self.client.with_credentials(tokens.clone());
        Self { client, tokens: Some(tokens), ..self.clone() }
    }

    /// Returns the token of [`VpnScript::with_sign_in`] that could not be stored; `None` if it is stored. It
    /// exists at the provider until the user deletes it there.
    #[must_use]
    pub fn unsaved_token(&self) -> Option<UnsavedToken<Secret>> {
        self.tokens.as_ref()?.unsaved()
    }

    /// Sets how long obtaining or revoking waits for the provider's job. Default 2 min.
    #[must_use]
    pub fn with_job_deadline(mut self, deadline: Duration) -> Self {
        self.job_deadline = deadline;
        self
    }

    /// Sets the folder of the lock file with which programs that obtain configurations take turns; with
    /// `None` they do not. Default: `anyvpn` below `XDG_RUNTIME_DIR`, or below `XDG_STATE_HOME` or
    /// `~/.local/state`.
    ///
    /// The provider's answer to a creation does not name the configuration. If two appear at once, we
    /// cannot tell them apart, so one person's programs wait for each other until the new configuration
    /// is identified.
    #[must_use]
    pub fn with_lock_folder(mut self, folder: Option<PathBuf>) -> Self {
        self.lock_folder = folder;
        self
    }

    /// Sets how many servers are requested at a time. Default 750; at least 1.
    ///
    /// The vendor documents no limit. An installation with a limit sends smaller pages, which also
    /// works. Smaller pages cost more CPU time per server, and larger ones more memory.
    #[must_use]
    pub fn with_page_size(mut self, servers: u32) -> Self {
        self.page_size = servers.max(1);
        self
    }

    /// Sets whether the next page of servers is read while the caller works on the current one.
    /// Default true.
    ///
    /// A task on the current tokio runtime then reads one page ahead of the caller; it ends with the
    /// stream. Otherwise, or outside a runtime, each page is requested when the previous one is used
    /// up.
    #[must_use]
    pub fn with_prefetch(mut self, prefetch: bool) -> Self {
        self.prefetch = prefetch;
        self
    }
}

impl From<Client<Dialect>> for VpnScript {
    fn from(client: Client<Dialect>) -> Self {
        Self {
            client,
            tokens: None,
            creation: Arc::default(),
            lock_folder: creation_lock::default_folder(|name| std::env::var_os(name)),
            job_deadline: Duration::from_secs(120),
            page_size: 750,
            prefetch: true,
        }
    }
}

/// The user name and password for signing in.
#[derive(Clone, Debug)]
pub struct Password {
    username: String,
    password: Secret,
    device_name: String,
}

impl Password {
    /// Creates the credentials, with the name of this device for the provider's list of tokens.
    #[must_use]
    pub fn new(
        username: impl Into<String>,
        password: Secret,
        device_name: impl Into<String>,
    ) -> Self {
        Self { username: username.into(), password, device_name: device_name.into() }
    }
}

struct PasswordSignIn {
    client: Client<Dialect>,
    password: Password,
}

#[async_trait]
impl TokenSource for PasswordSignIn {
    type Token = Secret;
    type Credential = Secret;

    fn credential(&self, token: Secret) -> Secret {
        token
    }

    fn secret(token: &Secret) -> &Secret {
        token
    }

    fn secret_of(token: &Secret) -> Option<&Secret> {
        Some(token)
    }

    async fn make(&self, _: Option<&BoundToken<Secret>>) -> Result<Secret, Error> {
        let Password { username, password, device_name } = self.password.clone();
        let token = self.client.call(ops::CreateToken { username, password, device_name }).await?;
        Ok(token.token)
    }

    /// Repeating a wrong password could get the account locked.
    fn is_final(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Unauthorized
    }
}

#[async_trait]
impl Provider for VpnScript {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        ops::call_by_name(&self.client, operation, input, reveal).await
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(self)
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}
