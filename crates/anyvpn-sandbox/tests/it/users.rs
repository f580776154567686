use serde_json::{Value, json};

use crate::client::{Client, DAY, START_SECOND, sandbox, signed_in};

#[tokio::test]
async fn a_new_user_signs_in_and_gets_the_documented_fields() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let david = json!({ "username": "david", "password": "secret" });
    let created = client.send("POST", "/users", david.clone()).await;
    let trial_end = START_SECOND + 30 * 86_400;
    let user = json!({
        "username": "david", "email": null, "currency": "EUR",
        "is_email_verified": false, "is_active": true, "is_oldschool": false,
        "is_subscribed": false, "ips": { "allocated": 0, "available": 10 },
        "created_at": START_SECOND, "expires_at": trial_end,
    });
    assert_eq!(created.status, 200);
    assert_eq!(created.json(), json!({ "status": "success", "data": user }));

    let token = client.send("POST", "/tokens", david).await.json();
    let key = token["data"]["key"].as_str().unwrap();
    assert_eq!(key.len(), 60);
    assert_eq!(token["data"]["id"].as_str().unwrap().len(), 8);
    assert_eq!(token["data"]["device_name"], Value::Null);
    assert_eq!(client.with_token(key).get("/users/me").await.json()["data"], user);
    assert_eq!(sandbox.azire().accounts(), 1);
    assert_eq!(sandbox.azire().tokens("david"), 1);

    sandbox.clock().advance(30 * DAY);
    let user = client.with_token(key).get("/users/me").await.json();
    assert_eq!(user["data"]["is_active"], false);
}

#[tokio::test]
async fn a_user_is_refused_by_field() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let create = async |body: Value| client.send("POST", "/users", body).await;
    create(Value::Null).await.assert_invalid(&["password", "username"]);
    create(json!({ "username": "", "password": 7 }))
        .await
        .assert_invalid(&["password", "username"]);
    let euro = json!({ "username": "a", "password": "b", "currency": "DKK", "email": "nobody" });
    create(euro).await.assert_invalid(&["currency", "email"]);
    let long = "a".repeat(256);
    create(json!({ "username": long, "password": "b" })).await.assert_invalid(&["username"]);
    assert_eq!(sandbox.azire().accounts(), 0);

    for currency in ["EUR", "USD", "SEK"] {
        let user = json!({ "username": currency, "password": "b", "currency": currency });
        assert_eq!(create(user).await.json()["data"]["currency"], currency);
    }
    let again = create(json!({ "username": "USD", "password": "b" })).await;
    again.assert_invalid(&["username"]);
    let message = "The username has already been taken.";
    assert_eq!(again.json()["data"]["username"], json!([message]));
    assert_eq!(sandbox.azire().accounts(), 3);
}

#[tokio::test]
async fn an_address_given_at_the_creation_is_verified_before_the_sign_in() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let user = json!({ "username": "david", "password": "secret", "email": "david@mail.example" });
    let created = client.send("POST", "/users", user.clone()).await.json();
    assert_eq!(created["data"]["is_email_verified"], false);
    assert_eq!(created["data"]["is_active"], false);
    let refused = client.send("POST", "/tokens", user.clone()).await;
    refused.assert_error(403, "Your email address is not verified.");

    assert!(sandbox.azire().verify_email("david"));
    let token = client.send("POST", "/tokens", user).await.json();
    let client = client.with_token(token["data"]["key"].as_str().unwrap());
    let user = client.get("/users/me").await.json();
    assert_eq!(user["data"]["is_email_verified"], true);
    assert_eq!(user["data"]["is_active"], true);
    assert!(!sandbox.azire().verify_email("nobody"));
}

#[tokio::test]
async fn unknown_credentials_are_refused() {
    let (sandbox, client) = signed_in(0).await;
    let nobody = Client::new(&sandbox);
    for client in [nobody.clone(), client.with_token("unknown"), client.with_token("")] {
        for (method, path) in [
            ("GET", "/users/me"),
            ("DELETE", "/users/me"),
            ("POST", "/users/me/otps"),
            ("GET", "/tokens"),
            ("POST", "/tokens"),
            ("GET", "/ips"),
            ("GET", "/portforwardings?internal_ipv4=10.0.0.1"),
        ] {
            let refused = client.send(method, path, Value::Null).await;
            refused.assert_error(401, "Unauthenticated.");
        }
        assert_eq!(client.get("/locations").await.status, 200);
    }
    let wrong = json!({ "username": "david", "password": "wrong" });
    assert_eq!(nobody.send("POST", "/tokens", wrong).await.status, 401);
    nobody
        .send("POST", "/tokens", json!({ "username": "david" }))
        .await
        .assert_invalid(&["password"]);
    assert_eq!(sandbox.azire().tokens("david"), 1);
}

#[tokio::test]
async fn name_address_and_password_change() {
    let (sandbox, client) = signed_in(0).await;
    sandbox.azire().add_account("taken", "");
    let put = async |path: &str, body: Value| client.send("PUT", path, body).await;

    put("/users/me/username", json!({ "new_username": "taken" }))
        .await
        .assert_invalid(&["new_username"]);
    let renamed = put("/users/me/username", json!({ "new_username": "python" })).await;
    assert_eq!(renamed.json()["data"]["username"], "python");

    put("/users/me/email", json!({ "email": "none" })).await.assert_invalid(&["email"]);
    put("/users/me/email", json!({ "email": null })).await.assert_invalid(&["email"]);
    let moved = put("/users/me/email", json!({ "email": "new@nice.email" })).await.json();
    assert_eq!(moved["data"]["email"], "new@nice.email");
    let removed = client.send("DELETE", "/users/me/email", Value::Null).await.json();
    assert_eq!(removed["data"]["email"], Value::Null);
    assert_eq!(removed["data"]["username"], "python");

    put("/users/me/password", json!({})).await.assert_invalid(&["new_password"]);
    assert_eq!(put("/users/me/password", json!({ "new_password": "new" })).await.status, 200);
    let sign_in = |password: &str| json!({ "username": "python", "password": password });
    let nobody = Client::new(&sandbox);
    assert_eq!(nobody.send("POST", "/tokens", sign_in("old password")).await.status, 401);
    assert_eq!(nobody.send("POST", "/tokens", sign_in("new")).await.status, 200);
}

#[tokio::test]
async fn an_account_is_deleted_with_its_password_only() {
    let (sandbox, client) = signed_in(0).await;
    let delete = async |body: Value| client.send("DELETE", "/users/me", body).await;
    delete(Value::Null).await.assert_invalid(&["password"]);
    delete(json!({ "password": "wrong" })).await.assert_error(403, "The password is incorrect.");
    assert_eq!(sandbox.azire().accounts(), 1);
    assert_eq!(delete(json!({ "password": "old password" })).await.status, 200);
    assert_eq!(sandbox.azire().accounts(), 0);
    client.get("/users/me").await.assert_error(401, "Unauthenticated.");
}

#[tokio::test]
async fn a_one_time_password_lasts_ten_minutes() {
    let (_sandbox, client) = signed_in(0).await;
    let data = client.send("POST", "/users/me/otps", Value::Null).await.json()["data"].take();
    assert_eq!(data["otp"].as_str().unwrap().len(), 60);
    assert_eq!(data["expires_at"], START_SECOND + 600);
}

#[tokio::test]
async fn tokens_are_made_changed_and_deleted() {
    let (sandbox, client) = signed_in(0).await;
    let made = client.send("POST", "/tokens", json!({ "device_name": "camel" })).await.json();
    let id = made["data"]["id"].as_str().unwrap();
    let path = format!("/tokens/{id}");
    assert_eq!(made["data"]["created_at"], START_SECOND);

    let changed = client.send("PUT", &path, json!({ "comment": "desk" })).await.json();
    assert_eq!(changed["data"]["comment"], "desk");
    assert_eq!(changed["data"]["device_name"], "camel");
    let cleared = client.send("PUT", &path, json!({ "device_name": null })).await.json();
    assert_eq!(cleared["data"]["device_name"], Value::Null);
    assert_eq!(cleared["data"]["key"], made["data"]["key"]);
    let listed = client.get("/tokens").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert_eq!(listed["data"][1], cleared["data"]);

    client.send("PUT", "/tokens/unknown", json!({})).await.assert_error(404, "Not found");
    client.send("DELETE", "/tokens/unknown", Value::Null).await.assert_error(404, "Not found");
    let other = client.with_token(made["data"]["key"].as_str().unwrap());
    assert_eq!(client.send("DELETE", &path, Value::Null).await.status, 200);
    other.get("/tokens").await.assert_error(401, "Unauthenticated.");
    assert_eq!(client.send("DELETE", "/tokens", Value::Null).await.status, 200);
    assert_eq!(sandbox.azire().tokens("david"), 0);
    client.get("/tokens").await.assert_error(401, "Unauthenticated.");
}

#[tokio::test]
async fn one_account_sees_nothing_of_another() {
    let (sandbox, client) = signed_in(0).await;
    let other = sandbox.azire().add_account("other", "password");
    sandbox.azire().add_device("other").unwrap();
    let other = client.with_token(&other.token);
    let id = other.get("/tokens").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    client
        .send("DELETE", &format!("/tokens/{id}"), Value::Null)
        .await
        .assert_error(404, "Not found");
    let id = &sandbox.azire().devices("other")[0].id;
    client.get(&format!("/ips/{id}")).await.assert_error(404, "Not found");
    assert_eq!(client.get("/ips").await.json()["data"], json!([]));
}

#[tokio::test]
async fn fields_that_a_token_makes_irrelevant_are_still_validated() {
    let (_sandbox, client) = signed_in(0).await;
    let body = json!({ "username": 7, "password": true });
    client.send("POST", "/tokens", body).await.assert_invalid(&["password", "username"]);
    let body = json!({ "username": null, "device_name": "camel" });
    assert_eq!(client.send("POST", "/tokens", body).await.status, 200);
}
