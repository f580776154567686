//! Checks servers, and configurations for them.

use anyvpn_core::{Config, ConfigRequest, ErrorKind, PrivateKey, Protocol, ServerConfigs};
use futures_util::TryStreamExt;

use super::{Check, ExpectError, Outcome, ensure, expect, text};

pub(super) async fn servers(configs: &dyn ServerConfigs) -> Check {
    let servers: Vec<_> = configs.servers().try_collect().await.map_err(text)?;
    ensure!(!servers.is_empty(), "no servers are listed");
    let mut ids: Vec<_> = servers.iter().map(|server| server.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(ids.len() == servers.len(), "{} servers share {} ids", servers.len(), ids.len());
    ensure!(servers.iter().all(|server| !server.protocols.is_empty()), "a server has no protocols");
    Ok(())
}

pub(super) async fn config_unknown(configs: &dyn ServerConfigs) -> Check {
    let before = configs.list_configs().await.map_err(text)?;
    let request = ConfigRequest::wireguard("0-no-such-server");
    let error = configs.obtain_config(&request).await.map(drop).expect_err_text()?;
    ensure!(
        matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidRequest),
        "requesting an unknown server gave {error}"
    );
    let after = configs.list_configs().await.map_err(text)?;
    ensure!(before == after, "the refused request changed the list: {after:?}");
    Ok(())
}

pub(super) async fn config_unknown_id(configs: &dyn ServerConfigs) -> Check {
    expect(configs.revoke_config("nosuchid").await, ErrorKind::NotFound)
}

/// Returns the id of a server that can be used with WireGuard.
pub(super) async fn wireguard_server(configs: &dyn ServerConfigs) -> Result<String, String> {
    let mut servers = configs.servers();
    while let Some(server) = servers.next().await {
        let server = server.map_err(text)?;
        let room = server.free_slots.is_none_or(|slots| slots > 0);
        if server.host.is_some() && room && server.protocols.contains(&Protocol::WireGuard) {
            return Ok(server.id);
        }
    }
    Err("no server can be used with WireGuard".to_owned())
}

/// Options that are never valid are refused before anything is created.
pub(super) async fn wireguard_odd(configs: &dyn ServerConfigs) -> Check {
    let server = wireguard_server(configs).await?;
    let before = configs.list_configs().await.map_err(text)?;
    let (mut port, mut mtu) = (ConfigRequest::wireguard(&server), ConfigRequest::wireguard(server));
    (port.wireguard.port, mtu.wireguard.mtu) = (Some(0), Some(67));
    for request in [port, mtu] {
        expect(configs.obtain_config(&request).await.map(drop), ErrorKind::InvalidRequest)?;
    }
    ensure!(
        configs.list_configs().await.map_err(text)? == before,
        "the refused request changed the list of configurations"
    );
    Ok(())
}

pub(super) async fn wireguard_life(configs: &dyn ServerConfigs) -> Check {
    let server = wireguard_server(configs).await?;
    let before = configs.list_configs().await.map_err(text)?;
    let made = configs.obtain_config(&ConfigRequest::wireguard(server)).await.map_err(text)?;
    let Config::WireGuard(config) = &made.config else {
        return Err("requested WireGuard, got another protocol".to_owned());
    };
    ensure!(!config.addresses().is_empty(), "the configuration has no interface address");
    let peers = config.peers();
    ensure!(peers.len() == 1 && peers.iter().all(|p| p.endpoint.is_some()), "peers: {peers:?}");
    let Some(id) = made.id else { return Ok(()) };
    let list = configs.list_configs().await.map_err(text)?;
    ensure!(
        list.len() == before.len() + 1,
        "created one configuration, but {} are listed",
        list.len()
    );
    ensure!(list.iter().any(|it| it.id == id), "the new configuration {id} is not listed");
    configs.revoke_config(&id).await.map_err(text)?;
    let after = configs.list_configs().await.map_err(text)?;
    ensure!(after == before, "still listed after it was revoked: {after:?}");
    expect(configs.revoke_config(&id).await, ErrorKind::NotFound)
}

/// Skipped if the provider generates the keys; it must say so before it creates anything.
pub(super) async fn wireguard_reuse(configs: &dyn ServerConfigs) -> Result<Outcome, String> {
    let before = configs.list_configs().await.map_err(text)?;
    let mut request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    request.wireguard.private_key = Some(PrivateKey::generate().map_err(text)?);
    let first = match configs.obtain_config(&request).await {
        Err(error) if error.fields().contains_key("private_key") => {
            expect(Err::<(), _>(error), ErrorKind::InvalidRequest)?;
            let after = configs.list_configs().await.map_err(text)?;
            ensure!(after == before, "the refused request changed the list: {after:?}");
            return Ok(Outcome::Skip("the provider does not accept the caller's key".to_owned()));
        }
        first => first.map_err(text)?,
    };
    let second = configs.obtain_config(&request).await.map_err(text)?;
    ensure!(
        first.id == second.id,
        "requests with the same key gave two ids: {:?}, {:?}",
        first.id,
        second.id
    );
    match first.id {
        Some(id) => configs.revoke_config(&id).await.map(|()| Outcome::Pass).map_err(text),
        None => Ok(Outcome::Pass),
    }
}

pub(super) async fn wireguard_rotate(configs: &dyn ServerConfigs) -> Check {
    let request = ConfigRequest::wireguard(wireguard_server(configs).await?);
    let first = configs.obtain_config(&request).await.map_err(text)?;
    let Some(mut id) = first.id else {
        return Ok(());
    };
    let Config::WireGuard(old) = first.config else {
        return Err("requested WireGuard, got another protocol".to_owned());
    };
    let mut keys = vec![old.private_key().public_key()];
    // Often enough to exceed the number of keys that any device can have.
    for _ in 0..4 {
        let rotated = configs.rotate_config(&id, &request).await.map_err(text)?;
        let Config::WireGuard(config) = rotated.config.config else {
            return Err("requested WireGuard, got another protocol".to_owned());
        };
        let key = config.private_key().public_key();
        ensure!(!keys.contains(&key), "an old key was returned");
        keys.push(key);
        id = rotated.config.id.ok_or("the rotated configuration has no id")?;
        let list = configs.list_configs().await.map_err(text)?;
        let listed =
            list.iter().find(|it| it.id == id).ok_or("the rotated configuration is not listed")?;
        ensure!(
            listed.public_keys.is_empty() || listed.public_keys.contains(&key),
            "the rotated configuration is listed without its new key"
        );
    }
    configs.revoke_config(&id).await.map_err(text)
}
