//! The environment variables of gluetun, a VPN client in a container, for its provider `custom`.

use super::{Host, Secret, WireGuardConfig, join};
use crate::Error;

impl WireGuardConfig {
    /// The configuration as gluetun's variables, one `NAME=value` a line, as `docker --env-file`
    /// reads them.
    ///
    /// Left out is what gluetun decides by itself: resolvers, ports, marks, tables and commands.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when gluetun would refuse it or make
    /// another tunnel: it takes one peer, whose endpoint is an address and not a name, and needs
    /// addresses for both ends and networks to route; and it has no place for a key or a value that
    /// `wg` does not know.
    pub fn to_gluetun(&self) -> Result<Secret, Error> {
        self.refuse_unknown("gluetun's WireGuard")?;
        let [peer] = <[_; 1]>::try_from(self.peers()).map_err(|peers| {
            let there = peers.len();
            Error::invalid(
                "peer",
                format!("gluetun takes one peer, and the configuration has {there}"),
            )
        })?;
        let endpoint = peer.endpoint.as_ref().ok_or_else(|| {
            Error::invalid("endpoint", "gluetun needs the address of the server, and there is none")
        })?;
        let address = match &endpoint.host {
            Host::Name(_) => {
                let why = "gluetun takes an address here and no name; look the name up first";
                return Err(Error::invalid("endpoint", why));
            }
            Host::Ip(address) if address.is_unspecified() => {
                return Err(Error::invalid(
                    "endpoint",
                    "this address is nobody's; write the server's",
                ));
            }
            host => host.to_string(),
        };
        // Without a prefix, gluetun reads an address as /32, even an IPv6 address.
        let list = |networks: &[ipnet::IpNet]| {
            networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let (addresses, allowed) = (list(&self.addresses()), list(&peer.allowed_ips));
        for (field, list, why) in [
            ("address", &addresses, "gluetun needs an address of the tunnel, and there is none"),
            (
                "allowed IPs",
                &allowed,
                "no network goes through the tunnel; gluetun would send everything",
            ),
        ] {
            if list.is_empty() {
                return Err(Error::invalid(field, why));
            }
        }
        let own = self.private_key.to_secret();
        let shared = peer.preshared_key.map(|key| key.to_secret());
        let (port, public) = (endpoint.port.to_string(), peer.public_key.to_string());
        let mtu = self.mtu().map(|mtu| mtu.to_string());
        let keepalive = peer.persistent_keepalive.map(|seconds| format!("{seconds}s"));
        let variables = [
            ("VPN_SERVICE_PROVIDER", Some("custom")),
            ("VPN_TYPE", Some("wireguard")),
            ("WIREGUARD_ENDPOINT_IP", Some(&*address)),
            ("WIREGUARD_ENDPOINT_PORT", Some(&*port)),
            ("WIREGUARD_PUBLIC_KEY", Some(&*public)),
            ("WIREGUARD_PRIVATE_KEY", Some(own.expose())),
            ("WIREGUARD_PRESHARED_KEY", shared.as_ref().map(Secret::expose)),
            ("WIREGUARD_ADDRESSES", Some(&*addresses)),
            ("WIREGUARD_ALLOWED_IPS", Some(&*allowed)),
            ("WIREGUARD_MTU", mtu.as_deref()),
            ("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL", keepalive.as_deref()),
        ];
        let parts =
            variables.iter().filter_map(|(name, value)| Some([*name, "=", (*value)?, "\n"]));
        let text = join(&parts.flatten().collect::<Vec<_>>());
        Ok(Secret::from(text.as_str()))
    }
}
