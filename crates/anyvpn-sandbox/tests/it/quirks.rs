//! AzireVPN's variations, each in all its forms.

use anyvpn_sandbox::azire::{DeleteReply, EmptyList, Quirks, UserIps};
use anyvpn_sandbox::{Clock, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, START, START_SECOND, client_of, signed_in};
use crate::devices::key;

/// Creates seed 0 with one variation, or with none if the name is empty.
async fn with(variation: &str) -> (Sandbox, Client) {
    let builder = Sandbox::builder().clock(Clock::fixed(START.parse().unwrap()));
    let builder = match variation {
        "" => builder,
        name => builder.variation(format!("azire.{name}")),
    };
    let sandbox = builder.start().await.unwrap();
    let client = client_of(&sandbox);
    (sandbox, client)
}

#[test]
fn seed_0_takes_the_usual_answers() {
    let quirks = Quirks::from_seed(0);
    assert_eq!(quirks, Quirks::default());
    assert_eq!((quirks.user_ips, quirks.deleted), (UserIps::Object, DeleteReply::Envelope));
    assert_eq!(quirks.empty_list, EmptyList::NoneFound);
    assert_eq!((quirks.created, quirks.wrong_sign_in, quirks.closed), (200, 401, 400));
    assert_eq!((quirks.too_many, quirks.duplicate_key), (422, 200));
    assert!(!quirks.created_ip_is_bare && !quirks.locations_have_arrays);
    assert_eq!(quirks.daily_port_cap, 10);
}

#[tokio::test]
async fn ips_of_the_user() {
    for (variation, expected) in [
        ("", json!({ "allocated": 0, "available": 10 })),
        ("user-ips-are-an-array", json!([{ "allocated": 0 }, { "available": 10 }])),
        ("user-ips-are-missing", Value::Null),
    ] {
        let (_sandbox, client) = with(variation).await;
        let user = client.get("/users/me").await.json();
        assert_eq!(user["data"].get("ips").cloned().unwrap_or_default(), expected);
        assert_eq!(user["data"].get("ips").is_some(), !expected.is_null());
    }
}

#[tokio::test]
async fn statuses_of_refusals() {
    for (variation, status) in [("", 401), ("wrong-sign-in-is-422", 422)] {
        let (_sandbox, client) = with(variation).await;
        let nobody = Client { token: None, ..client };
        let body = json!({ "username": "david", "password": "wrong" });
        assert_eq!(nobody.send("POST", "/tokens", body).await.status, status);
    }
    for (variation, status) in [("", 403), ("wrong-password-is-422", 422)] {
        let (sandbox, client) = with(variation).await;
        let body = json!({ "password": "wrong" });
        assert_eq!(client.send("DELETE", "/users/me", body).await.status, status);
        assert_eq!(sandbox.azire().accounts(), 1);
    }
    for (variation, status) in [("", 422), ("unknown-device-is-404", 404)] {
        let (_sandbox, client) = with(variation).await;
        let body = json!({ "internal_ipv4": "10.0.0.1" });
        assert_eq!(client.send("POST", "/portforwardings", body).await.status, status);
    }
    for (variation, status) in [("", 422), ("too-many-is-403", 403)] {
        let (sandbox, client) = with(variation).await;
        let address = sandbox.azire().add_device("david").unwrap();
        let body = json!({ "internal_ipv4": address });
        for _ in 0..5 {
            client.send("POST", "/portforwardings", body.clone()).await;
        }
        // A limit is not a field error, because the request is valid.
        let refused = client.send("POST", "/portforwardings", body).await;
        refused.assert_error(status, "The device has no port left.");
        while sandbox.azire().devices("david").len() < 10 {
            sandbox.azire().add_device("david").unwrap();
        }
        let body = json!({ "key": key(1) });
        let refused = client.send("POST", "/ips", body).await;
        refused.assert_error(status, "The account has no address left.");
    }
    for (variation, status) in
        [("", 200), ("duplicate-key-is-422", 422), ("duplicate-key-is-409", 409)]
    {
        let (sandbox, client) = with(variation).await;
        let body = json!({ "key": key(1) });
        let first = client.send("POST", "/ips", body.clone()).await;
        let second = client.send("POST", "/ips", body).await;
        assert_eq!(second.status, status);
        assert_eq!(second.body == first.body, status == 200);
        assert_eq!(sandbox.azire().devices("david").len(), 1);
    }
}

#[tokio::test]
async fn creations() {
    for (variation, status) in [("", 200), ("created-is-201", 201)] {
        let (_sandbox, client) = with(variation).await;
        let user = json!({ "username": "new", "password": "password" });
        assert_eq!(client.send("POST", "/users", user).await.status, status);
        assert_eq!(client.send("POST", "/tokens", Value::Null).await.status, status);
        assert_eq!(client.send("POST", "/ips", json!({ "key": key(1) })).await.status, status);
    }
    for (variation, bare) in [("", false), ("created-ip-is-bare", true)] {
        let (_sandbox, client) = with(variation).await;
        let made = client.send("POST", "/ips", json!({ "key": key(1) })).await.json();
        let ip = if bare { &made } else { &made["data"] };
        assert_eq!(ip["keys"], json!([{ "key": key(1), "created_at": START_SECOND }]));
        assert_eq!(made.get("status").is_none(), bare);
    }
}

#[tokio::test]
async fn changed_addresses() {
    for (variation, verified) in [("", true), ("changed-email-is-unverified", false)] {
        let (_sandbox, client) = with(variation).await;
        let email = json!({ "email": "new@nice.email" });
        let user = client.send("PUT", "/users/me/email", email).await.json();
        assert_eq!(user["data"]["is_email_verified"], verified);
        assert_eq!(user["data"]["is_active"], true);
    }
}

#[tokio::test]
async fn a_fourth_key() {
    for (variation, drops) in [("", false), ("fourth-key-drops-oldest", true)] {
        let (sandbox, client) = with(variation).await;
        client.send("POST", "/ips", json!({ "key": key(1) })).await;
        let path = format!("/ips/{}/keys", sandbox.azire().devices("david")[0].id);
        for byte in 2..4 {
            client.send("PUT", &path, json!({ "key": key(byte) })).await;
        }
        let answer = client.send("PUT", &path, json!({ "key": key(4) })).await;
        let (status, keys) = if drops { (200, [2, 3, 4]) } else { (422, [1, 2, 3]) };
        assert_eq!(answer.status, status);
        assert_eq!(sandbox.azire().devices("david")[0].keys, keys.map(key));
    }
}

#[tokio::test]
async fn locations() {
    for (variation, arrays) in [("", false), ("locations-have-arrays", true)] {
        let (_sandbox, client) = with(variation).await;
        let json = client.get("/locations").await.json();
        for location in json["locations"].as_array().unwrap() {
            assert_eq!(location["pool"].is_array(), arrays);
            assert_eq!(location["pubkey"].is_array(), arrays);
        }
        let empty = if arrays { json!([]) } else { json!("") };
        let pools = json["locations"].as_array().unwrap().iter();
        assert_eq!(pools.filter(|location| location["pool"] == empty).count(), 1);
    }
}

#[tokio::test]
async fn a_closed_port() {
    for (variation, status) in [
        ("", 400),
        ("closed-port-is-200", 200),
        ("closed-port-is-404", 404),
        ("closed-port-is-422", 422),
    ] {
        let (_sandbox, client) = with(variation).await;
        let answer = client.get("/portforwardings/check/1").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["message"], "Port is closed");
    }
}

#[tokio::test]
async fn empty_lists() {
    for variation in ["", "empty-list-is-not-found", "empty-list-is-an-array"] {
        let (sandbox, client) = with(variation).await;
        let address = sandbox.azire().add_device("david").unwrap();
        for _ in 0..2 {
            let answer = client.get(&format!("/portforwardings?internal_ipv4={address}")).await;
            match variation {
                "" => answer.assert_error(404, "No port forwardings found"),
                "empty-list-is-not-found" => answer.assert_error(404, "Not found"),
                _ => assert_eq!(answer.json()["data"]["ports"], json!([])),
            }
        }
    }
}

#[tokio::test]
async fn deletions() {
    for (variation, status, body) in [
        ("", 200, r#"{"status":"success"}"#),
        ("deleted-is-empty", 200, ""),
        ("deleted-is-204", 204, ""),
    ] {
        let (_sandbox, client) = with(variation).await;
        let answer = client.send("DELETE", "/tokens", Value::Null).await;
        assert_eq!((answer.status, &*answer.body), (status, body.as_bytes()));
    }
}

#[tokio::test]
async fn caps_and_days() {
    for (variation, cap) in [("", 10), ("daily-port-cap-is-5", 5), ("daily-port-cap-is-19", 19)] {
        let (sandbox, _client) = with(variation).await;
        assert_eq!(sandbox.azire().daily_port_cap(), cap);
    }
    for (variation, status) in [("", 200), ("zero-days-are-refused", 422)] {
        let (sandbox, client) = with(variation).await;
        let address = sandbox.azire().add_device("david").unwrap();
        let body = json!({ "internal_ipv4": address, "expires_in": 0 });
        assert_eq!(client.send("POST", "/portforwardings", body).await.status, status);
    }
}

#[tokio::test]
async fn one_seed_gives_one_course_of_things() {
    let course = async |seed: u64| {
        let (sandbox, client) = signed_in(seed).await;
        let address = sandbox.azire().add_device("david").unwrap();
        let mut answers = Vec::new();
        for (method, path, body) in [
            ("POST", "/users", json!({ "username": "new", "password": "password" })),
            ("POST", "/tokens", Value::Null),
            ("POST", "/ips", json!({ "key": key(1) })),
            ("POST", "/portforwardings", json!({ "internal_ipv4": address })),
            ("GET", "/portforwardings", Value::Null),
            ("POST", "/users/me/otps", Value::Null),
            ("GET", "/locations", Value::Null),
            ("GET", "/tokens", Value::Null),
        ] {
            let answer = client.send(method, path, body).await;
            answers.push((answer.status, answer.body));
        }
        answers
    };
    assert_eq!(course(7).await, course(7).await);
    assert_eq!(course(0).await, course(0).await);
    assert_ne!(course(7).await, course(8).await);
}
