//! The state that the keeper must not lose when it is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyvpn_core::{DAY, PortForward, PortProtocols, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Counters, Tunnel};

/// The state that must survive the end of the process. It is written before each step that it records,
/// so that a process that is killed at any point neither opens a second port nor forgets one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Journal {
    /// The version of the format.
    pub version: u32,
    /// The generation that was last published; it increases with each change.
    pub generation: u64,
    /// What was announced with that generation; `None` if it was the loss of the port.
    pub announced: Option<Announcement>,
    /// The port number that was open before the announced one.
    pub previous_port: Option<u16>,
    /// The port number that was announced last.
    pub last_port: Option<u16>,
    /// The forward that the keeper holds.
    pub held: Option<HeldForward>,
    /// Forwards that the keeper opened and has replaced, and that it still has to close.
    pub retired: Vec<PortForward>,
    /// The creation that was started and whose outcome is not known.
    pub intent: Option<CreateIntent>,
    /// When forwards were created, or may have been, within the last 24 hours.
    pub creations: Vec<Timestamp>,
    /// When the provider's quota is available again; `None` if it is not used up.
    pub quota_until: Option<Timestamp>,
    /// The last generation that each client was in sync with.
    #[serde(default)]
    pub clients: BTreeMap<String, u64>,
    /// The last generation that each hook has handled.
    pub hooks: BTreeMap<String, u64>,
    /// The counters since the first start.
    pub counters: Counters,
}

/// The information that clients and hooks need. Each change of it is a new generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The port number on the VPN server.
    pub port: u16,
    /// The port on this machine.
    pub local_port: u16,
    /// The protocols that are forwarded.
    pub protocols: PortProtocols,
    /// The tunnel through which the port is forwarded.
    pub tunnel: Tunnel,
}

/// The forward that the keeper holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldForward {
    /// The forward as the provider last described it.
    pub forward: PortForward,
    /// Whether the keeper created the forward. It never deletes any others.
    pub is_own: bool,
    /// Whether the forward is open, as far as we know. Renewing may still revive one that is not.
    pub is_open: bool,
    /// The remaining lifetime when the keeper first saw the forward; `None` if the provider did not
    /// say.
    pub granted: Option<Duration>,
}

/// A creation that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateIntent {
    /// When it was started.
    pub at: Timestamp,
    /// The port numbers that were listed before.
    pub before: Vec<u16>,
}

impl Journal {
    /// The version of the format that this code reads and writes.
    pub const VERSION: u32 = 1;

    /// Creates the journal of a keeper that has done nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: Self::VERSION,
            generation: 0,
            announced: None,
            previous_port: None,
            last_port: None,
            held: None,
            retired: Vec::new(),
            intent: None,
            creations: Vec::new(),
            quota_until: None,
            clients: BTreeMap::new(),
            hooks: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// Returns when the next creation is allowed if there may be at most `daily` within 24 hours;
    /// `None` if never. Forgets older creations.
    pub(crate) fn next_creation(&mut self, daily: u32, now: Timestamp) -> Option<Timestamp> {
        let day_before = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
        self.creations.retain(|at| *at > day_before);
        self.quota_until = self.quota_until.filter(|until| *until > now);
        let quota = self.quota_until.unwrap_or(now);
        let count = self.creations.len();
        match usize::try_from(daily).unwrap_or(usize::MAX) {
            0 => None,
            daily if count < daily => Some(quota),
            daily => {
                let mut creations = self.creations.clone();
                creations.sort_unstable();
                let oldest = creations[count - daily];
                Some(quota.max(oldest.checked_add(DAY).unwrap_or(Timestamp::MAX)))
            }
        }
    }

    /// Forgets a creation that certainly did not happen.
    pub(crate) fn withdraw_intent(&mut self) {
        if let Some(intent) = self.intent.take() {
            let position = self.creations.iter().rposition(|at| *at == intent.at);
            position.map(|index| self.creations.remove(index));
        }
    }

    /// Limits the wait for the quota to a day. Otherwise a clock that was set back would prolong it.
    pub(crate) fn limit_quota(&mut self, now: Timestamp) {
        let day_after = now.checked_add(DAY).unwrap_or(Timestamp::MAX);
        self.quota_until = self.quota_until.map(|until| until.min(day_after));
    }

    /// Adjusts the recorded times after this machine's clock was set. Otherwise setting the clock
    /// forward would grant a new quota.
    pub(crate) fn shift_creations(&mut self, shift: impl Fn(Timestamp) -> Timestamp) {
        self.creations.iter_mut().for_each(|at| *at = shift(*at));
        if let Some(intent) = &mut self.intent {
            intent.at = shift(intent.at);
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}
