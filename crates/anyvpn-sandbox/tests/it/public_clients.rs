//! What public clients of AzireVPN send, and what they require of the replies of seed 0.
//!
//! The tests contain none of their code: each test sends the same requests and reads the same
//! fields. For VPNGN and VPN Script we found no public client; their vendors' samples are in the
//! tests of each call.

use anyvpn_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::client::{Answer, Client, sandbox, signed_in};
use crate::devices::key;

const JSON: &str = "content-type: application/json\r\naccept: */*\r\nuser-agent: curl/8.5.0\r\n";

/// Sends a request as `curl -d` does, which reads the reply whatever its status is.
async fn curl(client: &Client, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.raw(&client.request(method, &format!("/azire/v3{path}"), JSON, &body)).await.answer()
}

/// Returns fields as `jq -r` prints them. Each must be text on one line.
#[track_caller]
fn lines<'a>(value: &'a Value, fields: &[&str]) -> Vec<&'a str> {
    let line = |field: &&str| value[*field].as_str().unwrap_or_else(|| panic!("{field}: {value}"));
    let lines: Vec<_> = fields.iter().map(line).collect();
    assert!(lines.iter().all(|line| !line.contains('\n')), "{lines:?}");
    lines
}

/// One run of the vendor's `azirevpn-cli`: locations without a token, then a token, then the key's
/// address.
async fn vendor_tool(sandbox: &Sandbox, public_key: &str) -> Vec<String> {
    let nobody = Client::new(sandbox);
    let reply = curl(&nobody, "GET", "/locations", Value::Null).await.json();
    assert_eq!(reply["status"], "success");
    let locations = reply["locations"].as_array().unwrap();
    assert!(locations.len() > 5);
    for location in locations {
        lines(location, &["name", "city", "country", "pool", "pubkey"]);
    }

    let sign_in = json!({
        "device_name": "azirevpn-cli", "username": "david", "password": "old password",
    });
    let reply = curl(&nobody, "POST", "/tokens", sign_in).await.json();
    assert_eq!(reply["status"], "success");
    let token = lines(&reply["data"], &["key"])[0].to_owned();

    let registration = json!({ "key": public_key });
    let reply = curl(&nobody.with_token(&token), "POST", "/ips", registration).await.json();
    assert_eq!(reply["status"], "success", "{reply}");
    let mut addresses = lines(&reply["data"], &["ipv4_address", "ipv6_address"]);
    addresses
        .extend(reply["data"]["dns"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()));
    addresses.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_vendors_tool_runs_again_and_again_with_one_key() {
    let (sandbox, _) = signed_in(0).await;
    let first = vendor_tool(&sandbox, &key(1)).await;
    assert_eq!(first.len(), 5);
    assert_eq!(vendor_tool(&sandbox, &key(1)).await, first);
    assert_eq!(sandbox.azire().devices("david").len(), 1);
}

/// It stops at the first reply whose `status` is not `success`, and prints `message`.
#[tokio::test]
async fn the_vendors_tool_gets_the_reason_of_a_refusal() {
    let (sandbox, _) = signed_in(0).await;
    let body = json!({ "device_name": "azirevpn-cli", "username": "david", "password": "wrong" });
    let reply = curl(&Client::new(&sandbox), "POST", "/tokens", body).await.json();
    assert_eq!(reply["status"], "error");
    assert!(!lines(&reply, &["message"])[0].is_empty());
}

/// A namespace tool in Rust. Its typed replies have no optional or null fields.
#[tokio::test]
async fn a_tool_with_strict_types_syncs_and_forwards() {
    let (sandbox, _) = signed_in(0).await;
    let sign_in = json!({ "username": "david", "password": "old password", "comment": "a sync" });
    let reply = curl(&Client::new(&sandbox), "POST", "/tokens", sign_in).await.json();
    lines(&reply["data"], &["id", "key"]);
    assert!(reply["data"]["device_name"].is_null() && reply["data"]["created_at"].is_i64());
    let client = Client::new(&sandbox).with_token(reply["data"]["key"].as_str().unwrap());

    let user = client.get("/users/me").await.json()["data"].take();
    lines(&user, &["username", "email", "currency"]);
    for flag in ["is_email_verified", "is_active", "is_oldschool", "is_subscribed"] {
        assert!(user[flag].is_boolean(), "{user}");
    }
    assert!(user["ips"]["allocated"].is_u64() && user["ips"]["available"].is_u64());
    assert!(user["created_at"].is_i64() && user["expires_at"].is_i64());
    // It creates a device only if it believes that the account has room.
    assert!(user["ips"]["allocated"].as_u64() < user["ips"]["available"].as_u64());

    let made = client.send("POST", "/ips", json!({ "key": key(1) })).await.json()["data"].take();
    let listed = client.get("/ips").await.json()["data"].take();
    assert_eq!(listed[0], made);
    lines(&made, &["id", "ipv4_address", "ipv6_address"]);
    let path = format!("/ips/{}/keys", made["id"].as_str().unwrap());
    let keys = client.send("PUT", &path, json!({ "key": key(2) })).await.json()["data"].take();
    assert_eq!(keys.as_array().unwrap().len(), 2);

    // It reads only the text of this refusal as "none".
    let address = &made["ipv4_address"];
    let list = format!("/portforwardings?internal_ipv4={}", address.as_str().unwrap());
    let reply = curl(&client, "GET", &list, Value::Null).await.json();
    assert_eq!(reply, json!({ "status": "error", "message": "No port forwardings found" }));
    let body = json!({ "internal_ipv4": address, "hidden": false, "expires_in": 30 });
    let port = curl(&client, "POST", "/portforwardings", body).await.json()["data"].take();
    lines(&port, &["internal_ipv4", "internal_ipv6"]);
    assert!(port["port"].is_u64() && port["hidden"].is_boolean() && port["expires_at"].is_u64());
    let reply = curl(&client, "GET", &list, Value::Null).await.json();
    assert_eq!(reply["data"]["ports"][0]["port"], port["port"]);
}

/// A script beside a torrent client. If listing fails, it opens a port, with an `expires_in` of 0.
#[tokio::test]
async fn a_script_finds_its_port_again() {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    let list = format!("/portforwardings?internal_ipv4={address}");
    assert_eq!(client.get(&list).await.json()["status"], "error");
    let body = json!({ "internal_ipv4": address, "hidden": false, "expires_in": 0 });
    let made = client.send("POST", "/portforwardings", body).await.json();
    assert_eq!(made["status"], "success");
    let listed = client.get(&list).await.json();
    assert_eq!(listed["data"]["ports"][0]["port"], made["data"]["port"]);
}

/// A library in TypeScript. It announces JSON with every request, reads JSON from every reply, and
/// takes a check's HTTP status as its result.
#[tokio::test]
async fn a_library_reads_every_reply_as_json() {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    let body = json!({ "internal_ipv4": address, "hidden": false, "expires_in": 365 });
    let made = curl(&client, "POST", "/portforwardings", body).await.json();
    let port = made["data"]["port"].as_u64().unwrap();

    let check = curl(&client, "GET", &format!("/portforwardings/check/{port}"), Value::Null).await;
    assert!(!(200..300).contains(&check.status), "nothing listens there");
    let body = json!({ "internal_ipv4": address, "port": port });
    let deleted = curl(&client, "DELETE", "/portforwardings", body).await;
    assert_eq!((deleted.status, deleted.json()), (200, json!({ "status": "success" })));
    let refused = client.get(&format!("/portforwardings?internal_ipv4={address}")).await;
    assert!(refused.status >= 400 && refused.json()["message"].is_string());
}

/// A container's client in Go. It sends no options for a port, ignores the body of a deletion, and
/// accepts no other type for text.
#[tokio::test]
async fn a_container_opens_and_closes_a_port() {
    let sandbox = sandbox(0).await;
    let account = sandbox.azire().add_account("david", "old password");
    let client = Client::new(&sandbox).with_token(&account.token);
    let address = sandbox.azire().add_device("david").unwrap();
    let made = curl(&client, "POST", "/portforwardings", json!({ "internal_ipv4": address })).await;
    assert_eq!(made.status, 200);
    let port = made.json()["data"]["port"].as_u64().unwrap();
    // The client asks for a renewal with PUT, which the API does not have.
    let renewal = json!({ "internal_ipv4": address, "port": port, "expires_in": 365 });
    curl(&client, "PUT", "/portforwardings", renewal).await.assert_invalid(&["hidden"]);
    let body = json!({ "internal_ipv4": address, "port": port });
    assert_eq!(curl(&client, "DELETE", "/portforwardings", body).await.status, 200);
}
