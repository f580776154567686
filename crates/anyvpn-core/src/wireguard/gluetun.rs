//! Writes the environment variables of gluetun, a VPN client in a container, for its provider `custom`.

use super::{Host, Secret, WireGuardConfig, join};
use crate::Error;

impl WireGuardConfig {
    /// Returns the configuration as gluetun's variables, one `NAME=value` per line, as `docker
    /// --env-file` reads them.
    ///
    /// It omits what gluetun decides itself: resolvers, ports, marks, tables and commands.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if gluetun would refuse the configuration
    /// or create another tunnel. It accepts one peer, whose endpoint must be an address, and needs
    /// addresses for both ends and networks to route. It does not support keys or values that `wg` does
    /// not know.
    pub fn to_gluetun(&self) -> Result<Secret, Error> {
        self.refuse_unknown("gluetun's WireGuard")?;
        let [peer] = <[_; 1]>::try_from(self.peers()).map_err(|peers| {
            let there = peers.len();
            Error::invalid(
                "peer",
                format!("gluetun accepts one peer, but the configuration has {there}"),
            )
        })?;
        let endpoint = peer.endpoint.as_ref().ok_or_else(|| {
            Error::invalid("endpoint", "gluetun needs the server's address, but there is none")
        })?;
        let address = match &endpoint.host {
            Host::Name(_) => {
                let why = "gluetun needs an address here, not a name; look up the name first";
                return Err(Error::invalid("endpoint", why));
            }
            Host::Ip(address) if address.is_unspecified() => {
                return Err(Error::invalid(
                    "endpoint",
                    "this is not a server's address; write the server's address",
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
            ("address", &addresses, "gluetun needs an address of the tunnel, but there is none"),
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
