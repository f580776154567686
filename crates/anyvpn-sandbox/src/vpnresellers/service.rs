//! VPNresellers' interface for the server and for tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{framework, no_balance, refusal};
use super::quirks::{Quirks, VARIATIONS};
use super::routes::{ROUTES, Work};
use super::servers;
use super::state::{self, State, Status};
use crate::Sandbox;
use crate::clock::DAY;
use crate::data_plane::Network;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared, fields, text};
use crate::random::Random;
use crate::reply::Reply;
use crate::variation::Row;

/// A reseller to test with. It has no `Debug`, so that no test prints the token by accident.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reseller {
    /// The name under which it was added. The API does not return it.
    pub name: String,
    /// One of its bearer tokens.
    pub token: String,
}

/// The state of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The id in `/v4_1/accounts/{id}`.
    pub id: u64,
    /// The user name.
    pub username: String,
    /// Its state.
    pub status: Status,
    /// When it ends; `None` if it renews automatically.
    pub expires_at: Option<Timestamp>,
    /// The password to connect with.
    pub password: String,
    /// WireGuard's private key, in base 64.
    pub private_key: String,
}

/// A handle to a sandbox's VPNresellers.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
}

impl Sandbox {
    /// Returns the URL that replaces `https://api.vpnresellers.com`. Clients append `/v4_1/…`.
    #[must_use]
    pub fn vpnresellers_url(&self) -> String {
        format!("http://{}/vpnresellers", self.address)
    }

    /// Returns a handle to the imitated VPNresellers.
    #[must_use]
    pub fn vpnresellers(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        Service { state }
    }
}

impl Service {
    /// Adds a reseller with a balance of 1000.00, or returns the existing one with this name.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 100 resellers.
    pub fn add_reseller(&self, name: &str) -> Reseller {
        let mut state = self.state.lock();
        let place = state.reseller(name).expect("the sandbox already has 100 resellers");
        let token = state.resellers[place].token.clone();
        Reseller { name: name.to_owned(), token }
    }

    /// Sets a reseller's balance, in cents. Returns whether there is such a reseller.
    pub fn set_balance(&self, reseller: &str, cents: u32) -> bool {
        let mut state = self.state.lock();
        let found = state.resellers.iter_mut().find(|known| known.name == reseller);
        found.map(|known| known.balance = cents.into()).is_some()
    }

    /// Returns a reseller's balance, in cents; `None` if there is no such reseller.
    #[must_use]
    pub fn balance(&self, reseller: &str) -> Option<i64> {
        let state = self.state.lock();
        let found = state.resellers.iter().find(|known| known.name == reseller);
        found.map(|known| known.balance)
    }

    /// Adds an active account for a reseller, without a charge, and returns its id. If any reseller
    /// already has an account with this name, sets that account's password instead.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 100 resellers or 10,000 accounts.
    pub fn add_account(&self, reseller: &str, username: &str, password: &str) -> u64 {
        self.add_reseller(reseller);
        let mut state = self.state.lock();
        if let Some(known) = state.accounts.iter_mut().find(|it| it.username == username) {
            password.clone_into(&mut known.password);
            return known.id;
        }
        let reseller = state.reseller(reseller).unwrap_or_default();
        let added = state.add_account(reseller, username, password);
        added.unwrap_or_else(|_| panic!("the sandbox already has 10,000 accounts")).id
    }

    /// Sets the status of an account, without a charge. Returns whether there is an account with this
    /// user name.
    pub fn set_status(&self, username: &str, status: Status) -> bool {
        let mut state = self.state.lock();
        let found = state.accounts.iter_mut().find(|account| account.username == username);
        found.map(|account| account.status = status).is_some()
    }

    /// Returns a reseller's accounts, oldest first; empty if there is no such reseller.
    #[must_use]
    pub fn accounts(&self, reseller: &str) -> Vec<Account> {
        let state = self.state.lock();
        let place = state.resellers.iter().position(|known| known.name == reseller);
        let own = state.accounts.iter().filter(|account| Some(account.reseller) == place);
        own.map(account).collect()
    }

    /// Returns the state of the account with a user name, of any reseller.
    #[must_use]
    pub fn account(&self, username: &str) -> Option<Account> {
        let state = self.state.lock();
        state.accounts.iter().find(|it| it.username == username).map(account)
    }

    /// Returns how often an account was created for the user name. More than once is correct only if it
    /// was deleted in between.
    #[must_use]
    pub fn created(&self, username: &str) -> u32 {
        self.state.lock().created.get(username).copied().unwrap_or_default()
    }

    /// Returns the choices of this sandbox.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.lock().quirks.clone()
    }
}

fn account(account: &state::Account) -> Account {
    let time = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    Account {
        id: account.id,
        username: account.username.clone(),
        status: account.status,
        expires_at: account.expires_at.map(time),
        password: account.password.clone(),
        private_key: account.key.clone(),
    }
}

impl provider::State for State {
    type Work = Work;
    type Quirks = Quirks;
    type Service = Service;

    const NAME: &'static str = "vpnresellers";
    const ROUTES: &'static [Route<Work>] = ROUTES;
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] =
        &[Action { name: "token", act: token }, Action { name: "set-balance", act: set_balance }];
    const DEMO: &'static str = include_str!("demo.txt");

    fn new(settings: &Settings, quirks: Quirks) -> State {
        let mut random = Random::new(settings.seed, 14);
        let next_account = 40_000 + u64::from(random.below(10_000));
        let clock = settings.clock.clone();
        State {
            quirks,
            seed: settings.seed,
            started: clock.now(),
            resellers: Vec::new(),
            accounts: Vec::new(),
            servers: servers::all(&mut random, settings.vpn_server.as_ref()),
            next_account,
            created: BTreeMap::new(),
            charged: clock.now().as_second().div_euclid(DAY),
            random,
            clock,
        }
    }

    /// Adds a reseller that has an account with the same name.
    fn add_login(service: &Service, name: &str, password: &str) -> Login {
        service.add_account(name, name, password);
        let credentials = vec![("token", service.add_reseller(name).token)];
        Login { username: name.to_owned(), credentials }
    }

    fn settle(&mut self) {
        self.pass_time();
    }

    fn network(&self, network: &mut Network) {
        for account in self.accounts.iter().filter(|account| account.status == Status::Active) {
            network.add_peer(&account.public_key, None, &[account.address.into()]);
        }
    }

    fn answer(&mut self, work: Work, call: &Call) -> Result<Answer, Reply> {
        let answer = match work {
            Work::Open(work) => work(self, call),
            Work::SignedIn(work) => self.caller(call).and_then(|caller| work(self, caller, call)),
            Work::Paid(work) => {
                let caller = self.caller(call)?;
                if self.quirks.empty_balance_refuses_all && !self.can_pay(caller) {
                    return Err(no_balance(&self.quirks));
                }
                work(self, caller, call)
            }
        };
        answer.map(Answer::Now)
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        refusal(&self.quirks, status, message)
    }

    fn no_route(&self, status: u16, message: &str) -> Reply {
        framework(status, message)
    }
}

fn set_balance(state: &mut State, input: &Value) -> Result<Value, String> {
    let [reseller, cents] = fields(input, ["reseller", "cents"])?;
    let name = text(reseller, "reseller")?;
    let cents = cents.as_u64().and_then(|cents| i64::try_from(cents).ok());
    let cents = cents.ok_or("\"cents\" is missing, or is not a whole number")?;
    let known = state.resellers.iter_mut().find(|known| known.name == name);
    known.ok_or_else(|| format!("there is no reseller {name:?}"))?.balance = cents;
    Ok(json!({ "reseller": name, "cents": cents }))
}

fn token(state: &mut State, input: &Value) -> Result<Value, String> {
    let [reseller] = fields(input, ["reseller"])?;
    let name = text(reseller, "reseller")?;
    let place = state.reseller(name).ok_or("the sandbox already has 100 resellers")?;
    Ok(json!({ "token": state.resellers[place].token }))
}
