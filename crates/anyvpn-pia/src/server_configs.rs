//! Servers, and WireGuard and OpenVPN configurations for them.

use std::collections::HashSet;
use std::net::SocketAddr;

use anyvpn_core::{
    Config, ConfigRequest, Endpoint, Error, ErrorKind, ObtainedConfig, OpenVpnProfile, Protocol,
    Secret, Server, ServerConfig, ServerConfigs, Servers,
};
use anyvpn_http::{LenientList, Operation as _};
use async_trait::async_trait;
use futures_util::{FutureExt as _, TryStreamExt as _, stream};

use crate::driver::PORTS;
use crate::ops::{AddKey, ListServers};
use crate::types::{CA, Group, Host, Region, ServerList};
use crate::{Connection, Pia};

/// The port to use if the list does not name any.
const WIREGUARD: u16 = 1337;
const OPENVPN_UDP: u16 = 8080;
const OPENVPN_TCP: u16 = 8443;
/// The keepalive interval in the vendor's configurations, in seconds.
const KEEPALIVE: u16 = 25;
/// The number of characters of a token that OpenVPN sends as the user name. The rest is the password.
const USERNAME: usize = 62;

#[async_trait]
impl ServerConfigs for Pia {
    fn servers(&self) -> Servers<'_> {
        let list = self.server_list().into_stream().map_ok(|mut list| {
            let mut ids = HashSet::new();
            list.regions.items.retain(|region| ids.insert(region.id.clone()));
            stream::iter(list.regions.into_servers(server))
        });
        Servers::new(list.try_flatten())
    }

    /// A WireGuard configuration is a lease: the server knows its key as long as it is used. Another
    /// configuration for the same server replaces it.
    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        match request.protocol {
            Protocol::WireGuard => self.wireguard(request).await,
            Protocol::OpenVpn => self.openvpn(request).await,
            _ => Err(Error::invalid("protocol", "must be wireguard or openvpn")),
        }
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        Ok(Vec::new())
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        let detail =
            format!("PIA does not store configurations, so there is none with the id {id:?}");
        Err(Error::new(ErrorKind::NotFound).with_detail(detail))
    }
}

impl Pia {
    async fn wireguard(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        let options = request.wireguard.checked()?;
        let list = self.server_list().await?;
        let region = region(&list, &request.server)?;
        let host = region.servers.wg.first().ok_or_else(|| speaks_not(region, "WireGuard"))?;
        let key = request.wireguard.key()?;
        let pubkey = key.public_key();
        let added = self.at_server(&list, host)?.call(AddKey { pubkey }).await?;
        if added.peer_pubkey != pubkey {
            return Err(Error::new(ErrorKind::UnexpectedReply)
                .with_operation(AddKey::ID)
                .with_detail("the server knows another key than the one that was sent"));
        }
        let connection = Connection::new(&host.cn, (added.server_vip, PORTS).into());
        let endpoint = Endpoint { host: host.ip.into(), port: added.server_port };
        let addresses = [added.peer_ip.into()];
        let mut config =
            options.config(key, &addresses, &added.dns_servers, added.server_key, endpoint);
        if request.wireguard.keepalive.is_none() {
            config.set_keepalive(0, Some(KEEPALIVE))?;
        }
        let note = format!(
            "The key is a lease: {} forgets it some hours after its last handshake, and when it \
             restarts. Get the configuration again before you connect. To forward a port through it, \
             set server_name = {:?} and gateway = \"{}\".",
            host.cn, host.cn, added.server_vip
        );
        self.remember(connection);
        Ok(ServerConfig::new(None, Config::WireGuard(config)).with_note(note))
    }

    async fn openvpn(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        let list = self.server_list().await?;
        let region = region(&list, &request.server)?;
        let (udp, tcp) = (&region.servers.ovpnudp, &region.servers.ovpntcp);
        let (protocol, host, port) = match (udp.first(), tcp.first()) {
            (Some(host), _) => ("udp", host, first_port(&list.groups.ovpnudp, OPENVPN_UDP)),
            (None, Some(host)) => ("tcp", host, first_port(&list.groups.ovpntcp, OPENVPN_TCP)),
            (None, None) => return Err(speaks_not(region, "OpenVPN")),
        };
        let token = self.client().credential().await?.ok_or_else(|| {
            let why = "OpenVPN signs in with a token, but there is none; nothing was sent";
            Error::new(ErrorKind::Unauthorized).with_detail(why)
        })?;
        let (username, password) = halves(&token)?;
        let text = format!(
            "client\ndev tun\nproto {protocol}\nremote {} {port}\nresolv-retry infinite\nnobind\n\
             persist-key\npersist-tun\ncipher AES-256-CBC\n\
             data-ciphers AES-256-GCM:AES-256-CBC\ndata-ciphers-fallback AES-256-CBC\nauth SHA256\n\
             remote-cert-tls server\nauth-user-pass\ncompress\nreneg-sec 0\nverb 1\n\
             <ca>\n{}\n</ca>\n",
            host.ip,
            CA.trim()
        );
        let profile = OpenVpnProfile::parse(&text)?.with_auth_user_pass(username, password)?;
        let note = "The file contains a token, which is valid for about 24 hours. Get the file again after that.";
        Ok(ServerConfig::new(None, Config::OpenVpn(profile)).with_note(note))
    }
}

/// Splits a token into the two lines that OpenVPN sends.
fn halves(token: &Secret) -> Result<(&str, Secret), Error> {
    let halves = token.expose().split_at_checked(USERNAME).filter(|(_, rest)| !rest.is_empty());
    let (username, password) = halves.ok_or_else(|| {
        Error::invalid("token", format!("must be longer than {USERNAME} characters for OpenVPN"))
    })?;
    Ok((username, password.into()))
}

fn region<'a>(list: &'a ServerList, id: &str) -> Result<&'a Region, Error> {
    let LenientList { items, left_out } = &list.regions;
    let error = match items.iter().find(|region| region.id == id) {
        Some(region) if region.offline => Error::new(ErrorKind::Unavailable)
            .with_detail(format!("the region {id:?} is currently offline")),
        Some(region) => return Ok(region),
        None => left_out.unknown("region", id),
    };
    Err(error.with_operation(ListServers::ID))
}

fn speaks_not(region: &Region, protocol: &str) -> Error {
    let why = format!("the region {:?} currently has no server for {protocol}", region.id);
    Error::invalid("protocol", why).with_operation(ListServers::ID)
}

/// Returns the port on which the servers of a protocol listen.
fn first_port(groups: &[Group], usual: u16) -> u16 {
    groups.iter().find_map(|group| group.ports.first()).copied().unwrap_or(usual)
}

/// Returns the address at which a WireGuard server accepts keys.
pub(crate) fn address(list: &ServerList, host: &Host) -> SocketAddr {
    SocketAddr::new(host.ip, first_port(&list.groups.wg, WIREGUARD))
}

fn server(region: Region) -> Server {
    let Region { id, name, country, port_forward, offline, servers, .. } = region;
    let mut server = Server::new(id, name);
    server.country_code = country.map(|country| country.to_lowercase());
    server.forwards_ports = Some(port_forward);
    if !servers.wg.is_empty() {
        server.protocols.push(Protocol::WireGuard);
    }
    if !servers.ovpnudp.is_empty() || !servers.ovpntcp.is_empty() {
        server.protocols.push(Protocol::OpenVpn);
    }
    let first = [&servers.wg, &servers.ovpnudp, &servers.ovpntcp].into_iter().flatten().next();
    server.host = first.filter(|_| !offline).map(|host| host.ip.to_string());
    server
}
