//! Any bytes as a WireGuard configuration: what parses prints the same, and stays readable when it
//! is edited.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyvpn_core::{Endpoint, Host, PrivateKey, WireGuardConfig};
use libfuzzer_sys::fuzz_target;

/// In no seed: all bytes 42.
const KEY: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";
/// Enough of it to tell it by.
const KEY_START: &str = "KioqKioqKio";

fuzz_target!(|bytes: &[u8]| {
    // Of UTF-8 this is the text itself.
    let text = String::from_utf8_lossy(bytes);
    let config = match WireGuardConfig::parse(&text) {
        Ok(config) => config,
        Err(error) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let line = lines[error.line - 1];
            assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{error}");
            return;
        }
    };
    assert_eq!(config.to_secret().expose(), text);
    hides_keys(&config, &text);
    forms(&config);
    edits(config, bytes.len(), text.contains(KEY_START));
});

/// What `wg` gets is a configuration with the same peers.
fn forms(config: &WireGuardConfig) {
    let _ = config.to_gluetun();
    if let Ok(text) = config.to_setconf() {
        let read = WireGuardConfig::parse(text.expose()).unwrap();
        assert_eq!(format!("{:?}", read.peers()), format!("{:?}", config.peers()));
    }
}

/// Nothing but a public key that was written in a secret one's place shows one.
fn hides_keys(config: &WireGuardConfig, text: &str) {
    let peers = config.peers();
    let public: Vec<_> = peers.iter().map(|peer| peer.public_key.to_string()).collect();
    let secret =
        peers.iter().filter_map(|peer| peer.preshared_key.as_ref()).map(|key| key.to_secret());
    let shown = format!("{config:?}{:?}{peers:?}{}", config.directives(), config.redacted());
    for key in secret.chain([config.private_key().to_secret()]) {
        let key = key.expose();
        assert!(public.iter().any(|it| it == key) || !shown.contains(key), "{text:?}");
    }
    assert_eq!(config.redacted().lines().count(), text.lines().count());
}

fn edits(mut config: WireGuardConfig, choice: usize, has_key: bool) {
    let commands = config.directives().len();
    let comments = marks(&config);
    let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let endpoint = |host: IpAddr| Endpoint { host: Host::Ip(host), port: 443 };
    let peers = config.peers().len();

    // Which edits, and so in which order they meet, the length decides.
    if choice & 1 == 0 {
        config.set_mtu(Some(1380)).unwrap();
        assert_eq!(read(&config).mtu(), Some(1380));
    } else {
        config.set_mtu(None).unwrap();
        assert_eq!(read(&config).mtu(), None);
    }
    let resolvers = if choice & 2 == 0 { &addresses[..] } else { &[] };
    config.set_dns(resolvers);
    let dns = read(&config).dns();
    let set: Vec<_> = resolvers.iter().map(ToString::to_string).collect();
    assert!(dns.starts_with(&set) && dns == config.dns());
    for peer in 0..peers.min(8) {
        config.set_endpoint(peer, endpoint(addresses[choice & 1])).unwrap();
        let keepalive = (choice & 4 == 0).then_some(25);
        config.set_keepalive(peer, keepalive).unwrap();
        let peer = read(&config).peers().swap_remove(peer);
        assert_eq!(peer.endpoint, Some(endpoint(addresses[choice & 1])));
        assert_eq!(peer.persistent_keepalive, keepalive);
    }
    assert!(config.set_endpoint(peers, endpoint(addresses[0])).is_err());
    if choice & 8 == 0 {
        config.ipv4_only();
        let read = read(&config);
        let of_peers = read.peers().into_iter().flat_map(|peer| peer.allowed_ips);
        assert!(read.addresses().into_iter().chain(of_peers).all(|it| it.addr().is_ipv4()));
        assert!(read.dns().iter().all(|word| !word.contains(':')));
    }
    config.set_private_key(KEY.parse::<PrivateKey>().unwrap());
    let read = read(&config);
    assert_eq!(read.private_key().to_secret().expose(), KEY);
    assert_eq!((read.directives().len(), read.peers().len()), (commands, peers));
    assert_eq!(marks(&config), comments);
    assert!(has_key || !config.redacted().contains(KEY_START));
}

/// What the text of an edited configuration means, which must be what the edited one says.
fn read(config: &WireGuardConfig) -> WireGuardConfig {
    let text = config.to_secret();
    let read = WireGuardConfig::parse(text.expose()).unwrap();
    assert_eq!(read.addresses(), config.addresses());
    assert_eq!((read.mtu(), read.listen_port()), (config.mtu(), config.listen_port()));
    assert_eq!(format!("{:?}", read.peers()), format!("{:?}", config.peers()));
    read
}

/// The marks of comments, which no edit takes away.
fn marks(config: &WireGuardConfig) -> usize {
    config.to_secret().expose().matches('#').count()
}
