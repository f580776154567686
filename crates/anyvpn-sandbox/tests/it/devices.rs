use serde_json::{Value, json};

use crate::client::{Client, START_SECOND, signed_in};

/// A valid key: 32 times this byte.
pub fn key(byte: u8) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode([byte; 32])
}

#[tokio::test]
async fn a_device_has_the_documented_fields() {
    let (sandbox, client) = signed_in(0).await;
    let token = client.send("POST", "/tokens", json!({ "device_name": "camel" })).await.json();
    let camel = client.with_token(token["data"]["key"].as_str().unwrap());
    let made = camel.send("POST", "/ips", json!({ "key": key(1) })).await.json()["data"].take();

    let address = made["ipv4_address"].as_str().unwrap().to_owned();
    let v6 = format!("2a0e:1c80:1337:1:{}", address.replace('.', ":"));
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(address.starts_with("10.0."));
    assert_eq!(id.len(), 8);
    let expected = json!({
        "id": id,
        "ipv4_address": address, "ipv4_netmask": 32,
        "ipv6_address": v6, "ipv6_netmask": 128,
        "dns": ["10.0.0.1", "2a0e:1c80:1337:1:10::1", "91.231.153.2"],
        "device_name": "camel",
        "keys": [{ "key": key(1), "created_at": START_SECOND }],
    });
    assert_eq!(made, expected);
    assert_eq!(client.get(&format!("/ips/{id}")).await.json()["data"], expected);
    let user = client.get("/users/me").await.json();
    assert_eq!(user["data"]["ips"], json!({ "allocated": 1, "available": 9 }));

    // The name belongs to the token that created the device.
    let token = format!("/tokens/{}", token["data"]["id"].as_str().unwrap());
    client.send("DELETE", &token, Value::Null).await;
    assert_eq!(client.get("/ips").await.json()["data"][0]["device_name"], Value::Null);

    assert_eq!(client.send("DELETE", &format!("/ips/{id}"), Value::Null).await.status, 200);
    assert_eq!(sandbox.azire().devices("david"), []);
    client.get(&format!("/ips/{id}")).await.assert_error(404, "Not found");
}

#[tokio::test]
async fn keys_are_valid_new_and_at_most_three() {
    let (sandbox, client) = signed_in(0).await;
    for wrong in [json!(null), json!(""), json!(7), json!("AAAA"), json!("no base64"), json!([])] {
        client.send("POST", "/ips", json!({ "key": wrong })).await.assert_invalid(&["key"]);
    }
    client.send("POST", "/ips", Value::Null).await.assert_invalid(&["key"]);
    let made = client.send("POST", "/ips", json!({ "key": key(1) })).await.json();
    let keys = format!("/ips/{}/keys", made["data"]["id"].as_str().unwrap());
    // An existing key is answered with its device. See the tests of the variations.
    let again = client.send("POST", "/ips", json!({ "key": key(1) })).await.json();
    assert_eq!(again, made);
    client.send("PUT", &keys, json!({ "key": key(1) })).await.assert_invalid(&["key"]);

    client.send("PUT", &keys, json!({ "key": key(2) })).await;
    let all = client.send("PUT", &keys, json!({ "key": key(3) })).await.json();
    let expected = [1, 2, 3].map(|n| json!({ "key": key(n), "created_at": START_SECOND }));
    assert_eq!(all["data"], json!(expected));
    let unknown = client.send("PUT", "/ips/unknown/keys", json!({ "key": key(4) })).await;
    unknown.assert_error(404, "Not found");
    assert_eq!(sandbox.azire().devices("david")[0].keys.len(), 3);
}

#[tokio::test]
async fn an_account_has_ten_devices() {
    let (sandbox, client) = signed_in(0).await;
    for byte in 0..10 {
        assert_eq!(client.send("POST", "/ips", json!({ "key": key(byte) })).await.status, 200);
    }
    let eleventh = client.send("POST", "/ips", json!({ "key": key(10) })).await;
    eleventh.assert_error(422, "The account has no address left.");
    let mut addresses: Vec<_> =
        sandbox.azire().devices("david").into_iter().map(|device| device.internal_ipv4).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 10);
    let user = client.get("/users/me").await.json();
    assert_eq!(user["data"]["ips"]["available"], 0);
}

#[tokio::test]
async fn suspended_and_expired_accounts_cannot_create_anything() {
    let (sandbox, client) = signed_in(0).await;
    let azire = sandbox.azire();
    let address = azire.add_device("david").unwrap();
    let port = json!({ "internal_ipv4": address });
    let refused = async || {
        let ip = client.send("POST", "/ips", json!({ "key": key(1) })).await;
        ip.assert_error(403, "Your account is not active.");
        let port = client.send("POST", "/portforwardings", port.clone()).await;
        port.assert_error(403, "Your account is not active.");
        assert_eq!(client.get("/users/me").await.json()["data"]["is_active"], false);
    };
    assert!(azire.suspend("david", true));
    refused().await;
    assert!(azire.suspend("david", false));
    assert!(azire.set_expires_at("david", sandbox.clock().now()));
    refused().await;
    assert_eq!(azire.devices("david").len(), 1);
    assert!(!azire.suspend("nobody", true));
}

#[tokio::test]
async fn locations_stand_under_their_own_name() {
    let (sandbox, client) = signed_in(0).await;
    let all = Client::new(&sandbox).get("/locations").await.json();
    assert_eq!(all["status"], "success");
    assert_eq!(all.get("data"), None);
    let all = all["locations"].as_array().unwrap();
    assert_eq!(all.len(), 8);
    let first = all[0].as_object().unwrap();
    assert_eq!(first["name"], "se-sto");
    assert_eq!(first["city"], "Stockholm");
    assert_eq!(first["country"], "Sweden");
    assert_eq!(first["iso"], "se");
    assert_eq!(first["pool"], "se-sto.azirevpn.example");
    assert_eq!(first.len(), 6);
    assert_eq!(all.iter().filter(|location| location["pool"] == "").count(), 1);
    for location in all {
        use base64::Engine;
        let key = location["pubkey"].as_str().unwrap();
        let key = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
        assert_eq!(key.len(), 32);
    }

    let more = client.get("/locations").await.json();
    assert_eq!(more["locations"].as_array().unwrap().len(), 9);
}
