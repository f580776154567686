//! A transport that observes what passes through it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_testkit::time::VirtualTime;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::response::Parts;
use http::{Request, Response};

/// The headers of a reply, and the part of its body that arrived.
pub(crate) type WholeReply = (Parts, Vec<Result<Bytes, TransportError>>);

/// Sends a request and reads the reply until it ends or breaks.
pub(crate) async fn send_whole(
    transport: &dyn Transport,
    request: Request<Bytes>,
) -> Result<WholeReply, TransportError> {
    let (head, body) = transport.send(request).await?.into_parts();
    Ok((head, body.collect().await))
}

/// A request and the part of its reply that arrived.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request<Bytes>,
    /// The reply's status.
    pub status: u16,
    parts: Vec<Bytes>,
}

impl Exchange {
    /// Returns the part of the reply's body that was read.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.parts.concat()
    }
}

/// Wraps a transport, tells the virtual time which requests are in progress, and records every exchange
/// that was answered.
#[derive(Clone)]
pub struct InstrumentedTransport {
    inner: Arc<dyn Transport>,
    time: Option<VirtualTime>,
    state: Arc<Mutex<State>>,
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    sent: usize,
    /// The action before the second request.
    mend: Option<Hook>,
    forgets: bool,
    seen: Vec<Exchange>,
}

impl InstrumentedTransport {
    /// Wraps `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, time: None, state: Arc::default() }
    }

    /// Sets the virtual time that is told which requests are in progress.
    #[must_use]
    pub fn with_time(self, time: VirtualTime) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Returns the exchanges recorded since this was last called.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state().seen)
    }

    /// Restarts the count of requests, and sets whether exchanges are recorded.
    pub(crate) fn begin(&self, keep: bool) {
        let mut state = self.state();
        (state.sent, state.forgets) = (0, !keep);
        state.seen.clear();
    }

    /// Returns how many requests the transport was given, whether or not they were sent.
    pub(crate) fn attempts(&self) -> usize {
        self.state().sent
    }

    /// Sets an action to run before the second request.
    pub(crate) fn before_the_second(&self, mend: Hook) {
        self.state().mend = Some(mend);
    }

    /// Runs the action before the second request now, if it has not run yet.
    pub(crate) fn mend(&self) {
        let mend = self.state().mend.take();
        if let Some(mend) = mend {
            mend();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for InstrumentedTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let (mend, kept) = {
            let mut state = self.state();
            state.sent += 1;
            let mend = if state.sent == 2 { state.mend.take() } else { None };
            (mend, (!state.forgets).then(|| request.clone()))
        };
        if let Some(mend) = mend {
            mend();
        }
        let under_way = self.time.as_ref().map(VirtualTime::request);
        Box::pin(async move {
            let (head, body) = self.inner.send(request).await?.into_parts();
            let place = kept.map(|request| {
                let mut state = self.state();
                let status = head.status.as_u16();
                state.seen.push(Exchange { request, status, parts: Vec::new() });
                state.seen.len() - 1
            });
            let observer = self.clone();
            let body = body.inspect(move |chunk| {
                // The request is in progress until its body has been read or dropped.
                let _ = &under_way;
                if let (Ok(bytes), Some(place)) = (chunk, place)
                    && let Some(exchange) = observer.state().seen.get_mut(place)
                {
                    exchange.parts.push(bytes.clone());
                }
            });
            Ok(Response::from_parts(head, body.boxed()))
        })
    }
}
