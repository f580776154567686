//! Many calls at one time.

use std::future::poll_fn;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::{FutureExt, StreamExt};

/// Makes a call for each input, at most `in_flight` of them at one time, and gives each input with
/// what became of it, as the calls end.
///
/// - **In order.** Calls start in the order of the inputs, so none waits behind a later one. The
///   client's own limits hold: after a 429 with `Retry-After` all of its calls wait together, and an
///   operation that the vendor allows only so often goes turn by turn
///   ([`Client::wait_for`](crate::Client::wait_for)).
/// - **With back-pressure.** An input is taken when its call can start, and calls go on while the
///   stream is polled. Nothing piles up, whatever the number of inputs. What takes long and follows
///   a result, such as to write it to a database, belongs into `call`: a stream that is left alone
///   leaves its calls alone as well, and they may run out of time.
/// - **With the input.** An input is cloned, for the call and for the result; make it cheap to clone,
///   a reference for instance. A failure stops nothing: see [`Bulk::stop`].
///
/// Dropping the stream drops the calls in flight, and leaves the client usable. What had been taken
/// from `inputs` and was not given back may have been done, also by a call that must not be done
/// twice: read it back. [`Bulk::stop`] leaves no such doubt.
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
    // Whoever stops polls next, so nobody has to be woken.
    let until = poll_fn(move |_| match stop.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    });
    let calls = inputs.take_until(until).map(move |input| {
        // An async block would hold the call twice: as it was given, and as it is awaited.
        call(input.clone()).map(move |outcome| (input, outcome))
    });
    Bulk { calls: Box::pin(calls.buffer_unordered(in_flight.get())), stopped }
}

/// The calls of [`bulk`]: a stream of each input with its outcome.
#[derive(Debug)]
#[must_use = "nothing is called unless it is polled"]
pub struct Bulk<S> {
    calls: Pin<Box<S>>,
    stopped: Arc<AtomicBool>,
}

impl<S> Bulk<S> {
    /// Takes no further input. The calls in flight go on: poll until the end, and every input that
    /// was taken has its outcome.
    ///
    /// This is for an error that all the others would share. Which one that is only the caller knows:
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
