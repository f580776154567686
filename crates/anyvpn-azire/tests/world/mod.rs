//! An account on the sandbox with at least one item of each kind, and a valid input for each
//! operation.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, only not in a function that says so")]

pub mod harness;

use std::sync::OnceLock;

use anyvpn_azire::ops::{
    CreateIp, CreatePortForward, CreateToken, Ip, OPERATIONS, UpdateEmail, call_by_name,
};
use anyvpn_azire::{Azire, Error};
use anyvpn_core::{OperationId, PrivateKey};
pub use anyvpn_lab::harness::quick;
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use serde_json::{Value, json};

pub const USERNAME: &str = "david";
pub const PASSWORD: &str = "canary-password-Zx81";

pub struct World {
    pub sandbox: Sandbox,
    pub azire: Azire,
    pub token: String,
    pub private_key: PrivateKey,
    pub device: Ip,
    pub port: u16,
    pub spare_token: anyvpn_azire::ops::Token,
}

static FIRST: OnceLock<PrivateKey> = OnceLock::new();
static SECOND: OnceLock<PrivateKey> = OnceLock::new();

/// A random value that is the same in every world.
fn key_of_the_process(place: &OnceLock<PrivateKey>) -> PrivateKey {
    place.get_or_init(|| PrivateKey::generate().unwrap()).clone()
}

impl World {
    pub async fn new(seed: u64) -> Self {
        Self::on(Sandbox::builder().seed(seed)).await
    }

    /// Creates a world on a new sandbox. Two worlds on equal sandboxes are equal.
    pub async fn on(sandbox: SandboxBuilder) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let account = sandbox.azire().add_account(USERNAME, PASSWORD);
        let azire = quick(Azire::builder().base_url(sandbox.azire_url()))
            .token(account.token.as_str())
            .build()
            .unwrap();
        let private_key = key_of_the_process(&FIRST);
        let key = private_key.public_key().to_string();
        let device = azire.call(CreateIp { key }).await.unwrap();
        let internal_ipv4 = device.ipv4_address;
        let port = CreatePortForward { internal_ipv4, expires_in: None, hidden: None };
        let port = azire.call(port).await.unwrap().port;
        azire.call(UpdateEmail { email: "david@example.com".to_owned() }).await.unwrap();
        let spare = CreateToken {
            username: Some(USERNAME.to_owned()),
            password: Some(PASSWORD.into()),
            device_name: Some("spare".to_owned()),
            comment: None,
        };
        let spare_token = azire.call(spare).await.unwrap();
        sandbox.clear_received();
        let token = account.token;
        Self { sandbox, azire, token, private_key, device, port, spare_token }
    }

    /// Returns an input that the operation accepts in this world.
    pub fn input(&self, operation: OperationId) -> Value {
        let address = self.device.ipv4_address;
        let new_key = || key_of_the_process(&SECOND).public_key().to_string();
        match operation.name() {
            "create-user" => json!({"username": "newcomer", "password": PASSWORD}),
            "delete-user" => json!({"password": PASSWORD}),
            "update-password" => json!({"new_password": format!("{PASSWORD}-new")}),
            "update-username" => json!({"new_username": "python"}),
            "update-email" => json!({"email": "new@example.com"}),
            "list-port-forwards" => json!({"internal_ipv4": address}),
            "create-port-forward" => json!({"internal_ipv4": address, "expires_in": 7}),
            "hide-port-forward" | "delete-port-forward" => {
                json!({"internal_ipv4": address, "port": self.port})
            }
            "check-port" | "check-port-by-post" => json!({"port": self.port}),
            "create-token" => {
                json!({"username": USERNAME, "password": PASSWORD, "device_name": "laptop"})
            }
            "update-token" => json!({"id": self.spare_token.id, "comment": "spare"}),
            "delete-token" => json!({"id": self.spare_token.id}),
            "create-ip" => json!({"key": new_key()}),
            "get-ip" | "delete-ip" => json!({"id": self.device.id}),
            "put-ip-key" => json!({"id": self.device.id, "key": new_key()}),
            "get-user" | "create-otp" | "delete-email" | "list-tokens" | "delete-all-tokens"
            | "list-ips" | "list-locations" => json!({}),
            other => panic!("no input for {other}: add one here"),
        }
    }

    pub async fn call(&self, operation: OperationId) -> Result<Value, Error> {
        self.call_with(&self.azire, operation).await
    }

    pub async fn call_with(&self, azire: &Azire, operation: OperationId) -> Result<Value, Error> {
        call_by_name(azire.client(), operation.name(), self.input(operation), false).await
    }

    /// Returns how often the operation has arrived since the world was created.
    pub fn arrived(&self, operation: OperationId) -> usize {
        anyvpn_lab::harness::arrived(&self.sandbox, operation)
    }
}

pub fn operations() -> impl Iterator<Item = OperationId> {
    OPERATIONS.iter().map(|entry| entry.id)
}
