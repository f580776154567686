//! The queue: creations and deletions that take time.

use jiff::Timestamp;

use super::state::{Config, ConfigState, Job, State};

/// The default reason of a failed job.
const REASON: &str = "The connection to the VPN server could not be established.";

impl State {
    /// Queues a job, which is due after the job duration and may be set to fail.
    pub(super) fn dispatch(&mut self) -> Job {
        let due = self.clock.now().checked_add(self.job_duration).unwrap_or(Timestamp::MAX);
        let drawn =
            self.failing_percent > 0 && self.random.below(100) < u32::from(self.failing_percent);
        let fails = self.failures.pop_front().or_else(|| drawn.then(|| REASON.to_owned()));
        Job { due, fails }
    }

    /// Runs the jobs that are due.
    pub(super) fn do_jobs(&mut self) {
        let now = self.clock.now();
        let active_again = self.quirks.failed_deletion_is_active;
        for account in &mut self.accounts {
            account.configs.retain_mut(|config| settle(config, now, active_again));
        }
    }
}

/// Ends the job of a configuration if it is due. Returns whether the configuration still exists.
fn settle(config: &mut Config, now: Timestamp, active_again: bool) -> bool {
    let Some(job) = config.job.take_if(|job| job.due <= now) else {
        return true;
    };
    config.updated_at = job.due.as_second();
    match (config.state, job.fails) {
        (ConfigState::PendingDeletion, None) => return false,
        (_, None) => config.state = ConfigState::Active,
        (state, reason) => {
            config.fail_reason = reason;
            if state == ConfigState::PendingDeletion && active_again {
                config.state = ConfigState::Active;
            }
        }
    }
    true
}
