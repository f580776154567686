//! An end user's tokens: kept, and refreshed before they end.

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, Secret, Timestamp};
use anyvpn_http::{
    Client, Clock, Credentials, Finish, Fixed, Operation as _, StoreLock, TokenStore,
};
use async_trait::async_trait;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::dialect::{Access, Dialect, Proof};
use crate::ops::{TokenRefresh, Tokens};

/// How long a short token is good for, where a reply does not say.
const SHORT: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a long token is good for without a plan, where a reply does not say.
const LONG: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long before its end a short token is refreshed.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The two tokens of an end user, and when they end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionTokens {
    /// For all calls but refreshing.
    pub short_token: Secret,
    /// When the short token ends; about 12 hours after it was made.
    pub short_token_expires_at: Timestamp,
    /// For refreshing only.
    pub long_token: Secret,
    /// When the long token ends: with the plan, or after 30 days.
    pub long_token_expires_at: Timestamp,
}

impl SessionTokens {
    /// The tokens of a reply. A time in seconds wins over the same time as text.
    ///
    /// # Errors
    ///
    /// `UnexpectedReply` when a token is missing, as it is for callers that VPNGN does not give one.
    pub fn new(tokens: Tokens, now: Timestamp) -> Result<Self, Error> {
        let missing = |name: &str| {
            Error::new(ErrorKind::UnexpectedReply)
                .with_operation(TokenRefresh::ID)
                .with_detail(format!("at `{name}`: missing"))
        };
        let ends = |seconds: Option<Timestamp>, text: Option<&str>, usual: Duration| {
            seconds.or_else(|| text.and_then(utc)).unwrap_or_else(|| now + usual)
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

/// A time such as `2022-01-26 03:45:34`, which is UTC: it agrees with its `_ts`.
fn utc(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.parse().ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Keeps the tokens of one end user in a store, and refreshes the short one before it ends, and once
/// more when it is refused: one caller at a time, for all callers and all processes that share the
/// store. A refresh that has begun comes to its end also when the caller is dropped: VPNGN may have
/// ended the old tokens.
#[derive(Clone)]
pub(crate) struct Session {
    client: Client<Dialect>,
    api_key: Secret,
    email: String,
    store: Arc<dyn TokenStore<SessionTokens>>,
}

impl Session {
    pub(crate) fn new(
        client: Client<Dialect>,
        api_key: Secret,
        email: String,
        store: Arc<dyn TokenStore<SessionTokens>>,
    ) -> Self {
        Self { client, api_key, email, store }
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        self.client.clock()
    }

    /// Makes tokens with this proof and keeps them, under the store's lock.
    pub(crate) async fn start(
        &self,
        proof: Proof,
        turn: StoreLock,
    ) -> Result<SessionTokens, Error> {
        let session = self.clone();
        Finish::new(async move {
            let _turn = turn;
            session.make(proof).await
        })
        .await
    }

    async fn make(&self, proof: Proof) -> Result<SessionTokens, Error> {
        let access = Access::new(self.api_key.clone(), proof);
        let client = self.client.with_credentials(Fixed(Some(access)));
        let tokens = client.call(TokenRefresh { email: self.email.clone() }).await?;
        let tokens = SessionTokens::new(tokens, self.clock().now())?;
        self.store.save(Some(&tokens)).await?;
        Ok(tokens)
    }

    async fn kept(&self) -> Result<SessionTokens, Error> {
        let kept = self.store.load().await?;
        kept.ok_or_else(|| ended(format!("there are no tokens of {}", self.email)))
    }

    fn access(&self, tokens: SessionTokens) -> Access {
        Access::new(self.api_key.clone(), Proof::ShortToken(tokens.short_token))
    }

    fn is_fresh(&self, tokens: &SessionTokens) -> bool {
        self.clock().now() + MARGIN < tokens.short_token_expires_at
    }

    /// Makes new tokens with the long one.
    async fn refresh(&self, old: SessionTokens, turn: StoreLock) -> Result<SessionTokens, Error> {
        if self.clock().now() >= old.long_token_expires_at {
            let at = old.long_token_expires_at;
            return Err(ended(format!("the long token of {} ended at {at}", self.email)));
        }
        match self.start(Proof::LongToken(old.long_token), turn).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                Err(error
                    .with_detail("the long token was refused; sign in with the password again"))
            }
            outcome => outcome,
        }
    }
}

#[async_trait]
impl Credentials<Access> for Session {
    async fn current(&self) -> Result<Option<Access>, Error> {
        let tokens = self.kept().await?;
        if self.is_fresh(&tokens) {
            return Ok(Some(self.access(tokens)));
        }
        let turn = self.store.lock().await?;
        let tokens = self.kept().await?;
        let tokens =
            if self.is_fresh(&tokens) { tokens } else { self.refresh(tokens, turn).await? };
        Ok(Some(self.access(tokens)))
    }

    async fn renew(&self, refused: &Access) -> Result<bool, Error> {
        let turn = self.store.lock().await?;
        let tokens = self.kept().await?;
        let same = matches!(&refused.proof, Proof::ShortToken(token)
            if token.expose() == tokens.short_token.expose());
        if same {
            self.refresh(tokens, turn).await?;
        }
        Ok(true)
    }
}

fn ended(why: String) -> Error {
    Error::new(ErrorKind::Unauthorized).with_detail(format!("{why}; sign in with the password"))
}
