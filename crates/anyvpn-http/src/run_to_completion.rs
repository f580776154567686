//! Futures that are completed even if their callers stop waiting.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;

/// A future that continues in the background if it is dropped before it completes, as long as the tokio
/// runtime runs.
///
/// Use it for work whose result exists at the provider and must be recorded here: a token that was
/// issued but not stored is lost, and may have invalidated the previous one.
pub struct RunToCompletion<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    on_abandon: Option<OnAbandon<T>>,
}

type OnAbandon<T> = Box<dyn FnOnce(T) -> BoxFuture<'static, ()> + Send>;

impl<T: Send + 'static> RunToCompletion<T> {
    /// Creates a future that completes this work, even if the future is dropped before it is polled.
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), on_abandon: None }
    }

    /// Sets what to do with the result if the caller no longer waits for it.
    #[must_use]
    pub fn on_abandon<F>(mut self, on_abandon: impl FnOnce(T) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.on_abandon = Some(Box::new(|done| Box::pin(on_abandon(done))));
        self
    }
}

impl<T: Send + 'static> Future for RunToCompletion<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let poll = work.as_mut().poll(context);
        if poll.is_ready() {
            self.work = None;
        }
        poll
    }
}

impl<T: Send + 'static> Drop for RunToCompletion<T> {
    fn drop(&mut self) {
        let on_abandon = self.on_abandon.take();
        if let Some(work) = self.work.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let done = work.await;
                if let Some(on_abandon) = on_abandon {
                    on_abandon(done).await;
                }
            });
        }
    }
}
