//! An error names what was created at AzireVPN although the call failed, and nothing is created for
//! an input that no configuration can contain.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::ListLocations;
use anyvpn_core::{
    Advice, ConfigRequest, Context, Credential, ErrorKind, LeftoverKind, PrivateKey, ServerConfigs,
    Settings, SignIn,
};
use anyvpn_http::MemoryStore;
use anyvpn_lab::full_store::FullStore;
use anyvpn_testkit::scripted::{Script, Step};
use world::{USERNAME, World};

#[tokio::test]
async fn impossible_options_are_refused_before_a_device_is_registered() {
    let world = World::new(0).await;
    let location = world.azire.call(ListLocations {}).await.unwrap().items.remove(0).name;
    let old = world.device.id.as_str();
    world.sandbox.clear_received();
    let (mut port, mut mtu) =
        (ConfigRequest::wireguard(&location), ConfigRequest::wireguard(location));
    (port.wireguard.port, mtu.wireguard.mtu) = (Some(0), Some(10));
    for (field, request) in [("port", port), ("mtu", mtu)] {
        for error in [
            world.azire.obtain_config(&request).await.map(drop).unwrap_err(),
            world.azire.rotate_config(old, &request).await.map(drop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            assert!(
                error.fields().contains_key(field) && error.left_behind().is_empty(),
                "{error}"
            );
        }
    }
    assert_eq!(world.sandbox.received().len(), 0);
    assert_eq!(world.sandbox.azire().devices(USERNAME).len(), 1);
}

const LOCATIONS: &str = r#"{"status":"success","locations":[{"name":"se-sto","city":"Stockholm","country":"Sweden","iso":"se","pool":["a.azirevpn.net"],"pubkey":["VYRJwI6n2Rpvh/gmYnUoyMJQDrUSdxls0JX9/6JlOEw="]}]}"#;

const WITHOUT_KEY: &str = r#"{"status":"success","data":{"id":"IJiaUdc2","ipv4_address":"10.0.1.136","ipv4_netmask":32,"ipv6_address":"2a0e:1c80:1337:1:10:0:1:136","ipv6_netmask":128,"dns":["10.0.0.1"],"device_name":null,"keys":[]}}"#;

#[tokio::test]
async fn a_device_returned_without_its_key_is_named_as_leftover() {
    for own in [false, true] {
        let steps =
            [Step::json(200, LOCATIONS), Step::json(200, r#"{"status":"success","data":[]}"#)];
        let steps = if own { &steps[..] } else { &steps[..1] };
        let script = Script::new(steps.iter().cloned().chain([Step::json(200, WITHOUT_KEY)]));
        let azire =
            Azire::builder().token("x").transport(Arc::new(script.clone())).build().unwrap();
        let mut request = ConfigRequest::wireguard("se-sto");
        request.wireguard.private_key = own.then(|| PrivateKey::generate().unwrap());
        let error = azire.obtain_config(&request).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
        assert_eq!(error.operation().unwrap().to_string(), "azire.create-ip");
        assert_eq!(error.advice(), Advice::ReadBack);
        let [leftover] = error.left_behind() else { panic!("{error}") };
        assert_eq!((leftover.kind, leftover.id()), (LeftoverKind::Device, "IJiaUdc2"));
        assert_eq!(script.arrived(), steps.len() + 1);
    }
}

#[tokio::test]
async fn a_rotation_never_returns_a_key_that_the_device_does_not_have() {
    let old = WITHOUT_KEY.replace(
        r#""keys":[]"#,
        r#""keys":[{"key":"iDG+cT2SvvCIMeJpOhnVQR1TD3D6NyiumDOJdepza1s=","created_at":1691499313}]"#,
    );
    let keys = r#"{"status":"success","data":[{"key":"iDG+cT2SvvCIMeJpOhnVQR1TD3D6NyiumDOJdepza1s=","created_at":1691499313}]}"#;
    let replies = [LOCATIONS, &old, keys, &old];
    let script = Script::new(replies.map(|reply| Step::json(200, reply)));
    let azire = Azire::builder().token("x").transport(Arc::new(script.clone())).build().unwrap();
    let request = ConfigRequest::wireguard("se-sto");
    let error = azire.rotate_config("IJiaUdc2", &request).await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::UnexpectedReply, Advice::ReadBack));
    assert_eq!(error.operation().unwrap().to_string(), "azire.put-ip-key");
    assert_eq!(script.arrived(), 4);
}

#[tokio::test]
async fn a_token_that_the_programs_store_cannot_keep_is_named() {
    let world = World::new(0).await;
    let store = Arc::new(FullStore::new(MemoryStore::<Credential>::default()));
    let context = Context::default().with_token_store(store);
    let settings = Settings::new().with("url", world.sandbox.azire_url());
    let azire = Azire::open(&settings, &context).unwrap();
    world.sandbox.azire().add_account("jo", "hunter2-canary");
    let before = world.sandbox.azire().tokens("jo");
    let fields = Settings::new().with("username", "jo").with("password", "hunter2-canary");
    let error = azire.obtain_credential(&fields).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(world.sandbox.azire().tokens("jo"), before + 1);
    let [leftover] = error.left_behind() else { panic!("{error}") };
    assert_eq!(leftover.kind, LeftoverKind::Token);
    // The result can still be stored elsewhere and used.
    let token = leftover.text.clone().unwrap();
    assert!(!leftover.id().is_empty() && !error.to_string().contains(token.expose()), "{error}");
}

#[tokio::test]
async fn a_stored_token_is_not_sent_to_an_address_that_is_set_later() {
    let store = Arc::new(MemoryStore::<Credential>::default());
    let context = Context::default().with_token_store(store);
    let build = |url: &str| {
        let none = Settings::new();
        let builder = Azire::builder().settings("azire", &none, &context, |_| None);
        builder.base_url(url).build()
    };
    assert!(build(anyvpn_azire::BASE_URL).is_ok());
    let error = build("https://elsewhere.example").unwrap_err();
    assert!(error.fields().contains_key("base_url"), "{error}");
}
