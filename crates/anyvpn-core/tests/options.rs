//! A caller's choices for a WireGuard configuration can be read again, or are refused at once.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::net::IpAddr;

use anyvpn_core::{
    Endpoint, ErrorKind, PrivateKey, PublicKey, Secret, WireGuardConfig, WireGuardOptions,
};
use proptest::prelude::*;

fn key() -> PrivateKey {
    PrivateKey::from_base64(&Secret::from("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")).unwrap()
}

fn endpoint() -> Endpoint {
    "vpn.example.net:51820".parse().unwrap()
}

fn options() -> impl Strategy<Value = WireGuardOptions> {
    // Boundary values are frequent.
    let number =
        || prop::option::of(prop_oneof![Just(0), Just(1), Just(67), Just(68), any::<u16>()]);
    let dns = prop::option::of(prop::collection::vec(any::<IpAddr>(), 0..4));
    (number(), number(), number(), dns, any::<bool>()).prop_map(
        |(port, mtu, keepalive, dns, ipv4_only)| {
            let mut options = WireGuardOptions::default();
            (options.port, options.mtu, options.keepalive) = (port, mtu, keepalive);
            (options.dns, options.ipv4_only) = (dns, ipv4_only);
            options
        },
    )
}

proptest! {
    #[test]
    fn accepted_options_produce_readable_configurations(options in options(), addresses: [IpAddr; 2], resolvers: [IpAddr; 2]) {
        let Ok(checked) = options.checked() else {
            let error = options.checked().unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
            prop_assert!(options.port == Some(0) || options.mtu.is_some_and(|mtu| mtu < 68));
            return Ok(());
        };
        let peer = PublicKey::from([7; 32]);
        let made = checked.config(key(), &addresses, &resolvers, peer, endpoint());
        let mut edited = WireGuardConfig::parse(
            "[Interface]\nPrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\nDNS = 10.0.0.1\n\
             [Peer]\nPublicKey = BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nAllowedIPs = 0.0.0.0/0, ::/0\n\
             Endpoint = vpn.example.net:51820\n",
        ).unwrap();
        checked.apply(&mut edited);
        for config in [made, edited] {
            let read = WireGuardConfig::parse(config.to_secret().expose()).unwrap();
            prop_assert_eq!(read.mtu(), options.mtu);
            let peer = &read.peers()[0];
            prop_assert_eq!(peer.endpoint.as_ref().unwrap().port, options.port.unwrap_or(51820));
            prop_assert_eq!(peer.persistent_keepalive, options.keepalive.filter(|it| *it > 0));
            prop_assert_eq!(peer.allowed_ips.len(), if options.ipv4_only { 1 } else { 2 });
            if let Some(dns) = &options.dns {
                let dns: Vec<_> = dns.iter().map(ToString::to_string).collect();
                prop_assert_eq!(read.dns(), dns);
            }
        }
    }
}
