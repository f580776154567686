//! Proxies from environment variables. The tests start themselves again with another environment.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, OperationId};
use anyvpn_http::{
    Client, Dialect, Limits, Operation, Replay, Reply, Request, RetryPolicy, Security,
};
use plain::Plain;

struct Things;

impl Operation for Things {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "read");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::NONE
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/things"))
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}

/// The expected result of the test that is started again.
const EXPECTED: &str = "ANYVPN_TEST_EXPECTED";
const BASE: &str = "ANYVPN_TEST_BASE";

/// Runs only with an environment set by another test.
#[tokio::test]
async fn in_another_environment() {
    let (Ok(expected), Ok(base)) = (std::env::var(EXPECTED), std::env::var(BASE)) else { return };
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let limits = Limits { connect: Duration::from_secs(5), ..Limits::default() };
    let builder = || Client::<Plain>::builder(&base).retry(retry).limits(limits);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = builder().http_client(reqwest::Client::builder());
    for builder in [builder(), own] {
        match builder.build() {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                assert!(error.fields().contains_key(&*expected), "{expected}: {error}");
                assert!(!error.to_string().contains("hunter2"), "{error}");
            }
            Ok(client) => {
                assert_eq!(expected, "sent");
                let error = client.call(Things).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
            }
        }
    }
}

fn again(base: &str, expected: &str, variables: &[(&str, &str)]) {
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "in_another_environment", "--nocapture"]);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        test.env_remove(name);
    }
    test.env(EXPECTED, expected).env(BASE, base).envs(variables.iter().copied());
    let output = test.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{variables:?}: {text}");
}

#[test]
fn a_proxy_that_is_not_understood_is_refused_by_its_variable() {
    for (variable, value) in [
        ("ALL_PROXY", "socks://127.0.0.1:9/"),
        ("all_proxy", "sock5://jo:hunter2@127.0.0.1:9"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9"),
        ("https_proxy", "http://jo:hunter2@127.0.0.1:9 "),
        ("ALL_PROXY", "\"http://127.0.0.1:9\""),
        ("ALL_PROXY", "http://"),
    ] {
        again("https://127.1.2.3.example.com", variable, &[(variable, value)]);
    }
}

/// Returns what the proxy receives from the restarted test, which sends twice: with the built-in
/// client and with the caller's own.
fn asked(base: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://jo:hunter2@{}", listener.local_addr().unwrap());
    let variables = variables.iter().map(|(name, value)| match *value {
        "PROXY" => (*name, &*proxy),
        value => (*name, value),
    });
    let variables: Vec<_> = variables.collect();
    let asked = std::thread::spawn({
        let listener = listener.try_clone().unwrap();
        move || {
            let mut asked = Vec::new();
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap();
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
                let request = String::from_utf8_lossy(&request[..length]);
                asked.push(request.lines().next().unwrap_or_default().to_owned());
            }
            asked
        }
    });
    again(base, "sent", &variables);
    asked.join().unwrap()
}

#[test]
fn a_proxy_is_used_as_it_was_read() {
    let connect = "CONNECT vpn.example.com:443 HTTP/1.1";
    for variables in [
        &[("HTTPS_PROXY", "PROXY"), ("ALL_PROXY", "socks://127.0.0.1:9")][..],
        &[("all_proxy", "PROXY"), ("NO_PROXY", "other.example.com")],
    ] {
        assert_eq!(asked("https://vpn.example.com", variables), [connect, connect]);
    }
}
