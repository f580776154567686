//! Limits how often an operation may be sent, for all workers together.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyvpn_core::{Error, Timestamp};

use crate::decide::later;

/// A rate, such as 6 calls per minute. All calls of a period may be sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The number of calls in a period.
    pub calls: u32,
    /// The length of the period.
    pub per: Duration,
}

impl FromStr for Budget {
    type Err = Error;

    /// Parses a text such as `6/min`; the unit is `s`, `min` or `h`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (calls, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "min" => 60,
                "h" => 3600,
                _ => return None,
            };
            let calls = calls.parse().ok().filter(|calls| *calls > 0)?;
            Some(Self { calls, per: Duration::from_secs(seconds) })
        };
        read().ok_or_else(|| Error::invalid("budget", "must be a rate such as 6/min, 5/s or 100/h"))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.calls)
    }
}

/// The state of a budget: the generic cell rate algorithm, which only needs to store one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meter {
    /// The rate; `None` if only a provider's limit applies to the operation.
    pub(crate) budget: Option<Budget>,
    /// When the budget will be full again. This is in the future after recent calls.
    pub(crate) full_at: Timestamp,
    /// No call may be sent before this time, because the provider said so.
    pub(crate) held_until: Timestamp,
    /// When the last postponed order will be tried again, so that postponed orders do not all come back
    /// at once.
    pub(crate) queue: Timestamp,
}

impl Meter {
    pub(crate) fn new(budget: Option<Budget>) -> Self {
        let long_ago = Timestamp::UNIX_EPOCH;
        Self { budget, full_at: long_ago, held_until: long_ago, queue: long_ago }
    }

    pub(crate) fn hold(&mut self, until: Timestamp) {
        self.held_until = self.held_until.max(until);
    }

    /// Uses the budget for one call.
    ///
    /// # Errors
    ///
    /// Returns when to try again, if the budget has no room.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let interval = self.budget.map_or(Duration::ZERO, |budget| budget.per / budget.calls);
        let burst = self.budget.map_or(Duration::ZERO, |budget| budget.per - interval);
        let free = self.full_at.checked_sub(burst).unwrap_or(Timestamp::MIN).max(self.held_until);
        if free <= now {
            self.full_at = later(self.full_at.max(now), interval);
            return Ok(());
        }
        self.queue = later(self.queue.max(free), interval);
        Err(self.queue)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_burst_uses_the_budget_up_and_those_who_wait_come_back_one_after_another() {
        let mut meter = Meter::new(Some("6/min".parse().unwrap()));
        let taken = (0..10).filter(|_| meter.take(at(0)).is_ok()).count();
        assert_eq!(taken, 6);
        assert!(meter.take(at(10)).is_ok());
        assert!(meter.take(at(11)).is_err());
        // Four orders were postponed before, to 20, 30, 40 and 50, and this one comes after them.
        assert_eq!(meter.take(at(12)), Err(at(70)));
    }

    #[test]
    fn no_call_is_made_while_the_provider_holds_the_operation() {
        let mut meter = Meter::new(None);
        meter.hold(at(30));
        meter.hold(at(20));
        assert_eq!(meter.take(at(29)), Err(at(30)));
        assert_eq!(meter.take(at(30)), Ok(()));
    }

    #[test]
    fn rates_are_read_and_shown() {
        for text in ["6/min", "5/s", "100/h"] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
        for text in ["", "6", "0/s", "-1/s", "6/day", "1/s/s"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
