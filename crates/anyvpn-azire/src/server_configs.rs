//! Implements locations and their WireGuard configurations.
//!
//! A device (`ip`) has an address and up to three public keys. A configuration has a device's address, the
//! private key for one of its public keys, and a location as peer.

use std::collections::HashSet;
use std::net::IpAddr;

use anyvpn_core::{
    CheckedWireGuardOptions, Config, ConfigRequest, Endpoint, Error, ErrorKind, Host, Leftover,
    LeftoverKind, ObtainedConfig, PrivateKey, Protocol, PublicKey, Rotated, Server, ServerConfig,
    ServerConfigs, Servers, Status,
};
use anyvpn_http::transport::resolve;
use anyvpn_http::{LenientList, Operation as _, RunToCompletion};
use async_trait::async_trait;
use futures_util::{FutureExt as _, TryStreamExt as _, stream};

use crate::Azire;
use crate::ops::{
    CreateIp, DeleteIp, GetIp, GetUser, Ip, IpKey, ListIps, ListLocations, Location, PutIpKey,
};

/// The port that clients use. The API does not return one; the servers listen on 1 to 51820.
const PORT: u16 = 51820;
/// The maximum number of devices of an account.
const DEVICES: usize = 10;
/// The maximum number of public keys of a device.
const KEYS: usize = 3;

#[async_trait]
impl ServerConfigs for Azire {
    fn servers(&self) -> Servers<'_> {
        let list = self.call(ListLocations {}).into_stream().map_ok(|mut locations| {
            let mut names = HashSet::new();
            locations.items.retain(|location| names.insert(location.name.clone()));
            stream::iter(locations.into_servers(server))
        });
        Servers::new(list.try_flatten())
    }

    /// If the future is dropped before it completes, a device that was registered is deleted again, if
    /// the runtime runs long enough. With the caller's own key the device stays, because obtaining a
    /// configuration with the same key finds it.
    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        let options = request.wireguard.checked()?;
        let peer = self.peer(request).await?;
        let key = request.wireguard.key()?;
        let known = match &request.wireguard.private_key {
            Some(key) => self.device_with(&key.public_key()).await?,
            None => None,
        };
        let ip = match known {
            Some(ip) => ip,
            None => self.register(key.public_key(), request).await?,
        };
        Ok(config(&ip, key, peer, options))
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        let ips = self.call(ListIps {}).await?;
        Ok(ips.into_iter().map(obtained).collect())
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        self.call(DeleteIp { id: id.into() }).await
    }

    /// Adds the new key to the device, which keeps its address and its ports. The API has no call that
    /// removes one key, so the old one stays valid. A device that already has three keys is replaced:
    /// the new device, with another address, exists before the old one is deleted.
    ///
    /// If you may drop the future, set your own key: otherwise a generated key that was added, or whose
    /// device has replaced the old one, is lost with the future.
    async fn rotate_config(&self, id: &str, request: &ConfigRequest) -> Result<Rotated, Error> {
        let options = request.wireguard.checked()?;
        let peer = self.peer(request).await?;
        let key = request.wireguard.key()?;
        let old = self.call(GetIp { id: id.into() }).await?;
        if holds(&old, &key.public_key()) {
            return Err(Error::invalid("private_key", "is already the device's key"));
        }
        if old.keys.len() < KEYS {
            self.add_key(&old, &key.public_key()).await?;
            return Ok(Rotated::new(config(&old, key, peer, options), !old.keys.is_empty()));
        }
        let new = self.register(key.public_key(), request).await?;
        let removed = self.call(DeleteIp { id: old.id }).await;
        let old_key_valid = removed.is_err_and(|error| error.kind() != ErrorKind::NotFound);
        Ok(Rotated::new(config(&new, key, peer, options), old_key_valid))
    }
}

impl Azire {
    /// Returns the peer for a request. Everything that can fail without leaving a device behind is done
    /// here.
    async fn peer(&self, request: &ConfigRequest) -> Result<(PublicKey, Endpoint), Error> {
        if request.protocol != Protocol::WireGuard {
            return Err(Error::invalid(
                "protocol",
                "must be wireguard: AzireVPN's API has no other",
            ));
        }
        let LenientList { items, left_out } = self.call(ListLocations {}).await?;
        let is_wanted = |it: &Location| it.name.eq_ignore_ascii_case(&request.server);
        let Some(location) = items.into_iter().find(is_wanted) else {
            let error = left_out.unknown("location", &request.server);
            return Err(error.with_operation(ListLocations::ID));
        };
        let (Some(pool), Some(&public_key)) = (location.pool.first(), location.pubkey.first())
        else {
            return Err(Error::new(ErrorKind::Unavailable)
                .with_operation(ListLocations::ID)
                .with_detail(format!(
                    "the location {:?} currently has no servers",
                    location.name
                )));
        };
        let options = &request.wireguard;
        let port = options.port.unwrap_or(PORT);
        let mut host: Host = pool.parse().map_err(|e| {
            Error::new(ErrorKind::UnexpectedReply)
                .with_operation(ListLocations::ID)
                .with_detail(format!("the location {:?}: {e}", location.name))
        })?;
        if options.ip_endpoint {
            host = resolve(&host, options.ipv4_only).await?.into();
        }
        Ok((public_key, Endpoint { host, port }))
    }

    async fn device_with(&self, key: &PublicKey) -> Result<Option<Ip>, Error> {
        let ips = self.call(ListIps {}).await?;
        Ok(ips.into_iter().find(|ip| holds(ip, key)))
    }

    /// Registers a device. If the caller stops waiting, the device is deleted again, unless the caller gave the
    /// key and can still use it.
    async fn register(&self, key: PublicKey, request: &ConfigRequest) -> Result<Ip, Error> {
        if request.wireguard.private_key.is_some() {
            return self.registered(&key).await;
        }
        let (azire, again) = (self.clone(), self.clone());
        let registration = RunToCompletion::new(async move { azire.registered(&key).await });
        let registration = registration.on_abandon(async move |registered| {
            if let Ok(Ip { id, .. }) = registered {
                // There is no caller to report a failure to; the device remains in the list.
                let _ = again.call(DeleteIp { id }).await;
            }
        });
        registration.await
    }

    /// Registers a device. If the outcome is unknown, the list of devices is read to find out.
    async fn registered(&self, key: &PublicKey) -> Result<Ip, Error> {
        let error = match self.call(CreateIp { key: key.to_string() }).await {
            Ok(ip) if holds(&ip, key) => return Ok(ip),
            Ok(ip) => {
                return Err(Error::new(ErrorKind::UnexpectedReply)
                    .with_operation(CreateIp::ID)
                    .with_detail("the reply for the new device does not contain its key")
                    .with_leftover(Leftover::new(LeftoverKind::Device, ip.id.as_str())));
            }
            Err(error) => error,
        };
        match error.kind() {
            _ if error.advice() == anyvpn_core::Advice::ReadBack => {
                self.device_with(key).await.ok().flatten().ok_or(error)
            }
            // The token was refused, not the device.
            _ if error.status() == Some(401) => Err(error),
            // The documentation does not say how an eleventh device is refused.
            ErrorKind::InvalidRequest
            | ErrorKind::Refused
            | ErrorKind::QuotaReached
            | ErrorKind::Unauthorized
                if self.is_full().await =>
            {
                Err(error.with_kind(ErrorKind::DeviceLimit))
            }
            _ => Err(error),
        }
    }

    /// Returns whether the account has the maximum number of devices and is still active. An expired
    /// account is refused another device because it has expired, so deleting one would not help.
    async fn is_full(&self) -> bool {
        self.call(ListIps {}).await.is_ok_and(|ips| ips.len() >= DEVICES)
            && self.call(GetUser {}).await.is_ok_and(|user| user.is_active)
    }

    /// Adds a key to a device. If the outcome is unknown, the device is read to find out.
    async fn add_key(&self, ip: &Ip, key: &PublicKey) -> Result<(), Error> {
        let key = key.to_string();
        let is_it = |other: &IpKey| other.key == key;
        let error = match self.call(PutIpKey { id: ip.id.clone(), key: key.clone() }).await {
            Ok(keys) if keys.iter().any(is_it) => return Ok(()),
            Ok(_) => Error::new(ErrorKind::UnexpectedReply)
                .with_operation(PutIpKey::ID)
                .with_detail(format!(
                    "the reply for the device {} does not contain the new key",
                    ip.id
                ))
                .with_read_back(),
            Err(error) => error,
        };
        if error.advice() != anyvpn_core::Advice::ReadBack {
            return Err(error);
        }
        match self.call(GetIp { id: ip.id.clone() }).await {
            Ok(ip) if ip.keys.iter().any(is_it) => Ok(()),
            _ => Err(error),
        }
    }
}

fn holds(ip: &Ip, key: &PublicKey) -> bool {
    let key = key.to_string();
    ip.keys.iter().any(|it| it.key == key)
}

fn server(location: Location) -> Server {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (city, country) = (filled(location.city), filled(location.country));
    let name: Vec<&str> = [&city, &country].into_iter().flatten().map(String::as_str).collect();
    let name = if name.is_empty() { location.name.clone() } else { name.join(", ") };
    let mut server = Server::new(location.name, name);
    server.country = country;
    server.country_code = filled(location.iso);
    server.city = city;
    server.host = location.pool.into_iter().next();
    server.protocols = vec![Protocol::WireGuard];
    server
}

fn obtained(ip: Ip) -> ObtainedConfig {
    let mut config = ObtainedConfig::new(ip.id.as_str(), Protocol::WireGuard, Status::Active);
    config.name = ip.device_name;
    config.addresses = vec![ip.ipv4_address.into(), ip.ipv6_address.into()];
    config.public_keys = ip.keys.iter().filter_map(|key| key.key.parse().ok()).collect();
    config.created_at = ip.keys.iter().map(|key| key.created_at).min();
    config
}

fn config(
    ip: &Ip,
    key: PrivateKey,
    (peer, endpoint): (PublicKey, Endpoint),
    options: CheckedWireGuardOptions<'_>,
) -> ServerConfig {
    // The device has only these addresses, whatever the netmask in the reply says.
    let addresses = [IpAddr::from(ip.ipv4_address), ip.ipv6_address.into()];
    let config = options.config(key, &addresses, &ip.dns, peer, endpoint);
    ServerConfig::new(Some(ip.id.to_string()), Config::WireGuard(config))
}
