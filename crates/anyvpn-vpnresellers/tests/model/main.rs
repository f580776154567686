//! Random sequences of what a reseller does against a small model of its customers, on a network where
//! requests and replies get lost: the customers are the model's, whatever failed on the way.
//!
//! Two machines of the reseller act, in turn and between each other's requests, each with a password of
//! its own and on a network of its own; a stranger takes names too. A ledger below the networks knows who
//! created each customer; only that machine is told so.
//!
//! The model knows what its caller was told, and what it read back where an error advised to. It
//! shares no type with the client's replies. `ANYVPN_MODEL_CASES=1000` tries so many other
//! sequences.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyvpn_http::transport::Reqwest;
use anyvpn_lab::machines::{Ledger, Machine, Wire};
use anyvpn_lab::network::{self, Network, mishaps};
use anyvpn_sandbox::vpnresellers::Status;
use anyvpn_sandbox::{Clock, Sandbox};
use anyvpn_vpnresellers::VpnResellers;
use proptest::prelude::*;
use steps::{interludes, steps};

const NAMES: [&str; 3] = ["acme_a", "acme_b", "acme_c"];
const PASSWORDS: [&str; 2] = ["canary horse one", "canary horse two"];
const RESELLER: &str = "acme";

#[test]
fn the_customers_match_the_model_despite_failures() {
    let step = (steps(), mishaps(), interludes());
    let cases = (0..64_u64, prop::collection::vec(step, 1..40));
    network::check(32, &cases, async |(seed, steps)| {
        let mut world = World::new(seed).await;
        for (step, mishaps, interlude) in steps {
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

/// What there is of a customer.
#[derive(Clone, Debug, PartialEq)]
struct Customer {
    password: String,
    active: bool,
    /// The first second of the day on which it ends.
    ends: Option<i64>,
    /// How often an account was created for the name, whoever did it.
    created: u32,
}

/// A reseller, and all that it knows.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    reseller: VpnResellers,
    wire: Wire,
    /// The other machine, whose network is good.
    second: VpnResellers,
    ledger: Ledger,
    /// How many deeds there were when the step began.
    began: usize,
    customers: BTreeMap<&'static str, Customer>,
    /// The names that a stranger has.
    strangers: Vec<&'static str>,
    can_pay: bool,
}

impl World {
    async fn new(seed: u64) -> Self {
        let clock = Clock::fixed("2026-01-30T20:00:00Z".parse().unwrap());
        let sandbox = Sandbox::builder().seed(seed).clock(clock.clone()).start().await.unwrap();
        let sandbox = Arc::new(sandbox);
        let token = sandbox.vpnresellers().add_reseller(RESELLER).token;
        let watched = Arc::clone(&sandbox);
        let ledger = Ledger::new(move || {
            let accounts = watched.vpnresellers().accounts(RESELLER);
            accounts.into_iter().map(|account| account.id.to_string()).collect()
        });
        let wire = |machine| Wire::new(Reqwest::loopback().unwrap(), machine, ledger.clone());
        let machine = |wire: Wire| {
            // Waits do not move the sandbox's clock.
            let network = Network::new(wire, Arc::clone(&sandbox), Clock::fixed(clock.now()));
            let builder = VpnResellers::builder().base_url(sandbox.vpnresellers_url());
            (network.connect(builder.token(token.as_str())).build().unwrap(), network)
        };
        let (second, _) = machine(wire(Machine::Second));
        let wire = wire(Machine::First);
        let (reseller, network) = machine(wire.clone());
        Self {
            sandbox,
            network,
            reseller,
            wire,
            second,
            ledger,
            began: 0,
            customers: BTreeMap::new(),
            strangers: Vec::new(),
            can_pay: true,
        }
    }

    /// What the sandbox knows of a customer.
    fn truth(&self, name: &str) -> Option<Customer> {
        let own = self.sandbox.vpnresellers().accounts(RESELLER);
        let known = own.into_iter().find(|account| account.username == name)?;
        Some(Customer {
            password: known.password,
            active: known.status == Status::Active,
            ends: known.expires_at.map(|end| end.as_second()),
            created: self.sandbox.vpnresellers().created(name),
        })
    }

    /// Compares with what the sandbox knows.
    fn compare(&self) {
        for name in NAMES {
            assert_eq!(self.customers.get(name), self.truth(name).as_ref(), "{name}");
        }
        for name in &self.strangers {
            let account = self.sandbox.vpnresellers().account(name).unwrap();
            assert_eq!(account.password, "a stranger's", "{name}");
        }
    }

    /// Compares with all that the provider tells.
    async fn compare_all(&self) {
        use anyvpn_vpnresellers::{Customers, ListCustomers};
        use futures_util::TryStreamExt;
        let all: Vec<_> = self.reseller.list_customers().try_collect().await.unwrap();
        assert_eq!(all.len(), self.customers.len());
        for (name, customer) in &self.customers {
            let found = self.reseller.find_customer(name).await.unwrap().unwrap();
            let is_active = found.status == anyvpn_vpnresellers::Status::Active;
            assert_eq!(is_active, customer.active, "{name}");
            assert_eq!(found.expires_at.map(|end| end.as_second()), customer.ends, "{name}");
        }
    }
}
