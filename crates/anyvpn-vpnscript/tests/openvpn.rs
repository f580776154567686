#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! OpenVPN: combines profile and authentication details into one configuration.

mod world;

use std::sync::Arc;

use anyvpn_core::{
    Config, ConfigRequest, ErrorKind, OpenVpnProfile, Protocol, Server, ServerConfigs,
};
use anyvpn_sandbox::vpnscript::{self, Profile};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpnscript::ops::{GetOpenVpnAuth, GetOpenVpnProfile};
use anyvpn_vpnscript::{Error, VpnScript};
use serde_json::json;
use world::{OPENVPN, USERNAME, World};

async fn obtain(vpn: &VpnScript, server: &str) -> Result<OpenVpnProfile, Error> {
    let obtained = vpn.obtain_config(&ConfigRequest::new(server, Protocol::OpenVpn)).await?;
    assert_eq!(obtained.id, None, "nothing is left at the provider");
    let Config::OpenVpn(profile) = obtained.config else { panic!("another protocol") };
    Ok(profile)
}

#[tokio::test]
async fn profile_and_password_make_one_configuration() {
    for seed in 0..6 {
        let world = World::new(seed).await;
        let profile = obtain(&world.vpn, OPENVPN).await.unwrap();
        let bare = GetOpenVpnProfile { server_id: 1, cert_only: None };
        let bare = world.vpn.call(bare).await.unwrap();
        let auth = world.vpn.call(GetOpenVpnAuth {}).await.unwrap();
        assert_eq!(auth.username, USERNAME);
        let block = format!(
            "\n<auth-user-pass>\n{USERNAME}\n{}\n</auth-user-pass>\n",
            auth.password.expose()
        );
        // Nothing else is changed, not even the ends of the certificate's lines.
        let whole = bare.expose().replacen("\nauth-user-pass\n", &block, 1);
        assert_eq!(profile.to_secret().expose(), whole, "seed {seed}");
        assert!(whole.contains("-----\r\n") && !profile.asks_for_password());
        assert!(!profile.redacted().contains(auth.password.expose()));
        assert_eq!(profile.remotes()[0].port, 1194);
        assert_eq!(world.vpn.list_configs().await.unwrap(), []);
    }
}

#[tokio::test]
async fn the_authority_comes_as_certificates() {
    for seed in 0..6 {
        let world = World::new(seed).await;
        let authority = world.vpn.openvpn_ca(1).await.unwrap();
        let [certificate] = &authority[..] else { panic!("{authority:?}") };
        let name = certificate.common_name.as_deref().unwrap();
        assert!(name.starts_with("cn_") && certificate.subject == format!("CN={name}"), "{name}");
        assert_eq!(certificate.not_before.to_string(), "2026-01-01T00:00:00Z");
        let years = certificate.not_after.to_string();
        assert!(years.starts_with("2035-12-"), "not ten years: {years}");
        let profile = obtain(&world.vpn, OPENVPN).await.unwrap();
        assert_eq!(profile.ca().unwrap(), authority);
        let query = world.sandbox.received()[0].query.clone();
        assert_eq!(query, "server_id=1&cert_only=1");
    }
}

/// Returns the body of a fixture's reply.
fn documented(case: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/get-openvpn-profile");
    let fixture = std::fs::read_to_string(format!("{folder}/{case}.http")).unwrap();
    let (_, reply) = fixture.split_once("### reply\n").unwrap();
    let (_, body) = reply.split_once("\n\n").unwrap();
    body.split_once("\n### ").unwrap().0.to_owned()
}

fn scripted(bodies: &[String]) -> VpnScript {
    let script = Script::new(bodies.iter().map(|body| Step::json(200, body)));
    let builder = VpnScript::builder("https://vpn.example.com").token("t");
    world::client(builder.transport(Arc::new(script)))
}

#[tokio::test]
async fn the_documents_certificate_can_be_read() {
    let authority = scripted(&[documented("documented-certificate")]).openvpn_ca(1).await.unwrap();
    assert_eq!(authority[0].subject, "CN=cn_zpgzxYkRxogQ4rty");
    assert_eq!(authority[0].not_after.to_string(), "2031-12-19T15:56:35Z");

    let auth = json!({"success": true, "data": {"id": 1, "user_id": 1, "service_id": 1,
        "username": "admin", "password": "HZovQQZlQori", "devices": 10, "enabled": 1}});
    let vpn = scripted(&[documented("documented"), auth.to_string()]);
    let profile = obtain(&vpn, "1").await.unwrap();
    assert_eq!(profile.ca().unwrap(), authority);
    assert!(profile.to_secret().expose().contains("\nadmin\nHZovQQZlQori\n"));
}

#[tokio::test]
async fn an_invalid_certificate_is_an_unexpected_reply() {
    let body = json!({"success": true, "data": "-----BEGIN CERTIFICATE-----\r\n!\r\n"});
    let error = scripted(&[body.to_string()]).openvpn_ca(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert_eq!(error.operation().map(|id| id.name()), Some("get-openvpn-profile"));
}

#[tokio::test]
async fn a_profile_without_auth_user_pass_is_not_changed() {
    let text = "client\r\nremote 127.0.0.1 1194\r\n";
    let profile = json!({"status": 1, "data": text});
    let vpn = scripted(&[profile.to_string()]);
    assert_eq!(obtain(&vpn, "1").await.unwrap().to_secret().expose(), text);
    // Text that no program would accept is reported with its position, and without its values.
    let profile = json!({"status": 1, "data": "client\nremote s3cret 0\n"});
    let vpn = scripted(&[profile.to_string()]);
    let error = obtain(&vpn, "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test]
async fn each_reason_against_a_profile_has_its_kind() {
    let world = World::new(0).await;
    let missing = world.service().add_server(vpnscript::Server {
        profile: Profile::Missing,
        ..vpnscript::Server::openvpn("Missing")
    });
    let missing = missing.to_string();
    for (server, kind) in [
        (missing.as_str(), ErrorKind::NotFound),
        (world::WIREGUARD, ErrorKind::InvalidRequest),
        ("6", ErrorKind::InvalidRequest),
        ("99", ErrorKind::NotFound),
        ("nine", ErrorKind::NotFound),
    ] {
        let error = obtain(&world.vpn, server).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{server}: {error}");
    }
    let error = world.vpn.openvpn_ca(2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
}

#[tokio::test]
async fn programs_that_a_hostile_profile_runs_are_listed() {
    let world = World::new(0).await;
    let (openvpn, wireguard) = world.service().add_hostile_servers();
    let profile = obtain(&world.vpn, &openvpn.to_string()).await.unwrap();
    let names: Vec<_> = profile.directives().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["script-security", "up", "plugin"]);
    let (_, config) = world.obtain(&wireguard.to_string()).await.unwrap();
    assert_eq!(config.directives()[0].name, "PostUp");
    let servers: Vec<Server> =
        futures_util::TryStreamExt::try_collect(world.vpn.servers()).await.unwrap();
    assert_eq!(servers.len(), 9);
}
