//! Clients that answer too much, too little, something else, or never.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::SplitMix64;
use anyvpn_keeper::{CLIENT_KINDS, ClientError, ClientSettings, TorrentClient, open_client};
use anyvpn_testkit::time::VirtualTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use world::{PASSWORD, fixture, json, wanted};

/// Starts a server that answers every request with the same bytes, or never if there are none.
async fn server(reply: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let reply = reply.clone();
            tokio::spawn(async move {
                let mut request = [0; 16_384];
                let _ = stream.read(&mut request).await;
                if reply.is_empty() {
                    let _ = stream.read(&mut request).await;
                }
                let _ = stream.write_all(&reply).await;
            });
        }
    });
    address
}

fn client(kind: &str, address: &str, time: &VirtualTime) -> Arc<dyn TorrentClient> {
    let scheme = if kind == "rtorrent" { "" } else { "http://" };
    let mut settings = ClientSettings::new(format!("{scheme}{address}"));
    settings.same_network = false;
    if kind != "rtorrent" {
        settings.password = Some(PASSWORD.into());
    }
    if !matches!(kind, "rtorrent" | "deluge") {
        settings.username = Some("keeper".to_owned());
    }
    open_client(kind, &settings, Arc::new(time.clone())).unwrap()
}

/// Returns what each kind of client reports for this reply.
async fn errors(reply: Vec<u8>, time: &VirtualTime) -> Vec<ClientError> {
    let address = server(reply).await;
    let mut errors = Vec::new();
    for kind in CLIENT_KINDS {
        let error = client(kind.name, &address, time).listen_on(&wanted()).await.unwrap_err();
        assert!(!error.to_string().contains("canary"), "{}: {error}", kind.name);
        errors.push(error);
    }
    errors
}

/// A clock on which waiting between requests takes no time.
fn time() -> VirtualTime {
    VirtualTime::default().with_endless(Duration::from_secs(4))
}

#[tokio::test]
async fn silence_ends_after_a_few_seconds() {
    for error in errors(Vec::new(), &VirtualTime::default()).await {
        assert_eq!(error, ClientError::Unreachable("no answer within 10 s".to_owned()));
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    for kind in CLIENT_KINDS {
        let error = client(kind.name, &address, &time()).observe(&wanted()).await.unwrap_err();
        assert!(matches!(error, ClientError::Unreachable(_)), "{}: {error}", kind.name);
    }
}

#[tokio::test]
async fn a_reply_without_end_is_not_kept() {
    let mut huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    huge.resize(6 << 20, b' ');
    for error in errors(huge, &time()).await {
        assert!(
            matches!(&error, ClientError::Unexpected(why) if why.contains("more than")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = server(json("200 OK", "{}")).await;
    let redirect =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n");
    for error in errors(redirect.into_bytes(), &time()).await {
        assert!(matches!(error, ClientError::Unexpected(_)), "{error}");
    }
}

#[tokio::test]
async fn a_secret_that_is_repeated_is_not_shown() {
    let basic = "Basic a2VlcGVyOmNhbmFyeS1wYXNzK3dvcmQvMQ==";
    let body = format!("\"{PASSWORD} canary-pass%2Bword%2F1 {basic} \u{1b}[2J\"");
    for error in errors(json("400 Bad Request", &body), &time()).await {
        let text = error.to_string();
        assert!(!text.contains("a2VlcGVyOmNhbm") && !text.contains('\u{1b}'), "{text}");
    }
}

#[tokio::test]
async fn mutated_replies_are_errors_or_states_and_no_panics() {
    let replies = [
        "qbittorrent/4.5.2/login.http",
        "qbittorrent/4.5.2/preferences.http",
        "qbittorrent/5.2.3/transfer.http",
        "transmission/3.00/conflict.http",
        "transmission/3.00/get.http",
        "transmission/4.1.4/get.http",
        "deluge/2.0.3/login.http",
        "deluge/2.0.3/config.http",
        "deluge/2.2.0/hosts.http",
        "rtorrent/0.9.8/port.scgi",
        "rtorrent/0.9.8/no-method.scgi",
    ];
    let mut random = SplitMix64::new(19);
    for seed in 0..30 {
        for name in replies {
            let mut reply = fixture(name);
            for _ in 0..random.below(6) {
                let at = random.below(reply.len() as u64) as usize;
                match random.below(3) {
                    0 => reply[at] = random.next_u64() as u8,
                    1 => drop(reply.drain(at..)),
                    _ => reply.insert(at, b"{[\"<\0\r\n9"[random.below(8) as usize]),
                }
                reply.push(b' ');
            }
            let address = server(reply).await;
            for kind in CLIENT_KINDS {
                let said = client(kind.name, &address, &time()).listen_on(&wanted()).await;
                let text = format!("{said:?}");
                assert!(!text.contains("canary"), "{seed} {name} {}: {text}", kind.name);
            }
        }
    }
}
