//! A transport that observes what passes through it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use anyvpn_testkit::time::VirtualTime;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::response::Parts;
use http::{Request, Response};

/// The head of a reply, and all that came of its body.
pub(crate) type WholeReply = (Parts, Vec<Result<Bytes, TransportError>>);

/// Sends a request and reads the reply to its end or break.
pub(crate) async fn send_whole(
    transport: &dyn Transport,
    request: Request<Bytes>,
) -> Result<WholeReply, TransportError> {
    let (head, body) = transport.send(request).await?.into_parts();
    Ok((head, body.collect().await))
}

/// A request and what came back of its reply.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Request<Bytes>,
    /// The reply's status.
    pub status: u16,
    parts: Vec<Bytes>,
}

impl Exchange {
    /// The reply's body, as far as it was read.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.parts.concat()
    }
}

/// Passes requests on to another transport, tells the time which are under way, and keeps every
/// request that was answered.
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
    /// Done before the second request.
    mend: Option<Hook>,
    forgets: bool,
    seen: Vec<Exchange>,
}

impl InstrumentedTransport {
    /// Observes `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, time: None, state: Arc::default() }
    }

    /// Tells this time which requests are under way.
    #[must_use]
    pub fn with_time(self, time: VirtualTime) -> Self {
        Self { time: Some(time), ..self }
    }

    /// Takes the exchanges since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state().seen)
    }

    /// Counts from here on, and keeps exchanges or not.
    pub(crate) fn begin(&self, keep: bool) {
        let mut state = self.state();
        (state.sent, state.forgets) = (0, !keep);
        state.seen.clear();
    }

    /// How many requests the transport was given, sent or not.
    pub(crate) fn attempts(&self) -> usize {
        self.state().sent
    }

    /// Does this before the second request.
    pub(crate) fn before_the_second(&self, mend: Hook) {
        self.state().mend = Some(mend);
    }

    /// Does now what was to be done before the second request, if it has not been done.
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
                // The request is under way until its body has been read or given up.
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
