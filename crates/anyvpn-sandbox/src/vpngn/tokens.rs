//! Short and long tokens, and TokenRefresh.

use serde::Serialize;

use super::access::Caller;
use super::answer::{Answer, Refusal, success_with};
use super::state::State;
use super::time::time_text;
use crate::clock::DAY;
use crate::fields::Fields;
use crate::random::{HEXADECIMAL, Random};

const SHORT_SECONDS: i64 = 12 * 3600;
/// The lifetime of a long token if no product has a due date.
const LONG_SECONDS: i64 = 30 * DAY;
/// The sandbox's own limit; the oldest tokens are removed first.
const MOST_TOKENS: usize = 100;
/// The distance between the two values of `last_product_change_ts` in the document's sample.
const SAMPLE_DISTANCE: i64 = 1_643_303_863 - 1_643_133_080;

/// The tokens of one kind that a customer has, oldest first.
#[derive(Default)]
pub(super) struct Tokens(Vec<Token>);

struct Token {
    text: String,
    expires_at: i64,
}

impl Tokens {
    pub(super) fn accept(&self, text: &str, now: i64) -> bool {
        self.0.iter().any(|token| token.text == text && now < token.expires_at)
    }

    fn add(&mut self, random: &mut Random, expires_at: i64, now: i64) -> String {
        self.0.retain(|token| now < token.expires_at);
        if self.0.len() >= MOST_TOKENS {
            self.0.remove(0);
        }
        let text = format!("0x{}", random.text(33, HEXADECIMAL));
        self.0.push(Token { text: text.clone(), expires_at });
        text
    }
}

/// A new pair of tokens, as in replies.
#[derive(Serialize)]
pub(super) struct Pair {
    pub(super) short_token: String,
    short_token_expire: String,
    short_token_expire_ts: i64,
    pub(super) long_token: String,
    long_token_expire: String,
    long_token_expire_ts: i64,
}

/// One name occurs twice, as in the document's sample. The last value is the true one.
#[derive(Serialize)]
struct RefreshReply {
    #[serde(rename = "last_product_change_ts")]
    not_the_change: i64,
    #[serde(flatten)]
    pair: Pair,
    last_product_change_ts: i64,
}

impl State {
    /// Creates a pair of tokens in addition to those that the customer has.
    pub(super) fn issue(&mut self, brand: usize, email: &str) -> Result<Pair, Refusal> {
        let now = self.now();
        let mut random = self.random.clone();
        let customer = self.customer(brand, email)?;
        let short_end = now.saturating_add(SHORT_SECONDS);
        let due = customer.active().and_then(|product| product.due);
        let long_end = due.unwrap_or(now.saturating_add(LONG_SECONDS));
        let short_token = customer.short.add(&mut random, short_end, now);
        let long_token = customer.long.add(&mut random, long_end, now);
        self.random = random;
        Ok(Pair {
            short_token,
            short_token_expire: time_text(short_end),
            short_token_expire_ts: short_end,
            long_token,
            long_token_expire: time_text(long_end),
            long_token_expire_ts: long_end,
        })
    }
}

pub(super) fn refresh(state: &mut State, caller: &Caller, _fields: Fields) -> Answer {
    let (ends_short, ends_long) =
        (state.quirks.refresh_ends_short_token, state.quirks.refresh_ends_long_token);
    let customer = state.customer(caller.brand, &caller.email)?;
    let last_product_change_ts = customer.changed_at;
    if ends_short {
        customer.short = Tokens::default();
    }
    if ends_long {
        customer.long = Tokens::default();
    }
    Ok(success_with(&RefreshReply {
        not_the_change: last_product_change_ts - SAMPLE_DISTANCE,
        pair: state.issue(caller.brand, &caller.email)?,
        last_product_change_ts,
    }))
}
