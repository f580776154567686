//! A VPN Script client that is signed in, and helpers of its tests.

use std::time::Duration;

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpnscript::{MessageKey, Quirks, Service};
use serde_json::{Value, json};

use crate::client::{Answer, Client, sandbox};

pub const ACCEPT: &str = "accept: application/json\r\n";
/// [`START`](crate::client::START), as the sample writes times.
pub const STARTED: &str = "2026-01-01T00:00:00.000000Z";
/// Returns the servers of a new sandbox.
pub const OPENVPN: u64 = 1;
pub const WIREGUARD: u64 = 2;
pub const SMALL: u64 = 5;
pub const IKEV2: u64 = 6;
pub const AS_DOCUMENTED: u64 = 7;

pub struct World {
    pub sandbox: Sandbox,
    pub client: Client,
}

impl World {
    pub async fn new(seed: u64) -> World {
        let sandbox = sandbox(seed).await;
        let account = sandbox.vpnscript().add_account("liam", "secret");
        let client = Client { address: sandbox.address(), token: Some(account.token) };
        World { sandbox, client }
    }

    /// Creates a world with a seed that selects the variation.
    pub async fn with(choice: impl Fn(&Quirks) -> bool) -> World {
        let seed = (0..1000).find(|seed| choice(&Quirks::from_seed(*seed)));
        World::new(seed.expect("no seed makes this choice")).await
    }

    pub fn service(&self) -> &Service {
        self.sandbox.vpnscript()
    }

    pub fn pass(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    /// Sends a request as a program does: with `Accept`, and a JSON body unless it is `null`.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        send(&self.client, method, path, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    /// Returns `data` of an answer.
    pub async fn data(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"].take()
    }

    pub async fn create(&self, server: u64) -> Answer {
        self.send("POST", "/wireguard/create", json!({ "server_id": server })).await
    }

    pub async fn delete(&self, config: u64) -> Answer {
        self.send("DELETE", "/wireguard/delete", json!({ "config_id": config })).await
    }

    /// Returns a refusal of the application, in the form of this seed.
    #[track_caller]
    pub fn assert_refused(&self, answer: &Answer, message: &str) {
        let quirks = self.service().quirks();
        assert_eq!(answer.status, quirks.refused, "{answer:?}");
        let key = match quirks.message_key {
            MessageKey::Message => "message",
            MessageKey::Error => "error",
            _ => "errors",
        };
        assert_eq!(answer.json()[key], message);
    }
}

/// Sends a request to `/vpnscript/api`.
pub async fn send(client: &Client, method: &str, path: &str, body: Value) -> Answer {
    let (headers, body) = match body {
        Value::Null => (ACCEPT.to_owned(), String::new()),
        body => (format!("{ACCEPT}content-type: application/json\r\n"), body.to_string()),
    };
    let path = format!("/vpnscript/api{path}");
    client.raw(&client.request(method, &path, &headers, &body)).await.answer()
}

#[track_caller]
pub fn assert_invalid(answer: &Answer, fields: &[&str]) {
    assert_eq!(answer.status, 422, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["message"], "The given data was invalid.");
    let named: Vec<&String> = json["errors"].as_object().unwrap().keys().collect();
    assert_eq!(named, fields);
}
