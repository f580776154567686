//! The rate limit, by the sandbox's clock.

use std::collections::HashMap;

use super::answer::refusal;
use crate::reply::Reply;

/// What the live service announced.
const SEEN_LIMIT: u32 = 60;
const SEEN_REMAINING: u32 = 58;
const MINUTE: i64 = 60;

/// Requests of the running minute, by the id of the token; those without one share a count.
pub(super) struct RateLimit {
    per_minute: Option<u32>,
    minute: i64,
    used: HashMap<Option<String>, u32>,
}

/// What the headers of a reply tell.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    limit: u32,
    remaining: u32,
}

impl Rate {
    pub(super) fn tell(self, reply: Reply) -> Reply {
        reply
            .with_header("x-ratelimit-limit", self.limit)
            .with_header("x-ratelimit-remaining", self.remaining)
    }
}

impl RateLimit {
    pub(super) fn new(per_minute: Option<u32>) -> RateLimit {
        RateLimit { per_minute, minute: 0, used: HashMap::new() }
    }

    /// Counts a request, or refuses it.
    pub(super) fn take(&mut self, token: Option<String>, now: i64) -> Result<Rate, Reply> {
        let Some(limit) = self.per_minute else {
            return Ok(Rate { limit: SEEN_LIMIT, remaining: SEEN_REMAINING });
        };
        let minute = now.div_euclid(MINUTE);
        if self.minute != minute {
            self.minute = minute;
            self.used.clear();
        }
        let used = self.used.entry(token).or_default();
        if *used >= limit {
            let reply = refusal(429, "Too Many Attempts.")
                .with_header("retry-after", MINUTE - now.rem_euclid(MINUTE));
            return Err(Rate { limit, remaining: 0 }.tell(reply));
        }
        *used += 1;
        Ok(Rate { limit, remaining: limit - *used })
    }
}
