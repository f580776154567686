//! An account on the sandbox, a clock that makes its jobs fast, and inputs for each operation.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, only not in a function that says so")]

pub mod harness;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{
    Config, ConfigRequest, LeftoverKind, OperationId, ServerConfigs, WireGuardConfig,
};
use anyvpn_http::ClientBuilder;
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_sandbox::vpnscript::Service;
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_testkit::time::VirtualTime;
use anyvpn_vpnscript::ops::{OPERATIONS, call_by_name};
use anyvpn_vpnscript::{Dialect, Error, VpnScript};
use serde_json::{Value, json};

pub const USERNAME: &str = "liam";
pub const PASSWORD: &str = "canary-password-Zx81";

/// Servers of every sandbox.
pub const OPENVPN: &str = "1";
pub const WIREGUARD: &str = "2";
/// WireGuard, with two slots.
pub const SMALL: &str = "5";

pub struct World {
    pub sandbox: Sandbox,
    pub clock: VirtualTime,
    pub token: String,
    pub vpn: VpnScript,
}

impl World {
    pub async fn new(seed: u64) -> Self {
        Self::on(still_sandbox().seed(seed)).await
    }

    /// Creates a world on a new sandbox, whose clock stands still.
    pub async fn on(sandbox: SandboxBuilder) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let token = sandbox.vpnscript().add_account(USERNAME, PASSWORD).token;
        // Short waits advance the sandbox's clock. A long one is an attempt's time limit.
        let attempt = Duration::from_millis(10_001);
        let clock = anyvpn_lab::time::of_sandbox(sandbox.clock()).with_endless(attempt);
        let vpn = client(builder(&sandbox, &clock).token(token.as_str()));
        Self { sandbox, clock, token, vpn }
    }

    pub fn service(&self) -> &Service {
        self.sandbox.vpnscript()
    }

    /// Returns another client, as in another program.
    pub fn other(&self) -> VpnScript {
        client(self.builder().token(self.token.as_str()))
    }

    pub fn builder(&self) -> ClientBuilder<Dialect> {
        builder(&self.sandbox, &self.clock)
    }

    /// Obtains a WireGuard configuration, and returns its id and text.
    pub async fn obtain(&self, server: &str) -> Result<(u64, WireGuardConfig), Error> {
        obtain(&self.vpn, server).await
    }

    /// Returns the ids of the existing configurations.
    pub fn ids(&self) -> Vec<u64> {
        self.service().configs(USERNAME).iter().map(|it| it.id).collect()
    }

    pub async fn call(&self, operation: OperationId, input: Value) -> Result<Value, Error> {
        call_by_name(self.vpn.client(), operation.name(), input, false).await
    }

    /// Returns inputs that the operation accepts if there is a configuration with the id `config`.
    pub fn inputs(operation: OperationId, config: u64) -> Vec<Value> {
        match operation.name() {
            "create-token" => vec![
                json!({"username": USERNAME, "password": PASSWORD, "device_name": "Liam's laptop"}),
            ],
            "get-account" | "get-openvpn-auth" => vec![json!({})],
            "list-servers" => {
                vec![json!({"paginate": 3}), json!({}), json!({"paginate": 5, "page": 2})]
            }
            "get-openvpn-profile" => {
                vec![json!({"server_id": 1}), json!({"server_id": 1, "cert_only": true})]
            }
            "list-wireguard-configs" => vec![json!({"server_id": 2}), json!({})],
            "create-wireguard-config" => vec![json!({"server_id": 2})],
            "delete-wireguard-config" => vec![json!({"config_id": config})],
            other => panic!("no input for {other}: add one here"),
        }
    }

    /// Returns how often the operation has arrived since the log was cleared.
    pub fn arrived(&self, name: &str) -> usize {
        let name = format!("vpnscript.{name}");
        let received = self.sandbox.received();
        received.iter().filter(|it| it.operation == Some(&name)).count()
    }
}

fn builder(sandbox: &Sandbox, clock: &VirtualTime) -> ClientBuilder<Dialect> {
    VpnScript::builder(sandbox.vpnscript_url()).clock(Arc::new(clock.clone()))
}

/// Returns a client that shares no lock with others. A test about the lock names its folder.
pub fn client(builder: ClientBuilder<Dialect>) -> VpnScript {
    builder.build().unwrap().with_lock_folder(None)
}

/// Uses the machine's clock.
pub fn quick(sandbox: &Sandbox) -> ClientBuilder<Dialect> {
    anyvpn_lab::harness::quick(VpnScript::builder(sandbox.vpnscript_url()))
}

pub async fn obtain(vpn: &VpnScript, server: &str) -> Result<(u64, WireGuardConfig), Error> {
    let obtained = vpn.obtain_config(&ConfigRequest::wireguard(server)).await?;
    let Config::WireGuard(config) = obtained.config else { panic!("another protocol") };
    Ok((obtained.id.unwrap().parse().unwrap(), config))
}

/// Returns the ids of the leftover configurations that the error names.
pub fn left_behind(error: &Error) -> Vec<u64> {
    let ids = error.left_behind().iter().map(|leftover| {
        assert_eq!(leftover.kind, LeftoverKind::Configuration);
        leftover.id().parse().unwrap()
    });
    ids.collect()
}

/// Returns the usual transport, to be wrapped by another one.
pub fn reqwest() -> Reqwest {
    Reqwest::loopback().unwrap()
}

pub fn operations() -> impl Iterator<Item = OperationId> {
    OPERATIONS.iter().map(|entry| entry.id)
}
