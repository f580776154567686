//! A reply's list as a stream, decoded while the reply arrives.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyvpn_core::{Error, ErrorKind, redact};
use bytes::Bytes;
use futures_core::Stream;
use futures_core::future::BoxFuture;
use http::response::Parts;
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::client::{Given, Log, Next, Opened, after_failure, secrets};
use crate::elements::{Decoder, Event};
use crate::exchange::{Arrived, Failure, Reading, Whole};
use crate::source::{Source, out_of_bounds};
use crate::{Client, Dialect, Limits, Operation, Replay, Reply};

/// An operation whose reply is a list, or a page of one, under one of the names [`Dialect::LIST`].
pub trait ListOperation: Operation {
    /// An element of the list.
    type Item: DeserializeOwned + Send + Unpin;

    /// Takes the elements out of a value, for a reply that is better judged as a whole.
    fn elements(value: &mut Self::Output) -> Vec<Self::Item>;
}

/// The elements of a list, each decoded as soon as it has arrived: what [`Client::stream`] gives.
///
/// Nothing is sent before it is polled. Then it is what [`Client::call`] does, in the same order and
/// with the same repetitions, as far as to the first element. From there on nothing is repeated: what
/// fails is the last item, [`ErrorKind::Unreachable`], [`ErrorKind::Timeout`] or
/// [`ErrorKind::UnexpectedReply`] if the reply broke off. All of the reply but its elements is judged
/// at the end as `call` would: a refusal that only the reply's end tells comes after the elements. One
/// at its beginning comes alone, and is repeated or renewed like any other.
///
/// In memory are one piece of the reply, as the transport gives them, and the elements not yet taken.
/// [`Limits`] hold, with [`Limits::values`] and [`Limits::nesting`] for each element and for what is
/// around the list. Of the call's time, behind the first element, only waiting counts: from a poll
/// that finds nothing to the next one that finds something. What the caller does between two elements
/// is free; the server waits meanwhile, and may give up in the end. It must be polled on the runtime that the client's transport needs.
///
/// Dropping it ends the call, and leaves the client usable.
#[must_use = "nothing is sent before it is polled"]
pub struct List<O: ListOperation> {
    state: State<O>,
    rest: Option<O::Output>,
}

enum State<O: ListOperation> {
    Opening(BoxFuture<'static, Result<Start<O>, Error>>),
    /// The elements of a reply that was judged as a whole.
    Whole(std::vec::IntoIter<O::Item>),
    Running(Box<Running<O>>),
    Ended,
}

/// What a list begins with.
enum Start<O: ListOperation> {
    Whole(O::Output),
    /// The first element, and what stands before the list.
    Running(Box<Running<O>>, O::Item, Option<O::Output>),
}

impl<O: ListOperation + 'static> List<O> {
    pub(crate) fn new(client: Client<O::Dialect>, operation: O) -> Self {
        Self { state: State::Opening(Box::pin(open(client, operation))), rest: None }
    }

    /// What the reply holds beside its elements: the operation's value with an empty list.
    ///
    /// It is there when the list has ended without an error. Before that, from the first element on,
    /// it is what stands before the list, where that is a value by itself: what may be absent and comes
    /// later is missing in it.
    pub fn rest(&self) -> Option<&O::Output> {
        self.rest.as_ref()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<O::Item, Error>>> {
        loop {
            match &mut self.state {
                State::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(Start::Whole(mut value)) => {
                        self.state = State::Whole(O::elements(&mut value).into_iter());
                        self.rest = Some(value);
                    }
                    Ok(Start::Running(running, first, rest)) => {
                        self.state = State::Running(running);
                        self.rest = rest;
                        return Poll::Ready(Some(Ok(first)));
                    }
                    Err(error) => {
                        self.state = State::Ended;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
                State::Whole(elements) => return Poll::Ready(elements.next().map(Ok)),
                State::Running(running) => {
                    let end = match ready!(running.poll(context)) {
                        Ok(Some(Event::Item(item))) => return Poll::Ready(Some(Ok(item))),
                        Ok(Some(Event::Begins)) => continue,
                        Ok(None) => running.end(None),
                        Err(failure) => running.end(Some(failure)),
                    };
                    self.state = State::Ended;
                    self.rest = None;
                    match end {
                        Ok(value) => self.rest = Some(value),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl<O: ListOperation + 'static> Stream for List<O> {
    type Item = Result<O::Item, Error>;

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<O::Item, Error>>> {
        self.get_mut().poll(context)
    }
}

// Nothing is pinned in its place.
impl<O: ListOperation> Unpin for List<O> {}

impl<O: ListOperation> std::fmt::Debug for List<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("List").field("operation", &O::ID).finish_non_exhaustive()
    }
}

/// The call as far as to the first element.
async fn open<O: ListOperation>(
    client: Client<O::Dialect>,
    operation: O,
) -> Result<Start<O>, Error> {
    let mut log = Log::new(O::ID, &*client.0.clock);
    let span = log.span.clone();
    let given = client.run(&operation, &mut log, &Elements(&operation)).instrument(span).await;
    let value = match given {
        Ok(Given::Open(Opened { reply, credential, left })) => {
            let Begun { body, first, rest } = reply;
            let (since, timer) = (None, None);
            let running = Running { client, operation, body, credential, left, since, timer, log };
            return Ok(Start::Running(Box::new(running), first, rest));
        }
        Ok(Given::Value(value)) => Ok(Start::Whole(value)),
        Err(error) => Err(error),
    };
    log.span.in_scope(|| log.end(&*client.0.clock, value))
}

/// A reply that is taken apart as it arrives.
struct Parted {
    head: Parts,
    source: Source,
    decoder: Decoder,
}

impl Parted {
    /// What comes next; `None` at the end.
    fn poll<T: DeserializeOwned>(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Event<T>>, Failure>> {
        loop {
            let event = self.decoder.next().map_err(|why| out_of_bounds(self.head.status, why))?;
            if event.is_some() {
                return Poll::Ready(Ok(event));
            }
            match ready!(self.source.poll_next(context)).transpose()? {
                Some(piece) => self.decoder.push(piece),
                None => return Poll::Ready(Ok(None)),
            }
        }
    }

    /// The reply with this body.
    fn reply(&self, body: Bytes) -> Reply {
        Reply { status: self.head.status, headers: self.head.headers.clone(), body }
    }

    /// At its end, the reply without its elements, and what was wrong with one.
    fn finish(&mut self) -> Result<(Reply, Option<Error>), Failure> {
        let finished = self.decoder.finish();
        let (body, misfit) = finished.map_err(|why| out_of_bounds(self.head.status, why))?;
        let misfit = misfit.map(|it| self.reply(it.list).unexpected(&it.why));
        Ok((self.reply(body), misfit))
    }
}

/// Reads a success as far as to the first element.
struct Elements<'a, O>(&'a O);

struct Begun<O: ListOperation> {
    body: Parted,
    first: O::Item,
    /// The value of what stands before the list.
    rest: Option<O::Output>,
}

impl<O: ListOperation> Reading for Elements<'_, O> {
    type Open = Begun<O>;

    async fn read(
        &self,
        head: Parts,
        source: Source,
        limits: &Limits,
    ) -> Result<Arrived<Begun<O>>, Failure> {
        let status = head.status;
        if !status.is_success() {
            return Ok(match Whole.read(head, source, limits).await? {
                Arrived::Reply(reply, misfit) => Arrived::Reply(reply, misfit),
                Arrived::Open(_, never) => match never {},
            });
        }
        let decoder = Decoder::new(O::Dialect::LIST, limits);
        let mut body = Parted { head, source, decoder };
        let mut rest = None;
        loop {
            match poll_fn(|context| body.poll(context)).await? {
                Some(Event::Item(first)) => {
                    return Ok(Arrived::Open(status, Begun { body, first, rest }));
                }
                Some(Event::Begins) => {
                    let beginning = body.decoder.beginning().map(|it| body.reply(it));
                    match beginning.as_ref().map(|reply| self.0.decode(reply)) {
                        Some(Ok(value)) => rest = Some(value),
                        // What comes behind the list can be what is missing.
                        Some(Err(error)) if error.kind() == ErrorKind::UnexpectedReply => {}
                        // No JSON, or a refusal, whose list is not the operation's.
                        Some(Err(_)) | None => body.decoder.keep_whole(),
                    }
                }
                None => {
                    let (reply, misfit) = body.finish()?;
                    return Ok(Arrived::Reply(reply, misfit));
                }
            }
        }
    }
}

/// A list behind its first element.
struct Running<O: ListOperation> {
    client: Client<O::Dialect>,
    operation: O,
    body: Parted,
    credential: Option<<O::Dialect as Dialect>::Credential>,
    /// How long the rest may be waited for.
    left: Duration,
    /// Since when it is waited.
    since: Option<Instant>,
    timer: Option<BoxFuture<'static, ()>>,
    log: Log,
}

impl<O: ListOperation> Running<O> {
    /// What comes next, within the time; `None` at the end.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Event<O::Item>>, Failure>> {
        let clock = &self.client.0.clock;
        let event = self.body.poll(context);
        if event.is_ready() {
            if let Some(since) = self.since.take() {
                let waited = clock.instant().saturating_duration_since(since);
                self.left = self.left.saturating_sub(waited);
                self.timer = None;
            }
            return event;
        }
        self.since.get_or_insert_with(|| clock.instant());
        let timer = self.timer.get_or_insert_with(|| clock.sleep(self.left));
        if self.left.is_zero() || timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Failure::TimedOut));
        }
        Poll::Pending
    }

    /// The value without its elements, or why there is none.
    fn end(&mut self, failure: Option<Failure>) -> Result<O::Output, Error> {
        let value = match failure {
            Some(failure) => Err(failure),
            None => self.body.finish().map(|(reply, misfit)| self.judge(&reply, misfit)),
        };
        let value = value.unwrap_or_else(|failure| match after_failure(O::REPLAY, failure) {
            Next::Stop(error) | Next::Again(error, _) | Next::Renew(error) => Err(error),
        });
        let value = value.map_err(|error| {
            let error = match O::REPLAY {
                Replay::Safe => error,
                Replay::Idempotent | Replay::Once => error.with_read_back(),
            };
            let secrets = secrets(&self.operation, self.credential.as_ref());
            error.map_texts(|text| redact(text, &secrets))
        });
        self.log.span.in_scope(|| self.log.end(&*self.client.0.clock, value))
    }

    fn judge(&self, reply: &Reply, misfit: Option<Error>) -> Result<O::Output, Error> {
        let unexpected = |error: &Error| error.kind() == ErrorKind::UnexpectedReply;
        let judged = match (self.operation.decode(reply), misfit) {
            (Ok(mut value), None) => match O::elements(&mut value).is_empty() {
                true => Ok(value),
                false => Err(reply.unexpected("the list is there twice")),
            },
            (Ok(_), Some(misfit)) => Err(misfit),
            (Err(error), Some(misfit)) if unexpected(&error) => Err(misfit),
            (Err(error), _) => Err(error),
        };
        judged.map_err(|error| error.with_status(reply.status.as_u16()))
    }
}
