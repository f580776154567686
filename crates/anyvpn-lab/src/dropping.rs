//! Drops futures at each of their polls, to show that what they leave behind does no harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use anyvpn_core::Error;
use anyvpn_http::transport::{Body, Progress, Transport, TransportError};
use anyvpn_http::{BoundToken, LockedStore, StoreLock, TokenStore};
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::{Request, Response};

use crate::instrumented::send_whole;

/// Polls a future until it is ready, but at most `polls` times, and drops it.
pub async fn poll_at_most<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            // Dropped now, not when something would wake it.
            Poll::Pending if left == 0 => Poll::Ready(None),
            poll => poll.map(Some),
        }
    })
    .await
}

/// Runs a scenario that drops its future after 0 polls, 1 poll and so on, until the scenario reports
/// that the future completed. Returns that number of polls.
///
/// # Panics
///
/// If the future never completes.
pub async fn at_every_poll(mut scenario: impl AsyncFnMut(usize) -> bool) -> usize {
    for polls in 0..10_000 {
        if scenario(polls).await {
            return polls;
        }
    }
    panic!("the future never completed");
}

/// A transport or a token store whose every step takes an extra poll, so that a caller can be dropped
/// before and after the step. A request that the transport has begun to send is completed even if its
/// caller is dropped.
pub struct Halting<T> {
    inner: Arc<T>,
    under_way: Arc<AtomicUsize>,
}

impl<T> Halting<T> {
    /// Wraps a transport or a store.
    #[must_use]
    pub fn new(inner: T) -> Self {
        Self { inner: Arc::new(inner), under_way: Arc::default() }
    }

    /// Returns the wrapped transport or store.
    #[must_use]
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// Waits until no request is in progress.
    pub async fn settled(&self) {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl<T> Clone for Halting<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), under_way: Arc::clone(&self.under_way) }
    }
}

/// A request that has not been answered yet.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<T: Transport> Transport for Halting<T> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.under_way.fetch_add(1, Ordering::SeqCst);
            let under_way = UnderWay(Arc::clone(&self.under_way));
            let inner = Arc::clone(&self.inner);
            let answer = tokio::spawn(async move {
                let _under_way = under_way;
                send_whole(&*inner, request).await
            });
            let lost = |error| TransportError::new(Progress::MaybeSent, &error);
            let (head, chunks) = answer.await.map_err(lost)??;
            tokio::task::yield_now().await;
            let body = futures_util::stream::iter(chunks).then(async |chunk| {
                tokio::task::yield_now().await;
                chunk
            });
            Ok(Response::from_parts(head, body.boxed()))
        })
    }
}

#[async_trait]
impl<T: Send + Sync + 'static, S: TokenStore<T>> TokenStore<T> for Halting<S> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        tokio::task::yield_now().await;
        let stored = self.inner.load().await;
        tokio::task::yield_now().await;
        stored
    }

    async fn lock(&self) -> Result<StoreLock<T>, Error> {
        tokio::task::yield_now().await;
        let locked = self.inner.lock().await?;
        tokio::task::yield_now().await;
        Ok(Box::new(HaltingLock(locked)))
    }
}

/// A locked store whose every step takes an extra poll.
struct HaltingLock<T>(StoreLock<T>);

#[async_trait]
impl<T: Send + Sync + 'static> LockedStore<T> for HaltingLock<T> {
    async fn load(&self) -> Result<Option<BoundToken<T>>, Error> {
        tokio::task::yield_now().await;
        let stored = self.0.load().await;
        tokio::task::yield_now().await;
        stored
    }

    async fn save(&mut self, token: Option<&BoundToken<T>>) -> Result<(), Error> {
        tokio::task::yield_now().await;
        let saved = self.0.save(token).await;
        tokio::task::yield_now().await;
        saved
    }
}
