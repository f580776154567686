//! The list of servers, page by page, and one page ahead of the caller.

use std::panic::resume_unwind;

use anyvpn_core::{Error, ErrorKind};
use anyvpn_http::{List, Operation as _};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::VpnScript;
use crate::ops::{ListServers, Server, ServerPage};

/// More pages than any provider has; a server that always says "one more" ends here.
const MOST_PAGES: u32 = 100_000;

/// The most servers that are read ahead, however large a page is.
const MOST_AHEAD: u32 = 1 << 16;

impl VpnScript {
    /// All servers, page by page, on this client's own base URL: the URLs in a reply are never used.
    pub(crate) fn all_servers(&self) -> BoxStream<'static, Result<Server, Error>> {
        let pages = Pages { list: self.page(1), vpn: self.clone(), page: 1, servers: 0 };
        let servers = stream::try_unfold(pages, Pages::next);
        match self.prefetch {
            true => ahead(servers, self.page_size.min(MOST_AHEAD) as usize).boxed(),
            false => servers.boxed(),
        }
    }

    fn page(&self, page: u32) -> List<ListServers> {
        self.stream(ListServers { paginate: Some(self.page_size), page: Some(page) })
    }
}

struct Pages {
    vpn: VpnScript,
    list: List<ListServers>,
    /// The number of the page that `list` is, and its servers so far.
    page: u32,
    servers: usize,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(Server, Self)>, Error> {
        loop {
            if let Some(server) = self.list.try_next().await? {
                // Before its first server, where that stands before them, and else at its end.
                if self.servers == 0
                    && let Some(current) = self.list.rest().and_then(|rest| rest.current_page)
                {
                    is_page(self.page, current)?;
                }
                self.servers += 1;
                return Ok(Some((server, self)));
            }
            let Some(rest) = self.list.rest() else { return Ok(None) };
            let Some(page) = following(self.page, rest, self.servers)? else { return Ok(None) };
            self = Self { list: self.vpn.page(page), vpn: self.vpn, page, servers: 0 };
        }
    }
}

/// The number of the page after `page`, which had so many servers, or `None` after the last one.
fn following(page: u32, rest: &ServerPage, servers: usize) -> Result<Option<u32>, Error> {
    let Some(current) = rest.current_page else {
        // Without numbers, all servers have come at once.
        return Ok(None);
    };
    is_page(page, current)?;
    // A page without servers is past the end, whatever the reply says of the last one.
    if servers == 0 || rest.last_page.is_some_and(|last| current >= last) {
        return Ok(None);
    }
    if page >= MOST_PAGES {
        return Err(lie(format!("more than {MOST_PAGES} pages")));
    }
    Ok(Some(page + 1))
}

fn is_page(page: u32, current: u64) -> Result<(), Error> {
    if current == u64::from(page) {
        return Ok(());
    }
    Err(lie(format!("at `current_page`: {current}, though page {page} was asked for")))
}

fn lie(why: String) -> Error {
    Error::new(ErrorKind::UnexpectedReply).with_operation(ListServers::ID).with_detail(why)
}

/// The same stream, with a task that keeps so many items at most ready. It begins with the first poll,
/// and ends when the stream is dropped.
///
/// A task, because a call has deadlines: if the caller's polls drove it, a caller that takes long for
/// an item would let the next page time out.
fn ahead<T: Send + 'static>(
    items: impl Stream<Item = T> + Send + 'static,
    most: usize,
) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async move {
        let Ok(runtime) = Handle::try_current() else { return items.boxed() };
        let (sender, receiver) = mpsc::channel(most);
        let mut task = JoinSet::new();
        let work = items.map(Ok).try_for_each(move |item| {
            let sender = sender.clone();
            async move { sender.send(item).await.map_err(drop) }
        });
        task.spawn_on(work.in_current_span(), &runtime);
        let taken = stream::unfold((receiver, task), |(mut receiver, mut task)| async {
            if let Some(item) = receiver.recv().await {
                return Some((item, (receiver, task)));
            }
            // A list whose task has panicked has not come to its end.
            match task.join_next().await {
                Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                _ => None,
            }
        });
        taken.boxed()
    })
    .flatten()
}
