//! A token store in memory.

use std::sync::Arc;

use anyvpn_core::{BoundToken, Error, LockedStore, StoreLock, TokenStore};
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
