//! Runs random sequences of operations against a small model of an account, on a network that loses
//! requests and replies. The account's configurations must always match the model, whatever failed.
//!
//! Two machines act on the account in turn and between each other's requests, each on its own
//! network. A ledger below the networks records who created and who deleted each configuration. No
//! configuration may be returned to or deleted by the other machine.
//!
//! The model knows what its caller was told, and what it listed afterwards. It shares no type with
//! the client's replies. `ANYVPN_MODEL_CASES=1000` runs that many other sequences.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod account;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use account::Account;
use anyvpn_core::{ObtainedConfig, ServerConfigs};
use anyvpn_http::Operation as _;
use anyvpn_http::transport::Reqwest;
use anyvpn_http::{Binding, BoundToken, MemoryStore};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_lab::machines::{Ledger, Machine, Wire};
use anyvpn_lab::network::{self, Network, mishaps};
use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpnscript::{ConfigState, Quirks, Service, ServiceState};
use anyvpn_vpnscript::ops::CreateToken;
use anyvpn_vpnscript::{Error, Password, Secret, VpnScript};
use proptest::prelude::*;
use steps::{Interlude, interludes, steps};

const USERNAME: &str = "liam";
const PASSWORD: &str = "canary-password-Zx81";

#[test]
fn the_account_matches_the_model_despite_failures() {
    let step = (steps(), mishaps(), interludes());
    let cases = (0..64_u64, prop::collection::vec(step, 1..40));
    network::check(32, &cases, async |(seed, steps)| {
        let mut world = World::new(seed).await;
        let mut was_rough = false;
        for (step, mishaps, interlude) in steps {
            if std::mem::replace(&mut was_rough, !mishaps.is_empty() || interlude.is_some()) {
                world.recover().await;
            }
            world.sandbox.clear_received();
            let mishaps = interlude.as_ref().and_then(Interlude::mishaps).unwrap_or(mishaps);
            world.network.meet(mishaps.clone());
            world.began = world.ledger.count();
            let named = world.named(&step);
            world.take(step, &mishaps, interlude).await;
            world.network.calm();
            // Neither machine deletes a configuration that the other one created, unless the step
            // names it.
            world
                .ledger
                .judge_deletions(world.began, |id| named.is_some_and(|it| id == it.to_string()));
            world.compare();
            // Once each of the two.
            let signed_in = world.done("vpnscript.create-token");
            assert!(signed_in <= 2 || !mishaps.is_empty(), "it signed in {signed_in} times");
        }
        world.compare_all().await;
    });
}

/// An account, and everything that its caller has.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    quirks: Quirks,
    vpn: VpnScript,
    wire: Wire,
    /// The other machine, which has its own reliable network.
    second_network: Network,
    second: VpnScript,
    ledger: Ledger,
    /// The number of changes in the ledger when the step began.
    began: usize,
    account: Account,
}

impl World {
    async fn new(seed: u64) -> Self {
        let sandbox = Arc::new(still_sandbox().seed(seed).start().await.unwrap());
        let service = sandbox.vpnscript();
        let token = service.add_account(USERNAME, PASSWORD).token;
        // Waiting advances the sandbox's clock, so jobs finish meanwhile.
        let account = sandbox.vpnscript().clone();
        let ledger = Ledger::new(move || {
            let configs = account.configs(USERNAME).into_iter();
            let stays = configs.filter(|it| it.state != ConfigState::PendingDeletion);
            stays.map(|it| it.id.to_string()).collect()
        });
        let reqwest = || Reqwest::loopback().unwrap();
        let wire = Wire::new(reqwest(), Machine::First, ledger.clone());
        let network = Network::new(wire.clone(), Arc::clone(&sandbox), sandbox.clock().clone());
        let second = Wire::new(reqwest(), Machine::Second, ledger.clone());
        let second_network = Network::new(second, Arc::clone(&sandbox), sandbox.clock().clone());
        let quirks = service.quirks();
        service.set_devices(USERNAME, 4);
        let account = Account {
            service: ServiceState::Active,
            suspended: false,
            devices: 4,
            configs: Vec::new(),
            failures: 0,
            job_seconds: 2,
        };
        let vpn = client(&sandbox, &network, Some(token));
        let second = client(&sandbox, &second_network, None);
        Self {
            sandbox,
            network,
            quirks,
            vpn,
            wire,
            second_network,
            second,
            ledger,
            began: 0,
            account,
        }
    }

    /// Creates new clients, since one whose sign-in was refused does not try again.
    fn sign_in_anew(&mut self) {
        self.vpn = client(&self.sandbox, &self.network, None);
        self.second = client(&self.sandbox, &self.second_network, None);
    }

    fn service(&self) -> &Service {
        self.sandbox.vpnscript()
    }

    fn now(&self) -> i64 {
        self.sandbox.clock().now().as_second()
    }

    /// Returns how often an operation took effect in this step.
    fn done(&self, operation: &str) -> usize {
        let received = self.sandbox.received();
        received.iter().filter(|it| it.operation == Some(operation) && it.effect).count()
    }

    /// Waits until both machines can sign in again, if one of their sign-ins was lost.
    async fn recover(&mut self) {
        for vpn in [&self.vpn, &self.second] {
            // Whatever it returns, no sign-in is delayed after it.
            let _ = self.list(vpn).await;
        }
        self.compare();
    }

    /// Returns a client's list. After a lost sign-in, the client waits before it tries again.
    async fn list(&self, vpn: &VpnScript) -> Result<Vec<ObtainedConfig>, Error> {
        let mut list = ServerConfigs::list_configs(vpn).await;
        for wait in (0..9).map(|doubled| Duration::from_secs(1 << doubled)) {
            let is_waiting = |error: &Error| {
                let locked = self.account.locked();
                error.operation() == Some(CreateToken::ID) && Some(error.kind()) != locked
            };
            if !list.as_ref().is_err_and(is_waiting) {
                break;
            }
            self.sandbox.clock().advance(wait);
            list = ServerConfigs::list_configs(vpn).await;
        }
        list
    }

    /// Returns the ids of the configurations as the provider lists them. `None` if it does not.
    async fn listed(&self) -> Option<Vec<u64>> {
        let list = self.list(&self.vpn).await;
        if let Some(locked) = self.account.locked() {
            assert_eq!(list.map_err(|error| error.kind()), Err(locked));
            return None;
        }
        Some(list.unwrap().iter().map(|it| it.id.parse().unwrap()).collect())
    }

    /// Returns what the provider shows of each configuration: its state, and whether its last job
    /// failed.
    fn shown(&self) -> BTreeMap<u64, (ConfigState, bool)> {
        let configs = self.service().configs(USERNAME).into_iter();
        configs.map(|it| (it.id, (it.state, it.fail_reason.is_some()))).collect()
    }

    /// Compares the model with the sandbox's state.
    fn compare(&mut self) {
        let (shown, now, quirks) = (self.shown(), self.now(), &self.quirks);
        self.account
            .configs
            .retain_mut(|it| it.become_what(shown.get(&it.id).copied(), now, quirks));
        let ids: Vec<_> = self.account.configs.iter().map(|it| it.id).collect();
        assert_eq!(ids, shown.into_keys().collect::<Vec<_>>());
    }

    /// Compares the model with everything that the provider reports after all jobs.
    async fn compare_all(&mut self) {
        self.sandbox.clock().advance(Duration::from_secs(24 * 3600));
        self.compare();
        assert!(!self.account.is_unsettled());
        self.service().unsuspend(USERNAME);
        self.service().set_service(USERNAME, ServiceState::Active);
        (self.account.suspended, self.account.service) = (false, ServiceState::Active);
        self.sign_in_anew();
        let ids: Vec<_> = self.account.configs.iter().map(|it| it.id).collect();
        assert_eq!(self.listed().await.unwrap(), ids);
    }
}

/// Returns a client that signs in when it has no token or when its token is refused.
fn client(sandbox: &Sandbox, network: &Network, token: Option<String>) -> VpnScript {
    let password = Password::new(USERNAME, Secret::from(PASSWORD), "Liam's laptop");
    let binding = Binding::new("vpnscript", sandbox.vpnscript_url(), Some(USERNAME.to_owned()));
    let token = token.map(|token| BoundToken::new(binding, Secret::from(token)));
    network
        .connect(VpnScript::builder(sandbox.vpnscript_url()))
        .build()
        .unwrap()
        .with_lock_folder(None)
        .with_sign_in(password, Arc::new(MemoryStore::new(token)))
}
