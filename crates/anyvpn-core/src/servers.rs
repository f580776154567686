//! A provider's servers as a stream, and what was left out of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::BoxStream;

use crate::{Error, Server};

/// What a list of the provider's lacks, because it could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// How many elements.
    pub count: usize,
    /// Why, and where in the reply: of the first elements, [`LeftOut::REASONS`] at most.
    pub reasons: Vec<String>,
}

impl LeftOut {
    /// The most reasons that are kept.
    pub const REASONS: usize = 10;

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds an element that could not be read, and why.
    pub fn push(&mut self, reason: String) {
        self.count += 1;
        if self.reasons.len() < Self::REASONS {
            self.reasons.push(reason);
        }
    }

    /// Adds what another part of the list lacks.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = Self::REASONS.saturating_sub(self.reasons.len());
        self.reasons.extend(other.reasons.into_iter().take(room));
    }
}

/// Says how many elements were left out, and why the first one was.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, reasons } = self;
        write!(f, "{count} {} left out", if *count == 1 { "was" } else { "were" })?;
        match reasons.first() {
            Some(reason) if *count == 1 => write!(f, ": {reason}"),
            Some(reason) => write!(f, ", the first: {reason}"),
            None => Ok(()),
        }
    }
}

/// An element of a provider's list of servers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListedServer {
    /// A server.
    Server(Server),
    /// Elements that could not be read.
    LeftOut(LeftOut),
}

impl From<Server> for ListedServer {
    fn from(server: Server) -> Self {
        Self::Server(server)
    }
}

/// A provider's servers: a stream that ends after its first error.
///
/// One element that cannot be read does not hide the others: it is left out, and [`Self::left_out`]
/// says so.
#[must_use = "nothing is sent before it is polled"]
pub struct Servers<'a> {
    list: BoxStream<'a, Result<ListedServer, Error>>,
    left_out: LeftOut,
}

impl<'a> Servers<'a> {
    /// Makes the stream from a provider's list.
    pub fn new(list: impl Stream<Item = Result<ListedServer, Error>> + Send + 'a) -> Self {
        Self { list: Box::pin(list), left_out: LeftOut::default() }
    }

    /// The next server; `None` at the end. A program that has no crate for streams reads it so.
    pub async fn next(&mut self) -> Option<Result<Server, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What was left out so far. It is complete at the end of the stream.
    #[must_use]
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}

impl Stream for Servers<'_> {
    type Item = Result<Server, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Server, Error>>> {
        loop {
            match ready!(self.list.as_mut().poll_next(context)).transpose()? {
                Some(ListedServer::Server(server)) => return Poll::Ready(Some(Ok(server))),
                Some(ListedServer::LeftOut(left_out)) => self.left_out.append(left_out),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for Servers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("left_out", &self.left_out).finish_non_exhaustive()
    }
}
