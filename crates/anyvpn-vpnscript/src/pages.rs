//! The list of servers, page by page, and one page ahead of the caller.

use std::panic::resume_unwind;
use std::pin::pin;

use anyvpn_core::{Error, ErrorKind};
use anyvpn_http::Operation as _;
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

impl VpnScript {
    /// All servers, page by page, on this client's own base URL: the URLs in a reply are never used.
    pub(crate) fn all_servers(&self) -> BoxStream<'static, Result<Server, Error>> {
        let pages = Pages { vpn: self.clone(), next: Some(1) };
        let pages = stream::try_unfold(pages, Pages::next);
        let pages = if self.prefetch { ahead(pages).boxed() } else { pages.boxed() };
        pages.map_ok(|servers| stream::iter(servers).map(Ok)).try_flatten().boxed()
    }
}

/// The pages that are not read yet.
struct Pages {
    vpn: VpnScript,
    /// The number of the next page; `None` after the last one.
    next: Option<u32>,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(Vec<Server>, Self)>, Error> {
        let Some(number) = self.next else { return Ok(None) };
        let request = ListServers { paginate: Some(self.vpn.page_size), page: Some(number) };
        let page = self.vpn.call(request).await?;
        self.next = following(number, &page)?;
        Ok(Some((page.servers, self)))
    }
}

/// The number of the page after `page`, which is number `number`, or `None` after the last one.
fn following(number: u32, page: &ServerPage) -> Result<Option<u32>, Error> {
    let Some(current) = page.current_page else {
        // Without numbers, all servers have come at once.
        return Ok(None);
    };
    if current != u64::from(number) {
        return Err(lie(format!(
            "at `current_page`: {current}, though page {number} was asked for"
        )));
    }
    // A page without servers is past the end, whatever the reply says of the last one.
    if page.servers.is_empty() || page.last_page.is_some_and(|last| current >= last) {
        return Ok(None);
    }
    if number >= MOST_PAGES {
        return Err(lie(format!("more than {MOST_PAGES} pages")));
    }
    Ok(Some(number + 1))
}

fn lie(why: String) -> Error {
    Error::new(ErrorKind::UnexpectedReply).with_operation(ListServers::ID).with_detail(why)
}

/// The same stream, with a task that reads one item ahead. It begins with the first poll, and ends when
/// the stream is dropped.
///
/// A task, because a call has deadlines: if the caller's polls drove it, a caller that takes long for
/// a page would let the next one time out.
fn ahead<T: Send + 'static>(
    items: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async move {
        let Ok(runtime) = Handle::try_current() else { return items.boxed() };
        let (sender, receiver) = mpsc::channel(1);
        let mut task = JoinSet::new();
        let work = async move {
            let mut items = pin!(items);
            // The next item is asked for when the one before has been taken.
            while let Ok(place) = sender.reserve().await
                && let Some(item) = items.next().await
            {
                place.send(item);
            }
        };
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
