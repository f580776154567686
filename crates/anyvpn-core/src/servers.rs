//! A provider's servers as a stream, and the elements that were left out because they could not be read.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::BoxStream;

use crate::{Error, ErrorKind, Server};

/// The elements of a provider's list that were left out because they could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// How many elements were left out.
    pub count: usize,
    /// Why, and where in the reply, for the first [`LeftOut::REASONS`] elements.
    pub reasons: Vec<String>,
}

impl LeftOut {
    /// The maximum number of reasons that are kept.
    pub const REASONS: usize = 10;

    /// Returns whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds an element that could not be read, with the reason.
    pub fn push(&mut self, reason: String) {
        self.count += 1;
        if self.reasons.len() < Self::REASONS {
            self.reasons.push(reason);
        }
    }

    /// Creates the error for an element that is not in the list: `NotFound` if nothing was left out, and
    /// otherwise `UnexpectedReply`, because what was left out could be that element. `what` is the word
    /// for an element, such as `server`.
    #[must_use]
    pub fn unknown(&self, what: &str, id: &str) -> Error {
        if self.is_empty() {
            return Error::new(ErrorKind::NotFound)
                .with_detail(format!("there is no {what} {id:?}"));
        }
        let why = format!("{what} {id:?} is not in the readable part of the list; {self}");
        Error::new(ErrorKind::UnexpectedReply).with_detail(why)
    }

    /// Adds the elements that were left out of another part of the list.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = Self::REASONS.saturating_sub(self.reasons.len());
        self.reasons.extend(other.reasons.into_iter().take(room));
    }
}

/// Shows how many elements were left out, and the reason of the first.
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

/// An item of the list that a provider passes to [`Servers::new`].
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

/// A provider's servers, as a stream that ends after its first error.
///
/// An element that cannot be read does not hide the others: it is left out, and [`Self::left_out`]
/// reports it.
///
/// ```
/// use anyvpn_core::{Error, ServerConfigs};
///
/// async fn count(configs: &dyn ServerConfigs) -> Result<usize, Error> {
///     let mut servers = configs.servers();
///     let mut count = 0;
///     while let Some(server) = servers.next().await {
///         println!("{}", server?.name);
///         count += 1;
///     }
///     Ok(count + servers.left_out().count)
/// }
/// ```
#[must_use = "nothing is sent before it is polled"]
pub struct Servers<'a> {
    list: BoxStream<'a, Result<ListedServer, Error>>,
    left_out: LeftOut,
}

impl<'a> Servers<'a> {
    /// Creates the stream from a provider's list.
    pub fn new(list: impl Stream<Item = Result<ListedServer, Error>> + Send + 'a) -> Self {
        Self { list: Box::pin(list), left_out: LeftOut::default() }
    }

    /// Returns the next server; `None` at the end. Callers need no crate for streams.
    ///
    /// # Errors
    ///
    /// Any failure of the call that reads the list. The stream ends after it.
    pub async fn next(&mut self) -> Option<Result<Server, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the elements that were left out so far. The report is complete at the end of the stream.
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
