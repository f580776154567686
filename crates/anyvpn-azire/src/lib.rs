//! AzireVPN's API: every documented operation, and the neutral traits.
//!
//! ```no_run
//! use anyvpn_azire::Azire;
//! use anyvpn_azire::ops::CreatePortForward;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let azire = Azire::builder().token(std::env::var("ANYVPN_AZIRE_TOKEN")?).build()?;
//!     // From inside the tunnel, whose address this is.
//!     let internal_ipv4 = "10.0.24.207".parse()?;
//!     let port = CreatePortForward { internal_ipv4, expires_in: Some(7), hidden: None };
//!     let forward = azire.call(port).await?;
//!     println!("{} until {}", forward.port, forward.expires_at);
//!     Ok(())
//! }
//! ```
//!
//! [`Azire::call`] runs any operation of [`ops`], which are generated from the `openapi.yaml` in this
//! package. [`Azire`] also implements the neutral traits of [`anyvpn_core`], for tasks that take more than
//! one operation, such as obtaining a WireGuard configuration or rotating a key. Their types are exported
//! here too:
//!
//! ```no_run
//! # #[cfg(feature = "neutral")]
//! # async fn example(password: anyvpn_azire::Secret) -> Result<(), anyvpn_azire::Error> {
//! use anyvpn_azire::{
//!     Advice, Azire, Config, ConfigRequest, Context, Limits, NewPortForward, PortForwards, RetryPolicy,
//!     ServerConfigs, Settings, SignIn,
//! };
//!
//! let fields = Settings::new().with("username", "david").with("password", password);
//! let credential = Azire::builder().build()?.obtain_credential(&fields).await?;
//! let azire = Azire::open(&credential.settings, &Context::default())?;
//! let mut servers = azire.servers();
//! while let Some(server) = servers.next().await {
//!     println!("{}", server?.name);
//! }
//! let obtained = azire.obtain_config(&ConfigRequest::wireguard("se-sto")).await?;
//! if let Config::WireGuard(config) = obtained.config {
//!     println!("{} peers", config.peers().len());
//! }
//! let Some(device) = azire.tunnel_addresses().await?.and_then(|all| all.first().copied()) else {
//!     return Ok(());
//! };
//! match azire.create_port_forward(NewPortForward::to(device)).await {
//!     Ok(port) => println!("{} until {:?}", port.port, port.expires_at),
//!     Err(error) if error.advice() == Advice::ReadBack => println!("list to see: {error}"),
//!     Err(error) => return Err(error),
//! }
//! let patient = RetryPolicy { attempts: 6, ..RetryPolicy::default() };
//! let patient = Azire::builder().retry(patient).limits(Limits::default()).build()?;
//! # drop(patient);
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - A call that creates, closes or pays is never sent twice once it may have arrived: see
//!   [`Replay`]. It then ends as [`ErrorKind::Ambiguous`].
//! - A token is sent only to the base URL, over https or to a loopback address. It appears in no log and no
//!   error.
//! - A private key is created on this machine and never sent.
//! - Dropping the future of a call leaves the client usable.
//!
//! # Features
//!
//! - `neutral` (default): the neutral traits. They create WireGuard keys and use most operations, so a
//!   program that only needs a few operations builds much less without it.
//! - `ring` (default): TLS by rustls with ring.
//! - `aws-lc`: TLS by rustls with aws-lc-rs.
//! - `serde`: the neutral values can be serialized.
//!
//! Without `ring` and `aws-lc`, the process's default crypto provider or your own HTTP client is used.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "neutral")]
mod accounts;
mod dialect;
#[cfg(feature = "neutral")]
mod driver;
mod lenient;
pub mod ops;
#[cfg(feature = "neutral")]
mod port_forwards;
#[cfg(feature = "neutral")]
mod server_configs;

#[cfg(feature = "neutral")]
pub use anyvpn_core::{
    Ability, Account, Accounts, Capabilities, Capability, ChangePassword, CheckPort, CloseAccount,
    Config, ConfigRequest, Credential, Driver, Lease, ListPortForwards, NewAccount, NewPortForward,
    ObtainedConfig, OperationInfo, PortCheck, PortForward, PortForwards, PortProtocols, PrivateKey,
    Protocol, Provider, ProviderInfo, PublicKey, Rotated, Server, ServerConfig, ServerConfigs,
    Servers, Service, Setting, Settings, SignIn, SignOut, SignUp, Status, WireGuardConfig,
    WireGuardOptions,
};
pub use anyvpn_core::{
    Advice, Context, Error, ErrorKind, Leftover, LeftoverKind, OperationId, Replay, Secret,
    Timestamp,
};
use anyvpn_http::Fixed;
pub use anyvpn_http::{Client, ClientBuilder, Limits, Operation, RetryPolicy, bulk};
#[cfg(feature = "neutral")]
use async_trait::async_trait;
pub use dialect::Dialect;
#[cfg(feature = "neutral")]
pub use driver::{AzireDriver, CAPABILITIES, INFO};

/// The base URL of AzireVPN's API.
pub const BASE_URL: &str = "https://api.azirevpn.com";

/// A client of AzireVPN. It is cheap to clone, and clones share connections.
#[derive(Clone, Debug)]
pub struct Azire(Client<Dialect>);

impl Azire {
    /// Returns a builder for a client of <https://api.azirevpn.com>.
    ///
    /// Set a token, unless you need only [`ops::CreateUser`], signing in, [`ops::ListLocations`] and
    /// the port checks.
    #[must_use]
    pub fn builder() -> ClientBuilder<Dialect> {
        Client::builder(BASE_URL)
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
        self.0.call(operation).await
    }

    /// Returns the underlying client.
    #[must_use]
    pub fn client(&self) -> &Client<Dialect> {
        &self.0
    }

    /// Replaces the token, for example by one from signing in.
    #[must_use]
    pub fn with_token(&self, token: Secret) -> Self {
        Self(self.0.with_credentials(Fixed(Some(token))))
    }
}

impl From<Client<Dialect>> for Azire {
    fn from(client: Client<Dialect>) -> Self {
        Self(client)
    }
}

#[cfg(feature = "neutral")]
#[async_trait]
impl Provider for Azire {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }

    async fn call_json(
        &self,
        operation: &str,
        input: serde_json::Value,
        reveal: bool,
    ) -> Result<serde_json::Value, Error> {
        ops::call_by_name(self.client(), operation, input, reveal).await
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(self)
    }

    fn sign_out(&self) -> Option<&dyn SignOut> {
        Some(self)
    }

    fn sign_up(&self) -> Option<&dyn SignUp> {
        Some(self)
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}

/// The page of the vendor's web interface that a one-time password opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtpRedirect {
    /// Ordering.
    Order,
    /// WireGuard configurations.
    WireGuard,
    /// The account's settings.
    Settings,
}

impl ops::Otp {
    /// Returns the URL that signs a browser in, for ten minutes. It contains the one-time password, so it
    /// is just as secret.
    #[must_use]
    pub fn url(&self, redirect: OtpRedirect) -> Secret {
        let redirect = match redirect {
            OtpRedirect::Order => "order",
            OtpRedirect::WireGuard => "wireguard",
            OtpRedirect::Settings => "settings",
        };
        let request = anyvpn_http::Request::get("https://manager.azirevpn.com/auth/otp")
            .query("token", self.otp.expose())
            .query("redirect", redirect);
        Secret::from(request.target())
    }
}
