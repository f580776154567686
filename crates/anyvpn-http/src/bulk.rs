//! Makes many calls concurrently.

use std::future::poll_fn;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};

/// Makes a call for each input, at most `in_flight` at the same time, and yields each input with its
/// outcome as the calls finish.
///
/// - **In order.** Calls start in the order of the inputs. The client's limits apply: after a 429 with
///   `Retry-After` all of its calls wait together, and operations that the vendor limits are sent one
///   at a time ([`Client::wait_for`](crate::Client::wait_for)).
/// - **With back-pressure.** An input is taken when its call can start, and calls make progress only
///   while the stream is polled, so memory does not grow with the number of inputs. Do slow work on a
///   result, such as writing it to a database, inside `call`: while the stream is not polled its calls
///   stand still, and they may run out of time.
/// - **With the input.** Each input is cloned, once for the call and once for the result, so make it
///   cheap to clone, for example a reference. A failure does not stop the other calls: see
///   [`Bulk::stop`].
///
/// Dropping the stream drops the calls in flight; the client remains usable. Inputs that were taken
/// and not yielded may have taken effect, even for a call that must not be done twice: read their
/// state back. [`Bulk::stop`] avoids this.
///
/// ```
/// use std::num::NonZero;
///
/// use anyvpn_http::bulk;
/// use futures_util::{StreamExt, stream};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let names = ["ada", "bob", "cy"];
/// let in_flight = const { NonZero::new(2).unwrap() };
/// // In a program: |name| client.call(CreateUser::new(name))
/// let mut calls = bulk(stream::iter(names), in_flight, async |name| name.parse::<u32>());
/// while let Some((name, outcome)) = calls.next().await {
///     if let Err(error) = outcome {
///         eprintln!("{name}: {error}");
///     }
/// }
/// # }).unwrap();
/// ```
pub fn bulk<I, F>(
    inputs: impl Stream<Item = I>,
    in_flight: NonZero<usize>,
    mut call: impl FnMut(I) -> F,
) -> Bulk<impl Stream<Item = (I, F::Output)>>
where
    I: Clone,
    F: Future,
{
    let stopped = Arc::<AtomicBool>::default();
    let stop = Arc::clone(&stopped);
    // The caller that stops the stream polls it next, so no waker is needed.
    let until = poll_fn(move |_| match stop.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    });
    let calls = inputs.take_until(until).map(move |input| {
        // An async block would store the call twice: as a captured value and as an awaited one.
        call(input.clone()).map(move |outcome| (input, outcome))
    });
    Bulk { calls: Box::pin(calls.buffer_unordered(in_flight.get())), stopped }
}

/// The stream that [`bulk`] returns: each input with its outcome.
#[derive(Debug)]
#[must_use = "nothing is called unless it is polled"]
pub struct Bulk<S> {
    calls: Pin<Box<S>>,
    stopped: Arc<AtomicBool>,
}

impl<S> Bulk<S> {
    /// Stops taking inputs. The calls in flight continue: poll the stream to its end to get the outcome
    /// of every input that was taken.
    ///
    /// This is for errors that all other calls would share. Only the caller knows which these are:
    /// `Unauthorized` may be about the credential of all calls, or about one customer.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl<S: Stream> Stream for Bulk<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.calls.as_mut().poll_next(context)
    }
}
