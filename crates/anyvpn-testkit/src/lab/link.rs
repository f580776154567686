//! A transport that the lab knows the requests of.

use std::sync::{Arc, Mutex, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use http::{Request, Response};

use super::Clock;

/// Passes requests to another transport. Tells the clock which are under way, and keeps the last
/// reply where it is asked to.
#[derive(Clone)]
pub struct Link {
    inner: Arc<dyn Transport>,
    clock: Clock,
    state: Arc<Mutex<State>>,
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    sent: usize,
    /// Done before the second request.
    mend: Option<Hook>,
    /// Status and body as they came; `None` keeps nothing.
    last: Option<(u16, Vec<Bytes>)>,
}

impl Link {
    /// A link over `inner`, whose requests this clock knows.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, clock: Clock) -> Self {
        Self { inner, clock, state: Arc::default() }
    }

    /// Counts from here on, and keeps replies or not.
    pub(crate) fn begin(&self, keep: bool) {
        let mut state = self.state();
        state.sent = 0;
        state.last = keep.then(|| (0, Vec::new()));
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

    /// The last reply's status and body.
    pub(crate) fn last(&self) -> Option<(u16, Vec<u8>)> {
        let state = self.state();
        state.last.as_ref().map(|(status, parts)| (*status, parts.concat()))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Link {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let mend = {
            let mut state = self.state();
            state.sent += 1;
            if state.sent == 2 { state.mend.take() } else { None }
        };
        if let Some(mend) = mend {
            mend();
        }
        let under_way = self.clock.request();
        Box::pin(async move {
            let (head, body) = self.inner.send(request).await?.into_parts();
            let state = Arc::clone(&self.state);
            let status = head.status.as_u16();
            let keep = move |bytes: &Bytes, first: bool| {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((kept, parts)) = &mut state.last {
                    if first {
                        (*kept, *parts) = (status, Vec::new());
                    }
                    parts.push(bytes.clone());
                }
            };
            keep(&Bytes::new(), true);
            let body = body.inspect(move |chunk| {
                // The request is under way until its body has been read or given up.
                let _ = &under_way;
                if let Ok(bytes) = chunk {
                    keep(bytes, false);
                }
            });
            Ok(Response::from_parts(head, body.boxed()))
        })
    }
}
