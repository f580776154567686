//! PIA's interface for the server and for tests.

use std::net::SocketAddrV4;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::refused;
use super::quirks::{Quirks, VARIATIONS};
use super::routes::{ROUTES, Work};
use super::servers::{HOSTS, PUBLIC_KEY};
use super::state::State;
use crate::Sandbox;
use crate::clock::DAY;
use crate::data_plane::Network;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared, fields, text};
use crate::random::Random;
use crate::reply::Reply;
use crate::variation::Row;

/// Ten years: tests advance the clock, and few of them are about the end.
const SERVICE: Duration = Duration::from_secs(3650 * DAY as u64);

/// An account to test with. It has no `Debug`, so that no test prints the token by accident.
#[derive(Clone)]
pub struct Account {
    /// The name under which it was added.
    pub username: String,
    /// One of its tokens.
    pub token: String,
}

/// A handle to a sandbox's PIA.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
}

impl Sandbox {
    /// Returns the URL that replaces the addresses of PIA's central servers.
    #[must_use]
    pub fn pia_url(&self) -> String {
        self.provider_url("pia")
    }

    /// Returns a handle to the imitated PIA.
    #[must_use]
    pub fn pia(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        Service { state }
    }
}

impl Service {
    /// Adds a user with one token and a subscription that ends in ten years. If the user exists, sets
    /// the password and adds a token.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 1000 accounts, or the account 1000 tokens.
    pub fn add_account(&self, username: &str, password: &str) -> Account {
        let token = self
            .state
            .lock()
            .add(username, password)
            .expect("the sandbox already has 1000 accounts, or the account 1000 tokens");
        Account { username: username.to_owned(), token }
    }

    /// Returns the certificate of the VPN servers' authority, in PEM.
    #[must_use]
    pub fn ca(&self) -> String {
        self.state.lock().hosts.ca.clone()
    }

    /// Returns the public key that verifies the list of servers, in PEM.
    #[must_use]
    pub fn list_key(&self) -> String {
        PUBLIC_KEY.to_owned()
    }

    /// Returns the name of a server that forwards ports.
    #[must_use]
    pub fn server(&self) -> String {
        HOSTS[0].to_owned()
    }

    /// Returns the address and port at which that server forwards ports.
    #[must_use]
    pub fn gateway(&self) -> String {
        self.state.lock().hosts.address.to_string()
    }

    /// Returns the open ports.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.state.lock().open.iter().map(|open| open.port).collect()
    }

    /// Returns how many ports have been reserved.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.state.lock().reserved.len()
    }

    /// Returns the name of each server that stores a public key of the account, with that key.
    #[must_use]
    pub fn keys(&self, username: &str) -> Vec<(String, String)> {
        let mut state = self.state.lock();
        let keys = state.named(username).map(|account| &account.keys);
        keys.into_iter().flatten().map(|key| (key.server.clone(), key.public.clone())).collect()
    }

    /// Returns how many tokens the account has; 0 if there is no such account.
    #[must_use]
    pub fn tokens(&self, username: &str) -> usize {
        self.state.lock().named(username).map_or(0, |account| account.tokens.len())
    }

    /// Ends all tokens of an account. Returns whether there is such an account.
    pub fn end_tokens(&self, username: &str) -> bool {
        self.state.lock().named(username).map(|account| account.tokens.clear()).is_some()
    }

    /// Ends an account's subscription now. Returns whether there is such an account.
    pub fn expire(&self, username: &str) -> bool {
        let mut state = self.state.lock();
        let now = state.now();
        state.named(username).map(|account| account.expires_at = now).is_some()
    }

    /// Sets whether calls for ports come through the tunnel. Default: true.
    pub fn set_connected(&self, connected: bool) {
        self.state.lock().connected = connected;
    }

    /// Sets whether every sign-in is refused as too frequent. Default: false.
    pub fn set_locked(&self, locked: bool) {
        self.state.lock().locked = locked;
    }

    /// Gives the next port that is to be opened to another tunnel.
    pub fn take_next_port(&self) {
        self.state.lock().busy = true;
    }

    /// Returns the choices of this sandbox.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.lock().quirks.clone()
    }
}

impl State {
    fn add(&mut self, username: &str, password: &str) -> Option<String> {
        let end = self.clock.now().checked_add(SERVICE).unwrap_or(jiff::Timestamp::MAX);
        self.add_user(username, password, end)
    }

    /// Returns what a client needs besides a token, by the keys of its settings. Line breaks are
    /// written as `\n`, so that each value fits on one line.
    fn trust(&self) -> [(&'static str, String); 4] {
        [
            ("ca", self.hosts.ca.replace('\n', "\\n")),
            ("list_key", PUBLIC_KEY.replace('\n', "\\n")),
            ("server_name", HOSTS[0].to_owned()),
            ("gateway", self.hosts.address.to_string()),
        ]
    }
}

/// The actions over HTTP, at `/_sandbox/pia/…`.
static ACTIONS: &[Action<State>] = &[
    Action { name: "add-account", act: add_account },
    Action { name: "expire", act: expire },
    Action { name: "set-connected", act: set_connected },
    Action { name: "take-next-port", act: take_next_port },
];

fn add_account(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username, password] = fields(input, ["username", "password"])?;
    let (username, password) = (text(username, "username")?, text(password, "password")?);
    let token = state
        .add(username, password)
        .ok_or("the sandbox already has 1000 accounts, or the account 1000 tokens")?;
    let mut added = json!({ "token": token });
    for (key, value) in state.trust() {
        added[key] = value.into();
    }
    Ok(added)
}

fn expire(state: &mut State, input: &Value) -> Result<Value, String> {
    let [username] = fields(input, ["username"])?;
    let (username, now) = (text(username, "username")?, state.now());
    let account =
        state.named(username).ok_or_else(|| format!("there is no account {username:?}"))?;
    account.expires_at = now;
    Ok(json!({ "username": username }))
}

fn set_connected(state: &mut State, input: &Value) -> Result<Value, String> {
    let [connected] = fields(input, ["connected"])?;
    state.connected =
        connected.as_bool().ok_or("\"connected\" is missing, or is not true or false")?;
    Ok(json!({ "connected": state.connected }))
}

fn take_next_port(state: &mut State, input: &Value) -> Result<Value, String> {
    let [] = fields(input, [])?;
    state.busy = true;
    Ok(json!({}))
}

impl provider::State for State {
    type Work = Work;
    type Quirks = Quirks;
    type Service = Service;

    const NAME: &'static str = "pia";
    const ROUTES: &'static [Route<Work>] = ROUTES;
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] = ACTIONS;
    const DEMO: &'static str = include_str!("demo.txt");
    const HOSTS: &'static [&'static str] = HOSTS;

    fn new(settings: &Settings, quirks: Quirks) -> State {
        State {
            quirks,
            random: Random::new(settings.seed, 21),
            clock: settings.clock.clone(),
            hosts: settings.hosts.clone(),
            accounts: Vec::new(),
            reserved: Vec::new(),
            open: Vec::new(),
            vpn_server: settings.vpn_server.clone(),
            last_key: 0,
            lists: 0,
            connected: true,
            busy: false,
            locked: false,
        }
    }

    fn add_login(service: &Service, name: &str, password: &str) -> Login {
        let account = service.add_account(name, password);
        let token = ("token", account.token);
        let credentials = [token].into_iter().chain(service.state.lock().trust()).collect();
        Login { username: account.username, credentials }
    }

    fn settle(&mut self) {
        let now = self.now();
        self.open.retain(|open| open.closes_at > now);
    }

    fn answer(&mut self, work: Work, call: &Call) -> Result<Answer, Reply> {
        work(self, call).map(Answer::Now)
    }

    fn network(&self, network: &mut Network) {
        let now = self.now();
        let active = self.accounts.iter().filter(|account| account.expires_at > now);
        for key in active.flat_map(|account| &account.keys) {
            network.add_peer(&key.public, None, &[key.address.into()]);
        }
        for open in &self.open {
            let Some(device) = open.device else { continue };
            let to = SocketAddrV4::new(device, open.port);
            [true, false].into_iter().for_each(|is_tcp| network.forward(is_tcp, open.port, to));
        }
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        refused(status, "ERROR", message)
    }
}
