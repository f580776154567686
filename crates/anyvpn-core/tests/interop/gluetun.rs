//! The rules of gluetun. It runs only in a container, so no program can be given a file.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::{IpNet, PublicKey};

/// Reads and checks variables by the rules of gluetun's settings: the reader of its `Wireguard` and
/// `WireguardSelection` in `internal/configuration/settings`, for the provider `custom`.
pub fn read(text: &str) -> Result<BTreeMap<&str, &str>, String> {
    let mut variables = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.split_once('=').ok_or("docker takes NAME=value")?;
        if value.is_empty() || value.trim() != value || variables.insert(name, value).is_some() {
            return Err(format!("{name}: docker keeps blanks, and gluetun takes no empty value"));
        }
    }
    let get = |name: &str| variables.get(name).copied().ok_or_else(|| format!("{name} is not set"));
    let is_key = |text: &str| text.len() == 44 && text.parse::<PublicKey>().is_ok();
    let networks = |name: &str| -> Result<Vec<IpNet>, String> {
        // It reads an address without a prefix as /32, which is wrong for IPv6.
        let parse = |item: &str| item.parse::<IpNet>().map_err(|_| format!("{name}: {item}"));
        get(name)?.split(',').map(parse).collect()
    };
    if get("VPN_SERVICE_PROVIDER")? != "custom" || get("VPN_TYPE")? != "wireguard" {
        return Err("another provider or type".to_owned());
    }
    let ip = get("WIREGUARD_ENDPOINT_IP")?.split('%').next().unwrap().parse::<IpAddr>();
    if ip.map_err(|_| "this MUST be an IP address")?.is_unspecified() {
        return Err("the endpoint IP is not set".to_owned());
    }
    if get("WIREGUARD_ENDPOINT_PORT")?.parse::<u16>().map_err(|e| e.to_string())? == 0 {
        return Err("the endpoint port is not set".to_owned());
    }
    let keys = [get("WIREGUARD_PUBLIC_KEY")?, get("WIREGUARD_PRIVATE_KEY")?];
    let shared = get("WIREGUARD_PRESHARED_KEY").ok();
    if !keys.into_iter().chain(shared).all(is_key) {
        return Err("a key is not valid".to_owned());
    }
    networks("WIREGUARD_ADDRESSES")?;
    networks("WIREGUARD_ALLOWED_IPS")?;
    if let Ok(mtu) = get("WIREGUARD_MTU") {
        mtu.parse::<u32>().map_err(|e| e.to_string())?;
    }
    // A Go duration, which needs a unit.
    if let Ok(interval) = get("WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL") {
        let seconds = interval.strip_suffix('s').ok_or("a duration needs its unit")?;
        seconds.parse::<u32>().map_err(|e| e.to_string())?;
    }
    Ok(variables)
}
