//! The state of an installation of VPN Script: users with their services, tokens and configurations.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::answer::{NO_SERVER, full, refused, unauthenticated};
use super::quirks::Quirks;
use super::servers::Server;
use crate::data_plane::VpnServer;
use crate::provider::Call;
use crate::random::{LETTERS, Random};
use crate::reply::Reply;
use crate::{Clock, push};

/// The sandbox's own limits, far above what a test needs.
const MOST_ACCOUNTS: usize = 1000;
const MOST_TOKENS: usize = 1000;

/// The state of a user's service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceState {
    /// The user has no service.
    None,
    /// The service is not active.
    Inactive,
    /// The service is active.
    Active,
    /// The service has expired.
    Expired,
}

impl ServiceState {
    /// Returns the refusal of a call that needs an active service if it is not active.
    pub(super) fn check(self) -> Result<(), &'static str> {
        match self {
            ServiceState::Active => Ok(()),
            ServiceState::None => Err("You do not have any service."),
            ServiceState::Inactive => Err("Your service is not active."),
            ServiceState::Expired => Err("Your service is expired."),
        }
    }
}

/// The state of a WireGuard configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigState {
    /// 0: its creation is queued, or failed.
    PendingCreation,
    /// 1
    Active,
    /// 2: its deletion is queued, or failed.
    PendingDeletion,
}

pub(super) struct Account {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) password: String,
    /// If the user is suspended, the reason, which may be missing.
    pub(super) suspended: Option<Option<String>>,
    pub(super) service: ServiceState,
    pub(super) next_payment: i64,
    pub(super) devices: u32,
    pub(super) openvpn_password: String,
    pub(super) tokens: Vec<String>,
    pub(super) configs: Vec<Config>,
    pub(super) created_at: i64,
}

impl Account {
    /// Returns the state of the service at this time; an active service expires by the clock.
    pub(super) fn service(&self, now: i64) -> ServiceState {
        match self.service {
            ServiceState::Active if now >= self.next_payment => ServiceState::Expired,
            state => state,
        }
    }

    pub(super) fn used_devices(&self) -> usize {
        self.configs.iter().filter(|config| config.counts()).count()
    }
}

/// A WireGuard configuration.
pub(super) struct Config {
    pub(super) id: u64,
    pub(super) server: u64,
    pub(super) private_key: [u8; 32],
    pub(super) preshared_key: [u8; 32],
    /// The number of its address on its server.
    pub(super) number: u32,
    pub(super) state: ConfigState,
    pub(super) job: Option<Job>,
    pub(super) fail_reason: Option<String>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

impl Config {
    /// Returns whether it takes up a slot and a device. All configurations do, except those whose
    /// creation failed.
    pub(super) fn counts(&self) -> bool {
        self.state != ConfigState::PendingCreation || self.fail_reason.is_none()
    }
}

/// The pending job of a configuration, whose state says whether the job creates or deletes it.
pub(super) struct Job {
    pub(super) due: Timestamp,
    /// The reason why the job will fail, if it will.
    pub(super) fails: Option<String>,
}

pub(crate) struct State {
    pub(super) seed: u64,
    /// With a data plane: the one WireGuard server that stands for all of them.
    pub(super) vpn_server: Option<VpnServer>,
    pub(super) started: Timestamp,
    pub(super) quirks: Quirks,
    pub(super) random: Random,
    pub(super) clock: Clock,
    pub(super) accounts: Vec<Account>,
    /// A server's id is its position, counted from 1.
    pub(super) servers: Vec<Server>,
    /// The newest ids, which only increase.
    pub(super) last_account: u64,
    pub(super) last_token: u64,
    pub(super) last_config: u64,
    pub(super) job_duration: Duration,
    /// Reasons for the next jobs to fail.
    pub(super) failures: VecDeque<String>,
    /// The percentage of the other jobs that fail.
    pub(super) failing_percent: u8,
}

impl State {
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Returns the index of the calling account.
    pub(super) fn caller(&self, call: &Call) -> Result<usize, Reply> {
        let token = call.bearer().ok_or_else(|| unauthenticated(call))?;
        let has = |account: &Account| account.tokens.iter().any(|known| known == token);
        self.accounts.iter().position(has).ok_or_else(|| unauthenticated(call))
    }

    pub(super) fn named(&mut self, username: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.username == username)
    }

    pub(super) fn add_account(&mut self, account: Account) -> Result<&mut Account, Reply> {
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Err(full());
        }
        Ok(push(&mut self.accounts, account))
    }

    pub(super) fn add_token(&mut self, account: usize) -> Result<&str, Reply> {
        let tokens = &mut self.accounts[account].tokens;
        if tokens.len() >= MOST_TOKENS {
            return Err(full());
        }
        self.last_token += 1;
        let secret = self.random.text(40, LETTERS);
        Ok(push(tokens, format!("{}|{secret}", self.last_token)))
    }

    /// Returns a server, unless it is disabled.
    pub(super) fn server(&self, id: i64) -> Result<(u64, &Server), Reply> {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let server = place.and_then(|place| self.servers.get(place));
        let server = server.filter(|server| server.enabled);
        let server = server.ok_or_else(|| refused(&self.quirks, NO_SERVER))?;
        Ok((id.unsigned_abs(), server))
    }

    /// Refuses a user without an active service.
    pub(super) fn require_service(&self, account: usize) -> Result<(), Reply> {
        let state = self.accounts[account].service(self.now());
        state.check().map_err(|message| refused(&self.quirks, message))
    }

    /// Returns the number of taken slots of each server.
    pub(super) fn taken_slots(&self) -> HashMap<u64, u32> {
        let mut taken = HashMap::new();
        let configs = self.accounts.iter().flat_map(|account| &account.configs);
        for config in configs.filter(|config| config.counts()) {
            *taken.entry(config.server).or_default() += 1;
        }
        taken
    }
}
