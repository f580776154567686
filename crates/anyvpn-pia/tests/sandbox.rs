#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Runs every operation over real HTTP against the sandbox, with each of its variations.

mod world;

use anyvpn_core::{Context, Driver as _, ErrorKind, Settings};
use anyvpn_lab::bounds::check_bounds;
use anyvpn_lab::harness::{check_operations, check_replies};
use anyvpn_pia::{CAPABILITIES, Pia, PiaDriver, SigningKey, TrustRoots, types};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde_json::json;
use world::World;
use world::harness::Harness;

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    check_operations::<Harness>(8);
}

#[tokio::test]
async fn every_operation_works_and_its_reply_is_as_documented() {
    check_replies::<Harness>(8).await;
}

#[tokio::test]
async fn every_reply_that_fits_the_document_is_accepted() {
    check_bounds::<Harness>(&[]).await;
}

/// The fingerprints are those of the vendor's files at the time when they were copied.
#[test]
fn the_data_of_the_vendor_is_the_vendors() {
    let sha256 = |pem: &str| {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let der = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            lines.map(str::trim).collect::<String>(),
        );
        let hash =
            TLS13_AES_128_GCM_SHA256.tls13().unwrap().common.hash_provider.hash(&der.unwrap());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(
        sha256(types::CA),
        "1fd25658456eab3041fba77ccd398ab8124edcc1b8b2fc1d55fdf6b1bbfc9d70"
    );
    assert_eq!(
        sha256(types::LIST_KEY),
        "d765bfaff4cac2a98c82f597b1a7c26ba20423000e3c551f63683b999fc7851f"
    );
    assert!(TrustRoots::from_pem(types::CA).is_ok());
    assert!(SigningKey::from_pem(types::LIST_KEY).is_ok());
}

#[tokio::test]
async fn settings_open_it_and_each_that_is_wrong_is_named() {
    let world = World::new(0).await;
    let service = world.service();
    let settings = Settings::new()
        .with("url", world.sandbox.pia_url())
        .with("token", world.token.as_str())
        .with("ca", service.ca())
        .with("list_key", service.list_key())
        .with("server_name", service.server())
        .with("gateway", service.gateway());
    let open = |settings: &Settings| PiaDriver.open(settings, &Context::default());
    let pia = open(&settings).unwrap();
    assert_eq!(pia.info().capabilities, &CAPABILITIES);
    // `call_json` too sends each operation to the host that serves it.
    let key = world::key().public_key();
    let added = pia.call_json("add-key", json!({"pubkey": key}), false).await.unwrap();
    assert_eq!(added["server_vip"], "10.4.128.1");
    let pair = pia.call_json("get-signature", json!({}), true).await.unwrap();
    let pair = json!({"payload": pair["payload"], "signature": pair["signature"]});
    pia.call_json("bind-port", pair, false).await.unwrap();
    let list = pia.call_json("list-servers", json!({"version": "v7"}), false).await.unwrap();
    assert_eq!(list["regions"][0]["id"], "swiss");
    assert!(world.sandbox.received().iter().all(|it| it.status == Some(200)));

    for (key, value) in [
        ("ca", "-----BEGIN CERTIFICATE-----"),
        ("list_key", "none"),
        ("gateway", "here"),
        ("gateway", ""),
        ("list", "v6"),
    ] {
        let error = open(&settings.clone().with(key, value)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key(key), "{key}: {error}");
    }
    for key in ["server_name", "gateway"] {
        let mut settings = settings.clone();
        settings.remove(key);
        let error = open(&settings).err().unwrap();
        assert!(error.fields().contains_key(key), "{key}: {error}");
    }
    assert!(Pia::builder().build().is_ok());
}
