//! Servers, and OpenVPN and WireGuard configurations for them.

use std::fmt;
use std::str::FromStr;

use anyvpn_core::{
    Config, ConfigError, ConfigRequest, Error, ErrorKind, ObtainedConfig, OpenVpnProfile,
    OperationId, Protocol, Server, ServerConfig, ServerConfigs, Servers, WireGuardConfig,
    WireGuardOptions,
};
use anyvpn_http::Operation as _;
use anyvpn_http::transport::resolve_endpoints;
use async_trait::async_trait;
use futures_util::{TryStreamExt as _, stream};

use crate::VpnResellers;
use crate::ops::{
    self, GetOpenVpnConfig, GetWireGuardConfig, ListPorts, ListServers, Port, TransportProtocol,
};

/// The port to which OpenVPN connects, such as `udp/1194` or `443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenVpnPort {
    /// The protocol that carries OpenVPN; `None` selects the first port with this number.
    protocol: Option<TransportProtocol>,
    number: u16,
}

impl FromStr for OpenVpnPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (protocol, number) = match text.split_once('/') {
            Some((protocol, number)) => (Some(TransportProtocol::from(protocol)), number),
            None => (None, text),
        };
        let number = number.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or("must be a port such as 443 or udp/1194")?;
        Ok(Self { protocol, number })
    }
}

impl fmt::Display for OpenVpnPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.protocol {
            Some(protocol) => write!(f, "{protocol}/{}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// The provider stores no configurations: an account has one pair of keys, for all servers and devices.
#[async_trait]
impl ServerConfigs for VpnResellers {
    fn servers(&self) -> Servers<'_> {
        let list = self.servers_by_page().map_ok(|page| stream::iter(page.into_servers(server)));
        Servers::new(list.try_flatten())
    }

    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        let server_id = request.server.parse().map_err(|_| {
            not_found(ListServers::ID, format!("there is no server {:?}", request.server))
        })?;
        let config = match request.protocol {
            Protocol::WireGuard => {
                Config::WireGuard(self.wireguard(server_id, &request.wireguard).await?)
            }
            Protocol::OpenVpn => Config::OpenVpn(self.openvpn(server_id).await?),
            _ => return Err(Error::invalid("protocol", "must be wireguard or openvpn")),
        };
        Ok(ServerConfig::new(None, config))
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        Ok(Vec::new())
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        let why = format!(
            "VPNresellers does not store configurations, so there is none with the id {id:?}"
        );
        Err(Error::new(ErrorKind::NotFound).with_detail(why))
    }
}

impl VpnResellers {
    async fn wireguard(
        &self,
        server_id: u64,
        options: &WireGuardOptions,
    ) -> Result<WireGuardConfig, Error> {
        if options.private_key.is_some() {
            let why = "VPNresellers generates the key, one for each account";
            return Err(Error::invalid("private_key", why));
        }
        let checked = options.checked()?;
        let username = self.customer.as_deref().ok_or_else(|| {
            Error::invalid(
                "customer",
                "is missing; name the customer whose account the configuration is for",
            )
        })?;
        let account_id = self.existing(username).await?.id;
        let file = self.call(GetWireGuardConfig { server_id, account_id }).await?;
        let mut config = WireGuardConfig::parse(file.content.expose())
            .map_err(|error| broken(GetWireGuardConfig::ID, error))?;
        checked.apply(&mut config);
        if options.ip_endpoint {
            resolve_endpoints(&mut config, options.ipv4_only).await?;
        }
        Ok(config)
    }

    /// Returns a profile that names no account: OpenVPN asks for a user name and password.
    async fn openvpn(&self, server_id: u64) -> Result<OpenVpnProfile, Error> {
        let port_id = self.port().await?.id;
        let file = self.call(GetOpenVpnConfig { server_id, port_id }).await?;
        OpenVpnProfile::parse(file.content.expose())
            .map_err(|error| broken(GetOpenVpnConfig::ID, error))
    }

    /// Returns the chosen port, or else the one that the vendor marks as default, or the first.
    async fn port(&self) -> Result<Port, Error> {
        let ports = self.call(ListPorts {}).await?.items;
        let shown = |port: &Port| format!("{}/{}", port.protocol, port.number);
        let all: Vec<_> = ports.iter().map(shown).collect();
        let fits = |port: &Port| match &self.openvpn_port {
            Some(OpenVpnPort { protocol, number }) => {
                port.number == *number && protocol.as_ref().is_none_or(|it| *it == port.protocol)
            }
            None => port.is_default == Some(true),
        };
        let place = ports.iter().position(fits);
        let place = place.or_else(|| self.openvpn_port.is_none().then_some(0));
        place.and_then(|place| ports.into_iter().nth(place)).ok_or_else(|| {
            match &self.openvpn_port {
                Some(port) => Error::invalid(
                    "openvpn_port",
                    format!("the servers have no port {port}; they have {}", all.join(", ")),
                ),
                None => not_found(ListPorts::ID, "the servers have no port for OpenVPN".to_owned()),
            }
        })
    }
}

fn server(server: ops::Server) -> Server {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let mut neutral = Server::new(server.id.to_string(), &server.name);
    neutral.country_code = filled(server.country_code).map(|code| code.to_lowercase());
    neutral.city = filled(server.city);
    neutral.host = filled(server.ip).or(filled(Some(server.name)));
    neutral.protocols = vec![Protocol::WireGuard, Protocol::OpenVpn];
    neutral
}

fn not_found(operation: OperationId, why: String) -> Error {
    Error::new(ErrorKind::NotFound).with_operation(operation).with_detail(why)
}

fn broken(operation: OperationId, error: ConfigError) -> Error {
    let error = Error::from(error);
    let detail = format!("the configuration: {}", error.detail().unwrap_or_default());
    error.with_kind(ErrorKind::UnexpectedReply).with_operation(operation).with_detail(detail)
}
