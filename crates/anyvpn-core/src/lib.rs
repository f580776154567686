//! The neutral side of anyvpn: traits, types, errors and secrets. No I/O, no HTTP.
//!
//! A [`Provider`] gives what it can do as traits ([`SignIn`], [`Accounts`], [`Customers`],
//! [`PortForwards`], [`ServerConfigs`]), and what it cannot as data ([`Capabilities`]). Any failure is an
//! [`Error`] of one [`ErrorKind`], with an [`Advice`] for programs. What is secret is a [`Secret`] from its
//! first byte.
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
//! - A configuration that is read and printed is the same, byte for byte, and an edit changes its own
//!   lines only. No input makes the readers panic: they are fuzzed.
//! - What a configuration would run as a program is there to ask before it is used.
//! - A [`Secret`] is shown by neither `Debug` nor a serializer, except inside [`reveal`], and its memory is
//!   wiped.
//! - Each trait's contract stands on the trait: what is returned when there is nothing, ordering,
//!   cancellation, what a failure leaves behind. The conformance suite of `anyvpn-testkit` holds
//!   providers to it.
//!
//! # Features
//!
//! - `keys` (default): new WireGuard keys, and the public key of a private one. Without it, configurations
//!   are still read, edited and written, with keys that come from elsewhere.
//! - `serde`: the neutral values can be serialized and read again: [`Account`], [`Customer`],
//!   [`PortForward`], [`Server`], [`ObtainedConfig`] and what they are made of. A forward's ticket is
//!   left out except inside [`reveal`].
//! - `openvpn`: OpenVPN profiles. They need X.509, which an application with WireGuard alone does not.
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
