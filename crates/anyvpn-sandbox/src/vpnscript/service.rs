//! VPN Script as the server and the tests see it.

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

/// Long enough that a configuration is seen to be pending.
const JOB_DURATION: Duration = Duration::from_secs(2);

/// An account to test with. It has no `Debug`, so that no test prints the token by accident.
#[derive(Clone)]
pub struct Account {
    /// The name that it was added under.
    pub username: String,
    /// A bearer of it.
    pub token: String,
}

/// A WireGuard configuration of an account. It has no `Debug`: `text` holds keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Its id; later ones are greater.
    pub id: u64,
    /// The server it is for.
    pub server: u64,
    /// How it stands.
    pub state: ConfigState,
    /// Why its last job failed.
    pub fail_reason: Option<String>,
    /// The file, while it is active.
    pub text: Option<String>,
}

/// A handle to the state of one sandbox's VPN Script.
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

    /// The state of the VPN Script installation that is imitated.
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
    /// Adds a user with one token, and a service that is active for ten years and allows ten
    /// devices. When there is one of that name it gets the password and one more token.
    ///
    /// # Panics
    ///
    /// When the sandbox holds as many accounts or the account as many tokens as it may: 1000.
    pub fn add_account(&self, username: &str, password: &str) -> Account {
        let token = self.state.lock().add_user(username, password);
        Account { username: username.to_owned(), token: token.expect("there is no room") }
    }

    /// Sets how the account's service stands. Whether there is such an account.
    pub fn set_service(&self, username: &str, service: ServiceState) -> bool {
        self.state.lock().set_service(username, service)
    }

    /// Sets how many devices the account's plan allows. Whether there is such an account.
    pub fn set_devices(&self, username: &str, devices: u32) -> bool {
        self.state.lock().named(username).map(|account| account.devices = devices).is_some()
    }

    /// Suspends an account, for a reason that may stay untold. Whether there is such an account.
    pub fn suspend(&self, username: &str, reason: Option<&str>) -> bool {
        self.state.lock().suspend(username, Some(reason.map(str::to_owned)))
    }

    /// Lifts a suspension. Whether there is such an account.
    pub fn unsuspend(&self, username: &str) -> bool {
        self.state.lock().suspend(username, None)
    }

    /// Deletes all tokens of an account. Returns whether the account exists.
    pub fn revoke_tokens(&self, username: &str) -> bool {
        self.state.lock().named(username).map(|account| account.tokens.clear()).is_some()
    }

    /// Adds a server, and tells its id.
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

    /// Adds an OpenVPN and a WireGuard server whose files run programs, and tells their ids.
    pub fn add_hostile_servers(&self) -> (u64, u64) {
        self.state.lock().add_hostile_servers()
    }

    /// Changes a server. Whether there is one of that id.
    pub fn change_server(&self, id: u64, change: impl FnOnce(&mut Server)) -> bool {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let mut state = self.state.lock();
        place.and_then(|place| state.servers.get_mut(place)).map(change).is_some()
    }

    /// The private key of a WireGuard server, for who wants to run it.
    #[must_use]
    pub fn server_key(&self, id: u64) -> String {
        STANDARD.encode(self.state.lock().server_key(id))
    }

    /// How long a job takes that is queued from now on, by the sandbox's clock. Default: 2 s.
    pub fn set_job_duration(&self, duration: Duration) {
        self.state.lock().job_duration = duration;
    }

    /// Lets the next job fail that is queued from now on; called twice, the next two.
    pub fn fail_next_job(&self, reason: &str) {
        self.state.lock().failures.push_back(reason.to_owned());
    }

    /// Lets so many of a hundred jobs fail: which ones follows from the seed.
    pub fn fail_jobs(&self, percent: u8) {
        self.state.lock().failing_percent = percent;
    }

    /// How many tokens the account has; none when it is unknown.
    #[must_use]
    pub fn tokens(&self, username: &str) -> usize {
        self.state.lock().named(username).map_or(0, |account| account.tokens.len())
    }

    /// The account's WireGuard configurations, oldest first; none when it is unknown.
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

    /// The choices of this sandbox.
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
        // Too many calls are Laravel's own matter.
        if status == 429 { failure(status, message) } else { refused_with(status, message) }
    }

    fn no_route(&self, status: u16, message: &str) -> Reply {
        failure(status, message)
    }
}
