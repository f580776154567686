//! Runs random sequences of operations against a small model of an account, on a network that loses
//! requests and replies. The account must match the model after every failure.
//!
//! Two machines act on the account: the other one registers its own devices between the requests of
//! the first one. A ledger below the networks records who created and who deleted each device.
//!
//! The model knows what its caller was told, and what it read back when an error advised that. It
//! shares no type with the client's replies. `ANYVPN_MODEL_CASES=1000` runs that many other
//! sequences.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod account;
mod second;
mod steps;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use account::{Account, Device, Port, Token};
use anyvpn_azire::ops::{CreateToken, ListTokens};
use anyvpn_azire::{Azire, Error, Secret};
use anyvpn_core::{
    Accounts, ErrorKind, ListPortForwards, PrivateKey, ServerConfigs, Settings, SignIn,
};
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::harness::still_sandbox;
use anyvpn_lab::machines::{Ledger, Machine, Wire};
use anyvpn_lab::network::{self, Mishap, Network, conclude, mishaps};
use anyvpn_sandbox::azire::Quirks;
use anyvpn_sandbox::{Clock, Sandbox};
use proptest::prelude::*;
use second::{Interlude, interludes};
use steps::steps;

/// The names that an account can have.
const NAMES: [&str; 3] = ["david", "maria", "erik"];
const PASSWORDS: [&str; 2] = ["canary-password-Zx81", "canary-password-Zx82"];

#[test]
fn the_account_matches_the_model_despite_failures() {
    let step = (steps(), mishaps(), interludes());
    let cases = (0..64_u64, prop::collection::vec(step, 1..40));
    network::check(32, &cases, async |(seed, steps)| {
        let mut world = World::new(seed).await;
        for (step, mishaps, interlude) in steps {
            world.account.expire(world.now());
            (world.began, world.abandoned) = (world.ledger.count(), false);
            let named = world.named(&step);
            let lost = interlude.as_ref().and_then(Interlude::mishaps);
            let second = world.interrupt(&step, interlude).await;
            let mishaps = lost.filter(|_| second.is_some()).unwrap_or(mishaps);
            world.network.meet(mishaps.clone());
            world.take(step, &mishaps).await;
            world.network.calm();
            world.end(second).await;
            // Neither machine deletes a device that the other one created, unless the step names
            // it.
            world.ledger.judge_deletions(world.began, |id| named.as_deref() == Some(id));
            world.compare();
        }
        world.compare_all().await;
    });
}

/// An account, and everything that its caller has.
struct World {
    sandbox: Arc<Sandbox>,
    network: Network,
    quirks: Quirks,
    azire: Azire,
    wire: Wire,
    /// The other machine, which has a reliable network.
    second: Azire,
    ledger: Ledger,
    /// The number of changes in the ledger when the step began.
    began: usize,
    /// Whether the step abandoned a call. Only the account shows the effect of such a call.
    abandoned: bool,
    account: Account,
    /// The id of the caller's own token.
    own: String,
    /// Other accounts, by name, with their password and number of tokens.
    others: Vec<(&'static str, usize)>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let sandbox = Arc::new(still_sandbox().seed(seed).start().await.unwrap());
        let token = sandbox.azire().add_account(NAMES[0], PASSWORDS[0]).token;
        // Waiting does not advance the sandbox's clock, which advances in separate steps.
        let provider = Arc::clone(&sandbox);
        let ledger = Ledger::new(move || {
            let all = NAMES.iter().flat_map(|name| provider.azire().devices(name));
            all.map(|device| device.id).collect()
        });
        let wire = |machine| Wire::new(Reqwest::loopback().unwrap(), machine, ledger.clone());
        let client = |wire: Wire| {
            let network =
                Network::new(wire, Arc::clone(&sandbox), Clock::fixed(sandbox.clock().now()));
            let builder = Azire::builder().base_url(sandbox.azire_url()).token(&*token);
            (network.connect(builder).build().unwrap(), network)
        };
        let (second, _) = client(wire(Machine::Second));
        let wire = wire(Machine::First);
        let (azire, network) = client(wire.clone());
        let tokens: Vec<_> = tokens(&azire).await;
        let account = Account {
            username: NAMES[0].to_owned(),
            password: PASSWORDS[0].to_owned(),
            email: azire.account().await.unwrap().email,
            suspended: false,
            tokens: tokens.clone(),
            devices: Vec::new(),
            opened: (0, 0),
        };
        let (quirks, own) = (sandbox.azire().quirks(), tokens[0].id.clone());
        Self {
            sandbox,
            network,
            quirks,
            azire,
            wire,
            second,
            ledger,
            began: 0,
            abandoned: false,
            account,
            own,
            others: Vec::new(),
        }
    }

    fn now(&self) -> i64 {
        self.sandbox.clock().now().as_second()
    }

    /// A client without a token.
    fn anonymous(&self) -> Azire {
        let builder = Azire::builder().base_url(self.sandbox.azire_url());
        self.network.connect(builder).build().unwrap()
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

    /// The device that has the key, as the provider lists it.
    async fn read_device(&self, key: &str) -> Option<Device> {
        devices(&self.azire).await.into_iter().find(|device| device.keys.iter().any(|it| it == key))
    }

    /// Compares the model with the sandbox's state.
    fn compare(&mut self) {
        let now = self.now();
        self.account.expire(now);
        let (azire, account) = (self.sandbox.azire(), &self.account);
        assert_eq!(account.devices, self.devices());
        assert_eq!(account.tokens.len(), azire.tokens(&account.username));
        assert_eq!(azire.accounts(), 1 + self.others.len());
        for (name, tokens) in &self.others {
            assert_eq!(azire.tokens(name), *tokens, "{name}");
        }
    }

    /// Returns the devices that the sandbox knows, in its order.
    fn devices(&self) -> Vec<Device> {
        let (azire, account) = (self.sandbox.azire(), &self.account);
        let ports = azire.ports(&account.username);
        let devices = azire.devices(&account.username).into_iter().map(|device| Device {
            ports: ports
                .iter()
                .filter(|port| port.internal_ipv4 == device.internal_ipv4)
                .map(|port| Port {
                    number: port.port,
                    hidden: port.hidden,
                    ends: port.expires_at.as_second(),
                })
                .collect(),
            id: device.id,
            address: device.internal_ipv4,
            keys: device.keys,
        });
        devices.collect()
    }

    /// Compares the model with everything that the provider reports.
    async fn compare_all(&mut self) {
        let seen = self.azire.account().await.unwrap();
        assert_eq!(seen.login.as_ref(), Some(&self.account.username));
        assert_eq!(seen.email, self.account.email);
        assert_eq!(tokens(&self.azire).await, self.account.tokens);
        let mut devices = devices(&self.azire).await;
        for (seen, known) in devices.iter_mut().zip(&self.account.devices) {
            let listed = ListPortForwards::list_port_forwards(&self.azire, Some(seen.address))
                .await
                .unwrap();
            let visible: Vec<_> = known.ports.iter().filter(|port| !port.hidden).collect();
            let numbers: Vec<_> = listed.iter().map(|port| port.port).collect();
            assert_eq!(numbers, visible.iter().map(|port| port.number).collect::<Vec<_>>());
            seen.ports.clone_from(&known.ports);
        }
        assert_eq!(devices, self.account.devices);
        let (name, password) = (&self.account.username, self.account.password.as_str());
        let fields = Settings::new().with("username", name.as_str()).with("password", password);
        self.anonymous().obtain_credential(&fields).await.unwrap();
        self.account.tokens.push(Token { id: String::new(), comment: None });
        self.compare();
    }
}

async fn tokens(azire: &Azire) -> Vec<Token> {
    let tokens = azire.call(ListTokens {}).await.unwrap().into_iter();
    tokens.map(|it| Token { id: it.id.to_string(), comment: it.comment }).collect()
}

/// Returns the devices, without their ports.
async fn devices(azire: &Azire) -> Vec<Device> {
    let configs = ServerConfigs::list_configs(azire).await.unwrap().into_iter();
    configs
        .map(|config| Device {
            id: config.id,
            address: match config.addresses[0] {
                std::net::IpAddr::V4(address) => address,
                other => panic!("{other}"),
            },
            keys: config.public_keys.iter().map(ToString::to_string).collect(),
            ports: Vec::new(),
        })
        .collect()
}

/// Selects one of a few keys.
fn key(number: u8) -> PrivateKey {
    let letter = char::from(b'A' + number % 26);
    format!("AA{letter}{}=", "A".repeat(40)).parse().unwrap()
}

fn sign_in(name: &str, password: &str) -> CreateToken {
    CreateToken {
        username: Some(name.to_owned()),
        password: Some(Secret::from(password)),
        device_name: None,
        comment: None,
    }
}

const HOUR: Duration = Duration::from_secs(3600);
