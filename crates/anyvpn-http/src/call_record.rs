//! Reports the progress of a call to `tracing` and to the caller's observer.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{Error, ErrorKind, OperationId, Secret, redact};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use tracing::Level;

use crate::{ActivityKind, CallEvent, CallObserver, Clock, Observation, Replay, Request};

/// A record of what a call has sent and received so far.
pub(crate) struct CallRecord {
    pub(crate) observation: Observation,
    operation: OperationId,
    attempts: u32,
    /// The status of the last attempt's reply.
    status: Option<StatusCode>,
    /// The current request; `None` if there is no observer.
    request: Option<SentRequest>,
}

struct SentRequest {
    method: Method,
    path: String,
    since: Instant,
}

impl CallRecord {
    /// Starts the record of a call.
    pub(crate) fn new(
        operation: OperationId,
        replay: Replay,
        observer: Option<&Arc<dyn CallObserver>>,
    ) -> Self {
        let observation = Observation::start(observer, ActivityKind::call(operation, replay));
        Self { observation, operation, attempts: 0, status: None, request: None }
    }

    /// Reports that an attempt is about to be sent.
    pub(crate) fn attempt(&mut self, request: &Request, clock: &dyn Clock) {
        self.attempts += 1;
        self.status = None;
        self.observation.report(CallEvent::sent(self.attempts));
        self.request = tracing::enabled!(Level::INFO).then(|| SentRequest {
            method: request.method().clone(),
            path: request.path_without_query().to_owned(),
            since: clock.instant(),
        });
        tracing::debug!(headers = %ShownHeaders(request.headers()), "sending");
    }

    /// Reports the status of a reply to the attempt.
    pub(crate) fn reply(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.observation.report(CallEvent::replied(self.attempts, status.as_u16()));
    }

    /// Logs the headers of the reply. A server can repeat one of the request's `secrets` in any of
    /// them.
    pub(crate) fn reply_headers(headers: &HeaderMap, secrets: impl FnOnce() -> Vec<Secret>) {
        if tracing::enabled!(Level::DEBUG) {
            let headers = redact(&ShownHeaders(headers).to_string(), &secrets());
            tracing::debug!(%headers, "received");
        }
    }

    /// Reports the end of the attempt, and its error if there is one.
    pub(crate) fn attempted(&mut self, clock: &dyn Clock, error: Option<&Error>) {
        let Some(SentRequest { method, path, since }) = self.request.take() else { return };
        tracing::info!(
            %method,
            %path,
            attempt = self.attempts,
            status = self.status.map(|status| status.as_u16()),
            duration_ms = clock.instant().saturating_duration_since(since).as_millis() as u64,
            kind = error.map(|error| error.kind().name()),
            "request"
        );
    }

    /// Reports that the call is sent again after a wait.
    pub(crate) fn repeat(&self, kind: ErrorKind, wait: Duration) {
        let (kind_name, delay_ms) = (kind.name(), wait.as_millis() as u64);
        tracing::debug!(kind = kind_name, delay_ms, "retrying");
        self.observation.report(CallEvent::repeating(self.attempts, kind, wait));
    }

    /// Reports the call's end.
    pub(crate) fn end<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        // A sign-in during the call has set its own name.
        let outcome = outcome.map_err(|error| match error.operation() {
            Some(_) => error,
            None => error.with_operation(self.operation),
        });
        self.observation.finish(outcome.as_ref().err());
        outcome
    }
}

/// The headers whose values are shown. Every other value is hidden, because a provider's credential can
/// be in a header of any name.
const PUBLIC: [HeaderName; 14] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::RETRY_AFTER,
    header::SERVER,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
    header::VIA,
    header::WWW_AUTHENTICATE,
];

/// Headers in one line, with the values of [`PUBLIC`] headers only.
struct ShownHeaders<'a>(&'a HeaderMap);

impl fmt::Display for ShownHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let shown = value.to_str().ok().filter(|_| PUBLIC.contains(name));
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{name}: {}", shown.unwrap_or("[hidden]"))?;
        }
        Ok(())
    }
}
