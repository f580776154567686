//! A reseller on the sandbox with a customer, another reseller's customer, and a valid input for
//! each operation.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

pub mod harness;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::OperationId;
use anyvpn_http::{ClientBuilder, Limits};
pub use anyvpn_lab::harness::quick;
use anyvpn_sandbox::vpnresellers::Status;
use anyvpn_sandbox::{Fault, FaultRule, Sandbox, SandboxBuilder};
use anyvpn_vpnresellers::ops::{OPERATIONS, call_by_name};
use anyvpn_vpnresellers::{Dialect, Error, NewCustomer, VpnResellers};
use serde_json::{Value, json};

pub const RESELLER: &str = "acme";
pub const CUSTOMER: &str = "acme_u1001";
pub const SUSPENDED: &str = "acme_u1000";
pub const STRANGER: &str = "rival_u7";
pub const NEW: &str = "acme_u1002";
pub const PASSWORD: &str = "Canary-Passw0rd-Zx81";
pub const NEW_PASSWORD: &str = "Canary-Passw0rd-Zx82";

pub struct World {
    pub sandbox: Sandbox,
    pub token: String,
    /// The customer's account.
    pub id: u64,
    /// The account of a suspended customer.
    pub suspended: u64,
}

impl World {
    pub async fn new(seed: u64) -> Self {
        Self::from(Sandbox::builder().seed(seed)).await
    }

    pub async fn from(sandbox: SandboxBuilder) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let service = sandbox.vpnresellers();
        let token = service.add_reseller(RESELLER).token;
        service.add_account("rival", STRANGER, PASSWORD);
        let id = service.add_account(RESELLER, CUSTOMER, PASSWORD);
        let suspended = service.add_account(RESELLER, SUSPENDED, PASSWORD);
        service.set_status(SUSPENDED, Status::Disabled);
        Self { token, id, suspended, sandbox }
    }

    pub fn builder(&self) -> ClientBuilder<Dialect> {
        let builder = VpnResellers::builder().base_url(self.sandbox.vpnresellers_url());
        quick(builder).token(self.token.as_str())
    }

    /// For the customer, and without a wait that a test would feel.
    pub fn reseller(&self) -> VpnResellers {
        let settle_time = Duration::from_millis(1);
        self.builder().build().unwrap().with_settle_time(settle_time).for_customer(CUSTOMER)
    }

    /// Injects a fault for the next request of the operation.
    pub fn fault(&self, operation: &str, fault: Fault) {
        let operation = format!("vpnresellers.{operation}");
        self.sandbox.inject(FaultRule::once(&operation, fault)).unwrap();
    }

    /// Returns an input that the operation accepts in this world.
    pub fn input(&self, operation: OperationId) -> Value {
        match operation.name() {
            "check-username" => json!({"username": NEW}),
            "create-account" => json!({"username": NEW, "password": NEW_PASSWORD}),
            "list-accounts" => json!({"page": 1, "per_page": 100}),
            "change-password" => json!({"id": self.id, "password": NEW_PASSWORD}),
            "expire-account" => json!({"id": self.id, "expire_at": "2099-12-31"}),
            "validate-account" => json!({"username": CUSTOMER, "password": PASSWORD}),
            "enable-account" => json!({"id": self.suspended}),
            "get-account" | "delete-account" | "disable-account" => json!({"id": self.id}),
            "get-openvpn-config" => json!({"server_id": 1, "port_id": 2}),
            "get-wireguard-config" | "get-vless-config" => {
                json!({"server_id": 1, "account_id": self.id})
            }
            "list-servers" | "list-vless-servers" | "list-ports" | "get-profile"
            | "get-location" => json!({}),
            other => panic!("no input for {other}: add one here"),
        }
    }

    pub async fn call_with(
        &self,
        reseller: &VpnResellers,
        operation: OperationId,
    ) -> Result<Value, Error> {
        call_by_name(reseller.client(), operation.name(), self.input(operation), false).await
    }

    /// Returns how often the operation has arrived since the world was created.
    pub fn arrived(&self, operation: OperationId) -> usize {
        anyvpn_lab::harness::arrived(&self.sandbox, operation)
    }
}

pub fn operations() -> impl Iterator<Item = OperationId> {
    OPERATIONS.iter().map(|entry| entry.id)
}

/// A customer to be created.
pub fn newcomer(username: &str) -> NewCustomer {
    NewCustomer::new(username, PASSWORD.into())
}

/// Returns a client's builder on the sandbox's clock, which waits advance. Longer waits are
/// deadlines, and never end.
pub fn on_sandbox_time(
    builder: ClientBuilder<Dialect>,
    sandbox: &Sandbox,
) -> ClientBuilder<Dialect> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let time = anyvpn_lab::time::of_sandbox(sandbox.clock()).with_endless(minutes(1));
    let limits = Limits { attempt: minutes(2), call: minutes(60), ..Limits::default() };
    builder.clock(Arc::new(time)).limits(limits)
}
