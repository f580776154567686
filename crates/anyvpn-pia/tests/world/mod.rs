//! An account on the sandbox with a reserved port, and a valid input for each operation.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, only not in a function that says so")]

pub mod harness;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyvpn_core::{Clock, OperationId, PrivateKey, Timestamp};
use anyvpn_http::{ClientBuilder, SystemClock};
pub use anyvpn_lab::harness::quick;
use anyvpn_pia::ops::{GetSignature, PortSignature};
use anyvpn_pia::{
    Config, ConfigRequest, Connection, Dialect, Error, Pia, Provider as _, ServerConfigs as _,
    SigningKey, TrustRoots, WireGuardConfig,
};
use anyvpn_sandbox::{Sandbox, SandboxBuilder, pia};
use futures_core::future::BoxFuture;
use serde_json::{Value, json};

pub const USERNAME: &str = "p0000000";
pub const PASSWORD: &str = "canary-password-Zx81&+";

pub struct World {
    pub sandbox: Sandbox,
    pub pia: Pia,
    pub token: String,
    pub pair: PortSignature,
}

/// The key of all worlds, so that they are equal.
pub fn key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate().unwrap())
}

/// The sandbox's time of day, and the machine's clock for deadlines. The VPN servers are called
/// over TLS, where the test cannot see when a reply is in transit.
pub struct SandboxDay(pub anyvpn_sandbox::Clock);

impl Clock for SandboxDay {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

/// Returns a client of this sandbox, which trusts it and is connected to its first server. It uses
/// the sandbox's clock.
pub fn client(sandbox: &Sandbox, builder: ClientBuilder<Dialect>) -> Pia {
    trusting(sandbox, builder.base_url(sandbox.pia_url()))
}

pub fn trusting(sandbox: &Sandbox, builder: ClientBuilder<Dialect>) -> Pia {
    let service = sandbox.pia();
    builder
        .build()
        .unwrap()
        .with_roots(TrustRoots::from_pem(&service.ca()).unwrap())
        .with_list_key(SigningKey::from_pem(&service.list_key()).unwrap())
        .with_connection(Connection::new(service.server(), service.gateway().parse().unwrap()))
}

impl World {
    pub async fn new(seed: u64) -> Self {
        Self::on(Sandbox::builder().seed(seed)).await
    }

    /// Creates a world on a new sandbox. Two worlds on equal sandboxes are equal.
    pub async fn on(sandbox: SandboxBuilder) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let token = sandbox.pia().add_account(USERNAME, PASSWORD).token;
        let clock = Arc::new(SandboxDay(sandbox.clock().clone()));
        let pia = client(&sandbox, quick(Pia::builder()).clock(clock).token(token.as_str()));
        let pair = pia.client().call(GetSignature {}).await.unwrap();
        sandbox.clear_received();
        Self { sandbox, pia, token, pair }
    }

    pub fn service(&self) -> &pia::Service {
        self.sandbox.pia()
    }

    /// Returns an input that the operation accepts in this world.
    pub fn input(&self, operation: OperationId) -> Value {
        let PortSignature { payload, signature } = &self.pair;
        match operation.name() {
            "create-token" => json!({"username": USERNAME, "password": PASSWORD}),
            "list-servers" => json!({"version": "v6"}),
            "add-key" => json!({"pubkey": key().public_key()}),
            "bind-port" => json!({"payload": payload.expose(), "signature": signature.expose()}),
            "expire-token" | "get-account" | "get-signature" | "get-status" => json!({}),
            other => panic!("no input for {other}: add one here"),
        }
    }

    /// Calls an operation at the sandbox's only address. The list is accepted only if it is signed.
    pub async fn call_with(&self, pia: &Pia, operation: OperationId) -> Result<Value, Error> {
        let (name, input) = (operation.name(), self.input(operation));
        match name {
            "list-servers" => {
                let mut list = pia.call_json(name, input, false).await?;
                // The addresses of the sandbox's hosts differ in each sandbox.
                list["groups"]["wg"][0]["ports"] = json!([1337]);
                Ok(list)
            }
            _ => anyvpn_pia::ops::call_by_name(pia.client(), name, input, false).await,
        }
    }

    pub async fn wireguard(&self, region: &str) -> Result<WireGuardConfig, Error> {
        let obtained = self.pia.obtain_config(&ConfigRequest::wireguard(region)).await?;
        match obtained.config {
            Config::WireGuard(config) => Ok(config),
            other => panic!("{other:?}"),
        }
    }

    /// Returns how often the operation has arrived since the world was created.
    pub fn arrived(&self, operation: &str) -> usize {
        let name = format!("pia.{operation}");
        let received = self.sandbox.received();
        received.iter().filter(|it| it.operation == Some(&*name)).count()
    }

    pub fn now(&self) -> Timestamp {
        self.pia.client().clock().now()
    }
}
