//! VPN Script's interface for the server and for tests.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x25519_dalek::{PublicKey, StaticSecret};

use super::account::require_unsuspended;
use super::actions::ACTIONS;
use super::answer::{failure, refused_with};
use super::quirks::{Quirks, VARIATIONS};
use super::routes::{ROUTES, Work};
use super::servers::{Server, world};
use super::state::{self, ConfigState, ServiceState, State};
use crate::Sandbox;
use crate::data_plane::Network;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared};
use crate::random::Random;
use crate::reply::Reply;
use crate::variation::Row;

/// Long enough that clients see a configuration as pending.
const JOB_DURATION: Duration = Duration::from_secs(2);

/// An account to test with. It has no `Debug`, so that no test prints the token by accident.
#[derive(Clone)]
pub struct Account {
    /// The name under which it was added.
    pub username: String,
    /// One of its bearer tokens.
    pub token: String,
}

/// A WireGuard configuration of an account. It has no `Debug`: `text` holds keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The id; later configurations have greater ids.
    pub id: u64,
    /// The id of its server.
    pub server: u64,
    /// The state.
    pub state: ConfigState,
    /// Why its last job failed.
    pub fail_reason: Option<String>,
    /// The content of the file; `None` unless it is active.
    pub text: Option<String>,
}

/// A handle to a sandbox's VPN Script.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
}

impl Sandbox {
    /// Returns the URL that replaces the address of an installation. Clients append `/api/…`.
    #[must_use]
    pub fn vpnscript_url(&self) -> String {
        self.provider_url("vpnscript")
    }

    /// Returns a handle to the imitated installation of VPN Script.
    #[must_use]
    pub fn vpnscript(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        Service { state }
    }
}

impl Service {
    /// Adds a user with one token, and a service that is active for ten years and allows ten devices.
    /// If the user exists, sets the password and adds a token.
    ///
    /// # Panics
    ///
    /// If the sandbox already has 1000 accounts, or the account 1000 tokens.
    pub fn add_account(&self, username: &str, password: &str) -> Account {
        let token = self.state.lock().add_user(username, password);
        Account {
            username: username.to_owned(),
            token: token
                .expect("the sandbox already has 1000 accounts, or the account 1000 tokens"),
        }
    }

    /// Sets the state of the account's service. Returns whether there is such an account.
    pub fn set_service(&self, username: &str, service: ServiceState) -> bool {
        self.state.lock().set_service(username, service)
    }

    /// Sets how many devices the account's plan allows. Returns whether there is such an account.
    pub fn set_devices(&self, username: &str, devices: u32) -> bool {
        self.state.lock().named(username).map(|account| account.devices = devices).is_some()
    }

    /// Suspends an account, with or without a reason. Returns whether there is such an account.
    pub fn suspend(&self, username: &str, reason: Option<&str>) -> bool {
        self.state.lock().suspend(username, Some(reason.map(str::to_owned)))
    }

    /// Lifts a suspension. Returns whether there is such an account.
    pub fn unsuspend(&self, username: &str) -> bool {
        self.state.lock().suspend(username, None)
    }

    /// Deletes all tokens of an account. Returns whether the account exists.
    pub fn revoke_tokens(&self, username: &str) -> bool {
        self.state.lock().named(username).map(|account| account.tokens.clear()).is_some()
    }

    /// Adds a server and returns its id.
    pub fn add_server(&self, server: Server) -> u64 {
        self.state.lock().add_server(server)
    }

    /// Adds many servers of both protocols, in many places.
    pub fn add_servers(&self, count: usize) {
        let mut state = self.state.lock();
        let numbers = state.servers.len()..state.servers.len() + count;
        state.servers.reserve_exact(count);
        state.servers.extend(numbers.map(Server::numbered));
    }

    /// Adds an OpenVPN and a WireGuard server whose files run programs, and returns their ids.
    pub fn add_hostile_servers(&self) -> (u64, u64) {
        self.state.lock().add_hostile_servers()
    }

    /// Changes a server. Returns whether there is a server with this id.
    pub fn change_server(&self, id: u64, change: impl FnOnce(&mut Server)) -> bool {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let mut state = self.state.lock();
        place.and_then(|place| state.servers.get_mut(place)).map(change).is_some()
    }

    /// Returns the private key of a WireGuard server, for tests that run one.
    #[must_use]
    pub fn server_key(&self, id: u64) -> String {
        STANDARD.encode(self.state.lock().server_key(id))
    }

    /// Sets how long the jobs queued from now on take, by the sandbox's clock. Default: 2 s.
    pub fn set_job_duration(&self, duration: Duration) {
        self.state.lock().job_duration = duration;
    }

    /// Makes the next queued job fail for this reason. Each call affects one more job.
    pub fn fail_next_job(&self, reason: &str) {
        self.state.lock().failures.push_back(reason.to_owned());
    }

    /// Makes a percentage of all jobs fail. The seed determines which ones.
    pub fn fail_jobs(&self, percent: u8) {
        self.state.lock().failing_percent = percent;
    }

    /// Returns how many tokens the account has; 0 if there is no such account.
    #[must_use]
    pub fn tokens(&self, username: &str) -> usize {
        self.state.lock().named(username).map_or(0, |account| account.tokens.len())
    }

    /// Returns the account's WireGuard configurations, oldest first; empty if there is no such account.
    #[must_use]
    pub fn configs(&self, username: &str) -> Vec<Config> {
        let state = self.state.lock();
        let config = |config: &state::Config| Config {
            id: config.id,
            server: config.server,
            state: config.state,
            fail_reason: config.fail_reason.clone(),
            text: state.config_text(config),
        };
        let account = state.accounts.iter().find(|account| account.username == username);
        account.map_or_else(Vec::new, |account| account.configs.iter().map(config).collect())
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

    const NAME: &'static str = "vpnscript";
    const ROUTES: &'static [Route<Work>] = ROUTES;
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] = ACTIONS;
    const DEMO: &'static str = include_str!("demo.txt");

    fn new(settings: &Settings, quirks: Quirks) -> State {
        State {
            seed: settings.seed,
            vpn_server: settings.vpn_server.clone(),
            started: settings.clock.now(),
            quirks,
            random: Random::new(settings.seed, 12),
            clock: settings.clock.clone(),
            accounts: Vec::new(),
            servers: world(),
            last_account: 0,
            last_token: 0,
            last_config: 0,
            job_duration: JOB_DURATION,
            failures: VecDeque::new(),
            failing_percent: 0,
        }
    }

    fn add_login(service: &Service, name: &str, password: &str) -> Login {
        let account = service.add_account(name, password);
        Login { username: account.username, credentials: vec![("token", account.token)] }
    }

    fn settle(&mut self) {
        self.do_jobs();
    }

    fn network(&self, network: &mut Network) {
        let now = self.now();
        let is_served = |account: &&super::state::Account| {
            account.suspended.is_none() && account.service(now) == ServiceState::Active
        };
        let configs = self.accounts.iter().filter(is_served).flat_map(|account| &account.configs);
        for config in configs.filter(|config| config.state == ConfigState::Active) {
            let key = PublicKey::from(&StaticSecret::from(config.private_key));
            let shared = STANDARD.encode(config.preshared_key);
            network.add_peer(&STANDARD.encode(key), Some(shared), &[config.address().into()]);
        }
    }

    fn answer(&mut self, work: Work, call: &Call) -> Result<Answer, Reply> {
        let reply = match work {
            Work::Open(work) => work(self, call),
            Work::SignedIn(work) => {
                let account = self.caller(call)?;
                work(self, account, call)
            }
            Work::Unsuspended(work) => {
                let account = self.caller(call)?;
                require_unsuspended(self, account)?;
                work(self, account, call)
            }
            Work::Page => Ok(Reply::html(200)),
        };
        reply.map(Answer::Now)
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        // Laravel itself refuses too many calls.
        if status == 429 { failure(status, message) } else { refused_with(status, message) }
    }

    fn no_route(&self, status: u16, message: &str) -> Reply {
        failure(status, message)
    }
}
