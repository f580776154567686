//! Runs random sequences of operations against a small model of a reseller's customers, on a
//! network that loses requests and replies. The customers must always match the model, whatever
//! failed.
//!
//! Two servers of the reseller act in turn and between each other's requests, each with its own
//! password and network. A ledger below the networks records who created each customer, and only
//! that server is told so.
//!
//! The model knows what its caller was told, and what it read back when an error advised that. It
//! shares no type with the client's replies. `ANYVPN_MODEL_CASES=1000` runs that many other
//! sequences.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod contest;
mod customers;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyvpn_core::ErrorKind;
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::machines::{Ledger, Machine, Wire};
use anyvpn_lab::network::{self, Mishap, Network, conclude, mishaps};
use anyvpn_sandbox::vpngn::{Quirks, Status};
use anyvpn_sandbox::{Clock, Sandbox};
use anyvpn_vpngn::ops::{GetProducts, ListAliases, TokenRefresh};
use anyvpn_vpngn::{Access, Error, Proof, Vpngn};
use contest::interludes;
use customers::{Customer, Customers, Product};
use proptest::prelude::*;
use steps::steps;

const EMAILS: [&str; 3] = ["a@example.com", "b@example.com", "c@example.com"];
const PASSWORDS: [&str; 2] = ["Canary-Passw0rd-Zx81", "Canary-Passw0rd-Zx82"];

#[test]
fn the_customers_match_the_model_despite_failures() {
    let step = (steps(), mishaps(), interludes());
    let cases = (0..64_u64, prop::collection::vec(step, 1..40));
    network::check(32, &cases, async |(seed, steps)| {
        let mut world = World::new(seed).await;
        for (step, mishaps, interlude) in steps {
            world.customers.settle(world.now());
            world.began = world.ledger.count();
            let mishaps = interlude.as_ref().and_then(|it| it.mishaps(&step)).unwrap_or(mishaps);
            world.network.meet(mishaps.clone());
            world.take(step, &mishaps, interlude).await;
            world.network.calm();
            world.compare();
        }
        world.compare_all().await;
    });
}

/// The state of a customer's own program.
struct Session {
    vpngn: Vpngn,
    /// When its long token expires. `None` if it is not known whether its tokens are still valid.
    ends: Option<i64>,
}

/// A reseller, and everything that it knows.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    quirks: Quirks,
    /// The client with the secret key.
    server: Vpngn,
    wire: Wire,
    /// The other server, which has a reliable network.
    second: Vpngn,
    ledger: Ledger,
    /// The number of changes in the ledger when the step began.
    began: usize,
    customers: Customers,
    sessions: BTreeMap<&'static str, Session>,
    mails: usize,
}

impl World {
    async fn new(seed: u64) -> Self {
        let clock = Clock::fixed("2026-01-30T20:00:00Z".parse().unwrap());
        let sandbox = Sandbox::builder().seed(seed).clock(clock.clone()).start().await.unwrap();
        let sandbox = Arc::new(sandbox);
        // Waiting does not advance the sandbox's clock, which advances in separate steps.
        let reseller = Arc::clone(&sandbox);
        let ledger = Ledger::new(move || {
            let service = reseller.vpngn();
            let is_open = |email: &&str| service.customer(email).is_some_and(|it| !it.closed);
            let open = EMAILS.into_iter().filter(|email| is_open(email));
            open.map(|email| format!("{email} for the {}. time", service.created(email))).collect()
        });
        let wire = |machine| Wire::new(Reqwest::loopback().unwrap(), machine, ledger.clone());
        let server = |wire: Wire| {
            let network = Network::new(wire, Arc::clone(&sandbox), Clock::fixed(clock.now()));
            let keys = (sandbox.vpngn().api_key(), sandbox.vpngn().secret_key());
            let builder = Vpngn::builder(sandbox.vpngn_url());
            let builder = builder.credential(Access::server(keys.0, keys.1));
            (network.connect(builder).build().unwrap(), network)
        };
        let (second, _) = server(wire(Machine::Second));
        let wire = wire(Machine::First);
        let (server, network) = server(wire.clone());
        let quirks = sandbox.vpngn().quirks();
        let (customers, sessions) = (Customers::default(), BTreeMap::new());
        Self {
            sandbox,
            network,
            quirks,
            server,
            wire,
            second,
            ledger,
            began: 0,
            customers,
            sessions,
            mails: 0,
        }
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

    /// Returns the ids of a customer's products. `None` if there is no such customer.
    async fn product_ids(&self, email: &str) -> Option<Vec<String>> {
        let products = self.server.call(GetProducts { email: email.to_owned() }).await.ok()?;
        Some(products.into_iter().map(|it| it.product_id).collect())
    }

    /// Returns the id of the newest product, which was just created.
    async fn newest_product(&self, email: &str) -> String {
        self.product_ids(email).await.unwrap().pop().unwrap()
    }

    async fn aliases(&self, email: &str) -> Vec<String> {
        let aliases = self.server.call(ListAliases { email: email.to_owned() }).await.unwrap();
        aliases.into_iter().map(|it| it.email).collect()
    }

    /// Returns what the sandbox knows about a customer, for facts that no call reports.
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

    /// Compares the model with the sandbox's state.
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

    /// Compares the model with everything that the provider reports.
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

    /// Returns whether the password belongs to the customer.
    async fn signs_in(&self, email: &str, password: &str) -> bool {
        let proof = Proof::Password(password.into());
        let customer = self.server.with_access(Access::new(self.sandbox.vpngn().api_key(), proof));
        customer.call(TokenRefresh { email: email.to_owned() }).await.is_ok()
    }
}
