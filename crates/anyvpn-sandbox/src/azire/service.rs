//! AzireVPN as the server and the tests see it.

use std::net::{Ipv4Addr, SocketAddrV4};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::refusal;
use super::limit::RateLimit;
use super::quirks::{Quirks, VARIATIONS};
use super::routes::{ROUTES, Work};
use super::state::{self, State};
use super::{check, locations};
use crate::Sandbox;
use crate::clock::DAY;
use crate::data_plane::Network;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared, fields, text};
use crate::random::Random;
use crate::reply::Reply;
use crate::variation::Row;

/// Ten years: tests advance the clock, and few of them are about the account's end.
const ACCOUNT_DAYS: i64 = 3650;

/// An account to test with. It has no `Debug`, so that no test prints the token by accident.
#[derive(Clone)]
pub struct Account {
    /// The name under which it was added.
    pub username: String,
    /// One of its bearer tokens.
    pub token: String,
}

/// A device of an account, which the provider calls an ip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The device's id, as in `/v3/ips/{id}`.
    pub id: String,
    /// The address inside the tunnel.
    pub internal_ipv4: Ipv4Addr,
    /// The device's public keys, oldest first.
    pub keys: Vec<String>,
}

/// A port of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address of the device that the port leads to.
    pub internal_ipv4: Ipv4Addr,
    /// The public number.
    pub port: u16,
    /// Whether the port is omitted from lists.
    pub hidden: bool,
    /// When the port closes.
    pub expires_at: Timestamp,
}

/// A handle to a sandbox's AzireVPN.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
}

impl Sandbox {
    /// Returns the URL that replaces `https://api.azirevpn.com`. Clients append `/v3/…`.
    #[must_use]
    pub fn azire_url(&self) -> String {
        self.provider_url("azire")
    }

    /// Returns a handle to the imitated AzireVPN.
    #[must_use]
    pub fn azire(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        Service { state }
    }
}

impl Service {
    /// Adds an account with one token, which is subscribed, verified, and active for ten years. If the
    /// account exists, sets its password and adds a token.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 1000 accounts, or the account 1000 tokens.
    pub fn add_account(&self, username: &str, password: &str) -> Account {
        let mut state = self.state.lock();
        let created_at = state.now();
        if state.named(username).is_none() {
            let added = state.add_account(state::Account {
                username: username.to_owned(),
                password: String::new(),
                email: Some(format!("{username}@mail.example")),
                email_verified: true,
                awaits_email: false,
                currency: "EUR".to_owned(),
                suspended: false,
                subscribed: true,
                created_at,
                expires_at: created_at.saturating_add(ACCOUNT_DAYS * DAY),
                tokens: Vec::new(),
                devices: Vec::new(),
                created_ports: (0, 0),
            });
            assert!(added.is_ok(), "the sandbox already has 1000 accounts");
        }
        let place = state.accounts.iter().position(|account| account.username == username);
        let place = place.unwrap_or_default();
        state.accounts[place].password = password.to_owned();
        let token = state.add_token(place, None, None).map(|token| token.key.clone()).ok();
        let token = token.expect("the account already has 1000 tokens");
        Account { username: username.to_owned(), token }
    }

    /// Adds a device with a new key to an account, even beyond its limits. Returns the device's
    /// address; `None` if there is no such account.
    pub fn add_device(&self, username: &str) -> Option<Ipv4Addr> {
        let mut state = self.state.lock();
        let account = state.accounts.iter().position(|account| account.username == username)?;
        let key = STANDARD.encode(state.random.key());
        let device = state.add_device(account, None, key).ok()?;
        Some(state.accounts[account].devices[device].address)
    }

    /// Verifies the account's e-mail address, like following the link in the e-mail. Returns whether
    /// there is such an account with an address to verify.
    pub fn verify_email(&self, username: &str) -> bool {
        self.state.lock().verify_email(username)
    }

    /// Suspends an account, or lifts the suspension. Returns whether there is such an account.
    pub fn suspend(&self, username: &str, suspended: bool) -> bool {
        self.state.lock().named(username).map(|account| account.suspended = suspended).is_some()
    }

    /// Sets when the account's access ends. Returns whether there is such an account.
    pub fn set_expires_at(&self, username: &str, expires_at: Timestamp) -> bool {
        let expires_at = expires_at.as_second();
        self.state.lock().named(username).map(|account| account.expires_at = expires_at).is_some()
    }

    /// Returns the number of accounts.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.state.lock().accounts.len()
    }

    /// Returns how many tokens the account has; 0 if there is no such account.
    #[must_use]
    pub fn tokens(&self, username: &str) -> usize {
        self.state.lock().named(username).map_or(0, |account| account.tokens.len())
    }

    /// Returns the account's devices, oldest first; empty if there is no such account.
    #[must_use]
    pub fn devices(&self, username: &str) -> Vec<Device> {
        let device = |device: &state::Device| Device {
            id: device.id.clone(),
            internal_ipv4: device.address,
            keys: device.keys.iter().map(|key| key.key.clone()).collect(),
        };
        let mut state = self.state.lock();
        let account = state.named(username);
        account.map_or_else(Vec::new, |account| account.devices.iter().map(device).collect())
    }

    /// Returns the account's ports, including hidden ones, by device and oldest first.
    #[must_use]
    pub fn ports(&self, username: &str) -> Vec<Port> {
        let mut state = self.state.lock();
        let Some(account) = state.named(username) else {
            return Vec::new();
        };
        let mut ports = Vec::new();
        for device in &account.devices {
            ports.extend(device.ports.iter().map(|forward| Port {
                internal_ipv4: device.address,
                port: forward.port,
                hidden: forward.hidden,
                expires_at: Timestamp::from_second(forward.expires_at).unwrap_or(Timestamp::MAX),
            }));
        }
        ports
    }

    /// Returns how many ports an account may create per day.
    #[must_use]
    pub fn daily_port_cap(&self) -> u32 {
        self.quirks().daily_port_cap
    }

    /// Returns the choices of this sandbox.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.lock().quirks.clone()
    }
}

impl provider::State for State {
    type Work = Work;
    type Quirks = Quirks;
    type Service = Service;

    const NAME: &'static str = "azire";
    const ROUTES: &'static [Route<Work>] = ROUTES;
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] = &[Action { name: "verify-email", act: verify_email }];
    const DEMO: &'static str = include_str!("demo.txt");

    fn new(settings: &Settings, quirks: Quirks) -> State {
        let mut random = Random::new(settings.seed, 2);
        State {
            quirks,
            locations: locations::all(&mut random, settings.vpn_server.as_ref()),
            random,
            clock: settings.clock.clone(),
            accounts: Vec::new(),
            limit: RateLimit::new(settings.azire_rate_limit),
            data_plane: settings.data_plane.clone(),
        }
    }

    fn add_login(service: &Service, name: &str, password: &str) -> Login {
        let account = service.add_account(name, password);
        // Commands about ports then use the account's only device.
        let _ = service.add_device(name);
        Login { username: account.username, credentials: vec![("token", account.token)] }
    }

    fn settle(&mut self) {
        self.expire();
    }

    fn answer(&mut self, work: Work, call: &Call) -> Result<Answer, Reply> {
        let now = self.now();
        let caller = self.caller(call);
        let token = caller.as_ref().ok().map(|caller| &*caller.token);
        let rate = self.limit.take(token, now)?;
        let answer = match work {
            Work::Open(work) => work(self, call),
            Work::SignedIn(work) => caller.and_then(|caller| work(self, &caller, call)),
            Work::Check(port) => {
                let port = port(call).map_err(|refusal| rate.tell(refusal))?;
                let report =
                    check::report(call.peer, port, self.quirks.closed, self.data_plane.as_deref());
                return Ok(Answer::Later(Box::pin(async move { rate.tell(report.await) })));
            }
        };
        answer.map(|reply| Answer::Now(rate.tell(reply))).map_err(|refusal| rate.tell(refusal))
    }

    fn network(&self, network: &mut Network) {
        let pools = self.locations.iter().map(|location| &location.pool);
        network.hosts.extend(pools.filter(|pool| !pool.is_empty()).cloned());
        let now = self.now();
        let active = self.accounts.iter().filter(|account| account.is_active(now));
        for device in active.flat_map(|account| &account.devices) {
            let addresses = [Some(device.address.into()), device.address_v6.parse().ok()];
            let addresses: Vec<_> = addresses.into_iter().flatten().collect();
            device.keys.iter().for_each(|key| network.add_peer(&key.key, None, &addresses));
            for forward in &device.ports {
                let to = SocketAddrV4::new(device.address, forward.port);
                [true, false]
                    .into_iter()
                    .for_each(|is_tcp| network.forward(is_tcp, forward.port, to));
            }
        }
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        refusal(status, message)
    }
}

fn verify_email(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username] = fields(input, ["username"])?;
    let username = text(username, "username")?;
    match state.verify_email(username) {
        true => Ok(json!({ "username": username })),
        false => Err(format!("there is no account {username:?} with an e-mail address to verify")),
    }
}
