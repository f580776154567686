//! A token store that cannot be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyvpn_core::{Error, ErrorKind};
use anyvpn_http::{BoundToken, LockedStore, StoreLock, TokenStore};
use async_trait::async_trait;

/// Wraps a store and refuses to save while it is full, as with a file on a full disk.
pub struct FullStore<S> {
    inner: S,
    is_full: Arc<AtomicBool>,
}

impl<S> FullStore<S> {
    /// Wraps this store, which is full at first.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self { inner, is_full: Arc::new(AtomicBool::new(true)) }
    }

    /// Sets whether the store is full.
    pub fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }
}

#[async_trait]
impl<T: Send + Sync + 'static, S: TokenStore<T>> TokenStore<T> for FullStore<S> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        self.inner.load().await
    }

    async fn lock(&self) -> Result<StoreLock<T>, Error> {
        let locked = self.inner.lock().await?;
        Ok(Box::new(LockedFullStore { locked, is_full: Arc::clone(&self.is_full) }))
    }
}

struct LockedFullStore<T> {
    locked: StoreLock<T>,
    is_full: Arc<AtomicBool>,
}

#[async_trait]
impl<T: Send + Sync + 'static> LockedStore<T> for LockedFullStore<T> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        self.locked.load().await
    }

    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::InvalidRequest).with_detail("the disk is full"));
        }
        self.locked.save(token).await
    }
}
