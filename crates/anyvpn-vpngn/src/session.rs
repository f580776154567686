//! An end user's tokens, stored and refreshed before they expire.

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{DAY, Error, ErrorKind, Leftover, LeftoverKind, Secret, Timestamp};
use anyvpn_http::{
    Binding, BoundToken, Client, Fixed, Operation as _, TokenManager, TokenSource, TokenStore,
};
use async_trait::async_trait;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::dialect::{Access, Dialect, Proof};
use crate::ops::{TokenRefresh, Tokens};

/// The lifetime of a short token if the reply does not contain it.
const SHORT: Duration = Duration::from_secs(12 * 60 * 60);
/// The lifetime of a long token without a plan if the reply does not contain it.
const LONG: Duration = DAY.saturating_mul(30);

/// The two tokens of an end user, and when they expire.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionTokens {
    /// The token for all calls except refreshing.
    pub short_token: Secret,
    /// When the short token expires, about 12 hours after it was issued.
    pub short_token_expires_at: Timestamp,
    /// The token for refreshing only.
    pub long_token: Secret,
    /// When the long token expires: with the plan, or after 30 days.
    pub long_token_expires_at: Timestamp,
}

impl SessionTokens {
    /// Reads the tokens of a reply. A time in seconds takes precedence over the same time as text.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` if a token is missing, as for callers to whom VPNGN does not give one.
    pub fn new(tokens: Tokens, now: Timestamp) -> Result<Self, Error> {
        let missing = |name: &str| {
            Error::new(ErrorKind::UnexpectedReply)
                .with_operation(TokenRefresh::ID)
                .with_detail(format!("at `{name}`: missing"))
        };
        let ends = |seconds: Option<Timestamp>, text: Option<&str>, usual: Duration| {
            let said = seconds.or_else(|| text.and_then(utc));
            // The clock may be so wrong that the sum is out of range.
            said.unwrap_or_else(|| now.checked_add(usual).unwrap_or(Timestamp::MAX))
        };
        Ok(Self {
            short_token_expires_at: ends(
                tokens.short_token_expire_ts,
                tokens.short_token_expire.as_deref(),
                SHORT,
            ),
            long_token_expires_at: ends(
                tokens.long_token_expire_ts,
                tokens.long_token_expire.as_deref(),
                LONG,
            ),
            short_token: tokens.short_token.ok_or_else(|| missing("short_token"))?,
            long_token: tokens.long_token.ok_or_else(|| missing("long_token"))?,
        })
    }
}

/// Parses a time such as `2022-01-26 03:45:34`. It is in UTC, because it agrees with the field `_ts`.
fn utc(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.parse().ok()?;
    time.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Obtains the tokens of one end user. [`TokenManager`] stores them and decides when to refresh them.
#[derive(Clone)]
pub(crate) struct Refresh {
    client: Client<Dialect>,
    api_key: Secret,
    email: String,
}

/// The tokens of one end user.
pub(crate) type Session = TokenManager<Refresh>;

/// Returns a manager for the tokens of `email` in `store`, with the client's API key.
pub(crate) fn session(
    client: Client<Dialect>,
    api_key: Secret,
    email: String,
    store: Arc<dyn TokenStore<SessionTokens>>,
) -> (Session, Refresh) {
    let binding = Binding::new(TokenRefresh::ID.provider(), client.base_url(), Some(email.clone()));
    let clock = Arc::clone(client.clock());
    let refresh = Refresh { client, api_key, email };
    (TokenManager::new(refresh.clone(), store, binding, clock), refresh)
}

impl Refresh {
    /// Obtains tokens with this proof.
    pub(crate) async fn make_with(self, proof: Proof) -> Result<SessionTokens, Error> {
        let access = Access::new(self.api_key, proof);
        let client = self.client.with_credentials(Fixed(Some(access)));
        let tokens = client.call(TokenRefresh { email: self.email.clone() }).await?;
        // One token without the other is not a session, but it exists at the provider.
        let alone = tokens.short_token.clone().xor(tokens.long_token.clone());
        SessionTokens::new(tokens, self.client.clock().now()).map_err(|error| match alone {
            Some(token) => {
                let leftover = Leftover::new(LeftoverKind::Token, self.email);
                error.with_leftover(leftover.with_text(token))
            }
            None => error,
        })
    }
}

#[async_trait]
impl TokenSource for Refresh {
    type Token = SessionTokens;
    type Credential = Access;

    fn credential(&self, tokens: SessionTokens) -> Access {
        Access::new(self.api_key.clone(), Proof::ShortToken(tokens.short_token))
    }

    fn secret(tokens: &SessionTokens) -> &Secret {
        &tokens.short_token
    }

    fn secret_of(access: &Access) -> Option<&Secret> {
        match &access.proof {
            Proof::ShortToken(token) => Some(token),
            _ => None,
        }
    }

    fn expires_at(&self, tokens: &SessionTokens) -> Option<Timestamp> {
        Some(tokens.short_token_expires_at)
    }

    fn check(&self, stored: Option<&BoundToken<SessionTokens>>) -> Result<(), Error> {
        let email = &self.email;
        let Some(stored) = stored else {
            return Err(ended(format!("no tokens are stored for {email}")));
        };
        let end = stored.token.long_token_expires_at;
        // If a long token had already expired when it was issued, this machine's clock is wrong, so we
        // leave the decision to VPNGN.
        let is_plausible = stored.made_at.is_none_or(|made| made < end);
        if is_plausible && self.client.clock().now() >= end {
            return Err(ended(format!("the long token of {email} ended at {end}")));
        }
        Ok(())
    }

    async fn make(
        &self,
        stored: Option<&BoundToken<SessionTokens>>,
    ) -> Result<SessionTokens, Error> {
        let Some(stored) = stored else {
            return Err(ended(format!("no tokens are stored for {}", self.email)));
        };
        let proof = Proof::LongToken(stored.token.long_token.clone());
        self.clone().make_with(proof).await.map_err(|error| match error.kind() {
            ErrorKind::Unauthorized => {
                error.with_detail("the long token was refused; sign in with the password again")
            }
            _ => error,
        })
    }
}

fn ended(why: String) -> Error {
    Error::new(ErrorKind::Unauthorized).with_detail(format!("{why}; sign in with the password"))
}
