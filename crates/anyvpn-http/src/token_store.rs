//! Where a token that was made by signing in is kept, and for whom it is.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{ActivityKind, CallObserver, Error, ErrorKind, Observation, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::locked::locked;

/// Where a token is good, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Binding {
    /// The provider's name, such as `vpnscript`.
    pub provider: String,
    /// The base URL of the API that made the token, as [`Client::base_url`](crate::Client::base_url)
    /// gives it.
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

/// Keeps the token in memory, for all clients that share the store.
pub struct MemoryStore<T> {
    token: Arc<std::sync::Mutex<Option<BoundToken<T>>>>,
    lock: Arc<Mutex<()>>,
}

impl<T> MemoryStore<T> {
    /// A store that holds this token, or none yet.
    #[must_use]
    pub fn new(token: Option<BoundToken<T>>) -> Self {
        Self { token: Arc::new(std::sync::Mutex::new(token)), lock: Arc::default() }
    }
}

impl<T> Default for MemoryStore<T> {
    fn default() -> Self {
        Self::new(None)
    }
}

#[async_trait]
impl<T: Clone + Send + Sync + 'static> TokenStore<T> for MemoryStore<T> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        Ok(locked(&self.token).clone())
    }

    async fn lock(&self) -> Result<StoreLock<T>, Error> {
        let guard = Arc::clone(&self.lock).lock_owned().await;
        Ok(Box::new(LockedMemory { token: Arc::clone(&self.token), _guard: guard }))
    }
}

struct LockedMemory<T> {
    token: Arc<std::sync::Mutex<Option<BoundToken<T>>>>,
    _guard: OwnedMutexGuard<()>,
}

#[async_trait]
impl<T: Clone + Send + Sync + 'static> LockedStore<T> for LockedMemory<T> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        Ok(locked(&self.token).clone())
    }

    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error> {
        *locked(&self.token) = token.cloned();
        Ok(())
    }
}

/// The exclusive lock of a file. Dropping it releases the lock, and so does the end of the process.
#[derive(Debug)]
pub struct FileLock(File);

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing the file is not enough while another thread starts a program: until that program
        // runs, it has the file open too. If unlocking fails, closing the file is all there is left.
        let _ = self.0.unlock();
    }
}

/// Waits for the exclusive lock of a file, which is made when it is missing. While another process
/// has it, this is an activity of the observer.
///
/// # Errors
///
/// When the file cannot be made or locked.
pub async fn lock_file(
    path: &Path,
    observer: Option<&Arc<dyn CallObserver>>,
) -> io::Result<FileLock> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    // Whoever can open the file could hold its lock for ever.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let mut waiting: Option<Observation> = None;
    // Asked again and again instead of waited for in a thread, so that dropping the future ends the
    // wait.
    loop {
        match file.try_lock() {
            Ok(()) => {
                if let Some(observation) = waiting {
                    observation.finish(None);
                }
                return Ok(FileLock(file));
            }
            Err(TryLockError::WouldBlock) => {
                waiting.get_or_insert_with(|| Observation::start(observer, ActivityKind::FileLock));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
