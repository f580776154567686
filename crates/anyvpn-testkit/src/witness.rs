//! A transport that keeps what passes through it.

use std::sync::{Arc, Mutex, PoisonError};

use anyvpn_http::transport::{Body, Transport, TransportError};
use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{Request, Response};

/// A request and its reply.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was sent.
    pub request: Request<Bytes>,
    /// What came back.
    pub reply: Response<Bytes>,
}

/// Passes requests on to another transport and keeps every exchange that came to its end.
#[derive(Clone)]
pub struct Witness {
    inner: Arc<dyn Transport>,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

impl Witness {
    /// A witness of this transport.
    #[must_use]
    pub fn new(inner: impl Transport) -> Self {
        Self { inner: Arc::new(inner), seen: Arc::default() }
    }

    /// Takes what was seen since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transport for Witness {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let (head, body) = self.inner.send(request.clone()).await?.into_parts();
            let body = body.try_collect::<BytesMut>().await?.freeze();
            let reply = Response::from_parts(head, body);
            let exchange = Exchange { request, reply: reply.clone() };
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
            Ok(reply.map(|body| stream::iter([Ok(body)]).boxed()))
        })
    }
}
