//! The whole command supports Acme, although it was not changed.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

#[path = "../../tests/server/mod.rs"]
mod server;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Runs the command with this home folder, and returns its output.
fn run(home: &Path, arguments: &[&str], stdin: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acme-command"));
    command.env_clear().env("HOME", home).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let ran = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {told}");
    String::from_utf8(ran.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn acme_is_added_called_and_completed_like_the_others() {
    let url = server::start().await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let json_of = |arguments: &[&str], stdin: &str| {
        let answer = run(home, &[arguments, &["--json"]].concat(), stdin);
        serde_json::from_str::<Value>(&answer).unwrap()
    };

    let add = ["profile", "add", "work", "--provider", "acme", "--url", &url, "--token-file", "-"];
    let added = json_of(&add, server::TOKEN);
    assert_eq!(added["provider"], "acme");
    assert_eq!(added["checked"], "account show");
    assert_eq!(added["sign_in"], json!(["stored token"]));
    assert_eq!(added["default"], true);

    let account = json_of(&["account", "show"], "");
    assert_eq!((&account["provider"], &account["status"]), (&json!("acme"), &json!("active")));
    let servers = json_of(&["server", "list"], "");
    let server = servers["servers"][0]["id"].as_str().unwrap().to_owned();
    let file = home.join("acme.conf");
    run(home, &["config", "get", &server, "--output", file.to_str().unwrap()], "");
    assert!(std::fs::read_to_string(file).unwrap().contains("[Interface]"));
    let called = json_of(&["call", "acme", "get-account"], "");
    assert!(called.is_object(), "{called}");
    let help = run(home, &["call", "acme", "register-device", "--help"], "");
    assert!(help.contains("POST") && help.contains("(required)"), "{help}");

    let complete = |line: &str| run(home, &["complete"], &format!("{}\n", line.replace(' ', "\n")));
    assert!(complete("anyvpn --provider ").contains("acme"));
    assert!(complete("anyvpn call acme get-").starts_with("get-account\t"));
    assert!(complete("anyvpn config get ").starts_with(&server));
    let capabilities = json_of(&["capabilities"], "");
    let last = capabilities["providers"].as_array().and_then(|all| all.last()).unwrap();
    assert_eq!(last["title"], "Acme");
}
