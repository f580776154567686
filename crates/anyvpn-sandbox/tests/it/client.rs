//! The smallest HTTP client that the tests need.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyvpn_sandbox::{Clock, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const DAY: Duration = Duration::from_secs(86_400);
/// Midnight of UTC, so that "a day later" is easy to read.
pub const START: &str = "2026-01-01T00:00:00Z";
pub const START_SECOND: i64 = 1_767_225_600;

pub async fn sandbox(seed: u64) -> Sandbox {
    let clock = Clock::fixed(START.parse().unwrap());
    Sandbox::builder().seed(seed).clock(clock).start().await.unwrap()
}

/// A sandbox with an account, and a client that is signed in.
pub async fn signed_in(seed: u64) -> (Sandbox, Client) {
    let sandbox = sandbox(seed).await;
    let client = client_of(&sandbox);
    (sandbox, client)
}

/// A client that is signed in to a new account.
pub fn client_of(sandbox: &Sandbox) -> Client {
    let account = sandbox.azire().add_account("david", "old password");
    Client { address: sandbox.address(), token: Some(account.token) }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    #[track_caller]
    pub fn assert_error(&self, status: u16, message: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json(), serde_json::json!({ "status": "error", "message": message }));
    }

    #[track_caller]
    pub fn assert_invalid(&self, fields: &[&str]) {
        assert_eq!(self.status, 422, "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], "error");
        assert_eq!(json["message"], "The given data was invalid.");
        let named: Vec<&String> = json["data"].as_object().unwrap().keys().collect();
        assert_eq!(named, fields);
    }
}

/// Returns everything that was received, and whether the connection was closed without a reset.
pub struct Raw {
    pub bytes: Vec<u8>,
    pub end: io::Result<()>,
}

impl Raw {
    #[track_caller]
    pub fn assert_reset(&self) {
        let error = self.end.as_ref().expect_err("the connection ended in peace");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[track_caller]
    pub fn answer(self) -> Answer {
        self.end.unwrap();
        let split = self.bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(self.bytes[..split].to_vec()).unwrap();
        let body = self.bytes[split + 4..].to_vec();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body }
    }
}

#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub token: Option<String>,
}

impl Client {
    pub fn new(sandbox: &Sandbox) -> Client {
        Client { address: sandbox.address(), token: None }
    }

    pub fn with_token(&self, token: &str) -> Client {
        Client { address: self.address, token: Some(token.to_owned()) }
    }

    /// Sends bytes, and returns what is received until the server closes the connection.
    pub async fn raw(&self, request: &[u8]) -> Raw {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes).await.map(|_| ());
        Raw { bytes, end }
    }

    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let token = match &self.token {
            Some(token) => format!("authorization: Bearer {token}\r\n"),
            None => String::new(),
        };
        let control = match path.starts_with("/_sandbox") {
            true => "x-anyvpn-sandbox: control\r\n",
            false => "",
        };
        let length = body.len();
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{control}{token}{headers}\
             content-length: {length}\r\n\r\n{body}",
            self.address
        )
        .into_bytes()
    }

    pub async fn send_raw(&self, method: &str, path: &str, body: Value) -> Raw {
        let (headers, body) = match body {
            Value::Null => ("", String::new()),
            body => ("content-type: application/json\r\n", body.to_string()),
        };
        self.raw(&self.request(method, path, headers, &body)).await
    }

    /// Sends a request below `/azire/v3` with a JSON body, or without one if it is `null`.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send_raw(method, &format!("/azire/v3{path}"), body).await.answer()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }
}
