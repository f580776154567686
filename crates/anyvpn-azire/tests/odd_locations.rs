#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Locations with missing texts, some of which cannot be read.

use std::sync::Arc;

use anyvpn_azire::Azire;
use anyvpn_core::{Config, ConfigRequest, ErrorKind, PrivateKey, Server, ServerConfigs};
use anyvpn_testkit::scripted::{Script, Step};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

const KEY: &str = "VYRJwI6n2Rpvh/gmYnUoyMJQDrUSdxls0JX9/6JlOEw=";

fn location(name: &str) -> Value {
    json!({"name": name, "city": "Malmö", "country": "Sweden", "iso": "se", "pool": "a.example",
        "pubkey": KEY})
}

fn azire(locations: &[Value], more: impl IntoIterator<Item = Value>) -> Azire {
    let list = json!({"status": "success", "locations": locations});
    let steps = std::iter::once(list).chain(more);
    let script = Script::new(steps.map(|body| Step::json(200, &body.to_string())));
    Azire::builder().token("t").transport(Arc::new(script)).build().unwrap()
}

#[tokio::test]
async fn texts_that_only_describe_may_be_missing() {
    let mut bare = location("se-mma");
    for text in ["city", "country", "iso"] {
        bare.as_object_mut().unwrap().remove(text);
    }
    let mut null = location("se-got");
    null["city"] = Value::Null;
    let azire = azire(&[bare, null], []);
    let mut servers = azire.servers();
    let all: Vec<Server> = (&mut servers).try_collect().await.unwrap();
    let names: Vec<_> = all.iter().map(|it| (&*it.id, &*it.name, it.city.as_deref())).collect();
    assert_eq!(names, [("se-mma", "se-mma", None), ("se-got", "Sweden", None)]);
    assert_eq!((&all[0].country, &all[0].country_code), (&None, &None));
    assert!(servers.left_out().is_empty());
}

#[tokio::test]
async fn a_location_that_cannot_be_read_is_left_out_and_said_so() {
    let broken = [Value::Null, json!({"city": "Oslo"}), json!({"name": "se-x", "pool": {"a": 1}})];
    let locations = [&[location("se-sto")][..], &broken, &[location("se-got")]].concat();
    let azire = azire(&locations, []);
    let mut servers = azire.servers();
    let ids: Vec<_> = (&mut servers).map_ok(|it| it.id).try_collect().await.unwrap();
    assert_eq!(ids, ["se-sto", "se-got"]);
    let left_out = servers.left_out();
    assert_eq!(left_out.count, 3);
    assert_eq!(left_out.reasons.len(), 3);
    assert_eq!(left_out.reasons[1], "element 2: missing field `name`");
    assert!(left_out.reasons[2].starts_with("element 3, at `pool`: "), "{left_out}");
    assert!(left_out.to_string().starts_with("3 were left out, the first: element 1: "));
}

#[tokio::test]
async fn the_number_of_stored_reasons_is_limited() {
    let broken = vec![Value::Null; 5000];
    let azire = azire(&[&[location("se-sto")][..], &broken].concat(), []);
    let mut servers = azire.servers();
    (&mut servers).try_for_each(async |_| Ok(())).await.unwrap();
    assert_eq!((servers.left_out().count, servers.left_out().reasons.len()), (5000, 10));
}

/// The same error would be reported for a provider that answered nothing readable.
#[tokio::test]
async fn a_list_with_only_unreadable_elements_is_an_error() {
    for locations in [vec![Value::Null], vec![json!({"city": "Oslo"}); 3]] {
        let error = azire(&locations, []).servers().try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    }
    assert!(azire(&[], []).servers().try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_location_that_is_there_twice_comes_once() {
    let azire = azire(&[location("se-sto"), location("se-got"), location("se-sto")], []);
    let ids: Vec<_> = azire.servers().map_ok(|it| it.id).try_collect().await.unwrap();
    assert_eq!(ids, ["se-sto", "se-got"]);
}

#[tokio::test]
async fn a_configuration_of_another_location_can_be_obtained() {
    let key = PrivateKey::generate().unwrap();
    let device = json!({"status": "success", "data": {
        "id": "aBcD1234", "ipv4_address": "10.0.24.207", "ipv4_netmask": 32,
        "ipv6_address": "2a0e:1c80:1337:1:10:0:24:207", "ipv6_netmask": 128,
        "dns": ["10.0.0.1"], "device_name": null,
        "keys": [{"key": key.public_key().to_string(), "created_at": 1_700_000_000}],
    }});
    let mut request = ConfigRequest::wireguard("se-sto");
    request.wireguard.private_key = Some(key);
    let locations = [json!({"name": null}), location("se-sto")];
    let none = json!({"status": "success", "data": []});
    let made = azire(&locations, [none, device]).obtain_config(&request).await.unwrap();
    assert!(matches!(made.config, Config::WireGuard(_)));

    // We do not know whether the location exists.
    let error =
        azire(&locations, []).obtain_config(&ConfigRequest::wireguard("no-osl")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedReply, "{error}");
    assert!(error.detail().unwrap().contains("1 was left out"), "{error}");
    let error =
        azire(&[location("se-sto")], []).obtain_config(&ConfigRequest::wireguard("no-osl")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
}
