//! Each choice that the documents leave open, in each of its forms.

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::azire::{DeleteReply, EmptyList, Quirks, UserIps};
use serde_json::{Value, json};

use crate::client::{Client, START_SECOND, signed_in};
use crate::devices::key;

/// A sandbox whose seed made the choice.
async fn with(choice: impl Fn(&Quirks) -> bool) -> (Sandbox, Client) {
    let seed = (0..1000).find(|seed| choice(&Quirks::from_seed(*seed)));
    signed_in(seed.expect("no seed makes this choice")).await
}

#[test]
fn seed_0_takes_the_usual_answers() {
    let quirks = Quirks::from_seed(0);
    assert_eq!(quirks.user_ips, UserIps::Object);
    assert_eq!((quirks.created, quirks.wrong_sign_in, quirks.closed), (200, 401, 200));
    assert!(!quirks.created_ip_is_bare && !quirks.locations_have_arrays);
    assert_eq!(quirks.daily_port_cap, 10);
    assert_eq!(quirks, Quirks::from_seed(0));
}

#[test]
fn caps_are_of_5_to_19_a_day() {
    let mut caps: Vec<u32> = (1..1000).map(|seed| Quirks::from_seed(seed).daily_port_cap).collect();
    caps.sort_unstable();
    caps.dedup();
    assert_eq!(caps, (5..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn ips_of_the_user() {
    for (form, expected) in [
        (UserIps::Object, json!({ "allocated": 0, "available": 10 })),
        (UserIps::Array, json!([{ "allocated": 0 }, { "available": 10 }])),
        (UserIps::Missing, Value::Null),
    ] {
        let (_sandbox, client) = with(|quirks| quirks.user_ips == form).await;
        let user = client.get("/users/me").await.json();
        assert_eq!(user["data"].get("ips").cloned().unwrap_or_default(), expected);
        assert_eq!(user["data"].get("ips").is_some(), form != UserIps::Missing);
    }
}

#[tokio::test]
async fn statuses_of_refusals() {
    for status in [401, 422] {
        let (_sandbox, client) = with(|quirks| quirks.wrong_sign_in == status).await;
        let nobody = Client { token: None, ..client };
        let body = json!({ "username": "david", "password": "wrong" });
        assert_eq!(nobody.send("POST", "/tokens", body).await.status, status);
    }
    for status in [403, 422] {
        let (sandbox, client) = with(|quirks| quirks.wrong_password == status).await;
        let body = json!({ "password": "wrong" });
        assert_eq!(client.send("DELETE", "/users/me", body).await.status, status);
        assert_eq!(sandbox.azire().accounts(), 1);
    }
    for status in [422, 404] {
        let (_sandbox, client) = with(|quirks| quirks.unknown_device == status).await;
        let body = json!({ "internal_ipv4": "10.0.0.1" });
        assert_eq!(client.send("POST", "/portforwardings", body).await.status, status);
    }
    for status in [422, 403] {
        let (sandbox, client) = with(|quirks| quirks.too_many == status).await;
        let address = sandbox.azire().add_device("david").unwrap();
        let body = json!({ "internal_ipv4": address });
        for _ in 0..5 {
            client.send("POST", "/portforwardings", body.clone()).await;
        }
        assert_eq!(client.send("POST", "/portforwardings", body).await.status, status);
        while sandbox.azire().devices("david").len() < 10 {
            sandbox.azire().add_device("david").unwrap();
        }
        let body = json!({ "key": key(1) });
        assert_eq!(client.send("POST", "/ips", body).await.status, status);
    }
    for status in [422, 409] {
        let (sandbox, client) = with(|quirks| quirks.duplicate_key == status).await;
        let body = json!({ "key": key(1) });
        client.send("POST", "/ips", body.clone()).await;
        assert_eq!(client.send("POST", "/ips", body).await.status, status);
        assert_eq!(sandbox.azire().devices("david").len(), 1);
    }
}

#[tokio::test]
async fn creations() {
    for status in [200, 201] {
        let (_sandbox, client) = with(|quirks| quirks.created == status).await;
        let user = json!({ "username": "new", "password": "password" });
        assert_eq!(client.send("POST", "/users", user).await.status, status);
        assert_eq!(client.send("POST", "/tokens", Value::Null).await.status, status);
        assert_eq!(client.send("POST", "/ips", json!({ "key": key(1) })).await.status, status);
    }
    for bare in [false, true] {
        let (_sandbox, client) = with(|quirks| quirks.created_ip_is_bare == bare).await;
        let made = client.send("POST", "/ips", json!({ "key": key(1) })).await.json();
        let ip = if bare { &made } else { &made["data"] };
        assert_eq!(ip["keys"], json!([{ "key": key(1), "created_at": START_SECOND }]));
        assert_eq!(made.get("status").is_none(), bare);
    }
}

#[tokio::test]
async fn changed_addresses() {
    for verified in [true, false] {
        let (_sandbox, client) = with(|quirks| quirks.changed_email_is_verified == verified).await;
        let email = json!({ "email": "new@nice.email" });
        let user = client.send("PUT", "/users/me/email", email).await.json();
        assert_eq!(user["data"]["is_email_verified"], verified);
        assert_eq!(user["data"]["is_active"], true);
    }
}

#[tokio::test]
async fn a_fourth_key() {
    for drops in [false, true] {
        let (sandbox, client) = with(|quirks| quirks.fourth_key_drops_oldest == drops).await;
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
    for arrays in [false, true] {
        let (_sandbox, client) = with(|quirks| quirks.locations_have_arrays == arrays).await;
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
    for status in [200, 400, 404, 422] {
        let (_sandbox, client) = with(|quirks| quirks.closed == status).await;
        let answer = client.get("/portforwardings/check/1").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["message"], "Port is closed");
    }
}

#[tokio::test]
async fn empty_lists_change_from_call_to_call() {
    for first in [EmptyList::NotFound, EmptyList::NoneFound, EmptyList::Array] {
        let (sandbox, client) = with(|quirks| quirks.empty_list(0) == first).await;
        let address = sandbox.azire().add_device("david").unwrap();
        let mut seen = Vec::new();
        for call in 0..3 {
            let answer = client.get(&format!("/portforwardings?internal_ipv4={address}")).await;
            let json = answer.json();
            match sandbox.azire().quirks().empty_list(call) {
                EmptyList::NotFound => answer.assert_error(404, "Not found"),
                EmptyList::NoneFound => answer.assert_error(404, "No port forwardings found"),
                _ => assert_eq!(json["data"]["ports"], json!([])),
            }
            seen.push(answer.body);
        }
        seen.dedup();
        assert_eq!(seen.len(), 3);
    }
}

#[tokio::test]
async fn deletions() {
    for form in [DeleteReply::Empty, DeleteReply::NoContent, DeleteReply::Envelope] {
        let (_sandbox, client) =
            with(|quirks| quirks.delete_reply("azire.delete-all-tokens") == form).await;
        let answer = client.send("DELETE", "/tokens", Value::Null).await;
        match form {
            DeleteReply::Empty => assert_eq!((answer.status, &*answer.body), (200, &b""[..])),
            DeleteReply::NoContent => assert_eq!((answer.status, &*answer.body), (204, &b""[..])),
            _ => assert_eq!(answer.json(), json!({ "status": "success" })),
        }
    }
}

#[test]
fn no_seed_has_one_answer_for_all_deletions() {
    for seed in 0..10 {
        let quirks = Quirks::from_seed(seed);
        let [a, b, c] = ["azire.delete-user", "azire.delete-port-forward", "azire.delete-token"]
            .map(|operation| quirks.delete_reply(operation));
        assert!(a != b && b != c && c != a);
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
