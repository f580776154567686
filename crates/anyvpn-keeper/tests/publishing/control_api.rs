//! gluetun's control API, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;

use anyvpn_core::Secret;
use anyvpn_keeper::Snapshot;
use anyvpn_keeper::hooks::{Hook, HookEvent};
use anyvpn_keeper::publish::{Access, ControlApi, Publisher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{nothing, open};

/// Starts a server that answers with this snapshot.
async fn serve(access: Access, snapshot: Snapshot) -> SocketAddr {
    let api = ControlApi::bind(([127, 0, 0, 1], 0).into(), access).await.unwrap();
    let address = api.address().unwrap();
    let publisher = Publisher::new(Vec::new(), snapshot);
    tokio::spawn(api.serve(publisher.subscribe()));
    address
}

/// Sends the bytes and returns the reply's headers and body.
async fn exchange(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_default();
    (head.to_owned(), body.to_owned())
}

async fn get(address: SocketAddr, path: &str, headers: &str) -> (String, String) {
    exchange(address, &format!("GET {path} HTTP/1.1\r\nHost: gluetun:8000\r\n{headers}\r\n")).await
}

/// The status line's number.
fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn the_replies_have_gluetuns_bytes() {
    let ip = |address: &str| {
        format!(
            "{{\"public_ip\":\"{address}\",\"region\":\"\",\"country\":\"\",\"city\":\"\",\"hostname\":\"\",\
             \"location\":\"\",\"organization\":\"\",\"postal_code\":\"\",\"timezone\":\"\"}}\n"
        )
    };
    let stopped = "{\"status\":\"stopped\"}\n";
    let version = format!(
        "{{\"version\":\"anyvpn {}\",\"commit\":\"\",\"created\":\"\"}}\n",
        env!("CARGO_PKG_VERSION")
    );
    let (known, unknown) = (ip("192.0.2.7"), ip(""));
    for (snapshot, port, address, tunnel) in [
        (
            open(50123),
            "{\"port\":50123,\"ports\":[50123]}\n",
            &*known,
            "{\"status\":\"running\"}\n",
        ),
        (nothing(), "{\"port\":0,\"ports\":[]}\n", &*unknown, stopped),
    ] {
        let server = serve(Access::open(), snapshot).await;
        for (path, expected) in [
            ("/v1/portforward", port),
            ("/v1/openvpn/portforwarded", port),
            ("/v1/publicip/ip", address),
            ("/v1/vpn/status", tunnel),
            ("/v1/openvpn/status", stopped),
            ("/v1/dns/status", stopped),
            ("/v1/updater/status", stopped),
            ("/v1/version", &version),
        ] {
            let (head, body) = get(server, path, "").await;
            assert_eq!(body, expected, "{path}");
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {head}");
            assert!(
                head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"),
                "{path}: {head}"
            );
        }
    }
}

#[tokio::test]
async fn metrics_are_served_in_their_own_type() {
    let server = serve(Access::open(), open(50123)).await;
    let (head, body) = get(server, "/metrics", "").await;
    assert!(
        head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{head}"
    );
    assert_eq!(body, anyvpn_keeper::publish::metrics(&open(50123)));
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_in_gluetun() {
    let server = serve(Access::open(), open(50123)).await;
    for path in ["/v1/portforward/", "/v1/vpn/settings", "/", "//v1/portforward", "/v1/PORTFORWARD"]
    {
        let (head, body) = get(server, path, "").await;
        assert_eq!((status(&head), &*body), ("404", "Not Found\n"), "{path}");
        assert!(head.contains("\r\nx-content-type-options: nosniff\r\n"), "{head}");
    }
    for (method, path) in
        [("PUT", "/v1/portforward"), ("PUT", "/v1/vpn/status"), ("POST", "/metrics")]
    {
        let body = "{\"status\":\"stopped\"}";
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (head, body) = exchange(server, &request).await;
        assert_eq!((status(&head), &*body), ("405", "Method Not Allowed\n"), "{path}");
        assert!(head.contains("\r\nallow: GET\r\n"), "{head}");
    }
}

#[tokio::test]
async fn a_key_opens_everything_and_nothing_else_does() {
    let server = serve(Access::key("one two".into()).unwrap(), open(50123)).await;
    for (path, headers, expected) in [
        ("/v1/portforward", "X-API-Key: one two\r\n", "200"),
        ("/v1/portforward?api_key=one+two", "", "200"),
        ("/v1/portforward?x=1&api_key=one%20two", "", "200"),
        ("/metrics", "x-api-key: one two\r\n", "200"),
        ("/v1/portforward", "", "401"),
        ("/v1/portforward", "X-API-Key: one\r\n", "401"),
        ("/v1/portforward?api_key=", "", "401"),
        ("/v1/portforward?api_key=one%20two", "X-API-Key: wrong\r\n", "401"),
        ("/v1/version", "Authorization: Bearer one two\r\n", "401"),
        ("/no/route", "", "404"),
    ] {
        let (head, body) = get(server, path, headers).await;
        assert_eq!(status(&head), expected, "{path} {headers}");
        assert!(!head.contains("www-authenticate"), "{head}");
        assert!(expected != "401" || body == "Unauthorized\n", "{body}");
    }
    assert!(Access::key("".into()).is_err() && Access::basic("a".into(), "".into()).is_err());
}

#[tokio::test]
async fn a_web_page_that_lets_its_name_lead_here_reads_nothing() {
    let ask = async |server, host: &str, headers: &str| {
        let request = format!("GET /v1/portforward HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        let (head, body) = exchange(server, &request).await;
        (status(&head).to_owned(), body.contains("50123"))
    };
    let server = serve(Access::open(), open(50123)).await;
    for host in
        ["localhost:8000", "127.0.0.1:8000", "10.0.0.2", "[::1]:8000", "[::ffff:1]", "gluetun"]
    {
        assert_eq!(ask(server, host, "").await, ("200".to_owned(), true), "{host}");
    }
    for host in
        ["evil.example:8000", "evil.example", "127.0.0.1.evil.example", "localhost.", "a.b:c"]
    {
        assert_eq!(ask(server, host, "").await, ("403".to_owned(), false), "{host}");
    }
    // A page does not have the key.
    let server = serve(Access::key("made-up".into()).unwrap(), open(50123)).await;
    let key = "X-API-Key: made-up\r\n";
    assert_eq!(ask(server, "vpn.home.example", key).await, ("200".to_owned(), true));
    assert_eq!(ask(server, "vpn.home.example", "").await, ("401".to_owned(), false));
}

#[cfg(unix)]
#[tokio::test]
async fn the_api_answers_while_a_hook_runs() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = serve(Access::open(), open(50123)).await;
    let words = ["cat", pipe.to_str().unwrap()].map(str::to_owned);
    let hook =
        tokio::spawn(
            async move { Hook::new(words).unwrap().run(&HookEvent::of(&open(50123))).await },
        );
    // Opening waits until the hook has the other end. Dropping the file lets the hook end.
    let held = tokio::task::spawn_blocking(move || std::fs::File::create(pipe).unwrap());
    let held = held.await.unwrap();
    assert_eq!(status(&get(server, "/v1/portforward", "").await.0), "200");
    assert!(!hook.is_finished());
    drop(held);
    hook.await.unwrap().unwrap();
}

/// A role of each kind, as in gluetun's wiki.
const ROLES: &str = r#"
[[roles]]
name = "qbittorrent"
routes = ["GET /v1/portforward", "PUT /v1/vpn/settings"]
auth = "apikey"
apikey = "canary-key"

[[roles]]
name = "people"
routes = ["GET /v1/portforward", "GET /v1/publicip/ip"]
auth = "basic"
username = "jo"
password = "canary:pass"

[[roles]]
name = "everybody"
routes = ["GET /v1/version"]
auth = "none"
"#;

#[tokio::test]
async fn roles_are_those_of_gluetuns_file() {
    let access = Access::from_toml(&ROLES.into()).unwrap();
    assert!(!format!("{access:?}").contains("canary"), "{access:?}");
    let server = serve(access, open(50123)).await;
    // jo:canary:pass, jo:canary, and al:canary:pass
    let (right, wrong) = ("Basic am86Y2FuYXJ5OnBhc3M=", "Basic am86Y2FuYXJ5");
    let other = "Basic YWw6Y2FuYXJ5OnBhc3M=";
    for (path, headers, expected) in [
        ("/v1/version", String::new(), "200"),
        ("/v1/portforward", "X-API-Key: canary-key\r\n".to_owned(), "200"),
        ("/v1/portforward", format!("Authorization: {right}\r\n"), "200"),
        ("/v1/portforward", format!("Authorization: {wrong}\r\n"), "401"),
        ("/v1/portforward", format!("Authorization: {other}\r\n"), "401"),
        (
            "/v1/publicip/ip",
            format!("authorization: {}\r\n", right.replace("Basic", "basic")),
            "200",
        ),
        ("/v1/publicip/ip", "X-API-Key: canary-key\r\n".to_owned(), "401"),
        ("/v1/publicip/ip", "Authorization: Basic ?\r\n".to_owned(), "401"),
        ("/metrics", "X-API-Key: canary-key\r\n".to_owned(), "401"),
    ] {
        let (head, _) = get(server, path, &headers).await;
        assert_eq!(status(&head), expected, "{path} {headers}");
        let challenge = "\r\nwww-authenticate: Basic realm=\"restricted\", charset=\"UTF-8\"\r\n";
        assert_eq!(
            head.contains(challenge),
            expected == "401" && path != "/metrics",
            "{path}: {head}"
        );
    }
}

#[test]
fn a_wrong_file_of_roles_is_refused_without_its_secrets() {
    let broken = |from: &str, to: &str| {
        let text = Secret::from(ROLES.replace(from, to));
        let error = Access::from_toml(&text).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
        error
    };
    let unclosed = broken("\"canary-key\"", "\"canary-key");
    assert!(unclosed.starts_with("line 6 is not valid"), "{unclosed}");
    let unknown = broken("apikey = ", "api_key = ");
    assert!(
        unknown.contains("is not valid") && unknown.contains("keys are name, routes, auth"),
        "{unknown}"
    );
    assert_eq!(
        broken("apikey = \"canary-key\"", ""),
        "role \"qbittorrent\": apikey is missing or empty"
    );
    assert_eq!(
        broken("\"basic\"", "\"digest\""),
        "role \"people\": auth must be none, basic or apikey"
    );
    assert!(Access::from_toml(&"".into()).is_err());
}

#[tokio::test]
async fn a_caller_that_sends_nothing_or_too_much_is_cut_off() {
    let server = serve(Access::open(), open(50123)).await;
    let too_long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    let (head, _) = get(server, "/v1/portforward", &too_long).await;
    assert_eq!(status(&head), "431", "{head}");

    let mut silent = TcpStream::connect(server).await.unwrap();
    silent.write_all(b"GET /v1/portforward HTTP/1.1\r\nHost:").await.unwrap();
    // Other clients are answered meanwhile.
    let (head, _) = get(server, "/v1/portforward", "").await;
    assert_eq!(status(&head), "200");
    tokio::time::pause();
    let begin = tokio::time::Instant::now();
    let mut reply = String::new();
    // A reset counts as an end.
    let _ = silent.read_to_string(&mut reply).await;
    assert!(!reply.contains("200 OK"), "{reply}");
    // On the paused clock, whose timers are up to a millisecond late.
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}
