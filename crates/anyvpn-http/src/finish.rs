//! Work that is not left half done when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;

/// A future that goes on in the background when it is dropped before its end, as far as a tokio
/// runtime lives long enough.
///
/// For what another party has begun to do and only this side can write down: a token that was made
/// and is not kept is lost, and it may have ended the one before it.
pub struct Finish<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Finish<T> {
    /// Finishes this work, which counts as begun.
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let poll = work.as_mut().poll(context);
        if poll.is_ready() {
            self.0 = None;
        }
        poll
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}
