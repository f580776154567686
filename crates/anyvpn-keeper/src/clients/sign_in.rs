//! Prevents refused credentials from being sent again soon, because clients lock out callers that do
//! so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyvpn_core::Clock;

use crate::ClientError;

/// How long refused credentials are not sent again. qBittorrent locks an address out for an hour after
/// five refusals, including people on the same machine. At this rate, five refusals take more than a
/// day.
const PAUSE: Duration = Duration::from_secs(6 * 60 * 60);

/// The last refusal of the credentials.
pub(super) struct Refusals {
    last: Mutex<Option<(Instant, String)>>,
    clock: Arc<dyn Clock>,
}

impl Refusals {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { last: Mutex::default(), clock }
    }

    /// Returns the last refusal as an error while it counts.
    ///
    /// # Errors
    ///
    /// `Unauthorized`, if the credentials must not be sent now.
    pub fn check(&self) -> Result<(), ClientError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((at, why)) if self.clock.instant() < *at + PAUSE => Err(unauthorized(why)),
            _ => Ok(()),
        }
    }

    /// Records a refusal, and returns it as an error.
    pub fn remember(&self, why: &str) -> ClientError {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((self.clock.instant(), why.to_owned()));
        unauthorized(why)
    }
}

fn unauthorized(why: &str) -> ClientError {
    let hours = PAUSE.as_secs() / 3600;
    ClientError::Unauthorized(format!(
        "{why}; correct the credentials and reload the keeper, which otherwise tries them again after {hours} \
         hours"
    ))
}
