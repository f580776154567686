//! The commands of AzireVPN's pages, as curl sends them: other host, other token, nothing else.

use crate::client::{Answer, Client, sandbox, signed_in};

/// `curl --json`
const JSON: &str = "accept: application/json\r\ncontent-type: application/json\r\n";
const FORM: &str = "accept: */*\r\ncontent-type: application/x-www-form-urlencoded\r\n";
const PLAIN: &str = "accept: */*\r\n";

async fn curl(client: &Client, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let request = client.request(method, &format!("/azire/v3{path}"), headers, body);
    client.raw(&request).await.answer()
}

#[tokio::test]
async fn users() {
    let sandbox = sandbox(0).await;
    let nobody = Client::new(&sandbox);
    let body = r#"{
    "username": "david",
    "password": "my_secure_password",
    "referral_code": "1337"
  }"#;
    assert_eq!(
        curl(&nobody, "POST", "/users", JSON, body).await.status,
        200
    );
    let account = sandbox.azire().add_account("david", "my_secure_password");
    let client = nobody.with_token(&account.token);
    for (method, path, headers, body, status) in [
        ("GET", "/users/me", PLAIN, "", 200),
        ("POST", "/users/me/otps", PLAIN, "", 200),
        (
            "PUT",
            "/users/me/password",
            JSON,
            r#"{"new_password": "password_secure_new"}"#,
            200,
        ),
        (
            "PUT",
            "/users/me/username",
            JSON,
            r#"{"new_username": "python"}"#,
            200,
        ),
        (
            "PUT",
            "/users/me/email",
            JSON,
            r#"{"email": "new@nice.email"}"#,
            200,
        ),
        // Said to delete the address, and in truth the deletion of the account: without its
        // password it does nothing.
        ("DELETE", "/users/me", PLAIN, "", 422),
        ("DELETE", "/users/me/email", PLAIN, "", 200),
        (
            "DELETE",
            "/users/me",
            JSON,
            r#"{"password": "my_secure_password"}"#,
            403,
        ),
        (
            "DELETE",
            "/users/me",
            JSON,
            r#"{"password": "password_secure_new"}"#,
            200,
        ),
    ] {
        assert_eq!(
            curl(&client, method, path, headers, body).await.status,
            status,
            "{path}"
        );
    }
    assert_eq!(sandbox.azire().accounts(), 0);
}

#[tokio::test]
async fn portforwardings() {
    let (sandbox, client) = signed_in(0).await;
    let address = sandbox.azire().add_device("david").unwrap();
    let path = "/portforwardings";
    // Zero days, as the page writes them for the creation, and again for the change.
    let zero = format!(r#"{{"internal_ipv4": "{address}","hidden": false,"expires_in": 0}}"#);
    curl(&client, "POST", path, JSON, &zero)
        .await
        .assert_invalid(&["expires_in"]);
    let week = zero.replace("0}", "7}");
    let made = curl(&client, "POST", path, JSON, &week).await;
    assert_eq!(made.status, 200);
    let port = &made.json()["data"]["port"];
    let listed = curl(
        &client,
        "GET",
        &format!("{path}?internal_ipv4={address}"),
        PLAIN,
        "",
    )
    .await;
    assert_eq!(&listed.json()["data"]["ports"][0]["port"], port);
    curl(&client, "PUT", path, JSON, &zero)
        .await
        .assert_invalid(&["hidden", "port"]);
    let delete = format!(r#"{{"internal_ipv4": "{address}","port": {port}}}"#);
    assert_eq!(
        curl(&client, "DELETE", path, JSON, &delete).await.status,
        204
    );
    assert_eq!(sandbox.azire().ports("david"), []);
}

#[tokio::test]
async fn checks() {
    let sandbox = sandbox(0).await;
    let client = Client::new(&sandbox);
    let path = "/portforwardings/check";
    let get = curl(&client, "GET", &format!("{path}/1"), PLAIN, "")
        .await
        .json();
    // `curl -G …/check/1336 -d port=1336`, shown for the call by POST.
    let odd = curl(&client, "GET", &format!("{path}/1?port=1"), PLAIN, "")
        .await
        .json();
    let post = curl(&client, "POST", path, FORM, "port=1").await.json();
    assert_eq!(get["message"], "Port is closed");
    assert_eq!(get["data"]["port"], 1);
    assert_eq!(odd, get);
    assert_eq!(post, get);
}
