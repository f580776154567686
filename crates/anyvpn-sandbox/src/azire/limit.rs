//! The rate limit, by the sandbox's clock.

use std::collections::HashMap;

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};

use super::answer::refusal;
use crate::reply::Reply;

/// The limits that the live service announced.
const SEEN_LIMIT: HeaderValue = HeaderValue::from_static("60");
const SEEN_REMAINING: HeaderValue = HeaderValue::from_static("58");
const MINUTE: i64 = 60;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// The requests of the current minute, by the token's id; requests without a token share one count.
pub(super) struct RateLimit {
    per_minute: Option<u32>,
    minute: i64,
    used: HashMap<Option<String>, u32>,
}

/// The values of a reply's rate-limit headers.
pub(super) struct Rate {
    limit: HeaderValue,
    remaining: HeaderValue,
}

impl Rate {
    pub(super) fn tell(&self, reply: Reply) -> Reply {
        let reply = reply.with_header(LIMIT, self.limit.clone());
        reply.with_header(REMAINING, self.remaining.clone())
    }
}

impl RateLimit {
    pub(super) fn new(per_minute: Option<u32>) -> RateLimit {
        RateLimit { per_minute, minute: 0, used: HashMap::new() }
    }

    /// Counts a request, or refuses it if the limit is reached.
    pub(super) fn take(&mut self, token: Option<&str>, now: i64) -> Result<Rate, Reply> {
        let Some(limit) = self.per_minute else {
            return Ok(Rate { limit: SEEN_LIMIT, remaining: SEEN_REMAINING });
        };
        let minute = now.div_euclid(MINUTE);
        if self.minute != minute {
            self.minute = minute;
            self.used.clear();
        }
        let used = self.used.entry(token.map(str::to_owned)).or_default();
        if *used >= limit {
            let reply = refusal(429, "Too Many Attempts.")
                .with_header(RETRY_AFTER, MINUTE - now.rem_euclid(MINUTE));
            return Err(Rate { limit: limit.into(), remaining: 0.into() }.tell(reply));
        }
        *used += 1;
        Ok(Rate { limit: limit.into(), remaining: (limit - *used).into() })
    }
}
