//! Servers, and configurations in each of their forms.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_sandbox::{Sandbox, Variation};
use anyvpn_vpnresellers::ops::GetOpenVpnConfig;
use anyvpn_vpnresellers::{
    Config, ConfigRequest, ErrorKind, OpenVpnPort, Protocol, ServerConfigs, VpnResellers,
};
use world::{CUSTOMER, NEW, STRANGER, World};

/// Returns sandboxes with each variation, and one without any.
async fn worlds() -> Vec<(&'static str, World)> {
    let mut worlds = vec![("none", World::new(0).await)];
    for variation in Variation::all().filter(|it| it.name.starts_with("vpnresellers.")) {
        let world = World::from(Sandbox::builder().variation(variation.name)).await;
        worlds.push((variation.name, world));
    }
    worlds
}

#[tokio::test]
async fn a_wireguard_file_has_the_accounts_key_in_every_form() {
    for (variation, world) in worlds().await {
        let request = ConfigRequest::wireguard("2");
        let made = world.reseller().obtain_config(&request).await.unwrap();
        let Config::WireGuard(config) = made.config else { panic!("{variation}") };
        let key = world.sandbox.vpnresellers().account(CUSTOMER).unwrap().private_key;
        assert_eq!(config.private_key().to_secret().expose(), key, "{variation}");
        assert_eq!(made.id, None);
        assert!(!format!("{config:?}").contains(&key));
    }
}

#[tokio::test]
async fn an_openvpn_file_is_for_the_port_that_was_chosen_or_the_usual_one() {
    for (variation, world) in worlds().await {
        let request = ConfigRequest::new("2", Protocol::OpenVpn);
        let remote = async |reseller: VpnResellers| {
            let made = reseller.obtain_config(&request).await.unwrap();
            let Config::OpenVpn(profile) = made.config else { panic!("{variation}") };
            let text = profile.to_secret().expose().to_owned();
            let line = |word: &str| {
                text.lines().find(|line| line.starts_with(word)).unwrap_or_default().to_owned()
            };
            assert!(profile.asks_for_password(), "{variation}");
            (line("proto "), line("remote "))
        };
        let udp = ("proto udp".to_owned(), "remote 203.0.113.41 1194".to_owned());
        assert_eq!(remote(world.reseller()).await, udp, "{variation}");
        for port in ["tcp/443", "443"] {
            let port: OpenVpnPort = port.parse().unwrap();
            let reseller = world.reseller().with_openvpn_port(port);
            let tcp = ("proto tcp".to_owned(), "remote 203.0.113.41 443".to_owned());
            assert_eq!(remote(reseller).await, tcp, "{variation}");
        }
    }
}

#[tokio::test]
async fn an_unknown_port_is_refused_with_the_list_of_ports() {
    let world = World::new(0).await;
    for port in ["udp/443", "8443", "sctp/443"] {
        let reseller = world.reseller().with_openvpn_port(port.parse().unwrap());
        let request = ConfigRequest::new("2", Protocol::OpenVpn);
        let error = reseller.obtain_config(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let why = error.fields()["openvpn_port"].join(" ");
        assert!(why.contains(port) && why.contains("udp/1194") && why.contains("tcp/443"), "{why}");
    }
    for wrong in ["", "0", "tcp", "udp/", "65536", "udp/x"] {
        assert!(wrong.parse::<OpenVpnPort>().unwrap_err().contains("udp/1194"), "{wrong}");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_is_refused() {
    for (variation, world) in worlds().await {
        let reseller = world.reseller();
        let wireguard = ConfigRequest::wireguard;
        for (request, reseller, kind) in [
            (wireguard("frankfurt"), reseller.clone(), ErrorKind::NotFound),
            (wireguard("2"), reseller.for_customer(NEW), ErrorKind::NotFound),
            (wireguard("2"), reseller.for_customer(STRANGER), ErrorKind::NotFound),
            (wireguard("2"), world.builder().build().unwrap(), ErrorKind::InvalidRequest),
            (
                ConfigRequest::new("2", Protocol::from("ike")),
                reseller.clone(),
                ErrorKind::InvalidRequest,
            ),
        ] {
            let error = reseller.obtain_config(&request).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{variation}: {error}");
        }
        for protocol in [Protocol::WireGuard, Protocol::OpenVpn] {
            let request = ConfigRequest::new("999", protocol);
            let error = reseller.obtain_config(&request).await.unwrap_err();
            let kinds = [ErrorKind::NotFound, ErrorKind::InvalidRequest];
            assert!(kinds.contains(&error.kind()), "{variation}: {error}");
        }
    }
}

/// A network's login page is not a configuration, although the bare file is sent as HTML too.
#[tokio::test]
async fn a_web_page_is_not_a_configuration() {
    let world = World::new(0).await;
    for (operation, protocol) in
        [("get-wireguard-config", Protocol::WireGuard), ("get-openvpn-config", Protocol::OpenVpn)]
    {
        world.fault(operation, anyvpn_sandbox::Fault::Html(200));
        let request = ConfigRequest::new("2", protocol);
        let error = world.reseller().obtain_config(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    }
}

/// OpenVPN ignores what a comment says, in any encoding.
#[tokio::test]
async fn a_bare_profile_may_have_latin_1_in_its_comments() {
    use anyvpn_testkit::scripted::{Script, Step};
    let get = async |body: &[u8]| {
        let reply = Step::Reply(200, Vec::new(), body.to_vec());
        let builder = VpnResellers::builder().token("t").transport(Arc::new(Script::new([reply])));
        builder.build().unwrap().call(GetOpenVpnConfig { server_id: 1, port_id: 1 }).await
    };
    let file = get(b"# Z\xfcrich\nclient\nremote 203.0.113.40 1194\n").await.unwrap();
    assert!(file.content.expose().ends_with("rich\nclient\nremote 203.0.113.40 1194\n"));
    let error = get(b"client\nremote z\xfcrich.example 1194\n").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
}

#[tokio::test]
async fn all_servers_come_in_pages_or_at_once() {
    for (variation, world) in worlds().await {
        let (mut ids, reseller) = (Vec::new(), world.reseller());
        let mut servers = reseller.servers();
        while let Some(server) = servers.next().await {
            let server = server.unwrap();
            assert!(server.host.is_some() && server.country_code.is_some(), "{variation}");
            ids.push(server.id);
        }
        let all: Vec<_> = (1..=18).map(|id| id.to_string()).collect();
        assert_eq!(ids, all, "{variation}");
    }
}
