//! The neutral side of anyvpn: traits, types, errors and secrets. No I/O, no HTTP.
//!
//! A [`Provider`] returns what it can do as traits ([`SignIn`], [`Accounts`], [`Customers`],
//! [`PortForwards`], [`ServerConfigs`]), and describes what it cannot do as data ([`Capabilities`]).
//! Any failure is an [`Error`] with an [`ErrorKind`], and an [`Advice`] for programs. Secrets are
//! always stored as [`Secret`].
//!
//! ```
//! use anyvpn_core::{Ability, Advice, Error, Provider};
//!
//! async fn tell(provider: &dyn Provider) -> Result<(), Error> {
//!     let Some(accounts) = provider.accounts() else {
//!         println!("accounts: {}", provider.info().capabilities.of(Ability::Accounts));
//!         return Ok(());
//!     };
//!     match accounts.account().await {
//!         Ok(account) => println!("the account is {}", account.status),
//!         Err(error) if error.advice() == Advice::SignIn => println!("sign in first"),
//!         Err(error) => return Err(error),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`WireGuardConfig`] and, with the feature `openvpn`, `OpenVpnProfile` are configuration files:
//!
//! ```
//! use anyvpn_core::WireGuardConfig;
//!
//! let file = "\
//! [Interface] # of the laptop
//! PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=
//! Address = 10.0.24.207/32
//! MTU=1420
//! ";
//! let mut config = WireGuardConfig::parse(file)?;
//! assert_eq!(config.addresses(), ["10.0.24.207/32".parse()?]);
//! assert!(config.directives().is_empty(), "wg-quick would run them as root");
//! config.set_mtu(Some(1380))?;
//! assert_eq!(config.to_secret().expose(), file.replace("1420", "1380"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! - A configuration that is read and printed is the same, byte for byte, and an edit changes only the
//!   lines concerned. No input makes the readers panic: they are fuzzed.
//! - Programs that a configuration would run can be listed before it is used.
//! - Neither `Debug` nor a serializer shows a [`Secret`], except inside [`reveal`], and its memory is
//!   wiped.
//! - Each trait documents its contract: empty results, ordering, cancellation, and what a failure
//!   leaves behind. The conformance suite of `anyvpn-testkit` checks that providers keep it.
//!
//! # Features
//!
//! - `keys` (default): generates WireGuard keys, and computes the public key of a private key. Without
//!   it, configurations can still be read, edited and written, with keys from elsewhere.
//! - `serde`: the neutral values can be serialized and deserialized: [`Account`], [`Customer`],
//!   [`PortForward`], [`Server`], [`ObtainedConfig`] and the types of their fields. A forward's ticket
//!   is omitted except inside [`reveal`].
//! - `openvpn`: OpenVPN profiles. They need X.509, which an application that uses only WireGuard does
//!   not.
//! - `tokio`: [`SystemClock`], the clock of this machine with tokio's timer.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod config_text;
mod context;
mod driver;
mod error;
mod invisible;
mod lease_store;
mod limits;
mod metrics;
mod names;
mod observer;
#[cfg(feature = "openvpn")]
mod openvpn;
mod operation;
mod provider;
mod random;
mod retry;
mod secret;
mod servers;
mod settings;
mod token_store;
mod wireguard;

#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use clock::{Clock, DAY, within};
pub use config_text::{ConfigError, Directive};
pub use context::Context;
pub use driver::{Driver, ProviderInfo};
pub use error::{Advice, Error, ErrorKind, Leftover, LeftoverKind};
pub use invisible::{escape_invisible, is_invisible};
pub use ipnet::IpNet;
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use lease_store::{LeaseChange, LeaseStore, MemoryLeaseStore};
pub use limits::Limits;
pub use metrics::{Metric, MetricsText};
pub use names::OperationId;
pub use observer::{Activity, ActivityKind, CallEvent, CallObserver, Observation};
#[cfg(feature = "openvpn")]
pub use openvpn::{Certificate, OpenVpnProfile, Remote, RemotePort};
pub use operation::{FieldInfo, FieldKind, OperationInfo, Replay};
pub use provider::{
    Ability, Account, Accounts, Capabilities, Capability, ChangePassword, ChangePlan, CheckPort,
    CloseAccount, Config, ConfigRequest, CreatedCustomer, Credential, Customer, CustomerEnd,
    Customers, EndCustomers, Lease, ListCustomers, ListPortForwards, NewAccount, NewCustomer,
    NewPortForward, ObtainedConfig, Plan, PortCheck, PortForward, PortForwards, PortProtocols,
    Protocol, Provider, Rotated, Server, ServerConfig, ServerConfigs, Service, SignIn, SignOut,
    SignUp, Status, SuspendCustomers,
};
pub use random::SplitMix64;
pub use retry::RetryPolicy;
pub use secret::{REDACTED, Secret, redact, reveal};
pub use servers::{LeftOut, ListedServer, Servers};
pub use settings::{Check, Setting, Settings};
pub use token_store::{Binding, BoundToken, LockedStore, StoreLock, TokenStore};
pub use wireguard::{
    CheckedWireGuardOptions, Endpoint, Host, HostName, Interface, Peer, PresharedKey, PrivateKey,
    PublicKey, WireGuardConfig, WireGuardOptions, ZonedAddress, is_interface_name,
    to_interface_name,
};

/// Implementation details of the macros of this crate. Do not use it directly.
#[doc(hidden)]
pub mod reexport {
    pub use serde;
}
