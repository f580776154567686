//! VPNresellers' API: a reseller's accounts, servers and configurations, and the neutral traits.
//!
//! ```no_run
//! use anyvpn_vpnresellers::{CreatedCustomer, Customers, NewCustomer, SuspendCustomers, VpnResellers};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let reseller = VpnResellers::builder().token(std::env::var("TOKEN")?).build()?;
//!     // User names are unique over all resellers: give yours a prefix.
//!     let customer = NewCustomer::new("acme_u1001", "correct horse".into());
//!     match reseller.create_customer(customer).await? {
//!         CreatedCustomer::Created(_) => println!("created, with this password"),
//!         CreatedCustomer::Existed(there) => println!("there already, {}", there.status),
//!         // An answer was lost: the password may be another one.
//!         _ => println!("there, and perhaps created by another of our machines"),
//!     }
//!     reseller.suspend_customer("acme_u1001").await?;
//!     Ok(())
//! }
//! ```
//!
//! [`VpnResellers::call`] runs any operation of [`ops`], which are generated from the `openapi.yaml` in
//! this package. A configuration is for one server; a WireGuard configuration is also for one customer:
//!
//! ```no_run
//! use anyvpn_vpnresellers::{ConfigRequest, Protocol, ServerConfigs, VpnResellers};
//!
//! # async fn example(reseller: VpnResellers) -> Result<(), anyvpn_vpnresellers::Error> {
//! let wireguard = ConfigRequest::wireguard("7");
//! reseller.for_customer("acme_u1001").obtain_config(&wireguard).await?;
//! let openvpn = ConfigRequest::new("7", Protocol::OpenVpn);
//! reseller.with_openvpn_port("tcp/443".parse().unwrap()).obtain_config(&openvpn).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - An account is created only once; see [`Customers::create_customer`]. If another reseller's account
//!   has the user name, that is an error, and the account is never returned or changed.
//! - If the balance is used up, every call that this stops fails with
//!   [`ErrorKind::InsufficientBalance`].
//! - The provider generates the WireGuard keys, one pair per account. The private key is a [`Secret`].
//! - Dropping the future of a call leaves the client usable.
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
mod creation;
mod customers;
mod dialect;
mod driver;
mod lenient;
mod lists;
pub mod ops;
mod server_configs;

use std::time::Duration;

pub use anyvpn_core::{
    Ability, Account, Accounts, Advice, Capabilities, Capability, Config, ConfigRequest, Context,
    CreatedCustomer, Customer, CustomerEnd, Customers, Driver, EndCustomers, Error, ErrorKind,
    Leftover, LeftoverKind, ListCustomers, NewCustomer, OpenVpnProfile, OperationId, OperationInfo,
    Protocol, Provider, ProviderInfo, Replay, Secret, Server, ServerConfig, ServerConfigs, Servers,
    Setting, Settings, Status, SuspendCustomers, Timestamp, WireGuardConfig, WireGuardOptions,
};
pub use anyvpn_http::{Client, ClientBuilder, Limits, Operation, RetryPolicy, bulk};
use async_trait::async_trait;
pub use dialect::Dialect;
pub use driver::{CAPABILITIES, INFO, VpnResellersDriver};
pub use server_configs::OpenVpnPort;

/// The address of VPNresellers' API.
pub const BASE_URL: &str = "https://api.vpnresellers.com";

/// A reseller's client for VPNresellers. It is cheap to clone, and all clones share connections.
#[derive(Clone, Debug)]
pub struct VpnResellers {
    client: Client<Dialect>,
    customer: Option<String>,
    openvpn_port: Option<OpenVpnPort>,
    settle_time: Duration,
}

impl VpnResellers {
    /// Returns a builder for a client of <https://api.vpnresellers.com>.
    #[must_use]
    pub fn builder() -> ClientBuilder<Dialect> {
        Client::builder(BASE_URL)
    }

    /// Runs one operation.
    ///
    /// # Errors
    ///
    /// `Unauthorized` if the operation needs a token and there is none, before anything is sent;
    /// otherwise as [`Client::call`].
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

    /// Sets the customer for WireGuard configurations, by user name.
    #[must_use]
    pub fn for_customer(&self, username: impl Into<String>) -> Self {
        Self { customer: Some(username.into()), ..self.clone() }
    }

    /// Sets the port for OpenVPN configurations. Default: the one that the provider marks as default.
    #[must_use]
    pub fn with_openvpn_port(&self, port: OpenVpnPort) -> Self {
        Self { openvpn_port: Some(port), ..self.clone() }
    }

    /// Sets the settle time: how long [`Customers::create_customer`] waits, twice, before it concludes
    /// that a creation whose answer was lost did not take effect. Default 15 s, because web servers and
    /// PHP usually end a request after 30 s.
    #[must_use]
    pub fn with_settle_time(&self, settle_time: Duration) -> Self {
        Self { settle_time, ..self.clone() }
    }
}

impl From<Client<Dialect>> for VpnResellers {
    fn from(client: Client<Dialect>) -> Self {
        let settle_time = Duration::from_secs(15);
        Self { client, customer: None, openvpn_port: None, settle_time }
    }
}

#[async_trait]
impl Provider for VpnResellers {
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

    fn accounts(&self) -> Option<&dyn Accounts> {
        Some(self)
    }

    fn customers(&self) -> Option<&dyn Customers> {
        Some(self)
    }

    fn server_configs(&self) -> Option<&dyn ServerConfigs> {
        Some(self)
    }
}
