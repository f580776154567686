//! The options that a caller can set for a WireGuard configuration.

use std::net::IpAddr;

use ipnet::IpNet;

use super::values::MTU_MIN;
use super::{Endpoint, Interface, Peer, PrivateKey, PublicKey, WireGuardConfig};
use crate::Error;

/// Options for a WireGuard configuration.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct WireGuardOptions {
    /// The key to use; if absent, a new key is generated. A key that the account already has keeps its
    /// device. Providers that generate the key themselves return `InvalidRequest` for it.
    pub private_key: Option<PrivateKey>,
    /// Whether the endpoint is written as an address instead of a name.
    pub ip_endpoint: bool,
    /// The endpoint's port, 1 to 65535; absent for the provider's default.
    pub port: Option<u16>,
    /// The resolvers; absent for the provider's, empty for none.
    pub dns: Option<Vec<IpAddr>>,
    /// The interface's MTU, 68 to 65535 bytes; absent to leave it to WireGuard.
    pub mtu: Option<u16>,
    /// The seconds between keepalive packets; absent for the provider's choice, 0 for none.
    pub keepalive: Option<u16>,
    /// Whether IPv6 is omitted.
    pub ipv4_only: bool,
}

impl WireGuardOptions {
    /// Returns the given key, or a new one.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::generate`].
    #[cfg(feature = "keys")]
    pub fn key(&self) -> Result<PrivateKey, Error> {
        self.private_key.clone().map_or_else(PrivateKey::generate, Ok)
    }

    /// Checks that `wg-quick` and [`WireGuardConfig::parse`] can read a configuration with these
    /// options. A provider calls this before it creates anything.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for port 0 or for an MTU below 68.
    pub fn checked(&self) -> Result<CheckedWireGuardOptions<'_>, Error> {
        if self.port == Some(0) {
            return Err(Error::invalid("port", "choose a port from 1 to 65535"));
        }
        if self.mtu.is_some_and(|mtu| mtu < MTU_MIN) {
            return Err(Error::invalid("mtu", "choose a number from 68 to 65535"));
        }
        Ok(CheckedWireGuardOptions(self))
    }
}

/// Options that are valid for any configuration, so that applying them cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct CheckedWireGuardOptions<'a>(&'a WireGuardOptions);

impl CheckedWireGuardOptions<'_> {
    /// Returns a configuration that sends all traffic to one peer, with these options.
    ///
    /// The arguments include the device's addresses, and the provider's default resolvers and endpoint,
    /// whose port is not 0. The caller must look up the endpoint's name for
    /// [`WireGuardOptions::ip_endpoint`].
    #[must_use]
    pub fn config(
        self,
        private_key: PrivateKey,
        addresses: &[IpAddr],
        dns: &[IpAddr],
        peer: PublicKey,
        endpoint: Endpoint,
    ) -> WireGuardConfig {
        let options = self.0;
        let wanted = |address: &IpAddr| !options.ipv4_only || address.is_ipv4();
        let everything = [IpAddr::from([0; 4]), IpAddr::from([0; 16])].into_iter().filter(wanted);
        let interface = Interface {
            private_key,
            addresses: addresses.iter().copied().filter(wanted).map(Into::into).collect(),
            dns: match &options.dns {
                Some(dns) => dns.clone(),
                None => dns.iter().copied().filter(wanted).collect(),
            },
            mtu: options.mtu,
            listen_port: None,
        };
        let peer = Peer {
            public_key: peer,
            preshared_key: None,
            allowed_ips: everything.map(|any| IpNet::new_assert(any, 0)).collect(),
            endpoint: Some(Endpoint { port: options.port.unwrap_or(endpoint.port), ..endpoint }),
            persistent_keepalive: options.keepalive,
        };
        WireGuardConfig::new(interface, vec![peer])
    }

    /// Applies these options to a configuration from the provider.
    ///
    /// The key stays, and so do the names of endpoints, which the caller must look up for
    /// [`WireGuardOptions::ip_endpoint`].
    pub fn apply(self, config: &mut WireGuardConfig) {
        config.choose(self.0);
    }
}
