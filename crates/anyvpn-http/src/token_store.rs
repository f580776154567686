//! A token store in memory, and the lock of a file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{
    ActivityKind, BoundToken, CallObserver, Error, LockedStore, Observation, StoreLock, TokenStore,
};
use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::locked::locked;

/// A store in memory, for all clients that share it.
pub struct MemoryStore<T> {
    token: Arc<std::sync::Mutex<Option<BoundToken<T>>>>,
    lock: Arc<Mutex<()>>,
}

impl<T> MemoryStore<T> {
    /// Creates a store with this token, or without one.
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
        // Closing the file is not enough while another thread starts a program, because the child has
        // the file open until it runs. If unlocking fails, closing is all that is left to do.
        let _ = self.0.unlock();
    }
}

/// Waits for the exclusive lock of a file, which is created if it is missing. The observer is told
/// while another process holds it.
///
/// # Errors
///
/// If the file cannot be created or locked.
pub async fn lock_file(
    path: &Path,
    observer: Option<&Arc<dyn CallObserver>>,
) -> io::Result<FileLock> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    // Anybody who can open the file could hold its lock for ever.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let mut waiting: Option<Observation> = None;
    // Polled instead of waited for in a thread, so that dropping the future ends the wait.
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
