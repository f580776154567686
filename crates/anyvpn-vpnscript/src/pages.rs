//! Reads the list of servers page by page, one page ahead of the caller.

use std::panic::resume_unwind;
use std::pin::pin;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::{
    CompactText, LenientList, ListNumbers, ListPage, Operation as _, PagedList, pages,
};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::VpnScript;
use crate::ops::{ListServers, Server};

impl VpnScript {
    /// Returns the pages with all servers, each server once. They are read from this client's base URL; the
    /// URLs in a reply are never used.
    pub(crate) fn pages(&self) -> BoxStream<'static, Result<LenientList<Server>, Error>> {
        let pages = pages(ServerList(self.clone()), self.client().limits().list);
        if self.prefetch { ahead(pages).boxed() } else { pages.boxed() }
    }
}

/// The list of servers.
struct ServerList(VpnScript);

impl PagedList for ServerList {
    type Item = Server;
    const ITEMS: &'static str = "servers";
    const OPERATION: OperationId = ListServers::ID;

    async fn page(&self, number: u32) -> Result<ListPage<Server>, Error> {
        let request = ListServers { paginate: Some(self.0.page_size), page: Some(number) };
        let page = self.0.call(request).await?;
        Ok(ListPage {
            items: page.servers,
            current_page: page.current_page,
            list: ListNumbers {
                last_page: page.last_page,
                per_page: page.per_page,
                total: page.total,
            },
        })
    }

    fn id(server: &Server) -> u64 {
        server.id
    }

    fn size(server: &Server) -> usize {
        let Server {
            name, country, country_slug, country_iso_code, city, state, host, ipaddr, ..
        } = server;
        let texts = [name, country, country_slug, country_iso_code, city, state, host, ipaddr];
        let in_place = size_of::<CompactText>();
        let length = |text: &&Option<CompactText>| text.as_ref().map_or(0, |text| text.len());
        let elsewhere = texts.iter().map(length).filter(|length| *length > in_place).sum::<usize>();
        size_of::<Server>() + elsewhere + server.protocol.as_str().len()
    }
}

/// Returns the same stream with a task that reads one item ahead. The task starts with the first poll,
/// and ends when the stream is dropped.
///
/// We use a task because calls have deadlines: if the caller's polls drove the next call, it would time
/// out when the caller takes long for a page.
fn ahead<T: Send + 'static>(
    items: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async move {
        let Ok(runtime) = Handle::try_current() else { return items.boxed() };
        let (sender, receiver) = mpsc::channel(1);
        let mut task = JoinSet::new();
        let work = async move {
            let mut items = pin!(items);
            // The next item is requested when the previous one has been taken.
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
            // If the task has panicked, the list is not complete.
            match task.join_next().await {
                Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                _ => None,
            }
        });
        taken.boxed()
    })
    .flatten()
}
