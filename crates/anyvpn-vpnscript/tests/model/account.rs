//! What a caller knows about an account, and VPN Script's rules for changing it.

use anyvpn_core::ErrorKind::{
    self, CapacityReached, DeviceLimit, InvalidRequest, NoService, NotFound, Pending, Refused,
    ServiceExpired, ServiceInactive, Suspended,
};
use anyvpn_sandbox::vpnscript::{ConfigState, Quirks, ServiceState};

/// The servers of every sandbox that the test knows: an OpenVPN server, two WireGuard servers, the
/// second of which has two slots, and one that does not exist.
pub const SERVERS: [u64; 4] = [1, 2, 5, 99];

/// The state of a configuration, as the provider reports it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// The job will succeed or fail, at this time at the latest.
    Creating {
        fails: bool,
        by: i64,
    },
    Deleting {
        fails: bool,
        by: i64,
    },
    Active,
    NotMade,
    /// Its deletion failed, and it waits forever to be deleted.
    Stuck,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub id: u64,
    pub server: u64,
    pub state: State,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub service: ServiceState,
    pub suspended: bool,
    pub devices: u32,
    pub configs: Vec<Config>,
    /// The number of jobs that will fail next.
    pub failures: u32,
    /// How long a job takes.
    pub job_seconds: u32,
}

impl Account {
    /// Why no call about WireGuard is answered.
    pub fn locked(&self) -> Option<ErrorKind> {
        match self.service {
            _ if self.suspended => Some(Suspended),
            ServiceState::None => Some(NoService),
            ServiceState::Inactive => Some(ServiceInactive),
            ServiceState::Expired => Some(ServiceExpired),
            _ => None,
        }
    }

    pub fn refuses_config(&self, server: u64) -> Vec<ErrorKind> {
        if let Some(locked) = self.locked() {
            return vec![locked];
        }
        match server {
            1 => return vec![InvalidRequest],
            99 => return vec![NotFound],
            _ => {}
        }
        let counts = |it: &&Config| it.state != State::NotMade;
        let mut whys = Vec::new();
        if server == 5
            && self.configs.iter().filter(counts).filter(|it| it.server == 5).count() >= 2
        {
            whys.push(CapacityReached);
        }
        if self.configs.iter().filter(counts).count() >= self.devices as usize {
            whys.push(DeviceLimit);
        }
        whys
    }

    pub fn refuses_deletion(&self, config: Option<usize>, quirks: &Quirks) -> Vec<ErrorKind> {
        match config.map(|it| self.configs[it].state) {
            _ if self.suspended => vec![Suspended],
            None => vec![NotFound],
            Some(State::Active) => Vec::new(),
            Some(State::NotMade | State::Stuck) if quirks.failed_may_be_deleted => Vec::new(),
            // A caller that revokes is told why the deletion has failed.
            Some(State::Stuck) => vec![Pending, Refused],
            Some(_) => vec![Pending],
        }
    }

    /// Returns whether the next job will fail, and when it ends at the latest.
    pub fn next_job(&mut self, now: i64) -> (bool, i64) {
        let fails = self.failures > 0;
        self.failures = self.failures.saturating_sub(1);
        // A started second counts as a whole one.
        (fails, now + 1 + i64::from(self.job_seconds))
    }

    /// Returns whether a job is in progress, which can end at any moment.
    pub fn is_unsettled(&self) -> bool {
        let jobs =
            |it: &Config| matches!(it.state, State::Creating { .. } | State::Deleting { .. });
        self.configs.iter().any(jobs)
    }
}

impl Config {
    /// Updates the state to what the provider shows, and returns whether the configuration still
    /// exists.
    ///
    /// # Panics
    ///
    /// If the provider cannot show this.
    pub fn become_what(
        &mut self,
        shown: Option<(ConfigState, bool)>,
        now: i64,
        quirks: &Quirks,
    ) -> bool {
        let after_deletion =
            if quirks.failed_deletion_is_active { State::Active } else { State::Stuck };
        let (before, id) = (self.state, self.id);
        self.state = match (before, shown) {
            (State::Creating { by, .. }, Some((ConfigState::PendingCreation, false)))
                if now < by =>
            {
                return true;
            }
            (State::Deleting { by, .. }, Some((ConfigState::PendingDeletion, false)))
                if now < by =>
            {
                return true;
            }
            (
                State::Creating { fails: false, .. } | State::Active,
                Some((ConfigState::Active, _)),
            ) => State::Active,
            (
                State::Creating { fails: true, .. } | State::NotMade,
                Some((ConfigState::PendingCreation, true)),
            ) => State::NotMade,
            (State::Deleting { fails: false, .. }, None) => return false,
            (State::Deleting { fails: true, .. }, Some((ConfigState::Active, true)))
                if after_deletion == State::Active =>
            {
                State::Active
            }
            (
                State::Deleting { fails: true, .. } | State::Stuck,
                Some((ConfigState::PendingDeletion, true)),
            ) if after_deletion == State::Stuck => State::Stuck,
            _ => panic!("{id} was {before:?} and is {shown:?}"),
        };
        true
    }
}
