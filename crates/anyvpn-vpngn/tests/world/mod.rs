//! A customer on the sandbox with at least one item of each kind, and a valid input for each
//! operation.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

pub mod harness;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::OperationId;
use anyvpn_http::{Binding, BoundToken, ClientBuilder, Limits};
pub use anyvpn_lab::harness::quick;
use anyvpn_sandbox::vpngn::Account;
use anyvpn_sandbox::{Sandbox, SandboxBuilder};
use anyvpn_vpngn::ops::{AddAlias, AddClient, OPERATIONS, call_by_name};
use anyvpn_vpngn::{Access, Dialect, Error, ProductType, Proof, SessionTokens, Vpngn};
use serde_json::{Value, json};

pub const EMAIL: &str = "jo@example.com";
pub const ALIAS: &str = "alias@example.com";
pub const PASSWORD: &str = "Canary-Passw0rd-Zx81";
pub const NEW_PASSWORD: &str = "Canary-Passw0rd-Zx82";

/// The credentials that a caller can have, in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    None,
    Password,
    ShortToken,
    LongToken,
    SecretKey,
    Whitelisted,
}

impl Credential {
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Password,
        Self::ShortToken,
        Self::LongToken,
        Self::SecretKey,
        Self::Whitelisted,
    ];

    pub fn accepted_by(self, operation: OperationId) -> bool {
        let server = matches!(self, Self::SecretKey | Self::Whitelisted);
        match operation.name() {
            "add-client" => server || self == Self::None,
            "token-refresh" => server || matches!(self, Self::Password | Self::LongToken),
            "reset-password" | "reset-alias-password" => server,
            _ => server || matches!(self, Self::Password | Self::ShortToken),
        }
    }
}

pub struct World {
    pub sandbox: Sandbox,
    pub account: Account,
}

impl World {
    pub async fn new(seed: u64) -> Self {
        Self::from(Sandbox::builder().seed(seed)).await
    }

    pub async fn from(sandbox: SandboxBuilder) -> Self {
        let sandbox = sandbox.start().await.unwrap();
        let account = sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(1));
        let world = Self { sandbox, account };
        let alias = AddAlias {
            email: EMAIL.to_owned(),
            setemail: ALIAS.to_owned(),
            setpassword: None,
            auto_passreset: false,
            first_name: Some("First".to_owned()),
            last_name: None,
        };
        world.vpngn(Credential::SecretKey).call(alias).await.unwrap();
        world.sandbox.clear_received();
        world
    }

    pub fn proof(&self, credential: Credential) -> Proof {
        match credential {
            Credential::None => Proof::None,
            Credential::Password => Proof::Password(PASSWORD.into()),
            Credential::ShortToken => Proof::ShortToken(self.account.short_token.clone().into()),
            Credential::LongToken => Proof::LongToken(self.account.long_token.clone().into()),
            Credential::SecretKey => Proof::SecretKey(self.sandbox.vpngn().secret_key().into()),
            Credential::Whitelisted => Proof::Whitelisted,
        }
    }

    pub fn access(&self, credential: Credential) -> Access {
        Access::new(self.sandbox.vpngn().api_key(), self.proof(credential))
    }

    pub fn builder(&self, credential: Credential) -> ClientBuilder<Dialect> {
        quick(Vpngn::builder(self.sandbox.vpngn_url())).credential(self.access(credential))
    }

    pub fn vpngn(&self, credential: Credential) -> Vpngn {
        let settle_time = Duration::from_millis(1);
        self.builder(credential).build().unwrap().with_settle_time(settle_time)
    }

    /// Returns the customer's tokens in the stored form.
    pub fn tokens(&self) -> BoundToken<SessionTokens> {
        let now = self.sandbox.clock().now();
        let tokens = SessionTokens {
            short_token: self.account.short_token.clone().into(),
            short_token_expires_at: now + Duration::from_secs(12 * 3600),
            long_token: self.account.long_token.clone().into(),
            long_token_expires_at: now + Duration::from_secs(28 * 24 * 3600),
        };
        BoundToken::new(self.binding(), tokens)
    }

    /// Returns whose tokens they are.
    pub fn binding(&self) -> Binding {
        Binding::new("vpngn", self.sandbox.vpngn_url(), Some(EMAIL.to_owned()))
    }

    /// Returns an input that the operation accepts in this world.
    pub fn input(&self, operation: OperationId) -> Value {
        match operation.name() {
            "add-client" => {
                let email = "newcomer@example.com";
                json!({"country": "US", "type": 12, "email": email, "password": NEW_PASSWORD})
            }
            "cancel-request" => json!({"email": EMAIL, "type": "at_due_date", "reason": "moving"}),
            "new-product" => json!({"email": EMAIL, "type": 6, "force_upgrade": true}),
            "upgrade-product" => {
                let id = self.account.product_id.as_ref().unwrap();
                json!({"email": EMAIL, "product_id": id, "new_product_plan": 24})
            }
            "set-password" => json!({"email": EMAIL, "setpassword": NEW_PASSWORD}),
            "add-alias" => json!({
                "email": EMAIL, "setemail": "second@example.com", "setpassword": NEW_PASSWORD,
                "auto_passreset": true,
            }),
            "del-alias" => json!({"email": EMAIL, "alias": ALIAS}),
            "set-alias-password" => json!({"email": ALIAS, "setpassword": NEW_PASSWORD}),
            "reset-alias-password" => json!({"email": ALIAS}),
            "token-refresh" | "close-client" | "get-products" | "reset-password"
            | "list-aliases" => json!({"email": EMAIL}),
            other => panic!("no input for {other}: add one here"),
        }
    }

    pub async fn call_with(&self, vpngn: &Vpngn, operation: OperationId) -> Result<Value, Error> {
        call_by_name(vpngn.client(), operation.name(), self.input(operation), false).await
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
pub fn newcomer(email: &str) -> AddClient {
    let password = Some(PASSWORD.to_owned().try_into().unwrap());
    AddClient { password, ..AddClient::new(email, "US".parse().unwrap(), ProductType::Months12) }
}

/// Returns a client's builder on the sandbox's clock, which waits for a permit or a retry advance.
/// Longer waits are deadlines, and never end.
pub fn on_sandbox_time(
    builder: ClientBuilder<Dialect>,
    sandbox: &Sandbox,
) -> ClientBuilder<Dialect> {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let time = anyvpn_lab::time::of_sandbox(sandbox.clock()).with_endless(minutes(1));
    let limits = Limits { attempt: minutes(2), call: minutes(60), ..Limits::default() };
    builder.clock(Arc::new(time)).limits(limits)
}
