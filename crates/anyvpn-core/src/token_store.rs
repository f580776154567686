//! Stores for tokens, and the binding of a token to one account of a provider.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Timestamp};

/// The account and the API to which a token belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Binding {
    /// The provider's name, such as `vpnscript`.
    pub provider: String,
    /// The base URL of the API that made the token, without a slash at its end.
    pub base_url: String,
    /// The account: a user name or an email address. `None` if it is not known, as for a token that
    /// somebody typed in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<String>,
}

impl Binding {
    /// Creates a binding to one account of a provider.
    #[must_use]
    pub fn new(
        provider: impl Into<String>,
        base_url: impl Into<String>,
        subject: Option<String>,
    ) -> Self {
        Self { provider: provider.into(), base_url: base_url.into(), subject }
    }

    /// Checks that a token stored for `self` may be used for `wanted`.
    ///
    /// # Errors
    ///
    /// `InvalidRequest`, naming both, if they are different.
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

/// A token with its binding and its age.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BoundToken<T> {
    /// The account and the API to which it belongs.
    #[serde(flatten)]
    pub binding: Binding,
    /// When it was obtained, by the clock of the program that obtained it; `None` if that is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<Timestamp>,
    /// The token, or set of tokens.
    pub token: T,
}

impl<T> BoundToken<T> {
    /// Creates a stored token of unknown age.
    #[must_use]
    pub fn new(binding: Binding, token: T) -> Self {
        Self { binding, made_at: None, token }
    }

    /// Sets when the token was obtained.
    #[must_use]
    pub fn with_made_at(mut self, made_at: Timestamp) -> Self {
        self.made_at = Some(made_at);
        self
    }
}

/// Stores one token, or one set of tokens, for longer than a client lives.
///
/// Clients that share a store sign in once for all of them. Any client may read; only the holder of
/// the lock can replace the token.
#[async_trait]
pub trait TokenStore<T>: Send + Sync + 'static {
    /// Returns the stored token; `None` if there is none.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the stored token cannot be read, or if other users could read it.
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error>;

    /// Waits for the lock that allows replacing the token. Its holder loads the token first, because
    /// another program may have replaced it meanwhile.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the lock cannot be taken at all.
    async fn lock(&self) -> Result<StoreLock<T>, Error>;
}

/// A locked store. Dropping it releases the lock.
pub type StoreLock<T> = Box<dyn LockedStore<T>>;

/// The access to a locked store.
#[async_trait]
pub trait LockedStore<T>: Send + Sync {
    /// Returns the stored token, as [`TokenStore::load`] does.
    ///
    /// # Errors
    ///
    /// As [`TokenStore::load`].
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error>;

    /// Replaces the stored token; `None` removes it. Afterwards the store has either the whole new
    /// token or the whole old one.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the token cannot be written.
    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error>;
}
