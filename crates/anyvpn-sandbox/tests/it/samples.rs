//! The examples on the vendors' pages, run by the real `curl`. Only host, token, device and port
//! are replaced.

use std::process::Command;

use anyvpn_sandbox::Sandbox;
use serde_json::Value;

use crate::client::sandbox;

const USERS: &str = include_str!("samples/azire-users.sh");
const PORT_FORWARDINGS: &str = include_str!("samples/azire-portforwardings.sh");

/// Runs one example, and returns the HTTP status and the reply.
async fn curl(sandbox: &Sandbox, example: &str, replace: &[(&str, &str)]) -> (u16, Value) {
    let mut script = example.replace("https://api.azirevpn.com", &sandbox.azire_url());
    for (old, new) in replace {
        script = script.replace(old, new);
    }
    let script = format!(
        "{} --silent --write-out '\\n%{{http_code}}'",
        script.trim_end_matches(['\\', ' ', '\n'])
    );
    let output =
        tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &script]).output());
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("is curl here? {error}"));
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// Returns the examples of a page, by the comment above each.
fn example<'a>(page: &'a str, name: &str) -> &'a str {
    let parts = page.split("# ").find(|part| part.starts_with(name));
    parts.and_then(|part| part.split_once('\n')).unwrap_or_else(|| panic!("no {name}")).1
}

#[tokio::test]
async fn users() {
    let sandbox = sandbox(0).await;
    let (status, reply) = curl(&sandbox, example(USERS, "Create user"), &[]).await;
    assert_eq!((status, &reply["data"]["username"]), (200, &Value::from("david")));
    let token = sandbox.azire().add_account("daniel", "my_secure_password").token;
    let run = async |name: &str| curl(&sandbox, example(USERS, name), &[("{token}", &token)]).await;

    assert_eq!(run("Get authenticated user").await.1["data"]["username"], "daniel");
    assert_eq!(run("Generate OTP").await.1["data"]["otp"].as_str().unwrap().len(), 60);
    assert_eq!(run("Update username").await.1["data"]["username"], "python");
    assert_eq!(run("Update email").await.1["data"]["email"], "new@nice.email");
    // The page's example for this call deletes the account. Without the account's password it does
    // nothing.
    assert_eq!(run("Delete email").await.0, 422);
    assert_eq!(run("Get authenticated user").await.1["data"]["email"], "new@nice.email");
    assert_eq!(run("Delete authenticated user").await.0, 200);
    assert_eq!(run("Get authenticated user").await.0, 401);
    assert_eq!(sandbox.azire().accounts(), 1);

    let token = sandbox.azire().add_account("dora", "my_secure_password").token;
    let (status, _) =
        curl(&sandbox, example(USERS, "Update password"), &[("{token}", &token)]).await;
    assert_eq!(status, 200);
    let delete = example(USERS, "Delete authenticated user");
    let (status, _) = curl(&sandbox, delete, &[("{token}", &token)]).await;
    assert_eq!(status, 403, "the example has the old password");
}

#[tokio::test]
async fn port_forwardings() {
    let sandbox = sandbox(0).await;
    let token = sandbox.azire().add_account("david", "my_secure_password").token;
    let device = sandbox.azire().add_device("david").unwrap().to_string();
    let run = async |name: &str, port: &str| {
        let replace = [("{token}", token.as_str()), ("10.0.16.181", &device), ("58532", port)];
        curl(&sandbox, example(PORT_FORWARDINGS, name), &replace).await
    };
    let (status, made) = run("Create portforwarding", "").await;
    assert_eq!(status, 200, "{made}");
    let port = made["data"]["port"].to_string();
    let (_, list) = run("Retrieve portforwardings", "").await;
    assert_eq!(list["data"]["ports"][0]["port"].to_string(), port);
    // The example sends neither the port nor the one value of `hidden` that its page allows.
    let (status, refused) = run("Update portforwarding", "").await;
    assert_eq!(status, 422);
    let fields = refused["data"].as_object().unwrap();
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["hidden", "port"]);
    assert_eq!(run("Delete portforwarding", &port).await.0, 200);
    assert_eq!(sandbox.azire().ports("david"), []);

    for (name, port) in
        [("Check portforwarding by GET", 1337), ("Check portforwarding by POST", 1336)]
    {
        let (status, check) = run(name, "").await;
        assert_eq!((status, &check["data"]["port"]), (400, &Value::from(port)), "{name}");
        assert_eq!(check["data"]["source_ip"], "127.0.0.1");
    }
}
