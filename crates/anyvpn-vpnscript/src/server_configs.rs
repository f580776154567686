//! Implements servers and their OpenVPN and WireGuard configurations.

use anyvpn_core::{
    CheckedWireGuardOptions, Config, ConfigRequest, Error, ErrorKind, Leftover, LeftoverKind,
    ObtainedConfig, OpenVpnProfile, Protocol, Secret, Server, ServerConfig, ServerConfigs, Servers,
    Status, WireGuardConfig, WireGuardOptions,
};
use anyvpn_http::transport::resolve_endpoints;
use anyvpn_http::{CompactText, Operation as _};
use async_trait::async_trait;
use futures_util::{TryStreamExt as _, stream};

use crate::VpnScript;
use crate::jobs::{ACTIVE, PENDING_CREATION, PENDING_DELETION};
use crate::ops::{
    self, GetOpenVpnAuth, GetOpenVpnProfile, ListServers, ListWireGuardConfigs,
    WireGuardConfigEntry,
};

#[async_trait]
impl ServerConfigs for VpnScript {
    fn servers(&self) -> Servers<'_> {
        let list = self.pages().map_ok(|page| stream::iter(page.into_servers(server)));
        Servers::new(list.try_flatten())
    }

    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        // We do not look up the server in the list, which can have thousands, because the provider
        // itself refuses a server that it does not know or that has another protocol.
        let server_id = number(&request.server, "server")?;
        match request.protocol {
            Protocol::WireGuard => {
                let options = check(&request.wireguard)?;
                let (id, text) = self.create_config(server_id).await?;
                let mut config = read(id, &text)?;
                options.apply(&mut config);
                if request.wireguard.ip_endpoint {
                    let resolved = resolve_endpoints(&mut config, request.wireguard.ipv4_only);
                    resolved.await.map_err(|error| error.with_leftover(leftover(id, &text)))?;
                }
                Ok(ServerConfig::new(Some(id.to_string()), Config::WireGuard(config)))
            }
            Protocol::OpenVpn => {
                let profile = GetOpenVpnProfile { server_id, cert_only: None };
                let text = self.call(profile).await?;
                let profile = OpenVpnProfile::parse(text.expose())
                    .map_err(|e| broken(e.into(), "the profile"))?;
                let profile = if profile.asks_for_password() {
                    let auth = self.call(GetOpenVpnAuth {}).await?;
                    profile.with_auth_user_pass(&auth.username, auth.password)?
                } else {
                    profile
                };
                Ok(ServerConfig::new(None, Config::OpenVpn(profile)))
            }
            _ => Err(Error::invalid("protocol", "must be wireguard or openvpn")),
        }
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        Ok(self.entries(None).await?.into_iter().map(obtained).collect())
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        self.delete_config(number(id, "configuration")?).await
    }
}

impl VpnScript {
    /// Returns the certificates of the authority that signed an OpenVPN server's certificate.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if they cannot be read; otherwise as [`VpnScript::call`].
    pub async fn openvpn_ca(&self, server_id: u64) -> Result<Vec<anyvpn_core::Certificate>, Error> {
        let request = GetOpenVpnProfile { server_id, cert_only: Some(true) };
        let pem = self.call(request).await?;
        anyvpn_core::Certificate::from_pem(pem.expose())
            .map_err(|e| broken(e, "the certificate").with_operation(GetOpenVpnProfile::ID))
    }
}

fn server(server: ops::Server) -> Server {
    let filled =
        |text: Option<CompactText>| text.filter(|it| !it.trim().is_empty()).map(String::from);
    let id = server.id.to_string();
    let name = filled(server.name).unwrap_or_else(|| id.clone());
    let mut neutral = Server::new(id, name);
    neutral.country = filled(server.country);
    neutral.country_code = filled(server.country_iso_code).map(|code| code.to_lowercase());
    neutral.city = filled(server.city).or_else(|| filled(server.state));
    neutral.host = filled(server.host).or_else(|| filled(server.ipaddr));
    neutral.protocols = vec![Protocol::from(server.protocol.as_str())];
    if server.protocol == ops::Protocol::WireGuard {
        let free = server.wg_available_slots;
        neutral.free_slots = free.map(|free| u32::try_from(free).unwrap_or_default());
    }
    neutral
}

fn obtained(entry: WireGuardConfigEntry) -> ObtainedConfig {
    let status = match (entry.fail_reason, entry.status) {
        (Some(reason), _) => Status::Other(format!("failed: {reason}")),
        (None, ACTIVE) => Status::Active,
        (None, PENDING_CREATION) => Status::Other("being created".to_owned()),
        (None, PENDING_DELETION) => Status::Other("being deleted".to_owned()),
        (None, other) => Status::Other(other.to_string()),
    };
    let mut neutral = ObtainedConfig::new(entry.id.to_string(), Protocol::WireGuard, status);
    neutral.created_at = entry.created_at;
    let config = entry.config.and_then(|text| WireGuardConfig::parse(text.expose()).ok());
    if let Some(config) = config {
        neutral.addresses = config.addresses().iter().map(|net| net.addr()).collect();
        neutral.public_keys = vec![config.private_key().public_key()];
    }
    neutral
}

/// Refuses a request that cannot be fulfilled, before anything is created.
fn check(options: &WireGuardOptions) -> Result<CheckedWireGuardOptions<'_>, Error> {
    if options.private_key.is_some() {
        return Err(Error::invalid("private_key", "VPN Script generates the key itself"));
    }
    options.checked()
}

/// Parses a new configuration. If it cannot be parsed, it still exists at the provider.
fn read(id: u64, text: &Secret) -> Result<WireGuardConfig, Error> {
    WireGuardConfig::parse(text.expose()).map_err(|error| {
        broken(error.into(), &format!("the configuration {id}"))
            .with_operation(ListWireGuardConfigs::ID)
            .with_leftover(leftover(id, text))
    })
}

/// Returns an error if an existing configuration cannot be parsed: a new one could not be either, and
/// each attempt would leave another one behind.
pub(crate) fn refuse_unreadable(entries: &[WireGuardConfigEntry]) -> Result<(), Error> {
    for entry in entries.iter().filter(|entry| entry.status == ACTIVE) {
        if let Some(text) = &entry.config {
            read(entry.id, text)?;
        }
    }
    Ok(())
}

fn leftover(id: u64, text: &Secret) -> Leftover {
    Leftover::new(LeftoverKind::Configuration, id.to_string()).with_text(text.clone())
}

/// Parses a provider's id, which is a number.
fn number(id: &str, what: &str) -> Result<u64, Error> {
    id.parse().map_err(|_| not_found(id, what))
}

fn not_found(id: &str, what: &str) -> Error {
    let operation = if what == "server" { ListServers::ID } else { ListWireGuardConfigs::ID };
    Error::new(ErrorKind::NotFound)
        .with_operation(operation)
        .with_detail(format!("there is no {what} {id:?}"))
}

fn broken(error: Error, what: &str) -> Error {
    let detail = format!("{what}: {}", error.detail().unwrap_or_default());
    error.with_kind(ErrorKind::UnexpectedReply).with_detail(detail)
}
