//! Runs random sequences of a reseller's operations against a small model of its customers, on a
//! network that loses requests and replies. The customers must always match the model, whatever
//! failed.
//!
//! Two machines of the reseller act in turn and between each other's requests, each with its own
//! password and network. Another reseller takes names too. A ledger below the networks records who
//! created each customer, and only that machine is told so.
//!
//! The model knows what its caller was told, and what it read back when an error advised that. It
//! shares no type with the client's replies. `ANYVPN_MODEL_CASES=1000` runs that many other
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

/// The state of a customer.
#[derive(Clone, Debug, PartialEq)]
struct Customer {
    password: String,
    active: bool,
    /// The first second of the day on which it ends.
    ends: Option<i64>,
    /// The number of accounts that were created for the name, by anyone.
    created: u32,
}

/// A reseller, and everything that it knows.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    reseller: VpnResellers,
    wire: Wire,
    /// The other machine, which has a reliable network.
    second: VpnResellers,
    ledger: Ledger,
    /// The number of changes in the ledger when the step began.
    began: usize,
    customers: BTreeMap<&'static str, Customer>,
    /// The names that another reseller has.
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
            // Waiting does not advance the sandbox's clock.
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

    /// Returns what the sandbox knows about a customer.
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

    /// Compares the model with the sandbox's state.
    fn compare(&self) {
        for name in NAMES {
            assert_eq!(self.customers.get(name), self.truth(name).as_ref(), "{name}");
        }
        for name in &self.strangers {
            let account = self.sandbox.vpnresellers().account(name).unwrap();
            assert_eq!(account.password, "a stranger's", "{name}");
        }
    }

    /// Compares the model with everything that the provider reports.
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
