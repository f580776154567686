//! Transmission by its own bytes: 3.00 and 4.1.0-beta2 as Debian's programs sent them, 4.0.6 and 4.1.4 as
//! their documents say.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::time::Duration;

use anyvpn_core::Clock as _;
use anyvpn_keeper::{ClientError, ClientSettings};
use anyvpn_testkit::time::VirtualTime;
use world::{PASSWORD, Script, Step, edited, fixture, json, step, wanted};

const RPC: &str = "POST /transmission/rpc HTTP/1.1\r\n";
/// `keeper` and the password, by Basic.
const AUTHORIZATION: &str = "authorization: Basic a2VlcGVyOmNhbmFyeS1wYXNzK3dvcmQvMQ==\r\n";

fn with_password(settings: &mut ClientSettings) {
    settings.username = Some("keeper".to_owned());
    settings.password = Some(PASSWORD.into());
}

fn reply(version: &str, name: &str) -> Vec<u8> {
    fixture(&format!("transmission/{version}/{name}.http"))
}

/// Returns a call in the format of the old RPC, or of JSON-RPC.
fn call(version: &str, method: &str, parts: &[&str], reply: Vec<u8>) -> Step {
    let is_new = version == "4.1.4";
    let words = |text: &str| if is_new { text.replace('-', "_") } else { text.to_owned() };
    let mut expects = vec![RPC.to_owned(), AUTHORIZATION.to_owned()];
    expects.push(format!("\"method\":\"{}\"", words(method)));
    expects.extend(parts.iter().map(|part| words(part)));
    let own = if is_new {
        ["\"jsonrpc\":\"2.0\"", "\"params\":{"]
    } else {
        ["\"tag\":1", "\"arguments\":{"]
    };
    expects.extend(own.map(str::to_owned));
    Step { expects, reply: Some(reply) }
}

fn get(version: &str, port: u16) -> Step {
    let port = edited(&reply(version, "get"), "50100", &port.to_string());
    call(version, "session-get", &["\"peer-port\""], port)
}

fn set(version: &str, port: u16) -> Step {
    let port = format!("\"peer-port\":{port}");
    let off = ["\"peer-port-random-on-start\":false", "\"port-forwarding-enabled\":false"];
    call(version, "session-set", &[&port, off[0], off[1]], reply(version, "done"))
}

fn announce(version: &str) -> Step {
    call(version, "torrent-reannounce", &[], reply(version, "done"))
}

/// The first request, without a session.
fn conflict(version: &str) -> Step {
    step(&[RPC, AUTHORIZATION], reply(version, "conflict"))
}

#[tokio::test]
async fn each_version_is_set_read_back_and_announced_within_one_session() {
    for version in ["3.00", "4.0.6", "4.1.0-beta2", "4.1.4"] {
        let script = Script::start(vec![conflict(version), get(version, 50_100)]).await;
        script.then(vec![set(version, 50_123), get(version, 50_123), announce(version)]);
        let client = script.client("transmission", with_password);
        let state = client.listen_on(&wanted()).await.unwrap();
        let told = state.version.clone().unwrap().replace("beta.2", "beta2");
        assert!(told.starts_with(&format!("{version} (")), "{told}");
        assert!(state.is_in_sync(&wanted()), "{state:?}");
        assert_eq!((state.setting, state.listens_tcp, state.reached), (50_123, None, None));
        let requests = script.finish();
        assert!(requests[1..].iter().all(|it| it.contains("x-transmission-session-id: ")));
        // After a restart or an hour, it opens another session once.
        script.then(vec![conflict(version), get(version, 50_123)]);
        assert!(client.observe(&wanted()).await.unwrap().is_in_sync(&wanted()));
        script.finish();
    }
}

#[tokio::test]
async fn an_announcement_that_may_have_been_ignored_is_repeated_once() {
    let time = VirtualTime::default();
    let script = Script::start(vec![conflict("4.0.6"), get("4.0.6", 50_100)]).await;
    script.then(vec![set("4.0.6", 50_123), get("4.0.6", 50_123), announce("4.0.6")]);
    let endless = time.clone().with_endless(Duration::from_secs(4));
    let client = script.client_at("transmission", &endless, with_password);
    client.listen_on(&wanted()).await.unwrap();
    script.then(vec![get("4.0.6", 50_123)]);
    client.observe(&wanted()).await.unwrap();
    script.finish();
    time.sleep(Duration::from_secs(180)).await;
    script.then(vec![get("4.0.6", 50_123), announce("4.0.6"), get("4.0.6", 50_123)]);
    client.observe(&wanted()).await.unwrap();
    client.observe(&wanted()).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_session_that_is_never_accepted_is_not_asked_for_for_ever() {
    let script = Script::start(vec![conflict("3.00"), conflict("3.00")]).await;
    let error = script.client("transmission", with_password).observe(&wanted()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Unexpected(why) if why.starts_with("409")), "{error}");
    script.finish();
}

#[tokio::test]
async fn refused_credentials_are_sent_once() {
    let forbidden = json("403 Forbidden", "\"too many unsuccessful login attempts\"");
    for refusal in [reply("3.00", "unauthorized"), reply("4.1.0-beta2", "unauthorized"), forbidden]
    {
        let script = Script::start(vec![step(&[RPC, AUTHORIZATION], refusal)]).await;
        let client = script.client("transmission", with_password);
        for _ in 0..3 {
            let error = client.observe(&wanted()).await.unwrap_err();
            assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
        }
        assert_eq!(script.finish().len(), 1);
    }
}

#[tokio::test]
async fn a_success_that_changed_nothing_is_not_in_sync() {
    for version in ["4.0.6", "4.1.4"] {
        let script = Script::start(vec![conflict(version), get(version, 50_100)]).await;
        script.then(vec![set(version, 50_123)]);
        (0..31).for_each(|_| script.then(vec![get(version, 50_100)]));
        let client = script.client("transmission", with_password);
        let state = client.listen_on(&wanted()).await.unwrap();
        assert!(state.setting == 50_100 && !state.is_in_sync(&wanted()), "{state:?}");
        script.finish();
    }
}

#[tokio::test]
async fn errors_within_a_success_are_errors() {
    for (version, body) in [
        ("3.00", "{\"arguments\":{},\"result\":\"method name not recognized\",\"tag\":1}"),
        ("4.0.6", "{\"arguments\":0,\"result\":\"no method name\",\"tag\":1}"),
        ("4.1.4", "{\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}"),
    ] {
        let script = Script::start(vec![conflict(version)]).await;
        script.then(vec![call(version, "session-get", &[], json("200 OK", body))]);
        let client = script.client("transmission", with_password);
        let error = client.observe(&wanted()).await.unwrap_err();
        assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
        script.finish();
    }
}

#[tokio::test]
async fn a_foreign_host_name_is_for_a_person_to_allow() {
    let script = Script::start(vec![step(&[RPC], json("421 Misdirected Request", "\"no\""))]).await;
    let error = script.client("transmission", |_| ()).observe(&wanted()).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unable(why) if why.contains("rpc-host-whitelist")),
        "{error}"
    );
}

#[tokio::test]
async fn it_cannot_be_bound_to_an_interface() {
    let settings = |change: fn(&mut ClientSettings)| {
        let mut settings = ClientSettings::new("http://127.0.0.1:9091");
        change(&mut settings);
        let clock = std::sync::Arc::new(anyvpn_core::SystemClock);
        anyvpn_keeper::open_client("transmission", &settings, clock).map(drop)
    };
    let error = settings(|settings| settings.bind_interface = true).unwrap_err();
    assert!(error.to_string().contains("bind-address-ipv4"), "{error}");
    assert!(settings(|settings| settings.api_key = Some("x".into())).is_err());
    assert!(settings(|settings| settings.username = Some("x".to_owned())).is_err());
    assert!(settings(|_| ()).is_ok());
}
