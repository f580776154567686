//! The neutral side of anyvpn: traits, types, errors and secrets. No I/O, no HTTP.

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
