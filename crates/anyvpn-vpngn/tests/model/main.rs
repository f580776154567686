//! Random sequences of operations against a small model of a reseller's customers, on a network
//! where requests and replies get lost: the customers are the model's, whatever failed on the way.
//!
//! The model knows what its caller was told, and what it read back where an error advised to. It
//! shares no type with the client's replies. `ANYVPN_MODEL_CASES=1000` tries so many other
//! sequences.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod customers;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyvpn_core::ErrorKind;
use anyvpn_http::transport::Reqwest;
use anyvpn_sandbox::vpngn::{Quirks, Status};
use anyvpn_sandbox::{Clock, Sandbox};
use anyvpn_testkit::network::{self, Mishap, Network, conclude, mishaps};
use anyvpn_vpngn::ops::{GetProducts, ListAliases, TokenRefresh};
use anyvpn_vpngn::{Access, Error, Proof, Vpngn};
use customers::{Customer, Customers, Product};
use proptest::prelude::*;
use steps::steps;

const EMAILS: [&str; 3] = ["a@example.com", "b@example.com", "c@example.com"];
const PASSWORDS: [&str; 2] = ["Canary-Passw0rd-Zx81", "Canary-Passw0rd-Zx82"];

#[test]
fn the_customers_are_the_models_whatever_failed_on_the_way() {
    let step = (steps(), mishaps());
    let cases = (0..64_u64, prop::collection::vec(step, 1..40));
    network::check(32, &cases, async |(seed, steps)| {
        let mut world = World::new(seed).await;
        for (step, mishaps) in steps {
            world.customers.settle(world.now());
            world.network.meet(mishaps.clone());
            world.take(step, &mishaps).await;
            world.network.calm();
            world.compare();
        }
        world.compare_all().await;
    });
}

/// What a customer's own program has.
struct Session {
    vpngn: Vpngn,
    /// When its long token ends; `None` when nobody knows whether its tokens are still good.
    ends: Option<i64>,
}

/// A reseller, and all that it knows.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    quirks: Quirks,
    /// With the secret key.
    server: Vpngn,
    customers: Customers,
    sessions: BTreeMap<&'static str, Session>,
    mails: usize,
}

impl World {
    async fn new(seed: u64) -> Self {
        let clock = Clock::fixed("2026-01-30T20:00:00Z".parse().unwrap());
        let sandbox = Sandbox::builder().seed(seed).clock(clock.clone()).start().await.unwrap();
        let sandbox = Arc::new(sandbox);
        // Waits do not move the sandbox's clock: it moves in steps of its own.
        let waits = Clock::fixed(clock.now());
        let network = Network::new(Reqwest::loopback().unwrap(), Arc::clone(&sandbox), waits);
        let keys = (sandbox.vpngn().api_key(), sandbox.vpngn().secret_key());
        let server = Vpngn::builder(sandbox.vpngn_url())
            .credential(Access::server(keys.0, keys.1))
            .transport(Arc::new(network.clone()))
            .clock(Arc::new(network.clone()))
            .build()
            .unwrap();
        let quirks = sandbox.vpngn().quirks();
        let (customers, sessions) = (Customers::default(), BTreeMap::new());
        Self { sandbox, network, quirks, server, customers, sessions, mails: 0 }
    }

    fn now(&self) -> i64 {
        self.sandbox.clock().now().as_second()
    }

    async fn conclude<T>(
        &self,
        mishaps: &[Mishap],
        refusals: &[ErrorKind],
        outcome: Result<T, Error>,
        read_back: impl AsyncFnOnce() -> Option<T>,
    ) -> Option<T> {
        conclude(&self.network, mishaps, refusals, outcome, read_back).await
    }

    /// The ids of a customer's products; `None` when there is no such customer.
    async fn product_ids(&self, email: &str) -> Option<Vec<String>> {
        let products = self.server.call(GetProducts { email: email.to_owned() }).await.ok()?;
        Some(products.into_iter().map(|it| it.product_id).collect())
    }

    /// The id of the newest product, which was just made.
    async fn newest_product(&self, email: &str) -> String {
        self.product_ids(email).await.unwrap().pop().unwrap()
    }

    async fn aliases(&self, email: &str) -> Vec<String> {
        let aliases = self.server.call(ListAliases { email: email.to_owned() }).await.unwrap();
        aliases.into_iter().map(|it| it.email).collect()
    }

    /// What the sandbox knows of a customer, for what no call tells.
    fn truth(&self, email: &str) -> Option<Customer> {
        let known = self.sandbox.vpngn().customer(email)?;
        let products = known.products.into_iter().map(|product| Product {
            id: product.id,
            months: product.plan.into(),
            active: product.status == Status::Active,
            due: product.due_at.map(|it| it.as_second()),
            renews: product.renews,
        });
        Some(Customer {
            password: self.customers.0.get(email)?.password.clone(),
            created: self.sandbox.vpngn().created(email),
            closed: known.closed,
            ends_at: known.ends_at.map(|it| it.as_second()),
            products: products.collect(),
            aliases: known.aliases,
        })
    }

    /// Compares with what the sandbox knows.
    fn compare(&mut self) {
        self.customers.settle(self.now());
        for email in EMAILS {
            assert_eq!(self.customers.0.get(email), self.truth(email).as_ref(), "{email}");
            assert_eq!(
                self.sandbox.vpngn().created(email),
                self.customers.0.get(email).map_or(0, |it| it.created)
            );
        }
        assert_eq!(self.sandbox.vpngn().outbox().len(), self.mails);
    }

    /// Compares with all that the provider tells.
    async fn compare_all(&mut self) {
        for (email, customer) in &self.customers.0 {
            let ids = customer.products.iter().map(|it| it.id.clone()).collect();
            assert_eq!(self.product_ids(email).await, (!customer.closed).then_some(ids));
            if customer.closed {
                continue;
            }
            assert_eq!(self.aliases(email).await, customer.aliases);
            for password in PASSWORDS {
                let signed_in = self.signs_in(email, password).await;
                assert_eq!(signed_in, password == customer.password, "{email}");
            }
        }
    }

    /// Whether the password is the customer's.
    async fn signs_in(&self, email: &str, password: &str) -> bool {
        let proof = Proof::Password(password.into());
        let customer = self.server.with_access(Access::new(self.sandbox.vpngn().api_key(), proof));
        customer.call(TokenRefresh { email: email.to_owned() }).await.is_ok()
    }
}
