//! Work that is not left half done when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;

/// A future that goes on in the background when it is dropped before its end, as far as a tokio
/// runtime lives long enough.
///
/// For what another party has begun to do and only this side can write down: a token that was made
/// and is not kept is lost, and it may have ended the one before it.
pub struct RunToCompletion<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    on_abandon: Option<OnAbandon<T>>,
}

type OnAbandon<T> = Box<dyn FnOnce(T) -> BoxFuture<'static, ()> + Send>;

impl<T: Send + 'static> RunToCompletion<T> {
    /// Finishes this work, which counts as begun.
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), on_abandon: None }
    }

    /// Takes back what the work has come to, where nobody waits for it any more.
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
