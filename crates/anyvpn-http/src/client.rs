//! The pipeline that runs every operation.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyvpn_core::{DAY, Error, ErrorKind, OperationId, Secret, redact, within};
use http::{HeaderValue, StatusCode, header};
use tracing::Instrument;

use crate::call_record::CallRecord;
use crate::client_state::ClientState;
use crate::credentials::Credentials;
use crate::exchange::{AttemptFailure, exchange};
use crate::transport::Progress;
use crate::{
    CallObserver, ClientBuilder, Clock, Dialect, Limits, Observation, Operation, Replay, Reply,
    Request, Server,
};

/// Sends a provider's operations. It is cheap to clone, and clones share connections and rate limits.
///
/// Dropping the future of a call at any point leaves the client usable.
///
/// Calls need a tokio runtime with I/O and time enabled; without one they fail with `InvalidRequest`, and
/// nothing is sent. A client can be used from several runtimes, even at the same time: each runtime has
/// its own connections. A client that was built with
/// [`ClientBuilder::http_client`] belongs to the first runtime that uses it.
pub struct Client<D: Dialect>(pub(crate) Arc<ClientState<D>>);

impl<D: Dialect> Clone for Client<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Dialect> std::fmt::Debug for Client<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base_url()).finish_non_exhaustive()
    }
}

/// The next step of a call after an attempt without a value.
enum Next {
    /// Not at all.
    Stop(Error),
    /// With another attempt, no sooner than the server asks.
    Again(Error, Option<Duration>),
    /// With another credential.
    Renew(Error),
}

impl Next {
    /// Returns the error of the attempt.
    fn error(&self) -> &Error {
        match self {
            Self::Stop(error) | Self::Again(error, _) | Self::Renew(error) => error,
        }
    }
}

impl<D: Dialect> Client<D> {
    /// Returns a builder for a client of the API at `base_url`: the part of the URL before the documented
    /// paths.
    #[must_use]
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder<D> {
        ClientBuilder::new(base_url.into())
    }

    /// Returns the base URL, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.base.as_str()
    }

    /// Returns the clock that the client was built with.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Returns the limits that the client was built with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Returns the observer that the client was built with. A provider reports its own waits to it.
    #[must_use]
    pub fn observer(&self) -> Option<&Arc<dyn CallObserver>> {
        self.0.observer.as_ref()
    }

    /// Returns how long a call of this operation would now wait for its permit: until the end of a
    /// pause that the provider asked for and, if the vendor limits the operation's rate, for the calls
    /// before it in the queue. If the vendor does not limit the credential, the call skips that queue.
    #[must_use]
    pub fn wait_for(&self, operation: OperationId) -> Duration {
        let now = self.0.clock.instant();
        self.0.limiter.wait_for(operation, D::min_interval(operation), now)
    }

    /// Returns the credential that a call would use now.
    ///
    /// # Errors
    ///
    /// Any error of the credential's source.
    pub async fn credential(&self) -> Result<Option<D::Credential>, Error> {
        self.0.credentials.current().await
    }

    /// Replaces the credentials. Connections, rate limits and the pause after a 429 remain shared.
    #[must_use]
    pub fn with_credentials(&self, credentials: impl Credentials<D::Credential>) -> Self {
        let credentials = Arc::new(credentials);
        Self(Arc::new(ClientState { credentials, ..ClientState::clone(&self.0) }))
    }

    /// Returns the same client with a server for the operations that name it. Rate limits and the pause
    /// after a 429 stay shared.
    #[must_use]
    pub fn with_server(&self, name: &'static str, server: Server) -> Self {
        let mut inner = ClientState::clone(&self.0);
        inner.servers.retain(|(known, _)| *known != name);
        inner.servers.push((name, server));
        Self(Arc::new(inner))
    }

    /// Runs one operation.
    ///
    /// First the request is built and the credential attached, so that a call that would be rejected
    /// locally does not wait. Then each attempt waits for its permit. After a wait the credential is read
    /// again, since it may have changed. The request is sent and the whole reply is read, within
    /// [`Limits`], and the dialect decodes it to a value or a refusal. [`Replay`] and
    /// [`RetryPolicy`](crate::RetryPolicy) determine what is sent again, and when. The credential is
    /// renewed at most once. Redirects are never followed.
    ///
    /// After a 429, attempts of all the client's calls wait for their permits. An attempt also waits in
    /// the queue of an operation that the vendor limits. [`Limits::call`] does not count the time in this
    /// queue, because a caller who gave up would have to queue again from the end. [`Client::wait_for`] returns
    /// how long the wait is, and dropping the future leaves the queue.
    ///
    /// For `tracing`, each call is a span `call` at INFO with its `operation`. In it, each request is
    /// one event `request` at INFO, when the request has ended, with `method`, `path` (without a
    /// query), `attempt`, `status` (absent without a reply), `duration_ms`, and the `kind` of what was
    /// wrong. DEBUG adds the headers of the request and the reply, with only the values that are known
    /// not to be secret, and the reason why a request is sent again. A program that acts on what calls
    /// do uses a [`CallObserver`] instead.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`]; [`ErrorKind::Ambiguous`] only for [`Replay::Once`].
    pub async fn call<O: Operation<Dialect = D>>(&self, operation: O) -> Result<O::Output, Error> {
        let mut record = CallRecord::new(O::ID, O::REPLAY, self.observer());
        let span = tracing::info_span!("call", operation = %O::ID);
        let outcome = self.run(&operation, &mut record).instrument(span).await;
        record.end(outcome)
    }

    /// Sends attempts until there is a result.
    async fn run<O: Operation<Dialect = D>>(
        &self,
        operation: &O,
        record: &mut CallRecord,
    ) -> Result<O::Output, Error> {
        let (base, transport) = self.0.server(O::SERVER)?;
        transport.ready()?;
        self.0.clock.ready()?;
        let mut deadline = later(self.0.clock.instant(), self.0.limits.call);
        let mut delays = None;
        let mut renewed = false;
        // Whether an attempt may have taken effect. A lost one may have, and a gateway's 502 or 504 can
        // follow a request that took effect.
        let (mut lost, mut doubtful) = (false, false);
        loop {
            // A failure between two attempts must not hide that the first may have taken effect.
            let unsure = |error: Error| match O::REPLAY {
                Replay::Idempotent if doubtful => error.with_read_back(),
                _ => error,
            };
            let (mut credential, mut request) =
                self.prepare(operation, deadline).await.map_err(unsure)?;
            let permit =
                self.wait_for_permit::<O>(credential.as_deref(), deadline, &record.observation);
            if let Some(in_queue) = permit.await.map_err(unsure)? {
                deadline = later(deadline, in_queue);
                // An old credential is not sent after a wait.
                (credential, request) = self.prepare(operation, deadline).await.map_err(unsure)?;
            }
            let credential = credential.as_deref();
            let ClientState { clock, limits, gzip, .. } = &*self.0;
            record.attempt(&request, &**clock);
            let left = deadline.saturating_duration_since(clock.instant());
            let time = limits.attempt.min(left);
            let sent = transport.send_to(base, request);
            let exchange = exchange(sent, &**clock, limits, time, *gzip, !base.is_plain());
            let outcome = match exchange.await {
                Ok(reply) => {
                    record.reply(reply.status);
                    CallRecord::reply_headers(&reply.headers, || secrets(operation, credential));
                    let judged = self.judge(operation, &reply, lost);
                    let is_refused = matches!(judged, Err(Next::Renew(_)));
                    doubtful |= reply.status.is_server_error() && !is_refused;
                    judged
                }
                Err(failure) => {
                    if let AttemptFailure::OutOfBounds(status, _) = &failure {
                        record.reply(*status);
                    }
                    lost |= !matches!(&failure, AttemptFailure::Lost(e) if e.progress == Progress::NotSent);
                    doubtful |= lost;
                    Err(after_failure(O::REPLAY, failure))
                }
            };
            record.attempted(&**clock, outcome.as_ref().err().map(Next::error));
            let next = match outcome {
                Ok(value) => return Ok(value),
                Err(next) => next,
            };
            let finish = |error: Error| {
                let changes = O::REPLAY != Replay::Safe;
                let error = if doubtful && changes { error.with_read_back() } else { error };
                let secrets = secrets(operation, credential);
                error.map_texts(|text| redact(text, &secrets))
            };
            match next {
                Next::Stop(error) => return Err(finish(error)),
                Next::Renew(error) => {
                    let Some(refused) = credential.filter(|_| !renewed) else {
                        return Err(finish(error));
                    };
                    renewed = true;
                    let renewal = self.0.credentials.renew(refused);
                    if !self.within_deadline(deadline, renewal).await.flatten().map_err(&finish)? {
                        return Err(finish(error));
                    }
                    tracing::debug!("retrying with a new credential");
                }
                Next::Again(error, server) => {
                    let delays = delays.get_or_insert_with(|| self.0.retry.delays());
                    let Some(delay) = delays.next() else {
                        return Err(finish(error));
                    };
                    let delay = delay.max(server.unwrap_or_default());
                    if delay >= deadline.saturating_duration_since(self.0.clock.instant()) {
                        return Err(finish(error));
                    }
                    record.repeat(error.kind(), delay);
                    if server.is_some() && error.kind() == ErrorKind::RateLimited {
                        self.0.limiter.pause_until(self.0.clock.instant() + delay);
                    } else {
                        self.0.clock.sleep(delay).await;
                    }
                }
            }
        }
    }

    /// Gets the credential for an attempt, and builds the request with it.
    async fn prepare<O: Operation<Dialect = D>>(
        &self,
        operation: &O,
        deadline: Instant,
    ) -> Result<(Option<Cow<'_, D::Credential>>, Request), Error> {
        let inner = &*self.0;
        let security = operation.security();
        let mut request = operation.request()?;
        if !security.schemes.is_empty() && !D::is_credential_for(O::SERVER) {
            let server = O::SERVER.unwrap_or("at the base URL");
            let why = format!("must not see the credential: {server}; nothing was sent");
            return Err(Error::invalid("server", why));
        }
        let credential = if security.schemes.is_empty() {
            None
        } else if let Some(credential) = inner.credentials.at_hand() {
            Some(Cow::Borrowed(credential))
        } else {
            let current = inner.credentials.current();
            self.within_deadline(deadline, current).await.flatten()?.map(Cow::Owned)
        };
        D::attach(credential.as_deref(), security, &mut request)?;
        request.header(header::USER_AGENT, inner.user_agent.clone());
        if inner.gzip {
            request.header(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok((credential, request))
    }

    /// Waits for the permit of an attempt; see `RateLimiter::wait_for_permit`.
    async fn wait_for_permit<O: Operation<Dialect = D>>(
        &self,
        credential: Option<&D::Credential>,
        deadline: Instant,
        observation: &Observation,
    ) -> Result<Option<Duration>, Error> {
        let min_interval = D::min_interval(O::ID).filter(|_| !D::exempt(credential));
        let ClientState { limiter, clock, .. } = &*self.0;
        limiter.wait_for_permit(O::ID, min_interval, deadline, &**clock, observation).await
    }

    /// Runs work that is not an attempt, such as renewing a credential, within the call's time.
    async fn within_deadline<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let left = deadline.saturating_duration_since(self.0.clock.instant());
        within(&*self.0.clock, left, work).await.ok_or_else(|| {
            Error::new(ErrorKind::Timeout).with_detail("while obtaining a credential")
        })
    }

    /// Returns the value of a reply, or how the call continues without one.
    fn judge<O: Operation<Dialect = D>>(
        &self,
        operation: &O,
        reply: &Reply,
        lost: bool,
    ) -> Result<O::Output, Next> {
        let status = reply.status;
        let changes = O::REPLAY != Replay::Safe;
        // Only a reply in the provider's own form counts. Another page says nothing about the account,
        // whatever its status is.
        let own = status.is_success() || (!status.is_redirection() && D::is_own_form(O::ID, reply));
        let refusal = || {
            let error = if own { D::refusal(reply) } else { reply.foreign() };
            error.with_status(status.as_u16())
        };
        if own && D::refuses_credential(reply) {
            return Err(Next::Renew(refusal()));
        }
        let limited = status == StatusCode::TOO_MANY_REQUESTS;
        if limited || status.is_server_error() {
            let wait = reply.retry_after(self.0.clock.now());
            let error = refusal().with_retry_after(wait);
            if limited {
                return Err(Next::Again(error, wait));
            }
            return Err(match O::REPLAY {
                Replay::Once => Next::Stop(error),
                Replay::Safe | Replay::Idempotent => Next::Again(error, wait),
            });
        }
        if !own {
            // We do not know who answered, or whether the request reached the provider.
            let error = refusal();
            return Err(Next::Stop(if changes { error.with_read_back() } else { error }));
        }
        operation.decode(reply).or_else(|error| {
            // The reply to the previous attempt was lost. That attempt removed it.
            if lost && error.kind() == ErrorKind::NotFound && operation.removes() {
                let gone = Reply { status: StatusCode::NO_CONTENT, ..empty() };
                if let Ok(value) = operation.decode(&gone) {
                    return Ok(value);
                }
            }
            let error = error.with_status(status.as_u16());
            Err(match error.kind() {
                ErrorKind::Unauthorized if status == StatusCode::UNAUTHORIZED => Next::Renew(error),
                ErrorKind::UnexpectedReply if changes && !status.is_client_error() => {
                    Next::Stop(error.with_read_back())
                }
                _ => Next::Stop(error),
            })
        })
    }
}

/// Returns the sum, or a time far in the future: a limit may be [`Duration::MAX`].
fn later(instant: Instant, by: Duration) -> Instant {
    const NEVER: Duration = DAY.saturating_mul(100 * 365);
    instant.checked_add(by).unwrap_or_else(|| instant + NEVER)
}

fn empty() -> Reply {
    let (headers, body) = (http::HeaderMap::new(), bytes::Bytes::new());
    Reply { status: StatusCode::OK, headers, body, verified: false }
}

/// Returns the secrets that a call's request carries. Only an error needs them, so we build the request
/// again for it; a successful call copies no secrets.
fn secrets<O: Operation>(
    operation: &O,
    credential: Option<&<O::Dialect as Dialect>::Credential>,
) -> Vec<Secret> {
    let Ok(mut request) = operation.request() else { return Vec::new() };
    request.keep_secrets();
    // Attaching cannot fail here: it succeeded before, for an equal request.
    let _ = O::Dialect::attach(credential, operation.security(), &mut request);
    request.into_secrets()
}

/// Returns how a call continues after an attempt without a reply.
fn after_failure(replay: Replay, failure: AttemptFailure) -> Next {
    let (progress, error) = match failure {
        AttemptFailure::Lost(lost) => (
            lost.progress,
            Error::new(ErrorKind::Unreachable).with_detail(lost.reason.clone()).with_source(lost),
        ),
        AttemptFailure::TimedOut => (Progress::MaybeSent, Error::new(ErrorKind::Timeout)),
        AttemptFailure::OutOfBounds(status, error) => return unreadable(replay, status, error),
    };
    match (progress, replay) {
        (Progress::MaybeSent, Replay::Once) => Next::Stop(error.with_kind(ErrorKind::Ambiguous)),
        _ => Next::Again(error, None),
    }
}

/// Returns how a call ends after a reply that cannot be used.
fn unreadable(replay: Replay, status: StatusCode, error: Error) -> Next {
    let error = error.with_status(status.as_u16());
    Next::Stop(match replay {
        Replay::Once | Replay::Idempotent => error.with_read_back(),
        Replay::Safe => error,
    })
}
