//! What the machine is told once, at the start.

use std::time::Duration;

use anyvpn_core::{DAY, Lease, NewPortForward};

/// The most creations a day where forwards are fixed: nobody documents AzireVPN's own limit, and a keeper
/// needs one a month.
const FIXED_CREATIONS: u32 = 5;
/// The same where a forward costs nothing, so that an error cannot run without end.
const KEPT_ALIVE_CREATIONS: u32 = 100;

/// What the machine is told once, at the start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long the provider's forwards live.
    pub lease: Lease,
    /// What to ask for. Without a device, it is the tunnel's first IPv4 address.
    pub forward: NewPortForward,
    /// Whether the provider checks ports from outside.
    pub can_check: bool,
    /// The names of the torrent clients.
    pub clients: Vec<String>,
    /// The names of the hooks.
    pub hooks: Vec<String>,
    /// The most forwards that are created within 24 hours. With 0, only one that exists is kept.
    pub daily_creations: u32,
    /// How long before its end a forward is replaced; at most a quarter of what was granted.
    pub replace_before: Duration,
    /// How often clients are looked at.
    pub observe_every: Duration,
    /// How often a port that was found open is checked again.
    pub check_every: Duration,
    /// Whether to end after one round.
    pub once: bool,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Settings {
    /// The usual settings, without clients and hooks.
    #[must_use]
    pub fn new(lease: Lease) -> Self {
        Self {
            lease,
            forward: NewPortForward::new(),
            can_check: false,
            clients: Vec::new(),
            hooks: Vec::new(),
            daily_creations: match lease {
                Lease::Fixed => FIXED_CREATIONS,
                _ => KEPT_ALIVE_CREATIONS,
            },
            replace_before: DAY,
            observe_every: Duration::from_secs(60),
            check_every: Duration::from_secs(60 * 60),
            once: false,
            seed: 0,
        }
    }

    pub(crate) fn is_fixed(&self) -> bool {
        self.lease == Lease::Fixed
    }
}
