//! How the keeper uses the sockets that it sees, with a Transmission that reports success for
//! everything.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::net::{TcpListener, UdpSocket};

use anyvpn_keeper::{Listen, Tunnel};
use world::{Script, Step, json, step};

fn look(port: u16, version: &str) -> Step {
    let settings = format!("{{\"peer-port\":{port},\"version\":\"{version}\"}}");
    let body = format!("{{\"arguments\":{settings},\"result\":\"success\"}}");
    step(&["POST ", "\"session-get\""], json("200 OK", &body))
}

fn set(port: u16) -> Step {
    let port = format!("\"peer-port\":{port}}}");
    let random = "\"peer-port-random-on-start\":false";
    let body = "{\"result\":\"success\"}";
    let mut step = step(&["POST ", "\"session-set\"", random], json("200 OK", body));
    step.expects.push(port.replace('}', ","));
    step
}

fn announce() -> Step {
    step(&["POST ", "\"torrent-reannounce\""], json("200 OK", "{\"result\":\"success\"}"))
}

fn wanted(port: u16) -> Listen {
    Listen::new(port, Tunnel::new("lo", 1, vec!["127.0.0.1".parse().unwrap()]))
}

#[tokio::test]
async fn another_programs_socket_is_not_mistaken_for_the_clients() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let away = if port == u16::MAX { port - 1 } else { port + 1 };
    let script = Script::start(vec![look(50_100, "4.0.6 (x)"), set(away), set(port)]).await;
    (0..31).for_each(|_| script.then(vec![look(port, "4.0.6 (x)")]));
    let client = script.client("transmission", |settings| settings.same_network = true);
    let state = client.listen_on(&wanted(port)).await.unwrap();
    assert_eq!((state.setting, state.listens_tcp), (port, Some(false)));
    assert!(state.needs.unwrap().contains("another program listens on TCP port"));
    script.finish();
    // Neither does it later, when the setting is correct.
    script.then(vec![look(port, "4.0.6 (x)")]);
    assert!(!client.observe(&wanted(port)).await.unwrap().is_in_sync(&wanted(port)));
    // The other program ends, and the client finally gets the port.
    drop(other);
    let _tcp = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let _udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    script.then(vec![look(port, "4.0.6 (x)")]);
    assert!(client.observe(&wanted(port)).await.unwrap().is_in_sync(&wanted(port)));
    script.finish();
}

#[tokio::test]
async fn a_udp_socket_that_stays_behind_needs_a_restart_before_4_0() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    for (version, needs) in [("3.00 (bb6b5a062e)", true), ("4.0.6 (x)", false)] {
        let script = Script::start(vec![look(port, version)]).await;
        let client = script.client("transmission", |settings| settings.same_network = true);
        let state = client.observe(&wanted(port)).await.unwrap();
        assert_eq!((state.listens_tcp, state.listens_udp), (Some(true), Some(false)));
        assert_eq!(state.needs.is_some_and(|why| why.contains("restart Transmission")), needs);
    }
}

#[tokio::test]
async fn a_socket_of_an_interface_that_is_gone_is_dead() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let elsewhere = Tunnel::new("wg0", 7, vec!["10.66.0.2".parse().unwrap()]);
    let away = if port == u16::MAX { port - 1 } else { port + 1 };
    let script = Script::start(vec![look(port, "4.0.6 (x)"), set(away), set(port)]).await;
    (0..31).for_each(|_| script.then(vec![look(port, "4.0.6 (x)")]));
    let client = script.client("transmission", |settings| settings.same_network = true);
    let state = client.listen_on(&Listen::new(port, elsewhere)).await.unwrap();
    assert_eq!(state.listens_tcp, Some(false));
    script.finish();
}

/// qBittorrent knows whether a socket on the port that the kernel shows is its own.
#[tokio::test]
async fn a_client_that_says_that_it_does_not_listen_is_believed() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let status = "{\"connection_status\":\"disconnected\"}";
    let settings = format!("{{\"listen_port\":{port},\"bittorrent_protocol\":1}}");
    let steps = [("\"v4.5.2\"", "version"), (&*settings, "preferences"), (status, "info")];
    let steps = steps.map(|(body, route)| step(&["GET ", route], json("200 OK", body)));
    let script = Script::start(steps.into()).await;
    let client = script.client("qbittorrent", |settings| settings.same_network = true);
    let state = client.observe(&wanted(port)).await.unwrap();
    assert_eq!((state.listens_tcp, state.listens_udp), (Some(false), None));
    script.finish();
}

#[tokio::test]
async fn nothing_is_known_of_the_sockets_of_another_network() {
    let script = Script::start(vec![look(50_100, "4.0.6 (x)")]).await;
    let state = script.client("transmission", |_| ()).observe(&wanted(50_100)).await.unwrap();
    assert_eq!((state.listens_tcp, state.listens_udp), (None, None));
    assert!(state.is_in_sync(&wanted(50_100)));
    script.then(vec![
        look(50_100, "4.0.6 (x)"),
        set(50_123),
        look(50_123, "4.0.6 (x)"),
        announce(),
    ]);
    script.client("transmission", |_| ()).listen_on(&wanted(50_123)).await.unwrap();
    script.finish();
}
