//! A transport that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyvpn_http::transport::{Body, Progress, Transport, TransportError};
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use futures_util::stream;
use http::{Request, Response};

/// What a scripted server does with a request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with this status, headers and body.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Refuses the connection.
    Refuse,
    /// Receives the request and breaks the connection.
    Reset,
    /// Receives the request and never answers.
    Hang,
    /// Answers with headers and this part of a body, then breaks the connection.
    Cut(u16, String),
    /// Answers with this status, headers and a body in these pieces.
    Pieces(u16, Vec<(&'static str, String)>, Vec<Bytes>),
    /// Answers with a body of this many bytes, in chunks, without announcing its length.
    Endless(usize),
}

impl Step {
    /// Creates a JSON reply.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::Reply(
            status,
            vec![("content-type", "application/json".to_owned())],
            body.as_bytes().to_vec(),
        )
    }

    /// Adds a header to the reply.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Reply(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// A server that does one step per request. After the last step it refuses connections.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<Play>>);

#[derive(Default)]
struct Play {
    steps: VecDeque<Step>,
    sent: Vec<Request<Bytes>>,
}

impl Script {
    /// Creates a script of these steps.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self(Arc::new(Mutex::new(Play { steps, sent: Vec::new() })))
    }

    /// Returns the requests that arrived, in order. A refused connection has none.
    #[must_use]
    pub fn sent(&self) -> Vec<Request<Bytes>> {
        self.play().sent.clone()
    }

    /// Returns how many requests arrived.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.play().sent.len()
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let step = {
            let mut play = self.play();
            let step = play.steps.pop_front().unwrap_or(Step::Refuse);
            if !matches!(step, Step::Refuse) {
                play.sent.push(request);
            }
            step
        };
        Box::pin(async move {
            match step {
                Step::Reply(status, headers, body) => {
                    Ok(response(status, &headers, stream::iter([Ok(body.into())]).boxed()))
                }
                Step::Refuse => Err(broken(Progress::NotSent, "connection refused")),
                Step::Reset => Err(broken(Progress::MaybeSent, "connection reset by peer")),
                Step::Hang => std::future::pending().await,
                Step::Cut(status, part) => {
                    let rest = Err(broken(Progress::MaybeSent, "connection reset by peer"));
                    Ok(response(status, &[], stream::iter([Ok(part.into()), rest]).boxed()))
                }
                Step::Pieces(status, headers, pieces) => {
                    let pieces = stream::iter(pieces.into_iter().map(Ok));
                    Ok(response(status, &headers, pieces.boxed()))
                }
                Step::Endless(bytes) => {
                    let chunks = std::iter::repeat_n(Bytes::from(vec![b' '; 1024]), bytes / 1024);
                    Ok(response(200, &[], stream::iter(chunks.map(Ok)).boxed()))
                }
            }
        })
    }
}

fn broken(progress: Progress, reason: &str) -> TransportError {
    TransportError { progress, reason: reason.to_owned() }
}

fn response(status: u16, headers: &[(&str, String)], body: Body) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, value);
    }
    builder.body(body).expect("the script has a valid status and valid headers")
}
