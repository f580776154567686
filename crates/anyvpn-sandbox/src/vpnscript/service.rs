//! VPN Script as the server and the tests see it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::account::require_unsuspended;
use super::answer::failure;
use super::quirks::Quirks;
use super::routes::{ROUTES, Work};
use super::servers::{Profile, Server, world};
use super::state::{self, ConfigState, ServiceState, State};
use super::{control, wireguard};
use crate::provider::{Call, Provider, Route};
use crate::random::{LETTERS, Random};
use crate::reply::Reply;
use crate::{Clock, locked};

/// Ten years: tests move the clock, and few of them are about the service's end.
const SERVICE_SECONDS: i64 = 3650 * 86_400;
/// What the document's sample has.
const DEVICES: u32 = 10;
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
    state: Arc<Mutex<State>>,
}

impl Service {
    pub(crate) fn new(seed: u64, quirks: Quirks, clock: Clock) -> Service {
        let state = State {
            seed,
            started: clock.now(),
            quirks,
            random: Random::new(seed, 12),
            clock,
            accounts: Vec::new(),
            servers: world(),
            last_account: 0,
            last_token: 0,
            last_config: 0,
            job_duration: JOB_DURATION,
            failures: VecDeque::new(),
            failing_percent: 0,
        };
        Service { state: Arc::new(Mutex::new(state)) }
    }

    /// The state as it is now: the jobs whose time has come are done.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = locked(&self.state);
        state.settle();
        state
    }

    /// Adds a user with one token, and a service that is active for ten years and allows ten
    /// devices. When there is one of that name it gets the password and one more token.
    ///
    /// # Panics
    ///
    /// When the sandbox holds as many accounts or the account as many tokens as it may: 1000.
    pub fn add_account(&self, username: &str, password: &str) -> Account {
        let token = self.try_add_account(username, password);
        Account { username: username.to_owned(), token: token.expect("there is no room") }
    }

    /// The token; `None` when there is no room.
    pub(super) fn try_add_account(&self, username: &str, password: &str) -> Option<String> {
        let mut state = self.state();
        if state.named(username).is_none() {
            state.last_account += 1;
            let created_at = state.now();
            let account = state::Account {
                id: state.last_account,
                username: username.to_owned(),
                password: String::new(),
                suspended: None,
                service: ServiceState::Active,
                next_payment: created_at.saturating_add(SERVICE_SECONDS),
                devices: DEVICES,
                openvpn_password: state.random.text(12, LETTERS),
                tokens: Vec::new(),
                configs: Vec::new(),
                created_at,
            };
            state.add_account(account).ok()?;
        }
        let place = state.accounts.iter().position(|account| account.username == username)?;
        state.accounts[place].password = password.to_owned();
        state.add_token(place).map(str::to_owned).ok()
    }

    /// Sets how the account's service stands. Whether there is such an account.
    pub fn set_service(&self, username: &str, service: ServiceState) -> bool {
        let mut state = self.state();
        let now = state.now();
        let next_payment = match service {
            ServiceState::Expired => now,
            _ => now.saturating_add(SERVICE_SECONDS),
        };
        let account = state.named(username);
        account
            .map(|account| {
                account.service = service;
                account.next_payment = next_payment;
            })
            .is_some()
    }

    /// Sets how many devices the account's plan allows. Whether there is such an account.
    pub fn set_devices(&self, username: &str, devices: u32) -> bool {
        self.state().named(username).map(|account| account.devices = devices).is_some()
    }

    /// Suspends an account, for a reason that may stay untold. Whether there is such an account.
    pub fn suspend(&self, username: &str, reason: Option<&str>) -> bool {
        let suspended = Some(reason.map(str::to_owned));
        self.state().named(username).map(|account| account.suspended = suspended).is_some()
    }

    /// Lifts a suspension. Whether there is such an account.
    pub fn unsuspend(&self, username: &str) -> bool {
        self.state().named(username).map(|account| account.suspended = None).is_some()
    }

    /// Takes all tokens away from an account. Whether there is such an account.
    pub fn revoke_tokens(&self, username: &str) -> bool {
        self.state().named(username).map(|account| account.tokens.clear()).is_some()
    }

    /// Adds a server, and tells its id.
    pub fn add_server(&self, server: Server) -> u64 {
        let mut state = self.state();
        state.servers.push(server);
        state.servers.len() as u64
    }

    /// Adds many servers of both protocols, in many places.
    pub fn add_servers(&self, count: usize) {
        let mut state = self.state();
        let numbers = state.servers.len()..state.servers.len() + count;
        state.servers.reserve_exact(count);
        state.servers.extend(numbers.map(Server::numbered));
    }

    /// Adds an OpenVPN and a WireGuard server whose files run programs, and tells their ids.
    pub fn add_hostile_servers(&self) -> (u64, u64) {
        let hostile = |server: Server| Server { profile: Profile::Hostile, ..server };
        let openvpn = self.add_server(hostile(Server::openvpn("Hostile OpenVPN")));
        (openvpn, self.add_server(hostile(Server::wireguard("Hostile WireGuard"))))
    }

    /// Changes a server. Whether there is one of that id.
    pub fn change_server(&self, id: u64, change: impl FnOnce(&mut Server)) -> bool {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let mut state = self.state();
        place.and_then(|place| state.servers.get_mut(place)).map(change).is_some()
    }

    /// The private key of a WireGuard server, for who wants to run it.
    #[must_use]
    pub fn server_key(&self, id: u64) -> String {
        STANDARD.encode(wireguard::server_key(locked(&self.state).seed, id))
    }

    /// How long a job takes that is queued from now on, by the sandbox's clock. Default: 2 s.
    pub fn set_job_duration(&self, duration: Duration) {
        self.state().job_duration = duration;
    }

    /// Lets the next job fail that is queued from now on; called twice, the next two.
    pub fn fail_next_job(&self, reason: &str) {
        self.state().failures.push_back(reason.to_owned());
    }

    /// Lets so many of a hundred jobs fail: which ones follows from the seed.
    pub fn fail_jobs(&self, percent: u8) {
        self.state().failing_percent = percent;
    }

    /// How many tokens the account has; none when it is unknown.
    #[must_use]
    pub fn tokens(&self, username: &str) -> usize {
        self.state().named(username).map_or(0, |account| account.tokens.len())
    }

    /// The account's WireGuard configurations, oldest first; none when it is unknown.
    #[must_use]
    pub fn configs(&self, username: &str) -> Vec<Config> {
        let state = self.state();
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
        locked(&self.state).quirks.clone()
    }
}

#[async_trait]
impl Provider for Service {
    fn name(&self) -> &'static str {
        "vpnscript"
    }

    fn routes(&self) -> Vec<&'static Route> {
        ROUTES.iter().map(|row| &row.route).collect()
    }

    async fn answer(&self, operation: &'static str, call: Call) -> Result<Reply, Reply> {
        let row = ROUTES.iter().find(|row| row.route.operation == operation);
        let row = row.ok_or_else(|| self.refusal(404, "Not Found"))?;
        let mut state = self.state();
        match row.work {
            Work::Open(work) => work(&mut state, &call),
            Work::Signed(work) => {
                let account = state.caller(&call)?;
                work(&mut state, account, &call)
            }
            Work::Unsuspended(work) => {
                let account = state.caller(&call)?;
                require_unsuspended(&state, account)?;
                work(&mut state, account, &call)
            }
            Work::Page => Ok(Reply::html(200)),
        }
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        failure(status, message)
    }

    fn control(&self, action: &str, input: &Value) -> Option<Result<Value, String>> {
        control::act(self, action, input)
    }
}

/// The names of VPN Script's calls.
pub(crate) fn operations() -> Vec<&'static str> {
    let calls = ROUTES.iter().filter(|row| !matches!(row.work, Work::Page));
    calls.map(|row| row.route.operation).collect()
}
