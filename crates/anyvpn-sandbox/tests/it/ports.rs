use std::net::Ipv4Addr;

use anyvpn_sandbox::azire::Quirks;
use anyvpn_sandbox::{Clock, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Answer, Client, DAY, START_SECOND, signed_in};

async fn with_device(seed: u64) -> (Sandbox, Client, Ipv4Addr) {
    let (sandbox, client) = signed_in(seed).await;
    let address = sandbox.azire().add_device("david").unwrap();
    (sandbox, client, address)
}

async fn create(client: &Client, address: Ipv4Addr) -> Answer {
    client.send("POST", "/portforwardings", json!({ "internal_ipv4": address })).await
}

async fn list(client: &Client, address: Ipv4Addr) -> Answer {
    client.get(&format!("/portforwardings?internal_ipv4={address}")).await
}

#[tokio::test]
async fn a_port_is_opened_and_listed() {
    let (sandbox, client, address) = with_device(0).await;
    let made = create(&client, address).await.json();
    let port = made["data"]["port"].as_u64().unwrap();
    assert!((49_152..=65_535).contains(&port));
    let v6 = format!("2a0e:1c80:1337:1:{}", address.to_string().replace('.', ":"));
    let expires_at = START_SECOND + 30 * 86_400;
    let data = json!({
        "internal_ipv4": address, "internal_ipv6": v6,
        "port": port, "hidden": false, "expires_at": expires_at,
    });
    assert_eq!(made, json!({ "status": "success", "data": data }));

    let listed = list(&client, address).await.json();
    let data = json!({
        "internal_ipv4": address, "internal_ipv6": v6,
        "ports": [{ "port": port, "hidden": false, "expires_at": expires_at }],
    });
    assert_eq!(listed, json!({ "status": "success", "data": data }));
    assert_eq!(sandbox.azire().ports("david").len(), 1);
}

#[tokio::test]
async fn a_port_ends_by_the_clock() {
    let (sandbox, client, address) = with_device(0).await;
    let two = json!({ "internal_ipv4": address, "expires_in": 2 });
    client.send("POST", "/portforwardings", two).await;
    create(&client, address).await;
    sandbox.clock().advance(2 * DAY - std::time::Duration::from_secs(1));
    assert_eq!(sandbox.azire().ports("david").len(), 2);
    sandbox.clock().advance(std::time::Duration::from_secs(1));
    assert_eq!(sandbox.azire().ports("david").len(), 1);
    let listed = list(&client, address).await.json();
    assert_eq!(listed["data"]["ports"][0]["expires_at"], START_SECOND + 30 * 86_400);
    sandbox.clock().advance(28 * DAY);
    assert_eq!(list(&client, address).await.status, 404);
}

#[tokio::test]
async fn wrong_input_opens_nothing() {
    let strict = (0..).find(|seed| {
        let quirks = Quirks::from_seed(*seed);
        let usual = quirks.unknown_device == 422 && quirks.created == 200;
        usual && !quirks.zero_days_is_absent
    });
    let (sandbox, client, address) = with_device(strict.unwrap()).await;
    let create = async |body: Value| client.send("POST", "/portforwardings", body).await;
    for days in [json!(0), json!(-1), json!(366), json!(1.5), json!("soon"), json!(true)] {
        let body = json!({ "internal_ipv4": address, "expires_in": days });
        create(body).await.assert_invalid(&["expires_in"]);
    }
    create(Value::Null).await.assert_invalid(&["internal_ipv4"]);
    create(json!({ "internal_ipv4": "10.0.1" })).await.assert_invalid(&["internal_ipv4"]);
    create(json!({ "internal_ipv4": "10.0.0.7" })).await.assert_invalid(&["internal_ipv4"]);
    create(json!({ "internal_ipv4": address, "hidden": "maybe" }))
        .await
        .assert_invalid(&["hidden"]);
    client.get("/portforwardings").await.assert_invalid(&["internal_ipv4"]);
    assert_eq!(sandbox.azire().ports("david"), []);

    let year = json!({ "internal_ipv4": address, "expires_in": 365, "hidden": null });
    assert_eq!(create(year).await.status, 200);
}

#[tokio::test]
async fn a_hidden_port_is_there_and_not_listed() {
    let (sandbox, client, address) = with_device(0).await;
    let port = create(&client, address).await.json()["data"]["port"].take();
    let hide = json!({ "internal_ipv4": address, "port": port, "hidden": true });
    let hidden = client.send("PUT", "/portforwardings", hide.clone()).await.json();
    assert_eq!(hidden["data"]["port"], Value::Null);
    assert_eq!(hidden["data"]["hidden"], true);
    assert_eq!(hidden["data"]["expires_at"], START_SECOND + 30 * 86_400);
    assert_eq!(hidden["data"]["internal_ipv4"], json!(address));
    assert_eq!(list(&client, address).await.status, 404);
    assert!(sandbox.azire().ports("david")[0].hidden);

    // It counts towards the limit of five nevertheless.
    for _ in 1..5 {
        assert_eq!(create(&client, address).await.status, 200);
    }
    let message = "The device has no port left.";
    create(&client, address).await.assert_error(422, message);

    let deleted = client.send("DELETE", "/portforwardings", hide).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(sandbox.azire().ports("david").len(), 4);
    assert_eq!(create(&client, address).await.status, 200);
}

#[tokio::test]
async fn hiding_takes_true_only_and_a_known_port() {
    let (sandbox, client, address) = with_device(0).await;
    let port = create(&client, address).await.json()["data"]["port"].take();
    let put = async |body: Value| client.send("PUT", "/portforwardings", body).await;
    for hidden in [json!(false), json!(null), json!("true")] {
        let body = json!({ "internal_ipv4": address, "port": port, "hidden": hidden });
        put(body).await.assert_invalid(&["hidden"]);
    }
    let unknown = json!({ "internal_ipv4": address, "port": 1, "hidden": true });
    put(unknown.clone()).await.assert_error(404, "Not found");
    client.send("DELETE", "/portforwardings", unknown).await.assert_error(404, "Not found");
    let none = json!({ "internal_ipv4": address });
    client.send("DELETE", "/portforwardings", none).await.assert_invalid(&["port"]);
    assert!(!sandbox.azire().ports("david")[0].hidden);
}

#[tokio::test]
async fn the_daily_limit_resets_at_midnight() {
    let (sandbox, client, first) = with_device(0).await;
    sandbox.clock().advance(DAY / 2);
    let cap = sandbox.azire().daily_port_cap();
    assert_eq!(cap, 10);
    let open = async || {
        for _ in 0..cap {
            let made = create(&client, first).await;
            assert_eq!(made.status, 200);
            let port = &made.json()["data"]["port"];
            let body = json!({ "internal_ipv4": first, "port": port });
            client.send("DELETE", "/portforwardings", body).await;
        }
        create(&client, first).await.assert_error(406, "todays limit reached");
    };
    open().await;
    sandbox.clock().advance(DAY / 2 - std::time::Duration::from_secs(1));
    create(&client, first).await.assert_error(406, "todays limit reached");
    sandbox.clock().advance(std::time::Duration::from_secs(1));
    open().await;
    assert_eq!(sandbox.azire().ports("david"), []);

    // The cap applies to the account, not to the sandbox.
    let other = client.with_token(&sandbox.azire().add_account("other", "").token);
    let address = sandbox.azire().add_device("other").unwrap();
    assert_eq!(create(&other, address).await.status, 200);
}

#[tokio::test]
async fn the_ports_of_a_device_go_with_it() {
    let (sandbox, client, address) = with_device(0).await;
    create(&client, address).await;
    let id = sandbox.azire().devices("david")[0].id.clone();
    client.send("DELETE", &format!("/ips/{id}"), Value::Null).await;
    assert_eq!(sandbox.azire().ports("david"), []);
}

#[tokio::test]
async fn a_check_tells_whether_something_listens() {
    let (sandbox, _) = signed_in(0).await;
    let client = Client::new(&sandbox);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let data = json!({ "source_ip": "127.0.0.1", "port": port });
    let open = json!({ "status": "success", "message": "Port is open", "data": data });
    let closed = json!({ "status": "error", "message": "Port is closed", "data": data });

    let path = format!("/portforwardings/check/{port}");
    let form = client.request(
        "POST",
        "/azire/v3/portforwardings/check",
        "content-type: application/x-www-form-urlencoded\r\n",
        &format!("port={port}"),
    );
    let text = json!({ "port": port.to_string() });
    assert_eq!(client.get(&path).await.json(), open);
    assert_eq!(client.raw(&form).await.answer().json(), open);
    let post = async |body: Value| client.send("POST", "/portforwardings/check", body).await;
    assert_eq!(post(json!({ "port": port })).await.json(), open);
    assert_eq!(post(text).await.json(), open);
    // JSON Schema and PHP accept this as an integer.
    assert_eq!(post(json!({ "port": f64::from(port) })).await.json(), open);
    post(json!({ "port": f64::from(port) + 0.5 })).await.assert_invalid(&["port"]);

    drop(listener);
    assert_eq!(client.get(&path).await.json(), closed);
    let answer = post(json!({ "port": port })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), closed);
    // This is an answer and not a refusal, because the request took effect.
    let asked = |status| sandbox.received().iter().filter(|it| it.effect == status).count();
    assert_eq!((asked(true), asked(false)), (7, 1));
}

#[tokio::test]
async fn invalid_port_numbers_are_not_checked() {
    let (_sandbox, client) = signed_in(0).await;
    for port in ["0", "65536", "-1", "http", "99999999999999999999", "%20"] {
        let path = format!("/portforwardings/check/{port}");
        client.get(&path).await.assert_invalid(&["port"]);
        let body = json!({ "port": port });
        client.send("POST", "/portforwardings/check", body).await.assert_invalid(&["port"]);
    }
}

#[tokio::test]
async fn the_rate_limit_goes_by_token_and_minute() {
    let clock = Clock::fixed("2026-01-01T00:00:40Z".parse().unwrap());
    let sandbox = Sandbox::builder().clock(clock).azire_rate_limit(Some(2)).start().await.unwrap();
    let account = sandbox.azire().add_account("david", "");
    let client = Client::new(&sandbox).with_token(&account.token);
    for remaining in ["1", "0"] {
        let answer = client.get("/users/me").await;
        assert_eq!(answer.header("x-ratelimit-limit"), Some("2"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(remaining));
    }
    let refused = client.get("/users/me").await;
    refused.assert_error(429, "Too Many Attempts.");
    assert_eq!(refused.header("retry-after"), Some("20"));
    assert_eq!(Client::new(&sandbox).get("/locations").await.status, 200);
    sandbox.clock().advance(std::time::Duration::from_secs(20));
    assert_eq!(client.get("/users/me").await.status, 200);
}
