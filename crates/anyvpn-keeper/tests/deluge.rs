//! Deluge byte for byte: 2.0.3 and 2.2.0 as Debian's programs sent it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_keeper::{ClientError, ClientSettings};
use world::{PASSWORD, Script, Step, edited, fixture, json, step, wanted};

const VERSIONS: [&str; 2] = ["2.0.3", "2.2.0"];

fn with_password(settings: &mut ClientSettings) {
    settings.password = Some(PASSWORD.into());
}

fn reply(version: &str, name: &str) -> Vec<u8> {
    fixture(&format!("deluge/{version}/{name}.http"))
}

fn call(method: &str, params: &str, reply: impl Into<Vec<u8>>) -> Step {
    let method = format!("\"method\":\"{method}\"");
    let params = format!("\"params\":{params}");
    step(
        &["POST /json HTTP/1.1\r\n", "content-type: application/json\r\n", &method, &params],
        reply,
    )
}

/// Returns a result in the daemon's format.
fn result(value: &str) -> Vec<u8> {
    json("200 OK", &format!("{{\"result\": {value}, \"error\": null, \"id\": 1}}"))
}

fn fault(code: i64) -> Vec<u8> {
    let error = format!("{{\"message\": \"made up\", \"code\": {code}}}");
    json("200 OK", &format!("{{\"result\": null, \"error\": {error}, \"id\": 1}}"))
}

fn login(version: &str) -> Step {
    call("auth.login", &format!("[\"{PASSWORD}\"]"), reply(version, "login"))
}

/// Returns the requests of one look at the client, if it has this port and listens on that one.
fn look(version: &str, port: u16, open: u16) -> Vec<Step> {
    let config = edited(&reply(version, "config"), "[50100, 50100]", &format!("[{port}, {port}]"));
    let mut steps = vec![call("web.connected", "[]", reply(version, "yes"))];
    steps.push(call("core.get_config_values", "[[\"random_port\",\"listen_ports\"]]", config));
    let open = edited(&reply(version, "listen-port"), "50100", &open.to_string());
    steps.push(call("core.get_listen_port", "[]", open));
    let status = "[[\"has_incoming_connections\"]]";
    steps.push(call("core.get_session_status", status, reply(version, "status")));
    steps.push(call("daemon.get_version", "[]", reply(version, "version")));
    steps
}

fn set(port: u16) -> Step {
    let mut step = call("core.set_config", "[{", result("null"));
    step.expects.push(format!("\"listen_ports\":[{port},{port}]"));
    let off = ["\"random_port\":false", "\"upnp\":false", "\"natpmp\":false"];
    step.expects.extend(off.map(str::to_owned));
    step
}

fn announce() -> Vec<Step> {
    let torrents = "[\"0123456789abcdef0123456789abcdef01234567\"]";
    vec![
        call("core.get_session_state", "[]", result(torrents)),
        call("core.force_reannounce", &format!("[{torrents}]"), result("null")),
    ]
}

#[tokio::test]
async fn each_version_is_set_read_back_and_announced_with_one_sign_in() {
    for version in VERSIONS {
        let script = Script::start(vec![login(version)]).await;
        script.then(look(version, 50_100, 50_100));
        script.then(vec![set(50_123)]);
        script.then(look(version, 50_123, 50_123));
        script.then(announce());
        let client = script.client("deluge", with_password);
        let state = client.listen_on(&wanted()).await.unwrap();
        assert_eq!(state.version.as_deref(), Some(version));
        assert!(state.is_in_sync(&wanted()), "{state:?}");
        assert_eq!((state.listens_tcp, state.reached), (Some(true), Some(false)));
        let requests = script.finish();
        assert!(requests[1..].iter().all(|request| request.contains("cookie: _session_id=")));
        assert!(requests[1..].iter().all(|request| !request.contains("canary")));
    }
}

#[tokio::test]
async fn deluge_web_is_connected_to_the_first_daemon_that_answers() {
    let no = || call("web.connected", "[]", reply("2.0.3", "no"));
    let hosts = result("[[\"dead\", \"127.0.0.1\", 1, \"\"], [\"live\", \"127.0.0.1\", 2, \"\"]]");
    let script = Script::start(vec![login("2.0.3"), no()]).await;
    script.then(vec![call("web.get_hosts", "[]", hosts)]);
    // A daemon that is down is a success without a value.
    script.then(vec![call("web.connect", "[\"dead\"]", result("null")), no()]);
    script.then(vec![call("web.connect", "[\"live\"]", reply("2.0.3", "connect"))]);
    script.then(vec![call("web.connected", "[]", reply("2.0.3", "yes"))]);
    let mut looks = look("2.0.3", 50_123, 50_123);
    looks.remove(0);
    script.then(looks);
    let client = script.client("deluge", with_password);
    assert!(client.observe(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.finish();
    // None of them replies.
    script.then(vec![no(), call("web.get_hosts", "[]", reply("2.0.3", "hosts"))]);
    script.then(vec![call("web.connect", "[\"0123456789abcdef", result("null")), no()]);
    let error = client.observe(&wanted()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    script.finish();
}

#[tokio::test]
async fn a_taken_port_is_seen_by_the_one_that_it_opened_instead() {
    let script = Script::start(vec![login("2.0.3")]).await;
    script.then(look("2.0.3", 50_100, 50_100));
    script.then(vec![set(50_123)]);
    (0..31).for_each(|_| script.then(look("2.0.3", 50_123, 50_124)));
    let client = script.client("deluge", with_password);
    let state = client.listen_on(&wanted()).await.unwrap();
    assert_eq!((state.setting, state.listens_tcp), (50_123, Some(false)));
    assert!(!state.is_in_sync(&wanted()));
    script.finish();
    // The same value would change nothing.
    script.then(look("2.0.3", 50_123, 50_124));
    script.then(vec![set(50_124), set(50_123)]);
    script.then(look("2.0.3", 50_123, 50_123));
    script.then(announce());
    assert!(client.listen_on(&wanted()).await.unwrap().is_in_sync(&wanted()));
    script.finish();
}

#[tokio::test]
async fn a_range_a_random_port_and_texts_are_not_the_port() {
    for config in [
        "{\"random_port\": true, \"listen_ports\": [50123, 50123]}",
        "{\"random_port\": false, \"listen_ports\": [50123, 50133]}",
        "{\"random_port\": false, \"listen_ports\": [\"50123\", \"50123\"]}",
        "{\"random_port\": false, \"listen_ports\": [70000, 70000]}",
        "{\"random_port\": false, \"listen_ports\": []}",
    ] {
        let script = Script::start(vec![login("2.0.3")]).await;
        let mut looks = look("2.0.3", 50_100, 50_123);
        looks[1] = call("core.get_config_values", "", result(config));
        script.then(looks);
        let state = script.client("deluge", with_password).observe(&wanted()).await.unwrap();
        assert!(state.setting == 0 && !state.is_in_sync(&wanted()), "{config}: {state:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_and_an_expired_session_is_signed_in_again_once() {
    let wrong = call("auth.login", "[\"canary", reply("2.0.3", "login-wrong"));
    let script = Script::start(vec![wrong]).await;
    let client = script.client("deluge", with_password);
    for _ in 0..3 {
        let error = client.observe(&wanted()).await.unwrap_err();
        assert!(matches!(error, ClientError::Unauthorized(_)), "{error}");
    }
    assert_eq!(script.finish().len(), 1);

    let expired = || call("web.connected", "[]", fault(1));
    let script = Script::start(vec![login("2.2.0")]).await;
    script.then(look("2.2.0", 50_123, 50_123));
    script.then(vec![expired(), login("2.2.0")]);
    script.then(look("2.2.0", 50_123, 50_123));
    let client = script.client("deluge", with_password);
    client.observe(&wanted()).await.unwrap();
    client.observe(&wanted()).await.unwrap();
    script.finish();
    script.then(vec![expired(), login("2.2.0"), expired()]);
    let error = client.observe(&wanted()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
    script.finish();
}

#[tokio::test]
async fn it_is_bound_to_the_interface_where_that_is_asked() {
    let mut bound = set(50_123);
    let interfaces = ["\"listen_interface\":\"wg0\"", "\"outgoing_interface\":\"wg0\""];
    bound.expects.extend(interfaces.map(str::to_owned));
    let script = Script::start(vec![login("2.2.0")]).await;
    script.then(look("2.2.0", 50_100, 50_100));
    script.then(vec![bound]);
    script.then(look("2.2.0", 50_123, 50_123));
    script.then(announce());
    let client = script.client("deluge", |settings| {
        with_password(settings);
        settings.bind_interface = true;
    });
    client.listen_on(&wanted()).await.unwrap();
    script.finish();
}
