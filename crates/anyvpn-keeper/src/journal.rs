//! What the keeper must still know after it was killed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyvpn_core::{DAY, PortForward, PortProtocols, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Counters, Tunnel};

/// What must survive the end of the process. It is written before the step that it is about, so that a
/// process that is killed at any point neither opens a second port nor forgets one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Journal {
    /// The version of this form.
    pub version: u32,
    /// The number of the last announcement.
    pub generation: u64,
    /// What was announced with that generation; absent if that was the loss of the port.
    pub announced: Option<Announcement>,
    /// The number that was open before the announced one.
    pub previous_port: Option<u16>,
    /// The number that was announced last.
    pub last_port: Option<u16>,
    /// The forward that the keeper holds.
    pub held: Option<HeldForward>,
    /// Forwards that the keeper opened, that have been replaced, and that are still to be closed.
    pub retired: Vec<PortForward>,
    /// The creation that was begun and whose outcome is not known.
    pub intent: Option<CreateIntent>,
    /// When forwards were created, or may have been, within the last 24 hours.
    pub creations: Vec<Timestamp>,
    /// Until when the provider's allowance is used up.
    pub quota_until: Option<Timestamp>,
    /// The last generation that each hook has taken.
    pub hooks: BTreeMap<String, u64>,
    /// What was counted since the first start.
    pub counters: Counters,
}

/// What clients and hooks have to know. Each change of it is a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announcement {
    /// The number on the VPN server.
    pub port: u16,
    /// The port on this machine.
    pub local_port: u16,
    /// The protocols that it carries.
    pub protocols: PortProtocols,
    /// The tunnel that it leads through.
    pub tunnel: Tunnel,
}

/// The forward that the keeper holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldForward {
    /// The forward as the provider last described it.
    pub forward: PortForward,
    /// Whether the keeper created it. It never deletes another one.
    pub is_own: bool,
    /// Whether it is open, as far as is known. One that is not may still be revived by renewing it.
    pub is_open: bool,
    /// How long it was open for when the keeper first saw it; absent if the provider did not say.
    pub granted: Option<Duration>,
}

/// A creation that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateIntent {
    /// When it was begun.
    pub at: Timestamp,
    /// The numbers that were listed before.
    pub before: Vec<u16>,
}

impl Journal {
    /// The version of the form that is read and written here.
    pub const VERSION: u32 = 1;

    /// The journal of a keeper that has done nothing yet.
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
            hooks: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// When the next creation is allowed, if at most `daily` are within 24 hours; `None` if never.
    /// Forgets those that are older.
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

    /// Forgets a creation that surely did not happen.
    pub(crate) fn withdraw_intent(&mut self) {
        if let Some(intent) = self.intent.take() {
            let position = self.creations.iter().rposition(|at| *at == intent.at);
            position.map(|index| self.creations.remove(index));
        }
    }

    /// Moves the times that this machine's clock gave, after the clock was set anew. Otherwise a clock that
    /// is set forward would grant a new allowance.
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
