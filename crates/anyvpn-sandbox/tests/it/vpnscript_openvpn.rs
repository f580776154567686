use anyvpn_sandbox::vpnscript::{Profile, Server, ServiceState};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

use crate::client::{Client, DAY, START_SECOND};
use crate::vpnscript_world::{
    ACCEPT, AS_DOCUMENTED, IKEV2, OPENVPN, STARTED, WIREGUARD, World, assert_invalid,
};

/// The document's sample up to the authority, without the lines that OpenVPN 2.6 refuses.
const USUAL: &str = "client
dev tun
proto udp
remote 127.0.0.1 1194
resolv-retry infinite
nobind
persist-tun
auth-user-pass
reneg-sec 0
cipher AES-128-GCM
tls-version-min 1.2
tls-cipher TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256
mute-replay-warnings
verb 0
ignore-unknown-option block-outside-dns
setenv opt block-outside-dns # Prevent Windows 10 DNS leak
";

/// The document's sample up to the authority, copied.
const SAMPLE: &str = "client\ndev tun\nproto udp\nremote 127.0.0.1 1194\nresolv-retry infinite\nnobind\npersist-tun\nauth-user-pass\nreneg-sec 0\nblock-outside-dns\ncipher AES-128-GCM\ntls-version-min 1.2\ntls-cipher TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256\nmute-replay-warnings\nverb 0\nclient-cert-not-required\nignore-unknown-option block-outside-dns\nsetenv opt block-outside-dns # Prevent Windows 10 DNS leak\n<ca>\n-----BEGIN CERTIFICATE-----\r\n";

async fn text(world: &World, query: &str) -> String {
    world.data(&format!("/openvpn/profile?{query}")).await.as_str().unwrap().to_owned()
}

/// Returns the PEM certificate in a text. Every line of it must end with CRLF.
fn certificate(pem: &str) -> Certificate {
    let lines: Vec<&str> = pem.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= 64 && !line.contains(['\r', '\n'])));
    assert_eq!(lines[0], "-----BEGIN CERTIFICATE-----");
    assert_eq!(lines[lines.len() - 1], "-----END CERTIFICATE-----");
    let der = STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap();
    Certificate::from_der(&der).unwrap()
}

#[tokio::test]
async fn a_profile_is_the_sample_with_an_authority_of_its_own() {
    let world = World::new(0).await;
    let ca = text(&world, "server_id=1&cert_only=1").await;
    let whole = format!("{USUAL}<ca>\n{ca}\n</ca>\n");
    assert_eq!(text(&world, "server_id=1").await, whole);
    assert_eq!(text(&world, "server_id=1&cert_only=0").await, whole);

    let parsed = certificate(&ca);
    let certificate = parsed.tbs_certificate();
    assert_eq!(certificate.subject(), certificate.issuer());
    let subject = certificate.subject().to_string();
    assert!(subject.starts_with("CN=cn_"), "{subject}");
    let validity = certificate.validity();
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
    assert_eq!(seconds(&validity.not_before), START_SECOND);
    assert_eq!(seconds(&validity.not_after), START_SECOND + 3650 * 86_400);
    let (_, constraints) = certificate.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert_eq!((constraints.ca, constraints.path_len_constraint), (true, None));
    assert_ne!(text(&world, "server_id=3&cert_only=1").await, ca);

    // The profile stays the same, and the same seed produces it again.
    world.sandbox.clock().advance(DAY);
    assert_eq!(text(&world, "server_id=1&cert_only=1").await, ca);
    assert_eq!(text(&World::new(0).await, "server_id=1&cert_only=1").await, ca);
}

#[tokio::test]
async fn an_authority_is_valid_wherever_the_clock_stands() {
    for start in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"] {
        let clock = anyvpn_sandbox::Clock::fixed(start.parse().unwrap());
        let sandbox = anyvpn_sandbox::Sandbox::builder().clock(clock).start().await.unwrap();
        let token = sandbox.vpnscript().add_account("liam", "secret").token;
        let client = Client { address: sandbox.address(), token: Some(token) };
        let world = World { sandbox, client };
        certificate(&text(&world, "server_id=1&cert_only=1").await);
        assert_eq!(world.create(WIREGUARD).await.status, 200);
        world.pass(2);
    }
}

#[tokio::test]
async fn only_1_and_0_are_booleans() {
    let world = World::new(0).await;
    for wrong in ["true", "false", "True", "yes", "2"] {
        let answer = world.get(&format!("/openvpn/profile?server_id=1&cert_only={wrong}")).await;
        assert_invalid(&answer, &["cert_only"]);
    }
    let pem = text(&world, "server_id=1&cert_only=1").await;
    for right in [json!(true), json!(1), json!("1")] {
        let body = json!({ "server_id": "1", "cert_only": right });
        assert_eq!(world.send("GET", "/openvpn/profile", body).await.json()["data"], pem);
    }
}

#[tokio::test]
async fn a_profile_is_refused_as_documented() {
    let world = World::new(0).await;
    let missing = Server { profile: Profile::Missing, ..Server::openvpn("") };
    let missing = world.service().add_server(missing);
    for (server, message) in [
        (0, "The server is not found or enabled."),
        (999, "The server is not found or enabled."),
        (WIREGUARD, "The server is not using OpenVPN protocol."),
        (IKEV2, "The server is not using OpenVPN protocol."),
        (missing, "OpenVPN profile is not found for this server."),
    ] {
        let answer = world.get(&format!("/openvpn/profile?server_id={server}")).await;
        world.assert_refused(&answer, message);
        assert_eq!(answer.json(), json!({ "success": false, "message": message }));
    }
    world.assert_refused(
        &world.get("/openvpn/profile?server_id=-1").await,
        "The server is not found or enabled.",
    );
    assert_invalid(&world.get("/openvpn/profile").await, &["server_id"]);
    assert_invalid(&world.get("/openvpn/profile?server_id=one").await, &["server_id"]);
    for state in [ServiceState::None, ServiceState::Inactive, ServiceState::Expired] {
        world.service().set_service("liam", state);
        let answer = world.get("/openvpn/profile?server_id=1").await;
        world.assert_refused(&answer, "You do not have an active service.");
    }
}

#[tokio::test]
async fn the_authentication_details_are_the_documented_ones() {
    let world = World::new(0).await;
    assert!(world.service().set_devices("liam", 3));
    let auth = world.data("/openvpn/auth").await;
    let password = auth["password"].as_str().unwrap();
    assert_eq!(password.len(), 12);
    let expected = json!({
        "id": 1, "user_id": 1, "service_id": 1, "username": "liam", "password": password,
        "devices": 3, "enabled": 1, "created_at": STARTED, "updated_at": STARTED,
    });
    assert_eq!(auth, expected);
    assert_eq!(world.data(&format!("/openvpn/auth?server_id={OPENVPN}")).await, auth);
    for (server, message) in [
        (WIREGUARD, "The server is not using OpenVPN protocol."),
        (999, "The server is not found or enabled."),
    ] {
        let answer = world.get(&format!("/openvpn/auth?server_id={server}")).await;
        world.assert_refused(&answer, message);
    }
    for (state, message) in [
        (ServiceState::None, "You do not have any service."),
        (ServiceState::Inactive, "Your service is not active."),
        (ServiceState::Expired, "Your service is expired."),
    ] {
        world.service().set_service("liam", state);
        world.assert_refused(&world.get("/openvpn/auth").await, message);
    }
    assert!(!world.service().set_devices("nobody", 3));
}

#[tokio::test]
async fn one_server_gives_the_sample_word_for_word() {
    let world = World::new(0).await;
    let profile = text(&world, &format!("server_id={AS_DOCUMENTED}")).await;
    assert!(profile.starts_with(SAMPLE), "{profile}");
    assert!(profile.ends_with("-----END CERTIFICATE-----\r\n\n</ca>\n"));
}

#[tokio::test]
async fn hostile_files_are_served_only_on_request() {
    let world = World::new(0).await;
    let (openvpn, wireguard) = world.service().add_hostile_servers();
    assert_eq!((openvpn, wireguard), (8, 9));
    let profile = text(&world, &format!("server_id={openvpn}")).await;
    let hostile = "script-security 2\nup /usr/bin/hostile\nplugin /usr/lib/hostile.so\n<ca>\n";
    assert!(profile.contains(hostile));

    for server in [WIREGUARD, wireguard] {
        world.create(server).await;
    }
    world.pass(2);
    let [usual, hostile] = [0, 1].map(|place| world.service().configs("liam")[place].text.clone());
    assert!(!usual.unwrap().contains("PostUp"));
    assert!(hostile.unwrap().contains("\nPostUp = /usr/bin/hostile %i\n\n[Peer]\n"));
    for id in [OPENVPN, 3, AS_DOCUMENTED] {
        let profile = text(&world, &format!("server_id={id}")).await;
        assert!(!profile.contains("script-security") && !profile.contains("plugin"));
    }
    let raw = world.client.request("GET", "/vpnscript/api/servers", ACCEPT, "");
    assert_eq!(
        world.client.raw(&raw).await.answer().json()["data"][8]["name"],
        "Hostile WireGuard"
    );
}
