#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! The signed list, WireGuard keys and OpenVPN configurations.

mod world;

use std::sync::Arc;

use anyvpn_core::{Config, ConfigRequest, ErrorKind, Host, Protocol, Server, ServerConfigs as _};
use anyvpn_lab::harness::quick;
use anyvpn_pia::{Pia, SigningKey, types};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use anyvpn_testkit::scripted::{Script, Step};
use futures_util::TryStreamExt as _;
use world::{USERNAME, World, key};

#[tokio::test]
async fn regions_say_what_they_offer() {
    let world = World::new(0).await;
    let servers: Vec<Server> = world.pia.servers().try_collect().await.unwrap();
    let rows: Vec<_> = servers
        .iter()
        .map(|it| {
            (
                &*it.id,
                it.country_code.as_deref().unwrap(),
                it.forwards_ports.unwrap(),
                it.host.is_some(),
                it.protocols.len(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("swiss", "ch", true, true, 2),
            ("de_berlin", "de", true, true, 2),
            ("us_chicago", "us", false, true, 2),
            ("nl_amsterdam", "nl", true, false, 2),
            ("gr", "gr", true, true, 1),
        ]
    );
    for (region, protocol, kind) in [
        ("nl_amsterdam", Protocol::WireGuard, ErrorKind::Unavailable),
        ("gr", Protocol::WireGuard, ErrorKind::InvalidRequest),
        ("atlantis", Protocol::OpenVpn, ErrorKind::NotFound),
    ] {
        let error = world.pia.obtain_config(&ConfigRequest::new(region, protocol)).await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), kind, "{region}: {error}");
        assert!(error.to_string().contains(region), "{error}");
    }
    assert_eq!(world.arrived("add-key"), 0);
}

/// A mirror or an attacker between us and the list cannot direct users to other servers.
#[tokio::test]
async fn a_list_that_the_vendor_has_not_signed_is_not_used() {
    let world = World::new(0).await;
    let vendor = SigningKey::from_pem(types::LIST_KEY).unwrap();
    let error = world.pia.clone().with_list_key(vendor).server_list().await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply);
    assert!(error.to_string().contains("signature"), "{error}");

    let signed = r#"{"groups":{},"regions":[]}"#;
    for body in [signed.to_owned(), format!("{signed}\n\nAAAA\nAAAA\n"), format!("{signed}\n\n~\n")]
    {
        let script = Script::new([Step::json(200, &body)]);
        let pia = Pia::builder().transport(Arc::new(script)).build().unwrap();
        let error = pia.server_list().await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{body}: {error}");
        assert_eq!(error.operation().unwrap().name(), "list-servers");
    }
}

#[tokio::test]
async fn a_wireguard_configuration_is_a_lease_of_the_servers_own_name_and_address() {
    for seed in 0..6 {
        let world = World::new(seed).await;
        let mut request = ConfigRequest::wireguard("de_berlin");
        request.wireguard.private_key = Some(key().clone());
        for _ in 0..2 {
            let obtained = world.pia.obtain_config(&request).await.unwrap();
            assert_eq!(obtained.id, None);
            let note = obtained.note.unwrap();
            assert!(note.contains("lease") && note.contains("gateway = \"10.4.128.1\""), "{note}");
            let Config::WireGuard(config) = obtained.config else { panic!("no WireGuard") };
            let [peer] = &config.peers()[..] else { panic!("one peer") };
            let endpoint = peer.endpoint.clone().unwrap();
            assert_eq!(
                (endpoint.host, endpoint.port),
                (Host::from(std::net::IpAddr::from([127, 0, 0, 1])), 1337)
            );
            assert_eq!(peer.persistent_keepalive, Some(25));
            assert_eq!(config.addresses()[0].to_string(), "10.4.130.1/32");
            assert_eq!(config.dns(), ["10.0.0.243", "10.0.0.242"]);
        }
        let known = [("berlin401".to_owned(), key().public_key().to_string())];
        assert_eq!(world.service().keys(USERNAME), known);
        // The request uses the host's own name, including capitals.
        world.wireguard("swiss").await.unwrap();
        let received = world.sandbox.received();
        let hosts = received.iter().filter(|it| it.operation == Some("pia.add-key"));
        let hosts: Vec<_> = hosts
            .map(|it| {
                it.headers
                    .iter()
                    .find(|(name, _)| name == "host")
                    .unwrap()
                    .1
                    .split(':')
                    .next()
                    .unwrap()
            })
            .collect();
        assert_eq!(hosts[..2], ["berlin401", "berlin401"]);
        assert!(hosts[2].starts_with("Server-1234"), "{hosts:?}");
    }
}

#[tokio::test]
async fn a_lost_reply_is_followed_by_the_same_key() {
    let world = World::new(0).await;
    world.sandbox.inject(FaultRule::once("pia.add-key", Fault::Wire("reset-after"))).unwrap();
    let config = world.wireguard("de_berlin").await.unwrap();
    let known = world.service().keys(USERNAME);
    assert_eq!(known, [("berlin401".to_owned(), config.private_key().public_key().to_string())]);
    assert_eq!(world.arrived("add-key"), 2);
}

#[tokio::test]
async fn a_server_with_another_authority_gets_no_token() {
    let world = World::new(0).await;
    let other = Sandbox::builder().seed(7).start().await.unwrap();
    let roots = anyvpn_pia::TrustRoots::from_pem(&other.pia().ca()).unwrap();
    let pia = world.pia.clone().with_roots(roots);
    let error = pia.obtain_config(&ConfigRequest::wireguard("swiss")).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("authority"), "{error}");
    assert_eq!(world.arrived("add-key"), 0);
}

/// A region's name and another server's name do not match the certificate.
#[tokio::test]
async fn a_name_that_the_certificate_does_not_have_is_refused_with_the_reason() {
    use anyvpn_core::{NewPortForward, PortForwards as _};
    let world = World::new(0).await;
    let gateway = world.service().gateway().parse().unwrap();
    let connection = anyvpn_pia::Connection::new("swiss.privacy.network", gateway);
    let pia = world.pia.clone().with_connection(connection);
    let error = pia.create_port_forward(NewPortForward::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("for another host name"), "{error}");
    assert_eq!(world.arrived("get-signature"), 0);
}

#[tokio::test]
async fn an_openvpn_profile_signs_in_with_the_token() {
    let world = World::new(0).await;
    let request = ConfigRequest::new("gr", Protocol::OpenVpn);
    let obtained = world.pia.obtain_config(&request).await.unwrap();
    assert!(obtained.note.unwrap().contains("24 hours"));
    let Config::OpenVpn(profile) = obtained.config else { panic!("no OpenVPN") };
    assert!(profile.directives().is_empty(), "{:?}", profile.directives());
    let text = profile.to_secret();
    let text = text.expose();
    let (username, password) = world.token.split_at(62);
    assert!(
        text.contains(&format!("<auth-user-pass>\n{username}\n{password}\n</auth-user-pass>")),
        "{text}"
    );
    assert!(text.contains("remote 203.0.113.41 8080\n"), "{text}");
    assert_eq!(profile.ca().unwrap().len(), 1);

    let short = world.pia.with_token("short".into());
    let error = short.obtain_config(&request).await.map(drop).unwrap_err();
    assert!(error.fields().contains_key("token"), "{error}");
    let none = world::client(&world.sandbox, quick(Pia::builder()));
    let error = none.obtain_config(&request).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}
