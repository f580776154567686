//! Where a token that was made by signing in is kept, and for whom it is.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Timestamp};

/// Where a token is good, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Binding {
    /// The provider's name, such as `vpnscript`.
    pub provider: String,
    /// The base URL of the API that made the token, without a slash at its end.
    pub base_url: String,
    /// Whose token it is: a user name or an email address. `None` where that is not known, as for a
    /// token that was typed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
}

impl Binding {
    /// A binding to one account of a provider.
    #[must_use]
    pub fn new(
        provider: impl Into<String>,
        base_url: impl Into<String>,
        subject: Option<String>,
    ) -> Self {
        Self { provider: provider.into(), base_url: base_url.into(), subject }
    }

    /// Checks that what a store holds for `self` is used for `wanted`.
    ///
    /// # Errors
    ///
    /// `InvalidRequest`, which names both, when it is for something else.
    pub fn check(&self, wanted: &Self) -> Result<(), Error> {
        if self == wanted {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidRequest).with_detail(format!(
            "the store has the token of {self}, not of {wanted}; nothing was sent; use another \
             store, or remove that token from this one"
        )))
    }
}

impl std::fmt::Display for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { provider, base_url, subject } = self;
        match subject {
            Some(subject) => write!(f, "{subject} at {provider} ({base_url})"),
            None => write!(f, "{provider} ({base_url})"),
        }
    }
}

/// A token, and what it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BoundToken<T> {
    /// Where it is good, and whose it is.
    #[serde(flatten)]
    pub binding: Binding,
    /// When it was made, by the clock of the program that made it; `None` when that is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<Timestamp>,
    /// The token, or a set of tokens.
    pub token: T,
}

impl<T> BoundToken<T> {
    /// A token of which it is not known when it was made.
    #[must_use]
    pub fn new(binding: Binding, token: T) -> Self {
        Self { binding, made_at: None, token }
    }

    /// Says when the token was made.
    #[must_use]
    pub fn with_made_at(mut self, made_at: Timestamp) -> Self {
        self.made_at = Some(made_at);
        self
    }
}

/// Keeps one token, or one set of tokens, beyond a client's life.
///
/// Clients that share a store sign in once for all of them. Anybody may read; only the holder of the
/// lock can replace the token.
#[async_trait]
pub trait TokenStore<T>: Send + Sync + 'static {
    /// Reads the stored token; `None` when there is none.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the stored token cannot be read or is open to others.
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error>;

    /// Waits for the right to replace the token. Its holder loads first: another program may have
    /// replaced the token meanwhile.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the lock cannot be taken at all.
    async fn lock(&self) -> Result<StoreLock<T>, Error>;
}

/// A locked store. Dropping it releases the lock.
pub type StoreLock<T> = Box<dyn LockedStore<T>>;

/// A store as the holder of its lock has it.
#[async_trait]
pub trait LockedStore<T>: Send + Sync {
    /// As [`TokenStore::load`].
    ///
    /// # Errors
    ///
    /// As [`TokenStore::load`].
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error>;

    /// Replaces the stored token; `None` removes it. The store then holds all of the new one or all
    /// of the old one.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the token cannot be written.
    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error>;
}
