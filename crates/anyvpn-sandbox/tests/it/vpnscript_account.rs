use anyvpn_sandbox::vpnscript::ServiceState;
use serde_json::{Value, json};

use crate::client::{Client, DAY};
use crate::vpnscript_world::{ACCEPT, STARTED, World, assert_invalid, send};

fn sign_in(password: &str) -> Value {
    json!({ "username": "liam", "password": password, "device_name": "Liam's iPhone" })
}

#[tokio::test]
async fn a_token_is_given_for_the_password() {
    let world = World::new(0).await;
    let nobody = Client::new(&world.sandbox);
    let answer = send(&nobody, "POST", "/auth/token", sign_in("secret")).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let token = json["token"].as_str().unwrap();
    assert_eq!(json, json!({ "success": true, "message": null, "token": token }));
    let (id, secret) = token.split_once('|').unwrap();
    // The world's own token is the first.
    assert_eq!(id, "2");
    assert_eq!(secret.len(), 40);
    assert!(secret.chars().all(|letter| letter.is_ascii_alphanumeric()));
    assert_eq!(world.service().tokens("liam"), 2);
    let user = send(&nobody.with_token(token), "GET", "/account", Value::Null).await;
    assert_eq!(user.json()["data"]["username"], "liam");
}

#[tokio::test]
async fn wrong_sign_ins_are_refused() {
    let world = World::new(0).await;
    let nobody = Client::new(&world.sandbox);
    let post = async |body: Value| send(&nobody, "POST", "/auth/token", body).await;
    let missing = post(json!({ "username": "liam", "device_name": "desk" })).await;
    let errors = json!({ "password": ["The password field is required."] });
    let message = "The given data was invalid.";
    assert_eq!(missing.status, 422);
    assert_eq!(missing.json(), json!({ "message": message, "errors": errors }));
    assert_invalid(&post(json!({})).await, &["device_name", "password", "username"]);
    assert_invalid(
        &post(json!({ "username": 7, "password": "", "device_name": [] })).await,
        &["device_name", "password", "username"],
    );
    let wrong = post(sign_in("wrong")).await;
    assert_eq!(wrong.status, 422);
    let message = "The provided credentials are incorrect.";
    assert_eq!(wrong.json(), json!({ "success": false, "message": message }));
    assert_eq!(world.service().tokens("liam"), 1);
}

#[tokio::test]
async fn a_suspended_user_gets_the_reason() {
    let world = World::new(0).await;
    for reason in [None, Some("Abuse")] {
        assert!(world.service().suspend("liam", reason));
        let suspended = json!({
            "status": false,
            "error": "Your account has been suspended.",
            "suspend_reason": reason,
        });
        for (method, path) in [
            ("POST", "/auth/token"),
            ("GET", "/servers"),
            ("GET", "/openvpn/profile?server_id=1"),
            ("GET", "/openvpn/auth"),
            ("GET", "/wireguard/configs"),
            ("POST", "/wireguard/create"),
            ("DELETE", "/wireguard/delete"),
        ] {
            let answer = world.send(method, path, sign_in("secret")).await;
            assert_eq!(answer.status, 400, "{path}");
            assert_eq!(answer.json(), suspended);
        }
        let user = world.data("/account").await;
        assert_eq!((&user["status"], &user["suspend_reason"]), (&json!(0), &json!(reason)));
        // A caller without the password learns nothing.
        assert_eq!(world.send("POST", "/auth/token", sign_in("wrong")).await.status, 422);
    }
    assert!(world.service().unsuspend("liam"));
    assert_eq!(world.get("/servers").await.status, 200);
    assert!(!world.service().suspend("nobody", None));
    assert!(!world.service().unsuspend("nobody"));
}

#[tokio::test]
async fn unknown_credentials_are_refused() {
    let world = World::new(0).await;
    let stale = world.client.clone();
    assert!(world.service().revoke_tokens("liam"));
    let nobody = Client::new(&world.sandbox);
    for client in [stale.clone(), nobody.clone(), nobody.with_token(""), nobody.with_token("1")] {
        for (method, path) in [
            ("GET", "/account"),
            ("GET", "/servers"),
            ("GET", "/openvpn/profile"),
            ("GET", "/openvpn/auth"),
            ("GET", "/wireguard/configs"),
            ("POST", "/wireguard/create"),
            ("DELETE", "/wireguard/delete"),
        ] {
            let answer = send(&client, method, path, Value::Null).await;
            assert_eq!(answer.status, 401, "{path}");
            let message = "Unauthenticated.";
            assert_eq!(answer.json(), json!({ "success": false, "message": message }));
        }
    }
    assert!(world.sandbox.received().iter().all(|entry| !entry.effect));
}

#[tokio::test]
async fn requests_without_accept_json_are_redirected_to_a_page() {
    let world = World::new(0).await;
    let nobody = Client::new(&world.sandbox);
    let get = async |client: &Client, path: &str, headers: &str| {
        client.raw(&client.request("GET", path, headers, "")).await.answer()
    };
    let path = "/vpnscript/api/account";
    for accept in ["", "accept: */*\r\n", "accept: text/html, application/json\r\n"] {
        let answer = get(&nobody, path, accept).await;
        assert_eq!(answer.status, 302, "{accept}");
        assert_eq!(answer.header("location"), Some("/vpnscript/login"));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
        // A known caller gets an answer all the same.
        assert_eq!(get(&world.client, path, accept).await.status, 200);
    }
    for accept in [ACCEPT, "accept: application/json, */*\r\n", "accept: application/x+json\r\n"] {
        assert_eq!(get(&nobody, path, accept).await.status, 401, "{accept}");
    }
    let page = get(&nobody, "/vpnscript/login", "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));
    let received = world.sandbox.received();
    assert_eq!(received.last().unwrap().operation, Some("vpnscript.login-page"));
    assert!(!anyvpn_sandbox::operations().contains(&"vpnscript.login-page"));
}

#[tokio::test]
async fn an_account_has_the_documented_fields() {
    let world = World::new(0).await;
    let answer = world.get("/account").await.json();
    let service = json!({
        "id": 1, "user_id": 1, "plan_id": 3, "name": "Gold Plan",
        "next_payment": "2035-12-30T00:00:00.000000Z", "auto_renew": 1, "status": 1,
    });
    let data = json!({
        "user_id": 1, "username": "liam", "email": "liam@mail.example",
        "status": 2, "suspend_reason": null, "service": [service],
        "created_at": null, "updated_at": STARTED,
    });
    assert_eq!(answer, json!({ "success": true, "message": null, "data": data }));

    for (state, status) in
        [(ServiceState::Inactive, 0), (ServiceState::Active, 1), (ServiceState::Expired, 2)]
    {
        assert!(world.service().set_service("liam", state));
        assert_eq!(world.data("/account").await["service"][0]["status"], status);
    }
    assert_eq!(world.data("/account").await["service"][0]["next_payment"], STARTED);
    assert!(world.service().set_service("liam", ServiceState::None));
    assert_eq!(world.data("/account").await["service"], json!([]));
    assert!(!world.service().set_service("nobody", ServiceState::None));

    assert!(world.service().set_service("liam", ServiceState::Active));
    world.sandbox.clock().advance(3650 * DAY);
    assert_eq!(world.data("/account").await["service"][0]["status"], 2);
}

#[tokio::test]
async fn an_account_added_again_keeps_what_it_has() {
    let world = World::new(0).await;
    world.create(2).await;
    let again = world.service().add_account("liam", "other");
    assert_eq!(world.service().tokens("liam"), 2);
    assert_eq!(world.service().configs("liam").len(), 1);
    assert_eq!(world.send("POST", "/auth/token", sign_in("secret")).await.status, 422);
    let client = world.client.with_token(&again.token);
    assert_eq!(send(&client, "GET", "/account", Value::Null).await.json()["data"]["user_id"], 1);
    world.service().add_account("noah", "secret");
    assert_eq!(world.service().tokens("noah"), 1);
    assert_eq!(world.service().tokens("nobody"), 0);
    assert!(world.service().configs("nobody").is_empty());
    assert!(!world.service().revoke_tokens("nobody"));
}
