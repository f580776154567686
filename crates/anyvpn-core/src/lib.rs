//! The neutral side of anyvpn: traits, types, errors and secrets. No I/O, no HTTP.
//!
//! A [`Provider`] gives what it can do as traits ([`Accounts`], [`AccountAdmin`], [`PortForwards`],
//! [`ServerConfigs`]), and what it cannot as data ([`Capabilities`]). Any failure is an [`Error`] of
//! one [`ErrorKind`], with an [`Advice`] for programs. What is secret is a [`Secret`] from its first
//! byte. [`WireGuardConfig`] and, with the feature `openvpn`, `OpenVpnProfile` parse, edit and print
//! configuration files without losing a byte of what they do not touch.
//!
//! ```
//! use anyvpn_core::{Advice, Error, Provider};
//!
//! async fn tell(provider: &dyn Provider) -> Result<(), Error> {
//!     let Some(accounts) = provider.accounts() else {
//!         println!("accounts: {}", provider.capabilities().accounts);
//!         return Ok(());
//!     };
//!     match accounts.account().await {
//!         Ok(account) => println!("{} is {}", account.login, account.status),
//!         Err(error) if error.advice() == Advice::SignIn => println!("sign in first"),
//!         Err(error) => return Err(error),
//!     }
//!     Ok(())
//! }
//! ```

mod config_text;
mod error;
mod names;
#[cfg(feature = "openvpn")]
mod openvpn;
mod provider;
mod secret;
mod wireguard;

pub use config_text::{ConfigError, Directive};
pub use error::{Advice, Error, ErrorKind};
pub use ipnet::IpNet;
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use names::OperationId;
#[cfg(feature = "openvpn")]
pub use openvpn::{Certificate, OpenVpnProfile, Remote};
pub use provider::{
    Account, AccountAdmin, Accounts, Capabilities, Capability, Config, ConfigRequest, NewAccount,
    NewPortForward, ObtainedConfig, PortCheck, PortForward, PortForwards, Protocol, Provider,
    Rotated, Server, ServerConfig, ServerConfigs, Service, Status, WireGuardOptions,
};
pub use secret::{REDACTED, Secret, redact, reveal};
pub use wireguard::{
    Endpoint, Host, HostName, Interface, Peer, PresharedKey, PrivateKey, PublicKey, WireGuardConfig,
};

/// What the macros of this crate expand to; not for use by name.
#[doc(hidden)]
pub mod reexport {
    pub use serde;
}
