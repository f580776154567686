//! The forms of a WireGuard configuration for programs other than `wg-quick`, and the names of files.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "interop/gluetun.rs"]
mod gluetun;

use std::net::IpAddr;

use anyvpn_core::{
    ErrorKind, Interface, IpNet, Peer, PublicKey, WireGuardConfig, is_interface_name,
    to_interface_name,
};
use proptest::prelude::*;

const KEY: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const PEER: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";
const SHARED: &str = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=";

/// A file with most of what a provider can write.
fn full() -> String {
    format!(
        "# Paris\n[Interface]\nPrivateKey = {KEY}\nAddress = 10.0.24.207/24, fd00::2\nDNS = 10.0.0.1 # theirs\n\
         MTU = 1380\nListenPort = 7\nFwMark = 0x1\nTable = off\nPostUp = id\n\n[Peer] # one\nPublicKey = {PEER}\n\
         PresharedKey = {SHARED}\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = [2001:db8::1]:51820\n\
         PersistentKeepalive = 25\n"
    )
}

fn parse(text: &str) -> WireGuardConfig {
    WireGuardConfig::parse(text).unwrap()
}

#[test]
fn gluetun_variables_match_its_source_code() {
    let text = parse(&full()).to_gluetun().unwrap();
    let expected = format!(
        "VPN_SERVICE_PROVIDER=custom\nVPN_TYPE=wireguard\nWIREGUARD_ENDPOINT_IP=2001:db8::1\n\
         WIREGUARD_ENDPOINT_PORT=51820\nWIREGUARD_PUBLIC_KEY={PEER}\nWIREGUARD_PRIVATE_KEY={KEY}\n\
         WIREGUARD_PRESHARED_KEY={SHARED}\nWIREGUARD_ADDRESSES=10.0.24.207/24,fd00::2/128\n\
         WIREGUARD_ALLOWED_IPS=0.0.0.0/0,::/0\nWIREGUARD_MTU=1380\n\
         WIREGUARD_PERSISTENT_KEEPALIVE_INTERVAL=25s\n"
    );
    assert_eq!(text.expose(), expected);
    gluetun::read(&expected).unwrap();
    // Unset values have no line.
    let least = format!(
        "[Interface]\nPrivateKey={KEY}\nAddress=10.0.0.2\n[Peer]\nPublicKey={PEER}\nAllowedIPs=0.0.0.0/0\nEndpoint=[fe80::1%eth0]:1\n"
    );
    let text = parse(&least).to_gluetun().unwrap();
    assert_eq!(gluetun::read(text.expose()).unwrap().len(), 8);
    assert!(text.expose().contains("WIREGUARD_ENDPOINT_IP=fe80::1%eth0\n"));
}

#[test]
fn configurations_that_gluetun_cannot_use_are_refused_with_the_reason() {
    let changed = |from: &str, to: &str| {
        let text = full();
        assert!(text.contains(from), "{from}");
        parse(&text.replace(from, to)).to_gluetun().unwrap_err()
    };
    let second = format!("[Peer]\nPublicKey = {KEY}\n[Peer] # one\n");
    for (from, to, field, why) in [
        ("[2001:db8::1]:51820", "vpn.example.net:51820", "endpoint", "not a name"),
        ("[2001:db8::1]:51820", "0.0.0.0:51820", "endpoint", "not a server's address"),
        ("Endpoint = [2001:db8::1]:51820\n", "", "endpoint", "there is none"),
        ("[Peer] # one\n", &second, "peer", "has 2"),
        ("Address = 10.0.24.207/24, fd00::2\n", "", "address", "there is none"),
        ("AllowedIPs = 0.0.0.0/0, ::/0\n", "", "allowed IPs", "everything"),
        ("ListenPort = 7", "Jc = 7", "configuration", "line 7"),
        ("= 25\n", "= 20-30\n", "configuration", "line 17"),
    ] {
        let error = changed(from, to);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{from}");
        assert!(
            error.fields()[field].iter().any(|it| it.contains(why)),
            "{error} {:?}",
            error.fields()
        );
    }
}

#[test]
fn setconfs_form_has_only_what_wg_knows() {
    let removed = ["Address", "DNS", "MTU", "Table", "PostUp"];
    let lines = full();
    let expected: String = lines
        .split_inclusive('\n')
        .filter(|line| !removed.iter().any(|key| line.starts_with(key)))
        .collect();
    assert_eq!(parse(&full()).to_setconf().unwrap().expose(), expected);
    for (from, to) in [("ListenPort = 7", "Jc = 7"), ("= 25\n", "= 20-30\n")] {
        let error = parse(&full().replace(from, to)).to_setconf().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn interface_names_follow_the_rules_of_wg_quick() {
    for good in ["a", "se-sto", "a_b=c+d.e-f", "123456789012345"] {
        assert!(is_interface_name(good), "{good}");
        assert_eq!(to_interface_name(good), good);
    }
    for (wrong, instead) in [
        ("", "wg0"),
        (".", "wg0"),
        ("..", "wg0"),
        ("1234567890123456", "123456789012345"),
        ("Paris (2)", "Paris--2"),
        ("bücher", "b-cher"),
        ("a/b", "a-b"),
        ("日本", "wg0"),
    ] {
        assert!(!is_interface_name(wrong), "{wrong}");
        assert_eq!(to_interface_name(wrong), instead);
    }
}

proptest! {
    #[test]
    fn whatever_gluetun_gets_is_as_it_wants_it(
        addresses in prop::collection::vec(any::<IpAddr>(), 0..3),
        allowed in prop::collection::vec(any::<IpAddr>(), 0..3),
        host: IpAddr,
        port in 1u16..,
        mtu in prop::option::of(68u16..),
        keepalive: Option<u16>,
    ) {
        let network = |ips: Vec<IpAddr>| ips.into_iter().map(IpNet::from).collect::<Vec<_>>();
        let peer = Peer {
            public_key: PEER.parse().unwrap(),
            preshared_key: None,
            allowed_ips: network(allowed),
            endpoint: Some(anyvpn_core::Endpoint { host: host.into(), port }),
            persistent_keepalive: keepalive,
        };
        let private_key = KEY.parse().unwrap();
        let interface = Interface { private_key, addresses: network(addresses), dns: vec![], mtu, listen_port: None };
        let full = !interface.addresses.is_empty() && !peer.allowed_ips.is_empty();
        match WireGuardConfig::new(interface, vec![peer]).to_gluetun() {
            Ok(text) => { gluetun::read(text.expose()).unwrap(); }
            Err(_) => prop_assert!(!full || host.is_unspecified()),
        }
    }

    #[test]
    fn every_name_becomes_one_that_wg_quick_takes(name: String) {
        prop_assert!(is_interface_name(&to_interface_name(&name)));
    }
}
